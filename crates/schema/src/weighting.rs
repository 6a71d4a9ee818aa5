//! How the losses of several heads become one: the weightings of multi-task learning.

use serde::{Deserialize, Serialize};

use crate::numbers::{legible, not_negative, positive, weights};

/// How the losses of several heads are combined, with L_h the mean cross-entropy of head h.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Weighting {
    /// Σ w_h·L_h. A head of weight zero is not trained, and costs nothing.
    Fixed {
        /// A weight for each head.
        #[serde(deserialize_with = "weights")]
        weights: Vec<f64>,
    },
    /// Σ exp(−s_h)·L_h + s_h/2 with trained log-variances s_h that start at zero (Kendall, Gal and Cipolla 2018, for
    /// classification).
    Uncertainty {
        /// Step size of Adam for the log-variances; β₁ is 0.9, β₂ 0.999, ε 1e-8.
        #[serde(deserialize_with = "positive")]
        learning_rate: f64,
    },
    /// Σ w_h·L_h with weights trained so that the heads' gradients on the last shared layer have norms in proportion to how
    /// slowly each learns (Chen et al. 2018).
    GradNorm {
        /// How strongly slow heads are favoured, α.
        #[serde(deserialize_with = "not_negative")]
        alpha: f64,
        /// Step size of Adam for the weights; β₁ is 0.9, β₂ 0.999, ε 1e-8.
        #[serde(deserialize_with = "positive")]
        learning_rate: f64,
    },
    /// The heads' gradients on the shared layers are added after each has lost its part along any other that it conflicts
    /// with (Yu et al. 2020).
    PcGrad,
}

impl Default for Weighting {
    fn default() -> Self {
        Weighting::Fixed { weights: vec![1.0] }
    }
}

impl Weighting {
    /// What it is called in titles and tables, with all that two of a kind may differ in but the step size.
    pub fn name(&self) -> String {
        match self {
            Weighting::Fixed { weights } => {
                let weights: Vec<String> = weights.iter().copied().map(legible).collect();
                format!("weights {}", weights.join(" and "))
            }
            Weighting::Uncertainty { .. } => "uncertainty".into(),
            Weighting::GradNorm { alpha, .. } => format!("GradNorm α = {}", legible(*alpha)),
            Weighting::PcGrad => "PCGrad".into(),
        }
    }

    /// The number of heads that it is for, where it says so.
    pub fn heads(&self) -> Option<usize> {
        match self {
            Weighting::Fixed { weights } => Some(weights.len()),
            Weighting::Uncertainty { .. } | Weighting::GradNorm { .. } | Weighting::PcGrad => None,
        }
    }

    /// Whether a head is trained at all.
    pub fn trains(&self, head: usize) -> bool {
        match self {
            // In the precision that networks are trained in, where a smaller weight is none.
            Weighting::Fixed { weights } => weights.get(head).is_some_and(|&weight| weight as f32 > 0.0),
            Weighting::Uncertainty { .. } | Weighting::GradNorm { .. } | Weighting::PcGrad => true,
        }
    }
}
