//! Labels of points, each where nothing else is.

use super::super::canvas::{Canvas, Frame, Style, text_width};
use super::super::colour::GREY;

/// A box: left, top, right, bottom.
type Taken = [f64; 4];

/// Texts of a panel beside points, and what they must not cover.
pub(crate) struct Labels {
    frame: Frame,
    taken: Vec<Taken>,
    placed: Vec<((f64, f64), String)>,
}

impl Labels {
    pub(crate) fn new(frame: Frame) -> Labels {
        Labels { frame, taken: Vec::new(), placed: Vec::new() }
    }

    /// Nothing is written so close to this point.
    pub(crate) fn keep_clear(&mut self, (x, y): (f64, f64), by: f64) {
        self.taken.push([x - by, y - by, x + by, y + by]);
    }

    fn free(&self, words: Taken) -> bool {
        let meet = |other: &Taken| {
            words[0] < other[2] && other[0] < words[2] && words[1] < other[3] && other[1] < words[3]
        };
        !self.taken.iter().any(meet)
    }

    /// A text with its middle here, where that is free.
    pub(crate) fn here(&mut self, (x, y): (f64, f64), text: &str) {
        let words = around((x, y), text_width(text, 7.0));
        if self.free(words) {
            self.taken.push(words);
            self.placed.push(((x, y), text.to_owned()));
        }
    }

    /// A text beside a point; further away, with a line, where it is crowded; nowhere, where there is no room.
    pub(crate) fn beside(&mut self, canvas: &mut Canvas, at: (f64, f64), text: &str) {
        const DEGREES: [f64; 8] = [30.0, 330.0, 150.0, 210.0, 60.0, 300.0, 120.0, 240.0];
        let (width, inner) = (text_width(text, 7.0), self.frame.inset(2.0));
        let spots =
            [12.0, 20.0, 30.0, 42.0, 56.0].into_iter().flat_map(|away| DEGREES.map(|turn| (away, turn)));
        let mut places = spots.map(|(away, degrees): (f64, f64)| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            (away, (at.0 + away * cos + 0.5 * width * cos.signum(), at.1 - away * sin))
        });
        let found = places.find(|&(_, place)| {
            let words = around(place, width);
            let inside = words[0] > inner.x
                && words[2] < inner.right()
                && words[1] > inner.y
                && words[3] < inner.bottom();
            inside && self.free(words)
        });
        let Some((away, place)) = found else { return };
        if away > 15.0 {
            canvas.line(&[at, place], GREY, 0.5, None);
        }
        self.taken.push(around(place, width));
        self.placed.push((place, text.to_owned()));
    }

    /// Writes all, after every line, so that none runs through the words of another.
    pub(crate) fn write(self, canvas: &mut Canvas) {
        for (at, text) in &self.placed {
            canvas.text_with_halo(*at, text, Style::new(7));
        }
    }
}

/// The box of a text of this width about its middle.
fn around((x, y): (f64, f64), width: f64) -> Taken {
    [x - width / 2.0 - 1.0, y - 4.5, x + width / 2.0 + 1.0, y + 4.5]
}
