//! Points of any keys and values, the best first, each with its interval.

use super::super::axis::Axis;
use super::super::canvas::{Canvas, Drawing, Frame, Style, TEXT_WIDTH, text_width};
use super::super::colour::{CURVES, INK, pale};
use super::super::forms::{Chart, Key, Sign};
use super::super::names::all_fitted;
use super::{alt, interval_name, left_out};
use crate::SweepResults;

/// Points that there is room for.
const MOST: usize = 36;
/// Height of a point's row.
const PITCH: f64 = 12.0;
/// The widest that names may be.
const WIDEST: f64 = 235.0;
const GAP: f64 = 6.0;
/// Room for the half of the last label of the axis.
const RIGHT: f64 = 16.0;

/// The points with a result, of many the best ones.
pub(super) fn ranked(found: &SweepResults) -> Drawing {
    let ranked = found.ranked();
    let shown = &ranked[..ranked.len().min(MOST)];
    let names: Vec<String> = shown.iter().map(|(place, _)| found.points[*place].title()).collect();
    let names = all_fitted(&names, 7.0, WIDEST);
    let left = names.iter().map(|name| text_width(name, 7.0)).fold(0.0, f64::max) + GAP;
    let interval =
        |place: usize, accuracy: f64| found.points[place].noise().map(|noise| noise.interval(accuracy));
    let seeds = |place: usize| {
        found.points[place].scores().unwrap_or_default().into_iter().map(|score| score.accuracy)
    };
    let ends = shown.iter().flat_map(|&(place, score)| {
        let (low, high) = interval(place, score.accuracy).unwrap_or((score.accuracy, score.accuracy));
        seeds(place).chain([low, high]).collect::<Vec<_>>()
    });
    let x = Axis::around(ends, (0.05, 0.002), 4.0).titled("validation accuracy");
    let rows = shown.len() as f64;
    let y = Axis::linear((0.0, rows), 1.0, |_| String::new()).step(2.0 * rows);
    let (colour, ring) = (CURVES[0].0, CURVES[3].0);
    let mut key = Key::row(TEXT_WIDTH);
    if let Some(words) = interval_name(found) {
        key.add(Sign::Interval, words);
    }
    if found.seeds.len() > 1 {
        key.add(Sign::Mark(0, pale(colour)), "each seed");
    }
    if found.chosen().is_some() {
        key.add(Sign::Mark(1, ring), "the chosen point");
    }
    if ranked.len() > shown.len() {
        key.note(format!("the best {} of {} points", shown.len(), ranked.len()));
    }
    if let Some(words) = left_out(found) {
        key.note(words);
    }
    let mut canvas = Canvas::page();
    let top = key.draw(&mut canvas, (0.0, 0.0)) + 4.0;
    let frame = Frame { x: left, y: top, width: TEXT_WIDTH - left - RIGHT, height: PITCH * rows };
    for (row, name) in names.iter().enumerate() {
        let middle = top + PITCH * (row as f64 + 0.5);
        canvas.text((left - GAP, middle), name, Style::new(7).end());
    }
    let mut chart = Chart::new(&mut canvas, frame, &x, &y);
    for (row, &(place, score)) in shown.iter().enumerate() {
        let height = rows - row as f64 - 0.5;
        if found.seeds.len() > 1 {
            chart.marks(seeds(place).map(|accuracy| (accuracy, height)), (0, 1.6), pale(colour));
        }
        if let Some(interval) = interval(place, score.accuracy) {
            let (_, y) = chart.at((score.accuracy, height));
            chart.level_interval(y, interval, INK);
        }
        let chosen = found.chosen() == Some(place);
        let (shape, radius, colour) = if chosen { (1, 3.6, ring) } else { (0, 2.4, colour) };
        chart.marks([(score.accuracy, height)], (shape, radius), colour);
    }
    canvas.described(alt(found, "for each point, the best first"))
}
