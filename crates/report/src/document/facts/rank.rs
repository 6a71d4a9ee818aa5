//! A rank correlation, and whether it is more than chance.

use inkling_statistics::{spearman, spearman_is_significant};
use serde::Serialize;

/// Spearman's ρ with what it supports.
#[derive(Debug, Serialize)]
pub(super) struct RankCorrelation {
    pub(super) rho: f64,
    /// Whether it differs from zero at 5 %.
    pub(super) clear: bool,
    /// p, where a permutation test gave it.
    pub(super) p: Option<f64>,
}

impl RankCorrelation {
    /// Of two lists of independent numbers; `None` where one of them is constant or has fewer than three.
    pub(super) fn new(x: &[f64], y: &[f64]) -> Option<Self> {
        let rho = spearman(x, y)?;
        Some(RankCorrelation { rho, clear: spearman_is_significant(rho, x.len()), p: None })
    }
}
