//! The single-layer perceptron (Rosenblatt 1958): `predict`, `optimize`, and one network for every two classes.
//!
//! A perceptron looks at an image x, a row of m numbers, and answers 1 where w·x + b ≥ 0 and −1 elsewhere. Training
//! goes over the images again and again and, wherever the answer is wrong, moves the weights towards the image that
//! should have been answered 1 and away from the one that should have been answered −1. If some plane separates the
//! two classes, the online rule finds one after finitely many corrections (Novikoff 1962); if none does, the weights
//! go on moving for ever, which is why training also stops after a number of passes.

mod rules;

use rayon::prelude::*;

use crate::ByteMatrix;
use crate::random::RngStream;
pub use rules::{averaged, batch, pocket};

/// Classifies the rows of `x`, shape [n, m], with weights `w`, shape `[m]`, and bias `b`: the sign of x·w + b, where 0
/// counts as 1. Returns n predictions, each −1 or 1.
pub fn predict(x: &ByteMatrix, w: &[f32], b: f32) -> Vec<i8> {
    (0..x.rows()).map(|i| predict_one(x, i, w, b)).collect()
}

fn predict_one(x: &ByteMatrix, i: usize, w: &[f32], b: f32) -> i8 {
    if x.dot(i, w) + b >= 0.0 { 1 } else { -1 }
}

/// The result of training a perceptron.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Weights, shape `[m]`.
    pub w: Vec<f32>,
    /// Bias.
    pub b: f32,
    /// Share of the training rows misclassified after each iteration.
    pub errors: Vec<f64>,
    /// The iteration, from 1, in which the weights stopped being finite: those above are of the one before, or at the start.
    pub diverged: Option<usize>,
}

/// The hyperparameters of a perceptron.
#[derive(Debug, Clone, PartialEq)]
pub struct PerceptronConfig {
    /// Step size of a correction.
    pub learning_rate: f32,
    /// Passes over the training rows after which training stops.
    pub max_iterations: usize,
    /// Training goes on while the error is above this.
    pub tolerance: f64,
    /// Seed of the initial weights and of the order of the rows.
    pub seed: u64,
}

/// Called with the number of each iteration, from 1, and its error; training stops if it returns `false`.
pub type Callback<'a> = &'a dyn Fn(usize, f64) -> bool;

/// A learning rule: one pass over the rows of x in the given order, from the weights of the pass before.
pub trait Rule {
    /// Corrects `w` and `b` in one pass over the rows of `x`, labels `y`, visited in `order`.
    fn pass(&mut self, x: &ByteMatrix, y: &[i8], order: &[u32], w: &mut [f32], b: &mut f32);

    /// The weights to predict with, given those that the last pass ended with and a function that tells the share of
    /// training rows which weights misclassify; with their error.
    fn answer(&mut self, w: &[f32], b: f32, error: &dyn Fn(&[f32], f32) -> f64) -> (Vec<f32>, f32, f64) {
        (w.to_vec(), b, error(w, b))
    }
}

/// Trains a perceptron on the rows of `x`, shape [n, m], with labels `y`, shape `[n]`, each −1 or 1.
///
/// Weights and bias start uniform in [0, 1). An iteration is one pass over the rows in a new random order; its error is the
/// share of rows misclassified after the pass. Training stops when the error is no larger than the tolerance, after the last
/// iteration allowed, or when the weights are no longer finite, in which case those before that iteration are returned.
/// `callback` is called for every iteration whose weights are finite.
///
/// ```
/// use inkling_engine::perceptron::{PerceptronConfig, online, predict};
/// use inkling_engine::{Affine, ByteMatrix};
///
/// // Four images of two pixels: the first pixel is the lighter one of class 1.
/// let x = ByteMatrix::new(&[200, 10, 250, 90, 30, 220, 5, 120], 2, Affine::SIGNED_UNIT);
/// let y = [1, 1, -1, -1];
/// let config = PerceptronConfig { learning_rate: 0.1, max_iterations: 100, tolerance: 0.0, seed: 1 };
/// let fit = online(&x, &y, &config, &|_iteration, _error| true);
/// assert_eq!(predict(&x, &fit.w, fit.b), y);
/// ```
///
/// # Panics
/// If `x` has no rows, or `y` has another number of labels.
pub fn optimize(
    x: &ByteMatrix,
    y: &[i8],
    config: &PerceptronConfig,
    mut rule: impl Rule,
    callback: Callback,
) -> Fit {
    assert!(x.rows() == y.len() && !y.is_empty(), "a label for every row, and at least one");
    let mut initial = RngStream::new(config.seed, "perceptron/initial");
    let mut orders = RngStream::new(config.seed, "perceptron/order");
    let mut w: Vec<f32> = (0..x.columns()).map(|_| initial.uniform()).collect();
    let mut b = initial.uniform();
    let mut order: Vec<u32> = (0..u32::try_from(x.rows()).expect("fewer than 2³² rows")).collect();
    let error = |w: &[f32], b: f32| misclassified(x, y, w, b) as f64 / x.rows() as f64;

    let mut fit = Fit { w: w.clone(), b, errors: Vec::new(), diverged: None };
    let finite = |w: &[f32], b: f32| b.is_finite() && w.iter().all(|w| w.is_finite());
    while fit.errors.len() < config.max_iterations {
        orders.shuffle(&mut order);
        rule.pass(x, y, &order, &mut w, &mut b);
        let (answer_w, answer_b, answer_error) = rule.answer(&w, b, &error);
        if !finite(&w, b) || !finite(&answer_w, answer_b) {
            fit.diverged = Some(fit.errors.len() + 1);
            break;
        }
        (fit.w, fit.b) = (answer_w, answer_b);
        fit.errors.push(answer_error);
        let go_on = callback(fit.errors.len(), answer_error);
        if answer_error <= config.tolerance || !go_on {
            break;
        }
    }
    fit
}

/// Rosenblatt's online rule: correct the weights at every wrong answer, predict with the last ones.
pub fn online(x: &ByteMatrix, y: &[i8], config: &PerceptronConfig, callback: Callback) -> Fit {
    optimize(x, y, config, Online { rate: config.learning_rate }, callback)
}

struct Online {
    rate: f32,
}

impl Rule for Online {
    fn pass(&mut self, x: &ByteMatrix, y: &[i8], order: &[u32], w: &mut [f32], b: &mut f32) {
        correct_each(x, y, order, self.rate, w, b, |_, _, _| ());
    }
}

/// One pass of Rosenblatt's rule: w ← w + η·y·x and b ← b + η·y wherever the answer is wrong. `corrected`
/// hears each correction: its place in the order, its step ±η and the row's index.
fn correct_each(
    x: &ByteMatrix,
    y: &[i8],
    order: &[u32],
    rate: f32,
    w: &mut [f32],
    b: &mut f32,
    mut corrected: impl FnMut(usize, f32, usize),
) {
    for (place, &i) in order.iter().enumerate() {
        let i = i as usize;
        if predict_one(x, i, w, *b) != y[i] {
            let step = rate * f32::from(y[i]);
            x.axpy(i, step, w);
            *b += step;
            corrected(place, step, i);
        }
    }
}

/// Number of rows of `x` whose prediction is not their label in `y`.
pub fn misclassified(x: &ByteMatrix, y: &[i8], w: &[f32], b: f32) -> usize {
    predict(x, w, b).iter().zip(y).filter(|(prediction, label)| prediction != label).count()
}

/// Trains one network for every two of `classes` classes, in parallel, with whatever `optimize` it is given: a function
/// of the pair (a, b), a < b. Results come in lexicographic order of the pairs, whatever the number of threads.
///
/// # Panics
/// If there are more than 256 classes: labels are bytes.
pub fn one_vs_one<T: Send>(classes: usize, optimize: impl Fn(u8, u8) -> T + Sync) -> Vec<T> {
    assert!(classes <= 256, "labels are bytes");
    let all = || (0..=u8::MAX).take(classes);
    let pairs: Vec<(u8, u8)> =
        all().flat_map(|a| all().filter(move |&b| b > a).map(move |b| (a, b))).collect();
    // Pairs differ a thousandfold in how long they train: hand them out one at a time.
    pairs.into_par_iter().with_max_len(1).map(|(a, b)| optimize(a, b)).collect()
}

#[cfg(test)]
mod tests;
