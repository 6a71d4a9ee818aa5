//! The transforms of Winograd's minimal filtering F(2, 2), in both directions of an image: additions of vectors of
//! channels, sixteen at a time.

use crate::kernels::path::Kernel;
use crate::kernels::simd::Simd;

/// Channels of a block.
pub(super) const BLOCK: usize = 16;

/// Products of a tile: three along each side.
pub(super) const PRODUCTS: usize = 9;

/// Where tiles of 2×2 outputs lie on an image whose pixels, `stride` apart down and to the right, belong together: the
/// remainders of a pixel's place by the stride are channels like others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Rows and columns of tiles.
    pub(super) tiles: [usize; 2],
    /// Pixels of a row of the image.
    pub(super) width: usize,
    /// Numbers of a pixel, whole blocks.
    pub(super) pixel: usize,
    pub(super) stride: usize,
}

impl Grid {
    pub(super) fn count(self) -> usize {
        self.tiles[0] * self.tiles[1]
    }

    /// Numbers of a tile's pixel, with the remainders.
    pub(super) fn depth(self) -> usize {
        self.stride * self.stride * self.pixel
    }

    /// Rows of the image that the inputs of all tiles reach, from `first` on.
    fn reach(self, first: usize, rows: usize) -> usize {
        (first + self.stride * (2 * self.tiles[0] + rows - 2)) * self.width
    }
}

/// Tiles of an image before the products: v[product, row, depth] for the rows of this image.
pub(super) struct Before<'a> {
    pub(super) grid: Grid,
    pub(super) image: &'a [f32],
    pub(super) v: &'a mut [f32],
    /// Rows of v for one product.
    pub(super) rows: usize,
    /// This image's first row.
    pub(super) first: usize,
}

#[expect(unsafe_code, reason = "vector instructions, and reads without a check of each")]
impl Kernel for Before<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "the products are numbered along both sides")]
    unsafe fn run<S: Simd>(self) {
        let grid @ Grid { tiles, width, pixel, stride, .. } = self.grid;
        let depth = grid.depth();
        assert!(pixel.is_multiple_of(BLOCK), "whole blocks");
        assert!(grid.reach(0, 3) * pixel <= self.image.len(), "pixels for every tile");
        assert!(stride * (2 * tiles[1] + 1) <= width, "columns for every tile");
        assert!(
            PRODUCTS * self.rows * depth <= self.v.len() && self.first + grid.count() <= self.rows,
            "room"
        );
        let (image, v) = (self.image.as_ptr(), self.v.as_mut_ptr());
        let (down, right) = (stride * width * pixel, stride * pixel);
        // SAFETY: the farthest number that is read and written is checked above; the caller has seen the instruction set.
        unsafe {
            for tile in 0..grid.count() {
                let (i, j) = (tile / tiles[1], tile % tiles[1]);
                for remainder in 0..stride * stride {
                    let (a, b) = (remainder / stride, remainder % stride);
                    let corner = ((2 * stride * i + a) * width + 2 * stride * j + b) * pixel;
                    let to = (self.first + tile) * depth + remainder * pixel;
                    for k in (0..pixel).step_by(S::LANES) {
                        let mut rows = [[S::splat(0.0); 3]; 3];
                        for u in 0..3 {
                            let at = image.add(corner + u * down + k);
                            let (d0, d1, d2) =
                                (S::load(at), S::load(at.add(right)), S::load(at.add(2 * right)));
                            rows[u] = [S::sub(d0, d1), d1, S::sub(d2, d1)];
                        }
                        for f in 0..3 {
                            let (d0, d1, d2) = (rows[0][f], rows[1][f], rows[2][f]);
                            let column = [S::sub(d0, d1), d1, S::sub(d2, d1)];
                            for e in 0..3 {
                                S::store(column[e], v.add((3 * e + f) * self.rows * depth + to + k));
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Tiles of products to the pixels of an output: m[product, panel, row, 32] for the rows of this image.
pub(super) struct After<'a> {
    /// Rows and columns of tiles.
    pub(super) tiles: [usize; 2],
    /// Numbers of an output pixel, whole blocks.
    pub(super) pixel: usize,
    pub(super) m: &'a [f32],
    pub(super) rows: usize,
    pub(super) first: usize,
    /// What is added to every pixel.
    pub(super) bias: &'a [f32],
    /// Whether what is below zero becomes zero.
    pub(super) relu: bool,
    /// The output, [2 · rows of tiles, 2 · columns of tiles, pixel].
    pub(super) y: &'a mut [f32],
}

#[expect(unsafe_code, reason = "vector instructions, and reads without a check of each")]
impl Kernel for After<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "the products are numbered along both sides")]
    unsafe fn run<S: Simd>(self) {
        let After { tiles, pixel, .. } = self;
        let panels = pixel.div_ceil(2 * BLOCK);
        assert!(
            pixel.is_multiple_of(BLOCK) && self.bias.len() >= pixel,
            "whole blocks, a bias for each number"
        );
        assert!(4 * tiles[0] * tiles[1] * pixel <= self.y.len(), "room for every pixel");
        assert!(PRODUCTS * panels * self.rows * 2 * BLOCK <= self.m.len(), "products for every tile");
        assert!(self.first + tiles[0] * tiles[1] <= self.rows, "a row for every tile");
        let (m, y, bias) = (self.m.as_ptr(), self.y.as_mut_ptr(), self.bias.as_ptr());
        let (product, row) = (panels * self.rows * 2 * BLOCK, 2 * tiles[1] * pixel);
        // SAFETY: the farthest number that is read and written is checked above; the caller has seen the instruction set.
        unsafe {
            for tile in 0..tiles[0] * tiles[1] {
                let corner = 2 * (tile / tiles[1]) * row + 2 * (tile % tiles[1]) * pixel;
                for k in (0..pixel).step_by(S::LANES) {
                    let (panel, lane) = (k / (2 * BLOCK), k % (2 * BLOCK));
                    let from = m.add((panel * self.rows + self.first + tile) * 2 * BLOCK + lane);
                    let bias = S::load(bias.add(k));
                    let mut rows = [[S::splat(0.0); 2]; 3];
                    for (e, row) in rows.iter_mut().enumerate() {
                        let at = from.add(3 * e * product);
                        let (m0, m1, m2) =
                            (S::load(at), S::load(at.add(product)), S::load(at.add(2 * product)));
                        *row = [S::add(m0, m1), S::add(m1, m2)];
                    }
                    for v in 0..2 {
                        let sums = [S::add(rows[0][v], rows[1][v]), S::add(rows[1][v], rows[2][v])];
                        for (u, sum) in sums.into_iter().enumerate() {
                            let sum = S::add(sum, bias);
                            let sum = if self.relu { S::above_zero(sum) } else { sum };
                            S::store(sum, y.add(corner + u * row + v * pixel + k));
                        }
                    }
                }
            }
        }
    }
}

/// Tiles of an output's gradient before the products of the weight gradient: dm[product, panel, row, 32].
pub(super) struct Spread<'a> {
    /// Of the gradient's image, whose first row and column are zeros; of stride 1.
    pub(super) grid: Grid,
    pub(super) image: &'a [f32],
    pub(super) dm: &'a mut [f32],
    pub(super) rows: usize,
    pub(super) first: usize,
}

#[expect(unsafe_code, reason = "vector instructions, and reads without a check of each")]
impl Kernel for Spread<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "the products are numbered along both sides")]
    unsafe fn run<S: Simd>(self) {
        let grid @ Grid { tiles, width, pixel, .. } = self.grid;
        let panels = pixel.div_ceil(2 * BLOCK);
        assert!(pixel.is_multiple_of(BLOCK) && grid.stride == 1, "whole blocks of single pixels");
        assert!(grid.reach(1, 2) * pixel <= self.image.len(), "pixels for every tile");
        assert!(2 * tiles[1] < width, "columns for every tile");
        assert!(PRODUCTS * panels * self.rows * 2 * BLOCK <= self.dm.len(), "room for every tile");
        assert!(self.first + grid.count() <= self.rows, "a row for every tile");
        let (image, dm) = (self.image.as_ptr(), self.dm.as_mut_ptr());
        let product = panels * self.rows * 2 * BLOCK;
        // SAFETY: the farthest number that is read and written is checked above; the caller has seen the instruction set.
        unsafe {
            for tile in 0..grid.count() {
                let (i, j) = (tile / tiles[1], tile % tiles[1]);
                for k in (0..pixel).step_by(S::LANES) {
                    let at = image.add(((2 * i + 1) * width + 2 * j + 1) * pixel + k);
                    let below = at.add(width * pixel);
                    let mut rows = [[S::splat(0.0); 3]; 2];
                    for (row, at) in rows.iter_mut().zip([at, below]) {
                        let (y0, y1) = (S::load(at), S::load(at.add(pixel)));
                        *row = [y0, S::add(y0, y1), y1];
                    }
                    let to =
                        ((k / (2 * BLOCK)) * self.rows + self.first + tile) * 2 * BLOCK + k % (2 * BLOCK);
                    for f in 0..3 {
                        let column = [rows[0][f], S::add(rows[0][f], rows[1][f]), rows[1][f]];
                        for e in 0..3 {
                            S::store(column[e], dm.add((3 * e + f) * product + to));
                        }
                    }
                }
            }
        }
    }
}

/// Weights before the products: u[product, row, 32] of this stretch of rows from the four taps, [row, 32] each.
pub(super) struct SpreadTaps<'a> {
    /// g₀₀, g₀₁, g₁₀, g₁₁.
    pub(super) taps: [&'a [f32]; 4],
    pub(super) u: [&'a mut [f32]; PRODUCTS],
}

#[expect(unsafe_code, reason = "vector instructions, and reads without a check of each")]
impl Kernel for SpreadTaps<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let n = self.taps[0].len();
        let SpreadTaps { taps, u } = self;
        assert!(taps.iter().all(|tap| tap.len() == n) && n.is_multiple_of(BLOCK), "four alike");
        assert!(u.iter().all(|u| u.len() == n), "room for every product");
        // SAFETY: thirteen slices of one length, a multiple of the lanes; the caller has seen the instruction set.
        unsafe {
            for k in (0..n).step_by(S::LANES) {
                let [g00, g01, g10, g11] = taps.map(|tap| S::load(tap.as_ptr().add(k)));
                let rows = [[g00, S::add(g00, g01), g01], [g10, S::add(g10, g11), g11]];
                for f in 0..3 {
                    let column = [rows[0][f], S::add(rows[0][f], rows[1][f]), rows[1][f]];
                    for e in 0..3 {
                        S::store(column[e], u[3 * e + f].as_mut_ptr().add(k));
                    }
                }
            }
        }
    }
}
