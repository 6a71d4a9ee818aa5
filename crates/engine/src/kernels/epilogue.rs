//! The last step of a layer: a tile of sums gets its bias and ReLU and is written to the output.

use super::gemm::{NR, Row};
use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// A tile of sums that is to be written to the output y.
#[derive(Debug)]
pub(crate) struct Epilogue<'a> {
    /// The rows of sums: at least one for each of `starts`.
    pub(crate) tile: &'a [Row],
    /// The number of columns to write, at most [`NR`].
    pub(crate) columns: usize,
    /// The bias of each column, if there is one.
    pub(crate) bias: Option<&'a [f32]>,
    /// Whether ReLU is applied.
    pub(crate) relu: bool,
    /// The index in y at which each row begins.
    pub(crate) starts: &'a [usize],
    pub(crate) y: &'a mut [f32],
}

impl Epilogue<'_> {
    /// Writes the tile to y.
    ///
    /// # Panics
    /// If a row reaches beyond y, or there are fewer sums or biases than columns and rows to write.
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

/// A tile that `write` has checked. With the checks inside, the kernel would be slower by a third, which matters for
/// small products.
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
        // SAFETY: `write` has checked that no row reaches beyond y; the caller has checked that the instruction set is
        // available.
        unsafe {
            for (row, &start) in tile.iter().zip(starts) {
                let (row, y) = (row.as_ptr(), y.as_mut_ptr().add(start));
                for j in (0..whole).step_by(S::LANES) {
                    let sum = S::add(S::load(row.add(j)), S::load(biases.as_ptr().add(j)));
                    S::store(if relu { S::relu_lanes(sum) } else { sum }, y.add(j));
                }
                for (j, bias) in biases[..columns].iter().enumerate().skip(whole) {
                    let sum = *row.add(j) + bias;
                    // As in vectors, NaN stays NaN.
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
