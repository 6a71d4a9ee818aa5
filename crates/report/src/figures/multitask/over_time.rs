//! Curves over training, one for each network: the panel, the lines, and their key.

use super::super::canvas::{Axis, Canvas, Frame, Panel, Style, TEXT_WIDTH};
use super::super::colour::{GREY, Rgb};
use super::super::networks::even_step;
use super::key::{Key, Sign};
use super::{colour, lambda_colour, lambda_name};
use crate::{Goal, HeadedNetwork, MultitaskResults};

/// Dashes of single-task networks.
pub(super) const DASH: &str = "4 2";

/// A network with the line that it has in every figure over training.
pub(super) struct Line<'a> {
    pub(super) network: &'a HeadedNetwork,
    pub(super) colour: Rgb,
    pub(super) dash: Option<&'static str>,
    /// What its key says.
    pub(super) name: String,
}

/// The two-headed networks of the sweep, then the single-task ones.
pub(super) fn lines(task: &MultitaskResults) -> Vec<Line<'_>> {
    let lambdas = task.lambdas.iter().map(|(lambda, network)| Line {
        network,
        colour: lambda_colour(*lambda),
        dash: None,
        name: lambda_name(task, *lambda),
    });
    let single = Goal::BOTH.into_iter().filter_map(|goal| {
        let name = format!("{} network", goal.name());
        Some(Line { network: task.single(goal)?, colour: colour(goal), dash: Some(DASH), name })
    });
    lambdas.chain(single).collect()
}

/// The key of these lines.
pub(super) fn key(lines: &[&Line]) -> Key {
    let mut key = Key::new(TEXT_WIDTH - 44.0);
    for line in lines {
        key.add(Sign::Line(line.colour, line.dash), line.name.clone());
    }
    key
}

/// Epochs that the longest training takes.
pub(super) fn longest(task: &MultitaskResults) -> f64 {
    task.networks().map(|network| network.spec.training.epochs).max().unwrap_or(1).max(1) as f64
}

/// How many epochs so many steps are.
pub(super) fn epochs(network: &HeadedNetwork, step: usize) -> f64 {
    step as f64 / network.steps_per_epoch() as f64
}

/// Draws axes over epochs and gives back the panel.
pub(super) fn panel(canvas: &mut Canvas, frame: Frame, most: f64, y: &Axis, named: bool) -> Panel {
    let x = Axis {
        range: (0.0, most + (0.02 * most).max(0.05)),
        log: false,
        step: Some(if most <= 2.0 { 0.5 } else { even_step((0.0, most), 5.0).max(1.0) }),
        format: if named {
            |epoch| {
                let decimals = if (epoch - epoch.round()).abs() < 1e-6 { 0 } else { 1 };
                format!("{epoch:.decimals$}")
            }
        } else {
            |_| String::new()
        },
        title: if named { "epoch" } else { "" },
        gap: 20.0,
    };
    let panel = canvas.panel(frame, &x, y);
    canvas.axes(&panel);
    canvas.outline(frame, GREY, 0.4);
    panel
}

/// Words over a panel.
pub(super) fn heading(canvas: &mut Canvas, frame: Frame, text: &str, colour: Rgb) {
    canvas.text((frame.centre().0, frame.y - 7.0), text, Style::new(8).bold().colour(colour));
}

/// Means of neighbouring points, so many at most: single batches say little.
pub(super) fn means(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let size = points.len().div_ceil(most.max(1)).max(1);
    let mean = |part: &[(f64, f64)]| {
        let n = part.len() as f64;
        (part.iter().map(|point| point.0).sum::<f64>() / n, part.iter().map(|point| point.1).sum::<f64>() / n)
    };
    points.chunks(size).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_neighbours() {
        let points = [(1.0, 1.0), (2.0, 3.0), (3.0, 5.0)];
        assert_eq!(means(&points, 2), [(1.5, 2.0), (3.0, 5.0)]);
        assert_eq!(means(&points, 9), points);
        assert!(means(&[], 3).is_empty());
    }
}
