//! Weighting by uncertainty (Kendall, Gal and Cipolla 2018): for classification, Σ exp(−s_h)·L_h + s_h/2 with s_h = ln
//! σ_h² trained beside the network.
//!
//! For constant losses the sum is smallest at exp(−s_h) = 1/(2·L_h): a head with a larger loss has a smaller weight.

use super::adam::Adam;
use super::{GradDot, LossWeighting, StateError};

/// Weights exp(−s_h) with trained log-variances s_h = ln σ_h² (Kendall, Gal and Cipolla 2018). All losses are in nats.
#[derive(Debug)]
pub struct Uncertainty {
    /// The log-variances s.
    log_variances: Adam,
    learning_rate: f64,
    /// exp(−s).
    weights: Vec<f64>,
}

impl Uncertainty {
    /// Every s starts at zero, so every weight at one. `learning_rate` is that of Adam for the s.
    pub fn new(heads: usize, learning_rate: f64) -> Uncertainty {
        let log_variances = Adam::new(vec![0.0; heads]);
        Uncertainty { log_variances, learning_rate, weights: vec![1.0; heads] }
    }

    fn compute_weights(&mut self) {
        self.weights = self.log_variances.values.iter().map(|s| (-s).exp()).collect();
    }
}

/// Derivative of exp(−s)·L + s/2 by s.
fn gradient(weight: f64, loss: f64) -> f64 {
    0.5 - weight * loss
}

impl LossWeighting for Uncertainty {
    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn update(&mut self, losses: &[f64], _: Option<GradDot>) {
        let gradients: Vec<f64> =
            self.weights.iter().zip(losses).map(|(&weight, &loss)| gradient(weight, loss)).collect();
        self.log_variances.step(&gradients, self.learning_rate);
        self.compute_weights();
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.log_variances).expect("numbers are plain data")
    }

    fn restore(&mut self, state: &str) -> Result<(), StateError> {
        self.log_variances.restore(serde_json::from_str(state)?)?;
        self.compute_weights();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::weighting::are_usable;

    #[test]
    fn weights_that_a_far_too_large_learning_rate_leaves_are_not_usable() {
        let mut weighting = Uncertainty::new(2, 10_000.0);
        assert!(are_usable(weighting.weights(), &[true, true]));
        weighting.update(&[2.3, 1.1], None);
        assert!(!are_usable(weighting.weights(), &[true, true]), "{:?}", weighting.weights());
        for weights in
            [[f64::NAN, 1.0], [f64::INFINITY, 1.0], [1e39, 1.0], [1e-40, 1.0], [0.0, 1.0], [-1.0, 1.0]]
        {
            assert!(
                !are_usable(&weights, &[true, true]) && are_usable(&weights, &[false, true]),
                "{weights:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_gradient_is_that_of_the_objective(s in -3.0..3.0_f64, loss in 0.001..5.0_f64) {
            let objective = |s: f64| (-s).exp() * loss + s / 2.0;
            let differences = (objective(s + 1e-5) - objective(s - 1e-5)) / 2e-5;
            prop_assert!((gradient((-s).exp(), loss) - differences).abs() < 1e-7 * (1.0 + differences.abs()));
        }

        #[test]
        fn of_constant_losses_weights_go_to_half_their_inverse(a in 0.05..5.0_f64, b in 0.05..5.0_f64) {
            let mut weighting = Uncertainty::new(2, 0.01);
            for _ in 0..4000 {
                weighting.update(&[a, b], None);
            }
            for (weight, loss) in weighting.weights().iter().zip([a, b]) {
                // Adam comes as near as its step size.
                prop_assert!((weight * 2.0 * loss - 1.0).abs() < 0.02, "{weight} for {loss}");
            }
        }
    }
}
