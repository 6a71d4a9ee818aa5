//! Which networks differ by more than the noise: McNemar's test between every two.

use super::canvas::{Canvas, Drawing, TEXT_WIDTH};
use super::colour;
use super::forms::key::{Key, Sign};
use super::forms::matrix::{Cell, Matrix, Room};
use super::networks::Kind;
use super::{list, p_value, percent, points};
use crate::{NetworkPair, NetworksResults, Results};
use inkling_statistics::ALPHA;

/// No cell is wider: two networks do not fill the page.
const WIDEST: f64 = 96.0;
/// The narrowest cell that a number fits; narrower ones have a colour and an edge alone, and are as high as wide.
const NUMBERED: f64 = 26.0;
const KEY: f64 = 150.0;

/// The height of a cell of this width.
fn height(width: f64) -> f64 {
    if width < NUMBERED { width } else { 30.0 }
}

/// Every two networks of a task; `None` where fewer than two did not diverge.
pub(super) fn pairs(kind: Kind, task: &NetworksResults) -> Option<Drawing> {
    let pairs = crate::within(task);
    if pairs.is_empty() {
        return None;
    }
    let (places, names) = finished(task);
    let matrix = Matrix::pairs(&names, &Room { widest: WIDEST, height: &height, ..Room::page() });
    let what = format!("the {} pairs of {}s", pairs.len(), kind.name());
    Some(draw(&matrix, &pairs, (&places, &places)).described(alt(&what, &pairs, (task, task))))
}

/// Every CNN (rows) beside every MLP (columns); `None` where they did not answer the same images.
pub(super) fn between(found: &Results, cnns: &NetworksResults) -> Option<Drawing> {
    let mlps = found.mlps.as_ref()?;
    let pairs = crate::between(cnns, mlps);
    if pairs.is_empty() {
        return None;
    }
    let ((rows, row_names), (columns, column_names)) = (finished(cnns), finished(mlps));
    // Many columns take the whole width, and the key goes below them.
    let beside = if columns.len() as f64 * NUMBERED < TEXT_WIDTH - KEY - 70.0 { KEY + 12.0 } else { 0.0 };
    let room = Room { beside, widest: WIDEST, height: &height, ..Room::page() };
    let matrix = Matrix::table(&row_names, &column_names, &room);
    let what = format!("{} pairs of a CNN and an MLP", pairs.len());
    Some(draw(&matrix, &pairs, (&rows, &columns)).described(alt(&what, &pairs, (cnns, mlps))))
}

/// The networks of a task that did not diverge: their places and names.
fn finished(task: &NetworksResults) -> (Vec<usize>, Vec<String>) {
    task.finished().map(|(i, network, _)| (i, network.name.clone())).unzip()
}

fn draw(matrix: &Matrix, pairs: &[NetworkPair], (rows, columns): (&[usize], &[usize])) -> Canvas {
    let most = pairs.iter().map(|pair| pair.difference().abs()).fold(1e-4, f64::max);
    // Half the map's range: the strongest colours would drown the numbers.
    let shade = |share: f64| colour::diverging(0.6 * share);
    let mut canvas = Canvas::page();
    matrix.labels(&mut canvas);
    let cells = pairs.iter().filter_map(|pair| {
        let row = rows.iter().position(|&i| i == pair.a)?;
        let column = columns.iter().position(|&i| i == pair.b)?;
        let p = format!("p\u{a0}{}", p_value(pair.adjusted));
        let cell = Cell::new(shade(pair.difference() / most)).line(points(pair.difference())).line(p);
        Some(((row, column), cell.edged(pair.differs())))
    });
    let lines = matrix.draw(&mut canvas, cells);
    let mut key = Key::column(KEY);
    key.heading("Row minus column");
    key.note(match lines {
        0 => "test accuracy, by colour; the numbers are in the table of McNemar’s tests",
        1 => "test accuracy in percentage points; p is in the table of McNemar’s tests",
        _ => "test accuracy in percentage points, p of McNemar’s test after Holm",
    });
    key.add(Sign::Edge, format!("p < {ALPHA}: significant"));
    key.add(Sign::Shades([-1.0, 0.0, 1.0].map(shade)), "blue: row worse; red: row better");
    matrix.key(&mut canvas, &key);
    canvas
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
