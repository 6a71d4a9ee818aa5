//! Networks of one head, layer after layer.

use inkling_schema::{Head, LayerSpec, ModelSpec};

use crate::layers;

/// Layers one after the other, the last of which gives a score for each class.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequential {
    input: [usize; 3],
    layers: Vec<LayerSpec>,
}

impl Sequential {
    /// No layer yet, for images of this height, width and number of channels; vectors are images of one row and one channel.
    pub fn new(input: [usize; 3]) -> Sequential {
        Sequential { input, layers: Vec::new() }
    }

    /// Any layer.
    #[must_use]
    pub fn layer(mut self, layer: LayerSpec) -> Sequential {
        self.layers.push(layer);
        self
    }

    /// As [`layers::dense`].
    #[must_use]
    pub fn dense(self, units: usize) -> Sequential {
        self.layer(layers::dense(units))
    }

    /// As [`layers::conv2d`].
    #[must_use]
    pub fn conv2d(self, filters: usize, kernel_size: usize) -> Sequential {
        self.layer(layers::conv2d(filters, kernel_size))
    }

    /// As [`layers::max_pool`].
    #[must_use]
    pub fn max_pool(self, size: usize) -> Sequential {
        self.layer(layers::max_pool(size))
    }

    /// As [`layers::relu`].
    #[must_use]
    pub fn relu(self) -> Sequential {
        self.layer(layers::relu())
    }

    /// As [`layers::flatten`].
    #[must_use]
    pub fn flatten(self) -> Sequential {
        self.layer(layers::flatten())
    }

    /// As [`layers::dropout`].
    #[must_use]
    pub fn dropout(self, rate: f64) -> Sequential {
        self.layer(layers::dropout(rate))
    }

    /// The network: all layers but the last are its trunk, the last is its head, `class`.
    pub fn build(self) -> ModelSpec {
        let Sequential { input, mut layers } = self;
        let last = layers.pop().into_iter().collect();
        ModelSpec { input, trunk: layers, heads: vec![Head::new("class", last)] }
    }
}
