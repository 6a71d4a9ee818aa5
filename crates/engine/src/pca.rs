//! Principal component analysis of images, exact.
//!
//! Pixels are bytes, so the scatter matrix Σ q qᵀ of q = p − 128 is a matrix of integers: products and short sums of
//! them fit the 24 bits of an f32 without rounding, and the long sums fit the 53 bits of an f64. The covariance, which
//! no shift changes, is therefore exact up to one rounding, whatever the order of summation and the number of threads,
//! and the fast f32 matrix product can be used for it. Eigenvectors in f64. After Pearson (1901) and Hotelling (1933);
//! Jolliffe, *Principal Component Analysis* (2002).

use faer::Mat;
use rayon::prelude::*;
use thiserror::Error;

use crate::linalg::{eigh, syrk};
use crate::{Affine, ByteMatrix};

/// What is taken from a pixel before it is multiplied, so that as many products as can be sum without rounding.
const MIDDLE: u8 = 128;
/// Rows whose products sum in f32 without rounding: 128² · 1024 = 2²⁴.
const EXACT_ROWS: usize = 1024;

/// A fitted model. Components are the rows of an orthonormal matrix, those of largest variance first; the loading of
/// largest magnitude of each is positive, so that signs are not left to chance.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// How pixels become features.
    pub affine: Affine,
    /// Mean of each feature, shape `[d]`.
    pub mean: Vec<f64>,
    /// Components, shape [k, d].
    pub components: Vec<f64>,
    /// Singular values of the centred data matrix, shape `[k]`.
    pub singular_values: Vec<f64>,
    /// Variance along each component, with n − 1 in the denominator, shape `[k]`.
    pub explained_variance: Vec<f64>,
    /// Those variances as shares of the total variance, shape `[k]`.
    pub explained_variance_ratio: Vec<f64>,
    /// Variance along every one of the d principal axes, kept or not, shape `[d]`.
    pub spectrum: Vec<f64>,
    /// Sum of the variances of all features.
    pub total_variance: f64,
    /// Number of samples n.
    pub samples: usize,
}

/// Why a PCA cannot be fitted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PcaError {
    /// Fewer than two samples have no variance.
    #[error("PCA needs at least 2 samples and got {samples}")]
    TooFewSamples {
        /// The samples given.
        samples: usize,
    },
    /// More components asked for than there are features.
    #[error("PCA of {features} features cannot give {components} components")]
    TooManyComponents {
        /// The components asked for.
        components: usize,
        /// The features there are.
        features: usize,
    },
    /// Every sample is the same.
    #[error("PCA of samples that are all the same has no direction")]
    NoVariance,
    /// The eigenvalue iteration did not converge.
    #[error("the eigenvalues of the covariance did not converge")]
    NoConvergence,
}

impl Pca {
    /// Fits `components` principal components to `pixels` of shape [n, features].
    ///
    /// ```
    /// use inkling_engine::{Affine, pca::Pca};
    ///
    /// // Three samples of two features, on a line.
    /// let pixels = [0, 0, 100, 50, 200, 100];
    /// let pca = Pca::fit(&pixels, 2, Affine { factor: 1.0, shift: 0.0 }, 1)?;
    /// assert!((pca.explained_variance_ratio[0] - 1.0).abs() < 1e-9);
    /// let rebuilt = pca.inverse_transform(&pca.transform(&pixels, 1), 1);
    /// assert!(rebuilt.iter().zip(&pixels).all(|(x, &pixel)| (x - f64::from(pixel)).abs() < 1e-6));
    /// # Ok::<(), inkling_engine::pca::PcaError>(())
    /// ```
    ///
    /// # Errors
    /// Fewer than two samples, more components than features, samples without variance.
    ///
    /// # Panics
    /// If `pixels` does not hold whole rows.
    pub fn fit(pixels: &[u8], features: usize, affine: Affine, components: usize) -> Result<Pca, PcaError> {
        assert!(features > 0 && pixels.len().is_multiple_of(features), "pixels come in rows of {features}");
        let samples = pixels.len() / features;
        if samples < 2 {
            return Err(PcaError::TooFewSamples { samples });
        }
        if components > features {
            return Err(PcaError::TooManyComponents { components, features });
        }
        let n = samples as f64;
        let sums = pixel_sums(pixels, features);
        let scatter = scatter(pixels, features);
        // n Σ q qᵀ − (Σ q)(Σ q)ᵀ is a difference of integers below 2⁵³ for up to 700,000 samples.
        let scale = affine.factor * affine.factor / (n * (n - 1.0));
        let covariance = Mat::from_fn(features, features, |i, j| {
            let (row, column) = (i.max(j), i.min(j));
            scale * (n * scatter[(row, column)] - sums[i] * sums[j])
        });
        let total_variance: f64 = (0..features).map(|i| covariance[(i, i)]).sum();
        if total_variance <= 0.0 {
            return Err(PcaError::NoVariance);
        }
        let (values, vectors) = eigh(&covariance).ok_or(PcaError::NoConvergence)?;
        let spectrum: Vec<f64> = (0..features).rev().map(|i| values[i].max(0.0)).collect();
        let mut axes = Vec::with_capacity(components * features);
        for k in 0..components {
            axes.extend(vectors.col(features - 1 - k).iter());
            fix_sign(&mut axes[k * features..]);
        }
        let explained_variance = spectrum[..components].to_vec();
        Ok(Pca {
            affine,
            mean: sums
                .iter()
                .map(|sum| affine.factor * (sum / n + f64::from(MIDDLE)) + affine.shift)
                .collect(),
            components: axes,
            singular_values: explained_variance
                .iter()
                .map(|variance| (variance * (n - 1.0)).sqrt())
                .collect(),
            explained_variance_ratio: explained_variance.iter().map(|v| v / total_variance).collect(),
            explained_variance,
            spectrum,
            total_variance,
            samples,
        })
    }

    /// Number of features d.
    pub fn features(&self) -> usize {
        self.mean.len()
    }

    /// Coordinates of `pixels`, shape [n, d], along the first `components` components: shape [n, components].
    ///
    /// # Panics
    /// If `pixels` does not hold whole rows, or no components or more than the model has are asked for.
    pub fn transform(&self, pixels: &[u8], components: usize) -> Vec<f64> {
        let d = self.features();
        assert!(components > 0 && components * d <= self.components.len(), "components that the model has");
        let features = ByteMatrix::new(pixels, d, self.affine);
        let axes: Vec<(&[f64], f64)> = self
            .components
            .chunks_exact(d)
            .take(components)
            .map(|axis| (axis, axis.iter().zip(&self.mean).map(|(loading, mean)| loading * mean).sum()))
            .collect();
        let mut coordinates = vec![0.0; features.rows() * components];
        coordinates.par_chunks_mut(components).enumerate().with_min_len(256).for_each(|(i, coordinates)| {
            for (coordinate, (axis, at_mean)) in coordinates.iter_mut().zip(&axes) {
                *coordinate = features.dot(i, axis) - at_mean;
            }
        });
        coordinates
    }

    /// Features of shape [n, d] from `coordinates` of shape [n, components], the inverse of [`Pca::transform`] up to
    /// what the components left out carried.
    ///
    /// # Panics
    /// If `coordinates` does not hold whole rows.
    pub fn inverse_transform(&self, coordinates: &[f64], components: usize) -> Vec<f64> {
        assert!(components > 0 && coordinates.len().is_multiple_of(components), "rows of {components}");
        let d = self.features();
        let mut features = Vec::with_capacity(coordinates.len() / components * d);
        for coordinates in coordinates.chunks_exact(components) {
            let start = features.len();
            features.extend_from_slice(&self.mean);
            for (coordinate, axis) in coordinates.iter().zip(self.components.chunks_exact(d)) {
                for (x, loading) in features[start..].iter_mut().zip(axis) {
                    *x += coordinate * loading;
                }
            }
        }
        features
    }
}

/// Σ q over all samples, shape [features]; exact.
fn pixel_sums(pixels: &[u8], features: usize) -> Vec<f64> {
    let mut sums = vec![0_i64; features];
    for row in pixels.chunks_exact(features) {
        for (sum, &pixel) in sums.iter_mut().zip(row) {
            *sum += i64::from(pixel) - i64::from(MIDDLE);
        }
    }
    sums.into_iter().map(|sum| sum as f64).collect()
}

/// The lower triangle of Σ q qᵀ over all samples, shape [features, features]; exact, as the head of this file says.
fn scatter(pixels: &[u8], features: usize) -> Mat<f64> {
    let threads = rayon::current_num_threads();
    let rows = pixels.len() / features;
    let share = rows.div_ceil(threads).next_multiple_of(EXACT_ROWS);
    pixels
        .par_chunks(share * features)
        .map(|pixels| {
            let mut total = Mat::<f64>::zeros(features, features);
            let mut block = Mat::<f32>::zeros(features, features);
            let mut values = vec![0.0_f32; EXACT_ROWS * features];
            for pixels in pixels.chunks(EXACT_ROWS * features) {
                for (value, &pixel) in values.iter_mut().zip(pixels) {
                    *value = f32::from(pixel) - f32::from(MIDDLE);
                }
                block.fill(0.0);
                syrk(&mut block, &values[..pixels.len()], 1.0);
                for j in 0..features {
                    for i in j..features {
                        total[(i, j)] += f64::from(block[(i, j)]);
                    }
                }
            }
            total
        })
        .reduce_with(|a, b| a + b)
        .expect("at least two samples")
}

fn fix_sign(axis: &mut [f64]) {
    let largest = axis.iter().copied().fold(0.0_f64, |most, x| if x.abs() > most.abs() { x } else { most });
    if largest < 0.0 {
        for x in axis {
            *x = -*x;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Σ q qᵀ in integers, as it is defined.
    fn plain_scatter(pixels: &[u8], features: usize, i: usize, j: usize) -> i64 {
        let middle = |p: u8| i64::from(p) - i64::from(MIDDLE);
        pixels.chunks_exact(features).map(|row| middle(row[i]) * middle(row[j])).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        #[test]
        fn the_scatter_is_exact_even_where_pixels_are_extreme(
            rows in 2_usize..5000, seed in 0_u64..1000, extreme in proptest::bool::ANY,
        ) {
            let mut stream = crate::random::RngStream::new(seed, "test/scatter");
            // Zeros alone make the largest sums: 128² for each row.
            let mut pixel = || if extreme { 255 * (stream.random_range(20) / 19) as u8 } else { stream.random_range(256) as u8 };
            let pixels: Vec<u8> = (0..3 * rows).map(|_| pixel()).collect();
            let fast = scatter(&pixels, 3);
            for i in 0..3 {
                for j in 0..=i {
                    prop_assert_eq!(fast[(i, j)], plain_scatter(&pixels, 3, i, j) as f64);
                }
            }
        }
    }
}
