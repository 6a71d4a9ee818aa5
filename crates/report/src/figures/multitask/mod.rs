//! The figures of Task 6: networks for the items of a set, for groups of them, and for both.

mod accuracy;
mod architectures;
mod classes;
mod curves;
mod gradients;
mod idle;
mod key;
mod over_time;
#[cfg(test)]
mod tests;
mod tradeoff;

use super::canvas::Canvas;
use super::colour::{CURVES, Rgb, WHITE, amber};
use super::networks::mark;
use crate::{Figure, Goal, HeadedNetwork, MultitaskResults};

/// Every figure of Task 6 that there is something to draw for.
pub(super) fn draw(task: &MultitaskResults) -> Vec<Figure> {
    let figures = [
        architectures::drawing(task),
        accuracy::against_lambda(task),
        tradeoff::plane(task),
        curves::curves(task),
        gradients::over_training(task),
        classes::heat_map(task),
        idle::over_training(task),
    ];
    figures.into_iter().flatten().collect()
}

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

/// From light to dark as λ grows.
fn lambda_colour(lambda: f64) -> Rgb {
    amber(0.28 + 0.72 * lambda)
}

/// λ with a sign of its own, and as many digits as tell it from the others.
fn lambda_name(task: &MultitaskResults, lambda: f64) -> String {
    format!("λ = {}", task.lambda_name(lambda))
}

/// λ at a tick of an axis, where three decimals are enough.
fn lambda_tick(lambda: f64) -> String {
    ((lambda * 1000.0).round() / 1000.0).to_string()
}

/// A mark with an edge and nothing in it: a head that was not trained.
fn hollow(canvas: &mut Canvas, at: (f64, f64), shape: usize, radius: f64, colour: Rgb) {
    mark(canvas, at, shape, radius, colour);
    mark(canvas, at, shape, radius - 1.1, WHITE);
}

/// An upright interval with its ends.
fn upright(canvas: &mut Canvas, x: f64, (low, high): (f64, f64), colour: Rgb) {
    canvas.line(&[(x, low), (x, high)], colour, 0.9, None);
    for end in [low, high] {
        canvas.line(&[(x - 2.5, end), (x + 2.5, end)], colour, 0.9, None);
    }
}

/// A level interval with its ends.
fn level(canvas: &mut Canvas, y: f64, (low, high): (f64, f64), colour: Rgb) {
    canvas.line(&[(low, y), (high, y)], colour, 0.9, None);
    for end in [low, high] {
        canvas.line(&[(end, y - 2.5), (end, y + 2.5)], colour, 0.9, None);
    }
}

/// What diverged, in a sentence for those who cannot see the figure; nothing where nothing did.
fn diverged_words(task: &MultitaskResults) -> String {
    let diverged = |network: &&HeadedNetwork| network.last().is_none();
    let names: Vec<String> = task.networks().filter(diverged).map(|network| network.name.clone()).collect();
    if names.is_empty() { String::new() } else { format!(" Diverged, not shown: {}.", super::list(&names)) }
}
