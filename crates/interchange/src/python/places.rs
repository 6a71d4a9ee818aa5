//! Where a network's tensors are in a file of another program's: under which names, and in which order of their numbers.

use std::collections::HashMap;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::tensors::{TensorKind, TensorSpec};
use crate::{InterchangeError, Portable, Tensor};

/// A tensor of the network and its place in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// The tensor.
    pub(crate) tensor: TensorSpec,
    /// Its name in the file.
    pub(crate) key: String,
    /// The order of its numbers there.
    pub(crate) layout: Layout,
}

/// Height, width and channels of an image that became a vector, channels first there and channels last here.
pub(crate) type Flattened = Option<[usize; 3]>;

/// The order of a tensor's numbers in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// That of the engine.
    Same,
    /// A number for each value of a vector that was an image.
    Features(Flattened),
    /// A matrix [units, inputs].
    Dense(Flattened),
    /// Filters [filters, channels, height, width].
    Conv2d,
}

/// The place in the engine's vector of the value at `place` in one with channels first.
fn channels_last(place: usize, flattened: Flattened) -> usize {
    let Some([height, width, channels]) = flattened else { return place };
    let (channel, pixel) = (place / (height * width), place % (height * width));
    pixel * channels + channel
}

impl Layout {
    /// The shape in the file of a tensor that has this one in the engine.
    pub(crate) fn shape(self, shape: &[usize]) -> Vec<usize> {
        match (self, shape) {
            (Layout::Dense(_), &[inputs, units]) => vec![units, inputs],
            (Layout::Conv2d, &[height, width, channels, filters]) => vec![filters, channels, height, width],
            _ => shape.to_vec(),
        }
    }

    /// The function from a number's place in the file to its place in the engine's tensor of this shape.
    fn place(self, shape: &[usize]) -> Box<dyn Fn(usize) -> usize> {
        match (self, shape) {
            (Layout::Features(flattened), _) => Box::new(move |i| channels_last(i, flattened)),
            (Layout::Dense(flattened), &[inputs, units]) => {
                Box::new(move |i| channels_last(i % inputs, flattened) * units + i / inputs)
            }
            (Layout::Conv2d, &[height, width, channels, filters]) => Box::new(move |i| {
                let (i, x) = (i / width, i % width);
                let (i, y) = (i / height, i % height);
                let (filter, channel) = (i / channels, i % channels);
                ((y * width + x) * channels + channel) * filters + filter
            }),
            _ => Box::new(|i| i),
        }
    }

    /// The engine's numbers in the order of the file.
    pub(crate) fn export(self, shape: &[usize], values: &[f32]) -> Vec<f32> {
        let place = self.place(shape);
        (0..values.len()).map(|i| values[place(i)]).collect()
    }

    /// The file's numbers in the order of the engine.
    pub(crate) fn import(self, shape: &[usize], values: &[f32]) -> Vec<f32> {
        let place = self.place(shape);
        let mut found = vec![0.0; values.len()];
        values.iter().enumerate().for_each(|(i, &value)| found[place(i)] = value);
        found
    }
}

/// The file `weights.safetensors` of a network whose tensors have these places.
///
/// # Errors
/// A tensor that the network lacks, or that has another shape than its layer.
pub(crate) fn weights_file(network: &Portable, places: &[Place]) -> Result<Vec<u8>, InterchangeError> {
    let tensors: HashMap<&str, &Tensor> =
        network.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    let mut arrays = Vec::new();
    for Place { tensor: TensorSpec { name, shape, .. }, key, layout } in places {
        let tensor = tensors.get(name.as_str()).ok_or_else(|| {
            InterchangeError::new(
                format!("the network has no tensor `{name}`, which its layers need"),
                "export it again from the file that training wrote",
            )
        })?;
        if tensor.shape != *shape || tensor.values.len() != shape.iter().product::<usize>() {
            return Err(InterchangeError::new(
                format!(
                    "`{name}` has the shape {:?} and {} numbers, and its layer needs {shape:?}",
                    tensor.shape,
                    tensor.values.len()
                ),
                "export it again from the file that training wrote",
            ));
        }
        let values = layout.export(shape, &tensor.values);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        arrays.push((key.as_str(), layout.shape(shape), bytes));
    }
    let views = arrays.iter().map(|(key, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (*key, view.expect("as many bytes as the shape needs"))
    });
    // What readers of PyTorch's look for; others pass it by.
    let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize(views, Some(about)).map_err(|error| {
        InterchangeError::new(format!("the weights cannot be written: {error}"), "export a smaller network")
    })
}

/// Whether a tensor's numbers are spread over the inputs of a vector that was an image.
pub(crate) fn layout_of(kind: TensorKind, shape: &[usize], flattened: Flattened) -> Layout {
    match (kind, shape.len()) {
        (TensorKind::Weight, 2) => Layout::Dense(flattened),
        (TensorKind::Weight, _) => Layout::Conv2d,
        (TensorKind::Bias, _) => Layout::Same,
        _ => Layout::Features(flattened),
    }
}
