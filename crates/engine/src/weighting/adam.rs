//! Adam for the few numbers that a weighting trains, in f64 (Kingma and Ba 2015).

use serde::{Deserialize, Serialize};

use super::StateError;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The numbers and their moments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Adam {
    pub(super) values: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
    steps: i32,
}

impl Adam {
    pub(super) fn new(values: Vec<f64>) -> Adam {
        let zeros = vec![0.0; values.len()];
        Adam { first: zeros.clone(), second: zeros, values, steps: 0 }
    }

    /// One step against `gradient`. A gradient that is not finite is skipped; what caused it shows in a loss.
    pub(super) fn step(&mut self, gradient: &[f64], learning_rate: f64) {
        if gradient.iter().any(|g| !g.is_finite()) {
            return;
        }
        self.steps = self.steps.saturating_add(1);
        let (correction_1, correction_2) = (1.0 - BETA_1.powi(self.steps), 1.0 - BETA_2.powi(self.steps));
        for (i, g) in gradient.iter().enumerate() {
            self.first[i] = BETA_1 * self.first[i] + (1.0 - BETA_1) * g;
            self.second[i] = BETA_2 * self.second[i] + (1.0 - BETA_2) * g * g;
            let root = (self.second[i] / correction_2).sqrt() + EPSILON;
            self.values[i] -= learning_rate * (self.first[i] / correction_1) / root;
        }
    }

    /// Continues from a state that was kept, if it has as many numbers.
    pub(super) fn restore(&mut self, kept: Adam) -> Result<(), StateError> {
        let lengths = [kept.values.len(), kept.first.len(), kept.second.len()];
        let heads = self.values.len();
        if lengths != [heads; 3] {
            return Err(StateError::OtherHeads { lengths: lengths.to_vec(), heads });
        }
        *self = kept;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_learning_rate_and_a_parabola_is_descended() {
        let mut adam = Adam::new(vec![3.0, -1.0]);
        adam.step(&[5.0, -0.01], 0.1);
        assert!((adam.values[0] - 2.9).abs() < 1e-6 && (adam.values[1] + 0.9).abs() < 1e-6, "{adam:?}");
        for _ in 0..3000 {
            let gradient = [adam.values[0] - 1.0, adam.values[1] - 1.0];
            adam.step(&gradient, 0.01);
        }
        assert!(adam.values.iter().all(|value| (value - 1.0).abs() < 1e-6), "{adam:?}");
        let before = adam.clone();
        adam.step(&[f64::NAN, 1.0], 0.1);
        assert_eq!(adam, before);
    }

    #[test]
    fn a_state_comes_back_to_the_bit_and_another_is_refused() {
        let mut adam = Adam::new(vec![0.0, 0.0]);
        adam.step(&[0.1 + 0.2, 1.0 / 3.0], 0.0137);
        let state = serde_json::to_string(&adam).unwrap();
        let mut other = Adam::new(vec![1.0, 1.0]);
        other.restore(serde_json::from_str(&state).unwrap()).unwrap();
        assert_eq!(other, adam);
        let refusal = Adam::new(vec![1.0]).restore(adam).unwrap_err().to_string();
        assert!(refusal.contains("[2, 2, 2] numbers for 1 heads"), "{refusal}");
    }
}
