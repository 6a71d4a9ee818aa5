//! The channels of a layer's output as pictures, for every image on one scale.

use super::super::colour::Rgb;
use super::picture::Picture;
use super::scale::Scale;
use crate::Pictures;

/// A channel that an image leaves silent.
const SILENT: Rgb = [0xdc; 3];

/// Share of the outputs other than zero that the colour scale covers.
const COVERED: f64 = 0.995;

/// A layer's output.
pub(super) struct Channels<'a> {
    outputs: &'a Pictures,
    pub(super) scale: Scale,
}

impl Channels<'_> {
    pub(super) fn of(outputs: &Pictures) -> Channels<'_> {
        Channels { outputs, scale: Scale::covering(&outputs.values, COVERED) }
    }

    pub(super) fn count(&self) -> usize {
        self.outputs.size[2]
    }

    /// Rows and columns of a channel; one of each in a vector.
    pub(super) fn size(&self) -> [usize; 2] {
        [self.outputs.size[0], self.outputs.size[1]]
    }

    fn values(&self, image: usize, channel: usize) -> impl Iterator<Item = f64> {
        let values = self.outputs.get(image).iter().skip(channel).step_by(self.count());
        values.map(|&value| f64::from(value))
    }

    /// The output of a channel for an image; all of one grey where it is silent.
    pub(super) fn picture(&self, image: usize, channel: usize) -> Picture {
        let mut picture = Picture::scaled(self.values(image, channel), self.size(), &self.scale);
        if self.is_silent(image, channel) {
            picture.pixels.fill(SILENT);
        }
        picture
    }

    /// Whether the channel is zero everywhere in an image.
    pub(super) fn is_silent(&self, image: usize, channel: usize) -> bool {
        self.values(image, channel).all(|value| value == 0.0)
    }
}
