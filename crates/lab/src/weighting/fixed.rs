//! Weights that stay: Σ w_h·L_h.

use super::LossWeighting;

#[derive(Debug)]
pub(super) struct Fixed {
    weights: Vec<f64>,
}

impl Fixed {
    pub(super) fn new(weights: Vec<f64>) -> Fixed {
        Fixed { weights }
    }
}

impl LossWeighting for Fixed {
    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn validation_weights(&self) -> Vec<f64> {
        self.weights.clone()
    }
}
