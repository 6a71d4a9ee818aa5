//! Keys: what signs mean, in as many lines as they need.

use super::super::canvas::{Canvas, Frame, Style, text_width};
use super::super::colour::{Rgb, pale};
use super::super::networks::{fitted, mark};
use super::hollow;

/// Distance of two lines.
const LINE: f64 = 11.0;
const SIGN: f64 = 18.0;
const GAP: f64 = 14.0;

/// A sign.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    Mark(usize, Rgb),
    Hollow(usize, Rgb),
    Line(Rgb, Option<&'static str>),
    /// A line in a pale band.
    Band(Rgb),
}

/// Signs with their meanings.
pub(super) struct Key {
    items: Vec<(Sign, String)>,
    width: f64,
}

impl Key {
    /// A key that is no wider than this.
    pub(super) fn new(width: f64) -> Key {
        Key { items: Vec::new(), width }
    }

    pub(super) fn add(&mut self, sign: Sign, meaning: impl Into<String>) {
        self.items.push((sign, meaning.into()));
    }

    /// Where each sign begins, from the key's corner.
    fn places(&self) -> Vec<(f64, f64)> {
        let (mut x, mut y) = (0.0, 0.0);
        self.items
            .iter()
            .map(|(_, meaning)| {
                let width = SIGN + self.text(meaning).1;
                if x > 0.0 && x + width > self.width {
                    (x, y) = (0.0, y + LINE);
                }
                let place = (x, y);
                x += width + GAP;
                place
            })
            .collect()
    }

    fn text(&self, meaning: &str) -> (String, f64) {
        let text = fitted(meaning, 7.0, self.width - SIGN);
        let width = text_width(&text, 7.0);
        (text, width)
    }

    pub(super) fn height(&self) -> f64 {
        self.places().last().map_or(0.0, |(_, y)| y + LINE)
    }

    /// Draws the key with its upper left corner here.
    pub(super) fn draw(&self, canvas: &mut Canvas, (left, top): (f64, f64)) {
        for ((sign, meaning), (x, y)) in self.items.iter().zip(self.places()) {
            let (x, y) = (left + x, top + y + LINE / 2.0);
            let middle = (x + 7.0, y);
            match *sign {
                Sign::Mark(shape, colour) => mark(canvas, middle, shape, 3.2, colour),
                Sign::Hollow(shape, colour) => hollow(canvas, middle, shape, 3.2, colour),
                Sign::Line(colour, dash) => canvas.line(&[(x, y), (x + 14.0, y)], colour, 1.2, dash),
                Sign::Band(colour) => {
                    canvas.fill(Frame { x, y: y - 3.0, width: 14.0, height: 6.0 }, pale(pale(colour)));
                    canvas.line(&[(x, y), (x + 14.0, y)], colour, 1.0, None);
                }
            }
            canvas.text((x + SIGN, y), &self.text(meaning).0, Style::new(7).start());
        }
    }
}
