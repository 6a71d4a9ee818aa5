//! The interval of a proportion.

use crate::Z_95;

/// The 95 % Wilson score interval of a proportion, (low, high), for `successes` of `trials`.
///
/// With p = successes/trials, n trials and z = 1.96 it is (p + z²/2n ± z·√(p(1 − p)/n + z²/4n²)) / (1 + z²/n). Trials are
/// independent and have one probability of success. Unlike the interval p ± z·√(p(1 − p)/n), it never leaves \[0, 1\] and
/// has a width where every trial succeeds or none does.
///
/// Source: Wilson (1927), *Journal of the American Statistical Association* 22, 209–212.
///
/// # Panics
/// If there is no trial, or more successes than trials.
///
/// ```
/// // 81 of 263: Newcombe (1998), Table I.
/// let (low, high) = inkling_statistics::wilson_interval(81, 263);
/// assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5);
/// ```
pub fn wilson_interval(successes: usize, trials: usize) -> (f64, f64) {
    assert!(trials > 0 && successes <= trials, "{successes} of {trials} is no proportion");
    let n = trials as f64;
    let p = successes as f64 / n;
    let centre = p + Z_95 * Z_95 / (2.0 * n);
    let half = Z_95 * (p * (1.0 - p) / n + Z_95 * Z_95 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z_95 * Z_95 / n;
    // The interval holds p; only rounding could leave it out, where p is 0 or 1 and an end of the interval.
    (((centre - half) / scale).clamp(0.0, p), ((centre + half) / scale).clamp(p, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_published_values() {
        // Newcombe (1998), Statistics in Medicine 17, 857–872, Table I, method 3: 81/263, 15/148, 0/20, 1/29.
        for (successes, trials, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let interval = wilson_interval(successes, trials);
            let p = successes as f64 / trials as f64;
            assert!(interval.0 <= p && p <= interval.1, "{interval:?}");
            assert!((interval.0 - low).abs() < 5e-5 && (interval.1 - high).abs() < 5e-5, "{interval:?}");
        }
    }

    #[test]
    fn reaches_one_where_all_succeed_and_zero_where_none_does() {
        for trials in 1..500 {
            assert_eq!((wilson_interval(trials, trials).1, wilson_interval(0, trials).0), (1.0, 0.0));
        }
    }

    #[test]
    #[should_panic(expected = "2 of 1 is no proportion")]
    fn more_successes_than_trials_are_a_mistake() {
        wilson_interval(2, 1);
    }
}
