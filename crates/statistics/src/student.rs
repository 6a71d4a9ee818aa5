//! Student's t distribution, with any number of degrees of freedom.

/// P(|T| ≥ |t|) for T of Student's distribution with so many degrees of freedom: the regularised incomplete beta function
/// I(d / (d + t²); d/2, 1/2).
///
/// Source: Press et al., *Numerical Recipes*, 3rd edition, section 6.14.
///
/// # Panics
/// If there are no degrees of freedom, or t is not a number.
pub fn student_two_sided(t: f64, degrees: f64) -> f64 {
    assert!(degrees > 0.0 && !t.is_nan(), "{t} with {degrees} degrees of freedom");
    if t.is_infinite() {
        return 0.0;
    }
    incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + t * t))
}

/// The number that T of Student's distribution stays below with this probability, by bisection.
///
/// # Panics
/// If the probability is not between 0 and 1, or there are no degrees of freedom.
pub fn student_quantile(probability: f64, degrees: f64) -> f64 {
    assert!(probability > 0.0 && probability < 1.0, "a probability of {probability}");
    if probability < 0.5 {
        return -student_quantile(1.0 - probability, degrees);
    }
    let above = |t: f64| student_two_sided(t, degrees) / 2.0;
    let (mut low, mut high) = (0.0, 1.0);
    while above(high) > 1.0 - probability {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if above(middle) > 1.0 - probability { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function I(x; a, b), by its continued fraction on the side where that converges fast.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let of_gammas = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    let factor = (of_gammas + a * x.ln() + b * (-x).ln_1p()).exp();
    let value = if x < (a + 1.0) / (a + b + 2.0) {
        factor * continued_fraction(a, b, x) / a
    } else {
        1.0 - factor * continued_fraction(b, a, 1.0 - x) / b
    };
    value.clamp(0.0, 1.0)
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let nonzero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0)));
    let mut h = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / nonzero(1.0 + term * d);
            c = nonzero(1.0 + term / c);
            change = c * d;
            h *= change;
        }
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    h
}

#[cfg(test)]
mod tests {
    use super::*;

    // By SciPy: 2 * stats.t.sf(t, d) and stats.t.ppf(p, d).
    #[test]
    fn tails_and_quantiles_are_those_of_scipy() {
        for (t, degrees, p) in [
            (2.0, 4.0, 0.116_116_523_516_815_6),
            (12.706_204_736_432_1, 1.0, 0.05),
            (1.0, 7.3, 0.349_298_456_453_1),
            (1.96, 1e6, 0.049_996_067_585_3),
            (0.5, 0.7, 0.730_401_686_682_3),
            (0.0, 3.0, 1.0),
        ] {
            let found = student_two_sided(t, degrees);
            assert!((found - p).abs() < 1e-10, "t = {t}, d = {degrees}: {found}, not {p}");
            assert_eq!(found, student_two_sided(-t, degrees));
        }
        for (p, degrees, t) in
            [(0.975, 4.0, 2.776_445_105_2), (0.8, 4.0, 0.940_964_577_2), (0.025, 9.0, -2.262_157_162_7)]
        {
            let found = student_quantile(p, degrees);
            assert!((found - t).abs() < 1e-8, "p = {p}, d = {degrees}: {found}, not {t}");
        }
        assert_eq!(student_two_sided(f64::INFINITY, 2.0), 0.0);
    }
}
