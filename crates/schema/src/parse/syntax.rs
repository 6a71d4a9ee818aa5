//! Text that is not TOML: the slips that people make, in their own words.
//!
//! What the parser says is for those who know TOML's grammar. Here the line where it stopped is looked at as a person would:
//! a list or text that is still open, a header, a key, a value. What is advised is read by the parser first, so that nothing
//! is advised that would be refused again.

mod line;
mod open;
mod value;

use std::ops::Range;

use super::shown::shown;
use super::{Source, SpecError};

/// What is wrong, and what to write instead.
struct Slip {
    message: String,
    help: String,
}

impl Slip {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Slip { message: message.into(), help: help.into() }
    }
}

/// The error for a text that the parser refuses.
pub(super) fn describe(source: Source, error: &toml::de::Error) -> SpecError {
    let text = source.text;
    let span = error.span().unwrap_or(0..0);
    let parser = error.message();
    let of = |span: Range<usize>, label, slip: Slip| source.error(span, slip.message, label, Some(slip.help));
    if parser.contains("duplicate key") || parser.contains("cannot extend") || parser.contains("redefine") {
        let written = shown(text.get(span.clone()).unwrap_or_default().trim()).into_owned();
        let slip = Slip::new(
            format!("`{written}` appears twice"),
            "keep one of the two; where a list of tables is meant, each has a header in double brackets, such as \
             [[mlp.networks]]",
        );
        return of(span, "the second time", slip);
    }
    if parser.contains("recursion") || parser.contains("recurse") {
        let slip = Slip::new(
            "tables or lists are nested too deeply to be read",
            "no study and no network needs more than a few levels",
        );
        return of(line::at(text, span.start), "in this line", slip);
    }
    if let Some(place) = lone_return(text) {
        let slip = match text.contains('\n') {
            true => Slip::new(
                "this line holds a carriage return that ends no line",
                "remove it, or save the file with the line ends of Unix (LF) or Windows (CRLF)",
            ),
            false => Slip::new(
                "the lines end with carriage returns alone, as they did on old Macintosh computers",
                "save the file with the line ends of Unix (LF) or Windows (CRLF)",
            ),
        };
        return of(place..place + 1, "here", slip);
    }
    let stopped = line::at(text, span.start);
    if let Some(slip) = line::conflict(text[stopped.clone()].trim()) {
        return of(stopped, "in this line", slip);
    }
    if let Some((opening, slip)) = open::slip(text, span.start, stopped.clone()) {
        return of(opening, "it begins here", slip);
    }
    of(stopped.clone(), "in this line", line::slip(&text[stopped]))
}

/// The first carriage return that no line feed follows.
fn lone_return(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|&place| bytes[place] == b'\r' && bytes.get(place + 1) != Some(&b'\n'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml::de::DeTable;

    use super::*;

    proptest! {
        /// Lines of what slips are made of, in any order.
        #[test]
        fn any_line_is_told_in_plain_words_with_advice_that_is_read(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("seed"), Just(" = "), Just("="), Just("1"), Just("0.5"), Just("."), Just(","), Just("-"), Just("e"),
                    Just("["), Just("]"), Just("{"), Just("}"), Just("\""), Just("'"), Just("#"), Just("%"), Just("/"), Just("_"),
                    Just(" "), Just("\n"), Just("\r"), Just("λ"), Just("\u{2212}"), Just("\u{201c}"), Just("\\"), Just(":"),
                    Just("\"\"\""), Just("true"), Just(";"), Just("+"), Just("0"), Just("("), Just(")"), Just("\u{1b}"),
                ],
                0..12,
            ),
        ) {
            let text = parts.concat();
            if let Err(error) = DeTable::parse(&text) {
                let told = describe(Source { file: "mine.toml", text: &text }, &error);
                prop_assert!(!told.message.contains("expected"), "{text:?}: {}", told.message);
                prop_assert!(!told.message.contains(['\r', '\u{1b}']), "{text:?}: {}", told.message);
                if let Some((_, advice)) = told.help.unwrap_or_default().split_once("write ") {
                    prop_assert!(DeTable::parse(advice).is_ok(), "{text:?}: {advice}");
                }
            }
        }
    }
}
