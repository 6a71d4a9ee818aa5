//! Tests of the update of weights.

use super::*;
use crate::optimizers::{StepRule, step_rule};

const ADAM: inkling_schema::Optimizer =
    inkling_schema::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };

const SGD: inkling_schema::Optimizer = inkling_schema::Optimizer::Sgd { momentum: 0.9, nesterov: false };

fn begun(optimizer: &inkling_schema::Optimizer, step: u64, learning_rate: f64) -> Box<dyn StepRule> {
    let mut rule = step_rule(optimizer);
    rule.begin_step(step, learning_rate);
    rule
}

#[test]
fn rows_are_updated_as_runs_are() {
    let numbers = |seed: u32| -> Vec<f32> {
        (0..5 * NR as u32).map(|i| ((i * 37 + seed) % 101) as f32 / 100.0).collect()
    };
    let gradient: [Row; 2] = [[0.5; NR], [-0.25; NR]];
    for rule in [begun(&ADAM, 6, 1e-3), begun(&SGD, 6, 0.1)] {
        let rows_rule = rule.deferrable().unwrap();
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let [mut rows, mut runs] = [0; 2].map(|_| [1, 2, 3].map(numbers));
            let starts = [NR, 4 * NR];
            let [value, first, second] = &mut rows;
            rows_rule.update_rows(
                isa,
                &mut ParamState { value, first, second },
                TileRows::new(&starts),
                &gradient,
            );
            for (start, gradient) in starts.into_iter().zip(&gradient) {
                let [value, first, second] = runs.each_mut().map(|of| &mut of[start..start + NR]);
                rule.update(isa, ParamState { value, first, second }, gradient, true);
            }
            assert_eq!(rows, runs);
        }
    }
}

#[test]
#[should_panic(expected = "rows within the weights")]
fn a_row_beyond_the_weights_is_refused() {
    let [mut value, mut first, mut second] = [[0.0; 40]; 3];
    let mut weights = ParamState { value: &mut value, first: &mut first, second: &mut second };
    let rule = begun(&SGD, 1, 0.1);
    rule.deferrable().unwrap().update_rows(Isa::current(), &mut weights, TileRows::new(&[16]), &[[0.0; NR]]);
}

#[test]
fn denormal_numbers_become_zero_and_others_stay() {
    let tiny = f32::MIN_POSITIVE;
    for rule in [begun(&ADAM, 2000, 1e-3), begun(&SGD, 2000, 0.1)] {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let [mut value, mut first, mut second] = [[0.0_f32; 16]; 3];
            (value[0], first[0], second[0]) = (tiny / 2.0, tiny, tiny);
            (value[1], first[1], second[1]) = (1.0, 0.5, 0.25);
            (value[2], first[2]) = (f32::NAN, f32::NAN);
            let part = ParamState { value: &mut value, first: &mut first, second: &mut second };
            rule.update(isa, part, &[0.0; 16], true);
            assert!(value[0] == 0.0 && first[0] == 0.0, "{} {}", value[0], first[0]);
            assert!(second[0] == 0.0 || !rule.moments()[1]);
            assert!(value[1] < 1.0 && (first[1] - 0.45).abs() < 1e-6 && second[1] > 0.24);
            assert!(value[2].is_nan() && first[2].is_nan(), "NaN stays NaN");
        }
    }
}
