//! Mean squared error, for heads that give numbers.

use super::Metrics;

/// Of a sample, the mean over its outputs of (z − t)²; its gradient is 2·(z − t) / outputs. z and the targets t are [batch,
/// outputs].
pub(super) fn mean_squared_error(
    outputs: usize,
    z: &[f32],
    targets: &[f32],
    scale: f32,
    mut dz: Option<&mut [f32]>,
) -> Metrics {
    let mut sum = 0.0;
    for (i, (&z, &target)) in z.iter().zip(targets).enumerate() {
        let difference = f64::from(z) - f64::from(target);
        sum += difference * difference / outputs as f64;
        if let Some(dz) = &mut dz {
            dz[i] = (f64::from(scale) * 2.0 * difference / outputs as f64) as f32;
        }
    }
    Metrics { loss_sum: sum, correct: 0 }
}
