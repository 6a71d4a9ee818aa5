//! Layer normalisation: y = scale · (x − mean) / √(variance + ε) + shift, with the mean and the biased variance of each
//! row.
//!
//! x and y are [rows, features], a row for each pixel of each image or for each vector; scale and shift are [features].

pub(crate) fn forward(x: &[f64], scale: &[f64], shift: &[f64], epsilon: f64) -> Vec<f64> {
    let features = scale.len();
    let mut y = Vec::new();
    for x in x.chunks_exact(features) {
        let mean = x.iter().sum::<f64>() / features as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / features as f64;
        for i in 0..features {
            y.push(scale[i] * (x[i] - mean) / (variance + epsilon).sqrt() + shift[i]);
        }
    }
    y
}
