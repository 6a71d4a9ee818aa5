//! What stands still in the largest dense layer over training: panels of weights, units, inputs.

use inkling_schema::outcome::IdleLine;

use super::super::axis::Axis;
use super::super::canvas::Drawing;
use super::super::colour::INK;
use super::super::forms::{Panels, Stroke};
use super::super::percent;
use super::super::registry::{Draw, Spec};
use super::over_time::{begin, longest};
use crate::MultitaskResults;

pub(super) const FIGURES: &[Spec] = &[Spec::new("multitask_idle", Draw::Multitask(over_training))];

/// What is shown, and how to read it.
type Part = (&'static str, fn(&IdleLine) -> f64);

const PARTS: [Part; 3] = [
    ("blocks without updates", |line| line.idle_panels),
    ("dead units", |line| line.dead_units),
    ("inputs without updates", |line| line.silent_inputs),
];

/// A panel for each; `None` where nobody looked.
fn over_training(task: &MultitaskResults) -> Option<Drawing> {
    let (shown, mut canvas, top) = begin(task, |network| !network.idle.is_empty(), None)?;
    let panels = Panels { top, columns: PARTS.len(), heights: &[96.0], shared: true };
    let most = longest(task);
    for (i, (name, of)) in PARTS.iter().enumerate() {
        panels.heading(&mut canvas, i, name, INK);
        let y = Axis::shares((0.0, 1.0), 4.0).step(0.25);
        let mut chart = panels.chart(&mut canvas, (i, 0), &Axis::epochs(most, 5.0), &y);
        for line in &shown {
            let points =
                line.network.idle.iter().map(|found| (line.network.epochs_at(found.step), of(found)));
            chart.curve(points, Stroke(line.colour, 1.1, line.dash));
        }
    }
    let ends: Vec<String> = shown
        .iter()
        .filter_map(|line| {
            let last = line.network.idle.last()?;
            let parts: Vec<String> =
                PARTS.iter().map(|(name, of)| format!("{name} {}", percent(of(last), 0))).collect();
            Some(format!("{}: {}", line.name, parts.join(", ")))
        })
        .collect();
    let layer = shown[0].network.idle.first().map_or("", |line| line.layer.as_str());
    Some(canvas.described(format!(
        "Shares of blocks of weights without updates, dead units and inputs without updates of the largest dense layer ({layer}) over training. At the \
         end: {}.",
        ends.join("; ")
    )))
}
