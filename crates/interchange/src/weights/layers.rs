//! The layers of a file, as far as the names and shapes of its arrays tell of them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::read::Array;
use crate::InterchangeError;
use crate::tensors::TensorKind;

/// What a layer does, by its arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LayerKind {
    Dense,
    Conv2d,
    BatchNorm,
    LayerNorm,
}

/// What two layers have in common that could be taken for each other: their kind, and the shape of weight or scale.
pub(crate) type Signature = (LayerKind, Vec<usize>);

/// Arrays that have a name in common up to its last part.
#[derive(Debug)]
pub(crate) struct FileLayer<'f> {
    /// That name.
    pub(crate) name: String,
    /// What each array is to it.
    pub(crate) arrays: Vec<(TensorKind, &'f Array<'f>)>,
}

impl<'f> FileLayer<'f> {
    /// The array that is this to the layer.
    pub(crate) fn array(&self, kind: TensorKind) -> Option<&'f Array<'f>> {
        self.arrays.iter().find(|(found, _)| *found == kind).map(|(_, array)| *array)
    }

    /// What it has in common with layers of its kind and shape.
    ///
    /// # Errors
    /// Arrays that are no layer of ours.
    pub(crate) fn signature(&self) -> Result<Signature, InterchangeError> {
        let kinds: Vec<TensorKind> = self.arrays.iter().map(|(kind, _)| *kind).collect();
        signature(&kinds, |kind| self.array(kind).map(|array| array.view.shape().to_vec())).ok_or_else(|| {
            let names: Vec<String> = self
                .arrays
                .iter()
                .map(|(_, array)| format!("`{}` {:?}", array.name, array.view.shape()))
                .collect();
            InterchangeError::new(
                format!(
                    "{} are not the weights of a dense layer, a convolution or a normalisation",
                    names.join(", ")
                ),
                "leave out what the network does not have",
            )
        })
    }
}

/// The signature of a layer with such arrays.
pub(crate) fn signature(
    kinds: &[TensorKind],
    shape: impl Fn(TensorKind) -> Option<Vec<usize>>,
) -> Option<Signature> {
    if let Some(weight) = shape(TensorKind::Weight) {
        let kind = match weight.len() {
            2 => LayerKind::Dense,
            4 => LayerKind::Conv2d,
            _ => return None,
        };
        return Some((kind, weight));
    }
    let has_statistics = kinds.contains(&TensorKind::RunningMean);
    let kind = if has_statistics { LayerKind::BatchNorm } else { LayerKind::LayerNorm };
    Some((kind, shape(TensorKind::Scale)?))
}

/// The layers of a file in the natural order of their names.
///
/// # Errors
/// An array whose name does not say what it is, or that is there twice.
pub(crate) fn layers<'f>(arrays: &'f [Array<'f>]) -> Result<Vec<FileLayer<'f>>, InterchangeError> {
    let mut found: BTreeMap<&str, Vec<(&str, &Array)>> = BTreeMap::new();
    for array in arrays {
        let (layer, part) = array.name.rsplit_once(['.', '/']).unwrap_or(("", &array.name));
        found.entry(layer).or_default().push((part, array));
    }
    let mut layers = Vec::new();
    for (name, parts) in found {
        // What shifts a normalisation is called a bias in PyTorch.
        let is_norm = parts.iter().all(|(_, array)| array.view.shape().len() == 1);
        let mut layer = FileLayer { name: name.to_owned(), arrays: Vec::new() };
        for (part, array) in parts {
            let kind = match part {
                "weight" | "kernel" | "gamma" | "scale" if is_norm => TensorKind::Scale,
                "weight" | "kernel" => TensorKind::Weight,
                "bias" | "beta" | "shift" if is_norm => TensorKind::Shift,
                "bias" => TensorKind::Bias,
                "running_mean" | "moving_mean" => TensorKind::RunningMean,
                "running_var" | "running_variance" | "moving_variance" => TensorKind::RunningVariance,
                _ => {
                    return Err(InterchangeError::new(
                        format!("the name of `{}` does not say what it is to its layer", array.name),
                        "names end in weight, bias, running_mean or running_var, as PyTorch has them, or in kernel, \
                         bias, gamma, beta, moving_mean or moving_variance, as Keras does",
                    ));
                }
            };
            if let Some(other) = layer.array(kind) {
                return Err(InterchangeError::new(
                    format!("`{}` and `{}` are the same part of one layer", other.name, array.name),
                    "leave one of them out",
                ));
            }
            layer.arrays.push((kind, array));
        }
        layers.push(layer);
    }
    layers.sort_by(|a, b| natural(&a.name, &b.name));
    Ok(layers)
}

/// The name in pieces: a number, or what stands between two.
fn pieces(name: &str) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest.find(|letter: char| letter.is_ascii_digit() != is_number).unwrap_or(rest.len());
        pieces.push((&rest[..end], is_number));
        rest = &rest[end..];
    }
    pieces
}

/// Compares names so that numbers in them rise.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    let key = |name: &str| -> Vec<(usize, String)> {
        let piece = |(piece, is_number): (&str, bool)| match is_number {
            // Of two numbers without leading zeros, the longer one is larger.
            true => {
                let digits = piece.trim_start_matches('0');
                (digits.len(), digits.to_owned())
            }
            false => (usize::MAX, piece.to_owned()),
        };
        pieces(name).into_iter().map(piece).collect()
    };
    key(a).cmp(&key(b)).then_with(|| a.cmp(b))
}

/// The name without its numbers, and without the line that stands before one in Keras' `dense`, `dense_1`, `dense_2`.
pub(crate) fn skeleton(name: &str) -> String {
    let words = pieces(name).into_iter().filter(|(_, is_number)| !is_number);
    words.map(|(word, _)| word).collect::<String>().trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_rise() {
        let mut names = ["layers.10", "layers.2", "layers.0", "dense_2", "dense", "dense_10", "fc"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["dense", "dense_2", "dense_10", "fc", "layers.0", "layers.2", "layers.10"]);
        assert_eq!(skeleton("layers.10"), skeleton("layers.2"));
        assert_eq!(skeleton("dense"), skeleton("dense_12"));
        assert_ne!(skeleton("left"), skeleton("right"));
    }
}
