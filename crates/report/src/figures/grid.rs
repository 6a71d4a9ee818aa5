//! Grids of cells: one for each pair of classes a < b, in a triangle, or one for each ordered pair, in a square.

use super::canvas::{Canvas, Frame, Style, text_width};
use super::colour::{INK, Rgb, text_on};
use super::names::all_fitted;

const LABEL: f64 = 8.0;
/// Labels shrink to this size and no further.
const SMALLEST: f64 = 5.0;
const LABEL_STYLE: Style = Style::new(8).bold();
const LABEL_GAP: f64 = 4.0;

/// The size of labels that stand this far apart: they shrink where they would meet.
pub(super) fn label_size(distance: f64) -> u32 {
    (0.9 * distance).clamp(SMALLEST, LABEL) as u32
}

/// Of labels this far apart, each how manieth is written: no label is too small to read, and none meets its neighbour.
pub(super) fn label_step(distance: f64) -> usize {
    (1.1 * SMALLEST / distance).ceil().max(1.0) as usize
}

/// A grid with a row for each of the classes but the last and a column for each but the first, of which the upper
/// right triangle is used; columns are named above it, rows at its right.
pub(super) struct Triangle {
    /// The grid without its labels.
    pub(super) frame: Frame,
    names: Vec<String>,
}

impl Triangle {
    /// The grid that fills a width, labels included, with cells `aspect` times as high as wide.
    pub(super) fn new(x: f64, y: f64, width: f64, aspect: f64, names: &[String]) -> Triangle {
        let names = shortened(names);
        let sides = names.len() - 1;
        let cells = width - widest(&names) - LABEL_GAP - 1.0;
        let cell = cells / sides as f64;
        let top = y + labels_height(&names, cell);
        Triangle { frame: Frame { x, y: top, width: cells, height: cell * aspect * sides as f64 }, names }
    }

    /// The cell of a pair a < b.
    pub(super) fn cell(&self, a: usize, b: usize) -> Frame {
        let sides = (self.names.len() - 1) as f64;
        let (width, height) = (self.frame.width / sides, self.frame.height / sides);
        Frame { x: self.frame.x + (b - 1) as f64 * width, y: self.frame.y + a as f64 * height, width, height }
    }

    /// A place for a legend of this size: below the diagonal at the lower left where there is room, else below the
    /// grid.
    pub(super) fn legend(&self, width: f64, height: f64) -> Frame {
        let sides = (self.names.len() - 1) as f64;
        let first_row = ((self.frame.height - height) / (self.frame.height / sides)).floor();
        let room = first_row * self.frame.width / sides;
        let y = self.frame.bottom() + if room >= width { -height } else { 12.0 };
        Frame { x: self.frame.x, y, width, height }
    }

    /// Names the rows and columns.
    pub(super) fn labels(&self, canvas: &mut Canvas) {
        let last = self.names.len() - 1;
        let columns: Vec<f64> = (1..=last).map(|b| self.cell(0, b).centre().0).collect();
        column_labels(canvas, &self.names[1..], &columns, self.frame.y, self.cell(0, 1).width);
        let height = self.cell(0, last).height;
        let style = Style::new(label_size(height)).bold().start();
        for (a, name) in self.names[..last].iter().enumerate().step_by(label_step(height)) {
            canvas.text((self.frame.right() + LABEL_GAP, self.cell(a, last).centre().1), name, style);
        }
    }
}

/// A grid with a row and a column for each class; columns are named above it, rows at its left.
pub(super) struct Square {
    /// The grid without its labels.
    pub(super) frame: Frame,
    names: Vec<String>,
}

impl Square {
    /// The grid at the top left with cells of this size.
    pub(super) fn new(cell: (f64, f64), names: &[String]) -> Square {
        let names = shortened(names);
        let sides = names.len() as f64;
        let (x, y) = (Square::margin(&names), labels_height(&names, cell.0));
        Square { frame: Frame { x, y, width: cell.0 * sides, height: cell.1 * sides }, names }
    }

    /// The width of the labels at the left.
    pub(super) fn margin(names: &[String]) -> f64 {
        widest(&shortened(names)) + LABEL_GAP + 1.0
    }

    /// The cell in a row and a column.
    pub(super) fn cell(&self, row: usize, column: usize) -> Frame {
        let sides = self.names.len() as f64;
        let (width, height) = (self.frame.width / sides, self.frame.height / sides);
        Frame {
            x: self.frame.x + column as f64 * width,
            y: self.frame.y + row as f64 * height,
            width,
            height,
        }
    }

    /// Names the rows and columns.
    pub(super) fn labels(&self, canvas: &mut Canvas) {
        let columns: Vec<f64> = (0..self.names.len()).map(|b| self.cell(0, b).centre().0).collect();
        column_labels(canvas, &self.names, &columns, self.frame.y, self.cell(0, 0).width);
        let height = self.cell(0, 0).height;
        let style = Style::new(label_size(height)).bold().end();
        for (a, name) in self.names.iter().enumerate().step_by(label_step(height)) {
            canvas.text((self.frame.x - LABEL_GAP, self.cell(a, 0).centre().1), name, style);
        }
    }
}

/// Fills a cell and writes a number on it.
pub(super) fn number_cell(canvas: &mut Canvas, cell: Frame, colour: Rgb, number: &str) {
    // The gap between cells is white: no outline is needed, and neighbours of one colour stay apart.
    canvas.fill(cell.inset(0.4), colour);
    if let Some(size) = number_size(number, cell, &[8, 7, 6, 5]) {
        canvas.text(cell.centre(), number, Style::new(size).colour(text_on(colour)));
    }
}

/// The first of these sizes in which a number fits a cell; none where its colour must do.
pub(super) fn number_size(number: &str, cell: Frame, sizes: &[u32]) -> Option<u32> {
    let fits = |&&size: &&u32| {
        let size = f64::from(size);
        text_width(number, size) < cell.width - 1.6 && 0.8 * size < cell.height
    };
    sizes.iter().find(fits).copied()
}

/// Names short enough to be labels, and still apart.
pub(super) fn shortened(names: &[String]) -> Vec<String> {
    const WIDEST: f64 = 48.0;
    all_fitted(names, 1.06 * LABEL, WIDEST)
}

/// The width of the widest name as a label.
fn widest(names: &[String]) -> f64 {
    names.iter().map(|name| bold_width(name)).fold(0.0, f64::max)
}

/// The height that the labels of columns of this width take, their gap included.
pub(super) fn labels_height(names: &[String], column: f64) -> f64 {
    if upright(names, column) {
        LABEL + LABEL_GAP
    } else {
        (widest(names) + LABEL) * std::f64::consts::FRAC_1_SQRT_2 + LABEL_GAP
    }
}

/// How far the label of the last column reaches beyond a column of this width.
pub(super) fn labels_overhang(names: &[String], column: f64) -> f64 {
    if upright(names, column) {
        0.0
    } else {
        ((widest(names) + LABEL) * std::f64::consts::FRAC_1_SQRT_2 - column / 2.0).max(0.0)
    }
}

/// Names columns of this width above `y`: upright where the names fit, else slanted.
pub(super) fn column_labels(canvas: &mut Canvas, names: &[String], centres: &[f64], y: f64, column: f64) {
    let upright = upright(names, column);
    let slanted = Style::new(label_size(column)).bold().start().turned(-45.0);
    for (name, &x) in names.iter().zip(centres).step_by(label_step(column)) {
        if upright {
            canvas.text((x, y - LABEL_GAP - LABEL * 0.36), name, LABEL_STYLE);
        } else {
            canvas.text((x - 1.0, y - LABEL_GAP - 1.0), name, slanted);
        }
    }
}

/// A check mark in the middle of a cell; Arial has none.
pub(super) fn check_mark(canvas: &mut Canvas, (x, y): (f64, f64), colour: Rgb) {
    canvas.line(&[(x - 3.2, y + 0.2), (x - 0.9, y + 2.6), (x + 3.2, y - 2.6)], colour, 1.3, None);
}

/// Lines of text from a point downwards.
pub(super) fn note(canvas: &mut Canvas, (x, y): (f64, f64), lines: &[&str]) {
    for (row, line) in lines.iter().enumerate() {
        canvas.text((x, y + 10.0 * row as f64), line, Style::new(7).start().colour(INK));
    }
}

fn upright(names: &[String], column: f64) -> bool {
    widest(names) <= column - 1.0
}

fn bold_width(name: &str) -> f64 {
    1.06 * text_width(name, LABEL)
}
