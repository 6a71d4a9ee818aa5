//! Spearman's rank correlation (1904).

use serde::Serialize;

/// A rank correlation and what it supports.
#[derive(Debug, Serialize)]
pub(super) struct RankCorrelation {
    rho: f64,
    /// Whether |ρ| exceeds what 95 % of random orders stay below, |ρ|·√(n − 1) < 1.96.
    clear: bool,
}

impl RankCorrelation {
    /// Of two lists of equal length; `None` where one of them is constant or there are fewer than three pairs.
    pub(super) fn new(x: &[f64], y: &[f64]) -> Option<Self> {
        let n = x.len() as f64;
        if x.len() < 3 {
            return None;
        }
        let (x, y) = (ranks(x), ranks(y));
        let centre = (n + 1.0) / 2.0;
        let sum =
            |p: &[f64], q: &[f64]| -> f64 { p.iter().zip(q).map(|(p, q)| (p - centre) * (q - centre)).sum() };
        let scale = (sum(&x, &x) * sum(&y, &y)).sqrt();
        let rho = sum(&x, &y) / scale;
        (scale > 0.0).then(|| RankCorrelation { rho, clear: rho.abs() * (n - 1.0).sqrt() > 1.96 })
    }
}

/// Ranks from 1; equal values share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        below as f64 + (equal as f64 + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlation_of_known_lists() {
        let rho = |x: &[f64], y: &[f64]| RankCorrelation::new(x, y).map(|found| found.rho);
        assert_eq!(rho(&[1.0, 2.0, 9.0], &[0.1, 0.2, 0.3]), Some(1.0));
        assert_eq!(rho(&[1.0, 2.0, 9.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        // With ties, by hand: ranks 1.5 1.5 3 4 and 1 2 3 4.
        let tied = rho(&[5.0, 5.0, 6.0, 7.0], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!((tied - 4.5 / (4.5_f64 * 5.0).sqrt()).abs() < 1e-12);
        assert_eq!(rho(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(rho(&[1.0, 2.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn three_pairs_never_make_a_clear_correlation() {
        assert!(!RankCorrelation::new(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]).unwrap().clear);
    }
}
