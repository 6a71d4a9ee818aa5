//! What the figures of Task 5 share: pictures as colours, scales, and how numbers are written.

use super::super::canvas::{Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::super::colour::{self, INK, Rgb};
use super::super::raster::Raster;

/// Height of the line that says what a figure shows and has its colour scale.
pub(super) const HEADER: f64 = 15.0;

/// A picture of numbers from 0 to 1: in colour where it has three channels, else grey by their mean.
pub(super) fn colours(picture: &[f32], channels: usize) -> Vec<Rgb> {
    let pixel = |values: &[f32]| match *values {
        [red, green, blue] => [red, green, blue].map(|value| colour::grey(f64::from(value))[0]),
        _ => colour::grey(mean(values)),
    };
    picture.chunks_exact(channels).map(pixel).collect()
}

/// A picture of signed numbers, each pixel the mean over its channels.
pub(super) fn means(picture: &[f32], channels: usize) -> Vec<f64> {
    picture.chunks_exact(channels).map(mean).collect()
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
}

/// The colours of signed numbers, white at zero and strongest at ± the scale.
pub(super) fn diverging(values: &[f64], scale: f64) -> Vec<Rgb> {
    values.iter().map(|value| colour::diverging(value / scale)).collect()
}

/// The largest absolute value, or 1 where all are zero.
pub(super) fn largest<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    let largest = values.fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if largest > 0.0 { largest } else { 1.0 }
}

/// A picture of this width in pixels, with a thin frame.
pub(super) fn draw(canvas: &mut Canvas, frame: Frame, width: usize, pixels: Vec<Rgb>) {
    canvas.image(frame, &Raster::blocks(width, pixels.into_iter(), frame.width));
    canvas.outline(frame, INK, 0.4);
}

/// A colour scale that lies in a line of text.
pub(super) struct Scale {
    pub(super) low: String,
    pub(super) high: String,
    pub(super) map: fn(f64) -> Rgb,
}

impl Scale {
    /// From blue at −s over white at zero to red at s.
    pub(super) fn symmetric(s: f64) -> Scale {
        Scale { low: format!("−{}", number(s)), high: number(s), map: |t| colour::diverging(2.0 * t - 1.0) }
    }

    /// The scale of numbers of which some lie beyond it.
    pub(super) fn open(self) -> Scale {
        Scale { low: format!("≤ {}", self.low), high: format!("≥ {}", self.high), ..self }
    }

    /// Draws the scale with its labels, ending at `right`; gives back where it begins.
    pub(super) fn draw(&self, canvas: &mut Canvas, right: f64, y: f64) -> f64 {
        const WIDTH: f64 = 72.0;
        let after = text_width(&self.high, 7.0) + 3.0;
        let bar = Frame { x: right - after - WIDTH, y: y - 3.0, width: WIDTH, height: 6.0 };
        canvas.colour_bar(bar, self.map, &[]);
        canvas.text((right, y), &self.high, Style::new(7).end());
        canvas.text((bar.x - 3.0, y), &self.low, Style::new(7).end());
        bar.x - 3.0 - text_width(&self.low, 7.0)
    }
}

/// The line at the top of a figure: what it shows, and its colour scale at the right.
pub(super) fn header(canvas: &mut Canvas, y: f64, title: &str, note: &str, scale: Option<&Scale>) {
    let right = scale.map_or(TEXT_WIDTH, |scale| scale.draw(canvas, TEXT_WIDTH - 0.5, y) - 8.0);
    let title = super::super::networks::fitted(title, 8.5, right);
    canvas.text((0.0, y), &title, Style::new(8).bold().start());
    let x = 1.06 * text_width(&title, 8.0) + 7.0;
    if !note.is_empty() && right > x + 30.0 {
        let note = super::super::networks::fitted(note, 7.0, right - x);
        canvas.text((x, y), &note, Style::new(7).start());
    }
}

/// A number with about three figures that count.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    let decimals = if size >= 99.5 {
        0
    } else if size >= 9.95 {
        1
    } else if size >= 0.0995 || size == 0.0 {
        2
    } else if size >= 0.00095 {
        4
    } else {
        return format!("{value:.0e}").replace('-', "−");
    };
    let text = format!("{value:.decimals$}");
    let zero = text.bytes().all(|letter| matches!(letter, b'-' | b'0' | b'.'));
    if zero { text.trim_start_matches('-').into() } else { text.replace('-', "−") }
}

/// A probability in per cent; what is neither certain nor impossible never reads so.
pub(super) fn probability(p: f64) -> String {
    match p {
        p if p >= 0.9995 => ">\u{a0}99.9\u{a0}%".into(),
        p if p < 0.0005 => "<\u{a0}0.1\u{a0}%".into(),
        p => super::super::percent(p, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_three_channels_have_colours_and_others_are_grey() {
        assert_eq!(colours(&[1.0, 0.0, 0.2], 3), [[255, 0, 51]]);
        assert_eq!(colours(&[0.0, 1.0], 1), [[0; 3], [255; 3]]);
        assert_eq!(colours(&[0.0, 1.0, 1.0, 1.0], 2), [[128; 3], [255; 3]]);
        assert_eq!(means(&[0.5, -0.25, 0.0, 0.5], 2), [0.125, 0.25]);
    }

    #[test]
    fn numbers_keep_three_figures_and_probabilities_never_round_to_certainty() {
        let numbers = [123.4, 12.34, -1.234, 0.1234, 0.01234, 0.00001234, -0.0].map(number);
        assert_eq!(numbers, ["123", "12.3", "−1.23", "0.12", "0.0123", "1e−5", "0.00"]);
        let probabilities = [1.0, 0.9994, 0.5, 0.0].map(probability);
        assert_eq!(probabilities, [">\u{a0}99.9\u{a0}%", "99.9\u{a0}%", "50.0\u{a0}%", "<\u{a0}0.1\u{a0}%"]);
    }
}
