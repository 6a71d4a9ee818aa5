//! Softmax and cross-entropy, which are one layer: their gradient together is simpler than either's.
//!
//! With scores z of a sample and p = softmax(z), the loss of class c is −ln p_c = ln Σ exp(z_j) − z_c, and its gradient
//! is p − e_c (Bridle 1990; Goodfellow, Bengio and Courville 2016, section 6.2.2).

use super::Metrics;

/// Cross-entropy of scores [batch, classes] for the class of each sample, and scale · (p − q) in `dlogits`, [batch, classes],
/// where it is wanted. Without smoothing q is e_c; smoothed by ε, it is (1 − ε)·e_c + ε / classes, beside which the loss is
/// Σ q_j·(−ln p_j) (Szegedy et al. 2016).
///
/// # Panics
/// If a label is no class.
pub(super) fn cross_entropy(
    classes: usize,
    logits: &[f32],
    class: impl Fn(usize) -> usize,
    smoothing: f64,
    scale: f32,
    mut dlogits: Option<&mut [f32]>,
) -> Metrics {
    let mut metrics = Metrics::default();
    for (i, z) in logits.chunks_exact(classes).enumerate() {
        let label = class(i);
        assert!(label < classes, "label {label} of {classes} classes");
        // Taken off every score, the largest keeps exp from overflowing and changes no probability.
        let largest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exponential = |&z: &f32| f64::from((z - largest).exp());
        let sum: f64 = z.iter().map(exponential).sum();
        metrics.loss_sum += sum.ln() - f64::from(z[label] - largest);
        if smoothing > 0.0 {
            // Σ q_j·(−ln p_j) is −ln p_c + ε·(z_c − the mean of z).
            let mean = z.iter().map(|&z| f64::from(z)).sum::<f64>() / classes as f64;
            metrics.loss_sum += smoothing * (f64::from(z[label]) - mean);
        }
        let first = z.iter().position(|&z| z == largest);
        metrics.correct += usize::from(first == Some(label));
        if let Some(dlogits) = &mut dlogits {
            let dz = &mut dlogits[i * classes..(i + 1) * classes];
            let whole = scale;
            let scale = f64::from(scale) / sum;
            // p − 1 of the right class, without cancellation: less the probabilities of the others.
            let mut others = 0.0;
            for (j, (dz, z)) in dz.iter_mut().zip(z).enumerate() {
                let part = scale * exponential(z);
                others += if j == label { 0.0 } else { part };
                *dz = part as f32;
            }
            dz[label] = -others as f32;
            if smoothing > 0.0 {
                let share = f64::from(whole) * smoothing;
                let each = (share / classes as f64) as f32;
                dz.iter_mut().for_each(|dz| *dz -= each);
                dz[label] += share as f32;
            }
        }
    }
    metrics
}
