//! One key whose values are numbers: accuracy against them.

use super::super::axis::{Axis, extent};
use super::super::canvas::{Canvas, Drawing};
use super::super::colour::{CURVES, INK, pale};
use super::super::forms::{Chart, Key, Sign, Stroke, mark};
use super::super::names::fitted;
use super::{alt, interval_name, left_out};
use crate::SweepResults;
use crate::results::PointResults;

/// A factor between the smallest and the largest value from which an axis is logarithmic.
const WIDE: f64 = 8.0;
const KEY: f64 = 128.0;
/// Points to the right of a mean at which its seeds stand, so that it does not hide them.
const BESIDE: f64 = 8.0;

/// A point with a result.
struct Shown<'a> {
    value: f64,
    mean: f64,
    point: &'a PointResults,
    chosen: bool,
}

/// `None` of several keys, and of values that are no numbers.
pub(super) fn against_values(found: &SweepResults) -> Option<Drawing> {
    let mut shown = Vec::new();
    for (place, point) in found.points.iter().enumerate() {
        let [setting] = point.settings.as_slice() else { return None };
        let value = setting.number()?;
        let chosen = found.chosen() == Some(place);
        shown.extend(point.score().map(|score| Shown { value, mean: score.accuracy, point, chosen }));
    }
    shown.sort_by(|a, b| a.value.total_cmp(&b.value));
    let name = found.keys().swap_remove(0);
    let name = fitted(&name, 8.0, 260.0);
    let x = values_axis(&shown).titled(&name);
    let interval = |found: &Shown| found.point.noise().map(|noise| noise.interval(found.mean));
    let seeds =
        |found: &Shown| found.point.scores().unwrap_or_default().into_iter().map(|score| score.accuracy);
    let ends = shown.iter().flat_map(|found| {
        let (low, high) = interval(found).unwrap_or((found.mean, found.mean));
        seeds(found).chain([low, high]).collect::<Vec<_>>()
    });
    let y = Axis::around(ends, (0.08, 0.002), 5.0).titled("validation accuracy");
    let (colour, ring) = (CURVES[0].0, CURVES[3].0);
    let mut key = Key::column(KEY);
    key.add(Sign::Marked(0, colour), if found.seeds.len() > 1 { "mean over seeds" } else { "each point" });
    if let Some(words) = interval_name(found) {
        key.add(Sign::Interval, words);
    }
    if found.seeds.len() > 1 {
        key.add(Sign::Mark(0, pale(colour)), "each seed, beside it");
    }
    if shown.iter().any(|found| found.chosen) {
        key.add(Sign::Mark(1, ring), "the chosen point");
    }
    if let Some(words) = left_out(found) {
        key.note(words);
    }
    let mut canvas = Canvas::page();
    let mut chart = Chart::beside(&mut canvas, &key, f64::max(150.0, key.extent().1 - 20.0), (&x, &y));
    chart.curve(shown.iter().map(|found| (found.value, found.mean)), Stroke(colour, 1.0, None));
    for found in &shown {
        if found.point.trials.len() > 1 {
            for accuracy in seeds(found) {
                let (x, y) = chart.at((found.value, accuracy));
                mark(chart.canvas, (x + BESIDE, y), 0, 1.8, pale(colour));
            }
        }
    }
    for found in &shown {
        if let Some(interval) = interval(found) {
            let (x, _) = chart.at((found.value, found.mean));
            chart.interval(x, interval, INK);
        }
    }
    for found in &shown {
        let (shape, radius, colour) = if found.chosen { (1, 4.0, ring) } else { (0, 2.6, colour) };
        chart.marks([(found.value, found.mean)], (shape, radius), colour);
    }
    let how = format!("against {name}{}", if x.log { ", on a logarithmic axis" } else { "" });
    Some(canvas.described(alt(found, &how)))
}

/// The axis of the values.
fn values_axis(shown: &[Shown]) -> Axis<'static> {
    let (least, most) = extent(shown.iter().map(|found| found.value), (0.0, 1.0));
    if least > 0.0 && (most / least >= WIDE || most == least) {
        // At least a factor of twenty across, so that there are ticks to read.
        let margin = (most / least).powf(0.08).max((20.0 * least / most).sqrt()).max(1.1);
        return Axis::positive((least / margin, most * margin));
    }
    let margin = if most > least { 0.08 * (most - least) } else { most.abs().max(1.0) * 0.5 };
    Axis::linear((least - margin, most + margin), 5.0, |value| {
        let text = format!("{value:.6}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        if matches!(text, "-0" | "") { "0".into() } else { text.replace('-', "−") }
    })
}
