//! GradNorm: weighting by gradient norms (Chen, Badrinarayanan, Lee and Rabinovich 2018).
//!
//! On the last shared layer, the norm G_h = w_h·‖∇L_h‖ is to be mean(G)·r_h^α. Here r_h is the head's loss relative to
//! its first loss, L_h / L_h(0), divided by the mean of these ratios over the heads: heads that learn slowly get larger
//! gradients. Each step of Adam decreases Σ |G_h − target_h| with the targets held fixed; the weights are then scaled
//! to sum to the number of heads.

use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::{GradDot, LossWeighting, StateError};
use crate::task_gradients::TrunkScope;

/// The smallest weight before scaling. The paper lets weights become negative, and then a head's loss would be
/// increased.
const FLOOR: f64 = 1e-3;

/// Weights trained so that the weighted gradient norms follow the heads' relative training rates (Chen et al. 2018).
#[derive(Debug)]
pub struct GradNorm {
    alpha: f64,
    learning_rate: f64,
    state: State,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    weights: Adam,
    /// Each head's loss at the first step, L_h(0); empty before it.
    first_losses: Vec<f64>,
}

impl GradNorm {
    /// Every weight starts at one. `alpha` is the strength α with which slowly learning heads are favoured, and
    /// `learning_rate` that of Adam for the weights.
    pub fn new(heads: usize, alpha: f64, learning_rate: f64) -> GradNorm {
        let state = State { weights: Adam::new(vec![1.0; heads]), first_losses: Vec::new() };
        GradNorm { alpha, learning_rate, state }
    }
}

/// What each G_h should be, for weights, gradient norms ‖∇L_h‖, losses and first losses.
fn targets(weights: &[f64], norms: &[f64], losses: &[f64], first: &[f64], alpha: f64) -> Vec<f64> {
    let heads = weights.len() as f64;
    let mean_norm = weights.iter().zip(norms).map(|(weight, norm)| weight * norm).sum::<f64>() / heads;
    // A loss that was zero at the first step cannot decrease.
    let share = |(loss, first): (&f64, &f64)| if *first > 0.0 { loss / first } else { 1.0 };
    let shares: Vec<f64> = losses.iter().zip(first).map(share).collect();
    let mean_share = shares.iter().sum::<f64>() / heads;
    // Where no head has a loss left, all learn alike.
    let rate = |share: &f64| if mean_share > 0.0 { share / mean_share } else { 1.0 };
    shares.iter().map(|share| mean_norm * rate(share).powf(alpha).min(f64::MAX)).collect()
}

/// Derivative of Σ |w_h·norm_h − target_h| by each weight, the targets held fixed.
fn gradients(weights: &[f64], norms: &[f64], targets: &[f64]) -> Vec<f64> {
    let each = weights.iter().zip(norms).zip(targets);
    each.map(|((weight, norm), target)| {
        let gap = weight * norm - target;
        // Not `signum`, which is one at zero.
        if gap == 0.0 { 0.0 } else { gap.signum() * norm }
    })
    .collect()
}

impl LossWeighting for GradNorm {
    fn weights(&self) -> &[f64] {
        &self.state.weights.values
    }

    fn gradient_scope(&self) -> Option<TrunkScope> {
        Some(TrunkScope::Last)
    }

    fn update(&mut self, losses: &[f64], grad_dot: Option<GradDot>) {
        let grad_dot = grad_dot.expect("this method compares gradients");
        let State { weights, first_losses } = &mut self.state;
        if first_losses.is_empty() {
            first_losses.extend(losses);
        }
        let norms: Vec<f64> = (0..losses.len()).map(|head| grad_dot(head, head).sqrt()).collect();
        let targets = targets(&weights.values, &norms, losses, first_losses, self.alpha);
        let gradients = gradients(&weights.values, &norms, &targets);
        weights.step(&gradients, self.learning_rate);
        weights.values.iter_mut().for_each(|weight| *weight = weight.max(FLOOR));
        let scale = losses.len() as f64 / weights.values.iter().sum::<f64>();
        weights.values.iter_mut().for_each(|weight| *weight *= scale);
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.state).expect("numbers are plain data")
    }

    fn restore(&mut self, state: &str) -> Result<(), StateError> {
        let kept: State = serde_json::from_str(state)?;
        let heads = self.state.weights.values.len();
        if ![0, heads].contains(&kept.first_losses.len()) {
            return Err(StateError::OtherHeads { lengths: vec![kept.first_losses.len()], heads });
        }
        self.state.weights.restore(kept.weights)?;
        self.state.first_losses = kept.first_losses;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn three(range: std::ops::Range<f64>) -> impl Strategy<Value = Vec<f64>> {
        proptest::collection::vec(range, 3)
    }

    proptest! {
        #[test]
        fn the_gradient_is_that_of_the_objective(
            weights in three(0.2..2.0), norms in three(0.1..4.0), losses in three(0.05..3.0),
            first in three(0.5..3.0), alpha in 0.0..2.5_f64,
        ) {
            // The objective as the paper writes it, its targets constants.
            let mean = (0..3).map(|h| weights[h] * norms[h]).sum::<f64>() / 3.0;
            let share = |h: usize| losses[h] / first[h];
            let rate = |h: usize| share(h) / ((share(0) + share(1) + share(2)) / 3.0);
            let fixed: Vec<f64> = (0..3).map(|h| mean * rate(h).powf(alpha)).collect();
            let objective = |weights: &[f64]| -> f64 {
                (0..3).map(|h| (weights[h] * norms[h] - fixed[h]).abs()).sum()
            };
            let found = targets(&weights, &norms, &losses, &first, alpha);
            let gradients = gradients(&weights, &norms, &found);
            for h in 0..3 {
                prop_assert!((found[h] - fixed[h]).abs() < 1e-9 * (1.0 + fixed[h]));
                // Across the corner of |·| differences say nothing.
                prop_assume!((weights[h] * norms[h] - fixed[h]).abs() > 1e-4);
                let moved = |by: f64| {
                    let mut weights = weights.clone();
                    weights[h] += by;
                    objective(&weights)
                };
                let differences = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                prop_assert!((gradients[h] - differences).abs() < 1e-5, "{} {differences}", gradients[h]);
            }
        }

        #[test]
        fn weights_stay_positive_and_sum_to_the_number_of_heads(
            steps in proptest::collection::vec((three(0.001..9.0), three(0.001..9.0)), 1..60),
        ) {
            let mut weighting = GradNorm::new(3, 1.5, 0.3);
            for (norms, losses) in steps {
                let grad_dot = |a: usize, b: usize| norms[a] * norms[b];
                weighting.update(&losses, Some(&grad_dot));
                let weights = weighting.weights();
                prop_assert!(weights.iter().all(|weight| *weight > 0.0), "{weights:?}");
                prop_assert!((weights.iter().sum::<f64>() - 3.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn of_constant_norms_and_rates_weighted_norms_become_equal() {
        let mut weighting = GradNorm::new(2, 1.0, 0.001);
        let grad_dot = |a: usize, b: usize| [1.0, 3.0][a] * [1.0, 3.0][b];
        for _ in 0..6000 {
            weighting.update(&[2.0, 1.0], Some(&grad_dot));
        }
        let weights = weighting.weights();
        assert!((weights[0] - 1.5).abs() < 0.01 && (weights[1] - 0.5).abs() < 0.01, "{weights:?}");
        // The second head's loss has come down to a tenth, the first one's not at all.
        for _ in 0..6000 {
            weighting.update(&[2.0, 0.1], Some(&grad_dot));
        }
        let weights = weighting.weights();
        assert!((weights[0] / (3.0 * weights[1]) - 10.0).abs() < 0.5, "{weights:?}");
    }

    #[test]
    fn extreme_hyperparameters_losses_and_gradients_leave_weights_that_are_numbers() {
        for (alpha, rate) in [(1000.0, 10.0), (3e38, 3e38), (0.0, 1e-38), (1.2e-38, 1e9)] {
            for losses in [[0.0, 0.0], [0.0, 2.3], [1e-300, 1e300], [2.3, 2.3]] {
                for norms in [[0.0, 0.0], [0.0, 1.0], [1e-20, 1e20], [1e100, 1e100]] {
                    let mut weighting = GradNorm::new(2, alpha, rate);
                    let grad_dot = |a: usize, b: usize| norms[a] * norms[b];
                    for losses in [losses, [losses[1], losses[0]], losses] {
                        weighting.update(&losses, Some(&grad_dot));
                        let weights = weighting.weights();
                        let held = weights.iter().all(|weight| weight.is_finite() && *weight > 0.0);
                        assert!(held, "{alpha} {rate} {losses:?} {norms:?}: {weights:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_state_comes_back_with_its_first_losses() {
        let mut first = GradNorm::new(2, 1.5, 0.01);
        let grad_dot = |a: usize, b: usize| [1.0, 3.0][a] * [1.0, 3.0][b];
        first.update(&[2.3, 1.1], Some(&grad_dot));
        let mut second = GradNorm::new(2, 1.5, 0.01);
        second.restore(&first.state()).unwrap();
        for weighting in [&mut first, &mut second] {
            weighting.update(&[1.0, 1.0], Some(&grad_dot));
        }
        assert_eq!(first.state(), second.state());
        assert!(GradNorm::new(3, 1.5, 0.01).restore(&first.state()).is_err());
    }
}
