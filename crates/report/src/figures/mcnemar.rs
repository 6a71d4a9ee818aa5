//! Which networks differ by more than the noise: McNemar's test between every two.

use super::canvas::{Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::colour::{self, INK, text_on};
use super::grid::{
    Triangle, column_labels, label_size, label_step, labels_height, labels_overhang, note, shortened,
};
use super::networks::{Kind, p_value, points};
use super::{list, percent};
use crate::{Figure, NetworkPair, NetworksResults};
use inkling_statistics::ALPHA;

/// Width and height of the legend.
const LEGEND: (f64, f64) = (150.0, 62.0);
/// No cell is wider: two networks do not fill the page.
const WIDEST: f64 = 96.0;
const HEIGHT: f64 = 28.0;
/// The narrowest cell that a number fits; narrower ones have a colour and an edge alone, and are as high as wide.
const NUMBERED: f64 = 26.0;

/// No figure is higher: there must be room for its caption on the page.
const HIGHEST: f64 = 540.0;

/// Every two networks of a task; `None` where fewer than two did not diverge.
pub(super) fn pairs(name: &'static str, kind: Kind, task: &NetworksResults) -> Option<Figure> {
    let pairs = crate::within(task);
    let finished: Vec<(usize, String)> =
        task.finished().map(|(i, network, _)| (i, network.name.clone())).collect();
    if pairs.is_empty() {
        return None;
    }
    let names: Vec<String> = finished.iter().map(|(_, name)| name.clone()).collect();
    let place = |network: usize| finished.iter().position(|(i, _)| *i == network);
    let labels = 56.0;
    let sides = (names.len() - 1) as f64;
    let width = (TEXT_WIDTH - 1.0).min(WIDEST * sides + labels);
    let cell = (width - labels) / sides;
    // Four rows leave room for the legend below the diagonal.
    let aspect = if cell < NUMBERED { 1.0 } else { 1.2 * HEIGHT / cell };
    let grid = Triangle::new(0.5, 0.0, width, aspect, &names);
    let legend = grid.legend(LEGEND.0, LEGEND.1);
    let mut canvas = Canvas::new(TEXT_WIDTH, grid.frame.bottom().max(legend.bottom()) + 1.0);
    grid.labels(&mut canvas);
    let scale = Scale::new(&pairs, cell >= NUMBERED);
    for pair in &pairs {
        if let (Some(a), Some(b)) = (place(pair.a), place(pair.b)) {
            scale.cell(&mut canvas, grid.cell(a, b), pair);
        }
    }
    scale.legend(&mut canvas, (legend.x, legend.y + 5.0));
    let alt = alt(&format!("the {} pairs of {}s", pairs.len(), kind.name()), &pairs, (task, task));
    Some(Figure::new(name, canvas.finish(), alt))
}

/// Every CNN (rows) beside every MLP (columns); `None` where they did not answer the same images.
pub(super) fn between(name: &'static str, cnns: &NetworksResults, mlps: &NetworksResults) -> Option<Figure> {
    let pairs = crate::between(cnns, mlps);
    if pairs.is_empty() {
        return None;
    }
    let names = |task: &NetworksResults| -> (Vec<usize>, Vec<String>) {
        task.finished().map(|(i, network, _)| (i, network.name.clone())).unzip()
    };
    let ((rows, row_names), (columns, column_names)) = (names(cnns), names(mlps));
    let (row_names, column_names) = (shortened(&row_names), shortened(&column_names));
    let left = row_names.iter().map(|name| 1.06 * text_width(name, 8.0)).fold(0.0, f64::max) + 6.0;
    let room = TEXT_WIDTH - left - LEGEND.0 - 14.0;
    let beside = room / columns.len() as f64 >= NUMBERED;
    // Many columns take the whole width, and the legend goes below them.
    let room = if beside { room } else { TEXT_WIDTH - left - 40.0 };
    let width = (room / columns.len() as f64).min(WIDEST);
    let numbered = width >= NUMBERED && HEIGHT * rows.len() as f64 <= HIGHEST;
    let height = if numbered { HEIGHT } else { width.min(HEIGHT).min(HIGHEST / rows.len() as f64) };
    let top = labels_height(&column_names, width);
    let right = left + width * columns.len() as f64 + labels_overhang(&column_names, width);
    let bottom = top + height * rows.len() as f64;
    let legend =
        if beside { (right.min(TEXT_WIDTH - LEGEND.0) + 10.0, top + 6.0) } else { (left, bottom + 14.0) };
    let mut canvas = Canvas::new(TEXT_WIDTH, bottom.max(legend.1 + LEGEND.1 - 2.0) + 1.0);
    let cell = |row: usize, column: usize| Frame {
        x: left + width * column as f64,
        y: top + height * row as f64,
        width,
        height,
    };
    let centres: Vec<f64> = (0..columns.len()).map(|column| cell(0, column).centre().0).collect();
    column_labels(&mut canvas, &column_names, &centres, top, width);
    for (row, name) in row_names.iter().enumerate().step_by(label_step(height)) {
        canvas.text((left - 4.0, cell(row, 0).centre().1), name, Style::new(label_size(height)).bold().end());
    }
    let scale = Scale::new(&pairs, numbered);
    for pair in &pairs {
        let row = rows.iter().position(|&i| i == pair.a);
        let column = columns.iter().position(|&i| i == pair.b);
        if let (Some(row), Some(column)) = (row, column) {
            scale.cell(&mut canvas, cell(row, column), pair);
        }
    }
    scale.legend(&mut canvas, legend);
    let what = format!("{} pairs of a CNN and an MLP", pairs.len());
    let alt = alt(&what, &pairs, (cnns, mlps));
    Some(Figure::new(name, canvas.finish(), alt))
}

/// The colours of differences, white at none.
struct Scale {
    most: f64,
    /// Whether cells have room for numbers.
    numbered: bool,
}

impl Scale {
    fn new(pairs: &[NetworkPair], numbered: bool) -> Scale {
        let most = pairs.iter().map(|pair| pair.difference().abs()).fold(0.0, f64::max);
        Scale { most: most.max(1e-4), numbered }
    }

    /// The difference in accuracy and, below it, p.
    fn cell(&self, canvas: &mut Canvas, cell: Frame, pair: &NetworkPair) {
        // Half the map's range: the strongest colours would drown the numbers.
        let shade = colour::diverging(0.6 * pair.difference() / self.most);
        canvas.fill(cell.inset(0.4), shade);
        if pair.differs() {
            let edge = if self.numbered { 1.4 } else { (0.1 * cell.width).clamp(0.4, 1.0) };
            canvas.outline(cell.inset(0.9 * edge), INK, edge);
        }
        if !self.numbered {
            return;
        }
        let ink = text_on(shade);
        let (x, y) = cell.centre();
        let number = points(pair.difference());
        let p = p_value(pair.adjusted);
        let size = if text_width(&number, 8.0) < cell.width - 3.0 { 8 } else { 6 };
        let style = Style::new(size).colour(ink);
        let style = if pair.differs() { style.bold() } else { style };
        if text_width(&p, 7.0) + 9.0 < cell.width {
            canvas.text((x, y - 5.0), &number, style);
            canvas.text((x, y + 5.5), &format!("p\u{a0}{p}"), Style::new(7).colour(ink));
        } else {
            canvas.text((x, y), &number, style);
        }
    }

    fn legend(&self, canvas: &mut Canvas, (x, y): (f64, f64)) {
        canvas.text((x, y), "Row less column", Style::new(8).bold().start());
        note(
            canvas,
            (x, y + 13.0),
            &if self.numbered {
                ["test accuracy in percentage points,", "p of McNemar’s test after Holm"]
            } else {
                ["test accuracy, by colour; the numbers", "are in the table of McNemar’s tests"]
            },
        );
        canvas.outline(Frame { x: x + 1.0, y: y + 31.5, width: 12.0, height: 9.0 }, INK, 1.4);
        note(canvas, (x + 18.0, y + 36.0), &[format!("p < {ALPHA}: significant").as_str()]);
        let bar = |i: usize| Frame { x: x + 1.0 + 4.0 * i as f64, y: y + 46.0, width: 4.0, height: 6.0 };
        for i in 0..3 {
            canvas.fill(bar(i), colour::diverging(0.6 * (i as f64 - 1.0)));
        }
        canvas.text((x + 18.0, y + 49.0), "blue: row worse; red: row better", Style::new(7).start());
    }
}

fn alt(what: &str, pairs: &[NetworkPair], (first, second): (&NetworksResults, &NetworksResults)) -> String {
    let differing: Vec<String> = pairs
        .iter()
        .filter(|pair| pair.differs())
        .map(|pair| {
            let (a, b) = (&first.networks[pair.a].name, &second.networks[pair.b].name);
            let (better, worse) = if pair.only_a > pair.only_b { (a, b) } else { (b, a) };
            format!("{better} over {worse} by {}", percent(pair.difference().abs(), 2))
        })
        .collect();
    let found = if differing.is_empty() {
        "no difference was found".to_owned()
    } else {
        format!("{} significant: {}", differing.len(), list(&differing))
    };
    format!(
        "Heat map of the difference in test accuracy for {what}, with p of McNemar’s exact test corrected by Holm’s \
         method; {found}."
    )
}
