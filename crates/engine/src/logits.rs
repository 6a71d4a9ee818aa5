//! What logits say: the class with the largest, and softmax probabilities.

/// The class with the largest logit; the first of several that are equal.
pub fn argmax(logits: &[f32]) -> usize {
    let mut best = 0;
    for (class, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = class;
        }
    }
    best
}

/// The softmax probability of a class.
///
/// # Panics
/// If there is no such class.
pub fn probability(logits: &[f32], class: usize) -> f64 {
    log_probability(logits, class).exp()
}

/// The natural logarithm of the softmax probability of a class, ln p = z_class − ln Σ exp(z), with the largest logit
/// subtracted first, so that no exponential overflows.
///
/// # Panics
/// If there is no such class.
pub fn log_probability(logits: &[f32], class: usize) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&z| f64::from(z - largest).exp()).sum();
    f64::from(logits[class] - largest) - sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_logits_the_first_is_the_largest() {
        assert_eq!(argmax(&[0.0, 2.0, 2.0, -1.0]), 1);
        assert_eq!(argmax(&[-3.0]), 0);
    }

    #[test]
    fn probabilities_are_the_softmax_and_hold_for_large_logits() {
        let logits = [1.0, -2.0, 0.5];
        let sum: f64 = logits.iter().map(|&z| f64::from(z).exp()).sum();
        for class in 0..3 {
            let expected = f64::from(logits[class]).exp() / sum;
            assert!((probability(&logits, class) - expected).abs() < 1e-15);
            assert!((log_probability(&logits, class) - expected.ln()).abs() < 1e-14);
        }
        assert_eq!(probability(&[1000.0, 0.0], 0), 1.0);
        assert_eq!(log_probability(&[1000.0, 0.0], 1), -1000.0);
    }
}
