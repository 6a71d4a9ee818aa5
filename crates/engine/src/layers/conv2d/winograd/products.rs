//! The matrix products between the transforms: one over tiles and channels for each plane.

use super::transform::Rows;
use crate::kernels::gemm::{Gemm, NR, Segment, TileRows, tiles};
use crate::kernels::pairs::{BOTH, along, pair_both};
use crate::layers::Context;

/// The gap between two planes of a spectrum: a cache line. Without it the elements of a tile, one in each plane, would
/// compete for the same cache sets when the size of a plane is a large power of two.
const APART: usize = 16;

/// The layout of transformed filters, as the product of spectra reads them: for each output panel and each group of
/// inputs (the channels of one remainder), planes of matrices [channel, 32].
#[derive(Debug)]
pub(super) struct Filters {
    planes: usize,
    /// The number of output panels.
    panels: usize,
    splits: usize,
    /// The number of values of a group's matrix in one plane.
    matrix: usize,
    /// The start of each input panel: in a plane of the input spectrum (a), and in the matrices of an output panel (b).
    segments: Vec<Segment>,
    /// The number of rows of the panels of spectra, which is even.
    rows: usize,
    /// The start of each row, and of each channel, in a plane of the input spectrum.
    starts: [Vec<usize>; 2],
    /// The start of each row in a panel that is paired both ways.
    along: Vec<usize>,
}

impl Filters {
    /// The layout for spectra of `rows` rows, from `splits` groups of `channels` channels to `panels` output panels.
    pub(super) fn new(planes: usize, rows: usize, panels: usize, splits: usize, channels: usize) -> Filters {
        let (matrix, rows) = (channels * NR, rows.next_multiple_of(2));
        let of_group = channels / NR;
        let segment = |panel: usize| Segment {
            a: panel * rows * NR,
            b: panel / of_group * planes * matrix + panel % of_group * NR * NR,
        };
        let depth = splits * channels;
        Filters {
            planes,
            panels,
            splits,
            matrix,
            segments: (0..splits * of_group).map(segment).collect(),
            rows,
            starts: [
                (0..rows).map(|row| row * NR).collect(),
                (0..depth).map(|channel| segment(channel / NR).a + channel % NR).collect(),
            ],
            along: (0..rows).map(along).collect(),
        }
    }

    /// The number of values of all transformed filters.
    pub(super) fn len(&self) -> usize {
        self.panels * self.splits * self.split()
    }

    /// The number of values of one group of one panel.
    pub(super) fn split(&self) -> usize {
        self.planes * self.matrix
    }

    /// The layout of the matrices of a group.
    pub(super) fn places(&self) -> Rows {
        Rows { plane: self.matrix, count: 1, first: 0 }
    }

    /// The layout of the input spectrum.
    pub(super) fn from(&self) -> Rows {
        Rows { plane: self.segments.len() * self.rows * NR + APART, count: self.rows, first: 0 }
    }

    /// The layout of the output spectrum.
    pub(super) fn to(&self) -> Rows {
        Rows { plane: self.panels * self.rows * NR + APART, count: self.rows, first: 0 }
    }

    /// Pairs the numbers of the first `rows` rows of every panel of a spectrum with this layout, if products take pairs.
    pub(super) fn pair(&self, context: &Context, rows: usize, layout: Rows, spectrum: &mut [f32]) {
        if context.pairs {
            for plane in spectrum.chunks_exact_mut(layout.plane) {
                let panels = plane.chunks_exact_mut(self.rows * NR);
                panels.for_each(|panel| pair_both(context.isa, panel, rows));
            }
        }
    }

    /// Multiplies the first `rows` rows of the spectrum `from` by the filters and writes the result to `to`.
    pub(super) fn multiply(
        &self,
        context: &Context,
        rows: usize,
        from: &[f32],
        filters: &[f32],
        to: &mut [f32],
    ) {
        let pairs = context.pairs;
        let (starts, count, b_step) =
            if pairs { (&self.along, NR / 2, BOTH) } else { (&self.starts[0], NR, NR) };
        for plane in 0..self.planes {
            let from = &from[plane * self.from().plane..];
            for panel in 0..self.panels {
                let filters = &filters[panel * self.splits * self.split() + plane * self.matrix..];
                let to = &mut to[plane * self.to().plane + panel * self.rows * NR..][..rows * NR];
                let to = to.as_chunks_mut::<NR>().0;
                for range in tiles(rows) {
                    let product = Gemm {
                        a: from,
                        rows: TileRows::new(&starts[range.clone()]),
                        b: filters,
                        segments: &self.segments,
                        count,
                        a_step: 1,
                        b_step,
                        columns: NR,
                        pairs,
                    };
                    product.multiply(context.isa, &mut to[range], false);
                }
            }
        }
    }

    /// Computes one plane of the gradient of the filters: the products of inputs `from` and output gradients `to`, summed
    /// over `rows` rows of each of the given chunks. It is written to `sums`, [output panel, input channel, 32], or added
    /// to them if `onto`.
    pub(super) fn gradient(
        &self,
        context: &Context,
        (rows, chunks): (usize, &[Segment]),
        [from, to]: [&[f32]; 2],
        sums: &mut [f32],
        onto: bool,
    ) {
        let (depth, pairs) = (self.segments.len() * NR, context.pairs);
        let (count, step) = if pairs { (rows.div_ceil(2), BOTH) } else { (rows, NR) };
        for (panel, sums) in sums.chunks_exact_mut(depth * NR).enumerate() {
            let sums = sums.as_chunks_mut::<NR>().0;
            for range in tiles(depth) {
                let product = Gemm {
                    a: from,
                    rows: TileRows::new(&self.starts[1][range.clone()]),
                    b: &to[panel * self.rows * NR..],
                    segments: chunks,
                    count,
                    a_step: step,
                    b_step: step,
                    columns: NR,
                    pairs,
                };
                product.multiply(context.isa, &mut sums[range], onto);
            }
        }
    }
}
