//! The matrix product of dense and convolutional layers, tile by tile. The left factor is read through offsets, so that
//! convolutions multiply images in place instead of a matrix of patches.

use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// The number of columns of a panel: two of the widest vectors.
pub(crate) const NR: usize = 32;
/// The most rows of a tile.
pub(crate) const MR: usize = 14;

/// A row of a tile.
pub(crate) type Row = [f32; NR];

/// The memory for a tile of a product.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Tile(pub(crate) [Row; MR]);

impl Tile {
    pub(crate) const ZERO: Tile = Tile([[0.0; NR]; MR]);
}

/// Divides `total` rows into the fewest possible tiles of the same number of rows, except for the last one, which may have
/// fewer. Yields the range of rows of each tile.
pub(crate) fn tiles(total: usize) -> impl ExactSizeIterator<Item = std::ops::Range<usize>> {
    let size = total.div_ceil(total.div_ceil(MR).max(1)).max(1);
    (0..total).step_by(size).map(move |start| start..total.min(start + size))
}

/// The start of a series of terms in a and in b.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) a: usize,
    pub(crate) b: usize,
}

/// Where the rows of a tile begin in a matrix. The last one is found once, as the same rows often serve many products.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TileRows<'a> {
    pub(super) starts: &'a [usize],
    pub(super) last: usize,
}

impl<'a> TileRows<'a> {
    /// # Panics
    /// If there are more than [`MR`] rows.
    #[inline]
    pub(crate) fn new(starts: &'a [usize]) -> TileRows<'a> {
        assert!(starts.len() <= MR, "a tile has at most {MR} rows");
        TileRows { starts, last: largest(starts.iter().copied()) }
    }
}

/// The largest of these numbers, or 0 if there are none.
#[inline]
fn largest(numbers: impl Iterator<Item = usize>) -> usize {
    numbers.fold(0, |largest, number| if number > largest { number } else { largest })
}

/// A tile of a matrix product, summed over all segments s and all t < count:
///
/// tile[i][j] = Σ a[rows[i] + s.a + t·a_step] · b[s.b + t·b_step + j].
///
/// Terms are added in this order, with one rounding each if there is fused multiply-add. So a sum does not depend on the
/// shape of the tile or on how the work is divided among tasks.
///
/// If `pairs`, each element of a and b holds two bfloat16 numbers ([`pair`](super::pairs::pair)), and a term is the sum of
/// two products ([`Simd::dot_pairs`]).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gemm<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) rows: TileRows<'a>,
    pub(crate) b: &'a [f32],
    pub(crate) segments: &'a [Segment],
    pub(crate) count: usize,
    pub(crate) a_step: usize,
    pub(crate) b_step: usize,
    /// The number of columns to compute, at most [`NR`]. Rows of b are read up to the next multiple of 16.
    pub(crate) columns: usize,
    pub(crate) pairs: bool,
}

impl Gemm<'_> {
    /// Writes the product to the rows of `tile` or, if `onto`, adds it to them. The content of columns beyond `columns` is
    /// unspecified afterwards.
    ///
    /// # Panics
    /// If an offset leads beyond a or b, if there are more than [`NR`] columns, or if there are no terms.
    #[inline]
    pub(crate) fn multiply(&self, isa: Isa, tile: &mut [Row], onto: bool) {
        let [a_end, b_end] = self.ends().expect("a product of something, within the address space");
        assert!(self.columns <= NR, "a tile is {MR}×{NR}");
        assert!(self.rows.starts.len() <= tile.len(), "a row of the tile for each row of a");
        assert!(a_end <= self.a.len(), "a ends before the product does");
        assert!(b_end <= self.b.len(), "b ends before the product does");
        if self.pairs {
            isa.run_pairs(Multiply::<true> { product: self, tile, onto });
        } else {
            isa.run(Multiply::<false> { product: self, tile, onto });
        }
    }
}

impl Gemm<'_> {
    /// The ends of the parts of a and of b that are read; `None` for a product without terms, or if an offset overflows.
    #[inline]
    fn ends(&self) -> Option<[usize; 2]> {
        if self.rows.starts.is_empty() || self.segments.is_empty() {
            return None;
        }
        let segments = || self.segments.iter();
        let (row, a, b) =
            (self.rows.last, largest(segments().map(|s| s.a)), largest(segments().map(|s| s.b)));
        let last = self.count.checked_sub(1)?;
        let a_end = row.checked_add(a)?.checked_add(last.checked_mul(self.a_step)?)?.checked_add(1)?;
        let columns = self.columns.checked_next_multiple_of(16)?;
        let b_end = b.checked_add(last.checked_mul(self.b_step)?)?.checked_add(columns)?;
        Some([a_end, b_end])
    }
}

struct Multiply<'a, const PAIRS: bool> {
    product: &'a Gemm<'a>,
    tile: &'a mut [Row],
    onto: bool,
}

#[expect(unsafe_code, reason = "vector instructions, and reads without a check of each")]
impl<const PAIRS: bool> Kernel for Multiply<'_, PAIRS> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let mut column = 0;
        let columns = self.product.columns.next_multiple_of(16);
        // SAFETY: `multiply` has checked every offset; the caller has checked that the instruction set is available.
        unsafe {
            while column < columns {
                if columns - column >= 2 * S::LANES {
                    self.rows::<S, 2>(column);
                    column += 2 * S::LANES;
                } else {
                    self.rows::<S, 1>(column);
                    column += S::LANES;
                }
            }
        }
    }
}

#[expect(unsafe_code, reason = "vector instructions, and reads without a check of each")]
impl<const PAIRS: bool> Multiply<'_, PAIRS> {
    /// Computes all rows of N vectors of columns, as many rows at a time as fit into the registers.
    ///
    /// # Safety
    /// As for `run`, after the checks of `multiply`.
    #[inline(always)]
    unsafe fn rows<S: Simd, const N: usize>(&mut self, column: usize) {
        let rows = self.product.rows.starts.len();
        let mut row = 0;
        // SAFETY: as for `run`.
        unsafe {
            while row < rows {
                let left = (rows - row).min(S::MR);
                match left {
                    1 => self.block::<S, N, 1>(row, column),
                    2 => self.block::<S, N, 2>(row, column),
                    3 => self.block::<S, N, 3>(row, column),
                    4 => self.block::<S, N, 4>(row, column),
                    5 => self.block::<S, N, 5>(row, column),
                    6 => self.block::<S, N, 6>(row, column),
                    7 => self.block::<S, N, 7>(row, column),
                    8 => self.block::<S, N, 8>(row, column),
                    9 => self.block::<S, N, 9>(row, column),
                    10 => self.block::<S, N, 10>(row, column),
                    11 => self.block::<S, N, 11>(row, column),
                    12 => self.block::<S, N, 12>(row, column),
                    13 => self.block::<S, N, 13>(row, column),
                    _ => self.block::<S, N, 14>(row, column),
                }
                row += left;
            }
        }
    }

    /// Computes R rows of N vectors in registers.
    ///
    /// # Safety
    /// As for `run`, after the checks of `multiply`.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "with iterators the compiler keeps the sums in memory")]
    unsafe fn block<S: Simd, const N: usize, const R: usize>(&mut self, row: usize, column: usize) {
        if R > S::MR {
            return;
        }
        let Gemm { a, rows, b, segments, count, a_step, b_step, .. } = *self.product;
        let tile = self.tile[row..].as_mut_ptr().cast::<f32>();
        let at = |i: usize, n: usize| i * NR + column + n * S::LANES;
        // SAFETY: `multiply` has checked that every offset leads into a and b, and that the tile has a row for each of a;
        // the tile is borrowed exclusively.
        unsafe {
            let mut sums = [[S::splat(0.0); N]; R];
            if self.onto {
                for i in 0..R {
                    for n in 0..N {
                        sums[i][n] = S::load(tile.add(at(i, n)));
                    }
                }
            }
            let starts: [*const f32; R] =
                std::array::from_fn(|i| a.as_ptr().add(*rows.starts.get_unchecked(row + i)));
            for segment in segments {
                let mut from_a = segment.a;
                let mut from_b = b.as_ptr().add(segment.b + column);
                for _ in 0..count {
                    let mut factors = [S::splat(0.0); N];
                    for n in 0..N {
                        factors[n] = S::load(from_b.add(n * S::LANES));
                    }
                    for i in 0..R {
                        let number = S::splat(*starts[i].add(from_a));
                        for n in 0..N {
                            sums[i][n] = if PAIRS {
                                S::dot_pairs(number, factors[n], sums[i][n])
                            } else {
                                S::mul_add(number, factors[n], sums[i][n])
                            };
                        }
                    }
                    from_a += a_step;
                    from_b = from_b.wrapping_add(b_step);
                }
            }
            for i in 0..R {
                for n in 0..N {
                    S::store(sums[i][n], tile.add(at(i, n)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition in f64, and the sum of the absolute values of the terms.
    fn plain(p: &Gemm, i: usize, j: usize) -> (f64, f64) {
        let terms = p.segments.iter().flat_map(|s| {
            (0..p.count).map(|t| {
                let a = p.a[p.rows.starts[i] + s.a + t * p.a_step];
                f64::from(a) * f64::from(p.b[s.b + t * p.b_step + j])
            })
        });
        terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()))
    }

    proptest! {
        #[test]
        fn every_path_agrees_with_the_definition(
            numbers in proptest::collection::vec(-1.0_f32..1.0, 600..700),
            rows in proptest::collection::vec(0_usize..100, 1..=MR),
            segments in proptest::collection::vec((0_usize..100, 0_usize..100), 1..4),
            (count, a_step, b_step) in (1_usize..10, 0_usize..20, 0_usize..40),
            columns in 1_usize..=NR,
        ) {
            let segments: Vec<Segment> = segments.into_iter().map(|(a, b)| Segment { a, b }).collect();
            let (a, b) = (&numbers, &numbers);
            let (rows, segments) = (TileRows::new(&rows), &segments[..]);
            let product = Gemm { a, rows, b, segments, count, a_step, b_step, columns, pairs: false };
            let mut fused: Vec<Tile> = Vec::new();
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let mut tile = Tile::ZERO;
                product.multiply(isa, &mut tile.0, false);
                let once = tile;
                product.multiply(isa, &mut tile.0, true);
                for i in 0..rows.starts.len() {
                    for j in 0..columns {
                        let (sum, size) = plain(&product, i, j);
                        prop_assert!((f64::from(once.0[i][j]) - sum).abs() <= 1e-6 * size + 1e-12);
                        prop_assert!((f64::from(tile.0[i][j]) - 2.0 * sum).abs() <= 4e-6 * size + 1e-12);
                    }
                }
                if isa != Isa::Portable {
                    fused.push(once);
                }
            }
            // Paths with fused multiply-add differ in the shape of their tiles and in nothing else.
            if let [first, second] = &fused[..] {
                for i in 0..rows.starts.len() {
                    prop_assert_eq!(&first.0[i][..columns], &second.0[i][..columns]);
                }
            }
        }
    }

    /// Multiplies an array of 64 numbers by itself.
    fn multiply(rows: &[usize], count: usize, [a_step, b_step]: [usize; 2]) {
        let (numbers, segments) = ([0.0; 64], [Segment { a: 0, b: 0 }]);
        let (a, b, rows) = (&numbers, &numbers, TileRows::new(rows));
        let product =
            Gemm { a, rows, b, segments: &segments, count, a_step, b_step, columns: 32, pairs: false };
        let mut tile = Tile::ZERO;
        product.multiply(Isa::current(), &mut tile.0, false);
    }

    #[test]
    #[should_panic(expected = "b ends before the product does")]
    fn reads_beyond_the_end_are_refused() {
        multiply(&[0], 3, [1, 32]);
    }

    #[test]
    #[should_panic(expected = "within the address space")]
    fn offsets_that_wrap_round_are_refused() {
        multiply(&[usize::MAX], 2, [1, 0]);
    }

    #[test]
    #[should_panic(expected = "within the address space")]
    fn steps_that_wrap_round_are_refused() {
        multiply(&[0], 3, [0, usize::MAX / 2 + 1]);
    }

    #[test]
    fn tiles_cover_every_row_once() {
        for total in 0..100 {
            let bounds: Vec<_> = tiles(total).collect();
            assert!(bounds.iter().all(|tile| (1..=MR).contains(&tile.len())));
            assert!(bounds.into_iter().flatten().eq(0..total));
        }
    }
}
