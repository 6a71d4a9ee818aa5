//! Tests of the perceptron: Rosenblatt's rule by hand, convergence where a line separates, and each rule's promise.

use proptest::prelude::*;

use super::*;
use crate::Affine;

const SETTINGS: PerceptronConfig =
    PerceptronConfig { learning_rate: 0.1, max_iterations: 1000, tolerance: 0.0, seed: 1 };
/// Bytes as points in [−1, 1]^m.
const AFFINE: Affine = Affine { factor: 1.0 / 127.5, shift: -1.0 };
/// Bytes as they are.
const PLAIN: Affine = Affine { factor: 1.0, shift: 0.0 };

fn silent(_: usize, _: f64) -> bool {
    true
}

/// Points of the plane labelled by a line, at least `margin` away from it; a share of labels is flipped.
fn points(count: usize, margin: f32, flipped: f32, seed: u64) -> (Vec<u8>, Vec<i8>) {
    let mut stream = RngStream::new(seed, "test/points");
    let (mut bytes, mut y) = (Vec::new(), Vec::new());
    while y.len() < count {
        let point = [stream.random_range(256) as u8, stream.random_range(256) as u8];
        let [px, py] = point.map(|p| f32::from(p) / 127.5 - 1.0);
        let side = 0.8 * px - 0.6 * py + 0.1;
        if side.abs() >= margin {
            bytes.extend(point);
            let label = if side > 0.0 { 1 } else { -1 };
            y.push(if stream.uniform() < flipped { -label } else { label });
        }
    }
    (bytes, y)
}

/// Rosenblatt's rule as a textbook writes it, on numbers rather than bytes.
struct Plain {
    rate: f32,
}

impl Plain {
    fn row(&self, x: &[f32], y: i8, w: &mut [f32], b: &mut f32) {
        let sum: f32 = x.iter().zip(&*w).map(|(x, w)| x * w).sum();
        if (if sum + *b >= 0.0 { 1 } else { -1 }) != y {
            for (w, x) in w.iter_mut().zip(x) {
                *w += self.rate * f32::from(y) * x;
            }
            *b += self.rate * f32::from(y);
        }
    }
}

fn numbers(x: &ByteMatrix, i: u32) -> Vec<f32> {
    x.bytes(i as usize).iter().map(|&p| f32::from(p) * (1.0_f64 / 127.5) as f32 - 1.0).collect()
}

impl Rule for Plain {
    fn pass(&mut self, x: &ByteMatrix, y: &[i8], order: &[u32], w: &mut [f32], b: &mut f32) {
        for &i in order {
            self.row(&numbers(x, i), y[i as usize], w, b);
        }
    }
}

#[test]
fn predict_takes_the_sign_and_counts_zero_as_one() {
    let x = ByteMatrix::new(&[1, 2, 1, 0, 0, 1], 2, PLAIN);
    assert_eq!(predict(&x, &[1.0, -1.0], 0.5), [-1, 1, -1]);
    assert_eq!(predict(&x, &[1.0, -1.0], 1.0), [1, 1, 1]);
}

#[test]
fn one_online_pass_is_what_the_rule_says() {
    // From w = 0, b = 0: row 0 is answered 1 and should be −1, so w = (−1, −2)·0.5, b = −0.5; row 1 is then answered −1
    // and should be 1, so w gains (3, 1)·0.5, b gains 0.5.
    let (mut w, mut b) = ([0.0, 0.0], 0.0);
    Plain { rate: 0.5 }.row(&[1.0, 2.0], -1, &mut w, &mut b);
    Plain { rate: 0.5 }.row(&[3.0, 1.0], 1, &mut w, &mut b);
    assert_eq!((w, b), ([1.0, -0.5], 0.0));
    // The library's rule goes the same way as the plain one, from random weights and over many passes.
    let config = PerceptronConfig { learning_rate: 0.5, max_iterations: 20, ..SETTINGS };
    let (bytes, y) = points(50, 0.0, 0.2, 4);
    let x = ByteMatrix::new(&bytes, 2, AFFINE);
    assert_eq!(online(&x, &y, &config, &silent), optimize(&x, &y, &config, Plain { rate: 0.5 }, &silent));
}

#[test]
fn online_converges_where_a_line_separates() {
    let (bytes, y) = points(500, 0.05, 0.0, 2);
    let x = ByteMatrix::new(&bytes, 2, AFFINE);
    let fit = online(&x, &y, &SETTINGS, &silent);
    assert_eq!(misclassified(&x, &y, &fit.w, fit.b), 0);
    assert!(fit.errors.len() < SETTINGS.max_iterations);
    assert_eq!(*fit.errors.last().unwrap(), 0.0);
}

#[test]
fn progress_hears_every_iteration_the_last_one_too() {
    let (bytes, y) = points(200, 0.05, 0.0, 8);
    let heard = std::cell::RefCell::new(Vec::new());
    let fit = online(&ByteMatrix::new(&bytes, 2, AFFINE), &y, &SETTINGS, &|_, error| {
        heard.borrow_mut().push(error);
        true
    });
    assert_eq!(heard.into_inner(), fit.errors);
}

#[test]
fn training_stops_at_the_tolerance_and_after_the_last_iteration() {
    let (bytes, y) = points(500, 0.0, 0.1, 3);
    let x = ByteMatrix::new(&bytes, 2, AFFINE);
    let fit = online(&x, &y, &PerceptronConfig { max_iterations: 7, ..SETTINGS }, &silent);
    assert_eq!(fit.errors.len(), 7);
    let fit = pocket(&x, &y, &PerceptronConfig { tolerance: 0.3, ..SETTINGS }, &silent);
    let (last, before) = fit.errors.split_last().unwrap();
    assert!(*last <= 0.3 && before.iter().all(|error| *error > 0.3));
}

#[test]
fn pocket_never_gets_worse_and_reports_the_weights_it_keeps() {
    let (bytes, y) = points(400, 0.0, 0.15, 5);
    let x = ByteMatrix::new(&bytes, 2, AFFINE);
    let fit = pocket(&x, &y, &PerceptronConfig { max_iterations: 60, ..SETTINGS }, &silent);
    assert!(fit.errors.is_sorted_by(|a, b| a >= b));
    assert_eq!(misclassified(&x, &y, &fit.w, fit.b) as f64 / 400.0, *fit.errors.last().unwrap());
    let last_online = online(&x, &y, &PerceptronConfig { max_iterations: 60, ..SETTINGS }, &silent);
    let fewest = last_online.errors.iter().copied().fold(1.0, f64::min);
    assert_eq!(*fit.errors.last().unwrap(), fewest);
}

#[test]
fn averaged_predicts_with_the_mean_of_all_weights() {
    /// Keeps the sum of the weights after every row, as the definition has it.
    struct Mean {
        sum: Vec<f64>,
        sum_b: f64,
        seen: f64,
    }
    impl Rule for Mean {
        fn pass(&mut self, x: &ByteMatrix, y: &[i8], order: &[u32], w: &mut [f32], b: &mut f32) {
            for &i in order {
                Plain { rate: 0.1 }.row(&numbers(x, i), y[i as usize], w, b);
                for (sum, w) in self.sum.iter_mut().zip(&*w) {
                    *sum += f64::from(*w);
                }
                self.sum_b += f64::from(*b);
                self.seen += 1.0;
            }
        }
        fn answer(&mut self, _: &[f32], _: f32, error: &dyn Fn(&[f32], f32) -> f64) -> (Vec<f32>, f32, f64) {
            let w: Vec<f32> = self.sum.iter().map(|sum| (sum / self.seen) as f32).collect();
            let b = (self.sum_b / self.seen) as f32;
            let error = error(&w, b);
            (w, b, error)
        }
    }
    let (bytes, y) = points(300, 0.0, 0.1, 6);
    let x = ByteMatrix::new(&bytes, 2, AFFINE);
    let config = PerceptronConfig { max_iterations: 10, ..SETTINGS };
    let fast = averaged(&x, &y, &config, &silent);
    let plain = optimize(&x, &y, &config, Mean { sum: vec![0.0; 2], sum_b: 0.0, seen: 0.0 }, &silent);
    for (fast, plain) in fast.w.iter().chain([&fast.b]).zip(plain.w.iter().chain([&plain.b])) {
        assert!((fast - plain).abs() <= 1e-3 * plain.abs().max(0.1), "{fast} {plain}");
    }
}

#[test]
fn batch_moves_once_a_pass_by_the_mean_correction() {
    // Labels that contradict each other and a weight that answers both rows 1: one row is wrong, whatever the weights.
    let x = ByteMatrix::new(&[10, 10], 1, PLAIN);
    let fit =
        batch(&x, &[1, -1], &PerceptronConfig { max_iterations: 1, tolerance: 0.0, ..SETTINGS }, &silent);
    let mut initial = RngStream::new(1, "perceptron/initial");
    let (w, b) = (initial.uniform(), initial.uniform());
    assert!((fit.w[0] - (w - 0.1 * 10.0)).abs() < 1e-5 && (fit.b - (b - 0.1)).abs() < 1e-6);
}

#[test]
fn progress_can_end_training() {
    let (bytes, y) = points(200, 0.0, 0.2, 7);
    let fit = online(&ByteMatrix::new(&bytes, 2, AFFINE), &y, &SETTINGS, &|iteration, _| iteration < 3);
    assert_eq!(fit.errors.len(), 3);
}

#[test]
fn every_pair_is_in_order_and_independent_of_the_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            one_vs_one(4, |a, b| {
                let (bytes, y) = points(100, 0.0, 0.1, u64::from(a) * 10 + u64::from(b));
                let x = ByteMatrix::new(&bytes, 2, AFFINE);
                (a, b, online(&x, &y, &PerceptronConfig { max_iterations: 20, ..SETTINGS }, &silent))
            })
        })
    };
    let one = run(1);
    let pairs: Vec<(u8, u8)> = one.iter().map(|(a, b, _)| (*a, *b)).collect();
    assert_eq!(pairs, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]);
    for threads in [2, 3, 8] {
        assert_eq!(run(threads), one);
    }
}

proptest! {
    #[test]
    fn every_rule_stays_finite_and_reports_shares(
        rows in proptest::collection::vec((proptest::array::uniform3(0_u8..), proptest::bool::ANY), 1..30),
    ) {
        let bytes: Vec<u8> = rows.iter().flat_map(|(row, _)| *row).collect();
        let x = ByteMatrix::new(&bytes, 3, AFFINE);
        let y: Vec<i8> = rows.iter().map(|(_, label)| if *label { 1 } else { -1 }).collect();
        let config = PerceptronConfig { max_iterations: 30, ..SETTINGS };
        for optimize in [online, batch, averaged, pocket] {
            let fit = optimize(&x, &y, &config, &silent);
            prop_assert!(fit.w.iter().chain([&fit.b]).all(|w| w.is_finite()));
            prop_assert!(fit.errors.iter().all(|error| (0.0..=1.0).contains(error)));
            prop_assert!(!fit.errors.is_empty() && fit.errors.len() <= 30);
        }
    }
}

#[test]
fn weights_that_are_no_longer_finite_end_the_training_with_those_before() {
    let (bytes, y) = points(200, 0.0, 0.2, 6);
    let x = ByteMatrix::new(&bytes, 2, AFFINE);
    let config = PerceptronConfig { learning_rate: 3e38, max_iterations: 50, ..SETTINGS };
    for optimize in [online, batch, averaged, pocket] {
        let fit = optimize(&x, &y, &config, &silent);
        assert!(fit.w.iter().chain([&fit.b]).all(|w| w.is_finite()), "{fit:?}");
        assert!(fit.diverged.is_none_or(|pass| pass == fit.errors.len() + 1), "{fit:?}");
    }
    assert!(online(&x, &y, &config, &silent).diverged.is_some());
    assert_eq!(online(&x, &y, &PerceptronConfig { max_iterations: 5, ..SETTINGS }, &silent).diverged, None);
}

#[test]
fn two_hundred_and_fifty_six_classes_have_all_their_pairs() {
    let pairs = one_vs_one(256, |a, b| (a, b));
    assert_eq!((pairs.len(), pairs[0], pairs[32_639]), (256 * 255 / 2, (0, 1), (254, 255)));
    assert_eq!((one_vs_one(0, |_, _| ()).len(), one_vs_one(1, |_, _| ()).len()), (0, 0));
}
