//! The transforms of minimal filtering on tiles of images, in vectors of channels.
//!
//! What tiles become, or are made from, is a spectrum: n² planes, each a matrix with a row for each tile and a column for
//! each channel, in panels of 32 columns as the product reads and writes it.

use std::marker::PhantomData;

use super::places::{OUTSIDE, Places};
use super::scheme::Matrix;
use crate::kernels::gemm::NR;
use crate::kernels::isa::{Isa, Kernel};
use crate::kernels::simd::Simd;

/// Where an image's tiles lie in a spectrum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    /// Numbers from one plane to the next.
    pub(super) plane: usize,
    /// Rows of each panel.
    pub(super) count: usize,
    /// The row of the first tile; the others follow.
    pub(super) first: usize,
}

impl Rows {
    /// Where the numbers of so many tiles and channels end in a spectrum of so many planes, if they have room there.
    fn end(self, planes: usize, tiles: usize, channels: usize) -> Option<usize> {
        let last_row = self.first.checked_add(tiles).filter(|&end| end <= self.count)?;
        let panels_before = channels.div_ceil(NR).checked_sub(1)?.checked_mul(self.count)?;
        let in_plane = panels_before.checked_add(last_row)?.checked_mul(NR)?;
        planes.checked_sub(1)?.checked_mul(self.plane)?.checked_add(in_plane)
    }

    /// Where a tile's channel lies in a plane.
    #[inline(always)]
    fn at(self, tile: usize, channel: usize) -> usize {
        (channel / NR * self.count + self.first + tile) * NR + channel % NR
    }
}

/// Tiles of an image to a spectrum: each tile x becomes T x Tᵀ.
#[derive(Debug)]
pub(super) struct Gather<'a> {
    /// Of each remainder, whose channels follow those of the one before.
    pub(super) places: &'a [Places],
    pub(super) image: &'a [f32],
    /// Numbers that are read at each place: whole panels.
    pub(super) channels: usize,
    pub(super) rows: Rows,
    pub(super) spectrum: &'a mut [f32],
}

/// A spectrum to tiles of an image: each tile x becomes T x Tᵀ.
#[derive(Debug)]
pub(super) struct Scatter<'a> {
    /// Of each remainder, whose channels follow those of the one before.
    pub(super) places: &'a [Places],
    pub(super) spectrum: &'a [f32],
    pub(super) rows: Rows,
    /// Numbers that are written at each place: whole panels.
    pub(super) channels: usize,
    pub(super) image: &'a mut [f32],
    pub(super) then: Then<'a>,
}

/// What becomes of a tile's numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then<'a> {
    /// They are written.
    Write,
    /// They are added to what is there.
    Add,
    /// They are written with a bias for each channel added, and what is below zero as zero if `relu`.
    Epilogue { bias: &'a [f32], relu: bool },
}

/// Checks that an image of so many numbers has all places, with so many channels each. Rows and columns of tiles.
fn check(places: &[Places], size: usize, channels: usize, image: usize) -> [usize; 2] {
    let tiles = places[0].tiles(size);
    assert!(channels.is_multiple_of(NR), "whole panels");
    assert!(places.iter().all(|places| places.tiles(size) == tiles), "as many tiles of each remainder");
    let ends = |places: &Places| places.end(channels).is_some_and(|end| end <= image);
    assert!(places.iter().all(ends), "an image with every place");
    tiles
}

/// Runs a [`Gather`] whose T is this matrix.
pub(super) fn gather<T: Matrix<OUT, IN>, const OUT: usize, const IN: usize>(isa: Isa, work: Gather) {
    isa.run(Transform::<_, T, OUT, IN> { work, matrix: PhantomData });
}

/// Runs a [`Scatter`] whose T is this matrix.
pub(super) fn scatter<T: Matrix<OUT, IN>, const OUT: usize, const IN: usize>(isa: Isa, work: Scatter) {
    isa.run(Transform::<_, T, OUT, IN> { work, matrix: PhantomData });
}

struct Transform<W, T, const OUT: usize, const IN: usize> {
    work: W,
    matrix: PhantomData<T>,
}

/// The body for each index below the count, at most six, written out: only then are a matrix's entries known where they are
/// used, and tiles kept in registers. The compiler leaves loops of this size rolled up.
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

/// T x: terms of zero are left out, and those of one and minus one have no multiplication.
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn apply<S: Simd, T: Matrix<OUT, IN>, const OUT: usize, const IN: usize>(
    x: &[S::V; IN],
) -> [S::V; OUT] {
    // SAFETY: the caller has seen the instruction set.
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

/// T x Tᵀ: the rows of x first.
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn both_ways<S: Simd, T: Matrix<OUT, IN>, const OUT: usize, const IN: usize>(
    x: &[[S::V; IN]; IN],
) -> [[S::V; OUT]; OUT] {
    // SAFETY: the caller has seen the instruction set.
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
        // SAFETY: the last places that are read and written are checked above; the caller has seen the instruction set.
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
        // SAFETY: the last places that are read and written are checked above; the caller has seen the instruction set.
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
