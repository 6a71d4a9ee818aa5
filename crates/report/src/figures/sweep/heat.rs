//! Two keys, all of whose combinations are points: a cell for each.

use super::super::axis::extent;
use super::super::canvas::{Canvas, Drawing, Style, TEXT_WIDTH};
use super::super::colour::{pale, viridis};
use super::super::fixed;
use super::super::forms::{Cell, Key, Matrix, Room, Sign};
use super::super::names::fitted;
use super::{alt, interval_name, left_out};
use crate::SweepResults;
use crate::results::Noise;

const KEY: f64 = 132.0;
/// Height of the names of the keys above the cells.
const TOP: f64 = 14.0;
/// Values of a key that there is room for.
const MOST: usize = 14;

/// `None` of other sweeps, and of too many values.
pub(super) fn over_two_keys(found: &SweepResults) -> Option<Drawing> {
    let values = |key: usize| {
        let mut values: Vec<String> = Vec::new();
        for point in &found.points {
            let value = point.settings.get(key)?.shown();
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Some(values)
    };
    let (rows, columns) = (values(0)?, values(1)?);
    let is_grid = found.points.iter().all(|point| point.settings.len() == 2)
        && found.points.len() == rows.len() * columns.len();
    if !is_grid || rows.len().max(columns.len()) > MOST || rows.len().min(columns.len()) < 2 {
        return None;
    }
    let accuracies = found.points.iter().filter_map(|point| Some(point.score()?.accuracy));
    let (low, high) = extent(accuracies, (0.0, 1.0));
    let share = move |accuracy: f64| if high > low { (accuracy - low) / (high - low) } else { 0.5 };
    // The whole map is too dark for numbers.
    let shade = |share: f64| pale(viridis(share));
    let names = found.keys();
    let mut canvas = Canvas::page();
    let heading = format!("{} (rows) and {} (columns)", names[0], names[1]);
    let heading = fitted(&heading, 8.5, TEXT_WIDTH);
    canvas.text((0.0, 6.0), &heading, Style::new(8).bold().start());
    let room = Room {
        corner: (0.5, TOP),
        beside: KEY + 12.0,
        widest: 62.0,
        height: &|width| if width < 26.0 { width } else { 26.0 },
        ..Room::page()
    };
    let matrix = Matrix::table(&rows, &columns, &room);
    let cells = found.points.iter().enumerate().filter_map(|(place, point)| {
        let at = |key: usize, values: &[String]| {
            values.iter().position(|value| *value == point.settings[key].shown())
        };
        let place_of = (at(0, &rows)?, at(1, &columns)?);
        let Some(score) = point.score() else {
            return Some((place_of, Cell::new([0xf2; 3]).line("–")));
        };
        let cell = Cell::new(shade(share(score.accuracy))).line(fixed(100.0 * score.accuracy, 2));
        let cell = match point.noise() {
            Some(Noise::Seeds(deviation)) => cell.line(format!("± {}", fixed(100.0 * deviation, 2))),
            Some(Noise::Images((low, high))) => {
                cell.line(format!("{}–{}", fixed(100.0 * low, 1), fixed(100.0 * high, 1)))
            }
            None => cell,
        };
        Some((place_of, cell.edged(found.chosen() == Some(place))))
    });
    let lines = matrix.draw(&mut canvas, cells);
    let mut key = Key::column(KEY);
    key.note("validation accuracy in per cent");
    if high > low {
        key.bar(shade, [(0.0, fixed(100.0 * low, 2)), (1.0, fixed(100.0 * high, 2))]);
    }
    if let Some(words) = interval_name(found).filter(|_| lines == 2) {
        key.note(format!("below it: {words}"));
    }
    if found.chosen().is_some() {
        key.add(Sign::Edge, "the chosen point");
    }
    if left_out(found).is_some() {
        key.note("–: no result");
    }
    matrix.key(&mut canvas, &key);
    let how = format!("by {} and {}, as a heat map", names[0], names[1]);
    Some(canvas.described(alt(found, &how)))
}
