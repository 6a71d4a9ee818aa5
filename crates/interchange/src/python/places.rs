//! Where a network's tensors are in a file of another program's: under which names, and in which order of their numbers.

use std::collections::HashMap;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

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

    /// Adds the engine's numbers to a file in its order, the lowest byte of each first.
    fn export(self, shape: &[usize], values: &[f32], file: &mut Vec<u8>) {
        let place = self.place(shape);
        (0..values.len()).for_each(|i| file.extend(values[place(i)].to_le_bytes()));
    }

    /// The file's numbers in the order of the engine.
    pub(crate) fn import(self, shape: &[usize], values: &[f32]) -> Vec<f32> {
        let place = self.place(shape);
        let mut found = vec![0.0; values.len()];
        values.iter().enumerate().for_each(|(i, &value)| found[place(i)] = value);
        found
    }
}

/// The file `weights.safetensors` of a network whose tensors have these places. Each number goes straight into the file: networks
/// are large, and copies of their weights would be too.
///
/// # Errors
/// A tensor that the network lacks, or that has another shape than its layer.
pub(crate) fn weights_file(network: &Portable, places: &[Place]) -> Result<Vec<u8>, InterchangeError> {
    let tensors: HashMap<&str, &Tensor> =
        network.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    let mut found = Vec::new();
    for place in places {
        let TensorSpec { name, shape, .. } = &place.tensor;
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
        found.push((place, *tensor));
    }
    found.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    let mut end = 0;
    let infos = found.iter().map(|(place, tensor)| {
        let start = end;
        end += size_of_val(tensor.values.as_slice());
        let shape = place.layout.shape(&tensor.shape);
        (place.key.clone(), TensorInfo { dtype: Dtype::F32, shape, data_offsets: (start, end) })
    });
    // What readers of PyTorch's look for; others pass it by.
    let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let header = Metadata::new(Some(about), infos.collect()).expect("one tensor ends where the next begins");
    let mut header = serde_json::to_vec(&header).expect("plain data");
    header.resize(header.len().next_multiple_of(size_of::<u64>()), b' ');
    let mut file = Vec::with_capacity(size_of::<u64>() + header.len() + end);
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header);
    for (place, tensor) in found {
        place.layout.export(&tensor.shape, &tensor.values, &mut file);
    }
    Ok(file)
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
