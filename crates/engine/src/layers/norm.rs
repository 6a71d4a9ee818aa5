//! What batch and layer normalisation share: y = scale · x̂ + shift with x̂ = (x − mean) / √(variance + ε), where mean and
//! variance are those of a feature or of a row. x is [rows, features].

use rayon::prelude::*;

use super::Context;
use super::parameter::{GradMode, Parameter};
use crate::aligned::AlignedVec;
use crate::parallel::par_for_each;

/// The number of features that a task sums: a cache line of them.
pub(super) const FEATURES: usize = 16;
/// The number of values of a task that goes row by row: enough to be worth a thread.
pub(super) const TASK: usize = 1 << 14;

/// The statistics from the forward pass, one for each feature or each row, and the gradients of scale and shift, [features]
/// each. All arrays are padded to whole cache lines.
#[derive(Debug)]
pub(crate) struct NormCache {
    pub(super) mean: AlignedVec,
    /// 1 / √(variance + ε).
    pub(super) inverse: AlignedVec,
    pub(super) gradients: AffineGradients,
}

/// The gradients of scale and shift, [features] each, padded to whole cache lines.
#[derive(Debug)]
pub(super) struct AffineGradients {
    pub(super) dscale: AlignedVec,
    pub(super) dshift: AlignedVec,
}

impl NormCache {
    pub(super) fn new(statistics: usize, features: usize) -> NormCache {
        let zeros = |count: usize| AlignedVec::zeros(count.next_multiple_of(16));
        let gradients = AffineGradients { dscale: zeros(features), dshift: zeros(features) };
        NormCache { mean: zeros(statistics), inverse: zeros(statistics), gradients }
    }
}

impl AffineGradients {
    /// Writes dscale = Σ dy · x̂ and dshift = Σ dy, summed over the rows. `statistics` gives the mean and 1 / √(variance + ε)
    /// of a row and a feature.
    pub(super) fn sum(
        &mut self,
        features: usize,
        x: &[f32],
        dy: &[f32],
        statistics: impl Fn(usize, usize) -> [f32; 2] + Sync,
    ) {
        let [dscale, dshift] = [&mut self.dscale, &mut self.dshift].map(|of| &mut of[..features]);
        let blocks = dscale.par_chunks_mut(FEATURES).zip(dshift.par_chunks_mut(FEATURES));
        par_for_each(blocks.enumerate(), |(block, (dscale, dshift))| {
            let (first, count) = (block * FEATURES, dscale.len());
            let mut sums = [[0.0_f64; 2]; FEATURES];
            for (row, start) in (first..x.len()).step_by(features).enumerate() {
                let (x, dy) = (&x[start..start + count], &dy[start..start + count]);
                for (i, sums) in sums[..count].iter_mut().enumerate() {
                    let [mean, inverse] = statistics(row, first + i);
                    sums[0] += f64::from(dy[i]) * f64::from((x[i] - mean) * inverse);
                    sums[1] += f64::from(dy[i]);
                }
            }
            for (i, sums) in sums[..count].iter().enumerate() {
                (dscale[i], dshift[i]) = (sums[0] as f32, sums[1] as f32);
            }
        });
    }

    /// Passes the gradients on to scale and shift.
    pub(super) fn pass_on(&self, context: &Context, grad_mode: GradMode, to: [&mut Parameter; 2]) {
        if matches!(grad_mode, GradMode::Skip) {
            return;
        }
        for (parameter, gradient) in to.into_iter().zip([&self.dscale, &self.dshift]) {
            // SAFETY: no other task passes on a part of this gradient.
            #[expect(unsafe_code, reason = "passes on the whole gradient at once")]
            unsafe {
                parameter.grad_sink(context.isa, grad_mode).take(0, gradient);
            }
        }
    }
}
