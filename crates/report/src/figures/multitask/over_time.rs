//! Curves over training, one for each network: the lines, their key, and the panels.

use super::super::canvas::{Canvas, TEXT_WIDTH};
use super::super::colour::Rgb;
use super::super::forms::{Key, LEFT, Panels, Sign};
use super::{colour, lambda_colour, lambda_name};
use crate::{Goal, MultitaskResults, Network};

/// Dashes of single-task networks.
const DASH: &str = "4 2";

/// A network with the line that it has in every figure over training.
pub(super) struct Line<'a> {
    pub(super) network: &'a Network,
    pub(super) colour: Rgb,
    pub(super) dash: Option<&'static str>,
    /// What its key says.
    pub(super) name: String,
}

/// The two-headed networks of the sweep, then the single-task ones.
fn lines(task: &MultitaskResults) -> Vec<Line<'_>> {
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

/// A figure with a line for each network of which something is known, its key drawn, and where its panels begin; `None` where
/// nothing is. The key ends with a note, if there is one.
pub(super) fn begin(
    task: &MultitaskResults,
    known: impl Fn(&Network) -> bool,
    note: Option<String>,
) -> Option<(Vec<Line<'_>>, Canvas, f64)> {
    let shown: Vec<Line> = lines(task).into_iter().filter(|line| known(line.network)).collect();
    if shown.is_empty() {
        return None;
    }
    let mut key = Key::row(TEXT_WIDTH - LEFT);
    for line in &shown {
        key.add(Sign::Line(line.colour, line.dash), &line.name);
    }
    note.into_iter().for_each(|note| key.note(note));
    let mut canvas = Canvas::page();
    let top = key.draw(&mut canvas, (LEFT, 0.0));
    Some((shown, canvas, top))
}

/// Two panels side by side, each with an axis of its own.
pub(super) fn two(top: f64, heights: &'static [f64]) -> Panels {
    Panels { top, columns: 2, heights, shared: false }
}

/// Epochs that the longest training takes.
pub(super) fn longest(task: &MultitaskResults) -> f64 {
    task.networks().map(|network| network.spec.training.epochs).max().unwrap_or(1).max(1) as f64
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
