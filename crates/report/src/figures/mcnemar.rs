//! Which networks differ by more than the noise: a test between every two.

use inkling_schema::Task;

use super::canvas::{Canvas, Drawing, TEXT_WIDTH};
use super::colour::under_numbers;
use super::forms::{Cell, Key, Matrix, Room, Sign};
use super::networks::Kind;
use super::registry::{Draw, Spec};
use super::{list, p_value, percent, points};
use crate::rows::{NetworksRows, Rows};
use crate::{NetworkPair, NetworksResults, Results, Verdict};
use inkling_statistics::ALPHA;

pub(super) const FIGURES: &[Spec] = &[
    Spec::new(
        "mlp_mcnemar",
        Draw::Found(Task::Mlp, |found, rows| pairs(Kind::Mlp, found, rows.mlp.as_ref())),
    ),
    Spec::new(
        "cnn_mcnemar",
        Draw::Found(Task::Cnn, |found, rows| pairs(Kind::Cnn, found, rows.cnn.as_ref())),
    ),
];

/// CNNs beside MLPs.
pub(super) const COMPARED: &[Spec] = &[Spec::new("networks_mcnemar", Draw::Found(Task::Cnn, between))];

/// No cell is wider: two networks do not fill the page.
const WIDEST: f64 = 96.0;
/// The narrowest cell that a number fits; narrower ones have a colour and an edge alone, and are as high as wide.
const NUMBERED: f64 = 26.0;
const KEY: f64 = 150.0;

/// The height of a cell of this width.
fn height(width: f64) -> f64 {
    if width < NUMBERED { width } else { 30.0 }
}

/// Every two networks of a kind; `None` where fewer than two did not diverge.
fn pairs(kind: Kind, found: &Results, rows: Option<&NetworksRows>) -> Option<Drawing> {
    let (task, pairs) = (kind.of(found)?, &rows?.comparisons.verdicts);
    if pairs.is_empty() {
        return None;
    }
    let (places, names) = finished(task);
    let matrix = Matrix::pairs(&names, &Room { widest: WIDEST, height: &height, ..Room::page() });
    let what = format!("the {} pairs of {}s", pairs.len(), kind.name());
    Some(draw(&matrix, pairs, (&places, &places)).described(alt(&what, pairs, (task, task))))
}

/// Every CNN (rows) beside every MLP (columns); `None` where they did not answer the same images.
fn between(found: &Results, rows: &Rows) -> Option<Drawing> {
    let (cnns, mlps) = (found.cnns.as_ref()?, found.mlps.as_ref()?);
    let pairs = &rows.beside.as_ref()?.comparisons.verdicts;
    if pairs.is_empty() {
        return None;
    }
    let ((rows, row_names), (columns, column_names)) = (finished(cnns), finished(mlps));
    // Many columns take the whole width, and the key goes below them.
    let beside = if columns.len() as f64 * NUMBERED < TEXT_WIDTH - KEY - 70.0 { KEY + 12.0 } else { 0.0 };
    let room = Room { beside, widest: WIDEST, height: &height, ..Room::page() };
    let matrix = Matrix::table(&row_names, &column_names, &room);
    let what = format!("{} pairs of a CNN and an MLP", pairs.len());
    Some(draw(&matrix, pairs, (&rows, &columns)).described(alt(&what, pairs, (cnns, mlps))))
}

/// The networks of a task that did not diverge: their places and names.
fn finished(task: &NetworksResults) -> (Vec<usize>, Vec<String>) {
    task.finished().map(|(i, network, _)| (i, network.name.clone())).unzip()
}

fn draw(matrix: &Matrix, pairs: &[Verdict<NetworkPair>], (rows, columns): (&[usize], &[usize])) -> Canvas {
    let most = pairs.iter().map(|pair| pair.difference.abs()).fold(1e-4, f64::max);
    let mut canvas = Canvas::page();
    let cells = pairs.iter().filter_map(|pair| {
        let row = rows.iter().position(|&i| i == pair.pair.a)?;
        let column = columns.iter().position(|&i| i == pair.pair.b)?;
        let p = format!("p\u{a0}{}", p_value(pair.adjusted));
        let cell = Cell::new(under_numbers(pair.difference / most)).line(points(pair.difference)).line(p);
        Some(((row, column), cell.edged(pair.differs())))
    });
    let lines = matrix.draw(&mut canvas, cells);
    let mut key = Key::column(KEY);
    key.heading("Row minus column");
    let (table, test) = if over_seeds(pairs) {
        ("the table of tests over seeds", "p over seeds and test images")
    } else {
        ("the table of McNemar’s tests", "p of McNemar’s test")
    };
    key.note(match lines {
        0 => format!("test accuracy, by colour; the numbers are in {table}"),
        1 => format!("test accuracy in percentage points; p is in {table}"),
        _ => format!("test accuracy in percentage points, {test} after Holm"),
    });
    key.add(Sign::Edge, format!("p < {ALPHA}: significant"));
    key.add(Sign::Shades([-1.0, 0.0, 1.0].map(under_numbers)), "blue: row worse; red: row better");
    matrix.key(&mut canvas, &key);
    canvas
}

/// Whether the tests are of several seeds.
fn over_seeds(pairs: &[Verdict<NetworkPair>]) -> bool {
    pairs.iter().any(|pair| pair.over_seeds.is_some())
}

fn alt(
    what: &str,
    pairs: &[Verdict<NetworkPair>],
    (first, second): (&NetworksResults, &NetworksResults),
) -> String {
    let differing: Vec<String> = pairs
        .iter()
        .filter(|pair| pair.differs())
        .map(|pair| {
            let (a, b) = (&first.networks[pair.pair.a].name, &second.networks[pair.pair.b].name);
            let (better, worse) = if pair.difference > 0.0 { (a, b) } else { (b, a) };
            format!("{better} over {worse} by {}", percent(pair.difference.abs(), 2))
        })
        .collect();
    let found = if differing.is_empty() {
        "no difference was found".to_owned()
    } else {
        format!("{} significant: {}", differing.len(), list(&differing))
    };
    let test = if over_seeds(pairs) { "a test over seeds and test images" } else { "McNemar’s exact test" };
    format!(
        "Heat map of the difference in test accuracy for {what}, with p of {test} corrected by Holm’s method; {found}."
    )
}
