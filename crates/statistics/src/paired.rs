//! McNemar's test of two classifiers on the same images.

use crate::binomial_half_cdf;

/// Two-sided p of McNemar's exact test: of the images that exactly one of two classifiers got right, `only_a` and `only_b`,
/// whether each is right equally often.
///
/// Twice the smaller tail of the binomial distribution with probability 1/2, at most 1; it is 1 where no image tells the
/// two apart. Images are independent. The classifiers are taken as they are: p says nothing of other seeds.
///
/// Source: McNemar (1947), *Psychometrika* 12, 153–157.
pub fn mcnemar_exact(only_a: usize, only_b: usize) -> f64 {
    (2.0 * binomial_half_cdf(only_a.min(only_b), only_a + only_b)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_scipy() {
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
            let found = mcnemar_exact(a, b);
            assert!((found / p - 1.0).abs() < 1e-9, "{a} and {b}: {found}, not {p}");
            assert_eq!(found, mcnemar_exact(b, a));
        }
    }

    #[test]
    fn at_its_ends() {
        assert_eq!(mcnemar_exact(0, 0), 1.0);
        assert!(mcnemar_exact(1, 9_999) < 1e-300);
        for equal in 1..3_000 {
            assert_eq!(mcnemar_exact(equal, equal), 1.0, "{equal}");
        }
    }
}
