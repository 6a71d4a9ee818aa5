//! Random transforms of an image before it is given to the network. All are linear, so that the backward pass is the
//! transpose.

use inkling_schema::Transform;

use super::image_size::ImageSize;
use crate::random::RngStream;

/// A transform with the parameters that were sampled for one step.
#[derive(Debug, Clone, PartialEq)]
pub enum SampledTransform {
    /// Moves the image down and to the right by so many pixels; what leaves on one side enters on the other.
    Roll {
        /// Rows.
        down: usize,
        /// Columns.
        right: usize,
    },
    /// Resamples the image with bilinear interpolation: the pixel at (row, column) is taken from `matrix` times (row,
    /// column), both relative to the image's centre. What lies outside of the image is black.
    Resample {
        /// From a pixel to where it is taken from.
        matrix: [[f32; 2]; 2],
    },
}

impl SampledTransform {
    /// Samples the parameters of a transform.
    pub fn new(transform: &Transform, size: ImageSize, stream: &mut RngStream) -> SampledTransform {
        // Evenly in ±bound.
        let mut within = |bound: f64| (2.0 * f64::from(stream.uniform()) - 1.0) * bound;
        match *transform {
            Transform::Jitter { pixels } => {
                let count = u32::try_from(2 * pixels + 1).unwrap_or(u32::MAX);
                let mut shift = |side: usize| {
                    let offset = i64::from(stream.random_range(count)) - pixels as i64;
                    offset.rem_euclid(side as i64) as usize
                };
                SampledTransform::Roll { down: shift(size.height), right: shift(size.width) }
            }
            Transform::Rotation { degrees } => {
                let (sin, cos) = within(degrees).to_radians().sin_cos();
                let (sin, cos) = (sin as f32, cos as f32);
                SampledTransform::Resample { matrix: [[cos, -sin], [sin, cos]] }
            }
            Transform::Scale { share } => {
                let inverse = (1.0 / (1.0 + within(share))) as f32;
                SampledTransform::Resample { matrix: [[inverse, 0.0], [0.0, inverse]] }
            }
        }
    }

    /// The transformed image y of x, both [height, width, channels].
    pub fn apply(&self, size: ImageSize, x: &[f32], y: &mut [f32]) {
        let c = size.channels;
        y.fill(0.0);
        self.each(size, |to, from, share| {
            let (x, y) = (&x[from * c..][..c], &mut y[to * c..][..c]);
            y.iter_mut().zip(x).for_each(|(y, x)| *y += share * x);
        });
    }

    /// The gradient dx of x from the gradient dy of y.
    pub fn backward(&self, size: ImageSize, dy: &[f32], dx: &mut [f32]) {
        let c = size.channels;
        dx.fill(0.0);
        self.each(size, |to, from, share| {
            let (dx, dy) = (&mut dx[from * c..][..c], &dy[to * c..][..c]);
            dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx += share * dy);
        });
    }

    /// Calls for every share that a pixel has in another: (to, from, share), pixels by their numbers.
    fn each(&self, size: ImageSize, mut call: impl FnMut(usize, usize, f32)) {
        let ImageSize { height, width, .. } = size;
        match *self {
            SampledTransform::Roll { down, right } => {
                for row in 0..height {
                    let to = (row + down) % height * width;
                    for column in 0..width {
                        call(to + (column + right) % width, row * width + column, 1.0);
                    }
                }
            }
            SampledTransform::Resample { matrix } => {
                let centre = [(height as f32 - 1.0) / 2.0, (width as f32 - 1.0) / 2.0];
                for row in 0..height {
                    for column in 0..width {
                        let place = [row as f32 - centre[0], column as f32 - centre[1]];
                        let [y, x]: [f32; 2] = std::array::from_fn(|axis| {
                            matrix[axis][0] * place[0] + matrix[axis][1] * place[1] + centre[axis]
                        });
                        let (top, left) = (y.floor(), x.floor());
                        for (i, down) in [(0.0, 1.0 - (y - top)), (1.0, y - top)] {
                            for (j, right) in [(0.0, 1.0 - (x - left)), (1.0, x - left)] {
                                let (from_row, from_column) = (top + i, left + j);
                                let inside = (0.0..height as f32).contains(&from_row)
                                    && (0.0..width as f32).contains(&from_column);
                                if inside && down * right > 0.0 {
                                    let from = from_row as usize * width + from_column as usize;
                                    call(row * width + column, from, down * right);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRANSFORMS: [Transform; 3] = [
        Transform::Jitter { pixels: 3 },
        Transform::Rotation { degrees: 40.0 },
        Transform::Scale { share: 0.4 },
    ];

    proptest! {
        #[test]
        fn backward_is_the_transpose(
            height in 1_usize..9, width in 1_usize..9, channels in 1_usize..4, which in 0_usize..3, seed in 0_u64..500,
        ) {
            let size = ImageSize { height, width, channels };
            let mut stream = RngStream::new(seed, "test/transforms");
            let sampled = SampledTransform::new(&TRANSFORMS[which], size, &mut stream);
            let mut numbers = || -> Vec<f32> { (0..size.num_values()).map(|_| stream.uniform() - 0.5).collect() };
            let (x, dy) = (numbers(), numbers());
            let (mut y, mut dx) = (vec![f32::NAN; size.num_values()], vec![f32::NAN; size.num_values()]);
            sampled.apply(size, &x, &mut y);
            sampled.backward(size, &dy, &mut dx);
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            prop_assert!((dot(&y, &dy) - dot(&x, &dx)).abs() < 1e-4);
        }
    }

    #[test]
    fn rolling_keeps_every_pixel_and_small_turns_keep_the_middle() {
        let size = ImageSize { height: 5, width: 4, channels: 1 };
        let x: Vec<f32> = (0..20).map(|i| i as f32).collect();
        let mut y = vec![0.0; 20];
        SampledTransform::Roll { down: 1, right: 3 }.apply(size, &x, &mut y);
        assert_eq!(y[4 + 3], x[0], "down by one, right by three");
        let mut sorted = y.clone();
        sorted.sort_by(f32::total_cmp);
        assert_eq!(sorted, x);

        let size = ImageSize { height: 7, width: 7, channels: 1 };
        let mut dot = vec![0.0; 49];
        dot[24] = 1.0;
        let mut turned = vec![0.0; 49];
        let mut stream = RngStream::new(1, "test/turn");
        for transform in &TRANSFORMS[1..] {
            SampledTransform::new(transform, size, &mut stream).apply(size, &dot, &mut turned);
            assert!((turned[24] - 1.0).abs() < 1e-5, "{transform:?}");
        }
    }

    #[test]
    fn a_quarter_turn_is_exact() {
        let size = ImageSize { height: 3, width: 3, channels: 1 };
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let mut y = [0.0; 9];
        SampledTransform::Resample { matrix: [[0.0, -1.0], [1.0, 0.0]] }.apply(size, &x, &mut y);
        assert_eq!(y, [7.0, 4.0, 1.0, 8.0, 5.0, 2.0, 9.0, 6.0, 3.0], "clockwise");
    }
}
