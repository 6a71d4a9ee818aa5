//! Convolution: y[i, j, f] = b[f] + Σ over u, v and c of x[s·i + u, s·j + v, c] · w[u, v, c, f], where x is zero outside
//! the image.
//!
//! x is [batch, height, width, channels], w is [kernel height, kernel width, channels, filters], b is [filters], y is
//! [batch, output height, output width, filters].

use super::windows::Windows;

pub(crate) fn forward(windows: &Windows, x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let Windows { input, kernel, output, .. } = *windows;
    let filters = b.len();
    let channels = w.len() / (kernel[0] * kernel[1] * filters);
    let mut y = Vec::new();
    for x in x.chunks_exact(input[0] * input[1] * channels) {
        for i in 0..output[0] {
            for j in 0..output[1] {
                for f in 0..filters {
                    let mut sum = b[f];
                    for u in 0..kernel[0] {
                        for v in 0..kernel[1] {
                            let Some(pixel) = windows.pixel([i, j], [u, v]) else { continue };
                            for c in 0..channels {
                                let tap = (u * kernel[1] + v) * channels + c;
                                sum += x[pixel * channels + c] * w[tap * filters + f];
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
    }
    y
}

/// dx, dw and db.
pub(crate) fn backward(windows: &Windows, x: &[f64], w: &[f64], dy: &[f64], filters: usize) -> [Vec<f64>; 3] {
    let Windows { input, kernel, output, .. } = *windows;
    let channels = w.len() / (kernel[0] * kernel[1] * filters);
    let pixels = input[0] * input[1];
    let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; filters]);
    for n in 0..x.len() / (pixels * channels) {
        for i in 0..output[0] {
            for j in 0..output[1] {
                for f in 0..filters {
                    let dy = dy[((n * output[0] + i) * output[1] + j) * filters + f];
                    db[f] += dy;
                    for u in 0..kernel[0] {
                        for v in 0..kernel[1] {
                            let Some(pixel) = windows.pixel([i, j], [u, v]) else { continue };
                            for c in 0..channels {
                                let at = (n * pixels + pixel) * channels + c;
                                let tap = (u * kernel[1] + v) * channels + c;
                                dx[at] += dy * w[tap * filters + f];
                                dw[tap * filters + f] += dy * x[at];
                            }
                        }
                    }
                }
            }
        }
    }
    [dx, dw, db]
}
