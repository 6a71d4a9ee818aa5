//! A trained network as plain values, between the engine and the formats of other programs.

use inkling_schema::{ModelCard, ModelSpec};

/// A trained network: its layers, its weights, and what its file says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Portable {
    /// Layers and heads.
    pub model: ModelSpec,
    /// Parameters and running statistics in the order of the layers, under the names and in the layouts of the engine: a
    /// dense weight is [inputs, units], a convolution's [kernel height, kernel width, channels, filters].
    pub tensors: Vec<Tensor>,
    /// Data, preparation and classes, where the file tells of them.
    pub card: Option<ModelCard>,
}

/// A named array.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Layer and parameter, such as `trunk.2.weight`.
    pub name: String,
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// Values, the last axis the fastest.
    pub values: Vec<f32>,
}
