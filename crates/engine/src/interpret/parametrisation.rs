//! The parameters that the ascent changes: an image is x = σ(u), u = B·z, with the logistic function σ and a basis B.

use inkling_schema::Parametrisation;

use super::image_size::ImageSize;

/// Converts parameters z to an image x = σ(B·z) and back. An image is [height, width, channels], and z has as many
/// numbers.
///
/// With [`Parametrisation::Pixels`], B is the identity. With [`Parametrisation::Fourier`], B is the real Fourier basis
/// of the rows and columns. Its basis vectors are of length one and scaled by frequency^−decay, with the lowest
/// frequency of the image in place of zero, so that the mean square of the scales is one: noise on z has the same
/// deviation on u.
#[derive(Debug, Clone)]
pub struct ImageBasis {
    size: ImageSize,
    fourier: Option<FourierBasis>,
}

#[derive(Debug, Clone)]
struct FourierBasis {
    /// Basis vectors of a column, [height, height], and of a row, [width, width], vector after vector.
    vertical: Vec<f32>,
    horizontal: Vec<f32>,
    /// [height, width].
    scales: Vec<f32>,
}

impl ImageBasis {
    /// The basis of images of this size.
    pub fn new(parametrisation: Parametrisation, size: ImageSize) -> ImageBasis {
        let fourier = match parametrisation {
            Parametrisation::Pixels => None,
            Parametrisation::Fourier { decay } => Some(FourierBasis::new(size, decay)),
        };
        ImageBasis { size, fourier }
    }

    /// The size of the images.
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// The image of the parameters z: x = σ(B·z).
    ///
    /// # Panics
    /// If z or x has other than [`ImageSize::num_values`] numbers.
    pub fn image(&self, z: &[f32], x: &mut [f32]) {
        assert_eq!(
            (z.len(), x.len()),
            (self.size.num_values(), self.size.num_values()),
            "numbers of an image"
        );
        match &self.fourier {
            None => x.copy_from_slice(z),
            Some(fourier) => fourier.sum(self.size, z, x),
        }
        x.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp()));
    }

    /// The gradient dz from the image x and its gradient dx, which is overwritten: dz = Bᵀ·(σ′·dx) with σ′ = x·(1 − x).
    pub fn backward(&self, x: &[f32], dx: &mut [f32], dz: &mut [f32]) {
        dx.iter_mut().zip(x).for_each(|(dx, x)| *dx *= x * (1.0 - x));
        match &self.fourier {
            None => dz.copy_from_slice(dx),
            Some(fourier) => fourier.project(self.size, dx, dz, |product, scale| product * scale),
        }
    }

    /// The parameters of an image, z = B⁻¹·σ⁻¹(x). They are finite if every number of x lies strictly between 0 and 1.
    pub fn parameters(&self, x: &[f32]) -> Vec<f32> {
        let u: Vec<f32> = x.iter().map(|x| (x / (1.0 - x)).ln()).collect();
        let Some(fourier) = &self.fourier else { return u };
        let mut z = vec![0.0; u.len()];
        // The basis vectors are orthonormal before they are scaled.
        fourier.project(self.size, &u, &mut z, |product, scale| product / scale);
        z
    }
}

impl FourierBasis {
    fn new(size: ImageSize, decay: f64) -> FourierBasis {
        let (height, width) = (size.height, size.width);
        let lowest = 1.0 / height.max(width) as f64;
        let frequency = |row: usize, column: usize| {
            let (down, across) = (cycles(row) / height as f64, cycles(column) / width as f64);
            down.hypot(across).max(lowest)
        };
        let scales: Vec<f64> =
            (0..height * width).map(|place| frequency(place / width, place % width).powf(-decay)).collect();
        let mean_square = scales.iter().map(|scale| scale * scale).sum::<f64>() / scales.len() as f64;
        let scales = scales.iter().map(|scale| (scale / mean_square.sqrt()) as f32).collect();
        FourierBasis { vertical: real_fourier(height), horizontal: real_fourier(width), scales }
    }

    /// u[i, j] = Σ over waves (k, l) of vertical[k, i] · horizontal[l, j] · scale[k, l] · z[k, l], channel by channel.
    fn sum(&self, size: ImageSize, z: &[f32], u: &mut [f32]) {
        let ImageSize { height, width, channels } = size;
        // Rows first: half[k, j] = Σ over l.
        let mut half = vec![0.0; u.len()];
        for (k, half) in half.chunks_exact_mut(width * channels).enumerate() {
            for l in 0..width {
                let from = &z[(k * width + l) * channels..][..channels];
                let scale = self.scales[k * width + l];
                let wave = &self.horizontal[l * width..][..width];
                for (half, wave) in half.chunks_exact_mut(channels).zip(wave) {
                    half.iter_mut().zip(from).for_each(|(half, z)| *half += wave * scale * z);
                }
            }
        }
        u.fill(0.0);
        for (k, half) in half.chunks_exact(width * channels).enumerate() {
            let wave = &self.vertical[k * height..][..height];
            for (u, wave) in u.chunks_exact_mut(width * channels).zip(wave) {
                u.iter_mut().zip(half).for_each(|(u, half)| *u += wave * half);
            }
        }
    }

    /// z[k, l] = finish(Σ over places (i, j) of vertical[k, i] · horizontal[l, j] · u[i, j], scale[k, l]).
    fn project(&self, size: ImageSize, u: &[f32], z: &mut [f32], finish: impl Fn(f32, f32) -> f32) {
        let ImageSize { height, width, channels } = size;
        let mut half = vec![0.0; u.len()];
        for (k, half) in half.chunks_exact_mut(width * channels).enumerate() {
            let wave = &self.vertical[k * height..][..height];
            for (u, wave) in u.chunks_exact(width * channels).zip(wave) {
                half.iter_mut().zip(u).for_each(|(half, u)| *half += wave * u);
            }
        }
        for (k, half) in half.chunks_exact(width * channels).enumerate() {
            for l in 0..width {
                let z = &mut z[(k * width + l) * channels..][..channels];
                z.fill(0.0);
                let wave = &self.horizontal[l * width..][..width];
                for (half, wave) in half.chunks_exact(channels).zip(wave) {
                    z.iter_mut().zip(half).for_each(|(z, half)| *z += wave * half);
                }
                z.iter_mut().for_each(|z| *z = finish(*z, self.scales[k * width + l]));
            }
        }
    }
}

/// Full waves along the side of the k-th basis vector: a constant, then a cosine and a sine of each frequency.
fn cycles(k: usize) -> f64 {
    k.div_ceil(2) as f64
}

/// The orthonormal real Fourier basis of n numbers, vector after vector.
fn real_fourier(n: usize) -> Vec<f32> {
    let value = |k: usize, i: usize| {
        let angle = std::f64::consts::TAU * cycles(k) * (i as f64) / n as f64;
        // The constant, and the wave that changes its sign from number to number, have no sine.
        let alone = k == 0 || 2 * k.div_ceil(2) == n;
        let length = if alone { 1.0 / n as f64 } else { 2.0 / n as f64 }.sqrt();
        (length * if k % 2 == 1 || k == 0 { angle.cos() } else { angle.sin() }) as f32
    };
    (0..n * n).map(|place| value(place / n, place % n)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::RngStream;

    fn numbers(stream: &mut RngStream, count: usize) -> Vec<f32> {
        (0..count).map(|_| 2.0 * stream.uniform() - 1.0).collect()
    }

    #[test]
    fn the_waves_are_orthonormal() {
        for n in [1, 2, 3, 8, 9, 28] {
            let basis = real_fourier(n);
            for a in 0..n {
                for b in 0..n {
                    let products = basis[a * n..][..n].iter().zip(&basis[b * n..][..n]);
                    let product: f32 = products.map(|(a, b)| a * b).sum();
                    let expected = if a == b { 1.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-5, "{a} and {b} of {n}: {product}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn parameters_are_those_of_their_image_and_gradients_those_of_the_definition(
            height in 1_usize..7, width in 1_usize..8, channels in 1_usize..4, fourier: bool, seed in 0_u64..500,
        ) {
            let size = ImageSize { height, width, channels };
            let parametrisation =
                if fourier { Parametrisation::Fourier { decay: 1.3 } } else { Parametrisation::Pixels };
            let basis = ImageBasis::new(parametrisation, size);
            let mut stream = RngStream::new(seed, "test/basis");
            let z = numbers(&mut stream, size.num_values());
            let mut x = vec![f32::NAN; size.num_values()];
            basis.image(&z, &mut x);
            for (back, z) in basis.parameters(&x).iter().zip(&z) {
                prop_assert!((back - z).abs() < 1e-3, "{} for {}", back, z);
            }

            // d(dy·x)/dz by differences.
            let dy = numbers(&mut stream, size.num_values());
            let mut dz = vec![f32::NAN; size.num_values()];
            basis.backward(&x, &mut dy.clone(), &mut dz);
            let value = |z: &[f32]| {
                let mut x = vec![0.0; z.len()];
                basis.image(z, &mut x);
                x.iter().zip(&dy).map(|(x, dy)| f64::from(x * dy)).sum::<f64>()
            };
            let largest = dz.iter().fold(0.0_f32, |largest, dz| largest.max(dz.abs()));
            for i in 0..z.len() {
                let moved = |by: f32| {
                    let mut z = z.clone();
                    z[i] += by;
                    value(&z)
                };
                let grad = ((moved(0.01) - moved(-0.01)) / 0.02) as f32;
                prop_assert!((dz[i] - grad).abs() <= 2e-3 * largest + 1e-5, "{} {}", dz[i], grad);
            }
        }
    }
}
