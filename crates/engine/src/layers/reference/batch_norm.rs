//! Batch normalisation: y = scale · (x − mean) / √(variance + ε) + shift, feature by feature.
//!
//! x and y are [rows, features], a row for each pixel of each image or for each vector; all else is [features]. In
//! training the mean and the biased variance are those of the batch; in evaluation they are the running ones.

pub(crate) fn forward(
    x: &[f64],
    scale: &[f64],
    shift: &[f64],
    mean: &[f64],
    variance: &[f64],
    epsilon: f64,
) -> Vec<f64> {
    let mut y = Vec::new();
    for x in x.chunks_exact(scale.len()) {
        for (i, x) in x.iter().enumerate() {
            y.push(scale[i] * (x - mean[i]) / (variance[i] + epsilon).sqrt() + shift[i]);
        }
    }
    y
}

/// Mean and biased variance of each feature of a batch.
pub(crate) fn moments(x: &[f64], features: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = (x.len() / features) as f64;
    let (mut mean, mut variance) = (vec![0.0; features], vec![0.0; features]);
    for x in x.chunks_exact(features) {
        for i in 0..features {
            mean[i] += x[i] / rows;
        }
    }
    for x in x.chunks_exact(features) {
        for i in 0..features {
            variance[i] += (x[i] - mean[i]).powi(2) / rows;
        }
    }
    (mean, variance)
}

/// The running mean and variance of a feature after a training batch of `rows` rows with these moments. The running
/// variance moves towards the unbiased variance.
pub(crate) fn running(before: [f64; 2], batch: [f64; 2], rows: f64, momentum: f64) -> [f64; 2] {
    let unbiased = batch[1] * rows / (rows - 1.0);
    [(1.0 - momentum) * before[0] + momentum * batch[0], (1.0 - momentum) * before[1] + momentum * unbiased]
}
