//! Losses, a file each: what the outputs z of a head come to beside its targets, and the gradient of that.
//!
//! Each is a sum over samples, and its gradient is scaled as the caller says, which makes of the sum a weighted mean.

mod binary_cross_entropy;
mod cross_entropy;
mod mean_squared_error;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::ops::AddAssign;

use inkling_schema::Loss;

use crate::labels::Labels;

/// What a head made of some samples.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Metrics {
    /// Sum of the losses.
    pub loss_sum: f64,
    /// Samples that are right: of classes, those whose largest score is that of their class, of equal scores the first; of
    /// yes-or-no outputs, those of which each has the right sign. None where the head gives numbers.
    pub correct: usize,
}

impl AddAssign for Metrics {
    fn add_assign(&mut self, other: Metrics) {
        self.loss_sum += other.loss_sum;
        self.correct += other.correct;
    }
}

/// Gradients of outputs below this are zero, 2⁻¹⁰⁰: no weight could tell, for an optimiser's second moment is their square, and
/// what follows from larger ones keeps clear of denormal numbers, on which some processors compute a hundred times slower.
const NOTHING: f32 = 7.888_609e-31;

/// A gradient of an output, zero where it is below what any weight could tell.
pub(crate) fn flushed(dz: f32) -> f32 {
    if dz.abs() < NOTHING { 0.0 } else { dz }
}

/// The loss of outputs z, [batch, outputs], for the labels of the batch, and `scale` times its gradient in `dz`, as long as z,
/// where it is wanted.
///
/// # Panics
/// If the labels are not of the loss's kind, not as many as the samples, or no class.
pub(crate) fn loss(
    loss: Loss,
    outputs: usize,
    z: &[f32],
    labels: Labels,
    scale: f32,
    mut dz: Option<&mut [f32]>,
) -> Metrics {
    assert_eq!(labels.len() * outputs, z.len(), "labels for every sample");
    let metrics = match (loss, labels) {
        (Loss::CrossEntropy { label_smoothing }, Labels::Bytes(_) | Labels::Classes(_)) => {
            let class = |sample| labels.class(sample);
            cross_entropy::cross_entropy(outputs, z, class, label_smoothing, scale, dz.as_deref_mut())
        }
        (Loss::MeanSquaredError, Labels::Values { values, .. }) => {
            mean_squared_error::mean_squared_error(outputs, z, values, scale, dz.as_deref_mut())
        }
        (Loss::BinaryCrossEntropy, Labels::Values { values, .. }) => {
            binary_cross_entropy::binary_cross_entropy(outputs, z, values, scale, dz.as_deref_mut())
        }
        (loss, _) => panic!("{} needs {}", loss.name(), loss.labels()),
    };
    if let Some(dz) = dz {
        dz.iter_mut().for_each(|dz| *dz = flushed(*dz));
    }
    metrics
}
