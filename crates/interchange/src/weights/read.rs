//! The arrays of a safetensors file, and their numbers as 32-bit ones.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::Convention;
use crate::InterchangeError;
use crate::python::places::Place;
use crate::tensors::TensorKind;

/// Bytes of a header that is longer than any network's.
const LONG_HEADER: u64 = 16 << 20;

/// An array of the file.
#[derive(Debug)]
pub(crate) struct Array<'a> {
    pub(crate) name: String,
    pub(crate) view: TensorView<'a>,
}

impl Array<'_> {
    /// The type of its numbers, where it is not the usual one.
    pub(crate) fn other_kind(&self) -> Option<&'static str> {
        match self.view.dtype() {
            Dtype::F16 => Some("float16"),
            Dtype::BF16 => Some("bfloat16"),
            Dtype::F64 => Some("float64"),
            _ => None,
        }
    }
}

/// The arrays of a file that hold weights.
///
/// # Errors
/// A file that is no safetensors file or is damaged, and arrays of another type.
pub(crate) fn arrays(file: &[u8]) -> Result<Vec<Array<'_>>, InterchangeError> {
    let damaged = |problem: String| {
        let help =
            "write the weights again: safetensors.torch.save_file(module.state_dict(), FILE) in PyTorch";
        InterchangeError::new(format!("it is not a whole safetensors file: {problem}"), help)
    };
    let length = file.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    if let Some(length) = length.filter(|&length| length > LONG_HEADER) {
        return Err(damaged(format!("its header has {length} bytes")));
    }
    let found = SafeTensors::deserialize(file).map_err(|error| damaged(error.to_string()))?;
    let mut arrays = Vec::new();
    for (name, view) in found.iter() {
        if name.ends_with("num_batches_tracked") {
            continue;
        }
        if !matches!(view.dtype(), Dtype::F16 | Dtype::BF16 | Dtype::F32 | Dtype::F64) {
            return Err(InterchangeError::new(
                format!("`{name}` holds numbers of the type {}", view.dtype()),
                "weights are floating-point numbers of 16, 32 or 64 bits: convert it, or leave it out",
            ));
        }
        arrays.push(Array { name: name.to_owned(), view });
    }
    if arrays.is_empty() {
        return Err(InterchangeError::new(
            "it holds no weights",
            "write the state dict of a trained network to it",
        ));
    }
    Ok(arrays)
}

/// The numbers of an array in the engine's order.
///
/// # Errors
/// An array of another shape, or with numbers that no network computes with.
pub(crate) fn values(array: &Array, place: &Place, from: Convention) -> Result<Vec<f32>, InterchangeError> {
    let (needed, shape) = (place.layout.shape(&place.tensor.shape), array.view.shape());
    if needed != shape {
        let turned: Vec<usize> = shape.iter().rev().copied().collect();
        let other = match from {
            Convention::PyTorch => Convention::Keras,
            Convention::Keras => Convention::PyTorch,
        };
        let help = match turned == needed {
            true => format!(
                "it has the shape that {} would give it: is it a file of {}'s?",
                other.name(),
                other.name()
            ),
            false => "take the network that the weights were trained in, or the weights of this one".into(),
        };
        return Err(InterchangeError::new(
            format!("`{}` has the shape {shape:?}, and `{}` needs {needed:?}", array.name, place.tensor.name),
            help,
        ));
    }
    let bytes = array.view.data();
    let numbers: Vec<f32> = match array.view.dtype() {
        Dtype::F16 => pieces(bytes).map(|piece| half(u16::from_le_bytes(piece))).collect(),
        Dtype::BF16 => {
            pieces(bytes).map(|piece| f32::from_bits(u32::from(u16::from_le_bytes(piece)) << 16)).collect()
        }
        Dtype::F64 => pieces(bytes).map(|piece| f64::from_le_bytes(piece) as f32).collect(),
        _ => pieces(bytes).map(f32::from_le_bytes).collect(),
    };
    if let Some(number) = numbers.iter().position(|number| !number.is_finite()) {
        return Err(InterchangeError::new(
            format!("number {number} of `{}` is {} as a 32-bit number", array.name, numbers[number]),
            "its training diverged, or the file is damaged: take weights whose numbers are all finite",
        ));
    }
    if place.tensor.kind == TensorKind::RunningVariance && numbers.iter().any(|&variance| variance < 0.0) {
        return Err(InterchangeError::new(
            format!("`{}` holds a negative variance", array.name),
            "the file is damaged, or the array is something else: take the weights of a trained network",
        ));
    }
    Ok(place.layout.import(&place.tensor.shape, &numbers))
}

/// Bytes in pieces of N.
fn pieces<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.chunks_exact(N).map(|piece| piece.try_into().expect("pieces of this length"))
}

/// A number of 16 bits as IEEE 754 has it: a sign, five bits of exponent and ten of fraction.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from((bits >> 10) & 31), f32::from(bits & 1023) / 1024.0);
    let size = match exponent {
        0 => fraction * 2f32.powi(-14),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction) * 2f32.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn half_precision_is_that_of_ieee_754() {
        let known =
            [(0x0000, 0.0), (0x3C00, 1.0), (0xC000, -2.0), (0x7BFF, 65504.0), (0x0001, 5.960_464_5e-8)];
        known.iter().for_each(|&(bits, value)| assert_eq!(half(bits), value));
        assert_eq!((half(0x3555), half(0xFC00)), (0.333_251_95, f32::NEG_INFINITY));
        assert!(half(0x7E00).is_nan());
    }
}
