//! Pairs of bfloat16 numbers, each in the bits of an f32, as products with [`Gemm::pairs`](super::gemm::Gemm::pairs) take them.
//!
//! A product adds up two terms at a time, so the numbers of two neighbouring terms lie in one word. Depending on the product,
//! they are neighbours down a column of a matrix or along a row.

use super::gemm::{MR, NR};
use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// `number` as a factor of a product of pairs.
#[cfg(test)]
pub(crate) fn rounded(number: f32) -> f32 {
    f32::from_bits(super::simd::bfloat16(number.to_bits()) << 16)
}

/// Two rows of 32 numbers: 64 words, of which the first half holds the pairs down each column, and the second half those along
/// the first row, then along the second one.
type Rows = [[f32; NR]; 2];

/// The distance between pairs down a column of a matrix that [`pair_both`] has paired.
pub(crate) const BOTH: usize = 2 * NR;

/// The start of the pairs along row `row` of a matrix that [`pair_both`] has paired.
pub(crate) const fn along(row: usize) -> usize {
    row / 2 * BOTH + NR + row % 2 * (NR / 2)
}

/// A row of 32 numbers, paired.
pub(crate) type PairedRow = [f32; NR / 2];

/// The start of every [`PairedRow`] of a tile.
pub(crate) const PAIRED_ROWS: [usize; MR] = {
    let mut starts = [0; MR];
    let mut row = 0;
    while row < MR {
        starts[row] = row * (NR / 2);
        row += 1;
    }
    starts
};

/// Pairs the numbers of a matrix of rows of 32, of which the first `rows` count, down each column and along each row, in the memory
/// of the matrix. If their number is odd, the row after the last is taken for zero.
///
/// # Panics
/// If there is no room for an even number of rows.
pub(crate) fn pair_both(isa: Isa, matrix: &mut [f32], rows: usize) {
    let matrix = &mut matrix[..rows.next_multiple_of(2) * NR];
    matrix[rows * NR..].fill(0.0);
    isa.run_pairs(Both(matrix.as_chunks_mut().0.as_chunks_mut().0));
}

/// Pairs the numbers down each column of a matrix of rows of `width`, in the first half of its memory.
///
/// # Panics
/// If `width` is not a multiple of 16, or the matrix does not have an even number of rows.
pub(crate) fn pair_down(isa: Isa, matrix: &mut [f32], width: usize) {
    check_down(matrix, width);
    let (from, len) = (matrix.as_mut_ptr(), matrix.len());
    isa.run_pairs(Down { from, to: from, len, width, matrices: std::marker::PhantomData });
}

/// As [`pair_down`], but in another place.
///
/// # Panics
/// As [`pair_down`], or if `to` is shorter than half of the matrix.
pub(crate) fn copy_pairs_down(isa: Isa, matrix: &[f32], width: usize, to: &mut [f32]) {
    check_down(matrix, width);
    assert!(to.len() >= matrix.len() / 2, "room for all pairs");
    let (from, len) = (matrix.as_ptr(), matrix.len());
    isa.run_pairs(Down { from, to: to.as_mut_ptr(), len, width, matrices: std::marker::PhantomData });
}

/// Pairs the numbers along rows of 32, which begin at the indices `starts`, and writes them to the rows of `to`.
///
/// # Panics
/// If a row reaches beyond `from`, or `to` has fewer rows.
pub(crate) fn copy_pairs_along(isa: Isa, from: &[f32], starts: &[usize], to: &mut [PairedRow]) {
    assert!(starts.len() <= to.len(), "room for every row");
    isa.run_pairs(Along { from, starts, to });
}

fn check_down(matrix: &[f32], width: usize) {
    assert!(width > 0 && width.is_multiple_of(16), "rows of whole vectors");
    assert!(matrix.len().is_multiple_of(2 * width), "an even number of rows");
}

struct Both<'a>(&'a mut [Rows]);

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for Both<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for rows in self.0 {
            let [mut down, mut along] = [[0.0; NR]; 2];
            let [first, second] = [rows[0].as_ptr(), rows[1].as_ptr()];
            // SAFETY: the instruction set is available, and every vector lies in a row of 32 numbers.
            unsafe {
                let mut at = 0;
                while at < NR {
                    let pairs = S::zip_pairs(S::load(first.add(at)), S::load(second.add(at)));
                    S::store(pairs, down.as_mut_ptr().add(at));
                    at += S::LANES;
                }
                let mut at = 0;
                while at < NR {
                    let (next, to) = (at + S::LANES, along.as_mut_ptr().add(at / 2));
                    S::store(S::pack_pairs(S::load(first.add(at)), S::load(first.add(next))), to);
                    let pairs = S::pack_pairs(S::load(second.add(at)), S::load(second.add(next)));
                    S::store(pairs, to.add(NR / 2));
                    at += 2 * S::LANES;
                }
            }
            *rows = [down, along];
        }
    }
}

struct Along<'a> {
    from: &'a [f32],
    starts: &'a [usize],
    to: &'a mut [PairedRow],
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for Along<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for (&start, to) in self.starts.iter().zip(self.to) {
            let row = self.from[start..start + NR].as_ptr();
            let mut at = 0;
            while at < NR {
                // SAFETY: the instruction set is available, and the vectors lie in a row of 32 numbers and in one of 16 pairs.
                unsafe {
                    let pairs = S::pack_pairs(S::load(row.add(at)), S::load(row.add(at + S::LANES)));
                    S::store(pairs, to.as_mut_ptr().add(at / 2));
                }
                at += 2 * S::LANES;
            }
        }
    }
}

/// Pairs of a matrix of `len` numbers, which are written to where they are read or elsewhere.
struct Down<'a> {
    from: *const f32,
    to: *mut f32,
    len: usize,
    width: usize,
    matrices: std::marker::PhantomData<&'a mut [f32]>,
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for Down<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Down { from, to, len, width, .. } = self;
        for row in 0..len / (2 * width) {
            let mut at = 0;
            while at < width {
                // SAFETY: the instruction set is available, and both slices are borrowed. Their lengths have been checked. In
                // one place, row by row, what is written has been read.
                unsafe {
                    let from = from.add(2 * row * width + at);
                    let pairs = S::zip_pairs(S::load(from), S::load(from.add(width)));
                    S::store(pairs, to.add(row * width + at));
                }
                at += S::LANES;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::gemm::{Gemm, Segment, Tile, TileRows};
    use super::*;

    /// Numbers of any size, and special ones.
    fn any_number() -> impl Strategy<Value = f32> {
        let special = [0.0, -0.0, f32::INFINITY, f32::NAN, f32::MIN_POSITIVE, 1e-40, -3e-39, f32::MAX];
        prop_oneof![
            4 => any::<u32>().prop_map(f32::from_bits),
            4 => -2.0_f32..2.0,
            1 => proptest::sample::select(special.to_vec()),
        ]
    }

    fn available() -> impl Iterator<Item = Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// The two numbers of a word.
    fn halves(word: f32) -> [f32; 2] {
        [word.to_bits() << 16, word.to_bits() & 0xffff_0000].map(f32::from_bits)
    }

    fn same(one: f32, other: f32) -> bool {
        one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
    }

    #[test]
    fn a_number_is_rounded_to_the_nearest_and_a_tie_to_even() {
        let bits = |number: f32| rounded(number).to_bits();
        assert_eq!(bits(f32::from_bits(0x3f80_8000)), 0x3f80_0000);
        assert_eq!(bits(f32::from_bits(0x3f80_8001)), 0x3f81_0000);
        assert_eq!(bits(f32::from_bits(0x3f81_8000)), 0x3f82_0000);
        assert_eq!(bits(f32::MAX), f32::INFINITY.to_bits());
        assert_eq!((bits(1e-40), bits(-1e-40)), (0, 0x8000_0000));
        assert!(rounded(f32::NAN).is_nan());
    }

    proptest! {
        #[test]
        fn every_path_pairs_the_rounded_numbers(
            numbers in proptest::collection::vec(any_number(), 10 * NR), rows in 0_usize..=10,
        ) {
            let at = |row: usize, column: usize| if row < rows { rounded(numbers[row * NR + column]) } else { 0.0 };
            for isa in available() {
                let mut matrix = numbers.clone();
                pair_both(isa, &mut matrix, rows);
                for row in 0..rows {
                    for column in 0..NR {
                        let down = halves(matrix[row / 2 * BOTH + column]);
                        prop_assert!(same(down[row % 2], at(row, column)));
                        let next_to_it = halves(matrix[along(row) + column / 2]);
                        prop_assert!(same(next_to_it[column % 2], at(row, column)));
                    }
                }
                let starts: Vec<usize> = (0..rows).rev().map(|row| row * NR).collect();
                let mut backwards = vec![[0.0; NR / 2]; rows];
                copy_pairs_along(isa, &numbers, &starts, &mut backwards);
                for (i, paired) in backwards.iter().enumerate() {
                    for column in 0..NR {
                        prop_assert!(same(halves(paired[column / 2])[column % 2], at(rows - 1 - i, column)));
                    }
                }
                if rows % 2 == 1 {
                    prop_assert!((0..NR).all(|column| halves(matrix[rows / 2 * BOTH + column])[1] == 0.0));
                }

                let even = &numbers[..rows / 2 * 2 * NR];
                let (mut moved, mut copied) = (even.to_vec(), vec![0.0; even.len() / 2]);
                // Rows of half the width too.
                for width in [NR, NR / 2] {
                    moved.copy_from_slice(even);
                    pair_down(isa, &mut moved, width);
                    copy_pairs_down(isa, even, width, &mut copied);
                    for (i, number) in even.iter().enumerate() {
                        let (row, column) = (i / width, i % width);
                        for pairs in [&moved, &copied] {
                            prop_assert!(same(halves(pairs[row / 2 * width + column])[row % 2], rounded(*number)));
                        }
                    }
                }
            }
        }

        #[test]
        fn every_path_adds_the_products_of_pairs_in_order(
            numbers in proptest::collection::vec(any_number(), 4 * NR), start in any_number(),
        ) {
            let mut pairs = numbers;
            pair_down(Isa::Portable, &mut pairs, NR);
            let (factors, others) = pairs[..2 * NR].split_at(NR);
            let flushed = |x: f32| if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x };
            let start = flushed(start);
            for isa in available() {
                let mut tile = Tile::ZERO;
                tile.0[0] = [start; NR];
                let product = Gemm {
                    a: factors, rows: TileRows::new(&[5]), b: others, segments: &[Segment { a: 0, b: 0 }], count: 1, a_step: 1, b_step: NR,
                    columns: NR, pairs: true,
                };
                product.multiply(isa, &mut tile.0, true);
                for (found, other) in tile.0[0].iter().zip(others) {
                    let ([low, high], [by_low, by_high]) = (halves(factors[5]), halves(*other));
                    let fused = |a: f32, b: f32, c: f32| flushed((f64::from(a) * f64::from(b) + f64::from(c)) as f32);
                    let exact = fused(low, by_low, fused(high, by_high, start));
                    // A product that an f32 cannot hold is exact only in a fused multiply-add.
                    let holds = |product: f32| product == 0.0 || product.is_normal();
                    if isa == Isa::Portable && !(holds(low * by_low) && holds(high * by_high)) {
                        continue;
                    }
                    // The signs of zeros may differ.
                    prop_assert!(same(*found, exact) || (*found == 0.0 && exact == 0.0), "{isa:?}: {found} {exact}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "an even number of rows")]
    fn an_odd_number_of_rows_is_not_paired_down() {
        pair_down(Isa::current(), &mut [0.0; 3 * NR], NR);
    }
}
