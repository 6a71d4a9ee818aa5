//! Layer normalisation (Ba, Kiros and Hinton 2016).

use rayon::prelude::*;

use super::norm::{NormCache, TASK};
use super::parameter::{GradMode, MatrixLayout, ParamKind, Parameter};
use super::{BackwardArgs, Context, Layer};
use crate::parallel::par_for_each;

/// Layer normalisation: y = scale · x̂ + shift with x̂ = (x − mean) / √(variance + ε), row by row.
///
/// A row is a vector or the channels of one pixel: x is [rows, features]. The mean and the biased variance are those of the
/// row, in training and in evaluation alike.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    outputs: usize,
    features: usize,
    epsilon: f64,
    /// Scale and shift, [features] each.
    parameters: [Parameter; 2],
}

impl LayerNorm {
    /// A layer for samples of `outputs` values.
    ///
    /// # Panics
    /// If `outputs` is not a multiple of `features`.
    pub(crate) fn new(outputs: usize, features: usize, epsilon: f64) -> LayerNorm {
        assert!(outputs.is_multiple_of(features), "{outputs} numbers of {features} features");
        let parameter =
            |name| Parameter::new(name, vec![features], MatrixLayout::RowMajor, ParamKind::NoDecay);
        let mut parameters = [parameter("scale"), parameter("shift")];
        parameters[0].value[..features].fill(1.0);
        LayerNorm { outputs, features, epsilon, parameters }
    }

    /// The number of rows of a task.
    fn task(&self) -> usize {
        TASK.div_ceil(self.features)
    }
}

impl Layer for LayerNorm {
    type Cache = NormCache;

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn alloc_cache(&self, capacity: usize, _backward: bool) -> NormCache {
        NormCache::new(capacity * self.outputs / self.features, self.features)
    }

    /// x and y are [rows, features].
    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut NormCache) {
        let len = context.batch * self.outputs;
        assert_eq!((x.len(), y.len()), (len, len), "a batch");
        let NormCache { mean: means, inverse: inverses, .. } = cache;
        let (features, task, epsilon) = (self.features, self.task(), self.epsilon);
        let [scale, shift] = &self.parameters;
        let (scale, shift) = (&scale.value[..features], &shift.value[..features]);
        let parts = y.par_chunks_mut(task * features).zip(x.par_chunks(task * features));
        let kept = means.par_chunks_mut(task).zip(inverses.par_chunks_mut(task));
        par_for_each(parts.zip(kept), |((y, x), (means, inverses))| {
            let rows = y.chunks_exact_mut(features).zip(x.chunks_exact(features));
            for ((y, x), (mean, inverse)) in rows.zip(means.iter_mut().zip(inverses)) {
                let average = x.iter().map(|&x| f64::from(x)).sum::<f64>() / features as f64;
                let squares = x.iter().map(|&x| (f64::from(x) - average).powi(2)).sum::<f64>();
                *mean = average as f32;
                *inverse = (squares / features as f64 + epsilon).sqrt().recip() as f32;
                for i in 0..features {
                    y[i] = (x[i] - *mean) * *inverse * scale[i] + shift[i];
                }
            }
        });
    }

    /// dx = (g − mean(g) − x̂ · mean(g · x̂)) / √(variance + ε) with g = dy · scale and means over the features of a row;
    /// dshift = Σ dy and dscale = Σ dy · x̂, summed over the rows. dx and dy are [rows, features].
    fn backward(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        cache: &mut NormCache,
        grad_mode: GradMode,
    ) {
        let BackwardArgs { x, dy, dx, .. } = args;
        let (features, task) = (self.features, self.task());
        let NormCache { mean: means, inverse: inverses, gradients } = cache;
        let (means, inverses) = (&means[..x.len() / features], &inverses[..x.len() / features]);
        if !matches!(grad_mode, GradMode::Skip) {
            gradients.sum(features, x, dy, |row, _| [means[row], inverses[row]]);
        }
        if let Some(dx) = dx {
            let scale = &self.parameters[0].value[..features];
            let parts = dx
                .par_chunks_mut(task * features)
                .zip(dy.par_chunks(task * features).zip(x.par_chunks(task * features)));
            let kept = means.par_chunks(task).zip(inverses.par_chunks(task));
            par_for_each(parts.zip(kept), |((dx, (dy, x)), (means, inverses))| {
                let rows = dx.chunks_exact_mut(features).zip(dy.chunks_exact(features));
                let rows = rows.zip(x.chunks_exact(features)).zip(means.iter().zip(inverses));
                for (((dx, dy), x), (mean, inverse)) in rows {
                    let (mut sum, mut product) = (0.0_f64, 0.0_f64);
                    for i in 0..features {
                        let gradient = f64::from(dy[i] * scale[i]);
                        sum += gradient;
                        product += gradient * f64::from((x[i] - mean) * inverse);
                    }
                    let [sum, product] = [sum, product].map(|sum| (sum / features as f64) as f32);
                    for i in 0..features {
                        dx[i] = inverse * (dy[i] * scale[i] - sum - (x[i] - mean) * inverse * product);
                    }
                }
            });
        }
        // After dx, which needs the scale of the forward pass.
        let [scale, shift] = &mut self.parameters;
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::isa::Isa;
    use crate::layers::reference::layer_norm;
    use crate::layers::testing::{numerical_gradient, on_any_threads, uniform, wide};
    use crate::random::RngStream;

    const EPSILON: f64 = 1e-3;

    /// Runs the layer on samples of `rows` rows; returns y, dx, dscale and dshift.
    fn run(rows: usize, x: &[f32], mut dy: Vec<f32>, scale: &[f32], shift: &[f32]) -> [Vec<f32>; 4] {
        let features = scale.len();
        let mut norm = LayerNorm::new(rows * features, features, EPSILON);
        norm.parameters[0].value[..features].copy_from_slice(scale);
        norm.parameters[1].value[..features].copy_from_slice(shift);
        let batch = x.len() / norm.outputs;
        let context = Context { isa: Isa::current(), batch, training: true, pairs: false };
        let mut cache = norm.alloc_cache(batch + 1, true);
        let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        norm.forward(&context, x, &mut y, &mut cache);
        let args = BackwardArgs { x, y: &y, dy: &mut dy, dx: Some(&mut dx) };
        norm.backward(&context, args, &mut cache, GradMode::Store);
        let gradient = |i: usize| norm.parameters[i].gradient[..features].to_vec();
        [y, dx, gradient(0), gradient(1)]
    }

    /// Fails if two arrays differ by more than `bound` anywhere.
    fn assert_within(found: &[f32], exact: &[f64], bound: f64) {
        assert_eq!(found.len(), exact.len());
        for (i, (&found, exact)) in found.iter().zip(exact).enumerate() {
            assert!((f64::from(found) - exact).abs() <= bound, "number {i}: {found} for {exact}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition_and_its_differences(
            batch in 1_usize..5, rows in 1_usize..5, features in 1_usize..40, mean in -3.0_f32..3.0, seed in 0_u64..1000,
        ) {
            let mut stream = RngStream::new(seed, "test/layer_norm");
            let len = batch * rows * features;
            let x: Vec<f32> = uniform(&mut stream, len).iter().map(|x| x + mean).collect();
            let dy = uniform(&mut stream, len);
            let (scale, shift) = (uniform(&mut stream, features), uniform(&mut stream, features));
            let [y, dx, dscale, dshift] = run(rows, &x, dy.clone(), &scale, &shift);
            let (wide_x, wide_scale, wide_shift) = (wide(&x), wide(&scale), wide(&shift));
            // As for batch normalisation: the mean is rounded to 2⁻²³ of at most 4, and x̂ divides that by √ε at least.
            let total = (batch * rows) as f64;
            assert_within(&y, &layer_norm::forward(&wide_x, &wide_scale, &wide_shift, EPSILON), 3e-5);
            let by_scale = |scale: &[f64]| layer_norm::forward(&wide_x, scale, &wide_shift, EPSILON);
            assert_within(&dscale, &numerical_gradient(&scale, &dy, by_scale), 3e-5 * total);
            let by_shift = |shift: &[f64]| layer_norm::forward(&wide_x, &wide_scale, shift, EPSILON);
            assert_within(&dshift, &numerical_gradient(&shift, &dy, by_shift), 1e-6 * total);
            // dx is a difference of numbers as large as dy · scale / √(variance + ε), relative to which its error is
            // bounded.
            let by_x = |x: &[f64]| layer_norm::forward(x, &wide_scale, &wide_shift, EPSILON);
            let exact = numerical_gradient(&x, &dy, by_x);
            let parts = dx.chunks(features).zip(exact.chunks(features)).zip(wide_x.chunks(features));
            for ((dx, exact), x) in parts {
                let mean = x.iter().sum::<f64>() / features as f64;
                let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / features as f64;
                assert_within(dx, exact, 1e-4 / (variance + EPSILON).sqrt() + 1e-8);
            }
        }
    }

    #[test]
    fn is_the_same_on_any_threads() {
        for (batch, rows, features) in [(6, 900, 7), (3, 500, 33)] {
            let mut stream = RngStream::new(5, "test/layer_norm");
            let len = batch * rows * features;
            let (x, dy) = (uniform(&mut stream, len), uniform(&mut stream, len));
            let (scale, shift) = (uniform(&mut stream, features), uniform(&mut stream, features));
            let found = on_any_threads(|| run(rows, &x, dy.clone(), &scale, &shift));
            assert!(found.iter().flatten().all(|number| number.is_finite()));
        }
    }
}
