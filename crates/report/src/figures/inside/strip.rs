//! Rows of pictures, with what each is above, below and beside it.

use super::super::canvas::{Canvas, TEXT_WIDTH};
use super::super::colour::GREY;
use super::picture::Picture;
use super::sheet::{Band, Heading, Sheet};
use super::text::Face;
use super::tiles::{Grid, Tiling};
use crate::Figure;

/// Cells of a row side by side; those that are left over go on below all rows.
const CELLS: usize = 10;
/// Points between pictures, between those of a cell, and between rows side by side.
const GAP: f64 = 4.0;
const JOINT: f64 = 1.5;
const APART: f64 = 16.0;
/// The widest words at the left, in points.
const LEFT: f64 = 78.0;

/// Pictures in rows and columns.
#[derive(Default)]
pub(super) struct Strip {
    pub(super) rows: Vec<Row>,
    /// What the lines below the pictures say. A line that is empty below every picture is left out.
    pub(super) lines: Vec<&'static str>,
    /// Rows side by side, as many as this at most; at 0 there is one, with its label at its left.
    pub(super) abreast: usize,
    /// No picture is wider, nor much higher, in points.
    pub(super) most: f64,
}

/// A row of pictures.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) cells: Vec<Cell>,
    /// What the alternative text says of it.
    pub(super) told: String,
}

/// Pictures that belong together.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    /// What stands above them; not where the cell above says the same.
    pub(super) head: String,
    pub(super) pictures: Vec<Picture>,
    /// Where they are many, how they lie on a grid. Only the last cell of a row has one.
    pub(super) tiling: Option<Tiling>,
    /// What stands below them.
    pub(super) lines: Vec<String>,
}

impl From<Picture> for Cell {
    fn from(picture: Picture) -> Cell {
        Cell { pictures: vec![picture], ..Cell::default() }
    }
}

impl Strip {
    /// The strip as a figure without a heading.
    pub(super) fn figures(self, name: String, alt: &str) -> Vec<Figure> {
        Sheet { name, alt: alt.to_owned(), heading: Heading::default(), bands: self.bands() }.figures()
    }

    /// The strip as bands of a figure.
    pub(super) fn bands(mut self) -> Vec<Band> {
        self.drop_what_says_nothing();
        let layout = Layout::of(&mut self);
        let mut bands = Vec::new();
        for from in (0..self.longest()).step_by(layout.cells) {
            for rows in self.rows.chunks(layout.abreast) {
                let part = |row: &Row| Row {
                    label: row.label.clone(),
                    cells: row.cells.iter().skip(from).take(layout.cells).cloned().collect(),
                    told: if from == 0 { row.told.clone() } else { String::new() },
                };
                bands.push(layout.clone().band(rows.iter().map(part).collect()));
            }
        }
        bands
    }

    fn longest(&self) -> usize {
        self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0)
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.rows.iter().flat_map(|row| &row.cells)
    }

    fn cells_mut(&mut self) -> impl Iterator<Item = &mut Cell> {
        self.rows.iter_mut().flat_map(|row| &mut row.cells)
    }

    /// Leaves out lines that are empty everywhere, and heads that are those of the row above.
    fn drop_what_says_nothing(&mut self) {
        let count = self.lines.len();
        self.cells_mut().for_each(|cell| cell.lines.resize(count, String::new()));
        for line in (0..count).rev() {
            if self.cells().all(|cell| cell.lines[line].is_empty()) {
                self.lines.remove(line);
                self.cells_mut().for_each(|cell| _ = cell.lines.remove(line));
            }
        }
        for i in (1..self.rows.len()).rev().filter(|_| self.abreast == 0) {
            let (above, rows) = self.rows.split_at_mut(i);
            let cells = rows[0].cells.iter_mut().zip(&above[i - 1].cells);
            cells.filter(|(cell, above)| cell.head == above.head).for_each(|(cell, _)| cell.head.clear());
        }
    }
}

/// Where the pictures of a strip and the texts about them go.
#[derive(Clone)]
struct Layout {
    /// Whether labels stand above their rows.
    above: bool,
    /// Rows side by side, and the cells of each.
    abreast: usize,
    cells: usize,
    /// Where the pictures begin, and how wide a row may be.
    left: f64,
    room: f64,
    /// Distance of cells, room for the pictures of one, and how wide and high one may be.
    pitch: f64,
    pictures: f64,
    most: f64,
    /// The words at the left, and how far below the pictures each line begins.
    lines: Vec<(&'static str, f64)>,
    /// Height of all lines.
    below: f64,
}

impl Layout {
    /// Fits the texts of a strip on the way.
    fn of(strip: &mut Strip) -> Layout {
        let evenly = |count: usize, most: usize| count.div_ceil(count.div_ceil(most).max(1)).max(1);
        let (above, abreast) = (strip.abreast > 0, evenly(strip.rows.len(), strip.abreast.max(1)));
        let cells = evenly(strip.longest(), CELLS);
        let widest = |face: Face, texts: &mut dyn Iterator<Item = &str>| {
            texts.map(|text| face.width(text)).fold(0.0, f64::max)
        };
        let mut left = widest(Face::Plain, &mut strip.lines.iter().copied());
        if !above {
            Face::Bold.fit(strip.rows.iter_mut().map(|row| &mut row.label), LEFT, 4);
            left = widest(Face::Bold, &mut strip.rows.iter().map(|row| row.label.as_str())).max(left);
        }
        let left = if left > 0.0 { left + 6.0 } else { 0.0 };
        let apart = if cells > 1 { APART } else { 0.0 };
        let room = (TEXT_WIDTH - left - apart * (abreast - 1) as f64) / abreast as f64;
        let tiled = strip.cells().any(|cell| cell.tiling.is_some());
        let pitch = if tiled { strip.most + GAP + 2.0 } else { room / cells as f64 };
        let mut layout = Layout {
            above,
            abreast,
            cells,
            left,
            room,
            pitch,
            pictures: pitch - GAP,
            most: strip.most,
            lines: Vec::new(),
            below: 0.0,
        };
        if !tiled {
            // Narrow pictures stay together, with room for what stands above and below them.
            let pictures = strip.cells().map(|cell| layout.size(cell).1).fold(0.0, f64::max);
            let texts = strip.cells().flat_map(|cell| cell.lines.iter().chain([&cell.head]));
            let texts = widest(Face::Plain, &mut texts.map(String::as_str)).max(36.0);
            layout.pitch = pitch.min((pictures + 16.0).max(texts + 8.0));
            layout.room = layout.pitch * cells as f64;
        }
        layout.fit(strip);
        layout
    }

    /// Fits all texts to the room that there is for them.
    fn fit(&mut self, strip: &mut Strip) {
        let untiled = |cell: &&mut Cell| cell.tiling.is_none();
        let heads = strip.cells_mut().filter(untiled).map(|cell| &mut cell.head);
        Face::Plain.fit(heads, self.pitch - 2.0, 3);
        for (line, words) in strip.lines.clone().into_iter().enumerate() {
            Face::Plain.fit(strip.cells_mut().map(|cell| &mut cell.lines[line]), self.pitch - 2.0, 2);
            self.lines.push((words, self.below));
            self.below += strip.cells().map(|cell| Face::Plain.height(&cell.lines[line])).fold(0.0, f64::max);
        }
        if self.above {
            let first = strip.rows.iter().flat_map(|row| row.cells.first());
            let inset = first.map(|cell| self.start(0.0, 0, cell)).fold(0.0, f64::max);
            Face::Bold.fit(strip.rows.iter_mut().map(|row| &mut row.label), self.room - inset, 3);
        }
    }

    /// The grid of a cell that has one.
    fn grid(&self, cell: &Cell) -> Option<Grid> {
        let (tiling, first) = (cell.tiling.as_ref()?, cell.pictures.first()?);
        let across = self.room - self.pitch * (self.cells - 1) as f64;
        Some(Grid::fit(cell.pictures.len(), [first.height, first.width], across, tiling))
    }

    /// Width of one of a cell's pictures, and width and height of all of them.
    fn size(&self, cell: &Cell) -> (f64, f64, f64) {
        let count = cell.pictures.len().max(1) as f64;
        let aspect = cell.pictures.first().map_or(0.0, Picture::aspect);
        let joints = JOINT * (count - 1.0);
        let each = ((self.pictures - joints) / count).min(self.most).min(1.2 * self.most / aspect).max(3.0);
        let single = (each, each * count + joints, each * aspect);
        self.grid(cell).map_or(single, |grid| (each, grid.width(), grid.height()))
    }

    /// A band with these rows side by side.
    fn band(self, rows: Vec<Row>) -> Band {
        let most = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).fold(0.0, f64::max);
        let label = most(&|row| Face::Bold.height(&row.label));
        let head =
            most(&|row| row.cells.iter().map(|cell| Face::Plain.height(&cell.head)).fold(0.0, f64::max));
        let tall = |tiled: bool| {
            let cells = |row: &Row| -> f64 {
                let cells = row.cells.iter().filter(|cell| cell.tiling.is_some() == tiled);
                cells.map(|cell| self.size(cell).2).fold(0.0, f64::max)
            };
            most(&cells)
        };
        let (mut tall, grid) = (tall(false), tall(true));
        let mut top = head;
        if self.above {
            top += label;
        } else if grid == 0.0 {
            tall = tall.max(label);
        }
        top += if top > 0.0 { 3.0 } else { 1.0 };
        let height = top + (tall + self.below).max(grid).max(if self.above { 0.0 } else { label }) + 5.0;
        let told = rows.iter().map(|row| row.told.clone()).filter(|told| !told.is_empty()).collect();
        let draw = move |canvas: &mut Canvas, y: f64| {
            for (place, row) in rows.iter().enumerate() {
                let apart = if self.cells > 1 { APART } else { 0.0 };
                let x = self.left + (self.room + apart) * place as f64;
                let first = row.cells.first().map_or(0.0, |cell| self.start(x, 0, cell));
                let free = if self.above { label } else { tall.max(grid) } - Face::Bold.height(&row.label);
                let at = if self.above { (first, y + free + 4.5) } else { (0.0, y + top + free / 2.0 + 4.5) };
                Face::Bold.write(canvas, at, &row.label, Face::Bold.style().start());
                for (place, cell) in row.cells.iter().enumerate() {
                    self.draw_cell(canvas, (self.start(x, place, cell), y + top), tall, cell);
                }
            }
            for (words, from) in &self.lines {
                let at = (0.0, y + top + tall + 6.5 + from);
                canvas.text(at, words, Face::Plain.style().start().colour(GREY));
            }
        };
        Band { height, told, draw: Box::new(draw) }
    }

    /// Where the pictures of a cell begin, in a row that begins at `x`.
    fn start(&self, x: f64, place: usize, cell: &Cell) -> f64 {
        let left = x + self.pitch * place as f64;
        if cell.tiling.is_some() { left } else { left + (self.pitch - self.size(cell).1) / 2.0 }
    }

    /// Draws a cell whose pictures begin at a point, in a row that is so tall.
    fn draw_cell(&self, canvas: &mut Canvas, (x, y): (f64, f64), tall: f64, cell: &Cell) {
        let (each, width, height) = self.size(cell);
        let centre = x + width / 2.0;
        // The last line of a head lies right above the picture.
        let above = y + 1.5 - Face::Plain.height(&cell.head);
        let (head, style) = if cell.tiling.is_some() {
            (x, Face::Plain.style().start())
        } else {
            (centre, Face::Plain.style())
        };
        Face::Plain.write(canvas, (head, above), &cell.head, style);
        if let (Some(grid), Some(tiling)) = (self.grid(cell), cell.tiling) {
            grid.draw(canvas, (x, y), &cell.pictures, tiling.between);
        } else {
            for (i, picture) in cell.pictures.iter().enumerate() {
                let at = (x + (each + JOINT) * i as f64, y + (tall - height) / 2.0);
                picture.draw(canvas, at, each);
            }
        }
        for (text, (_, from)) in cell.lines.iter().zip(&self.lines) {
            Face::Plain.write(canvas, (centre, y + tall + 6.5 + from), text, Face::Plain.style());
        }
    }
}
