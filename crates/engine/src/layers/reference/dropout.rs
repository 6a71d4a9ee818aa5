//! Dropout: y = mask · x, element by element. An element of the mask is 0 with a probability of `rate`, else 1 / (1 −
//! rate).
//!
//! x, mask and y are [batch, outputs].

pub(crate) fn forward(x: &[f64], mask: &[f64]) -> Vec<f64> {
    x.iter().zip(mask).map(|(x, mask)| mask * x).collect()
}
