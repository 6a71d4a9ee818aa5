//! Padding of images and of their gradients with zeros.

use crate::kernels::isa::{Isa, Kernel};
use crate::kernels::simd::Simd;
use crate::layers::geometry::Geometry;

/// Copies an image x, [height, width, channels], into its padded form, [padded height, padded width, channels]. The
/// padding itself is not written, so it must already be zero.
pub(super) fn pad(geometry: &Geometry, x: &[f32], image: &mut [f32]) {
    let Geometry { channels, input, before, padded, .. } = *geometry;
    let row = input[1] * channels;
    for (i, x) in x.chunks_exact(row).enumerate() {
        let start = ((i + before[0]) * padded[1] + before[1]) * channels;
        image[start..start + row].copy_from_slice(x);
    }
}

/// The layout of the padded gradient of an output image: [height, width, pixel].
#[derive(Debug, Clone, Copy)]
pub(super) struct PaddedGrad {
    /// The number of pixels of a row.
    pub(super) width: usize,
    /// The number of values of a pixel: one for each filter, padded with zeros to whole cache lines.
    pub(super) pixel: usize,
    /// The number of values of the padded image.
    pub(super) image: usize,
    /// The start of the first pixel of the output.
    start: usize,
}

impl PaddedGrad {
    /// The layout of a padded image of this height and width, with `margin` rows of zeros at the top and columns at the
    /// left.
    pub(super) fn new(filters: usize, size: [usize; 2], margin: [usize; 2]) -> PaddedGrad {
        let pixel = filters.next_multiple_of(16);
        let start = (margin[0] * size[1] + margin[1]) * pixel;
        PaddedGrad { width: size[1], pixel, image: size[0] * size[1] * pixel, start }
    }

    /// The start of a pixel.
    pub(super) fn at(&self, row: usize, column: usize) -> usize {
        (row * self.width + column) * self.pixel
    }

    /// Copies the dY of an image, [height, width, filters], into its padded form `image`, and adds its sums over the
    /// pixels to `sums`, [filters]. If y is given, ReLU follows the convolution: dY counts as zero where y is not above
    /// zero.
    pub(super) fn pad(
        &self,
        isa: Isa,
        geometry: &Geometry,
        dy: &[f32],
        y: Option<&[f32]>,
        image: &mut [f32],
        sums: &mut [f32],
    ) {
        let (filters, columns) = (geometry.filters, geometry.output[1]);
        let row = columns * filters;
        for (i, dy) in dy.chunks_exact(row).enumerate() {
            let y = y.map(|y| &y[i * row..][..row]);
            let to = &mut image[self.start + self.at(i, 0)..][..columns * self.pixel];
            isa.run(MaskRow { filters, pixel: self.pixel, dy, y, to, sums });
        }
    }
}

/// Copies one row of pixels of dY to `to`, masked by y, and adds it to `sums`.
struct MaskRow<'a> {
    filters: usize,
    pixel: usize,
    dy: &'a [f32],
    y: Option<&'a [f32]>,
    to: &'a mut [f32],
    sums: &'a mut [f32],
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for MaskRow<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let MaskRow { filters, pixel, dy, y, to, sums } = self;
        let pixels = dy.len() / filters;
        // The values of a pixel must not reach into the next pixel.
        assert!(filters <= pixel && filters <= sums.len(), "room for every filter");
        assert!(pixels.checked_mul(pixel).is_some_and(|end| end <= to.len()), "room for every pixel");
        assert!(y.is_none_or(|y| y.len() == dy.len()), "an output for every gradient");
        let whole = filters - filters % S::LANES;
        let (dy, to, sums) = (dy.as_ptr(), to.as_mut_ptr(), sums.as_mut_ptr());
        // Without y nothing is masked; its pointer is then that of dY, and is not read from.
        let (relu, y) = (y.is_some(), y.map_or(dy, <[f32]>::as_ptr));
        // SAFETY: the lengths are checked above, and no vector reaches beyond the filters of a pixel; the caller has
        // checked that the instruction set is available.
        unsafe {
            for j in (0..whole).step_by(S::LANES) {
                let mut sum = S::load(sums.add(j));
                for i in 0..pixels {
                    let at = i * filters + j;
                    let mut gradient = S::load(dy.add(at));
                    if relu {
                        gradient = S::relu_mask_lanes(gradient, S::load(y.add(at)));
                    }
                    S::store(gradient, to.add(i * pixel + j));
                    sum = S::add(sum, gradient);
                }
                S::store(sum, sums.add(j));
            }
            for j in whole..filters {
                for i in 0..pixels {
                    let at = i * filters + j;
                    let gradient = if !relu || *y.add(at) > 0.0 { *dy.add(at) } else { 0.0 };
                    *to.add(i * pixel + j) = gradient;
                    *sums.add(j) += gradient;
                }
            }
        }
    }
}
