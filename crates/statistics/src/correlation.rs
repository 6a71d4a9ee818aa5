//! Correlations.

use crate::Z_95;

/// Pearson's correlation coefficient, Σ(x − x̄)(y − ȳ) / √(Σ(x − x̄)² Σ(y − ȳ)²); `None` where one of the two is constant.
///
/// # Panics
/// If the lists have different lengths.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "two lists of one length");
    let n = x.len() as f64;
    let (x0, y0) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xy += (x - x0) * (y - y0);
        xx += (x - x0).powi(2);
        yy += (y - y0).powi(2);
    }
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}

/// Ranks from 1; equal values share the mean of their ranks.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        below as f64 + (equal as f64 + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

/// Spearman's rank correlation: Pearson's of the ranks. `None` where one of the two lists is constant, or with fewer than
/// three values.
///
/// Source: Spearman (1904), *American Journal of Psychology* 15, 72–101.
///
/// # Panics
/// If the lists have different lengths.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() < 3 { None } else { pearson(&ranks(x), &ranks(y)) }
}

/// Whether Spearman's ρ of n independent pairs differs from zero at 5 %: |ρ|·√(n − 1) > 1.96.
///
/// This is the normal approximation of its distribution under independence (Kendall and Gibbons 1990), which is
/// conservative for few pairs: of three, four and (but for ρ near 1) five pairs none is significant. Pairs that depend on
/// each other need [`crate::mantel_spearman`].
pub fn spearman_is_significant(rho: f64, n: usize) -> bool {
    rho.abs() * (n.saturating_sub(1) as f64).sqrt() > Z_95
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pearson_of_known_lists() {
        assert_eq!(pearson(&[1.0, 2.0, 3.0], &[3.0, 5.0, 7.0]), Some(1.0));
        assert_eq!(pearson(&[1.0, 2.0, 3.0], &[1.0, 1.0, 1.0]), None);
        // Anscombe's first set (1973): 0.816.
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        assert!((pearson(&x, &y).unwrap() - 0.816).abs() < 5e-4);
    }

    #[test]
    fn spearman_of_known_lists() {
        assert_eq!(spearman(&[1.0, 2.0, 9.0], &[0.1, 0.2, 0.3]), Some(1.0));
        assert_eq!(spearman(&[1.0, 2.0, 9.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        // Without ties 1 − 6 Σd² / n(n² − 1): Σd² = 194 of ten, by hand: −29/165.
        let iq = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        assert!((spearman(&iq, &hours).unwrap() + 29.0 / 165.0).abs() < 1e-12);
        // With ties, by hand: ranks 1.5 1.5 3 4 and 1 2 3 4.
        let tied = spearman(&[5.0, 5.0, 6.0, 7.0], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!((tied - 4.5 / (4.5_f64 * 5.0).sqrt()).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(spearman(&[1.0, 2.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn few_pairs_are_never_significant() {
        assert!(!spearman_is_significant(1.0, 3) && !spearman_is_significant(1.0, 4));
        assert!(spearman_is_significant(1.0, 5) && !spearman_is_significant(0.9, 5));
    }
}
