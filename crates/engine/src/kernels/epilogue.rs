//! What happens to a tile of sums before it is an output: bias, ReLU, and its place.

use super::gemm::{NR, Row};
use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// A tile of sums on its way to y.
#[derive(Debug)]
pub(crate) struct Epilogue<'a> {
    /// A row of sums for each of `starts`.
    pub(crate) tile: &'a [Row],
    /// Columns that are wanted.
    pub(crate) columns: usize,
    /// What is added to every row, if anything: a number for each column.
    pub(crate) bias: Option<&'a [f32]>,
    /// Whether what is below zero becomes zero.
    pub(crate) relu: bool,
    /// Where in y each row goes.
    pub(crate) starts: &'a [usize],
    pub(crate) y: &'a mut [f32],
}

impl Epilogue<'_> {
    /// Writes y.
    ///
    /// # Panics
    /// If a row ends after y does, or there are fewer sums or biases than asked for.
    #[inline]
    pub(crate) fn write(self, isa: Isa) {
        let end = self.starts.iter().fold(0, |end, &start| if start > end { start } else { end });
        let end = end.checked_add(self.columns);
        assert!(end.is_some_and(|end| end <= self.y.len()), "y ends before the tile does");
        assert!(self.columns <= NR && self.starts.len() <= self.tile.len(), "sums for every number of y");
        assert!(self.bias.is_none_or(|bias| self.columns <= bias.len()), "a bias for every column");
        isa.run(Write(self));
    }
}

/// A tile that `write` has checked. Checks in the kernel itself make it a third slower, which shows where products are small.
struct Write<'a>(Epilogue<'a>);

#[expect(unsafe_code, reason = "vector instructions, and writes without a check of each")]
impl Kernel for Write<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Epilogue { tile, columns, bias, relu, starts, y } = self.0;
        let whole = columns - columns % S::LANES;
        let mut biases = [0.0; NR];
        if let Some(bias) = bias {
            biases[..columns].copy_from_slice(&bias[..columns]);
        }
        // SAFETY: `write` has checked that every row ends in y; the caller has seen the instruction set.
        unsafe {
            for (row, &start) in tile.iter().zip(starts) {
                let (row, y) = (row.as_ptr(), y.as_mut_ptr().add(start));
                for j in (0..whole).step_by(S::LANES) {
                    let sum = S::add(S::load(row.add(j)), S::load(biases.as_ptr().add(j)));
                    S::store(if relu { S::relu_lanes(sum) } else { sum }, y.add(j));
                }
                for (j, bias) in biases[..columns].iter().enumerate().skip(whole) {
                    let sum = *row.add(j) + bias;
                    // As in a vector: NaN stays NaN, so that a lost sum shows.
                    *y.add(j) = if relu && sum < 0.0 { 0.0 } else { sum };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "y ends before the tile does")]
    fn places_that_wrap_round_are_refused() {
        let (tile, mut y) = ([[0.0; NR]], [0.0; NR]);
        let starts = [usize::MAX - NR + 2];
        Epilogue { tile: &tile, columns: NR, bias: None, relu: false, starts: &starts, y: &mut y }
            .write(Isa::current());
    }
}
