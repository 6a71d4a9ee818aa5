//! Convolutions (cross-correlations) of images with filters, with ReLU where it follows.
//!
//! y[i, j, f] = b[f] + Σ over the kernel's rows u, its columns v and the channels c: x[s·i + u, s·j + v, c] · w[u, v, c, f],
//! x being the image with zeros around it. y is [batch, height, width, filters], x [batch, height, width, channels], w [kernel
//! height, kernel width, channels, filters] and b [filters].
//!
//! Some shapes are computed with fewer products than the definition has (`winograd`), all others by it (`direct.rs`).

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

/// The convolution of these shapes, with weights drawn from the stream.
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

/// Groups that a batch is divided into: as many as threads may share, but of a dozen images or more, whose sums of the
/// weight gradient are then worth their memory.
fn splits(batch: usize) -> usize {
    (batch / 12).clamp(4, 16).min(batch)
}

/// Numbers of a gradient that a task sums over the groups.
const STRETCH: usize = 128 * NR;

/// The images of a group.
fn split(number: usize, splits: usize, batch: usize) -> std::ops::Range<usize> {
    number * batch / splits..(number + 1) * batch / splits
}

/// Adds up the sums of all groups, in their order, in the place of the first group's, and tells `then` each stretch.
fn reduce_partials(sums: &mut [f32], splits: usize, size: usize, then: impl Fn(usize, &[f32]) + Sync) {
    let sums = DisjointSlice::new(sums);
    for_each(size.div_ceil(STRETCH), |task| {
        let (start, length) = (task * STRETCH, STRETCH.min(size - task * STRETCH));
        // SAFETY: each stretch of the sums, in all groups, is one task's.
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

/// W in panels, drawn, and b.
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
