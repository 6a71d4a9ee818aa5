//! Binary cross-entropy of logits, for heads each of whose outputs answers yes or no by itself.
//!
//! With p = σ(z) the loss of an output is −t·ln p − (1 − t)·ln(1 − p) = max(z, 0) − t·z + ln(1 + e^−|z|), which overflows for no
//! z, and its gradient is p − t (Goodfellow, Bengio and Courville 2016, section 6.2.2.2).

use super::Metrics;

/// Of a sample, the mean over its outputs. z and the targets t, from 0 for no to 1 for yes, are [batch, outputs].
pub(super) fn binary_cross_entropy(
    outputs: usize,
    z: &[f32],
    targets: &[f32],
    scale: f32,
    mut dz: Option<&mut [f32]>,
) -> Metrics {
    let mut metrics = Metrics::default();
    for (sample, (z, targets)) in z.chunks_exact(outputs).zip(targets.chunks_exact(outputs)).enumerate() {
        let mut is_right = true;
        for (i, (&z, &target)) in z.iter().zip(targets).enumerate() {
            let (z, target) = (f64::from(z), f64::from(target));
            metrics.loss_sum += (z.max(0.0) - target * z + (-z.abs()).exp().ln_1p()) / outputs as f64;
            // As `f64::max` passes over what is not a number.
            metrics.loss_sum += 0.0 * z;
            is_right &= (z > 0.0) == (target > 0.5);
            if let Some(dz) = &mut dz {
                // Of yes by 1 − p = σ(−z), so that nothing cancels.
                let sigma = |z: f64| 1.0 / (1.0 + (-z).exp());
                let gradient = (1.0 - target) * sigma(z) - target * sigma(-z);
                dz[sample * outputs + i] = (f64::from(scale) * gradient / outputs as f64) as f32;
            }
        }
        metrics.correct += usize::from(is_right);
    }
    metrics
}
