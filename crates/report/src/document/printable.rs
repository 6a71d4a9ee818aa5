//! Characters that can be printed, and what becomes of those that cannot: names come from people, class names and older
//! stores from anywhere.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;
use typst::text::Font;

use super::fonts;

/// Stands for a character that cannot be printed.
const REPLACEMENT: char = '\u{fffd}';

/// Fonts for a text, and those of its characters that none of them has.
#[derive(Debug, Clone)]
pub(crate) struct Printable {
    pub(crate) fonts: Vec<Font>,
    lacking: BTreeSet<char>,
}

impl Printable {
    /// The report's own fonts, and those of the system that the text needs besides.
    pub(crate) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Printable {
        let mut found = Printable::own(texts);
        if !found.lacking.is_empty() {
            found.fonts.extend(fonts::of_system(&found.lacking));
            let covered =
                |c: &char| found.fonts.iter().any(|font| font.info().coverage.contains((*c).into()));
            found.lacking = found.lacking.iter().filter(|c| !covered(c)).copied().collect();
        }
        found
    }

    /// The report's own fonts alone.
    pub(crate) fn own<'a>(texts: impl IntoIterator<Item = &'a str>) -> Printable {
        let fonts = fonts::load();
        // Every font has ASCII, and text of other characters is short beside it.
        let all: BTreeSet<char> =
            texts.into_iter().flat_map(str::chars).filter(|c| !c.is_ascii() && !is_invisible(*c)).collect();
        let covered = |c: &char| fonts.iter().any(|font| font.info().coverage.contains((*c).into()));
        let lacking = all.iter().filter(|c| !covered(c)).copied().collect();
        Printable { fonts, lacking }
    }

    /// The report's own fonts, and no characters but those of its font of text, without accents that stand alone.
    pub(crate) fn plain<'a>(texts: impl IntoIterator<Item = &'a str>) -> Printable {
        let fonts = fonts::load();
        let plain = |c: char| fonts[0].info().coverage.contains(c.into()) && !is_mark(c);
        let lacking =
            texts.into_iter().flat_map(str::chars).filter(|&c| !c.is_ascii() && !plain(c)).collect();
        Printable { fonts, lacking }
    }

    /// Whether fonts of the system are among the fonts.
    pub(crate) fn borrows(&self) -> bool {
        self.fonts.len() > fonts::load().len()
    }

    /// A text with a replacement for each character that cannot be printed.
    pub(crate) fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        replaced(text, |c| is_control(c) || self.lacking.contains(&c))
    }

    /// Cleans every text in a value.
    pub(crate) fn clean_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(cleaned) = self.clean(text) {
                    *text = cleaned;
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.clean_value(value)),
            Value::Object(members) => members.values_mut().for_each(|value| self.clean_value(value)),
            _ => {}
        }
    }
}

/// The characters of a text that the report cannot print, each once and in their order: control characters, and those that
/// neither the report's own fonts nor the system's have. `None` where all can be printed.
pub fn unprintable(text: &str) -> Option<Vec<char>> {
    let printable = Printable::new([text]);
    let bad = each(text, |c| c.is_control() || printable.lacking.contains(&c));
    // Letters of which each stands for itself are fine where a font has them; of others only Typst knows.
    if !bad.is_empty() || text.chars().all(|c| c < FIRST_MARK) || super::can_be_typeset(text, printable.fonts)
    {
        return (!bad.is_empty()).then_some(bad);
    }
    let marks = each(text, is_mark);
    Some(if marks.is_empty() { each(text, |c| c >= FIRST_MARK) } else { marks })
}

/// The characters of a text of which something holds, each once and in their order.
fn each(text: &str, of: impl Fn(char) -> bool) -> Vec<char> {
    let mut found = Vec::new();
    for c in text.chars().filter(|&c| of(c)) {
        if !found.contains(&c) {
            found.push(c);
        }
    }
    found
}

/// A text without control characters, which neither XML nor Typst nor a terminal takes well.
pub(crate) fn without_controls(text: &str) -> Cow<'_, str> {
    replaced(text, is_control)
}

fn replaced(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().any(&bad) {
        Cow::Owned(text.chars().map(|c| if bad(c) { REPLACEMENT } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters but for those that separate words and lines, and code points that no XML may hold.
fn is_control(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// The first accent that stands alone in Unicode; what comes before are letters and signs, each for itself.
const FIRST_MARK: char = '\u{300}';

/// Accents and other marks that combine with the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// Characters that are not drawn, whether a font has them or not: joiners, directions, selectors of variants, tags.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn letters_of_europe_and_signs_are_printed_and_control_characters_are_not() {
        for text in [
            "",
            "Ada Lovelace",
            "Łukasz Żółć",
            "Δήμητρα",
            "Ирина",
            "e\u{301}",
            "λ → ∞",
            "a\u{ad}b",
            "✓",
            "\u{200f}",
        ] {
            assert_eq!(unprintable(text), None, "{text}");
        }
        assert_eq!(unprintable("a\u{7}b\u{1b}[1m\u{7}"), Some(vec!['\u{7}', '\u{1b}']));
        assert_eq!(unprintable("one\nline"), Some(vec!['\n']));
    }

    #[test]
    fn what_no_font_has_is_replaced_wherever_it_stands() {
        // A code point for private use, which no font of letters has.
        let printable = Printable::own(["a\u{f1234}b"]);
        assert_eq!(printable.clean("a\u{f1234}b\u{0}c\n"), "a\u{fffd}b\u{fffd}c\n");
        assert!(matches!(printable.clean("<svg>é</svg>"), Cow::Borrowed(_)));
        let mut value = json!({ "names": ["\u{f1234}", { "deep": "\u{8}" }], "n": 3, "none": null });
        printable.clean_value(&mut value);
        assert_eq!(value, json!({ "names": ["\u{fffd}", { "deep": "\u{fffd}" }], "n": 3, "none": null }));
        assert_eq!(unprintable("a\u{f1234}"), Some(vec!['\u{f1234}']));
        // The replacement can be printed itself.
        assert!(Printable::own(["\u{fffd}"]).lacking.is_empty());
    }
}
