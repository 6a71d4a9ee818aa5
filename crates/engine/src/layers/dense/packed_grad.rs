//! The gradient of a dense layer's output as its backward passes read it.

use std::ops::Range;

use crate::kernels::gemm::{Gemm, NR, Segment, Tile};
use crate::layers::Context;
use crate::parallel::DisjointSlice;

/// The number of tiles of dX that are summed side by side.
pub(super) const WIDE: usize = 4;

/// dY as [`Size::arrange`] leaves it.
pub(super) struct Arranged<'a> {
    /// In panels of 32 columns, [panels, batch, 32].
    pub(super) panels: &'a mut [f32],
    /// Transposed, [columns, lanes].
    pub(super) transposed: &'a mut [f32],
    /// The length of a row of `transposed`: the batch, padded with zeros to whole vectors.
    pub(super) lanes: usize,
    /// The gradient of b, [columns].
    pub(super) sums: &'a mut [f32],
    /// For each panel, 1 if any value is not zero, else 0.
    pub(super) active: &'a mut [u32],
}

impl Arranged<'_> {
    /// Computes the part of dXᵀ that a panel contributes, [rows, images], with 32 images in each tile. The rows of the
    /// weights begin at the given indices. The result is written to `tiles` or, if `onto`, added to them.
    pub(super) fn multiply(
        &self,
        context: &Context,
        (weights, rows): (&[f32], &[usize]),
        panel: usize,
        images: Range<usize>,
        tiles: &mut [Tile; WIDE],
        onto: bool,
    ) {
        for (first, tile) in images.clone().step_by(NR).zip(tiles) {
            let product = Gemm {
                a: weights,
                rows,
                b: self.transposed,
                segments: &[Segment { a: 0, b: panel * NR * self.lanes + first }],
                count: NR,
                a_step: 1,
                b_step: self.lanes,
                columns: NR.min(images.end - first),
            };
            product.multiply(context.isa, &mut tile.0, onto);
        }
    }
}

/// Writes tiles of dXᵀ to dX, [batch, width]. Row i of the tiles goes to column `column(i)`.
pub(super) fn write_columns(
    dx: &DisjointSlice,
    width: usize,
    column: impl Fn(usize) -> usize,
    rows: usize,
    images: Range<usize>,
    tiles: &[Tile; WIDE],
) {
    for (first, tile) in images.clone().step_by(NR).zip(tiles) {
        for (i, row) in tile.0[..rows].iter().enumerate() {
            for (n, &number) in (first..images.end).zip(row) {
                // SAFETY: each task writes columns of its own.
                #[expect(unsafe_code, reason = "tasks write disjoint columns")]
                let dx = unsafe { dx.slice_mut(n * width + column(i), 1) };
                dx[0] = number;
            }
        }
    }
}
