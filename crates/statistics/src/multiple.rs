//! Correction for several tests.

/// The p values of a family of tests corrected for their number, in the order given.
///
/// Sorted, p₍₁₎ ≤ … ≤ p₍ₘ₎, the k-th becomes the largest of (m − i + 1)·p₍ᵢ₎ over i ≤ k, at most 1. Among all that stay below
/// α, a wrong rejection is found with a probability of at most α, whatever the tests have to do with each other. The family
/// is named before the data are looked at.
///
/// Source: Holm (1979), *Scandinavian Journal of Statistics* 6, 65–70.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 0.0;
    for (rank, place) in order.into_iter().enumerate() {
        least = f64::max(least, (p.len() - rank) as f64 * p[place]).min(1.0);
        adjusted[place] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Sorted: 0.01 · 4, 0.02 · 3, 0.03 · 2 (not below 0.06), 0.5 · 1.
        let adjusted = holm(&[0.03, 0.01, 0.5, 0.02]);
        for (found, expected) in adjusted.iter().zip([0.06, 0.04, 0.5, 0.06]) {
            assert!((found - expected).abs() < 1e-15, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}
