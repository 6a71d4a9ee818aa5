//! A trained network as plain values, between the engine and the formats of other programs.

use std::collections::HashMap;

use inkling_schema::{MODEL_CARD, MODEL_CLASSES, MODEL_FORMAT, ModelCard, ModelSpec};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

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
    /// Names of the classes of each head, in their order, where they are known and there is no card to name them.
    pub classes: Vec<Vec<String>>,
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

impl Portable {
    /// The network as a file of this program: the tensors, with the layers and the card in the metadata.
    pub fn to_safetensors(&self) -> Vec<u8> {
        let bytes: Vec<Vec<u8>> = self
            .tensors
            .iter()
            .map(|tensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
            .collect();
        let views = self.tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
            (tensor.name.as_str(), view.expect("a tensor has the values of its shape"))
        });
        let model = serde_json::to_string(&self.model).expect("plain data");
        let mut metadata =
            HashMap::from([("format".to_owned(), MODEL_FORMAT.to_owned()), ("model".to_owned(), model)]);
        if let Some(card) = &self.card {
            metadata.insert(MODEL_CARD.to_owned(), serde_json::to_string(card).expect("plain data"));
        }
        if self.card.is_none() && !self.classes.is_empty() {
            metadata
                .insert(MODEL_CLASSES.to_owned(), serde_json::to_string(&self.classes).expect("plain data"));
        }
        safetensors::serialize(views, Some(metadata)).expect("named tensors can be written")
    }
}
