//! Tests of the update of weights.

use proptest::prelude::*;

use super::*;
use crate::kernels::flush::flushing_denormals;

/// Numbers of every size, zeros of both signs and denormals among them.
fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        6 => (-1.0_f32..1.0, -44_i32..1).prop_map(|(x, exponent)| x * 10_f32.powi(exponent)),
        1 => prop_oneof![Just(0.0_f32), Just(-0.0), Just(f32::from_bits(1)), Just(-f32::MIN_POSITIVE)],
    ]
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

fn rules(count: usize, start: u64, optimizer: &inkling_spec::Optimizer) -> Vec<Rule> {
    (1..=count as u64).map(|i| crate::optimizer::rules(optimizer, start + i, 1e-3).weights).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn catching_up_gives_the_bits_of_step_after_step(
        value in proptest::collection::vec(number(), 48),
        first in proptest::collection::vec(number(), 48),
        second in proptest::collection::vec(number(), 48),
        (count, start, shrinking) in (0_usize..1200, 0_u64..3000, any::<bool>()),
        epsilon in prop_oneof![Just(1e-8), Just(1e-12), Just(0.1)],
    ) {
        let adam = inkling_spec::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon };
        let rules = rules(count, start, &adam);
        assert!(rules.windows(2).all(|pair| pair[1].shrinks(&pair[0])));
        let second: Vec<f32> = second.iter().map(|v| v.abs()).collect();
        for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
            let [mut stepped, mut caught_up] = [0; 2].map(|_| [value.clone(), first.clone(), second.clone()]);
            let mut seen_ahead = value.clone();
            flushing_denormals(|| {
                let [value, first, second] = &mut stepped;
                for rule in &rules {
                    Weights { value, first, second }.update(path, rule, &[0.0; 48]);
                }
                if rules.is_empty() {
                    return;
                }
                let [value, first, second] = &mut caught_up;
                // The weights go ahead by half of the steps, then by all.
                let (some, others) = rules.split_at(rules.len().div_ceil(2));
                let go = |value: &mut [f32], rules, by| ahead(path, value, [first, second], Steps { rules, ahead: by, shrinking });
                go(&mut seen_ahead, some, 0);
                let mut halfway = seen_ahead.clone();
                go(&mut seen_ahead, &rules, some.len());
                if rules.len().is_multiple_of(2) {
                    // They stay ahead when the moments follow.
                    std::mem::swap(value, &mut halfway);
                    let steps = Steps { rules: &rules, ahead: some.len(), shrinking };
                    Weights { value, first, second }.catch_up(path, Debt::Steps(steps));
                    return;
                }
                // Half of the steps, and if then the weights stand still, nothing but decay.
                let mut weights = Weights { value, first, second };
                let is_still = weights.catch_up(path, Debt::Steps(Steps { rules: some, ahead: 0, shrinking }));
                assert!(shrinking || !is_still);
                let debt = match others {
                    _ if is_still => Debt::Decay { rule: some[0], steps: others.len() as u32 },
                    _ => Debt::Steps(Steps { rules: others, ahead: 0, shrinking }),
                };
                if !others.is_empty() {
                    weights.catch_up(path, debt);
                }
            });
            prop_assert_eq!(bits(&seen_ahead), bits(&caught_up[0]));
            for (stepped, caught_up) in stepped.iter().flatten().zip(caught_up.iter().flatten()) {
                // What is no number has many bit patterns.
                let same = stepped.to_bits() == caught_up.to_bits() || (stepped.is_nan() && caught_up.is_nan());
                prop_assert!(same, "{} {} after {} steps with {}", stepped, caught_up, count, path.name());
            }
        }
    }
}

#[test]
fn rows_are_updated_as_runs_are() {
    let numbers = |seed: u32| -> Vec<f32> {
        (0..5 * COLUMNS as u32).map(|i| ((i * 37 + seed) % 101) as f32 / 100.0).collect()
    };
    let gradient: [Row; 2] = [[0.5; COLUMNS], [-0.25; COLUMNS]];
    let adam = inkling_spec::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
    for rule in [rules(1, 5, &adam)[0], Rule::Sgd { momentum: 0.9, rate: 0.1 }] {
        for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
            let [mut rows, mut runs] = [0; 2].map(|_| [1, 2, 3].map(numbers));
            let starts = [COLUMNS, 4 * COLUMNS];
            let [value, first, second] = &mut rows;
            Weights { value, first, second }.update_rows(path, &rule, &starts, &gradient);
            for (start, gradient) in starts.into_iter().zip(&gradient) {
                let [value, first, second] = runs.each_mut().map(|of| &mut of[start..start + COLUMNS]);
                Weights { value, first, second }.update(path, &rule, gradient);
            }
            assert_eq!(rows, runs);
        }
    }
}

#[test]
#[should_panic(expected = "rows within the weights")]
fn a_row_beyond_the_weights_is_refused() {
    let [mut value, mut first, mut second] = [[0.0; 40]; 3];
    let mut weights = Weights { value: &mut value, first: &mut first, second: &mut second };
    let rule = Rule::Sgd { momentum: 0.0, rate: 0.1 };
    weights.update_rows(Path::current(), &rule, &[16], &[[0.0; COLUMNS]]);
}
