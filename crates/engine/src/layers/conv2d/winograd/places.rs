//! Where the pixels of tiles lie on an image.

/// The place of a row or a column that is not on the image.
pub(super) const OUTSIDE: usize = usize::MAX;

/// Where the rows and the columns of an image's tiles start: a pixel lies where its row and its column together say.
#[derive(Debug)]
pub(super) struct Places {
    /// Rows of each row of tiles, columns of each column of tiles.
    sides: [Vec<usize>; 2],
    /// The largest sum of a row and a column on the image, if there is one.
    last: Option<usize>,
}

impl Places {
    /// Tiles of `size` rows and columns, of which each begins `step` after the one before. `on_image` says, of the `i`-th
    /// row (side 0) or column (side 1) that tiles reach, which one of the image that is, if any; they lie `strides` apart.
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

    /// Rows and columns of tiles of so many rows and columns.
    pub(super) fn tiles(&self, size: usize) -> [usize; 2] {
        [self.sides[0].len() / size, self.sides[1].len() / size]
    }

    /// Where so many numbers from the last place on end.
    pub(super) fn end(&self, numbers: usize) -> Option<usize> {
        self.last.map_or(Some(0), |last| last.checked_add(numbers))
    }

    /// The rows and the columns of a tile.
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
