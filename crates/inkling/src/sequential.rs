//! Networks of one head, layer after layer.

use inkling_schema::{Head, LayerSpec, Loss, ModelSpec};

use crate::layers;

/// Layers one after the other, the last of which gives a score for each class, or another number for each output.
///
/// ```
/// use inkling::{Sequential, layers};
///
/// let block = vec![layers::conv2d(16, 3), layers::relu(), layers::conv2d(16, 3)];
/// let network = Sequential::new([28, 28, 1]).conv2d(16, 3).relu();
/// let network = network.layer(layers::residual(block)).relu().layer(layers::global_avg_pool()).dense(10).build();
/// assert_eq!(network.plan()?.parameters, 4970);
/// # Ok::<(), inkling::schema::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sequential {
    input: [usize; 3],
    layers: Vec<LayerSpec>,
    loss: Loss,
}

impl Sequential {
    /// No layer yet, for images of this height, width and number of channels; vectors are images of one row and one channel.
    pub fn new(input: [usize; 3]) -> Sequential {
        Sequential { input, layers: Vec::new(), loss: Loss::default() }
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

    /// Another loss than the cross-entropy of classes.
    #[must_use]
    pub fn loss(mut self, loss: Loss) -> Sequential {
        self.loss = loss;
        self
    }

    /// The network: all layers but the last are its trunk, the last is its head, `class`.
    pub fn build(self) -> ModelSpec {
        let Sequential { input, mut layers, loss } = self;
        let last = layers.pop().into_iter().collect();
        ModelSpec { input, trunk: layers, heads: vec![Head { loss, ..Head::new("class", last) }] }
    }
}
