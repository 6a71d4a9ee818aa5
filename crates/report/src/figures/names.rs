//! Names cut to the room that there is, in such a way that those that were apart stay apart.

use super::canvas::text_width;

/// A name, cut with an ellipsis where it is wider than this; for bold type give a size 6 % larger.
pub(super) fn fitted(name: &str, size: f64, width: f64) -> String {
    if text_width(name, size) <= width {
        return name.to_owned();
    }
    let mut kept = name.to_owned();
    while text_width(&kept, size) + size > width && kept.pop().is_some() {}
    // A sign that joins two others has lost its second.
    format!("{}…", kept.trim_end_matches([' ', '\u{200d}']))
}

/// Names of one figure, each cut where it is wider than this. Where that makes two alike, what tells them apart is shown
/// instead of their beginnings; where that does not fit either, each begins with its number among the names.
pub(super) fn all_fitted(names: &[String], size: f64, width: f64) -> Vec<String> {
    let mut cut: Vec<String> = names.iter().map(|name| fitted(name, size, width)).collect();
    // Each step can make a name like one that was left alone, so all are looked at again.
    for step in [apart as fn(&[String], &[usize], usize, f64, f64) -> String, numbered] {
        let alike: Vec<Vec<usize>> = (0..names.len()).map(|i| like(names, &cut, i)).collect();
        for (i, alike) in alike.iter().enumerate().filter(|(_, alike)| alike.len() > 1) {
            cut[i] = step(names, alike, i, size, width);
        }
    }
    cut
}

/// The numbers of the names that are cut to the same as a name, itself included; names that are the same uncut do not count.
fn like(names: &[String], cut: &[String], i: usize) -> Vec<usize> {
    (0..names.len()).filter(|&j| j == i || (cut[j] == cut[i] && names[j] != names[i])).collect()
}

/// The part of a name that the others do not have: "…32…" of "2 layers of 32 units", beside "2 layers of 64 units". What
/// room is left goes to the common beginning and end.
fn apart(names: &[String], alike: &[usize], i: usize, size: f64, width: f64) -> String {
    let letters: Vec<Vec<char>> = alike.iter().map(|&j| names[j].chars().collect()).collect();
    let shortest = letters.iter().map(Vec::len).min().unwrap_or(0);
    let first = &letters[0];
    let common = |k: usize| letters.iter().all(|name| name[k] == first[k]);
    let head = (0..shortest).take_while(|&k| common(k)).count();
    let from_end =
        |k: usize| letters.iter().all(|name| name[name.len() - 1 - k] == first[first.len() - 1 - k]);
    let tail = (0..shortest - head).take_while(|&k| from_end(k)).count();
    let name: Vec<char> = names[i].chars().collect();
    let (mut from, mut to) = (head, name.len() - tail);
    // Numbers and words begin at their beginning.
    while from > 0 && name[from - 1].is_alphanumeric() && from < name.len() && name[from].is_alphanumeric() {
        from -= 1;
    }
    let shown = |from: usize, to: usize| {
        let middle: String = name[from..to].iter().collect();
        let (before, after) = (if from > 0 { "…" } else { "" }, if to < name.len() { "…" } else { "" });
        format!("{before}{}{after}", middle.trim())
    };
    let fits = |from: usize, to: usize| text_width(&shown(from, to), size) <= width;
    if !fits(from, to) {
        from = head;
    }
    while to < name.len() && fits(from, to + 1) {
        to += 1;
    }
    while from > 0 && fits(from - 1, to) {
        from -= 1;
    }
    fitted(&shown(from, to), size, width)
}

/// The number of a name among all, before as much of it as fits.
fn numbered(names: &[String], _: &[usize], i: usize, size: f64, width: f64) -> String {
    let number = format!("{}:\u{a0}", i + 1);
    let room = (width - text_width(&number, size)).max(0.0);
    format!("{number}{}", fitted(&names[i], size, room))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn cut(names: &[&str], width: f64) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let cut = all_fitted(&names, 8.0, width);
        for name in &cut {
            assert!(text_width(name, 8.0) <= width + 1e-9, "{name}");
        }
        cut
    }

    #[test]
    fn short_names_stay_and_long_ones_are_cut_at_the_end() {
        assert_eq!(cut(&["one", "two"], 48.0), ["one", "two"]);
        assert_eq!(cut(&["an ankle boot and a sock", "two"], 48.0), ["an ankle b…", "two"]);
    }

    #[test]
    fn names_that_were_apart_stay_apart() {
        let layers = ["16", "32", "64"].map(|units| format!("2 hidden layers, {units} units each"));
        let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
        let found = cut(&layers, 48.0);
        assert!(found.iter().zip(["16", "32", "64"]).all(|(name, units)| name.contains(units)), "{found:?}");

        let many: Vec<String> =
            (0..120).map(|i| format!("a long name {} and then the number {i}", "x".repeat(i % 7))).collect();
        let ends = ["a name that ends in one", "a name that ends in two", "a name that ends", "a name that"];
        let scattered =
            ["abcdefghijklmnopqrstuvwxyz", "abcdefghXjklmnopqrstuvwxyz", "abcdefghXjklmnopqrstuvwxyZ"];
        let nested = ["日本語日本語日本語日本語一", "日本語日本語日本語日本語二", "日"];
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for names in [&layers[..], &many, &ends, &scattered, &nested] {
            for width in [40.0, 48.0, 73.0] {
                let found = cut(names, width);
                let different: BTreeSet<&String> = found.iter().collect();
                assert_eq!(different.len(), names.len(), "{found:?}");
            }
        }
        // Two of one name cannot be told apart, and need no numbers.
        assert_eq!(cut(&["the very same long name", "the very same long name"], 48.0)[0], "the very s…");
    }
}
