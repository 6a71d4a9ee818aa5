//! Rows and columns of pictures with lines of text below each.

use super::super::canvas::{Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::super::colour::{GREY, Rgb};
use super::super::networks::fitted;
use super::picture;

const LINE: f64 = 8.5;
const GAP: f64 = 4.0;

/// Pictures of one size in rows and columns.
pub(super) struct Strip {
    /// Height and width of a picture in pixels.
    pub(super) size: [usize; 2],
    /// Lines above each column.
    pub(super) columns: Vec<Vec<String>>,
    pub(super) rows: Vec<Row>,
    /// What the lines below the pictures say, in words at the left.
    pub(super) lines: Vec<&'static str>,
    /// No picture is wider.
    pub(super) widest: f64,
}

/// A row of pictures.
pub(super) struct Row {
    /// What it is, at its left.
    pub(super) label: String,
    pub(super) cells: Vec<Option<Cell>>,
}

/// A picture with lines of text below it.
pub(super) struct Cell {
    pub(super) pixels: Vec<Rgb>,
    pub(super) lines: Vec<String>,
}

/// Where a strip's pictures lie.
struct Layout {
    left: f64,
    top: f64,
    /// Distance of columns and of rows.
    column: f64,
    row: f64,
    /// Width and height of a picture.
    tile: (f64, f64),
}

impl Strip {
    /// The strip on a canvas of its own, as wide as the text.
    pub(super) fn draw(&self) -> Canvas {
        let mut canvas = Canvas::new(TEXT_WIDTH, self.height());
        self.put(&mut canvas, 0.0);
        canvas
    }

    pub(super) fn height(&self) -> f64 {
        let layout = self.layout();
        layout.top + layout.row * self.rows.len() as f64 - 2.0
    }

    fn layout(&self) -> Layout {
        let labels = self.rows.iter().map(|row| 1.06 * text_width(&row.label, 8.0));
        let left = labels.chain(self.lines.iter().map(|line| text_width(line, 7.0))).fold(0.0, f64::max);
        let left = if left > 0.0 { left.min(78.0) + 6.0 } else { 0.0 };
        let cells = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(1);
        let column = (TEXT_WIDTH - left) / self.columns.len().max(cells).max(1) as f64;
        let [height, width] = self.size;
        let aspect = height as f64 / width as f64;
        let tile = (column - GAP).min(self.widest).min(150.0 / aspect).max(4.0);
        // Narrow pictures stay together, with room for a number below.
        let column = column.min(tile.max(36.0) + 16.0);
        let heads = self.columns.iter().map(Vec::len).max().unwrap_or(0);
        let top = if heads > 0 { LINE * heads as f64 + 4.0 } else { 1.0 };
        let row = tile * aspect + LINE * self.lines.len() as f64 + 7.0;
        Layout { left, top, column, row, tile: (tile, tile * aspect) }
    }

    /// How wide a line above a column may be.
    pub(super) fn room(&self) -> f64 {
        self.layout().column - 1.5
    }

    /// Draws the strip from this height downwards.
    pub(super) fn put(&self, canvas: &mut Canvas, from: f64) {
        let Layout { left, top, column, row: row_height, tile: (tile, tall) } = self.layout();
        let centre = |i: usize| left + column * (i as f64 + 0.5);
        let room = column - 1.5;
        for (i, lines) in self.columns.iter().enumerate() {
            // The last line lies right above the picture.
            for (row, line) in lines.iter().enumerate() {
                let y = from + top - 5.5 - LINE * (lines.len() - 1 - row) as f64;
                canvas.text((centre(i), y), &fitted(line, 7.0, room), Style::new(7));
            }
        }
        for (i, row) in self.rows.iter().enumerate() {
            let y = from + top + row_height * i as f64;
            let label = fitted(&row.label, 8.5, left - 4.0);
            canvas.text((0.0, y + tall / 2.0), &label, Style::new(8).bold().start());
            for (line, words) in self.lines.iter().enumerate() {
                let y = y + tall + 7.0 + LINE * line as f64;
                canvas.text((0.0, y), &fitted(words, 7.0, left - 4.0), Style::new(7).start().colour(GREY));
            }
            for (place, cell) in row.cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                let frame = Frame { x: centre(place) - tile / 2.0, y, width: tile, height: tall };
                picture::draw(canvas, frame, self.size[1], cell.pixels.clone());
                for (line, text) in cell.lines.iter().enumerate() {
                    let size = if text_width(text, 7.0) <= room { 7 } else { 6 };
                    let y = y + tall + 7.0 + LINE * line as f64;
                    canvas.text((centre(place), y), &fitted(text, f64::from(size), room), Style::new(size));
                }
            }
        }
    }
}

/// A text in lines no wider than this at 7 points, broken between words.
pub(super) fn wrapped(text: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), 7.0) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
