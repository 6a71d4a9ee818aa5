//! Softmax and cross-entropy, which are one layer: their gradient together is simpler than either's.
//!
//! With scores z of a sample and p = softmax(z), the loss of class c is −ln p_c = ln Σ exp(z_j) − z_c, and its gradient
//! is p − e_c (Bridle 1990; Goodfellow, Bengio and Courville 2016, section 6.2.2).

use std::ops::AddAssign;

/// What a head made of some samples.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Metrics {
    /// Sum of the cross-entropies.
    pub loss_sum: f64,
    /// Samples whose largest score is that of their class. Of equal scores the first counts.
    pub correct: usize,
}

impl AddAssign for Metrics {
    fn add_assign(&mut self, other: Metrics) {
        self.loss_sum += other.loss_sum;
        self.correct += other.correct;
    }
}

/// Gradients of scores below this are zero, 2⁻¹⁰⁰: no weight could tell, for an optimiser's second moment is their square, and
/// what follows from larger ones keeps clear of denormal numbers, on which some processors compute a hundred times slower.
const NOTHING: f32 = 7.888_609e-31;

/// Cross-entropy of scores [batch, classes] for labels [batch], and scale · (p − e_label) in `dlogits`, [batch, classes],
/// where it is wanted.
///
/// # Panics
/// If a label is no class.
pub(crate) fn cross_entropy(
    classes: usize,
    logits: &[f32],
    labels: &[u8],
    scale: f32,
    mut dlogits: Option<&mut [f32]>,
) -> Metrics {
    let mut metrics = Metrics::default();
    for (i, (z, &label)) in logits.chunks_exact(classes).zip(labels).enumerate() {
        let label = usize::from(label);
        assert!(label < classes, "label {label} of {classes} classes");
        // Taken off every score, the largest keeps exp from overflowing and changes no probability.
        let largest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exponential = |&z: &f32| f64::from((z - largest).exp());
        let sum: f64 = z.iter().map(exponential).sum();
        metrics.loss_sum += sum.ln() - f64::from(z[label] - largest);
        let first = z.iter().position(|&z| z == largest);
        metrics.correct += usize::from(first == Some(label));
        if let Some(dlogits) = &mut dlogits {
            let dz = &mut dlogits[i * classes..(i + 1) * classes];
            let scale = f64::from(scale) / sum;
            // p − 1 of the right class, without cancellation: less the probabilities of the others.
            let mut others = 0.0;
            for (j, (dz, z)) in dz.iter_mut().zip(z).enumerate() {
                let part = scale * exponential(z);
                others += if j == label { 0.0 } else { part };
                *dz = part as f32;
            }
            dz[label] = -others as f32;
            dz.iter_mut().filter(|dz| dz.abs() < NOTHING).for_each(|dz| *dz = 0.0);
        }
    }
    metrics
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The loss in f64, as the definition says it.
    fn plain(z: &[f64], label: usize) -> f64 {
        let sum: f64 = z.iter().map(|z| z.exp()).sum();
        -(z[label].exp() / sum).ln()
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition_and_its_finite_differences(
            z in proptest::collection::vec(-8.0_f32..8.0, 2..12), label in 0_usize..100,
        ) {
            let label = label % z.len();
            let mut dz = vec![0.0; z.len()];
            let metrics = cross_entropy(z.len(), &z, &[label as u8], 1.0, Some(&mut dz));
            let wide: Vec<f64> = z.iter().map(|&z| f64::from(z)).collect();
            let exact = plain(&wide, label);
            prop_assert!((metrics.loss_sum - exact).abs() <= 2e-6 * (1.0 + exact));
            for (j, &dz) in dz.iter().enumerate() {
                let moved = |by: f64| {
                    let mut z = wide.clone();
                    z[j] += by;
                    plain(&z, label)
                };
                let output_grad = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                prop_assert!((f64::from(dz) - output_grad).abs() <= 1e-5 * output_grad.abs() + 1e-9, "{} {}", dz, output_grad);
            }
        }
    }

    #[test]
    fn large_scores_do_not_overflow_and_lost_ones_show() {
        let judge = |z: &[f32]| cross_entropy(3, z, &[0], 1.0, None);
        assert_eq!(judge(&[1000.0, 0.0, -1000.0]), Metrics { loss_sum: 0.0, correct: 1 });
        assert_eq!(judge(&[-1000.0, 0.0, 1000.0]), Metrics { loss_sum: 2000.0, correct: 0 });
        assert_eq!(judge(&[1.0, 1.0, 1.0]).correct, 1, "of equal scores the first counts");
        assert!(judge(&[f32::NAN, 0.0, 0.0]).loss_sum.is_nan());
        assert!(!judge(&[f32::INFINITY, 0.0, 0.0]).loss_sum.is_finite());
    }
}
