//! Pictures of one size in rows and columns, with lines of text above and below each.

use super::super::canvas::{Canvas, Frame, TEXT_WIDTH};
use super::super::colour::{INK, Rgb};
use super::super::raster::Raster;

/// Where pictures lie, row by row.
pub(crate) struct Tiles {
    pub(crate) columns: usize,
    /// Points between two columns.
    pub(crate) gap: f64,
    /// What the lines above and below a picture take.
    pub(crate) above: f64,
    pub(crate) below: f64,
    /// Points that are left free at the left and at the right of all.
    pub(crate) sides: (f64, f64),
    /// The height of a picture as a share of its width.
    pub(crate) aspect: f64,
}

impl Tiles {
    /// The place of a picture.
    pub(crate) fn frame(&self, index: usize) -> Frame {
        let column = (TEXT_WIDTH - self.sides.0 - self.sides.1) / self.columns as f64;
        let width = column - self.gap;
        let (row, place) = ((index / self.columns) as f64, (index % self.columns) as f64);
        let height = width * self.aspect;
        let x = self.sides.0 + self.gap / 2.0 + column * place;
        let y = self.above + (self.above + height + self.below) * row;
        Frame { x, y, width, height }
    }
}

/// A picture of this width in pixels, with a thin edge.
pub(crate) fn picture(
    canvas: &mut Canvas,
    frame: Frame,
    width: usize,
    pixels: impl IntoIterator<Item = Rgb>,
) {
    canvas.image(frame, &Raster::blocks(width, pixels, frame.width));
    canvas.outline(frame, INK, 0.4);
}
