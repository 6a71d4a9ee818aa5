//! Minimal filtering: nine products where the definition has sixteen, for convolutions whose kernel is twice their stride.
//!
//! A kernel of 2s × 2s at stride s is one of 2 × 2 at stride 1 on an image whose channels are the s × s remainders of a
//! pixel's place. Two neighbouring outputs of a filter with taps g₀, g₁ on d₀, d₁, d₂ need three products,
//! m₀ = (d₀ − d₁)·g₀, m₁ = d₁·(g₀ + g₁), m₂ = (d₂ − d₁)·g₁, for y₀ = m₀ + m₁ and y₁ = m₁ + m₂ (Winograd 1980; Lavin and
//! Gray 2016). In both directions that makes nine matrix products, each over all tiles of 2 × 2 outputs. The transforms
//! add and subtract only, so the error stays near that of the direct sum. The input gradient gains nothing by it: it has a
//! row and a column of tiles more.

use super::transforms::{After, BLOCK, Before, Grid, PRODUCTS, Spread, SpreadTaps};
use crate::kernels::path::Path;
use crate::kernels::product::{COLUMNS, Product, ROWS, Row, Segment, tiles};
use crate::operations::geometry::Geometry;
use crate::operations::parameter::Receiver;
use crate::parallel::{Shared, for_each};

/// How a convolution's output and weight gradient are computed with fewer products.
#[derive(Debug, Clone, Copy)]
pub(super) struct Minimal {
    /// Tiles of 2 × 2 outputs on the image with its zeros.
    grid: Grid,
    filters: usize,
    /// Rows and columns of the kernel.
    kernel: [usize; 2],
}

impl Minimal {
    /// Where it applies: kernel and stride as above, whole tiles, whole blocks of channels and filters.
    pub(super) fn new(geometry: &Geometry) -> Option<Minimal> {
        let Geometry { kernel, stride: [stride, other], channels, filters, output, padded, .. } = *geometry;
        let fits = stride == other
            && kernel == [2 * stride; 2]
            && output.iter().all(|side| side.is_multiple_of(2))
            && channels.is_multiple_of(BLOCK)
            && filters.is_multiple_of(BLOCK);
        let grid = Grid { tiles: output.map(|side| side / 2), width: padded[1], pixel: channels, stride };
        fits.then_some(Minimal { grid, filters, kernel })
    }

    fn panels(&self) -> usize {
        self.filters.div_ceil(COLUMNS)
    }

    /// Numbers of the weights before the products, and of the sums of their gradient: [product, panel, depth, 32].
    pub(super) fn weights(&self) -> usize {
        PRODUCTS * self.panels() * self.grid.depth() * COLUMNS
    }

    /// Numbers of so many images before the products, [product, row, depth], a row for each tile.
    pub(super) fn before(&self, images: usize) -> usize {
        PRODUCTS * images * self.grid.count() * self.grid.depth()
    }

    /// Numbers of so many outputs' products, [product, panel, row, 32].
    pub(super) fn products(&self, images: usize) -> usize {
        PRODUCTS * self.panels() * images * self.grid.count() * COLUMNS
    }

    /// The weights before the products, from W in panels.
    pub(super) fn spread_weights(&self, path: Path, weights: &[f32], u: &mut [f32]) {
        let (panels, Grid { pixel: channels, stride, .. }) = (self.panels(), self.grid);
        let (depth, stretch) = (self.grid.depth(), channels * COLUMNS);
        let taps = self.kernel[0] * self.kernel[1];
        let u = Shared::new(u);
        for_each(panels * stride * stride, |task| {
            let (panel, remainder) = (task / (stride * stride), task % (stride * stride));
            let tap = |s: usize, t: usize| {
                let (down, right) = (s * stride + remainder / stride, t * stride + remainder % stride);
                &weights[(panel * taps + down * self.kernel[1] + right) * stretch..][..stretch]
            };
            let taps = [tap(0, 0), tap(0, 1), tap(1, 0), tap(1, 1)];
            // SAFETY: each remainder of each panel is one task's.
            #[expect(unsafe_code, reason = "tasks write disjoint rows")]
            let u = std::array::from_fn(|e| unsafe {
                u.part(((e * panels + panel) * depth + remainder * channels) * COLUMNS, stretch)
            });
            path.run(SpreadTaps { taps, u });
        });
    }

    /// A chunk's images, with their zeros, before the products.
    pub(super) fn spread_images<'a>(
        &self,
        path: Path,
        images: impl ExactSizeIterator<Item = &'a [f32]>,
        v: &mut [f32],
    ) {
        let (grid, rows) = (self.grid, images.len() * self.grid.count());
        for (i, image) in images.enumerate() {
            path.run(Before { grid, image, v, rows, first: i * grid.count() });
        }
    }

    /// A chunk's gradients, with a row and a column of zeros first, before the products of the weight gradient.
    pub(super) fn spread_gradients<'a>(
        &self,
        path: Path,
        width: usize,
        gradients: impl ExactSizeIterator<Item = &'a [f32]>,
        dm: &mut [f32],
    ) {
        let grid = Grid { width, pixel: self.filters, stride: 1, ..self.grid };
        let rows = gradients.len() * grid.count();
        for (i, image) in gradients.enumerate() {
            path.run(Spread { grid, image, dm, rows, first: i * grid.count() });
        }
    }

    /// The products m of so many images.
    pub(super) fn multiply(&self, path: Path, images: usize, v: &[f32], u: &[f32], m: &mut [Row]) {
        let (rows, depth, panels) = (images * self.grid.count(), self.grid.depth(), self.panels());
        for e in 0..PRODUCTS {
            for panel in 0..panels {
                let u = &u[(e * panels + panel) * depth * COLUMNS..][..depth * COLUMNS];
                for range in tiles(rows) {
                    let starts: [usize; ROWS] = std::array::from_fn(|i| (range.start + i) * depth);
                    let product = Product {
                        a: &v[e * rows * depth..],
                        rows: &starts[..range.len()],
                        b: u,
                        segments: &[Segment { a: 0, b: 0 }],
                        count: depth,
                        a_step: 1,
                        b_step: COLUMNS,
                        columns: COLUMNS.min(self.filters - panel * COLUMNS),
                    };
                    let start = (e * panels + panel) * rows;
                    product.multiply(path, &mut m[start + range.start..start + range.end], false);
                }
            }
        }
    }

    /// The outputs of a chunk's image `i` of `images` from the products.
    pub(super) fn gather_output(
        &self,
        path: Path,
        [i, images]: [usize; 2],
        m: &[f32],
        bias: &[f32],
        relu: bool,
        y: &mut [f32],
    ) {
        let Grid { tiles, .. } = self.grid;
        let (rows, first) = (images * self.grid.count(), i * self.grid.count());
        path.run(After { tiles, pixel: self.filters, m, rows, first, bias, relu, y });
    }

    /// Adds to `sums`, or begins them with, what so many images give: vᵀ·dm for each product.
    pub(super) fn weight_gradient(
        &self,
        path: Path,
        images: usize,
        v: &[f32],
        dm: &[f32],
        sums: &mut [Row],
        onto: bool,
    ) {
        let (rows, depth, panels) = (images * self.grid.count(), self.grid.depth(), self.panels());
        for e in 0..PRODUCTS {
            for panel in 0..panels {
                let sums = &mut sums[(e * panels + panel) * depth..][..depth];
                for range in tiles(depth) {
                    let channels: [usize; ROWS] = std::array::from_fn(|i| range.start + i);
                    let product = Product {
                        a: &v[e * rows * depth..],
                        rows: &channels[..range.len()],
                        b: &dm[(e * panels + panel) * rows * COLUMNS..],
                        segments: &[Segment { a: 0, b: 0 }],
                        count: rows,
                        a_step: depth,
                        b_step: COLUMNS,
                        columns: COLUMNS.min(self.filters - panel * COLUMNS),
                    };
                    product.multiply(path, &mut sums[range], onto);
                }
            }
        }
    }

    /// Hands in dW from its sums: each tap is what the four products that it had spread to give.
    pub(super) fn gather_weights(&self, sums: &[f32], weight: &Receiver) {
        let (panels, Grid { pixel: channels, stride, .. }) = (self.panels(), self.grid);
        let (depth, taps) = (self.grid.depth(), self.kernel[0] * self.kernel[1]);
        for_each(panels * taps, |task| {
            let (panel, tap) = (task / taps, task % taps);
            let (down, right) = (tap / self.kernel[1], tap % self.kernel[1]);
            let remainder = down % stride * stride + right % stride;
            let part = |e: usize, f: usize| {
                let row = ((3 * e + f) * panels + panel) * depth + remainder * channels;
                &sums[row * COLUMNS..][..channels * COLUMNS]
            };
            let (e, f) = (down / stride, right / stride);
            let parts = [part(e, f), part(e, f + 1), part(e + 1, f), part(e + 1, f + 1)];
            for c in 0..channels {
                let total: Row = std::array::from_fn(|j| {
                    let at = c * COLUMNS + j;
                    (parts[0][at] + parts[1][at]) + (parts[2][at] + parts[3][at])
                });
                // SAFETY: each tap of each panel is one task's.
                #[expect(unsafe_code, reason = "tasks hand in disjoint rows")]
                unsafe {
                    weight.take((task * channels + c) * COLUMNS, &total);
                }
            }
        });
    }
}
