//! Residual block: y = F(x) + P(x), F being its layers and P the identity or a projection.
//!
//! x is [batch, inputs], F(x), P(x) and y are [batch, outputs].

use inkling_schema::Padding;

use super::windows::Windows;
use super::{conv2d, dense};

/// y from what F and P give.
pub(crate) fn forward(layers: &[f64], shortcut: &[f64]) -> Vec<f64> {
    layers.iter().zip(shortcut).map(|(layers, shortcut)| layers + shortcut).collect()
}

/// P(x) where P is a projection: a dense layer on vectors, else a convolution of single pixels whose stride is the smallest that
/// gives images of the size of F(x). `input` and `output` are [height, width] of x and of F(x), [1, 1] of vectors.
pub(crate) fn projection(input: [usize; 2], output: [usize; 2], x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    if input == [1, 1] {
        return dense::forward(x, w, b);
    }
    let fits = |side: usize, stride: usize| input[side].div_ceil(stride) == output[side];
    let stride = [0, 1].map(|side| (1..=input[side]).find(|&stride| fits(side, stride)).expect("a stride"));
    conv2d::forward(&Windows::new(input, [1, 1], stride, Padding::Same), x, w, b)
}
