//! How the losses of several heads become one: the weightings of multi-task learning.

use serde::{Deserialize, Serialize};

use crate::parse::{not_negative, positive};

/// How the losses of several heads are combined, with L_h the mean cross-entropy of head h.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Weighting {
    /// Σ w_h·L_h. A head of weight zero is not trained, and costs nothing.
    Fixed {
        /// A weight for each head.
        weights: Vec<f64>,
    },
    /// Σ exp(−s_h)·L_h + s_h/2 with trained log-variances s_h that start at zero (Kendall, Gal and Cipolla 2018, for
    /// classification).
    Uncertainty {
        /// Step size of Adam for the log-variances.
        #[serde(deserialize_with = "positive")]
        learning_rate: f64,
    },
    /// Σ w_h·L_h with weights trained so that the heads' gradients on the last shared layer have norms in proportion to how
    /// slowly each learns (Chen et al. 2018).
    GradNorm {
        /// How strongly slow heads are favoured, α.
        #[serde(deserialize_with = "not_negative")]
        alpha: f64,
        /// Step size of Adam for the weights.
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
    /// Whether a head is trained at all.
    pub fn trains(&self, head: usize) -> bool {
        match self {
            Weighting::Fixed { weights } => weights.get(head).is_some_and(|&weight| weight > 0.0),
            Weighting::Uncertainty { .. } | Weighting::GradNorm { .. } | Weighting::PcGrad => true,
        }
    }
}
