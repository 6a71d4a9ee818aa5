//! Learning curves: test accuracy of both heads after each epoch, of several seeds with a band, and their loss within the epochs.

use super::super::axis::{Axis, extent};
use super::super::canvas::{Drawing, Style};
use super::super::colour::readable;
use super::super::curves::{over_seeds, seeds_note};
use super::super::forms::Stroke;
use super::super::registry::{Draw, Spec};
use super::super::{percent, thousands};
use super::over_time::{Line, begin, longest, means, two};
use super::{colour, shape};
use crate::results::test_of;
use crate::{Goal, MultitaskResults, Network};

pub(super) const FIGURES: &[Spec] = &[Spec::new("multitask_curves", Draw::Multitask(curves))];

/// Points of a curve within the epochs.
const POINTS: usize = 50;
/// Opacity of a band: those of many networks lie on each other, and the lines are to be seen on all of them.
const BAND: f64 = 0.14;

/// A column for each goal; `None` where no network ended an epoch and nothing is known within one.
fn curves(task: &MultitaskResults) -> Option<Drawing> {
    let seen = |network: &Network| {
        Goal::BOTH.into_iter().any(|goal| {
            network.trained(goal) && !(network.tests(goal).is_empty() && network.losses(goal).is_empty())
        })
    };
    let (shown, mut canvas, top) = begin(task, seen, seeds_note(task.networks()))?;
    let (panels, most) = (two(top, &[96.0, 84.0]), longest(task));
    for goal in Goal::BOTH {
        let titled = |title| if goal == Goal::Item { title } else { "" };
        panels.heading(&mut canvas, goal.index(), goal.name(), readable(colour(goal)));
        let accuracies = accuracies(&shown, goal);
        let bands: Vec<_> = shown.iter().map(|line| band(line.network, goal)).collect();
        let of_bands = bands.iter().flatten().flat_map(|&(_, low, high)| [low, high]);
        let of_lines = accuracies.iter().flat_map(|(_, points)| points).map(|point| point.1);
        let y = Axis::around(of_lines.chain(of_bands), (0.08, 0.002), 4.0).titled(titled("test accuracy"));
        let mut chart = panels.chart(&mut canvas, (goal.index(), 0), &Axis::epochs(most, 5.0), &y);
        for (line, band) in shown.iter().zip(&bands) {
            chart.band(band, line.colour, BAND);
        }
        for (line, points) in &accuracies {
            chart.after_epochs(points, Stroke(line.colour, 1.1, line.dash), shape(goal), most);
        }
        if accuracies.is_empty() {
            let middle = chart.frame.centre();
            chart.canvas.text(middle, "no trained head", Style::new(7));
        }
        let losses = losses(&shown, goal);
        let values = losses.iter().flat_map(|(_, points)| points).map(|point| point.1);
        let (low, high) = extent(values, (0.1, 1.0));
        // Room for two ticks of a logarithmic axis at least.
        let y = Axis::positive(((low / 1.15).min(high / 3.0), high * 1.15)).titled(titled("training loss"));
        let mut chart = panels.chart(&mut canvas, (goal.index(), 1), &Axis::epochs(most, 5.0), &y);
        for (line, points) in losses {
            chart.curve(points, Stroke(line.colour, 0.9, line.dash));
        }
    }
    Some(canvas.described(alt(&shown)))
}

/// Lines with their points: epochs and values.
type Curves<'a> = Vec<(&'a Line<'a>, Vec<(f64, f64)>)>;

fn accuracies<'a>(shown: &'a [Line<'a>], goal: Goal) -> Curves<'a> {
    let trained = shown.iter().filter(|line| line.network.trained(goal));
    let points = |line: &'a Line<'a>| {
        let tests = line.network.tests(goal).into_iter();
        (line, tests.map(|(epoch, found)| (epoch as f64, found.accuracy())).collect())
    };
    trained.map(points).collect()
}

/// The test accuracies of a trained head over the seeds; nothing of one seed.
fn band(network: &Network, goal: Goal) -> Vec<(f64, f64, f64)> {
    let Some(head) = network.head(goal).filter(|_| network.trained(goal)) else { return Vec::new() };
    over_seeds(network, |epoch| test_of(epoch, head).map(|found| found.accuracy()))
}

fn losses<'a>(shown: &'a [Line<'a>], goal: Goal) -> Curves<'a> {
    let points = |line: &'a Line<'a>| {
        let losses = line.network.losses(goal).into_iter();
        let points: Vec<(f64, f64)> = losses.map(|(epochs, loss)| (epochs, loss.max(1e-6))).collect();
        (line, means(&points, POINTS))
    };
    shown.iter().map(points).filter(|(_, points)| !points.is_empty()).collect()
}

fn alt(shown: &[Line]) -> String {
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
