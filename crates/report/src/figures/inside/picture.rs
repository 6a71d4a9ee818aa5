//! Small pictures of images and of numbers.

use super::super::canvas::{Canvas, Frame};
use super::super::colour::{self, Rgb};
use super::super::forms;
use super::scale::Scale;
use crate::Pictures;

/// A picture, its colours row by row.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) pixels: Vec<Rgb>,
}

impl Picture {
    /// A picture of numbers from 0 to 1: in colour where it has three channels, else grey by their mean.
    pub(super) fn of(values: &[f32], [height, width, channels]: [usize; 3]) -> Picture {
        let pixels = colour::pixels(values.iter().copied().map(f64::from), channels);
        Picture { height, width, pixels }
    }

    /// One of several pictures of numbers from 0 to 1.
    pub(super) fn nth(pictures: &Pictures, number: usize) -> Picture {
        Picture::of(pictures.get(number), pictures.size)
    }

    /// A picture of other numbers, in the colours of their scale.
    pub(super) fn scaled(
        values: impl Iterator<Item = f64>,
        [height, width]: [usize; 2],
        scale: &Scale,
    ) -> Picture {
        Picture { height, width, pixels: values.map(|value| scale.colour(value)).collect() }
    }

    /// Its height as a multiple of its width.
    pub(super) fn aspect(&self) -> f64 {
        self.height as f64 / self.width as f64
    }

    /// Draws the picture this wide with a thin frame; the point is its upper left corner.
    pub(super) fn draw(&self, canvas: &mut Canvas, (x, y): (f64, f64), width: f64) {
        let frame = Frame { x, y, width, height: width * self.aspect() };
        forms::picture(canvas, frame, self.width, self.pixels.iter().copied());
    }
}

/// The mean over the channels of each pixel.
pub(super) fn means(values: &[f32], channels: usize) -> Vec<f64> {
    let mean = |values: &[f32]| values.iter().copied().map(f64::from).sum::<f64>() / channels as f64;
    values.chunks_exact(channels).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_three_channels_have_colours_and_others_are_grey() {
        assert_eq!(Picture::of(&[1.0, 0.0, 0.2], [1, 1, 3]).pixels, [[255, 0, 51]]);
        assert_eq!(Picture::of(&[0.0, 1.0], [1, 2, 1]).pixels, [[0; 3], [255; 3]]);
        assert_eq!(Picture::of(&[0.0, 1.0, 1.0, 1.0], [2, 1, 2]).pixels, [[128; 3], [255; 3]]);
        assert_eq!(means(&[0.5, -0.25, 0.0, 0.5], 2), [0.125, 0.25]);
    }
}
