//! A data matrix x of shape [n, m] whose numbers are bytes seen through an affine map, and the vector loops over its
//! rows.
//!
//! A pixel takes one byte in memory and becomes a number in a register: a perceptron that goes over a data set a
//! thousand times waits for memory a quarter as long as it would with f32. Sums run in a fixed number of lanes, folded
//! in a fixed order, without fused multiply-add: whatever vectors the processor has, the bits are the same.

use pulp::{Arch, NullaryFnOnce};

/// How a byte p becomes a number: x = factor · p + shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// What a byte is multiplied by.
    pub factor: f64,
    /// What is added then.
    pub shift: f64,
}

impl Affine {
    /// Bytes as numbers from −1 to 1: x = p/127.5 − 1.
    pub const SIGNED_UNIT: Affine = Affine { factor: 1.0 / 127.5, shift: -1.0 };
}

/// A matrix x of shape [rows, columns] over bytes, row-major.
#[derive(Debug, Clone, Copy)]
pub struct ByteMatrix<'a> {
    bytes: &'a [u8],
    columns: usize,
    affine: Affine,
    arch: Arch,
}

impl<'a> ByteMatrix<'a> {
    /// The matrix with these bytes, `columns` in a row.
    ///
    /// # Panics
    /// If `bytes` does not hold whole rows.
    pub fn new(bytes: &'a [u8], columns: usize, affine: Affine) -> Self {
        assert!(columns > 0 && bytes.len().is_multiple_of(columns), "bytes come in rows of {columns}");
        ByteMatrix { bytes, columns, affine, arch: Arch::new() }
    }

    /// Number of rows n.
    pub fn rows(&self) -> usize {
        self.bytes.len() / self.columns
    }

    /// Number of columns m.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The bytes of row `i`, shape [columns].
    pub(crate) fn bytes(&self, i: usize) -> &'a [u8] {
        &self.bytes[i * self.columns..(i + 1) * self.columns]
    }

    /// xᵢ·w, for `w` of shape [columns].
    #[inline]
    pub(crate) fn dot<T: Real>(&self, i: usize, w: &[T]) -> T {
        self.arch.dispatch(Dot { row: self.bytes(i), w, affine: self.affine })
    }

    /// w ← w + step · xᵢ, for `w` of shape [columns].
    #[inline]
    pub(crate) fn axpy<T: Real>(&self, i: usize, step: T, w: &mut [T]) {
        self.arch.dispatch(AddScaled { row: self.bytes(i), step, w, affine: self.affine });
    }
}

/// The two widths in which sums are made.
pub(crate) trait Real: Copy + std::ops::Add<Output = Self> + std::ops::Mul<Output = Self> {
    fn of(value: f64) -> Self;
    fn byte(byte: u8) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn of(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn byte(byte: u8) -> f32 {
        f32::from(byte)
    }
}

impl Real for f64 {
    #[inline(always)]
    fn of(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn byte(byte: u8) -> f64 {
        f64::from(byte)
    }
}

const LANES: usize = 32;

struct Dot<'a, T> {
    row: &'a [u8],
    w: &'a [T],
    affine: Affine,
}

impl<T: Real> NullaryFnOnce for Dot<'_, T> {
    type Output = T;

    // Inlined into the function that pulp compiles for the instruction set.
    #[inline(always)]
    fn call(self) -> T {
        assert_eq!(self.row.len(), self.w.len(), "a weight for every column");
        let (factor, shift) = (T::of(self.affine.factor), T::of(self.affine.shift));
        let mut lanes = [T::of(0.0); LANES];
        let (chunks, w_chunks) = (self.row.chunks_exact(LANES), self.w.chunks_exact(LANES));
        let (tail, w_tail) = (chunks.remainder(), w_chunks.remainder());
        for (row, w) in chunks.zip(w_chunks) {
            for lane in 0..LANES {
                lanes[lane] = lanes[lane] + (T::byte(row[lane]) * factor + shift) * w[lane];
            }
        }
        for ((lane, &p), &w) in lanes.iter_mut().zip(tail).zip(w_tail) {
            *lane = *lane + (T::byte(p) * factor + shift) * w;
        }
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                lanes[lane] = lanes[lane] + lanes[lane + width];
            }
            width /= 2;
        }
        lanes[0]
    }
}

struct AddScaled<'a, T> {
    row: &'a [u8],
    step: T,
    w: &'a mut [T],
    affine: Affine,
}

impl<T: Real> NullaryFnOnce for AddScaled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        assert_eq!(self.row.len(), self.w.len(), "a weight for every column");
        let (factor, shift) = (T::of(self.affine.factor), T::of(self.affine.shift));
        for (w, &p) in self.w.iter_mut().zip(self.row) {
            *w = *w + self.step * (T::byte(p) * factor + shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AFFINE: Affine = Affine { factor: 1.0 / 127.5, shift: -1.0 };

    proptest! {
        #[test]
        fn dot_and_sum_agree_with_the_plain_loop(
            row in proptest::collection::vec((0_u8.., -1.0_f32..1.0), 1..200),
            step in -1.0_f32..1.0,
        ) {
            let (bytes, w): (Vec<u8>, Vec<f32>) = row.into_iter().unzip();
            let x = ByteMatrix::new(&bytes, bytes.len(), AFFINE);
            let plain: Vec<f64> = bytes.iter().map(|&p| f64::from(p) / 127.5 - 1.0).collect();
            let exact: f64 = plain.iter().zip(&w).map(|(x, &w)| x * f64::from(w)).sum();
            let magnitude: f64 = w.iter().map(|w| f64::from(w.abs())).sum();
            prop_assert!((f64::from(x.dot(0, &w)) - exact).abs() <= 2e-6 * magnitude);
            let wide: Vec<f64> = w.iter().map(|&w| f64::from(w)).collect();
            prop_assert!((x.dot(0, &wide) - exact).abs() <= 1e-14 * magnitude);
            let mut moved = w.clone();
            x.axpy(0, step, &mut moved);
            for ((moved, w), x) in moved.iter().zip(&w).zip(&plain) {
                prop_assert!((f64::from(*moved) - (f64::from(*w) + f64::from(step) * x)).abs() <= 1e-6);
            }
        }

        #[test]
        fn every_instruction_set_gives_the_same_bits(
            row in proptest::collection::vec((0_u8.., -1.0_f32..1.0), 1..200),
        ) {
            let (bytes, w): (Vec<u8>, Vec<f32>) = row.into_iter().unzip();
            let x = ByteMatrix::new(&bytes, bytes.len(), AFFINE);
            let portable = ByteMatrix { arch: Arch::Scalar, ..x };
            prop_assert_eq!(x.dot(0, &w).to_bits(), portable.dot(0, &w).to_bits());
            let (mut fast, mut plain) = (w.clone(), w);
            x.axpy(0, 0.1, &mut fast);
            portable.axpy(0, 0.1, &mut plain);
            prop_assert_eq!(fast, plain);
        }
    }
}
