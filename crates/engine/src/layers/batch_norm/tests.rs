//! Batch normalisation against its definition in f64 and the differences of that, and on any number of threads.

use proptest::prelude::*;

use super::*;
use crate::kernels::isa::Isa;
use crate::layers::reference::batch_norm::{self, moments as moments_of};
use crate::layers::testing::{assert_close, numerical_gradient, on_any_threads, uniform, wide};
use crate::random::RngStream;

const EPSILON: f64 = 1e-3;
const MOMENTUM: f64 = 0.2;

/// A test case: x and dy are [rows, features], scale and shift are [features].
struct Case {
    features: usize,
    x: Vec<f32>,
    dy: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Case {
    fn new(rows: usize, features: usize, mean: f32, seed: u64) -> Case {
        let mut stream = RngStream::new(seed, "test/batch_norm");
        Case {
            features,
            x: uniform(&mut stream, rows * features).iter().map(|x| x + mean).collect(),
            dy: uniform(&mut stream, rows * features),
            scale: uniform(&mut stream, features),
            shift: uniform(&mut stream, features),
        }
    }

    fn layer(&self, pixels: usize) -> BatchNorm {
        let mut norm = BatchNorm::new(pixels * self.features, self.features, EPSILON, MOMENTUM);
        norm.parameters[0].value[..self.features].copy_from_slice(&self.scale);
        norm.parameters[1].value[..self.features].copy_from_slice(&self.shift);
        norm
    }

    /// y, dx, dscale and dshift.
    fn run(&self, norm: &mut BatchNorm, training: bool) -> [Vec<f32>; 4] {
        let batch = self.x.len() / norm.outputs;
        let context = Context { isa: Isa::current(), batch, training, pairs: false };
        let mut cache = norm.alloc_cache(batch, true);
        let (mut y, mut dx) = (vec![f32::NAN; self.x.len()], vec![f32::NAN; self.x.len()]);
        norm.forward(&context, &self.x, &mut y, &mut cache);
        let args = BackwardArgs { x: &self.x, y: &y, dy: &mut self.dy.clone(), dx: Some(&mut dx) };
        norm.backward(&context, args, &mut cache, GradMode::Store);
        let gradient = |i: usize| norm.parameters[i].gradient[..self.features].to_vec();
        [y, dx, gradient(0), gradient(1)]
    }
}

/// The definition with this mean and variance.
fn plain(x: &[f64], mean: &[f64], variance: &[f64], scale: &[f64], shift: &[f64]) -> Vec<f64> {
    batch_norm::forward(x, scale, shift, mean, variance, EPSILON)
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
    fn training_agrees_with_the_definition_and_its_differences(
        batch in 1_usize..5, pixels in 1_usize..5, features in 1_usize..20, mean in -3.0_f32..3.0, seed in 0_u64..1000,
    ) {
        // For a single row the gradients are zero, and differences nothing but rounding.
        let pixels = if batch == 1 { pixels + 1 } else { pixels };
        let case = Case::new(batch * pixels, features, mean, seed);
        let (x, scale, shift) = (wide(&case.x), wide(&case.scale), wide(&case.shift));
        let by_batch = |x: &[f64], scale: &[f64], shift: &[f64]| {
            let (mean, variance) = moments_of(x, features);
            plain(x, &mean, &variance, scale, shift)
        };
        let mut norm = case.layer(pixels);
        let [y, dx, dscale, dshift] = case.run(&mut norm, true);
        // The mean, at most 4, is rounded with a relative error of 2⁻²³. Divided by at least √ε, that is an error of
        // 1.5e-5 in x̂, which can be all that remains of sums that cancel.
        let rows = (batch * pixels) as f64;
        assert_within(&y, &by_batch(&x, &scale, &shift), 3e-5);
        let by_scale = numerical_gradient(&case.scale, &case.dy, |scale| by_batch(&x, scale, &shift));
        assert_within(&dscale, &by_scale, 3e-5 * rows);
        let by_shift = numerical_gradient(&case.shift, &case.dy, |shift| by_batch(&x, &scale, shift));
        assert_within(&dshift, &by_shift, 1e-6 * rows);
        // dx is a difference of numbers as large as scale · dy / √(variance + ε), relative to which its error is bounded.
        let exact = numerical_gradient(&case.x, &case.dy, |x| by_batch(x, &scale, &shift));
        let (mean, variance) = moments_of(&x, features);
        for (at, (&dx, exact)) in dx.iter().zip(exact).enumerate() {
            let i = at % features;
            let size = scale[i].abs() / (variance[i] + EPSILON).sqrt();
            prop_assert!((f64::from(dx) - exact).abs() <= 1e-4 * size + 1e-8, "{}: {} for {}", at, dx, exact);
        }

        let running: Vec<[f64; 2]> = mean.iter().zip(&variance)
            .map(|(&mean, &variance)| batch_norm::running([0.0, 1.0], [mean, variance], rows, MOMENTUM))
            .collect();
        for part in [0, 1] {
            let exact: Vec<f64> = running.iter().map(|running| running[part]).collect();
            assert_close(&norm.parameters[2 + part].value[..features], &exact, 1e-6);
        }
    }

    #[test]
    fn evaluation_agrees_with_the_definition_and_its_differences(
        rows in 1_usize..5, features in 1_usize..20, seed in 0_u64..1000,
    ) {
        let case = Case::new(rows, features, 0.5, seed);
        let mut stream = RngStream::new(seed, "test/running");
        let mut norm = case.layer(1);
        for (i, start) in [(2, 0.0), (3, 1.5)] {
            let drawn: Vec<f32> = uniform(&mut stream, features).iter().map(|x| x + start).collect();
            norm.parameters[i].value[..features].copy_from_slice(&drawn);
        }
        let (mean, variance) = (wide(&norm.parameters[2].value), wide(&norm.parameters[3].value));
        let (mean, variance) = (&mean[..features], &variance[..features]);
        let (x, scale, shift) = (wide(&case.x), wide(&case.scale), wide(&case.shift));
        let before = norm.parameters.clone().map(|parameter| parameter.value.to_vec());
        let [y, dx, dscale, dshift] = case.run(&mut norm, false);
        prop_assert_eq!(norm.parameters.clone().map(|parameter| parameter.value.to_vec()), before);
        assert_within(&y, &plain(&x, mean, variance, &scale, &shift), 2e-6);
        assert_within(&dx, &numerical_gradient(&case.x, &case.dy, |x| plain(x, mean, variance, &scale, &shift)), 2e-6);
        let by_scale = |scale: &[f64]| plain(&x, mean, variance, scale, &shift);
        assert_within(&dscale, &numerical_gradient(&case.scale, &case.dy, by_scale), 2e-6 * rows as f64);
        let by_shift = |shift: &[f64]| plain(&x, mean, variance, &scale, shift);
        assert_within(&dshift, &numerical_gradient(&case.shift, &case.dy, by_shift), 1e-6 * rows as f64);
    }
}

#[test]
fn one_number_a_feature_gives_the_shift_and_no_gradient() {
    let case = Case::new(1, 3, 2.0, 1);
    let mut norm = case.layer(1);
    let [y, dx, dscale, dshift] = case.run(&mut norm, true);
    assert_eq!((y, dshift), (case.shift.clone(), case.dy.clone()));
    assert_eq!((dx, dscale), (vec![0.0; 3], vec![0.0; 3]));
    assert_eq!(norm.parameters[3].value[..3], [1.0; 3], "the running variance rests");
}

#[test]
fn a_large_mean_leaves_the_variance_right() {
    // Multiples of 2⁻⁶, which f32 holds exactly beside 4096.
    let x: Vec<f32> = (0..1000_u16).map(|i| 4096.0 + f32::from(i * 37 % 64) / 64.0).collect();
    let (mean, variance) = moments_of(&wide(&x), 1);
    let running = batch_norm::running([0.0, 1.0], [mean[0], variance[0]], 1000.0, 1.0);
    let mut norm = BatchNorm::new(1, 1, 1e-5, 1.0);
    let (mut mean, mut inverse) = ([0.0], [0.0]);
    norm.measure(&x, &mut mean, &mut inverse);
    assert_close(&norm.parameters[3].value[..1], &running[1..], 1e-7);
    assert_close(&inverse, &[(variance[0] + 1e-5).sqrt().recip()], 1e-7);
}

#[test]
fn is_the_same_on_any_threads() {
    for (batch, pixels, features) in [(6, 900, 7), (3, 500, 33)] {
        let case = Case::new(batch * pixels, features, 0.3, 5);
        let found = on_any_threads(|| {
            let mut norm = case.layer(pixels);
            let steps = [case.run(&mut norm, true), case.run(&mut norm, true), case.run(&mut norm, false)];
            (steps, norm.parameters.map(|parameter| parameter.value.to_vec()))
        });
        assert!(found.0.iter().flatten().flatten().all(|number| number.is_finite()));
    }
}

#[test]
fn in_evaluation_rows_do_not_know_of_each_other() {
    let mut norm = Case::new(1, 2, 0.5, 1).layer(1);
    norm.parameters[0].value[..2].copy_from_slice(&[2.0, -2.0]);
    let mut run = |x: &[f32], dy: &[f32]| {
        let context = Context { isa: Isa::current(), batch: x.len() / 2, training: false, pairs: false };
        let mut cache = norm.alloc_cache(context.batch, true);
        let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        norm.forward(&context, x, &mut y, &mut cache);
        let args = BackwardArgs { x, y: &y, dy: &mut dy.to_vec(), dx: Some(&mut dx) };
        norm.backward(&context, args, &mut cache, GradMode::Skip);
        dx.iter().map(|dx| dx.to_bits()).collect::<Vec<u32>>()
    };
    // Neither infinities and NaN in another row change anything nor, through the signs of zeros, finite numbers.
    for other in [[f32::INFINITY, f32::NAN], [-1.0, 1.0], [1.0, -1.0]] {
        for dy in [[1.0, 1.0], [0.0, 0.0], [-0.0, -0.0]] {
            let alone = run(&[0.3, 0.7], &dy);
            assert_eq!(run(&[[0.3, 0.7], [4.0, -4.0]].concat(), &[dy, other].concat())[..2], alone);
        }
    }
}
