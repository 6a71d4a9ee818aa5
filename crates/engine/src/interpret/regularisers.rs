//! Regularisers of feature visualisation: penalties that keep images from becoming noise.

use inkling_schema::Regulariser;

use super::image_size::ImageSize;

/// Smooths the total variation where the image is constant.
const EPSILON: f32 = 1e-2;

/// Subtracts the gradient of a regulariser's penalty at the image x from `grad`, the gradient of what the ascent
/// increases; both are [height, width, channels].
pub fn subtract_gradient(regulariser: &Regulariser, size: ImageSize, x: &[f32], grad: &mut [f32]) {
    match *regulariser {
        Regulariser::L2 { weight } => {
            let share = (2.0 * weight / x.len() as f64) as f32;
            grad.iter_mut().zip(x).for_each(|(grad, x)| *grad -= share * x);
        }
        Regulariser::TotalVariation { weight } => {
            let share = (weight / (size.height * size.width) as f64) as f32;
            each_gradient(size, x, |here, [below, right], [down, across], length| {
                // The gradient is [x[below] − x[here], x[right] − x[here]].
                let (down, across) = (share * down / length, share * across / length);
                grad[here] += down + across;
                grad[below] -= down;
                grad[right] -= across;
            });
        }
    }
}

/// Calls for every number with its own place, those below and to the right of it (its own at the edge), the differences
/// to them, and the smoothed length of the two.
fn each_gradient(size: ImageSize, x: &[f32], mut call: impl FnMut(usize, [usize; 2], [f32; 2], f32)) {
    let ImageSize { height, width, channels } = size;
    for row in 0..height {
        for column in 0..width {
            for channel in 0..channels {
                let here = (row * width + column) * channels + channel;
                let below = if row + 1 < height { here + width * channels } else { here };
                let right = if column + 1 < width { here + channels } else { here };
                let (down, across) = (x[below] - x[here], x[right] - x[here]);
                let length = (down * down + across * across + EPSILON * EPSILON).sqrt();
                call(here, [below, right], [down, across], length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::RngStream;

    /// The definition, in f64.
    fn plain(regulariser: &Regulariser, size: ImageSize, x: &[f64]) -> f64 {
        let at = |row: usize, column: usize, channel: usize| {
            let (row, column) = (row.min(size.height - 1), column.min(size.width - 1));
            x[(row * size.width + column) * size.channels + channel]
        };
        match *regulariser {
            Regulariser::L2 { weight } => weight * x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64,
            Regulariser::TotalVariation { weight } => {
                let mut sum = 0.0;
                for row in 0..size.height {
                    for column in 0..size.width {
                        for channel in 0..size.channels {
                            let here = at(row, column, channel);
                            let down = at(row + 1, column, channel) - here;
                            let across = at(row, column + 1, channel) - here;
                            sum += (down * down + across * across + f64::from(EPSILON).powi(2)).sqrt();
                        }
                    }
                }
                weight * sum / (size.height * size.width) as f64
            }
        }
    }

    proptest! {
        #[test]
        fn gradients_are_those_of_the_definition(
            height in 1_usize..6, width in 1_usize..6, channels in 1_usize..4, l2: bool, seed in 0_u64..500,
        ) {
            let size = ImageSize { height, width, channels };
            let regulariser =
                if l2 { Regulariser::L2 { weight: 3.0 } } else { Regulariser::TotalVariation { weight: 2.0 } };
            let mut stream = RngStream::new(seed, "test/regularisers");
            let x: Vec<f32> = (0..size.num_values()).map(|_| stream.uniform()).collect();
            let mut grad = vec![0.0; size.num_values()];
            subtract_gradient(&regulariser, size, &x, &mut grad);
            let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
            for (i, &grad) in grad.iter().enumerate() {
                let moved = |by: f64| {
                    let mut x = wide.clone();
                    x[i] += by;
                    plain(&regulariser, size, &x)
                };
                let exact = -(moved(1e-5) - moved(-1e-5)) / 2e-5;
                prop_assert!((f64::from(grad) - exact).abs() <= 1e-4 * exact.abs() + 1e-5, "{} {}", grad, exact);
            }
        }
    }
}
