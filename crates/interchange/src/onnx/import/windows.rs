//! Where the windows of a convolution or a pooling lie, and which of the engine's windows these are.

use inkling_schema::Padding;

use super::super::messages::NodeProto;
use super::super::same_padding;
use super::here;
use super::settings::Settings;
use crate::InterchangeError;

/// The most rows or columns of zeros that a kernel gets.
const WIDEST: usize = 16;

/// The strides of windows, and the zeros around the image: above, to the left, below, to the right.
pub(super) fn places(
    node: &NodeProto,
    settings: Settings,
    [height, width, _]: [usize; 3],
    kernel: [usize; 2],
) -> Result<([usize; 2], [usize; 4]), InterchangeError> {
    let refuse = || {
        InterchangeError::new(
            format!("{} has strides or pads that windows on an image cannot have", here(node)),
            "the file is damaged: export the network again",
        )
    };
    let stride = match settings.ints("strides") {
        Some(_) => settings.pair("strides").filter(|stride| !stride.contains(&0)).ok_or_else(refuse)?,
        None => [1; 2],
    };
    let [[above, below], [left, right]] = [(height, 0), (width, 1)]
        .map(|(size, side)| same_padding(size, kernel[side], stride[side], size.div_ceil(stride[side])));
    let pads = match settings.text("auto_pad") {
        b"SAME_UPPER" => [above, left, below, right],
        b"SAME_LOWER" => [below, right, above, left],
        b"VALID" => [0; 4],
        _ => match settings.ints("pads") {
            None => [0; 4],
            Some(pads) => {
                let pads: Option<Vec<usize>> = pads.iter().map(|&pad| usize::try_from(pad).ok()).collect();
                pads.and_then(|pads| pads.try_into().ok()).ok_or_else(refuse)?
            }
        },
    };
    Ok((stride, pads))
}

/// A convolution of the engine that computes what one of a file does.
#[derive(Debug)]
pub(super) struct Fit {
    pub(super) padding: Padding,
    /// Height and width of the output.
    pub(super) size: [usize; 2],
    pub(super) kernel_size: [usize; 2],
    /// The rows and columns of zeros in the kernel before those of the file.
    pub(super) lead: [usize; 2],
}

/// The convolution of the engine that has these zeros around its input.
///
/// The engine pads with none or as TensorFlow does: an odd zero comes last, and those that no window reaches are left out. PyTorch's
/// convolutions of stride 2 begin one pixel earlier on images of even sides; the same numbers come of a kernel with a row and
/// a column of zeros at its end, for which TensorFlow pads as much as they do.
pub(super) fn fit(
    node: &NodeProto,
    [height, width, _]: [usize; 3],
    kernel: [usize; 2],
    stride: [usize; 2],
    pads: [usize; 4],
) -> Result<Fit, InterchangeError> {
    let sides = [height, width];
    let mut size = [0; 2];
    for side in 0..2 {
        let padded = sides[side].saturating_add(pads[side]).saturating_add(pads[side + 2]);
        let rest = padded.checked_sub(kernel[side]).ok_or_else(|| {
            InterchangeError::new(
                format!(
                    "{} has a kernel of {}×{}, which is larger than its input",
                    here(node),
                    kernel[0],
                    kernel[1]
                ),
                "the file is damaged: export the network again",
            )
        })?;
        size[side] = rest / stride[side] + 1;
    }
    let reaches_no_zeros = |side: usize| {
        pads[side] == 0
            && (size[side] - 1).saturating_mul(stride[side]).saturating_add(kernel[side]) <= sides[side]
    };
    if reaches_no_zeros(0) && reaches_no_zeros(1) {
        return Ok(Fit { padding: Padding::Valid, size, kernel_size: kernel, lead: [0; 2] });
    }
    let widened = |side: usize| {
        let is_same = size[side] == sides[side].div_ceil(stride[side]);
        let mut extras = 0..=if is_same { WIDEST } else { return None };
        extras.find_map(|extra| {
            let widened = kernel[side].checked_add(extra)?;
            let lead =
                same_padding(sides[side], widened, stride[side], size[side])[0].checked_sub(pads[side])?;
            (lead <= extra).then_some((widened, lead))
        })
    };
    match (widened(0), widened(1)) {
        (Some((height, above)), Some((width, left))) => {
            Ok(Fit { padding: Padding::Same, size, kernel_size: [height, width], lead: [above, left] })
        }
        _ => Err(InterchangeError::new(
            format!(
                "{} puts {pads:?} rows and columns of zeros above, to the left, below and to the right of an image of {height}×{width}",
                here(node)
            ),
            "convolutions are read without padding, or with as much as gives an output of the input's sides over the strides",
        )),
    }
}
