//! The places of the pixels of tiles in an image.

/// The offset of a row or a column that lies outside the image.
pub(super) const OUTSIDE: usize = usize::MAX;

/// The offsets of the rows and of the columns of the tiles of an image. The offset of a pixel is the sum of the two.
#[derive(Debug)]
pub(super) struct Places {
    /// The rows of each row of tiles, and the columns of each column of tiles.
    sides: [Vec<usize>; 2],
    /// The largest offset of a pixel in the image, if any pixel of a tile lies there.
    last: Option<usize>,
}

impl Places {
    /// The places of `tiles` tiles down and to the right, each of `size` rows and columns and beginning `step` after the
    /// one before. `on_image(side, i)` maps row (side 0) or column (side 1) i of the tiles to one of the image, if there
    /// is one; neighbouring rows and columns of the image are `strides` apart in memory.
    pub(super) fn new(
        tiles: [usize; 2],
        [size, step]: [usize; 2],
        strides: [usize; 2],
        on_image: impl Fn(usize, usize) -> Option<usize>,
    ) -> Places {
        let along = |side: usize| {
            let numbers = (0..tiles[side]).flat_map(|tile| (0..size).map(move |i| tile * step + i));
            numbers.map(|i| on_image(side, i).map_or(OUTSIDE, |at| at * strides[side])).collect()
        };
        let sides: [Vec<usize>; 2] = [along(0), along(1)];
        let last = |side: &Vec<usize>| side.iter().copied().filter(|&place| place != OUTSIDE).max();
        let last = last(&sides[0]).zip(last(&sides[1])).map(|(row, column)| row + column);
        Places { sides, last }
    }

    /// The numbers of rows and columns of tiles, for tiles of `size` rows and columns.
    pub(super) fn tiles(&self, size: usize) -> [usize; 2] {
        [self.sides[0].len() / size, self.sides[1].len() / size]
    }

    /// The end of `numbers` values that begin at the largest offset; `None` if it overflows.
    pub(super) fn end(&self, numbers: usize) -> Option<usize> {
        self.last.map_or(Some(0), |last| last.checked_add(numbers))
    }

    /// The offsets of the rows and of the columns of a tile.
    #[inline(always)]
    pub(super) fn tile<const SIZE: usize>(
        &self,
        tile: usize,
        tiles: [usize; 2],
    ) -> ([usize; SIZE], [usize; SIZE]) {
        let [rows, columns] = [self.sides[0].as_chunks().0, self.sides[1].as_chunks().0];
        (rows[tile / tiles[1]], columns[tile % tiles[1]])
    }
}
