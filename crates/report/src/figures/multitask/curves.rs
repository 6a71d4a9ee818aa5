//! Learning curves: test accuracy of both heads after each epoch, and their loss within the epochs.

use super::super::canvas::{Axis, Canvas, Frame, Style, TEXT_WIDTH};
use super::super::colour::readable;
use super::super::networks::{even_step, mark, mark_radius, share_format};
use super::super::{percent, thousands};
use super::over_time::{Line, epochs, heading, key, lines, longest, means, panel};
use super::{colour, shape};
use crate::{Figure, Goal, MultitaskResults};

const LEFT: f64 = 44.0;
const GAP: f64 = 42.0;
const TITLE: f64 = 13.0;
const HEIGHTS: (f64, f64) = (96.0, 84.0);
const BETWEEN: f64 = 9.0;
const BELOW: f64 = 30.0;
/// Points of a curve within the epochs.
const POINTS: usize = 50;

/// A column for each goal; `None` where no network ended an epoch and nothing is known within one.
pub(super) fn curves(task: &MultitaskResults) -> Option<Figure> {
    let lines = lines(task);
    let seen = |line: &&Line| {
        Goal::BOTH.into_iter().any(|goal| {
            line.network.trained(goal)
                && !(line.network.tests(goal).is_empty() && line.network.losses(goal).is_empty())
        })
    };
    let shown: Vec<&Line> = lines.iter().filter(seen).collect();
    if shown.is_empty() {
        return None;
    }
    let key = key(&shown);
    let top = key.height() + 4.0 + TITLE;
    let mut canvas = Canvas::new(TEXT_WIDTH, top + HEIGHTS.0 + BETWEEN + HEIGHTS.1 + BELOW);
    key.draw(&mut canvas, (LEFT, 0.0));
    let width = (TEXT_WIDTH - LEFT - GAP - 6.0) / 2.0;
    for goal in Goal::BOTH {
        let x = LEFT + (width + GAP) * goal.index() as f64;
        let above = Frame { x, y: top, width, height: HEIGHTS.0 };
        heading(&mut canvas, above, goal.name(), readable(colour(goal)));
        accuracy(&mut canvas, above, &shown, (goal, longest(task)));
        let below = Frame { y: above.bottom() + BETWEEN, height: HEIGHTS.1, ..above };
        loss(&mut canvas, below, &shown, (goal, longest(task)));
    }
    Some(Figure::new("multitask_curves", canvas.finish(), alt(&shown)))
}

fn accuracy(canvas: &mut Canvas, frame: Frame, shown: &[&Line], (goal, most): (Goal, f64)) {
    let trained: Vec<&&Line> = shown.iter().filter(|line| line.network.trained(goal)).collect();
    let accuracies = || {
        let tests = trained.iter().flat_map(|line| line.network.tests(goal));
        tests.map(|(_, found)| found.accuracy())
    };
    let (low, high) = accuracies().fold((1.0_f64, 0.0_f64), |(low, high), a| (low.min(a), high.max(a)));
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let margin = (0.08 * (high - low)).max(0.002);
    let range = ((low - margin).max(0.0), (high + margin).min(1.0));
    let step = even_step(range, 4.0);
    let y = Axis {
        range,
        log: false,
        step: Some(step),
        format: share_format(step),
        title: if goal == Goal::Item { "test accuracy" } else { "" },
        gap: 37.0,
    };
    let panel = panel(canvas, frame, most, &y, false);
    for line in &trained {
        let place = |(epoch, found): (usize, inkling_schema::outcome::Evaluation)| {
            (panel.x(epoch as f64), panel.y(found.accuracy()))
        };
        let places: Vec<(f64, f64)> = line.network.tests(goal).into_iter().map(place).collect();
        canvas.curve(&places, line.colour, 1.1, line.dash);
        if let Some(radius) = mark_radius(frame.width / most) {
            places.iter().for_each(|&place| mark(canvas, place, shape(goal), radius, line.colour));
        }
    }
    if trained.is_empty() {
        canvas.text(frame.centre(), "no trained head", Style::new(7));
    }
}

fn loss(canvas: &mut Canvas, frame: Frame, shown: &[&Line], (goal, most): (Goal, f64)) {
    let curves: Vec<(&&Line, Vec<(f64, f64)>)> = shown
        .iter()
        .map(|line| {
            let losses = line.network.losses(goal).into_iter();
            let points: Vec<(f64, f64)> =
                losses.map(|(step, loss)| (epochs(line.network, step), loss.max(1e-6))).collect();
            (line, means(&points, POINTS))
        })
        .filter(|(_, points)| !points.is_empty())
        .collect();
    let values = || curves.iter().flat_map(|(_, points)| points.iter().map(|point| point.1));
    let (low, high) = values().fold((f64::MAX, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    let (low, high) = if low <= high { (low, high) } else { (0.1, 1.0) };
    // Room for two ticks of a logarithmic axis at least.
    let range = ((low / 1.15).min(high / 3.0), high * 1.15);
    let y = Axis {
        range,
        log: true,
        step: None,
        format: |loss| {
            let decimals = (-loss.log10().floor()).clamp(0.0, 6.0) as usize;
            format!("{loss:.decimals$}")
        },
        title: if goal == Goal::Item { "training loss" } else { "" },
        gap: 37.0,
    };
    let panel = panel(canvas, frame, most, &y, true);
    for (line, points) in curves {
        let places: Vec<(f64, f64)> =
            points.iter().map(|&(epoch, loss)| (panel.x(epoch.min(most)), panel.y(loss))).collect();
        match places[..] {
            // A line of one point would not be seen.
            [place] => mark(canvas, place, shape(goal), 1.6, line.colour),
            _ => canvas.curve(&places, line.colour, 0.9, line.dash),
        }
    }
}

fn alt(shown: &[&Line]) -> String {
    let ends: Vec<String> = shown
        .iter()
        .map(|line| {
            let network = line.network;
            if let Some(at) = network.outcome.diverged {
                return format!("{} diverged at step {}", line.name, thousands(at.step));
            }
            let of = |goal: Goal| {
                let found = network.test(goal).filter(|_| network.trained(goal))?;
                Some(format!("{} {}", goal.name(), percent(found.accuracy(), 2)))
            };
            let both: Vec<String> = Goal::BOTH.into_iter().filter_map(of).collect();
            format!("{}: {}", line.name, both.join(", "))
        })
        .collect();
    format!(
        "Test accuracy after each epoch (above) and cross-entropy within the epochs, on a logarithmic axis (below), of \
         the trained heads for the item (left) and the group (right). At the end: {}.",
        ends.join("; ")
    )
}
