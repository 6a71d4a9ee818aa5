//! What one sample is between two layers, and a layer in its place.

use std::fmt;

use serde::Serialize;

use crate::model::LayerSpec;

/// What one sample looks like between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// An image, channels last.
    Image {
        /// Pixels from top to bottom.
        height: usize,
        /// Pixels from left to right.
        width: usize,
        /// Values of a pixel.
        channels: usize,
    },
    /// A vector of so many values.
    Vector(usize),
}

impl Shape {
    /// Number of values.
    pub fn len(self) -> usize {
        match self {
            Shape::Image { height, width, channels } => product(&[height, width, channels]),
            Shape::Vector(units) => units,
        }
    }

    /// Whether it holds no value.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Values that normalisation scales each by itself: channels of an image, units of a vector.
    pub fn features(self) -> usize {
        match self {
            Shape::Image { channels, .. } => channels,
            Shape::Vector(units) => units,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Image { height, width, channels } => write!(f, "{height}×{width}×{channels}"),
            Shape::Vector(units) => write!(f, "{units}"),
        }
    }
}

/// A product that stops at the largest number rather than overflow.
pub(crate) fn product(factors: &[usize]) -> usize {
    factors.iter().fold(1, |product, &factor| product.saturating_mul(factor))
}

/// A layer in its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedLayer {
    /// The trunk or a head, and the layer's number in it from 1: "trunk 3", "item 1"; within a block "trunk 3.1".
    pub place: String,
    /// What the layer does.
    pub layer: LayerSpec,
    /// What goes in, for one sample.
    pub input: Shape,
    /// What comes out, for one sample.
    pub output: Shape,
    /// Trainable parameters.
    pub parameters: usize,
    /// Multiplications with additions in the forward pass of one sample.
    pub multiply_adds: usize,
    /// Share of the input that none of the layer's outputs depends on.
    pub unread: f64,
    /// Of a residual block, its layers and then the projection of its shortcut, if it has one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inner: Vec<PlannedLayer>,
}

impl PlannedLayer {
    /// This layer, and then the layers within it.
    pub fn with_inner(&self) -> Vec<&PlannedLayer> {
        std::iter::once(self).chain(self.inner.iter().flat_map(PlannedLayer::with_inner)).collect()
    }
}
