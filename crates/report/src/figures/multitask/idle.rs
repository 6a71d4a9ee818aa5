//! What stands still in the largest dense layer over training: panels of weights, units, inputs.

use inkling_schema::outcome::IdleLine;

use super::super::canvas::{Axis, Canvas, Frame, TEXT_WIDTH};
use super::super::colour::INK;
use super::super::percent;
use super::super::thin::thin;
use super::over_time::{Line, epochs, heading, key, lines, longest, panel};
use crate::{Figure, MultitaskResults};

const LEFT: f64 = 34.0;
const GAP: f64 = 10.0;
const TITLE: f64 = 13.0;
const HEIGHT: f64 = 96.0;
const BELOW: f64 = 30.0;

/// What is shown, and how to read it.
type Part = (&'static str, fn(&IdleLine) -> f64);

const PARTS: [Part; 3] = [
    ("idle panels", |line| line.idle_panels),
    ("dead units", |line| line.dead_units),
    ("silent inputs", |line| line.silent_inputs),
];

/// A panel for each; `None` where nobody looked.
pub(super) fn over_training(task: &MultitaskResults) -> Option<Figure> {
    let lines = lines(task);
    let shown: Vec<&Line> = lines.iter().filter(|line| !line.network.idle.is_empty()).collect();
    let first = shown.first()?;
    let key = key(&shown);
    let top = key.height() + 4.0 + TITLE;
    let mut canvas = Canvas::new(TEXT_WIDTH, top + HEIGHT + BELOW);
    key.draw(&mut canvas, (LEFT, 0.0));
    let width = (TEXT_WIDTH - LEFT - 4.0 - 2.0 * GAP) / 3.0;
    let most = longest(task);
    for (i, (name, of)) in PARTS.iter().enumerate() {
        let frame = Frame { x: LEFT + (width + GAP) * i as f64, y: top, width, height: HEIGHT };
        heading(&mut canvas, frame, name, INK);
        let y = Axis {
            range: (0.0, 1.0),
            log: false,
            step: Some(0.25),
            format: if i == 0 { |share| percent(share, 0) } else { |_| String::new() },
            title: "",
            gap: 33.0,
        };
        let panel = panel(&mut canvas, frame, most, &y, true);
        for line in &shown {
            let points = line.network.idle.iter().map(|found| {
                let epoch = epochs(line.network, found.step).min(most);
                (panel.x(epoch), panel.y(of(found).clamp(0.0, 1.0)))
            });
            canvas.curve(&thin(points, 0.8), line.colour, 1.1, line.dash);
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
    let layer = first.network.idle.first().map_or("", |line| line.layer.as_str());
    let alt = format!(
        "Shares of idle panels, dead units and silent inputs of the largest dense layer ({layer}) over training. At the \
         end: {}.",
        ends.join("; ")
    );
    Some(Figure::new("multitask_idle", canvas.finish(), alt))
}
