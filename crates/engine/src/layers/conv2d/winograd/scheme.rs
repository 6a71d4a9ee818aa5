//! Winograd's minimal filtering F(m, r): the available schemes, their matrices, and the choice among them.

use super::transform::{Gather, Matrix, Scatter, gather, scatter};
use crate::kernels::gemm::NR;
use crate::kernels::isa::Isa;
use crate::layers::geometry::Geometry;

/// F(m, r) computes m neighbouring outputs of a filter with r taps from n = m + r − 1 inputs with n multiplications; in two
/// dimensions, m² outputs with n² multiplications.
///
/// In one dimension y = Aᵀ[(G g) ⊙ (Bᵀ d)] for the inputs d and the taps g. In the construction of Toom and Cook the
/// product of two polynomials is computed by multiplying their values at n points, the last of which is infinity, and
/// interpolating; filtering is the transpose of that (Winograd 1980; Lavin and Gray 2016; Blahut 2010, chapter 5). Both
/// gradients use the transposes of these matrices, so six transforms are enough for a convolution.
#[derive(Debug)]
pub(super) struct Scheme {
    /// m.
    pub(super) outputs: usize,
    /// r.
    pub(super) taps: usize,
    /// Upper bounds of the rms errors of y, dx and dw relative to those of the direct sums, for inputs, weights and
    /// gradients that are uniform in ±1 and for 128 channels.
    #[cfg(test)]
    pub(super) errors: [f64; 3],
    /// The same, for each of the three, if the factors of both are rounded to bfloat16.
    #[cfg(test)]
    pub(super) errors_of_pairs: f64,
    /// d ↦ Bᵀ d B for tiles of an input.
    pub(super) input: fn(Isa, Gather),
    /// The transpose of `input`, which adds up the gradients of overlapping tiles.
    pub(super) input_gradient: fn(Isa, Scatter),
    /// g ↦ G g Gᵀ for filters.
    pub(super) filter: fn(Isa, Gather),
    /// The transpose of `filter`.
    pub(super) filter_gradient: fn(Isa, Scatter),
    /// m ↦ Aᵀ m A for tiles of an output.
    pub(super) output: fn(Isa, Scatter),
    /// The transpose of `output`.
    pub(super) output_gradient: fn(Isa, Gather),
}

/// All schemes. The rms errors of outputs and input gradients (sums over 128 channels and the taps), relative to those of
/// direct sums, are 1.0 for F(2, 2), 0.9 for F(3, 2), 2.1 for F(4, 2), 0.6 for F(2, 3) and 2.7 for F(4, 3). Those of
/// weight gradients (sums over all tiles) are 2.1, 1.1, 2.0, 1.7 and 4.1. If the factors are rounded to bfloat16, all three are
/// 2.2, 1.9, 4.3, 1.9 and 7.7 times those of direct sums of factors rounded in this way.
pub(super) static SCHEMES: [Scheme; 5] =
    [f2x2::SCHEME, f3x2::SCHEME, f4x2::SCHEME, f2x3::SCHEME, f4x3::SCHEME];

impl Scheme {
    /// n.
    pub(super) fn points(&self) -> usize {
        self.outputs + self.taps - 1
    }

    /// The scheme that computes a convolution with the fewest multiplications, if they are few enough to outweigh the
    /// transforms.
    ///
    /// A convolution with a kernel of k × k and stride s equals one with a kernel of r × r and stride 1, r = ⌈k / s⌉, on
    /// an image in which the s × s remainders of the pixels' coordinates are additional channels. A scheme therefore
    /// applies if r is the same in both directions, and channels and filters fill whole panels. The count includes the
    /// parts of tiles beyond the output and the taps beyond the kernel.
    pub(super) fn of(geometry: &Geometry) -> Option<&'static Scheme> {
        let Geometry { kernel, stride, channels, filters, output, .. } = *geometry;
        let taps = kernel[0].div_ceil(stride[0]);
        let is_square = kernel[1].div_ceil(stride[1]) == taps;
        if !is_square || !channels.is_multiple_of(NR) || !filters.is_multiple_of(NR) {
            return None;
        }
        // Multiplications for each channel and filter.
        let direct = kernel[0] * kernel[1] * output[0] * output[1];
        let products = |scheme: &Scheme| {
            let tiles: usize = output.iter().map(|side| side.div_ceil(scheme.outputs)).product();
            scheme.points().pow(2) * tiles * stride[0] * stride[1]
        };
        let fewest =
            SCHEMES.iter().filter(|scheme| scheme.taps == taps).min_by_key(|scheme| products(scheme))?;
        // If less than a third of the multiplications is saved, the transforms and the larger sums cost more than that.
        (2 * direct >= 3 * products(fewest)).then_some(fewest)
    }
}

/// The powers p⁰, p¹, … of each point p. For infinity only the last entry is one.
const fn powers<const N: usize, const K: usize>(points: [f64; N]) -> [[f64; K]; N] {
    let mut matrix = [[0.0; K]; N];
    matrix[N - 1][K - 1] = 1.0;
    let mut i = 0;
    while i + 1 < N {
        let (mut k, mut power) = (0, 1.0);
        while k < K {
            matrix[i][k] = power;
            power *= points[i];
            k += 1;
        }
        i += 1;
    }
    matrix
}

/// Row i: the coefficients of Π (x − q) over all finite points q except the i-th. The last row, for infinity, has all of
/// them.
const fn products<const N: usize>(points: [f64; N]) -> [[f64; N]; N] {
    let mut matrix = [[0.0; N]; N];
    let mut i = 0;
    while i < N {
        matrix[i][0] = 1.0;
        let mut j = 0;
        while j + 1 < N {
            if j != i {
                // Multiplies p by (x − q): each coefficient becomes the one below it minus q times itself.
                let mut k = N - 1;
                while k > 0 {
                    matrix[i][k] = matrix[i][k - 1] - points[j] * matrix[i][k];
                    k -= 1;
                }
                matrix[i][0] *= -points[j];
            }
            j += 1;
        }
        i += 1;
    }
    matrix
}

/// Bᵀ.
const fn input<const N: usize>(points: [f64; N]) -> [[f32; N]; N] {
    rounded(products(points))
}

/// G: the powers of each point, divided by Π (x − q) over the other points, evaluated at the point.
const fn filter<const N: usize, const R: usize>(points: [f64; N]) -> [[f32; R]; N] {
    let mut matrix = powers::<N, R>(points);
    let mut i = 0;
    while i + 1 < N {
        let (mut j, mut scale) = (0, 1.0);
        while j + 1 < N {
            if j != i {
                scale *= points[i] - points[j];
            }
            j += 1;
        }
        let mut k = 0;
        while k < R {
            matrix[i][k] /= scale;
            k += 1;
        }
        i += 1;
    }
    rounded(matrix)
}

/// A.
const fn output_gradient<const N: usize, const M: usize>(points: [f64; N]) -> [[f32; M]; N] {
    rounded(powers(points))
}

const fn rounded<const OUT: usize, const IN: usize>(matrix: [[f64; IN]; OUT]) -> [[f32; IN]; OUT] {
    let mut entries = [[0.0; IN]; OUT];
    let mut i = 0;
    while i < OUT {
        let mut j = 0;
        while j < IN {
            entries[i][j] = matrix[i][j] as f32;
            j += 1;
        }
        i += 1;
    }
    entries
}

const fn transposed<const OUT: usize, const IN: usize>(matrix: [[f32; IN]; OUT]) -> [[f32; OUT]; IN] {
    let mut entries = [[0.0; OUT]; IN];
    let mut i = 0;
    while i < OUT {
        let mut j = 0;
        while j < IN {
            entries[j][i] = matrix[i][j];
            j += 1;
        }
        i += 1;
    }
    entries
}

/// Defines F(m, r) with these points and bounds of its errors.
macro_rules! scheme {
    ($name:ident, $m:literal, $r:literal, $points:expr, $errors:expr, $errors_of_pairs:literal) => {
        mod $name {
            use super::*;

            const N: usize = $m + $r - 1;
            const POINTS: [f64; N] = $points;

            struct Input;
            impl Matrix<N, N> for Input {
                const ENTRIES: [[f32; N]; N] = input(POINTS);
            }
            struct InputGradient;
            impl Matrix<N, N> for InputGradient {
                const ENTRIES: [[f32; N]; N] = transposed(Input::ENTRIES);
            }
            struct Filter;
            impl Matrix<N, $r> for Filter {
                const ENTRIES: [[f32; $r]; N] = filter(POINTS);
            }
            struct FilterGradient;
            impl Matrix<$r, N> for FilterGradient {
                const ENTRIES: [[f32; N]; $r] = transposed(Filter::ENTRIES);
            }
            struct Output;
            impl Matrix<$m, N> for Output {
                const ENTRIES: [[f32; N]; $m] = transposed(OutputGradient::ENTRIES);
            }
            struct OutputGradient;
            impl Matrix<N, $m> for OutputGradient {
                const ENTRIES: [[f32; $m]; N] = output_gradient(POINTS);
            }

            pub(super) const SCHEME: Scheme = Scheme {
                outputs: $m,
                taps: $r,
                #[cfg(test)]
                errors: $errors,
                #[cfg(test)]
                errors_of_pairs: $errors_of_pairs,
                input: gather::<Input, N, N>,
                input_gradient: scatter::<InputGradient, N, N>,
                filter: gather::<Filter, N, $r>,
                filter_gradient: scatter::<FilterGradient, $r, N>,
                output: scatter::<Output, $m, N>,
                output_gradient: gather::<OutputGradient, N, $m>,
            };
        }
    };
}

// Pairs of points of which one is minus the inverse of the other give the smallest rounding errors; with 0, ±1 and ½
// those of F(4, 2) would be half as large again.
scheme!(f2x2, 2, 2, [0.0, -1.0, f64::INFINITY], [1.1, 1.1, 2.2], 2.2);
scheme!(f3x2, 3, 2, [0.0, 1.0, -1.0, f64::INFINITY], [1.0, 1.0, 1.2], 1.9);
scheme!(f4x2, 4, 2, [0.0, -1.0, 0.5, 2.0, f64::INFINITY], [2.1, 2.2, 2.2], 4.4);
scheme!(f2x3, 2, 3, [0.0, 1.0, -1.0, f64::INFINITY], [0.7, 0.7, 1.8], 1.9);
scheme!(f4x3, 4, 3, [0.0, 1.0, -1.0, 0.5, -2.0, f64::INFINITY], [2.5, 2.8, 4.3], 7.9);
