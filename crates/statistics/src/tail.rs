//! Tails of the binomial and the chi-squared distribution.

use std::f64::consts::{LN_2, PI};

/// P(X ≤ k) for X binomial with n trials of probability 1/2: 2⁻ⁿ Σ C(n, i) over i ≤ k.
///
/// The largest term is computed by its logarithm and the others as shares of it, so that neither C(n, k) nor 2ⁿ is ever
/// formed: it is as exact for tens of thousands of trials as for ten. It is 1 for k ≥ n.
pub fn binomial_half_cdf(k: usize, n: usize) -> f64 {
    if k >= n {
        return 1.0;
    }
    // The larger tail by the smaller one: shares of the largest term only fall away from the middle.
    if 2 * k >= n {
        return 1.0 - binomial_half_cdf_of_lower(n - k - 1, n);
    }
    binomial_half_cdf_of_lower(k, n)
}

/// The same for k < n/2, where the last term is the largest.
fn binomial_half_cdf_of_lower(k: usize, n: usize) -> f64 {
    // ln C(n, k) / 2ⁿ, the largest term; the powers themselves would leave f64 from n = 1075 on.
    let largest: f64 = (1..=k).map(|i| ((n - k + i) as f64 / i as f64).ln()).sum::<f64>() - n as f64 * LN_2;
    // C(n, i − 1) / C(n, i) = i / (n − i + 1): the other terms as shares of the largest.
    let shares = (1..=k).rev().scan(1.0, |term, i| {
        *term *= i as f64 / (n - i + 1) as f64;
        Some(*term)
    });
    largest.exp() * (1.0 + shares.sum::<f64>())
}

/// P(X ≥ x) for X chi-squared with this many degrees of freedom: the regularised upper incomplete gamma function
/// Q(d/2, x/2), by its series for small x and by its continued fraction for large x.
///
/// Source: Press et al., *Numerical Recipes*, 3rd edition, section 6.2.
///
/// # Panics
/// If there is no degree of freedom, or x is negative or not a number.
pub fn chi_squared_survival(x: f64, degrees: usize) -> f64 {
    assert!(degrees > 0 && x >= 0.0, "{x} with {degrees} degrees of freedom");
    if x == 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    let (a, x) = (degrees as f64 / 2.0, x / 2.0);
    // xᵃ e⁻ˣ / Γ(a)
    let factor = (a * x.ln() - x - ln_gamma_of_half(degrees)).exp();
    let q = if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * f64::EPSILON {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        1.0 - factor * sum
    } else {
        factor * continued_fraction(a, x)
    };
    q.clamp(0.0, 1.0)
}

/// The continued fraction of the incomplete gamma function, by Lentz's method.
fn continued_fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let nonzero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / TINY, 1.0 / nonzero(b));
    let mut h = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / nonzero(an * d + b);
        c = nonzero(b + an / c);
        h *= d * c;
        if (d * c - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    h
}

/// ln Γ(n/2): from Γ(1) = 1 or Γ(1/2) = √π by Γ(a + 1) = a Γ(a).
fn ln_gamma_of_half(n: usize) -> f64 {
    let start = if n.is_multiple_of(2) { 0.0 } else { 0.5 * PI.ln() };
    let first = if n.is_multiple_of(2) { 2 } else { 1 };
    start + (first..n).step_by(2).map(|k| (k as f64 / 2.0).ln()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chi_squared_agrees_with_tables_and_exact_sums() {
        // Tables of the 0.95 quantile for 1, 2, 3 and 10 degrees of freedom; the others with Python's decimals from the
        // finite sum for even d, e^(−x/2) Σ (x/2)^i / i! over i < d/2, and from erfc and the like sum for odd d.
        for (x, degrees, p) in [
            (3.841_458_820_694_124, 1, 0.05),
            (5.991_464_547_107_979, 2, 0.05),
            (7.814_727_903_251_179, 3, 0.05),
            (18.307_038_053_275_146, 10, 0.05),
            (20.0, 9, 0.017_912_404_529_843_273),
            (1.0, 5, 0.962_565_773_247_296_3),
            (0.5, 8, 0.999_866_630_349_485_9),
            (60.5, 44, 0.049_830_009_795_681_12),
            (10.0, 44, 0.999_999_981_793_466_2),
            (150.0, 44, 1.720_102_548_886_254_7e-13),
            (300.0, 44, 8.135_114_498_661_954e-40),
        ] {
            let found = chi_squared_survival(x, degrees);
            assert!((found / p - 1.0).abs() < 1e-10, "{x}, {degrees}: {found:e}, not {p:e}");
        }
    }

    #[test]
    fn chi_squared_at_its_ends() {
        assert_eq!(chi_squared_survival(0.0, 3), 1.0);
        assert_eq!(chi_squared_survival(f64::INFINITY, 3), 0.0);
        assert_eq!(chi_squared_survival(1e6, 3), 0.0);
        let mut last = 1.0;
        for tenth in 1..3000 {
            let p = chi_squared_survival(f64::from(tenth) / 10.0, 44);
            assert!(p <= last, "{tenth}");
            last = p;
        }
    }

    #[test]
    fn half_the_binomial_distribution_by_hand() {
        // 1, 4, 6, 4, 1 of 16.
        let cdf: Vec<f64> = (0..6).map(|k| 16.0 * binomial_half_cdf(k, 4)).collect();
        for (found, expected) in cdf.iter().zip([1.0, 5.0, 11.0, 15.0, 16.0, 16.0]) {
            assert!((found - expected).abs() < 1e-13, "{cdf:?}");
        }
        assert_eq!(binomial_half_cdf(0, 0), 1.0);
    }
}
