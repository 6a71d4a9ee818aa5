//! Texts of figures: how they are set, how wide they are, and how they are made to fit.

use super::super::canvas::{Canvas, Style, text_width};
use super::super::names::all_fitted;

/// How a text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Face {
    /// What something is called.
    Bold,
    /// All else. No letters of a figure are smaller.
    Plain,
}

impl Face {
    /// The text's style, centred.
    pub(super) fn style(self) -> Style {
        match self {
            Face::Bold => Style::new(8).bold(),
            Face::Plain => Style::new(7),
        }
    }

    /// Points from one line to the next.
    pub(super) fn line(self) -> f64 {
        match self {
            Face::Bold => 9.0,
            Face::Plain => 8.5,
        }
    }

    /// The size in points of plain letters that are as wide.
    fn size(self) -> f64 {
        match self {
            Face::Bold => 1.06 * 8.0,
            Face::Plain => 7.0,
        }
    }

    /// About how wide the widest line of a text is, in points.
    pub(super) fn width(self, text: &str) -> f64 {
        text.lines().map(|line| self.line_width(line)).fold(0.0, f64::max)
    }

    fn line_width(self, line: &str) -> f64 {
        /// A text with letters that the report's font lacks is set in another font as a whole, maybe in a typewriter's,
        /// whose letters are all as wide as this.
        const TYPEWRITER: f64 = 0.61;
        let own = |c: char| matches!(c, ..'\u{590}' | '\u{1e00}'..'\u{2e80}');
        if line.chars().all(own) {
            return text_width(line, self.size());
        }
        let letter =
            |c: char| text_width(c.encode_utf8(&mut [0; 4]), self.size()).max(TYPEWRITER * self.size());
        line.chars().map(letter).sum()
    }

    /// A text in lines no wider than this, broken between words, and within those that are wider than a line.
    fn wrapped(self, text: &str, room: f64) -> String {
        let mut lines: Vec<String> = Vec::new();
        // Unlike other white space, a space that does not break stays where it is.
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let longer = lines.last().map(|line| format!("{line} {word}"));
            if let (Some(line), Some(longer)) = (lines.last_mut(), longer)
                && self.line_width(&longer) <= room
            {
                *line = longer;
                continue;
            }
            lines.push(String::new());
            for letter in word.chars() {
                let line = lines.last_mut().expect("a line was begun");
                line.push(letter);
                if self.line_width(line) > room && line.chars().nth(1).is_some() {
                    line.pop();
                    lines.push(letter.to_string());
                }
            }
        }
        lines.join("\n")
    }

    /// Texts of one figure in lines no wider than this, `most` at most. What is longer is shortened in such a way that texts
    /// that differ stay apart.
    pub(super) fn fitted(self, texts: &[String], room: f64, most: usize) -> Vec<String> {
        let wrapped =
            |texts: &[String]| -> Vec<String> { texts.iter().map(|text| self.wrapped(text, room)).collect() };
        // By how much the estimate of plain letters falls short.
        let plain = |text: &String| self.line_width(text) / text_width(text, self.size());
        let short = texts.iter().map(plain).fold(1.0, f64::max);
        let mut fitted = wrapped(texts);
        let mut width = room * most as f64 / short;
        while fitted.iter().any(|text| text.lines().count() > most) && width > 1.0 {
            fitted = wrapped(&all_fitted(texts, self.size(), width));
            width *= 0.95;
        }
        fitted
    }

    /// A text alone in lines no wider than this, `most` at most.
    pub(super) fn one(self, text: &str, room: f64, most: usize) -> String {
        self.fitted(&[text.to_owned()], room, most).remove(0)
    }

    /// Fits texts where they stand.
    pub(super) fn fit<'a>(self, texts: impl Iterator<Item = &'a mut String>, room: f64, most: usize) {
        let texts: Vec<&mut String> = texts.collect();
        let whole: Vec<String> = texts.iter().map(|text| (**text).clone()).collect();
        for (text, fitted) in texts.into_iter().zip(self.fitted(&whole, room, most)) {
            *text = fitted;
        }
    }

    /// How high a text is, in points.
    pub(super) fn height(self, text: &str) -> f64 {
        self.line() * text.lines().count() as f64
    }

    /// Writes the lines of a text below each other, the first one's capitals centred on the point.
    pub(super) fn write(self, canvas: &mut Canvas, (x, y): (f64, f64), text: &str, style: Style) {
        for (row, line) in text.lines().enumerate() {
            canvas.text((x, y + self.line() * row as f64), line, style);
        }
    }
}

/// A text with its first letter as a capital.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(texts: &[&str], room: f64, most: usize) -> Vec<String> {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        let fitted = Face::Plain.fitted(&texts, room, most);
        for text in &fitted {
            assert!(Face::Plain.width(text) <= room && text.lines().count() <= most, "{text:?}");
        }
        fitted
    }

    #[test]
    fn texts_break_between_words_and_long_words_anywhere() {
        assert_eq!(fitted(&["total variation alone", "grey"], 50.0, 3), ["total variation\nalone", "grey"]);
        assert_eq!(fitted(&["一二三四五六七"], 22.0, 3), ["一二三\n四五六\n七"]);
        assert_eq!(fitted(&["a file.name.png"], 20.0, 4), ["a\nfile.na\nme.pn\ng"]);
        assert_eq!(fitted(&["> 99.9\u{a0}%", ""], 25.0, 2), [">\n99.9\u{a0}%", ""]);
    }

    #[test]
    fn texts_that_are_shortened_stay_apart() {
        let names: Vec<String> = (0..30).map(|i| format!("a garment with a long name, number {i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for (room, most) in [(36.0, 1), (36.0, 2), (60.0, 3)] {
            let mut set = fitted(&names, room, most);
            set.sort_unstable();
            set.dedup();
            assert_eq!(set.len(), 30, "{set:?}");
        }
    }

    #[test]
    fn texts_of_other_scripts_have_room_for_a_typewriter() {
        assert!(Face::Plain.width("قميص iii") >= 8.0 * 0.6 * 7.0);
        assert!(Face::Plain.width("Größe – iii") < 11.0 * 0.5 * 7.0);
    }
}
