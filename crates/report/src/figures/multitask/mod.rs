//! The figures of Task 6: networks for the items of a set, for groups of them, and for both.

mod accuracy;
mod architectures;
mod classes;
mod curves;
mod gradients;
mod idle;
mod over_time;
mod seeds;
#[cfg(test)]
mod tests;
mod tradeoff;

use inkling_schema::outcome::Evaluation;

use super::axis::Axis;
use super::colour::{CURVES, Rgb, amber};
use super::registry::Spec;
use crate::{Goal, MultitaskResults};
use inkling_statistics::wilson_interval;

/// The figures, by the files that draw them.
pub(super) const FIGURES: &[&[Spec]] = &[
    architectures::FIGURES,
    accuracy::FIGURES,
    seeds::FIGURES,
    tradeoff::FIGURES,
    curves::FIGURES,
    gradients::FIGURES,
    classes::FIGURES,
    idle::FIGURES,
];

/// A goal has one colour everywhere in Task 6.
fn colour(goal: Goal) -> Rgb {
    match goal {
        Goal::Item => CURVES[1].0,
        Goal::Group => CURVES[2].0,
    }
}

/// The shape of a goal's marks: a disc, a square.
fn shape(goal: Goal) -> usize {
    goal.index()
}

/// The shape of the marks for an item network's probabilities, summed into groups.
const SUMMED: usize = 4;

/// From light to dark as λ grows.
fn lambda_colour(lambda: f64) -> Rgb {
    amber(0.28 + 0.72 * lambda)
}

/// λ with a sign of its own, and as many digits as tell it from the others.
fn lambda_name(task: &MultitaskResults, lambda: f64) -> String {
    format!("λ = {}", task.lambda_name(lambda))
}

/// λ from 0 to 1, with room at both ends.
fn lambda_axis() -> Axis<'static> {
    let number = |lambda: f64| {
        let shown = (-0.01..=1.01).contains(&lambda);
        if shown { ((lambda * 1000.0).round() / 1000.0 + 0.0).to_string() } else { String::new() }
    };
    Axis::linear((-0.08, 1.08), 4.0, number).step(0.25).titled("λ")
}

/// A head's 95 % Wilson interval.
fn interval(found: &Evaluation) -> (f64, f64) {
    wilson_interval(found.correct, found.images)
}
