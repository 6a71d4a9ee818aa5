//! How messages repeat a text from a file: in one line, and no longer than a person reads.

use std::borrow::Cow;

use crate::shell::printable;

/// Characters that are repeated: as many as a name may have.
const SHOWN: usize = 60;

/// A text from a file as a message repeats it: its first 60 characters, and "…" in the place of the rest; line breaks and
/// other characters that cannot be seen are written out.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    let short = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    };
    match short.chars().any(|c| c == '\n') || matches!(printable(&short), Cow::Owned(_)) {
        true => Cow::Owned(printable(&short).replace('\n', r"\n")),
        false => short,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_shown_in_one_short_line(text in ".{0,200}", times in 1usize..400) {
            let shown = shown(&text.repeat(times)).into_owned();
            // A character that is written out takes ten at most.
            prop_assert!(shown.chars().count() <= 10 * SHOWN + 1 && !shown.contains(['\n', '\r', '\u{1b}']), "{}", shown);
        }
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        for text in ["", "2 conv", "λ = 0.5", &"墨".repeat(SHOWN)] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown(&"墨".repeat(SHOWN + 1)), format!("{}…", "墨".repeat(SHOWN)));
        assert_eq!(shown("a\nb\u{1b}"), r"a\nb\u{1b}");
    }
}
