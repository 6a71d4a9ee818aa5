//! What happens to a tile of sums before it is an output: bias, ReLU.

use super::path::{Kernel, Path};
use super::product::Row;
use super::simd::Simd;

/// Writes the first `columns` numbers of each row, with `bias` added and, if asked, nothing below zero, to
/// y[starts[i]..].
#[inline]
pub(crate) fn finish(
    path: Path,
    tile: &[Row],
    columns: usize,
    bias: &[f32],
    relu: bool,
    starts: &[usize],
    y: &mut [f32],
) {
    path.run(Finish { tile, columns, bias, relu, starts, y });
}

struct Finish<'a> {
    tile: &'a [Row],
    columns: usize,
    bias: &'a [f32],
    relu: bool,
    starts: &'a [usize],
    y: &'a mut [f32],
}

#[expect(unsafe_code, reason = "compiled for each instruction set, which then makes vectors of plain loops")]
impl Kernel for Finish<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let least = if self.relu { 0.0 } else { f32::NEG_INFINITY };
        let n = self.columns;
        for (row, &start) in self.tile.iter().zip(self.starts) {
            let (y, bias) = (&mut self.y[start..start + n], &self.bias[..n]);
            // Whole rows apart, so that their length is known to the compiler.
            if let (Ok(y), Ok(bias)) = (<&mut Row>::try_from(&mut *y), <&Row>::try_from(bias)) {
                for j in 0..row.len() {
                    y[j] = clamp(row[j] + bias[j], least);
                }
            } else {
                for j in 0..n {
                    y[j] = clamp(row[j] + bias[j], least);
                }
            }
        }
    }
}

/// The larger of the two; NaN stays NaN, so that a lost sum shows.
#[inline(always)]
fn clamp(value: f32, least: f32) -> f32 {
    if value < least { least } else { value }
}
