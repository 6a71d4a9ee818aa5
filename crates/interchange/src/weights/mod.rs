//! Weights from a file of another program for a network of ours.

mod layers;
mod matching;
mod read;
#[cfg(test)]
mod tests;

use std::fmt;

use inkling_schema::ModelSpec;

use crate::python::places::Place;
use crate::tensors::{Format, NamedLayers, plan};
use crate::{InterchangeError, Tensor, keras, pytorch};

/// The program whose layouts the weights have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// A dense weight is [units, inputs], a convolution's [filters, channels, height, width]; an image becomes a vector with its
    /// channels first.
    PyTorch,
    /// A dense weight is [inputs, units], a convolution's [height, width, channels, filters]; an image becomes a vector with its
    /// channels last.
    Keras,
}

impl Convention {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.format().name()
    }

    fn format(self) -> Format {
        match self {
            Convention::PyTorch => Format::PyTorch,
            Convention::Keras => Format::Keras,
        }
    }
}

/// Where the numbers of a network's tensor came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The network's tensor, such as `trunk.2.weight`.
    pub tensor: String,
    /// The file's tensor; none for a bias that the file does not have, which is zero.
    pub source: Option<String>,
    /// Why it was taken.
    pub reason: Reason,
    /// The type of its numbers in the file, where it was not 32 bits of floating point.
    pub converted_from: Option<&'static str>,
}

/// Why a tensor of the file was taken for one of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Its name is the one that it has in an exported network, or in the engine.
    Name,
    /// No other layer of the file has its shape.
    Shape,
    /// So many layers of the file have its shape. Their names differ in nothing but numbers, whose order was taken.
    Numbers(usize),
    /// The names do not say which of the layers with this shape it is: they were taken in the order of their names. These are the
    /// others.
    Guess(Vec<String>),
    /// The file's layer has no bias.
    NoBias,
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Match { tensor, source, reason, converted_from } = self;
        match source {
            Some(source) => write!(f, "`{tensor}` from `{source}`")?,
            None => write!(f, "`{tensor}`")?,
        }
        match reason {
            Reason::Name => write!(f, ", by its name")?,
            Reason::Shape => write!(f, ", the only one of its shape")?,
            Reason::Numbers(layers) => {
                write!(f, ", by the number in its name, as {layers} layers have its shape")?;
            }
            Reason::Guess(others) => {
                let others: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
                let others = others.join(", ");
                write!(
                    f,
                    ", by the order of names alone: it has the shape of {others}, so check the result"
                )?;
            }
            Reason::NoBias => write!(f, " is zero, as the file has no bias there")?,
        }
        match converted_from {
            Some(kind) => write!(f, "; {kind} became 32-bit numbers"),
            None => Ok(()),
        }
    }
}

/// The tensors of a network with the numbers of a safetensors file, and where each came from.
///
/// If the file has the names of an exported network or of the engine, these decide. Otherwise layers are matched by their shapes,
/// and those of one shape in the natural order of their names (2 before 10), since a file does not keep the order of layers.
/// `num_batches_tracked` is ignored.
///
/// # Errors
/// A network that cannot be built; a file that is damaged, or that has a layer too few or too many, another shape, integers, or
/// numbers that are not finite.
pub fn weights_from(
    model: &ModelSpec,
    file: &[u8],
    from: Convention,
) -> Result<(Vec<Tensor>, Vec<Match>), InterchangeError> {
    let arrays = read::arrays(file)?;
    let plan = plan(model, from.format())?;
    let named = NamedLayers::new(model, &plan);
    let places = match from {
        Convention::PyTorch => pytorch::modules(&named, &pytorch::attributes(model)).places,
        Convention::Keras => keras::layers(&named, &keras::parts(model)).places,
    };
    let mut matches = matching::by_name(&places, &arrays, |place| &place.key);
    if matches.is_none() {
        matches = matching::by_name(&places, &arrays, |place| &place.tensor.name);
    }
    let matches = match matches {
        Some(matches) => matches,
        None => matching::by_order(&places, &arrays)?,
    };
    matching::nothing_is_left(&matches, &arrays)?;
    let read = places.iter().zip(matches).map(|(place, (array, reason))| {
        let Place { tensor, .. } = place;
        let values = match array {
            Some(array) => read::values(array, place, from)?,
            None => vec![0.0; tensor.shape.iter().product()],
        };
        let found = Match {
            tensor: tensor.name.clone(),
            source: array.map(|array| array.name.clone()),
            reason,
            converted_from: array.and_then(read::Array::other_kind),
        };
        Ok((Tensor { name: tensor.name.clone(), shape: tensor.shape.clone(), values }, found))
    });
    let read: Vec<(Tensor, Match)> = read.collect::<Result<_, InterchangeError>>()?;
    Ok(read.into_iter().unzip())
}
