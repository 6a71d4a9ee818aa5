//! Layers as they are read, and what lies between two of them.

use inkling_schema::{Initializer, LayerSpec};

use super::super::Layout;
use crate::Tensor;

/// A layer with its weights.
#[derive(Debug)]
pub(super) struct Layer {
    /// Without the layers of a block, which are in `inner`.
    spec: LayerSpec,
    pub(super) parameters: Vec<Parameter>,
    inner: Vec<Layer>,
    pub(super) projection: Option<Box<Layer>>,
}

/// An array of a layer.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// How weights start, which no graph says.
pub(super) const INITIALIZER: Initializer = Initializer::HeUniform;

impl Layer {
    pub(super) fn new(spec: LayerSpec, parameters: Vec<Parameter>) -> Layer {
        Layer { spec, parameters, inner: Vec::new(), projection: None }
    }

    /// A residual block.
    pub(super) fn block(inner: Vec<Layer>, projection: Option<Layer>) -> Layer {
        let spec =
            LayerSpec::Residual { layers: Vec::new(), projection: projection.as_ref().map(|_| INITIALIZER) };
        Layer { spec, parameters: Vec::new(), inner, projection: projection.map(Box::new) }
    }

    /// What the layer does.
    pub(super) fn spec(&self) -> LayerSpec {
        match &self.spec {
            LayerSpec::Residual { projection, .. } => LayerSpec::Residual {
                layers: self.inner.iter().map(Layer::spec).collect(),
                projection: *projection,
            },
            spec => spec.clone(),
        }
    }

    /// Whether it is a linear function that a block's shortcut can be.
    pub(super) fn is_projection(&self) -> bool {
        matches!(self.spec, LayerSpec::Dense { .. } | LayerSpec::Conv2d { kernel_size: [1, 1], .. })
    }

    /// Whether it normalises over the batch.
    pub(super) fn is_batch_norm(&self) -> bool {
        matches!(self.spec, LayerSpec::BatchNorm { .. })
    }

    /// The layers of a block.
    pub(super) fn inner(&self) -> &[Layer] {
        &self.inner
    }

    /// Adds its arrays to the list, under the layer's name.
    pub(super) fn unpack(self, name: &str, tensors: &mut Vec<Tensor>) {
        tensors.extend(self.parameters.into_iter().map(|parameter| Tensor {
            name: format!("{name}.{}", parameter.name),
            shape: parameter.shape,
            values: parameter.values,
        }));
        for (i, layer) in self.inner.into_iter().enumerate() {
            layer.unpack(&format!("{name}.{}", i + 1), tensors);
        }
        if let Some(projection) = self.projection {
            projection.unpack(&format!("{name}.projection"), tensors);
        }
    }
}

/// What a value of the graph is for one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An image, with the zeros that a `Pad` has put around it: above, to the left, below, to the right.
    Image {
        /// Height, width, channels.
        shape: [usize; 3],
        layout: Layout,
        pads: [usize; 4],
    },
    /// The means of so many channels, as an image of one pixel.
    Pooled(usize),
    /// A vector.
    Vector {
        len: usize,
        /// The shape of the image that it was, if it comes channel by channel; else its numbers are in the engine's order.
        channels_first: Option<[usize; 3]>,
    },
}

impl Form {
    /// A vector in the engine's order.
    pub(super) fn vector(len: usize) -> Form {
        Form::Vector { len, channels_first: None }
    }

    /// An image without zeros around it.
    pub(super) fn image(shape: [usize; 3], layout: Layout) -> Form {
        Form::Image { shape, layout, pads: [0; 4] }
    }

    /// The values that normalisation scales each by itself, if ONNX has them on the second axis.
    pub(super) fn features(self) -> Option<usize> {
        match self {
            Form::Image { shape: [_, _, channels], layout: Layout::Nchw, pads: [0, 0, 0, 0] } => {
                Some(channels)
            }
            Form::Image { .. } => None,
            Form::Pooled(channels) => Some(channels),
            Form::Vector { len, .. } => Some(len),
        }
    }

    /// The place in the file's order of the feature with this number in the engine's order.
    pub(super) fn place(self, feature: usize) -> usize {
        match self {
            Form::Vector { channels_first: Some([height, width, channels]), .. } => {
                feature % channels * (height * width) + feature / channels
            }
            _ => feature,
        }
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Form::Image { shape: [height, width, channels], layout, pads } => {
                let order = match layout {
                    Layout::Nchw => "channels first",
                    Layout::Nhwc => "channels last",
                };
                let padded = if *pads == [0; 4] { "" } else { ", with zeros around it" };
                write!(f, "an image of {height}×{width}×{channels} ({order}{padded})")
            }
            Form::Pooled(channels) => write!(f, "an image of 1×1×{channels}"),
            Form::Vector { len, .. } => write!(f, "a vector of {len}"),
        }
    }
}
