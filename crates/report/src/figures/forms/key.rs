//! Keys: what signs and colours mean, in a row that breaks or in a column.

use super::super::canvas::{Canvas, Frame, Style, text_width};
use super::super::colour::{INK, Rgb, pale};
use super::super::names::fitted;
use super::mark::{check_mark, hollow, lettered, mark, upright};

/// Width of a sign with the gap after it.
const SIGN: f64 = 18.0;
/// Distance of two things in a row.
const GAP: f64 = 14.0;
/// Distance of two lines of one text.
const LINE: f64 = 9.5;
/// Width and height of a colour bar, and what its labels take below it.
const HEADING: f64 = 13.0;
const BAR: (f64, f64) = (86.0, 7.0);
const BAR_LABELS: f64 = 16.0;

/// A sign.
#[derive(Clone)]
pub(crate) enum Sign {
    /// Nothing: the meaning stands alone, where a sign would begin.
    None,
    Mark(usize, Rgb),
    Hollow(usize, Rgb),
    Lettered(usize, Rgb, &'static str),
    Line(Rgb, Option<&'static str>),
    /// A line with marks on it.
    Marked(usize, Rgb),
    /// A line in a pale band.
    Band(Rgb),
    /// An upright interval.
    Interval,
    /// A small square, as at the end of a curve.
    End(Rgb),
    /// The edge of a cell.
    Edge,
    /// A cell with a check mark: its colour, and the mark's.
    Check(Rgb, Rgb),
    /// Neighbouring colours of a scale.
    Shades([Rgb; 3]),
    /// A number that ends where the meaning begins.
    Count(String),
}

enum Item {
    Heading(String),
    Meaning(Sign, String),
    Bar(Box<dyn Fn(f64) -> Rgb>, Vec<(f64, String)>),
}

/// Signs with their meanings, headings, notes and colour bars.
pub(crate) struct Key {
    items: Vec<Item>,
    width: f64,
    column: bool,
    /// What the items of a column take; by themselves where there is none.
    pitch: Option<f64>,
}

impl Key {
    /// A key in lines no wider than this, with as much beside each other as fits.
    pub(crate) fn row(width: f64) -> Key {
        Key { items: Vec::new(), width, column: false, pitch: None }
    }

    /// A key no wider than this, with everything below each other; longer texts are broken.
    pub(crate) fn column(width: f64) -> Key {
        Key { column: true, ..Key::row(width) }
    }

    /// Its lines are this far apart, whose texts then shrink or are left out where they would meet.
    pub(crate) fn pitch(self, pitch: f64) -> Key {
        Key { pitch: Some(pitch), ..self }
    }

    pub(crate) fn heading(&mut self, text: impl Into<String>) {
        self.items.push(Item::Heading(text.into()));
    }

    pub(crate) fn add(&mut self, sign: Sign, meaning: impl Into<String>) {
        self.items.push(Item::Meaning(sign, meaning.into()));
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.add(Sign::None, text);
    }

    /// A colour bar with labels at positions from 0 to 1.
    pub(crate) fn bar<const N: usize>(
        &mut self,
        map: impl Fn(f64) -> Rgb + 'static,
        labels: [(f64, String); N],
    ) {
        self.items.push(Item::Bar(Box::new(map), labels.into()));
    }

    /// The size of meanings.
    fn letters(&self) -> u32 {
        self.pitch.map_or(7, super::matrix::label_size)
    }

    fn indent(sign: &Sign) -> f64 {
        if matches!(sign, Sign::None) { 0.0 } else { SIGN }
    }

    /// The lines of a meaning.
    fn lines(&self, sign: &Sign, meaning: &str) -> Vec<String> {
        let room = self.width - Key::indent(sign);
        if self.column && self.pitch.is_none() {
            wrapped(meaning, room)
        } else {
            vec![fitted(meaning, f64::from(self.letters()), room)]
        }
    }

    /// Width and height of an item.
    fn size(&self, item: &Item) -> (f64, f64) {
        match item {
            Item::Heading(text) => ((1.06 * text_width(text, 8.0)).min(self.width), HEADING),
            Item::Meaning(sign, meaning) => {
                let lines = self.lines(sign, meaning);
                let size = f64::from(self.letters());
                let width = lines.iter().map(|line| text_width(line, size)).fold(0.0, f64::max);
                let least = match sign {
                    Sign::Lettered(..) => 16.0,
                    Sign::Interval => 13.0,
                    _ => 0.0,
                };
                let height = self.pitch.unwrap_or((LINE * lines.len() as f64 + 2.0).max(least));
                (Key::indent(sign) + width, height)
            }
            Item::Bar(_, labels) => {
                let last = labels.last().map_or(0.0, |(_, label)| text_width(label, 7.0) / 2.0);
                (bar_left(labels) + BAR.0 + last, BAR.1 + BAR_LABELS)
            }
        }
    }

    /// The height of each line of a row, in which all have their middles at one height.
    fn line(&self) -> f64 {
        self.items.iter().map(|item| self.size(item).1).fold(0.0, f64::max)
    }

    /// Where each item begins, from the key's corner.
    fn places(&self) -> Vec<(f64, f64)> {
        let (mut x, mut y, line) = (0.0, 0.0, self.line());
        let place = |item| {
            let (width, height) = self.size(item);
            if self.column {
                // A heading after something else stands apart from it.
                y += if y > 0.0 && matches!(item, Item::Heading(_)) { 4.0 } else { 0.0 };
                let place = (0.0, y);
                y += height;
                return place;
            }
            if x > 0.0 && x + width > self.width {
                (x, y) = (0.0, y + line);
            }
            let place = (x, y);
            x += width + GAP;
            place
        };
        self.items.iter().map(place).collect()
    }

    /// Width and height of all that is in it.
    pub(crate) fn extent(&self) -> (f64, f64) {
        self.items.iter().zip(self.places()).fold(
            (0.0, 0.0),
            |(right, bottom): (f64, f64), (item, (x, y))| {
                let (width, height) = self.size(item);
                (right.max(x + width), bottom.max(y + height))
            },
        )
    }

    /// Draws the key with its upper left corner here; gives back where it ends.
    pub(crate) fn draw(&self, canvas: &mut Canvas, (left, top): (f64, f64)) -> f64 {
        let size = self.letters();
        let step = self.pitch.map_or(1, super::matrix::label_step);
        for (i, (item, (x, y))) in self.items.iter().zip(self.places()).enumerate() {
            let (x, y) = (left + x, top + y);
            match item {
                Item::Heading(text) => {
                    canvas.text((x, y + 6.0), &fitted(text, 8.5, self.width), Style::new(8).bold().start());
                }
                Item::Meaning(sign, meaning) => {
                    let lines = self.lines(sign, meaning);
                    let above = LINE * (lines.len() - 1) as f64;
                    let height = if self.column { self.size(item).1 } else { self.line() };
                    let middle = y + (height - above) / 2.0;
                    draw_sign(canvas, sign, (x, middle));
                    if i % step == 0 {
                        let at = x + Key::indent(sign);
                        for (row, line) in lines.iter().enumerate() {
                            canvas.text((at, middle + LINE * row as f64), line, Style::new(size).start());
                        }
                    }
                }
                Item::Bar(map, labels) => {
                    let frame = Frame { x: x + bar_left(labels), y: y + 2.0, width: BAR.0, height: BAR.1 };
                    canvas.colour_bar(frame, map, labels);
                }
            }
        }
        top + self.extent().1
    }
}

/// Room at the left of a bar for the half of its first label.
fn bar_left(labels: &[(f64, String)]) -> f64 {
    labels.first().map_or(0.0, |(_, label)| text_width(label, 7.0) / 2.0 + 0.5)
}

fn draw_sign(canvas: &mut Canvas, sign: &Sign, (x, y): (f64, f64)) {
    let middle = (x + 7.0, y);
    let line = [(x, y), (x + 14.0, y)];
    let cell = Frame { x: x + 1.0, y: y - 4.5, width: 12.0, height: 9.0 };
    match *sign {
        Sign::None => {}
        Sign::Mark(shape, colour) => mark(canvas, middle, shape, 3.2, colour),
        Sign::Hollow(shape, colour) => hollow(canvas, middle, shape, 3.2, colour),
        Sign::Lettered(shape, colour, letter) => lettered(canvas, middle, shape, colour, letter),
        Sign::Line(colour, dash) => canvas.line(&line, colour, 1.2, dash),
        Sign::Marked(shape, colour) => {
            canvas.line(&line, colour, 0.9, None);
            mark(canvas, middle, shape, 2.0, colour);
        }
        Sign::Band(colour) => {
            canvas.fill(Frame { x, y: y - 3.0, width: 14.0, height: 6.0 }, pale(pale(colour)));
            canvas.line(&line, colour, 1.0, None);
        }
        Sign::Interval => upright(canvas, middle.0, (y - 4.5, y + 4.5), INK),
        Sign::End(colour) => canvas.fill(square(middle, 1.6), colour),
        Sign::Edge => canvas.outline(cell, INK, 1.3),
        Sign::Check(shade, colour) => {
            canvas.fill(cell, shade);
            check_mark(canvas, middle, colour);
        }
        Sign::Shades(shades) => {
            for (i, shade) in shades.into_iter().enumerate() {
                canvas
                    .fill(Frame { x: x + 1.0 + 4.0 * i as f64, y: y - 3.0, width: 4.0, height: 6.0 }, shade);
            }
        }
        Sign::Count(ref number) => canvas.text((x + SIGN - 4.0, y), number, Style::new(7).end()),
    }
}

/// A square about a point.
pub(crate) fn square((x, y): (f64, f64), half: f64) -> Frame {
    Frame { x: x - half, y: y - half, width: 2.0 * half, height: 2.0 * half }
}

/// A text in lines no wider than this at 7 points, broken between words; a longer word is cut.
pub(crate) fn wrapped(text: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    // A number stays with its sign, as no-break spaces are none of these.
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), 7.0) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(fitted(word, 7.0, width)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_breaks_where_it_is_full_and_a_column_after_each() {
        let filled = |mut key: Key| {
            for name in ["first", "second", "third"] {
                key.add(Sign::Line(INK, None), name);
            }
            key.places()
        };
        let row = filled(Key::row(90.0));
        assert!(row[0].1 == row[1].1 && row[2].1 > row[1].1 && row[2].0 == 0.0, "{row:?}");
        let column = filled(Key::column(90.0));
        assert!(column.windows(2).all(|pair| pair[0].0 == pair[1].0 && pair[0].1 < pair[1].1), "{column:?}");
    }

    #[test]
    fn texts_are_broken_between_words_and_a_long_word_is_cut() {
        assert_eq!(wrapped("the best line", 30.0), ["the best", "line"]);
        assert!(wrapped("incomprehensibilities", 30.0)[0].ends_with('…'));
    }
}
