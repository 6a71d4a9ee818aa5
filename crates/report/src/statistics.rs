//! The statistics of the report.

/// z of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// A difference with a smaller p is not put down to noise.
pub const LEVEL: f64 = 0.05;

/// The 95 % Wilson score interval of a proportion (Wilson 1927): (low, high) for `correct` of `all`.
///
/// # Panics
/// If `all` is zero or less than `correct`.
pub fn wilson(correct: usize, all: usize) -> (f64, f64) {
    assert!(all > 0 && correct <= all, "{correct} of {all} is no proportion");
    let n = all as f64;
    let p = correct as f64 / n;
    let centre = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    // The interval holds p; only rounding could leave it out, where p is 0 or 1 and an end of the interval.
    (((centre - half) / scale).clamp(0.0, p), ((centre + half) / scale).clamp(p, 1.0))
}

/// Two-sided p of McNemar's exact test (McNemar 1947): of the images that exactly one of two classifiers got right,
/// `only_a` and `only_b`, whether each is right equally often. Twice the smaller tail of the binomial distribution with
/// p = 1/2, at most 1; it is 1 where no image tells the two apart.
pub fn mcnemar(only_a: usize, only_b: usize) -> f64 {
    let (k, n) = (only_a.min(only_b), only_a + only_b);
    // ln C(n, k) / 2ⁿ, the largest term of the tail; the powers themselves would leave f64 from n = 1075 on.
    let largest: f64 = (1..=k).map(|i| ((n - k + i) as f64 / i as f64).ln()).sum::<f64>()
        - n as f64 * std::f64::consts::LN_2;
    // C(n, i − 1) / C(n, i) = i / (n − i + 1): the other terms as shares of the largest.
    let shares = (1..=k).rev().scan(1.0, |term, i| {
        *term *= i as f64 / (n - i + 1) as f64;
        Some(*term)
    });
    (2.0 * largest.exp() * (1.0 + shares.sum::<f64>())).min(1.0)
}

/// The p values of several tests corrected for their number (Holm 1979), in the order given: among all that stay below
/// α, a wrong one is found with a probability of at most α.
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

/// The mean of some numbers and their standard deviation, divided by n − 1; no deviation of a single number, and nothing of
/// none.
pub fn spread(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
    (!values.is_empty()).then_some((mean, deviation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_by_hand() {
        // Squares of −2, 1 and 1 add up to 6, over 2.
        assert_eq!(spread(&[1.0, 4.0, 4.0]), Some((3.0, Some(3.0_f64.sqrt()))));
        assert_eq!(spread(&[0.5]), Some((0.5, None)));
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn mcnemar_agrees_with_scipy() {
        // scipy.stats.binomtest(min(a, b), a + b, 0.5).pvalue, SciPy 1.17.1; 3 and 10, 0 and 10 by hand too:
        // 2 · (1 + 13 + 78 + 286) / 2¹³ and 2 / 2¹⁰.
        for (a, b, p) in [
            (5, 5, 1.0),
            (1, 0, 1.0),
            (3, 10, 0.092_285_156_25),
            (0, 10, 0.001_953_125),
            (2, 13, 0.007_385_253_906_25),
            (33, 59, 0.008_780_930_806_975_229),
            (59, 121, 4.434_449_263_755_164_5e-6),
            (150, 86, 3.715_936_139_571_386_6e-5),
            (100, 300, 2.591_886_906_972_111e-24),
            (4990, 5010, 0.849_310_326_637_318),
            (4800, 5200, 6.593_515_598_672_343e-5),
        ] {
            let found = mcnemar(a, b);
            assert!((found / p - 1.0).abs() < 1e-9, "{a} and {b}: {found}, not {p}");
            assert_eq!(found, mcnemar(b, a));
        }
    }

    #[test]
    fn mcnemar_at_its_ends() {
        assert_eq!(mcnemar(0, 0), 1.0);
        assert!(mcnemar(1, 9_999) < 1e-300);
        for equal in 1..3_000 {
            assert_eq!(mcnemar(equal, equal), 1.0, "{equal}");
        }
    }

    #[test]
    fn holm_by_hand() {
        // Sorted: 0.01 · 4, 0.02 · 3, 0.03 · 2 (not below 0.06), 0.5 · 1.
        let adjusted = holm(&[0.03, 0.01, 0.5, 0.02]);
        for (found, expected) in adjusted.iter().zip([0.06, 0.04, 0.5, 0.06]) {
            assert!((found - expected).abs() < 1e-15, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn wilson_agrees_with_published_values() {
        // Newcombe (1998), Table I: 81/263, 15/148, 0/20, 1/29.
        for (correct, all, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let interval = wilson(correct, all);
            let p = correct as f64 / all as f64;
            assert!(interval.0 <= p && p <= interval.1, "{interval:?}");
            assert!((interval.0 - low).abs() < 5e-5 && (interval.1 - high).abs() < 5e-5, "{interval:?}");
        }
    }

    #[test]
    fn the_interval_of_all_right_reaches_one_and_of_all_wrong_zero() {
        for all in 1..500 {
            assert_eq!((wilson(all, all).1, wilson(0, all).0), (1.0, 0.0));
        }
    }
}
