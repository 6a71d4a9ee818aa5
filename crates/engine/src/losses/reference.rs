//! Losses from their definitions, in f64, of one sample.

use inkling_schema::Loss;

/// Of outputs z and targets t, as many; of classes, t holds the class alone.
pub(crate) fn loss(kind: Loss, z: &[f64], t: &[f64]) -> f64 {
    let n = z.len() as f64;
    match kind {
        Loss::CrossEntropy { label_smoothing } => {
            // Σ −q·ln p, for p = softmax(z) and q = (1 − ε)·one-hot + ε / n.
            let sum: f64 = z.iter().map(|z| z.exp()).sum();
            let one_hot = |class: usize| if class == t[0] as usize { 1.0 } else { 0.0 };
            let q = |class: usize| (1.0 - label_smoothing) * one_hot(class) + label_smoothing / n;
            z.iter().enumerate().map(|(class, z)| -q(class) * (z.exp() / sum).ln()).sum()
        }
        Loss::MeanSquaredError => z.iter().zip(t).map(|(z, t)| (z - t).powi(2)).sum::<f64>() / n,
        Loss::BinaryCrossEntropy => {
            // −t·ln p − (1 − t)·ln(1 − p), for p = 1 / (1 + e⁻ᶻ).
            let p = |z: f64| 1.0 / (1.0 + (-z).exp());
            z.iter().zip(t).map(|(&z, t)| -t * p(z).ln() - (1.0 - t) * (1.0 - p(z)).ln()).sum::<f64>() / n
        }
    }
}
