//! Constant weights: Σ w_h·L_h.

use super::LossWeighting;

/// Constant weights: the loss is Σ w_h·L_h.
#[derive(Debug)]
pub struct Fixed {
    weights: Vec<f64>,
}

impl Fixed {
    /// The weights of the heads. A head of weight zero is not trained.
    pub fn new(weights: Vec<f64>) -> Fixed {
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
