//! What each seed of a study reached: a row for each network.

use super::axis::Axis;
use super::canvas::{Canvas, Drawing, Frame, Style, TEXT_WIDTH};
use super::colour::{GREY, INK, pale};
use super::forms::{Chart, Key, Sign, mark};
use super::names::all_fitted;
use super::networks::Kind;
use super::percent;
use super::registry::{Draw, Spec};
use crate::{Network, NetworksResults, SeedSpread};

pub(super) const FIGURES: &[Spec] = &[Spec::new("seeds", Draw::Networks(Kind::ALL, accuracies))];

/// Room for names at the left of the rows.
const NAMES: f64 = 128.0;
const ROW: f64 = 17.0;
/// Rows of one figure: with its caption, they are as high as a page allows.
const ROWS: usize = 30;

/// A network, what it reached from each seed, and its name as there is room for it.
struct Row<'a> {
    network: &'a Network,
    spread: SeedSpread,
    name: String,
}

/// Test accuracies of every network from each seed, with their means; nothing of one seed.
fn accuracies(kind: Kind, task: &NetworksResults) -> Vec<Drawing> {
    if !task.has_replicates() {
        return Vec::new();
    }
    let names: Vec<String> = task.networks.iter().map(|network| network.name.clone()).collect();
    let names = all_fitted(&names, 8.0, NAMES - 10.0);
    let rows = task.networks.iter().zip(names);
    let rows: Vec<Row> =
        rows.map(|(network, name)| Row { network, spread: network.spread(0), name }).collect();
    let spreads = rows.iter().map(|row| &row.spread);
    let ends = spreads.flat_map(|spread| spread.known().chain(interval(spread).into_iter().flatten()));
    let x = Axis::around(ends, (0.06, 0.0005), 6.0).titled("test accuracy");
    rows.chunks(ROWS).map(|rows| part(kind, task, rows, &x)).collect()
}

/// The mean less and plus a standard deviation.
pub(super) fn interval(spread: &SeedSpread) -> Option<[f64; 2]> {
    let (mean, deviation) = spread.mean_and_deviation?;
    let deviation = deviation?;
    Some([mean - deviation, (mean + deviation).min(1.0)])
}

fn part(kind: Kind, task: &NetworksResults, rows: &[Row], x: &Axis) -> Drawing {
    let mut canvas = Canvas::page();
    let mut key = Key::row(TEXT_WIDTH - NAMES);
    key.add(Sign::Mark(0, pale(kind.colour())), "one seed");
    key.add(Sign::Interval, "mean ± one standard deviation over the seeds");
    let top = key.draw(&mut canvas, (NAMES, 0.0)) + 2.0;
    let height = ROW * rows.len() as f64 + 4.0;
    let frame = Frame { x: NAMES, y: top, width: TEXT_WIDTH - NAMES - 16.0, height };
    let y = Axis::linear((0.0, 1.0), 1.0, |_| String::new());
    let mut chart = Chart::new(&mut canvas, frame, x, &y);
    for (row, Row { spread, name, .. }) in rows.iter().enumerate() {
        let middle = top + 2.0 + ROW * (row as f64 + 0.5);
        chart.canvas.text((NAMES - 6.0, middle), name, Style::new(8).end());
        if spread.known().next().is_none() {
            chart.canvas.text((frame.centre().0, middle), "diverged", Style::new(7).colour(GREY));
            continue;
        }
        for accuracy in spread.known() {
            let (x, _) = chart.at((accuracy, 0.0));
            mark(chart.canvas, (x, middle + 2.6), 0, 2.2, pale(kind.colour()));
        }
        if let Some([low, high]) = interval(spread) {
            chart.level_interval(middle - 2.6, (low, high), kind.colour());
        }
        if let Some(mean) = spread.mean() {
            let (x, _) = chart.at((mean, 0.0));
            mark(chart.canvas, (x, middle - 2.6), kind.shape(), 2.8, kind.colour());
        }
        if row > 0 {
            let y = top + 2.0 + ROW * row as f64;
            chart.canvas.line(&[(frame.x, y), (frame.right(), y)], pale(pale(INK)), 0.4, None);
        }
    }
    canvas.described(alt(kind, task, rows))
}

fn alt(kind: Kind, task: &NetworksResults, rows: &[Row]) -> String {
    let described = rows.iter().map(|Row { network, spread, .. }| {
        let words = match spread.mean_and_deviation {
            None => "diverged".to_owned(),
            Some((mean, None)) => percent(mean, 2),
            Some((mean, Some(deviation))) => format!("{} ± {}", percent(mean, 2), percent(deviation, 2)),
        };
        format!("{} {words}", network.name)
    });
    let described: Vec<String> = described.collect();
    let plural = if rows.len() == 1 { "" } else { "s" };
    format!(
        "Test accuracy of the {}{plural} on {} from each seed, with mean and standard deviation: {}.",
        kind.name(),
        task.data.title,
        described.join("; "),
    )
}
