//! What a graph takes: images, and the order of their axes.

use super::super::messages::{Dimension, FLOAT};
use super::super::{Layout, denotation};
use super::graph::{Graph, Heads};
use super::layer::Form;
use super::shown;
use crate::InterchangeError;

/// The longest side of an image.
const LONGEST: usize = 1 << 12;
/// The most numbers of an image.
const MOST: usize = 1 << 24;

/// The batch of the input, if it is not open, and what an image is.
pub(super) fn form(graph: &Graph) -> Result<(Option<i64>, Form), InterchangeError> {
    let refuse = |what: String| {
        InterchangeError::new(
            format!("its input {} {what}", shown(&graph.input.name)),
            "an input is read of 32-bit floating-point numbers: [batch, channels, height, width], [batch, height, width, channels], \
             [batch, height, width] or [batch, numbers], of which the batch alone may be open",
        )
    };
    let array = graph.input.r#type.as_ref().and_then(|value| value.tensor_type.as_ref());
    let array = array.ok_or_else(|| refuse("is no array".into()))?;
    if array.elem_type != FLOAT {
        return Err(refuse(format!("has numbers of the type {}", array.elem_type)));
    }
    let axes = array.shape.as_ref().map(|shape| shape.dim.as_slice());
    let Some([batch, axes @ ..]) = axes else { return Err(refuse("has no shape".into())) };
    let mut sides = Vec::new();
    for axis in axes.iter().take(4) {
        let side = axis.dim_value.and_then(|side| usize::try_from(side).ok()).filter(|&side| side > 0);
        sides.push(side.ok_or_else(|| refuse("has a side that is open or no length".into()))?);
    }
    let numbers = sides.iter().try_fold(1_usize, |numbers, &side| numbers.checked_mul(side));
    let is_long = sides.len() > 1 && sides.iter().any(|&side| side > LONGEST);
    if is_long || numbers.is_none_or(|numbers| numbers > MOST) {
        return Err(refuse(format!("is {sides:?} without the batch, which is too large for images")));
    }
    let form = match *sides.as_slice() {
        [len] => Form::vector(len),
        [height, width] => Form::image([height, width, 1], Layout::Nhwc),
        [one, two, three] => match layout(graph, axes) {
            Layout::Nchw => Form::image([two, three, one], Layout::Nchw),
            Layout::Nhwc => Form::image([one, two, three], Layout::Nhwc),
        },
        [] => return Err(refuse("has the batch alone".into())),
        _ => return Err(refuse(format!("has {} axes", axes.len() + 1))),
    };
    Ok((batch.dim_value, form))
}

/// The order of the axes of images: as the input says, or else as the first layer needs it, or else as their lengths suggest.
fn layout(graph: &Graph, axes: &[Dimension]) -> Layout {
    let is_channel = |axis: &Dimension| axis.denotation.as_deref() == Some(denotation::CHANNEL);
    match axes.iter().position(is_channel) {
        Some(0) => return Layout::Nchw,
        Some(2) => return Layout::Nhwc,
        _ => {}
    }
    let mut value = graph.input.name.as_str();
    while let Some(&reader) = graph.readers(value, Heads::MAX).first() {
        let node = &graph.nodes[reader];
        match node.op_type.as_str() {
            "Transpose" => {
                let perm = node.attribute.iter().find(|attribute| attribute.name == "perm");
                let is_first = perm.is_some_and(|perm| perm.ints == [0, 3, 1, 2]);
                return if is_first { Layout::Nhwc } else { Layout::Nchw };
            }
            "Conv" | "MaxPool" | "AveragePool" | "GlobalAveragePool" | "BatchNormalization" => {
                return Layout::Nchw;
            }
            "LayerNormalization" => return Layout::Nhwc,
            "Flatten" | "Reshape" => break,
            _ => {}
        }
        let Some(next) = node.output.first() else { break };
        value = next;
    }
    let channels = |axis: &Dimension| matches!(axis.dim_value, Some(1 | 3));
    if channels(&axes[2]) && !channels(&axes[0]) { Layout::Nhwc } else { Layout::Nchw }
}

/// The image that a network takes: a vector is one row of pixels, or a grey image if it has the length of a square.
pub(super) fn shape(form: Form) -> [usize; 3] {
    match form {
        Form::Image { shape, .. } => shape,
        Form::Pooled(len) | Form::Vector { len, .. } => match len.isqrt() {
            side if side * side == len => [side, side, 1],
            _ => [1, 1, len],
        },
    }
}

/// Whether a form can be the scores of a head.
pub(super) fn is_in_order(form: Form) -> bool {
    matches!(form, Form::Vector { channels_first: None, .. } | Form::Pooled(_))
}
