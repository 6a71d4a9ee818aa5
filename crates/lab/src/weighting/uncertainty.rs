//! Weighting by uncertainty (Kendall, Gal and Cipolla 2018): for classification, Σ exp(−s_h)·L_h + s_h/2 with s_h = ln σ_h²
//! trained beside the network.
//!
//! For a constant loss the sum is least at exp(−s_h) = 1/(2·L_h): what is still uncertain counts less.

use super::adam::Adam;
use super::{GradDot, LossWeighting};

#[derive(Debug)]
pub(super) struct Uncertainty {
    /// The log-variances s.
    log_variances: Adam,
    learning_rate: f64,
    /// exp(−s).
    weights: Vec<f64>,
}

impl Uncertainty {
    /// Every s begins at zero, every weight at one.
    pub(super) fn new(heads: usize, learning_rate: f64) -> Uncertainty {
        let log_variances = Adam::new(vec![0.0; heads]);
        Uncertainty { log_variances, learning_rate, weights: vec![1.0; heads] }
    }

    fn weigh(&mut self) {
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
        self.weigh();
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.log_variances).expect("numbers are plain data")
    }

    fn restore(&mut self, state: &str) -> Result<(), serde_json::Error> {
        self.log_variances.restore(serde_json::from_str(state)?)?;
        self.weigh();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::weighting::usable;

    #[test]
    fn a_learning_rate_that_is_far_too_large_leaves_weights_that_are_known_to_be_of_no_use() {
        let mut weighting = Uncertainty::new(2, 10_000.0);
        assert!(usable(weighting.weights(), &[true, true]));
        weighting.update(&[2.3, 1.1], None);
        assert!(!usable(weighting.weights(), &[true, true]), "{:?}", weighting.weights());
        for weights in
            [[f64::NAN, 1.0], [f64::INFINITY, 1.0], [1e39, 1.0], [1e-40, 1.0], [0.0, 1.0], [-1.0, 1.0]]
        {
            assert!(!usable(&weights, &[true, true]) && usable(&weights, &[false, true]), "{weights:?}");
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
