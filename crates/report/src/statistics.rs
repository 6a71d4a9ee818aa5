//! The statistics of the report.

/// z of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

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

#[cfg(test)]
mod tests {
    use super::*;

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
