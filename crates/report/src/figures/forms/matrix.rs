//! Matrices of cells with named rows and columns: for each pair of classes a < b, in a triangle, or for every row and column.

use super::super::canvas::{Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::super::colour::{INK, Rgb, text_on};
use super::super::names::all_fitted;
use super::key::Key;
use super::mark::check_mark;

const LABEL: f64 = 8.0;
/// Labels and numbers shrink to this size and no further.
const SMALLEST: f64 = 6.0;
const LABEL_GAP: f64 = 4.0;
/// No label is wider.
const WIDEST: f64 = 48.0;
/// No matrix is higher: there must be room for the caption on its page.
const HIGHEST: f64 = 540.0;
/// Cells that are no larger have no room for a check mark.
const CHECK: f64 = 8.5;

/// The size of labels that stand this far apart: they shrink where they would meet.
pub(crate) fn label_size(distance: f64) -> u32 {
    (0.9 * distance).clamp(SMALLEST, LABEL) as u32
}

/// Of labels this far apart, each how manieth is written: no label is too small to read, and none meets its neighbour.
pub(crate) fn label_step(distance: f64) -> usize {
    (1.1 * SMALLEST / distance).ceil().max(1.0) as usize
}

/// Rows and columns of cells; columns are named above them, rows at their side.
pub(crate) struct Matrix {
    /// The cells without their labels.
    pub(crate) frame: Frame,
    rows: Vec<String>,
    columns: Vec<String>,
    /// Whether it is the upper triangle of all pairs, whose rows are named at the right.
    triangle: bool,
}

/// How much room a matrix has.
pub(crate) struct Room<'f> {
    /// Its corner, and its width with its labels and what stands beside it.
    pub(crate) corner: (f64, f64),
    pub(crate) width: f64,
    /// Points at its left that are left free, where its rows have longer names than the matrix writes.
    pub(crate) left: f64,
    /// Points at its right for the key.
    pub(crate) beside: f64,
    /// No cell is wider.
    pub(crate) widest: f64,
    /// The height of a cell of this width.
    pub(crate) height: &'f dyn Fn(f64) -> f64,
}

impl Room<'_> {
    /// The width of the page, for square cells.
    pub(crate) fn page() -> Room<'static> {
        let (corner, width, height) = ((0.5, 0.0), TEXT_WIDTH - 1.0, &|width| width);
        Room { corner, width, left: 0.0, beside: 0.0, widest: f64::MAX, height }
    }
}

/// What is shown in a cell: a colour with lines of text, the first of which is a number, or a check mark.
pub(crate) struct Cell {
    shade: Rgb,
    lines: Vec<String>,
    edged: bool,
    check: Option<Rgb>,
    ink: Option<Rgb>,
}

impl Cell {
    pub(crate) fn new(shade: Rgb) -> Cell {
        Cell { shade, lines: Vec::new(), edged: false, check: None, ink: None }
    }

    /// With a line of text, below those that it has.
    pub(crate) fn line(mut self, text: impl Into<String>) -> Cell {
        self.lines.push(text.into());
        self
    }

    /// With an edge and strong letters, where this is so.
    pub(crate) fn edged(self, edged: bool) -> Cell {
        Cell { edged, ..self }
    }

    pub(crate) fn checked(self, colour: Rgb) -> Cell {
        Cell { check: Some(colour), ..self }
    }

    /// With letters of this colour, where black or white would be too strong.
    pub(crate) fn ink(self, ink: Rgb) -> Cell {
        Cell { ink: Some(ink), ..self }
    }

    /// The part of a cell that a number may take.
    fn room(&self, frame: Frame) -> Frame {
        // Bold type is a little wider, and an edge takes room of its own.
        if self.edged { frame.inset(1.4) } else { frame }
    }

    /// The largest size in which its number fits.
    fn size(&self, frame: Frame) -> Option<u32> {
        number_size(self.lines.first()?, self.room(frame))
    }

    /// Draws the cell, its number in this size where it fits; gives back how many lines of text there was room for.
    fn draw(&self, canvas: &mut Canvas, frame: Frame, size: Option<u32>) -> usize {
        // The gap between cells is white: no outline is needed, and neighbours of one colour stay apart.
        canvas.fill(frame.inset(0.4), self.shade);
        let (room, size) = (self.room(frame), size.filter(|&size| self.size(frame) >= Some(size)));
        if self.edged {
            // In a narrow cell the edge would hide the colour.
            let edge = if size.is_some() { 1.3 } else { (0.1 * frame.width).clamp(0.4, 1.0) };
            canvas.outline(frame.inset(0.9 * edge), INK, edge);
        }
        let (x, y) = frame.centre();
        if let Some(colour) = self.check.filter(|_| frame.width > CHECK && frame.height > CHECK) {
            check_mark(canvas, (x, y), colour);
        }
        let (Some(size), Some(first)) = (size, self.lines.first()) else { return 0 };
        let plain = Style::new(size).colour(self.ink.unwrap_or_else(|| text_on(self.shade)));
        let strong = if self.edged { plain.bold() } else { plain };
        match self.lines.get(1).filter(|second| room.height > 20.0 && text_width(second, 7.0) < room.width) {
            Some(second) => {
                canvas.text((x, y - 5.0), first, strong);
                canvas.text((x, y + 5.5), second, Style::new(7).colour(text_on(self.shade)));
                2
            }
            None => {
                canvas.text((x, y), first, strong);
                1
            }
        }
    }
}

impl Matrix {
    /// A triangle of all pairs of these names, as large as there is room: a row for each name but the last and a column for
    /// each but the first.
    pub(crate) fn pairs(names: &[String], room: &Room) -> Matrix {
        let names = shortened(names);
        let sides = names.len() - 1;
        let (rows, columns) = (names[..sides].to_vec(), names[1..].to_vec());
        let cells = room.width - widest(&names) - LABEL_GAP - 1.0;
        let width = (cells / sides as f64).min(room.widest);
        let height = (room.height)(width).min(HIGHEST / sides as f64);
        let (x, y) = (room.corner.0, room.corner.1 + labels_height(&columns, width));
        let frame = Frame { x, y, width: width * sides as f64, height: height * sides as f64 };
        Matrix { frame, rows, columns, triangle: true }
    }

    /// A cell for each row and column, as large as there is room.
    pub(crate) fn table(rows: &[String], columns: &[String], room: &Room) -> Matrix {
        let (rows, columns) = (shortened(rows), shortened(columns));
        let left = room.left.max(widest(&rows) + LABEL_GAP + 1.0);
        let sides = columns.len() as f64;
        let wide = |beside: f64| ((room.width - left - beside) / sides).min(room.widest);
        // The name of the last column leans over its edge.
        let width = wide(room.beside.max(labels_overhang(&columns, wide(room.beside))));
        let height = (room.height)(width).min(HIGHEST / rows.len() as f64);
        let (x, y) = (room.corner.0 + left, room.corner.1 + labels_height(&columns, width));
        let frame = Frame { x, y, width: width * sides, height: height * rows.len() as f64 };
        Matrix { frame, rows, columns, triangle: false }
    }

    /// The cell in a row and a column; in a triangle that of a pair a < b.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Frame {
        let column = if self.triangle { column - 1 } else { column };
        let width = self.frame.width / self.columns.len() as f64;
        let height = self.frame.height / self.rows.len() as f64;
        let (x, y) = (self.frame.x + column as f64 * width, self.frame.y + row as f64 * height);
        Frame { x, y, width, height }
    }

    /// Whether a cell has room for this number.
    pub(crate) fn holds(&self, number: &str) -> bool {
        number_size(number, self.cell(0, 1)).is_some()
    }

    /// Names the rows and columns, and draws cells, each with its row and column. All numbers have one size, the largest in
    /// which they fit; where most have no room, none is written. Gives back how many lines of text the cells have.
    pub(crate) fn draw(
        &self,
        canvas: &mut Canvas,
        cells: impl IntoIterator<Item = ((usize, usize), Cell)>,
    ) -> usize {
        self.labels(canvas);
        let cells: Vec<(Frame, Cell)> =
            cells.into_iter().map(|((row, column), cell)| (self.cell(row, column), cell)).collect();
        // Numbers that stand back follow the others.
        let numbers = cells.iter().filter(|(_, cell)| cell.ink.is_none() && !cell.lines.is_empty());
        let sizes: Vec<Option<u32>> = numbers.map(|(frame, cell)| cell.size(*frame)).collect();
        let fitting = sizes.iter().flatten().count();
        let size = if sizes.is_empty() { Some(LABEL as u32) } else { sizes.iter().flatten().min().copied() };
        let size = size.filter(|_| 2 * fitting >= sizes.len());
        cells.iter().map(|(frame, cell)| cell.draw(canvas, *frame, size)).max().unwrap_or(0)
    }

    /// Names the columns above them, level where the names fit, else slanted, and the rows at their side.
    pub(crate) fn labels(&self, canvas: &mut Canvas) {
        let first = usize::from(self.triangle);
        let Frame { width, height, .. } = self.cell(0, first);
        let (style, (left, up), step) = if level(&self.columns, width) {
            (Style::new(LABEL as u32), (0.0, LABEL * 0.36), 1)
        } else {
            // Slanted lines are closer together than the columns.
            let distance = width * std::f64::consts::FRAC_1_SQRT_2;
            let slanted = Style::new(label_size(distance)).start().turned(-45.0);
            (slanted, (1.0, 1.0), label_step(distance))
        };
        for (column, name) in self.columns.iter().enumerate().step_by(step) {
            let middle = self.cell(0, column + first).centre().0;
            canvas.text((middle - left, self.frame.y - LABEL_GAP - up), name, style.bold());
        }
        let style = Style::new(label_size(height)).bold();
        let (x, style) = if self.triangle {
            (self.frame.right() + LABEL_GAP, style.start())
        } else {
            (self.frame.x - LABEL_GAP, style.end())
        };
        for (row, name) in self.rows.iter().enumerate().step_by(label_step(height)) {
            canvas.text((x, self.cell(row, first).centre().1), name, style);
        }
    }

    /// Draws a key where there is room for it: of a triangle below the diagonal at the lower left, of others at the right,
    /// else below.
    pub(crate) fn key(&self, canvas: &mut Canvas, key: &Key) {
        self.key_clear_of(canvas, key, (0.0, 0.0));
    }

    /// The same where the cells on the diagonal have axes that reach so far to the left and below them.
    pub(crate) fn key_clear_of(&self, canvas: &mut Canvas, key: &Key, (left, below): (f64, f64)) {
        const GAP: f64 = 12.0;
        let (width, height) = key.extent();
        let rows = ((self.frame.height - height) * self.rows.len() as f64 / self.frame.height).floor();
        let free = rows * self.frame.width / self.columns.len() as f64;
        let at = if self.triangle && free >= width {
            (self.frame.x - left, self.frame.bottom() - height)
        } else if !self.triangle && self.frame.right() + GAP + width <= TEXT_WIDTH {
            (self.frame.right() + GAP, self.frame.y)
        } else {
            (self.frame.x, self.frame.bottom() + below + GAP)
        };
        key.draw(canvas, at);
    }
}

/// The largest of three sizes in which a number fits a cell; none where its colour must do.
fn number_size(number: &str, cell: Frame) -> Option<u32> {
    let fits = |&size: &u32| {
        let size = f64::from(size);
        text_width(number, size) < cell.width - 1.6 && 0.8 * size < cell.height
    };
    [8, 7, SMALLEST as u32].into_iter().find(fits)
}

/// Names short enough to be labels, and still apart.
pub(crate) fn shortened(names: &[String]) -> Vec<String> {
    all_fitted(names, 1.06 * LABEL, WIDEST)
}

/// The width of the widest name as a label.
fn widest(names: &[String]) -> f64 {
    names.iter().map(|name| 1.06 * text_width(name, LABEL)).fold(0.0, f64::max)
}

fn level(names: &[String], column: f64) -> bool {
    widest(names) <= column - 1.0
}

/// The height that the labels of columns of this width take, their gap included.
fn labels_height(names: &[String], column: f64) -> f64 {
    if level(names, column) {
        LABEL + LABEL_GAP
    } else {
        (widest(names) + LABEL) * std::f64::consts::FRAC_1_SQRT_2 + LABEL_GAP
    }
}

/// How far the label of the last column reaches beyond a column of this width.
fn labels_overhang(names: &[String], column: f64) -> f64 {
    if level(names, column) {
        0.0
    } else {
        ((widest(names) + LABEL) * std::f64::consts::FRAC_1_SQRT_2 - column / 2.0).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("class {i}")).collect()
    }

    #[test]
    fn numbers_have_one_size_or_are_left_out() {
        let lines = |classes: usize, number: &str| {
            let mut matrix = Matrix::table(&names(classes), &names(classes), &Room::page());
            // The texts in cells alone are counted.
            matrix.rows.fill(String::new());
            matrix.columns.fill(String::new());
            let mut canvas = Canvas::page();
            let cell = |i: usize| Cell::new([200; 3]).line(if i == 0 { "1" } else { number }).line("p 0.05");
            let lines = matrix.draw(&mut canvas, (0..classes).map(|i| ((i, i), cell(i))));
            (lines, canvas.described(String::new()).svg.matches("<text").count())
        };
        assert_eq!(lines(5, "99.9"), (2, 10), "room for a number and a line below it");
        assert_eq!(lines(20, "99.9"), (1, 20), "room for a number");
        assert_eq!(lines(60, "99.9"), (0, 0), "no room, not even for the one short number");
    }

    #[test]
    fn a_triangle_lies_within_its_room_with_the_names_beside_it() {
        for (count, widest) in [(2, 60.0), (10, f64::MAX), (40, f64::MAX)] {
            let matrix = Matrix::pairs(&names(count), &Room { widest, ..Room::page() });
            let last = matrix.cell(count - 2, count - 1);
            assert!((last.right() - matrix.frame.right()).abs() < 1e-9, "{count}");
            assert!((last.bottom() - matrix.frame.bottom()).abs() < 1e-9, "{count}");
            assert!(matrix.frame.right() < TEXT_WIDTH - 20.0 && last.width <= widest, "{count}");
        }
    }
}
