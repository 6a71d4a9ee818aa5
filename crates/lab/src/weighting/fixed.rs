//! Weights that stay: Σ w_h·L_h.

use super::Weigh;

#[derive(Debug)]
pub(super) struct Fixed {
    weights: Vec<f64>,
}

impl Fixed {
    pub(super) fn new(weights: Vec<f64>) -> Fixed {
        Fixed { weights }
    }
}

impl Weigh for Fixed {
    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn judging(&self) -> Vec<f64> {
        self.weights.clone()
    }
}
