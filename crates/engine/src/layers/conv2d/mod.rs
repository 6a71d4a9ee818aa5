//! Convolutions (cross-correlations) of images with filters, with ReLU where it follows.
//!
//! y[i, j, f] = b[f] + Σ x[s·i + u, s·j + v, c] · w[u, v, c, f], summed over the kernel's rows u, its columns v and the
//! channels c, where s is the stride and x is padded with zeros. y is [batch, output height, output width, filters], x is
//! [batch, height, width, channels], w is [kernel height, kernel width, channels, filters] and b is [filters].
//!
//! For some shapes an algorithm with fewer multiplications is used (`winograd`), for all others the definition
//! (`direct.rs`).

mod direct;
mod padded_grad;
mod plan;
#[cfg(test)]
mod tests;
mod winograd;

use inkling_schema::Initializer;

use self::direct::Direct;
use self::winograd::Winograd;
use super::DynLayer;
use super::geometry::Geometry;
use super::parameter::{MatrixLayout, ParamKind, Parameter};
use crate::kernels::gemm::NR;
use crate::parallel::{DisjointSlice, for_each};
use crate::random::RngStream;

/// A convolution of these shapes, with weights drawn from the stream.
pub(crate) fn conv2d(
    geometry: Geometry,
    relu: bool,
    initializer: Initializer,
    stream: &mut RngStream,
) -> Box<dyn DynLayer> {
    match Winograd::new(geometry, relu, initializer, stream) {
        Some(winograd) => Box::new(winograd),
        None => Box::new(Direct::new(geometry, relu, initializer, stream)),
    }
}

/// The number of groups into which a batch is divided for the threads: one for every dozen images, so that the sums of
/// the weight gradient that each group needs are worth their memory, but at least 4, at most 16, and no more than there
/// are images.
fn splits(batch: usize) -> usize {
    (batch / 12).clamp(4, 16).min(batch)
}

/// The number of elements of a gradient that a task sums over the groups.
const STRETCH: usize = 128 * NR;

/// The range of images of a group.
fn split(number: usize, splits: usize, batch: usize) -> std::ops::Range<usize> {
    number * batch / splits..(number + 1) * batch / splits
}

/// Adds up the sums of all groups, `size` elements each, in the order of the groups. The totals replace the sums of the
/// first group; `then` is called with the start and the totals of each stretch.
fn reduce_partials(sums: &mut [f32], splits: usize, size: usize, then: impl Fn(usize, &[f32]) + Sync) {
    let sums = DisjointSlice::new(sums);
    for_each(size.div_ceil(STRETCH), |task| {
        let (start, length) = (task * STRETCH, STRETCH.min(size - task * STRETCH));
        // SAFETY: each stretch, in all groups, belongs to one task.
        #[expect(unsafe_code, reason = "tasks add up disjoint stretches")]
        let total = unsafe { sums.slice_mut(start, length) };
        for g in 1..splits {
            // SAFETY: as above.
            #[expect(unsafe_code, reason = "tasks add up disjoint stretches")]
            let part = unsafe { sums.slice_mut(g * size + start, length) };
            total.iter_mut().zip(part).for_each(|(total, part)| *total += *part);
        }
        then(start, total);
    });
}

/// The weights, drawn from the stream and in panels, and the biases.
fn parameters(geometry: &Geometry, initializer: Initializer, stream: &mut RngStream) -> [Parameter; 2] {
    let Geometry { channels, filters, kernel, .. } = *geometry;
    let window = kernel[0] * kernel[1];
    let layout = MatrixLayout::Packed { rows: window * channels, columns: filters };
    let shape = vec![kernel[0], kernel[1], channels, filters];
    let mut weight = Parameter::new("weight", shape, layout, ParamKind::Decay);
    weight.draw(initializer, window * channels, window * filters, stream);
    let layout = MatrixLayout::Packed { rows: 1, columns: filters };
    [weight, Parameter::new("bias", vec![filters], layout, ParamKind::NoDecay)]
}
