//! Many small pictures of one size on a grid with thin lines, as one raster.

use super::super::canvas::{Canvas, Frame};
use super::super::colour::Rgb;
use super::super::raster::Raster;
use super::picture::Picture;

/// Points between two tiles.
const LINE: f64 = 0.8;

/// How tiles are to lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tiling {
    /// No grid is higher, and no tile wider or higher, in points.
    pub(super) room: f64,
    pub(super) most: f64,
    /// Tiles that belong together.
    pub(super) group: usize,
    /// The colour of the lines between tiles.
    pub(super) between: Rgb,
}

/// Where tiles lie on a grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    columns: usize,
    rows: usize,
    /// Width and height of a tile in points.
    tile: (f64, f64),
    /// Its width in pixels.
    pixels: usize,
}

impl Grid {
    /// `count` tiles of [height, width] pixels in a room of this width, as large as fits. A row holds whole groups of tiles
    /// where it can.
    pub(super) fn fit(count: usize, [height, width]: [usize; 2], across: f64, tiling: &Tiling) -> Grid {
        let Tiling { room, most, group, .. } = *tiling;
        let aspect = height as f64 / width as f64;
        let candidate = |columns: usize| {
            let rows = count.div_ceil(columns);
            let lines = |tiles: usize| LINE * (tiles + 1) as f64;
            let wide = (across - lines(columns)) / columns as f64;
            let high = (room - lines(rows)) / rows as f64;
            let tile = wide.min(high / aspect).min(most).min(most / aspect).max(0.5);
            Grid { columns, rows, tile: (tile, tile * aspect), pixels: width }
        };
        let best = |group: usize| {
            let grids = || (1..=count).filter(|columns| columns.is_multiple_of(group)).map(candidate);
            let widest = grids().map(|grid| grid.tile.0).fold(0.0, f64::max);
            // Of those with about the largest tiles, one without empty places, and rather wide than high.
            let good = grids().filter(|grid| grid.tile.0 >= 0.9 * widest);
            good.min_by_key(|grid| (grid.columns * grid.rows - count, grid.rows))
        };
        best(group).or_else(|| best(1)).unwrap_or_else(|| candidate(1))
    }

    pub(super) fn width(&self) -> f64 {
        self.tile.0 * self.columns as f64 + LINE * (self.columns + 1) as f64
    }

    pub(super) fn height(&self) -> f64 {
        self.tile.1 * self.rows as f64 + LINE * (self.rows + 1) as f64
    }

    /// Draws the tiles with their upper left corner at a point.
    pub(super) fn draw(&self, canvas: &mut Canvas, (x, y): (f64, f64), tiles: &[Picture], between: Rgb) {
        let tiles: Vec<Vec<Rgb>> = tiles.iter().map(|tile| tile.pixels.clone()).collect();
        let (raster, pixel) =
            Raster::mosaic(&tiles, (self.pixels, self.columns), (self.tile.0, LINE), between);
        let (width, height) = raster.size();
        // Lines are whole pixels of the raster, so the grid may be a little wider or narrower than planned.
        let scale = self.width() / (width as f64 * pixel);
        let frame = Frame { x, y, width: self.width(), height: height as f64 * pixel * scale };
        canvas.image(frame, &raster);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_fill_their_room_without_empty_places_where_they_can() {
        let fit = |count, size, across, room, most, group| {
            Grid::fit(count, size, across, &Tiling { room, most, group, between: [0; 3] })
        };
        for (count, columns) in [(32, 16), (64, 16), (1, 1), (7, 7)] {
            let grid = fit(count, [4, 4], 453.0, 130.0, 28.0, 1);
            assert_eq!(grid.columns, columns, "{count}");
            assert!(grid.width() <= 453.01 && grid.height() <= 130.01, "{grid:?}");
        }
        let colour = fit(48, [4, 4], 453.0, 130.0, 28.0, 3);
        assert!(colour.columns.is_multiple_of(3) && colour.width() <= 453.01, "{colour:?}");
        let tall = fit(5, [30, 2], 200.0, 60.0, 20.0, 1);
        assert!(tall.height() <= 60.01 && tall.tile.1 <= 20.01, "{tall:?}");
    }

    #[test]
    fn a_mosaic_has_lines_between_whole_blocks() {
        let tiles = [vec![[1; 3], [2; 3]], vec![[3; 3], [4; 3]], vec![[5; 3], [6; 3]]];
        let (raster, pixel) = Raster::mosaic(&tiles, (2, 2), (7.2, 0.7), [9; 3]);
        let (width, height) = raster.size();
        // 7.2 points are 40 pixels of 0.18 points, a block of 20; a line is 4.
        assert_eq!((width, height), (2 * 40 + 3 * 4, 2 * 20 + 3 * 4));
        assert!((pixel - 0.18).abs() < 1e-12);
    }
}
