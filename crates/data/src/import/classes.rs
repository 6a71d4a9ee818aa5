//! Names of classes: their natural order, and labels by them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::error::ImportError;

/// The most classes that a label, which is a byte, can tell apart beside a count of them.
const MOST: usize = 255;

/// Names in the order that a person expects: numbers within them by their size, so that 2 comes before 10; letters whatever
/// their case.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    fn pieces(name: &str) -> Vec<(bool, String)> {
        let mut pieces: Vec<(bool, String)> = Vec::new();
        for letter in name.chars() {
            let is_digit = letter.is_ascii_digit();
            match pieces.last_mut() {
                Some((digits, piece)) if *digits == is_digit => piece.push(letter),
                _ => pieces.push((is_digit, letter.to_string())),
            }
        }
        pieces
    }
    let by_piece = |(a, b): ((bool, String), (bool, String))| match (a, b) {
        ((true, a), (true, b)) => {
            let [a, b] = [a.trim_start_matches('0'), b.trim_start_matches('0')];
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        }
        ((_, a), (_, b)) => a.to_lowercase().cmp(&b.to_lowercase()),
    };
    let (a_pieces, b_pieces) = (pieces(a), pieces(b));
    let (a_count, b_count) = (a_pieces.len(), b_pieces.len());
    let first = a_pieces.into_iter().zip(b_pieces).map(by_piece).find(|order| order.is_ne());
    first.unwrap_or_else(|| a_count.cmp(&b_count)).then_with(|| a.cmp(b))
}

/// Every name that some list has, in natural order, which are the classes of a set.
///
/// # Errors
/// [`ImportError`] where there are too few or too many to tell apart, or two that differ by case alone.
pub(super) fn of<'a>(
    source: &Path,
    lists: impl IntoIterator<Item = &'a Vec<String>>,
) -> Result<Vec<String>, ImportError> {
    let names: BTreeSet<&String> = lists.into_iter().flatten().collect();
    let mut by_case: BTreeMap<String, &String> = BTreeMap::new();
    for name in &names {
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            let problem = format!("has a class whose name is empty or has control characters: {name:?}");
            return Err(ImportError::new(source, problem, "give the class a name that can be printed"));
        }
        if let Some(other) = by_case.insert(name.to_lowercase(), name) {
            return Err(ImportError::new(
                source,
                format!("has the classes `{other}` and `{name}`, which differ by case alone"),
                "some systems take them for one: join them, or rename one",
            ));
        }
    }
    let mut names: Vec<String> = names.into_iter().cloned().collect();
    names.sort_by(|a, b| natural(a, b));
    match names.as_slice() {
        [] => Err(ImportError::new(source, "has no class", super::HELP)),
        [only] => Err(ImportError::new(
            source,
            format!("has one class only, `{only}`"),
            "there is nothing to tell apart: two classes are needed at least",
        )),
        names if names.len() > MOST => Err(ImportError::new(
            source,
            format!("has {} classes", names.len()),
            format!("at most {MOST} classes can be told apart: leave some out, or join some"),
        )),
        _ => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_natural_order() {
        let mut names = ["b", "10", "2", "1", "a10", "a9", "A1", "02"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["1", "02", "2", "10", "A1", "a9", "a10", "b"]);
    }

    #[test]
    fn classes_that_cannot_be_told_apart_are_refused() {
        let classes = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            of(Path::new("set"), [&names]).map_err(|error| error.to_string())
        };
        assert_eq!(classes(&["10", "9"]), Ok(vec!["9".to_owned(), "10".to_owned()]));
        for (names, problem) in [
            (&[][..], "no class"),
            (&["oak"], "one class only, `oak`"),
            (&["oak", "Oak", "ash"], "`Oak` and `oak`, which differ by case alone"),
            (&["oak", "a\tsh"], "control characters"),
        ] {
            assert!(classes(names).unwrap_err().contains(problem), "{names:?}: {:?}", classes(names));
        }
        let many: Vec<String> = (0..256).map(|i| format!("class {i}")).collect();
        assert!(of(Path::new("set"), [&many]).is_err());
    }
}
