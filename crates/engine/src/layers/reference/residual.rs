//! Residual block: y = F(x) + P(x), where F is its layers and P is the identity or a projection.
//!
//! x is [batch, inputs], F(x), P(x) and y are [batch, outputs].

use inkling_schema::Padding;

use super::windows::Windows;
use super::{conv2d, dense};

/// y from F(x) and P(x).
pub(crate) fn forward(layers: &[f64], shortcut: &[f64]) -> Vec<f64> {
    layers.iter().zip(shortcut).map(|(layers, shortcut)| layers + shortcut).collect()
}

/// P(x) for a projection P: a dense layer on vectors; on images a 1 × 1 convolution with the smallest stride that gives
/// images of the size of F(x). `input` and `output` are the height and width of x and of F(x); for vectors both are [1,
/// 1].
pub(crate) fn projection(input: [usize; 2], output: [usize; 2], x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    if input == [1, 1] {
        return dense::forward(x, w, b);
    }
    let fits = |side: usize, stride: usize| input[side].div_ceil(stride) == output[side];
    let stride = [0, 1].map(|side| (1..=input[side]).find(|&stride| fits(side, stride)).expect("a stride"));
    conv2d::forward(&Windows::new(input, [1, 1], stride, Padding::Same), x, w, b)
}
