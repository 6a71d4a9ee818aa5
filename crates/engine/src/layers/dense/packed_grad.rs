//! The gradient of a dense layer's output as its backward passes read it.

use std::ops::Range;

use crate::aligned::AlignedVec;
use crate::kernels::gemm::{Gemm, NR, Segment, Tile, TileRows};
use crate::kernels::pairs::pair_both;
use crate::layers::Context;
use crate::parallel::{DisjointSlice, for_each};

/// The number of tiles of dX that are summed side by side.
pub(super) const WIDE: usize = 4;

/// dY as [`Size::arrange`] leaves it.
pub(super) struct Arranged<'a> {
    /// In panels of 32 columns, [panels, batch, 32], where the batch is padded with zeros to an even number; paired if products
    /// take pairs.
    pub(super) panels: &'a mut [f32],
    /// Transposed, [columns, lanes]. If products take pairs, the pairs of each 32 columns are in the first half of their rows.
    pub(super) transposed: &'a mut [f32],
    /// The length of a row of `transposed`: the batch, padded with zeros to whole vectors.
    pub(super) lanes: usize,
    /// The gradient of b, [columns].
    pub(super) sums: &'a mut [f32],
    /// For each panel, 1 if any value is not zero, else 0.
    pub(super) active: &'a mut [u32],
}

impl Arranged<'_> {
    /// Computes the part of dXᵀ that a panel of `units` units contributes, [rows, images], with 32 images in each tile. The
    /// rows of the weights are paired if products take pairs. The result is written to `tiles` or, if `onto`, added to them.
    pub(super) fn multiply(
        &self,
        context: &Context,
        (weights, rows): (&[f32], TileRows),
        (panel, units): (usize, usize),
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
                count: if context.pairs { units.div_ceil(2) } else { units },
                a_step: 1,
                b_step: self.lanes,
                columns: NR.min(images.end - first),
                pairs: context.pairs,
            };
            product.multiply(context.isa, &mut tile.0, onto);
        }
    }
}

/// Copies x, [batch, columns], to panels of 32 columns, [panels, batch, 32], with zeros around, and pairs their numbers. The first
/// time, `to` gets room for `most` columns.
pub(super) fn pair_columns<'a>(
    context: &Context,
    x: &[f32],
    most: usize,
    to: &'a mut AlignedVec,
) -> &'a [f32] {
    let (columns, rows) = (x.len() / context.batch, context.batch.next_multiple_of(2));
    let (panels, size) = (columns.div_ceil(NR), rows * NR);
    if to.len() < panels * size {
        *to = AlignedVec::zeros(most.div_ceil(NR) * size);
    }
    let shared = DisjointSlice::new(to);
    for_each(panels, |panel| {
        // SAFETY: each panel belongs to one task.
        #[expect(unsafe_code, reason = "tasks write disjoint panels")]
        let to = unsafe { shared.slice_mut(panel * size, size) }.as_chunks_mut::<NR>().0;
        let taken = panel * NR..columns.min((panel + 1) * NR);
        for (to, x) in to.iter_mut().zip(x.chunks_exact(columns)) {
            let (some, rest) = to.split_at_mut(taken.len());
            some.copy_from_slice(&x[taken.clone()]);
            rest.fill(0.0);
        }
        pair_both(context.isa, to.as_flattened_mut(), context.batch);
    });
    to
}

/// Writes rows of W numbers, which begin at the given indices, to `to`, [W, lanes], as columns, with zeros after them.
pub(super) fn transpose<const W: usize>(
    from: &[f32],
    starts: impl ExactSizeIterator<Item = usize>,
    to: &mut [f32],
    lanes: usize,
) {
    let rows = starts.len();
    for (i, start) in starts.enumerate() {
        let row: &[f32; W] = from[start..].first_chunk().expect("whole rows");
        for (lane, number) in to.chunks_exact_mut(lanes).zip(row) {
            lane[i] = *number;
        }
    }
    to.chunks_exact_mut(lanes).take(W).for_each(|lane| lane[rows..].fill(0.0));
}

/// Writes tiles of dXᵀ to dX, [batch, width]. Row i of the tiles goes to column `columns[i]`; columns ascend.
pub(super) fn write_columns(
    dx: &DisjointSlice,
    width: usize,
    columns: &[usize],
    images: Range<usize>,
    tiles: &[Tile; WIDE],
) {
    let [Some(&start), Some(&last)] = [columns.first(), columns.last()] else { return };
    for (first, tile) in images.clone().step_by(NR).zip(tiles) {
        // Image by image, as neighbouring columns share a cache line.
        for (n, image) in (first..images.end).zip(0..NR) {
            // SAFETY: no other task writes columns between the first and the last of this one.
            #[expect(unsafe_code, reason = "tasks write disjoint columns")]
            let dx = unsafe { dx.slice_mut(n * width + start, last + 1 - start) };
            for (column, row) in columns.iter().zip(&tile.0) {
                dx[column - start] = row[image];
            }
        }
    }
}
