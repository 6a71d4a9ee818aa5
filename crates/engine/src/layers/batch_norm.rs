//! Batch normalisation (Ioffe and Szegedy 2015).

use rayon::prelude::*;

use super::norm::{FEATURES, NormCache, TASK};
use super::parameter::{GradMode, MatrixLayout, ParamKind, Parameter};
use super::{BackwardArgs, Context, Layer};
use crate::parallel::par_for_each;

/// Batch normalisation: y = scale · x̂ + shift with x̂ = (x − mean) / √(variance + ε), feature by feature.
///
/// A feature is a channel of an image or a unit of a vector: x is [rows, features], with a row for each pixel of each
/// image. Training uses the mean and the biased variance of the batch, and moves the running statistics towards the mean
/// and the unbiased variance of the batch by the share `momentum`; evaluation uses the running statistics.
#[derive(Debug)]
pub(crate) struct BatchNorm {
    outputs: usize,
    features: usize,
    epsilon: f64,
    momentum: f64,
    /// Scale, shift, running mean and running variance, [features] each.
    parameters: [Parameter; 4],
}

impl BatchNorm {
    /// A layer for samples of `outputs` values.
    ///
    /// # Panics
    /// If `outputs` is not a multiple of `features`.
    pub(crate) fn new(outputs: usize, features: usize, epsilon: f64, momentum: f64) -> BatchNorm {
        assert!(outputs.is_multiple_of(features), "{outputs} numbers of {features} features");
        let parameter = |name, role| Parameter::new(name, vec![features], MatrixLayout::RowMajor, role);
        let mut parameters = [
            parameter("scale", ParamKind::NoDecay),
            parameter("shift", ParamKind::NoDecay),
            parameter("running_mean", ParamKind::Buffer),
            parameter("running_variance", ParamKind::Buffer),
        ];
        parameters[0].value[..features].fill(1.0);
        parameters[3].value[..features].fill(1.0);
        BatchNorm { outputs, features, epsilon, momentum, parameters }
    }

    /// Writes the mean of the rows of x to `mean` and 1 / √(variance + ε) to `inverse`, [features] each, and updates the
    /// running statistics.
    fn measure(&mut self, x: &[f32], mean: &mut [f32], inverse: &mut [f32]) {
        let (features, rows) = (self.features, (x.len() / self.features) as f64);
        let (epsilon, momentum) = (self.epsilon, self.momentum);
        let [_, _, running_mean, running_variance] = &mut self.parameters;
        let blocks =
            mean[..features].par_chunks_mut(FEATURES).zip(inverse[..features].par_chunks_mut(FEATURES));
        let running = running_mean.value[..features]
            .par_chunks_mut(FEATURES)
            .zip(running_variance.value[..features].par_chunks_mut(FEATURES));
        par_for_each(blocks.zip(running).enumerate(), |(block, ((mean, inverse), running))| {
            let first = block * FEATURES;
            let moments = moments(&x[first..], features, mean.len());
            for (i, &[sum, squares]) in moments[..mean.len()].iter().enumerate() {
                let average = f64::from(x[first + i]) + sum / rows;
                let deviation = (squares - sum * sum / rows).max(0.0);
                mean[i] = average as f32;
                inverse[i] = (deviation / rows + epsilon).sqrt().recip() as f32;
                let follow = |running: &mut f32, batch: f64| {
                    *running = ((1.0 - momentum) * f64::from(*running) + momentum * batch) as f32;
                    // The statistics of a feature that is always zero would decay into denormal numbers.
                    *running = if running.abs() < f32::MIN_POSITIVE { 0.0 } else { *running };
                };
                follow(&mut running.0[i], average);
                // A single row gives no estimate of the variance.
                if rows > 1.0 {
                    follow(&mut running.1[i], deviation / (rows - 1.0));
                }
            }
        });
    }

    /// Writes the running mean to `mean` and 1 / √(running variance + ε) to `inverse`.
    fn recall(&self, mean: &mut [f32], inverse: &mut [f32]) {
        mean.copy_from_slice(&self.parameters[2].value);
        for (inverse, &variance) in inverse.iter_mut().zip(&self.parameters[3].value[..]) {
            *inverse = (f64::from(variance) + self.epsilon).sqrt().recip() as f32;
        }
    }

    /// The number of values of a task: those of whole rows.
    fn task(&self) -> usize {
        TASK.div_ceil(self.features) * self.features
    }
}

/// Σ d and Σ d² over the rows, in f64, for the first `count` features of x, at most [`FEATURES`]. d is the difference
/// between x and the feature's value in the first row, which keeps Σ d² − (Σ d)² / rows from cancelling (Chan, Golub and
/// LeVeque 1983).
fn moments(x: &[f32], features: usize, count: usize) -> [[f64; 2]; FEATURES] {
    let mut moments = [[0.0; 2]; FEATURES];
    let first: [f64; FEATURES] = std::array::from_fn(|i| if i < count { f64::from(x[i]) } else { 0.0 });
    for x in x.chunks(features) {
        for ((moments, first), &x) in moments.iter_mut().zip(&first).zip(&x[..count]) {
            let d = f64::from(x) - first;
            moments[0] += d;
            moments[1] += d * d;
        }
    }
    moments
}

impl Layer for BatchNorm {
    type Cache = NormCache;

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn alloc_cache(&self, _capacity: usize, _backward: bool) -> NormCache {
        NormCache::new(self.features, self.features)
    }

    /// x and y are [rows, features].
    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut NormCache) {
        assert_eq!(
            (x.len(), y.len()),
            (context.batch * self.outputs, context.batch * self.outputs),
            "a batch"
        );
        let NormCache { mean, inverse, .. } = cache;
        if context.training {
            self.measure(x, mean, inverse);
        } else {
            self.recall(mean, inverse);
        }
        let (features, task) = (self.features, self.task());
        let [scale, shift, ..] = &self.parameters;
        let (mean, inverse) = (&mean[..features], &inverse[..features]);
        let (scale, shift) = (&scale.value[..features], &shift.value[..features]);
        par_for_each(y.par_chunks_mut(task).zip(x.par_chunks(task)), |(y, x)| {
            for (y, x) in y.chunks_exact_mut(features).zip(x.chunks_exact(features)) {
                for i in 0..features {
                    y[i] = (x[i] - mean[i]) * (inverse[i] * scale[i]) + shift[i];
                }
            }
        });
    }

    /// dshift = Σ dy and dscale = Σ dy · x̂, summed over the rows. With the statistics of the batch,
    /// dx = scale / √(variance + ε) · (dy − (dshift + x̂ · dscale) / rows); with the running statistics,
    /// dx = scale / √(variance + ε) · dy. dx and dy are [rows, features].
    fn backward(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        cache: &mut NormCache,
        grad_mode: GradMode,
    ) {
        let BackwardArgs { x, dy, dx, .. } = args;
        let (features, task) = (self.features, self.task());
        let rows = x.len() / features;
        let NormCache { mean, inverse, gradients } = cache;
        let (mean, inverse) = (&mean[..features], &inverse[..features]);
        gradients.sum(features, x, dy, |_, feature| [mean[feature], inverse[feature]]);
        if let Some(dx) = dx {
            let (dscale, dshift) = (&gradients.dscale[..features], &gradients.dshift[..features]);
            let scale = &self.parameters[0].value[..features];
            let share = 1.0 / rows as f32;
            let parts = dx.par_chunks_mut(task).zip(dy.par_chunks(task)).zip(x.par_chunks(task));
            par_for_each(parts, |((dx, dy), x)| {
                let training = context.training;
                let rows = dx.chunks_exact_mut(features).zip(dy.chunks_exact(features));
                for ((dx, dy), x) in rows.zip(x.chunks_exact(features)) {
                    for i in 0..features {
                        let normal = (x[i] - mean[i]) * inverse[i];
                        // In evaluation the statistics are constants, so rows do not depend on each other.
                        let common = if training { (dshift[i] + normal * dscale[i]) * share } else { 0.0 };
                        dx[i] = scale[i] * inverse[i] * (dy[i] - common);
                    }
                }
            });
        }
        // After dx, which needs the scale of the forward pass.
        let [scale, shift, ..] = &mut self.parameters;
        gradients.pass_on(context, grad_mode, [scale, shift]);
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [Parameter] {
        &mut self.parameters
    }
}

#[cfg(test)]
mod tests;
