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
    (((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0))
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
            assert!((interval.0 - low).abs() < 5e-5 && (interval.1 - high).abs() < 5e-5, "{interval:?}");
        }
    }
}
