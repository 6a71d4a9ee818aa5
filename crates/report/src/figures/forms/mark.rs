//! Marks: filled, hollow and with a letter in them, with or without an interval.

use super::super::canvas::{Canvas, Style};
use super::super::colour::{Rgb, WHITE};
use super::super::raster::marker;

/// A filled mark of one of the ten shapes, as large as a disc of this radius.
pub(crate) fn mark(canvas: &mut Canvas, (x, y): (f64, f64), shape: usize, radius: f64, colour: Rgb) {
    let corners: Vec<(f64, f64)> =
        marker(shape).iter().map(|(u, v)| (x + u * radius, y + v * radius)).collect();
    canvas.polygon(&corners, colour);
}

/// A mark with an edge and nothing in it: of what was not trained.
pub(crate) fn hollow(canvas: &mut Canvas, at: (f64, f64), shape: usize, radius: f64, colour: Rgb) {
    mark(canvas, at, shape, radius, colour);
    mark(canvas, at, shape, radius - 1.1, WHITE);
}

/// A mark with a letter or a number in it.
pub(crate) fn lettered(canvas: &mut Canvas, at: (f64, f64), shape: usize, colour: Rgb, letter: &str) {
    mark(canvas, at, shape, 6.2, colour);
    canvas.text(at, letter, Style::new(8).bold().colour(WHITE));
}

/// The radius of marks this far apart on a curve; none where their white edges would hide the line between them.
pub(crate) fn mark_radius(distance: f64) -> Option<f64> {
    (distance >= 2.4).then(|| (0.25 * distance).clamp(0.8, 2.0))
}

/// An upright interval with its ends.
pub(crate) fn upright(canvas: &mut Canvas, x: f64, (low, high): (f64, f64), colour: Rgb) {
    canvas.line(&[(x, low), (x, high)], colour, 0.9, None);
    for end in [low, high] {
        canvas.line(&[(x - 2.5, end), (x + 2.5, end)], colour, 0.9, None);
    }
}

/// A level interval with its ends.
pub(crate) fn level(canvas: &mut Canvas, y: f64, (low, high): (f64, f64), colour: Rgb) {
    canvas.line(&[(low, y), (high, y)], colour, 0.9, None);
    for end in [low, high] {
        canvas.line(&[(end, y - 2.5), (end, y + 2.5)], colour, 0.9, None);
    }
}

/// A check mark; Arial has none.
pub(crate) fn check_mark(canvas: &mut Canvas, (x, y): (f64, f64), colour: Rgb) {
    canvas.line(&[(x - 3.2, y + 0.2), (x - 0.9, y + 2.6), (x + 3.2, y - 2.6)], colour, 1.3, None);
}
