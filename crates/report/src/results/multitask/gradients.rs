//! How the gradients of the two heads lie to each other on the layers that they share.

use inkling_schema::outcome::GradientsLine;
use serde::Serialize;

use super::super::network::Network;
use super::Goal;

/// The gradients of a network over its training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GradientsFound {
    /// Measurements.
    pub measurements: usize,
    /// Mean of the cosines.
    pub mean_cosine: f64,
    /// Measurements whose cosine is below zero.
    pub negative: usize,
    /// Geometric mean of the item gradient's norm over the group gradient's; `None` where one was zero.
    pub norm_ratio: Option<f64>,
}

impl Network {
    /// Cosines of the angle between the two heads' gradients: (epochs so far, cosine).
    pub fn cosines(&self) -> Vec<(f64, f64)> {
        let cosine = |line: &GradientsLine| Some((self.epochs_at(line.step), line.cosine?));
        self.gradients.iter().filter_map(cosine).filter(|(_, cosine)| cosine.is_finite()).collect()
    }

    /// Norm of the item gradient over that of the group gradient: (epochs so far, ratio), where both are above zero.
    pub fn norm_ratios(&self) -> Vec<(f64, f64)> {
        let (Some(item), Some(group)) = (self.head(Goal::Item), self.head(Goal::Group)) else {
            return Vec::new();
        };
        let ratio = |line: &GradientsLine| {
            let norm =
                |head: usize| line.norms.get(head).copied().filter(|norm| *norm > 0.0 && norm.is_finite());
            Some((self.epochs_at(line.step), norm(item)? / norm(group)?))
        };
        self.gradients.iter().filter_map(ratio).collect()
    }

    /// All of training together; `None` where nothing was measured.
    pub fn gradients_found(&self) -> Option<GradientsFound> {
        let cosines = self.cosines();
        let measurements = cosines.len();
        let ratios = self.norm_ratios();
        let logs: f64 = ratios.iter().map(|(_, ratio)| ratio.ln()).sum();
        (measurements > 0).then(|| GradientsFound {
            measurements,
            mean_cosine: cosines.iter().map(|(_, cosine)| cosine).sum::<f64>() / measurements as f64,
            negative: cosines.iter().filter(|(_, cosine)| *cosine < 0.0).count(),
            norm_ratio: (!ratios.is_empty()).then(|| (logs / ratios.len() as f64).exp()),
        })
    }
}
