//! What the tests of layers share: random numbers, numerical gradients in f64, thread pools of several sizes.

use super::geometry::Geometry;
use super::reference::windows::Windows;
use crate::random::RngStream;

/// `count` numbers uniform in ±1; that one is zero, or two are equal, is unlikely.
pub(crate) fn uniform(stream: &mut RngStream, count: usize) -> Vec<f32> {
    (0..count).map(|_| 2.0 * stream.uniform() - 1.0).collect()
}

/// The same numbers in f64.
pub(crate) fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&number| f64::from(number)).collect()
}

/// The windows of a convolution or a pooling, as the definitions take them.
pub(crate) fn windows(g: &Geometry) -> Windows {
    let Geometry { input, kernel, stride, before, output, .. } = *g;
    Windows { input, kernel, stride, before, output }
}

/// dy where it passes the ReLU of a layer that has one, else zero. Where the sum before the ReLU is nothing but rounding,
/// the layer's own y decides on which side of zero it lies.
pub(crate) fn through_relu(relu: bool, y: &[f32], dy: &[f32]) -> Vec<f64> {
    y.iter().zip(dy).map(|(&y, &dy)| if relu && y <= 0.0 { 0.0 } else { f64::from(dy) }).collect()
}

/// The gradient of Σ dyᵢ·f(x)ᵢ by central differences in f64.
pub(crate) fn numerical_gradient(x: &[f32], dy: &[f32], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    const STEP: f64 = 1e-6;
    let mut x = wide(x);
    let mut numerical_gradient = Vec::with_capacity(x.len());
    for i in 0..x.len() {
        let before = x[i];
        let mut moved = |by: f64| -> f64 {
            x[i] = before + by;
            f(&x).iter().zip(dy).map(|(y, &dy)| y * f64::from(dy)).sum()
        };
        let slope = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        x[i] = before;
        numerical_gradient.push(slope);
    }
    numerical_gradient
}

/// Fails if two arrays differ by more than `tolerance` times the largest number of the exact one.
pub(crate) fn assert_close(found: &[f32], exact: &[f64], tolerance: f64) {
    assert_eq!(found.len(), exact.len());
    let largest = exact.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    for (i, (&found, &exact)) in found.iter().zip(exact).enumerate() {
        let difference = (f64::from(found) - exact).abs();
        assert!(difference <= tolerance * largest + 1e-9, "number {i}: {found} for {exact}");
    }
}

/// Runs `work` on pools of 1, 2, 3 and 8 threads, checks that the results are equal, and returns the result.
pub(crate) fn on_any_threads<T: PartialEq + std::fmt::Debug + Send>(work: impl Fn() -> T + Sync) -> T {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(&work)
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert_eq!(on(threads), one, "on {threads} threads");
    }
    one
}
