//! The transforms of minimal filtering on tiles of images, vectorised over channels.
//!
//! Transformed tiles form a spectrum: n² planes, each a matrix with a row for each tile and a column for each channel, in
//! panels of 32 columns, as the matrix product reads and writes it.

use std::marker::PhantomData;

use super::places::{OUTSIDE, Places};
use crate::kernels::gemm::NR;
use crate::kernels::isa::{Isa, Kernel};
use crate::kernels::simd::Simd;

/// A matrix that is known at compile time, so that zeros cost nothing and ones need no multiplication.
pub(super) trait Matrix<const OUT: usize, const IN: usize> {
    const ENTRIES: [[f32; IN]; OUT];
}

/// The layout of the tiles of an image in a spectrum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    /// The distance between planes.
    pub(super) plane: usize,
    /// The number of rows of each panel.
    pub(super) count: usize,
    /// The row of the first tile of the image; the others follow.
    pub(super) first: usize,
}

impl Rows {
    /// The end of `tiles` tiles of `channels` channels in a spectrum of `planes` planes; `None` if the rows do not fit or
    /// it overflows.
    fn end(self, planes: usize, tiles: usize, channels: usize) -> Option<usize> {
        let last_row = self.first.checked_add(tiles).filter(|&end| end <= self.count)?;
        let panels_before = channels.div_ceil(NR).checked_sub(1)?.checked_mul(self.count)?;
        let in_plane = panels_before.checked_add(last_row)?.checked_mul(NR)?;
        planes.checked_sub(1)?.checked_mul(self.plane)?.checked_add(in_plane)
    }

    /// The offset of a channel of a tile in a plane.
    #[inline(always)]
    fn at(self, tile: usize, channel: usize) -> usize {
        (channel / NR * self.count + self.first + tile) * NR + channel % NR
    }
}

/// A transform from tiles of an image to a spectrum: each tile x becomes T x Tᵀ.
#[derive(Debug)]
pub(super) struct Gather<'a> {
    /// The places of the tiles of each remainder; in the spectrum, its channels follow those of the remainder before.
    pub(super) places: &'a [Places],
    pub(super) image: &'a [f32],
    /// The number of channels that are read at each place: whole panels.
    pub(super) channels: usize,
    pub(super) rows: Rows,
    pub(super) spectrum: &'a mut [f32],
}

/// A transform from a spectrum to tiles of an image: each tile x becomes T x Tᵀ.
#[derive(Debug)]
pub(super) struct Scatter<'a> {
    /// The places of the tiles of each remainder; in the spectrum, its channels follow those of the remainder before.
    pub(super) places: &'a [Places],
    pub(super) spectrum: &'a [f32],
    pub(super) rows: Rows,
    /// The number of channels that are written at each place: whole panels.
    pub(super) channels: usize,
    pub(super) image: &'a mut [f32],
    pub(super) then: Then<'a>,
}

/// How the values of a tile are written to the image.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then<'a> {
    /// They replace the values in the image.
    Write,
    /// They are added to the values in the image.
    Add,
    /// They replace the values in the image, after a bias for each channel has been added and, if `relu`, ReLU applied.
    Epilogue { bias: &'a [f32], relu: bool },
}

/// Checks that all places, with `channels` values each, lie within an image of `image` values. Returns the numbers of
/// rows and columns of tiles.
fn check(places: &[Places], size: usize, channels: usize, image: usize) -> [usize; 2] {
    let tiles = places[0].tiles(size);
    assert!(channels.is_multiple_of(NR), "whole panels");
    assert!(places.iter().all(|places| places.tiles(size) == tiles), "as many tiles of each remainder");
    let ends = |places: &Places| places.end(channels).is_some_and(|end| end <= image);
    assert!(places.iter().all(ends), "an image with every place");
    tiles
}

/// Runs a [`Gather`] with this matrix T.
pub(super) fn gather<T: Matrix<OUT, IN>, const OUT: usize, const IN: usize>(isa: Isa, work: Gather) {
    isa.run(Transform::<_, T, OUT, IN> { work, matrix: PhantomData });
}

/// Runs a [`Scatter`] with this matrix T.
pub(super) fn scatter<T: Matrix<OUT, IN>, const OUT: usize, const IN: usize>(isa: Isa, work: Scatter) {
    isa.run(Transform::<_, T, OUT, IN> { work, matrix: PhantomData });
}

struct Transform<W, T, const OUT: usize, const IN: usize> {
    work: W,
    matrix: PhantomData<T>,
}

/// Repeats the body for each index below the count, which is at most six. Written out like this, the matrix entries are
/// constants where they are used, and tiles stay in registers; the compiler does not unroll loops of this size itself.
macro_rules! each {
    ($i:ident < $count:expr => $body:block) => {
        each!(@ $i, $count, $body, 0 1 2 3 4 5)
    };
    (@ $i:ident, $count:expr, $body:block, $($number:literal)*) => {$(
        if $number < $count {
            let $i: usize = $number;
            $body
        }
    )*};
}

/// T x. Entries of zero are skipped, and those of one and minus one need no multiplication.
///
/// # Safety
/// The instruction set of `S` must be available.
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn apply<S: Simd, T: Matrix<OUT, IN>, const OUT: usize, const IN: usize>(
    x: &[S::V; IN],
) -> [S::V; OUT] {
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe {
        let mut y = [S::splat(0.0); OUT];
        each!(o < OUT => {
            let mut is_first = true;
            each!(i < IN => {
                let entry = T::ENTRIES[o][i];
                if entry != 0.0 {
                    y[o] = if entry == 1.0 && is_first {
                        x[i]
                    } else if entry == 1.0 {
                        S::add(y[o], x[i])
                    } else if entry == -1.0 {
                        S::sub(y[o], x[i])
                    } else if is_first {
                        S::mul(S::splat(entry), x[i])
                    } else {
                        S::mul_add(S::splat(entry), x[i], y[o])
                    };
                    is_first = false;
                }
            });
            let _ = is_first;
        });
        y
    }
}

/// T x Tᵀ. The rows of x are transformed first.
///
/// # Safety
/// The instruction set of `S` must be available.
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn both_ways<S: Simd, T: Matrix<OUT, IN>, const OUT: usize, const IN: usize>(
    x: &[[S::V; IN]; IN],
) -> [[S::V; OUT]; OUT] {
    // SAFETY: the caller has checked that the instruction set is available.
    unsafe {
        let mut rows = [[S::splat(0.0); OUT]; IN];
        each!(u < IN => { rows[u] = apply::<S, T, OUT, IN>(&x[u]); });
        let mut y = [[S::splat(0.0); OUT]; OUT];
        each!(f < OUT => {
            let mut column = [S::splat(0.0); IN];
            each!(u < IN => { column[u] = rows[u][f]; });
            let column = apply::<S, T, OUT, IN>(&column);
            each!(e < OUT => { y[e][f] = column[e]; });
        });
        y
    }
}

#[expect(unsafe_code, reason = "vector instructions, and reads and writes without a check of each")]
impl<T: Matrix<OUT, IN>, const OUT: usize, const IN: usize> Kernel for Transform<Gather<'_>, T, OUT, IN> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Gather { places, image, channels, rows, spectrum } = self.work;
        let tiles = check(places, IN, channels, image.len());
        let end = rows.end(OUT * OUT, tiles[0] * tiles[1], places.len() * channels);
        assert!(end.is_some_and(|end| end <= spectrum.len()), "room for every tile");
        let (image, spectrum) = (image.as_ptr(), spectrum.as_mut_ptr());
        // SAFETY: the last places that are read and written are checked above; the caller has checked that the
        // instruction set is available.
        unsafe {
            for (remainder, places) in places.iter().enumerate() {
                for tile in 0..tiles[0] * tiles[1] {
                    let (down, right) = places.tile::<IN>(tile, tiles);
                    for k in (0..channels).step_by(S::LANES) {
                        let mut x = [[S::splat(0.0); IN]; IN];
                        each!(u < IN => {
                            if down[u] != OUTSIDE {
                                each!(v < IN => {
                                    if right[v] != OUTSIDE {
                                        x[u][v] = S::load(image.add(down[u] + right[v] + k));
                                    }
                                });
                            }
                        });
                        let y = both_ways::<S, T, OUT, IN>(&x);
                        let to = spectrum.add(rows.at(tile, remainder * channels + k));
                        each!(e < OUT => {
                            each!(f < OUT => { S::store(y[e][f], to.add((e * OUT + f) * rows.plane)); });
                        });
                    }
                }
            }
        }
    }
}

#[expect(unsafe_code, reason = "vector instructions, and reads and writes without a check of each")]
impl<T: Matrix<OUT, IN>, const OUT: usize, const IN: usize> Kernel for Transform<Scatter<'_>, T, OUT, IN> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Scatter { places, spectrum, rows, channels, image, then } = self.work;
        let tiles = check(places, OUT, channels, image.len());
        let end = rows.end(IN * IN, tiles[0] * tiles[1], places.len() * channels);
        assert!(end.is_some_and(|end| end <= spectrum.len()), "a row for every tile");
        if let Then::Epilogue { bias, .. } = then {
            assert!(channels <= bias.len(), "a bias for each channel");
        }
        let (image, spectrum) = (image.as_mut_ptr(), spectrum.as_ptr());
        // SAFETY: the last places that are read and written are checked above; the caller has checked that the
        // instruction set is available.
        unsafe {
            for (remainder, places) in places.iter().enumerate() {
                for tile in 0..tiles[0] * tiles[1] {
                    let (down, right) = places.tile::<OUT>(tile, tiles);
                    for k in (0..channels).step_by(S::LANES) {
                        let from = spectrum.add(rows.at(tile, remainder * channels + k));
                        let mut x = [[S::splat(0.0); IN]; IN];
                        each!(e < IN => {
                            each!(f < IN => { x[e][f] = S::load(from.add((e * IN + f) * rows.plane)); });
                        });
                        let y = both_ways::<S, T, OUT, IN>(&x);
                        each!(u < OUT => {
                            each!(v < OUT => {
                                if down[u] != OUTSIDE && right[v] != OUTSIDE {
                                    let to = image.add(down[u] + right[v] + k);
                                    let number = match then {
                                        Then::Write => y[u][v],
                                        Then::Add => S::add(S::load(to), y[u][v]),
                                        Then::Epilogue { bias, relu } => {
                                            let sum = S::add(y[u][v], S::load(bias.as_ptr().add(k)));
                                            if relu { S::relu_lanes(sum) } else { sum }
                                        }
                                    };
                                    S::store(number, to);
                                }
                            });
                        });
                    }
                }
            }
        }
    }
}
