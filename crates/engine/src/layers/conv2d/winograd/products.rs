//! The matrix products between the transforms: for each plane one over tiles and channels.

use super::transform::Rows;
use crate::kernels::gemm::{Gemm, NR, Segment, tiles};
use crate::kernels::isa::Isa;

/// Numbers between two planes of a spectrum: a cache line, so that a tile's numbers, of which one lies in each plane, do
/// not all compete for the same places of a cache where planes have a round length.
const APART: usize = 16;

/// Transformed filters as a product of spectra reads them: for each panel of what comes out, for each group of what goes in
/// (the channels of one remainder), planes of matrices [channel, 32].
#[derive(Debug)]
pub(super) struct Filters {
    planes: usize,
    /// Panels of what comes out.
    panels: usize,
    splits: usize,
    /// Numbers of a group's matrix.
    matrix: usize,
    /// Each panel of what goes in: in a plane of its spectrum, and in the matrices of a panel that comes out.
    segments: Vec<Segment>,
    /// Rows of the spectra's panels.
    rows: usize,
    /// Where the rows of what goes in start, and where its channels do.
    starts: [Vec<usize>; 2],
}

impl Filters {
    /// For spectra of so many rows, from `channels` in each of `splits` to `panels`.
    pub(super) fn new(planes: usize, rows: usize, panels: usize, splits: usize, channels: usize) -> Filters {
        let matrix = channels * NR;
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
        }
    }

    /// Numbers of all filters.
    pub(super) fn len(&self) -> usize {
        self.panels * self.splits * self.split()
    }

    /// Numbers of a group of a panel.
    pub(super) fn split(&self) -> usize {
        self.planes * self.matrix
    }

    /// Where a group's matrices lie among its numbers.
    pub(super) fn places(&self) -> Rows {
        Rows { plane: self.matrix, count: 1, first: 0 }
    }

    /// Where the rows of what goes in lie.
    pub(super) fn from(&self) -> Rows {
        Rows { plane: self.segments.len() * self.rows * NR + APART, count: self.rows, first: 0 }
    }

    /// Where the rows of what comes out lie.
    pub(super) fn to(&self) -> Rows {
        Rows { plane: self.panels * self.rows * NR + APART, count: self.rows, first: 0 }
    }

    /// The first `rows` rows of a spectrum times the filters.
    pub(super) fn multiply(&self, isa: Isa, rows: usize, from: &[f32], filters: &[f32], to: &mut [f32]) {
        for plane in 0..self.planes {
            let from = &from[plane * self.from().plane..];
            for panel in 0..self.panels {
                let filters = &filters[panel * self.splits * self.split() + plane * self.matrix..];
                let to = &mut to[plane * self.to().plane + panel * self.rows * NR..][..rows * NR];
                let to = to.as_chunks_mut::<NR>().0;
                for range in tiles(rows) {
                    let product = Gemm {
                        a: from,
                        rows: &self.starts[0][range.clone()],
                        b: filters,
                        segments: &self.segments,
                        count: NR,
                        a_step: 1,
                        b_step: NR,
                        columns: NR,
                    };
                    product.multiply(isa, &mut to[range], false);
                }
            }
        }
    }

    /// Adds to `sums`, [panel of what comes out, channel of what goes in, 32], or begins them with, one plane's sums over
    /// what goes in times the gradient of what comes out: over so many rows of each of the chunks that lie so.
    pub(super) fn gradient(
        &self,
        isa: Isa,
        (rows, chunks): (usize, &[Segment]),
        [from, to]: [&[f32]; 2],
        sums: &mut [f32],
        onto: bool,
    ) {
        let depth = self.segments.len() * NR;
        for (panel, sums) in sums.chunks_exact_mut(depth * NR).enumerate() {
            let sums = sums.as_chunks_mut::<NR>().0;
            for range in tiles(depth) {
                let product = Gemm {
                    a: from,
                    rows: &self.starts[1][range.clone()],
                    b: &to[panel * self.rows * NR..],
                    segments: chunks,
                    count: rows,
                    a_step: NR,
                    b_step: NR,
                    columns: NR,
                };
                product.multiply(isa, &mut sums[range], onto);
            }
        }
    }
}
