//! The one product that dense and convolutional layers are made of: a tile of a matrix product whose left factor is read
//! through offsets, so that an image is multiplied where it lies, without a matrix of its patches.

use super::path::{Kernel, Path};
use super::simd::Simd;

/// Columns of a panel: two of the widest vectors.
pub(crate) const COLUMNS: usize = 32;
/// Most rows of a tile.
pub(crate) const ROWS: usize = 14;

/// A tile of a product: up to [`ROWS`] rows of [`COLUMNS`] numbers.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Tile(pub(crate) [[f32; COLUMNS]; ROWS]);

impl Tile {
    pub(crate) const ZERO: Tile = Tile([[0.0; COLUMNS]; ROWS]);
}

/// Where a run of terms starts in a and in b.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) a: usize,
    pub(crate) b: usize,
}

/// tile[i][j] = Σ over segments s, Σ over t < count: a[rows[i] + s.a + t·a_step] · b[s.b + t·b_step + j].
///
/// The terms are added in this order, each with one rounding where there is fused multiply-add, whatever the shape of
/// the tile: a number does not depend on how the work was divided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) rows: &'a [usize],
    pub(crate) b: &'a [f32],
    pub(crate) segments: &'a [Segment],
    pub(crate) count: usize,
    pub(crate) a_step: usize,
    pub(crate) b_step: usize,
    /// Columns that are wanted, at most [`COLUMNS`]. b is read for 16 of them or for all 32.
    pub(crate) columns: usize,
}

impl Product<'_> {
    /// Adds the product to `tile` (onto what it holds if `onto`, else from zero). Rows and columns that are not wanted
    /// are left or filled with anything.
    ///
    /// # Panics
    /// If an offset leads out of a or b, or there are too many rows or columns.
    #[inline]
    pub(crate) fn multiply(&self, path: Path, tile: &mut Tile, onto: bool) {
        if self.count == 0 || self.segments.is_empty() || self.rows.is_empty() {
            if !onto {
                *tile = Tile::ZERO;
            }
            return;
        }
        let last = self.count - 1;
        let most = |values: &mut dyn Iterator<Item = usize>| values.max().unwrap_or(0);
        let a_end = most(&mut self.rows.iter().copied())
            + most(&mut self.segments.iter().map(|segment| segment.a))
            + last * self.a_step;
        let b_end = most(&mut self.segments.iter().map(|segment| segment.b)) + last * self.b_step;
        assert!(self.rows.len() <= ROWS && self.columns <= COLUMNS, "a tile is {ROWS}×{COLUMNS}");
        assert!(a_end < self.a.len(), "a ends before the product does");
        assert!(b_end + self.columns.next_multiple_of(16) <= self.b.len(), "b ends before the product does");
        path.run(Multiply { product: self, tile, onto });
    }
}

struct Multiply<'a> {
    product: &'a Product<'a>,
    tile: &'a mut Tile,
    onto: bool,
}

#[expect(unsafe_code, reason = "vector instructions, and reads without a check of each")]
impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut column = 0;
        let columns = self.product.columns.next_multiple_of(16);
        // SAFETY: `multiply` has checked every offset, and the caller the instruction set.
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
impl Multiply<'_> {
    /// All rows of N vectors of columns, as many rows at a time as fit in the registers.
    #[inline(always)]
    unsafe fn rows<S: Simd, const N: usize>(&self, column: usize) {
        let rows = self.product.rows.len();
        let mut row = 0;
        // SAFETY: as for `run`.
        unsafe {
            while row < rows {
                let left = (rows - row).min(S::ROWS);
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

    /// R rows of N vectors, in registers.
    #[inline(always)]
    unsafe fn block<S: Simd, const N: usize, const R: usize>(&self, row: usize, column: usize) {
        if R > S::ROWS {
            return;
        }
        let Product { a, rows, b, segments, count, a_step, b_step, .. } = *self.product;
        let tile: *const [f32; COLUMNS] = self.tile.0.as_ptr();
        let tile = tile.cast_mut();
        // SAFETY: `multiply` has checked that every offset leads into a and b; the tile is borrowed exclusively and
        // `row` and `column` lie in it.
        unsafe {
            let mut sums = [[S::splat(0.0); N]; R];
            if self.onto {
                for i in 0..R {
                    for n in 0..N {
                        sums[i][n] = S::load(tile.add(row + i).cast::<f32>().add(column + n * S::LANES));
                    }
                }
            }
            let starts: [*const f32; R] =
                std::array::from_fn(|i| a.as_ptr().add(*rows.get_unchecked(row + i)));
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
                            sums[i][n] = S::mul_add(number, factors[n], sums[i][n]);
                        }
                    }
                    from_a += a_step;
                    from_b = from_b.wrapping_add(b_step);
                }
            }
            for i in 0..R {
                for n in 0..N {
                    S::store(sums[i][n], tile.add(row + i).cast::<f32>().add(column + n * S::LANES));
                }
            }
        }
    }
}

#[cfg(test)]
mod bench {
    use super::*;
    use crate::memory::Buffer;
    #[test]
    #[ignore = "timing"]
    fn rate() {
        for (rows, k, step) in
            [(14, 1024, 1usize), (13, 784, 1), (12, 1024, 1), (14, 196, 64), (7, 1024, 1), (10, 784, 1)]
        {
            let mut a = Buffer::zeros(14 * 1024 + 196 * 64 + 4096);
            let mut b = Buffer::zeros(1024 * 32 * 4);
            a.fill(1.0);
            b.fill(1.0);
            let offsets: Vec<usize> = (0..rows).map(|i| if step == 1 { i * 1024 } else { i }).collect();
            let mut tile = Tile::ZERO;
            for path in Path::ALL {
                let reps = 20000;
                let start = std::time::Instant::now();
                for r in 0..reps {
                    let segs = [Segment { a: 0, b: 0 }];
                    let p = Product {
                        a: &a,
                        rows: &offsets,
                        b: &b,
                        segments: &segs,
                        count: k,
                        a_step: step,
                        b_step: 32,
                        columns: 32,
                    };
                    p.multiply(path, &mut tile, r > 0);
                }
                let s = start.elapsed().as_secs_f64();
                eprintln!(
                    "{rows} {k} {step} {path:?} {:.1} GFLOP/s",
                    2.0 * (rows * k * 32 * reps) as f64 / s / 1e9
                );
            }
        }
    }
}
