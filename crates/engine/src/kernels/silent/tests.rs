//! Tests of combined silent steps against single steps in f64.

use inkling_schema::Optimizer;

use super::*;
use crate::optimizers::step_rule;
use crate::optimizers::tests::Scalar;

/// Optimisers whose windows have several steps, followed by some whose v falls so fast that windows have a single step.
const OPTIMIZERS: [Optimizer; 13] = [
    Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
    Optimizer::Adam { beta_1: 0.99, beta_2: 0.99, epsilon: 1e-8 },
    Optimizer::Adam { beta_1: 0.5, beta_2: 0.9999, epsilon: 1e-4 },
    Optimizer::AdamW { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-6, weight_decay: 0.1 },
    Optimizer::AdamW { beta_1: 0.0, beta_2: 0.995, epsilon: 1e-8, weight_decay: 1e-3 },
    Optimizer::Sgd { momentum: 0.9, nesterov: false },
    Optimizer::Sgd { momentum: 0.0, nesterov: false },
    Optimizer::Sgd { momentum: 0.9, nesterov: true },
    Optimizer::Adam { beta_1: 0.9, beta_2: 0.0, epsilon: 1e-8 },
    Optimizer::Adam { beta_1: 0.0, beta_2: 0.0, epsilon: 1.0 },
    Optimizer::AdamW { beta_1: 0.9, beta_2: 0.0, epsilon: 1e-8, weight_decay: 0.1 },
    Optimizer::Adam { beta_1: 0.9, beta_2: 1e-10, epsilon: 1.0 },
    Optimizer::Adam { beta_1: 0.9, beta_2: 1.2e-38, epsilon: 1e-8 },
];

/// Learning rates of four kinds: constant, falling, growing, and zero at times.
fn rate(kind: usize, step: u64) -> f64 {
    match kind {
        0 => 1e-3,
        1 => 1e-2 / step as f64,
        2 => 1e-5 * (1.0 + step as f64).sqrt(),
        _ => {
            if step.is_multiple_of(5) {
                0.0
            } else {
                2e-3
            }
        }
    }
}

/// A weight and its moments after a step with a zero gradient, by the definition in f64.
fn step([value, first, second]: [f64; 3], t: u64, optimizer: &Optimizer, rate: f64) -> [f64; 3] {
    let mut weight = Scalar { value, first, second, is_open: false };
    weight.step(t as i32, 0.0, optimizer, rate);
    [weight.value, weight.first, weight.second]
}

/// The silent step of an optimiser.
fn silent_step(optimizer: &Optimizer, step: u64, learning_rate: f64) -> SilentStep {
    let mut rule = step_rule(optimizer);
    rule.begin_step(step, learning_rate);
    rule.deferrable().expect("steps that can wait").silent_step()
}

/// All windows of the first thousands of steps, for weights whose first deferred step is any step of a window. The
/// relative error of the move is at most 2e-4 and, from √v = 100·ε on, where nearly all weights are, no larger than the
/// rounding of f32.
#[test]
fn steps_at_once_move_weights_within_the_bound() {
    for optimizer in &OPTIMIZERS {
        let epsilon = match *optimizer {
            Optimizer::Adam { epsilon, .. } | Optimizer::AdamW { epsilon, .. } => epsilon,
            _ => 0.0,
        };
        for kind in 0..4 {
            let mut sums: Vec<(u64, SilentSums)> = Vec::new();
            for t in 1..=4200 {
                let silent = silent_step(optimizer, t, rate(kind, t));
                sums.push((t, SilentSums::NONE));
                let mut steps: Vec<(u64, SilentSteps)> = Vec::new();
                sums.iter_mut().for_each(|(first, sums)| steps.push((*first, sums.then(&silent))));
                if !t.is_multiple_of(step_rule(optimizer).window(t)) {
                    continue;
                }
                sums.clear();
                for &(first, ref steps) in steps.iter().step_by(if t < 300 { 1 } else { 7 }) {
                    check(optimizer, kind, first..t + 1, epsilon, steps);
                }
            }
        }
    }
}

/// Checks rows whose second moments range from zero to large ones.
fn check(
    optimizer: &Optimizer,
    kind: usize,
    window: std::ops::Range<u64>,
    epsilon: f64,
    steps: &SilentSteps,
) {
    let roots: Vec<f32> =
        (0..NR).map(|i| if i == 0 { 0.0 } else { 1e-12 * 2.5_f32.powi(i as i32) }).collect();
    let is_adam = !matches!(optimizer, Optimizer::Sgd { .. });
    let mut value = [0.0; NR];
    let mut first: Vec<f32> = roots.iter().map(|r| 0.3 * r.max(1e-9)).collect();
    let mut second: Vec<f32> = roots.iter().map(|r| if is_adam { r * r } else { 0.0 }).collect();
    let before: Vec<[f64; 3]> = (0..NR).map(|i| [0.0, first[i].into(), second[i].into()]).collect();
    let mut weights = ParamState { value: &mut value, first: &mut first, second: &mut second };
    weights.catch_up(Isa::current(), std::iter::once((0, steps)));
    for (i, before) in before.into_iter().enumerate() {
        let exact = window.clone().fold(before, |state, t| step(state, t, optimizer, rate(kind, t)));
        let root = before[2].sqrt();
        let bound = if is_adam && root < 100.0 * epsilon { 2e-4 } else { 2e-6 };
        let found = [value[i], first[i], second[i]].map(f64::from);
        for (what, bound) in [bound, 2e-6, 4e-6].into_iter().enumerate() {
            let error = (found[what] - exact[what]).abs();
            assert!(
                error <= bound * exact[what].abs() + 1e-37,
                "{optimizer:?}, steps {window:?}, root {root}: {found:?} for {exact:?}"
            );
        }
    }
}

#[test]
fn weights_decay_while_they_wait() {
    let optimizer = OPTIMIZERS[3];
    let (mut sums, mut steps, mut exact) = (SilentSums::NONE, None, [1.0, 0.0, 0.0]);
    for t in 1001..=1064 {
        steps = Some(sums.then(&silent_step(&optimizer, t, 1e-3)));
        exact = step(exact, t, &optimizer, 1e-3);
    }
    let [mut value, mut first, mut second] = [[1.0_f32; NR], [0.0; NR], [0.0; NR]];
    let mut weights = ParamState { value: &mut value, first: &mut first, second: &mut second };
    weights.catch_up(Isa::current(), std::iter::once((0, &steps.expect("64 steps"))));
    assert!((f64::from(value[5]) - exact[0]).abs() < 1e-7);
}

#[test]
fn paths_agree_and_reading_leaves_rows_as_they_are() {
    let mut sums = SilentSums::NONE;
    let steps = (900..930).map(|t| sums.then(&silent_step(&OPTIMIZERS[3], t, 1e-3))).last().expect("steps");
    let numbers = |seed: u32| -> Vec<f32> {
        (0..3 * NR as u32).map(|i| ((i * 37 + seed) % 101) as f32 / 100.0).collect()
    };
    let mut fused: Vec<Vec<f32>> = Vec::new();
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        let [mut value, mut first, mut second] = [1, 2, 3].map(numbers);
        let mut read = [[0.0; NR]; 2];
        let rows = [(2 * NR, Some(&steps)), (0, None)];
        read_rows(isa, [&value, &first, &second], rows.into_iter(), &mut read);
        let mut weights = ParamState { value: &mut value, first: &mut first, second: &mut second };
        weights.catch_up(isa, std::iter::once((2 * NR, &steps)));
        assert_eq!(read[0], value[2 * NR..]);
        assert_eq!(read[1], numbers(1)[..NR]);
        assert_eq!(value[..2 * NR], numbers(1)[..2 * NR]);
        if isa != Isa::Portable {
            fused.push([value, first, second].concat());
        }
    }
    assert!(fused.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
#[should_panic(expected = "range end index")]
fn a_row_beyond_the_weights_is_refused() {
    let steps = SilentSums::NONE.clone().then(&silent_step(&OPTIMIZERS[5], 1, 0.1));
    let [mut value, mut first, mut second] = [[0.0; 40]; 3];
    let mut weights = ParamState { value: &mut value, first: &mut first, second: &mut second };
    weights.catch_up(Isa::current(), std::iter::once((16, &steps)));
}
