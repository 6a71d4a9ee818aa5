//! The size of an image.

/// Height, width and channels of an image. Its numbers are stored row by row, with the channels of a pixel together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Numbers of a pixel.
    pub channels: usize,
}

impl ImageSize {
    /// From [height, width, channels], as [`ModelSpec::input`](inkling_schema::ModelSpec::input) has them.
    pub fn new([height, width, channels]: [usize; 3]) -> ImageSize {
        ImageSize { height, width, channels }
    }

    /// The number of numbers: height · width · channels.
    pub fn num_values(self) -> usize {
        self.height * self.width * self.channels
    }
}
