//! The text that an error shows its mark in, without lines that would fill a screen.

use std::ops::Range;

/// Bytes of a line that are shown.
const LINE: usize = 400;
/// Bytes of a line that are shown before a mark.
const BEFORE: usize = 60;

/// The text with its over-long lines cut, the one with the mark around it, and where the mark is then. Lines keep their
/// numbers.
pub(super) fn of(text: &str, mark: Range<usize>) -> (String, Range<usize>) {
    let mut shown = String::with_capacity(text.len().min(1 << 16));
    let (mut marked, mut start) = (0..0, 0);
    for line in text.split_inclusive('\n') {
        let (from, to) = match line.len() > LINE {
            false => (0, line.len()),
            true => {
                let place = mark.start.saturating_sub(start).min(line.len());
                let is_before = mark.start < start;
                let from = if is_before || place <= LINE - BEFORE { 0 } else { place - BEFORE };
                (boundary(line, from), boundary(line, (from + LINE).min(line.len())))
            }
        };
        let cut = |place: usize| place.saturating_sub(start).clamp(from, to) - from;
        let before = if from > 0 { "…" } else { "" };
        let base = shown.len() + before.len();
        if (start..=start + line.len()).contains(&mark.start) {
            marked.start = base + cut(mark.start);
        }
        if mark.end >= start {
            marked.end = base + cut(mark.end);
        }
        shown.push_str(before);
        shown.push_str(&line[from..to]);
        if to < line.len() {
            shown.push_str(if line.ends_with('\n') { "…\n" } else { "…" });
        }
        start += line.len();
    }
    marked.end = marked.end.max(marked.start);
    (shown, marked)
}

/// The end of a character at or before a place.
fn boundary(text: &str, place: usize) -> usize {
    (0..=place).rev().find(|&place| text.is_char_boundary(place)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_are_cut_and_the_mark_stays_where_it_was(
            lines in proptest::collection::vec(("[aλ ]{0,9}", 0usize..120), 0..6),
            place in 0usize..4000, length in 0usize..40,
        ) {
            let text: String = lines.iter().map(|(part, times)| part.repeat(*times) + "\n").collect();
            let start = boundary(&text, place.min(text.len()));
            let end = boundary(&text, (start + length).min(text.len())).max(start);
            let (shown, mark) = of(&text, start..end);
            prop_assert_eq!(shown.lines().count(), text.lines().count());
            prop_assert!(shown.lines().all(|line| line.len() < LINE + 10));
            let written = text[start..end].lines().next().unwrap_or_default();
            prop_assert!(shown[mark].starts_with(written));
            let line = |text: &str, place: usize| text[..place].matches('\n').count();
            if lines.iter().all(|(part, times)| part.len() * times < LINE) {
                prop_assert_eq!(shown, text);
            } else if start < text.len() {
                prop_assert_eq!(line(&shown, of(&text, start..end).1.start), line(&text, start));
            }
        }
    }
}
