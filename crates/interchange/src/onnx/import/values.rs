//! Arrays of a file: their numbers where the file has them, checked against the shapes that it states.

use super::super::limits::varint;
use super::super::messages::{EXTERNAL, FLOAT, INT64, TensorProto};
use super::shown;
use crate::InterchangeError;

/// The most whole numbers of a shape or a list of axes.
const MOST_INTS: usize = 64;

/// An array of real numbers.
#[derive(Debug, Clone)]
pub(super) struct Array<'a> {
    pub(super) dims: Vec<usize>,
    /// Four bytes for each number, the lowest first.
    bytes: &'a [u8],
}

impl<'a> Array<'a> {
    /// The array of a message.
    ///
    /// # Errors
    /// If it is of another type, or its length is not that of its shape.
    pub(super) fn new(tensor: &'a TensorProto) -> Result<Array<'a>, InterchangeError> {
        let name = shown(&tensor.name);
        if tensor.data_type != FLOAT {
            return Err(InterchangeError::new(
                format!(
                    "the array {name} has numbers of the type {}, not of 32-bit floating point",
                    tensor.data_type
                ),
                "export the network with 32-bit floating-point weights (`model.float()` in PyTorch)",
            ));
        }
        let dims = dims(tensor)?;
        let bytes = match (&tensor.raw_data, &tensor.float_data) {
            (Some(bytes), None) | (None, Some(bytes)) => bytes.as_ref(),
            (None, None) => &[],
            (Some(_), Some(_)) => return Err(told_twice(&name)),
        };
        let len = dims.iter().try_fold(size_of::<f32>(), |len, &side| len.checked_mul(side));
        if len != Some(bytes.len()) {
            return Err(InterchangeError::new(
                format!("the array {name} is {dims:?}, but has {} bytes of numbers", bytes.len()),
                "the file is damaged: copy it or export it again",
            ));
        }
        Ok(Array { dims, bytes })
    }

    /// How many numbers it has.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() / size_of::<f32>()
    }

    /// A number by its place.
    pub(super) fn at(&self, index: usize) -> f32 {
        let start = index * size_of::<f32>();
        let bytes = self.bytes[start..].first_chunk().expect("an index within the array");
        f32::from_le_bytes(*bytes)
    }
}

/// The whole numbers of a message, such as a shape.
///
/// # Errors
/// If there are too many for a shape, or their number is not that of the array's shape.
pub(super) fn ints(tensor: &TensorProto) -> Result<Vec<i64>, InterchangeError> {
    let name = shown(&tensor.name);
    let refuse = || {
        InterchangeError::new(
            format!("the array {name} is no list of a few whole numbers, as a shape or axes are"),
            "export the network with constant shapes",
        )
    };
    if tensor.data_type != INT64 {
        return Err(refuse());
    }
    let count = dims(tensor)?.iter().product::<usize>();
    let numbers: Vec<i64> = match (&tensor.raw_data, &tensor.int64_data) {
        (Some(bytes), None) => {
            let (chunks, rest) = bytes.as_chunks();
            if !rest.is_empty() || chunks.len() > MOST_INTS {
                return Err(refuse());
            }
            chunks.iter().map(|chunk| i64::from_le_bytes(*chunk)).collect()
        }
        (None, Some(bytes)) => {
            let (mut bytes, mut numbers) = (bytes.as_ref(), Vec::new());
            while !bytes.is_empty() && numbers.len() < MOST_INTS {
                numbers.push(varint(&mut bytes)?.cast_signed());
            }
            if !bytes.is_empty() {
                return Err(refuse());
            }
            numbers
        }
        (None, None) => Vec::new(),
        (Some(_), Some(_)) => return Err(told_twice(&name)),
    };
    if numbers.len() == count { Ok(numbers) } else { Err(refuse()) }
}

/// The lengths of the axes of an array whose numbers are in the file.
fn dims(tensor: &TensorProto) -> Result<Vec<usize>, InterchangeError> {
    let name = shown(&tensor.name);
    if tensor.data_location == EXTERNAL || !tensor.external_data.is_empty() {
        return Err(InterchangeError::new(
            format!("the numbers of the array {name} are in another file"),
            "save the network in one file (`onnx.save(model, path, save_as_external_data=False)`)",
        ));
    }
    let side = |&side: &i64| usize::try_from(side).ok().filter(|&side| side > 0);
    let dims: Option<Vec<usize>> = tensor.dims.iter().map(side).collect();
    let dims =
        dims.filter(|dims| dims.iter().try_fold(1_usize, |len, &side| len.checked_mul(side)).is_some());
    dims.ok_or_else(|| {
        InterchangeError::new(
            format!("the array {name} has the shape {:?}, which no array of numbers has", tensor.dims),
            "the file is damaged, or has empty arrays: export the network again",
        )
    })
}

fn told_twice(name: &str) -> InterchangeError {
    InterchangeError::new(
        format!("the array {name} has its numbers twice"),
        "the file is damaged: copy it or export it again",
    )
}
