//! Average pooling: the mean of each window, channel by channel. One window as large as the image is global average
//! pooling.
//!
//! x is [batch, height, width, channels], y is [batch, output height, output width, channels]; no window leaves the image.

use super::windows::Windows;

pub(crate) fn forward(windows: &Windows, channels: usize, x: &[f64]) -> Vec<f64> {
    let Windows { input, kernel, output, .. } = *windows;
    let mut y = Vec::new();
    for x in x.chunks_exact(input[0] * input[1] * channels) {
        for i in 0..output[0] {
            for j in 0..output[1] {
                for c in 0..channels {
                    let mut sum = 0.0;
                    for u in 0..kernel[0] {
                        for v in 0..kernel[1] {
                            let pixel = windows.pixel([i, j], [u, v]).expect("a pixel of the image");
                            sum += x[pixel * channels + c];
                        }
                    }
                    y.push(sum / (kernel[0] * kernel[1]) as f64);
                }
            }
        }
    }
    y
}
