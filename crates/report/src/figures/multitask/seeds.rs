//! What training with the other task gains over seeds, against λ.

use super::super::axis::{Axis, extent};
use super::super::canvas::{Canvas, Drawing, TEXT_WIDTH};
use super::super::colour::{GREY, pale, readable};
use super::super::forms::{Chart, Key, LEFT, Sign, Stroke};
use super::super::points;
use super::super::registry::{Draw, Spec};
use super::over_time::two;
use super::{colour, lambda_axis, lambda_name, shape};
use crate::{Goal, MultitaskResults, Network, Spread};

pub(super) const FIGURES: &[Spec] = &[Spec::new("multitask_seeds", Draw::Multitask(gains))];

/// The gains of a head under one λ, by seed: test accuracy less that of the single-task network from the same seed.
struct Gains {
    lambda: f64,
    by_seed: Vec<f64>,
    spread: Spread,
}

/// Of every head that was trained with the other.
fn of(task: &MultitaskResults, goal: Goal) -> Vec<Gains> {
    let Some((single, head)) = task.single(goal).and_then(|single| Some((single, single.head(goal)?))) else {
        return Vec::new();
    };
    let single = single.spread(head);
    let gains = |(lambda, network): &(f64, Network)| {
        let spread =
            network.is_joint().then(|| network.head(goal)).flatten().map(|head| network.spread(head))?;
        let by_seed = spread.accuracies.iter().filter_map(|(seed, accuracy)| {
            let (_, alone) = single.accuracies.iter().find(|(other, _)| other == seed)?;
            Some((*accuracy)? - (*alone)?)
        });
        let by_seed: Vec<f64> = by_seed.collect();
        Some(Gains { lambda: *lambda, spread: Spread::of(&by_seed)?, by_seed })
    };
    task.lambdas.iter().filter_map(gains).collect()
}

/// A panel for each goal; `None` of one seed, or where nothing can be compared.
fn gains(task: &MultitaskResults) -> Option<Drawing> {
    let all = Goal::BOTH.map(|goal| of(task, goal));
    if !task.has_replicates() || all.iter().all(Vec::is_empty) {
        return None;
    }
    let mut canvas = Canvas::page();
    let mut key = Key::row(TEXT_WIDTH - LEFT);
    key.add(Sign::Mark(0, pale(GREY)), "one seed");
    key.add(Sign::Interval, "mean ± one standard deviation over the seeds");
    key.add(Sign::Line(GREY, Some("1.5 1.5")), "the single-task network");
    let top = key.draw(&mut canvas, (LEFT, 0.0));
    let panels = two(top, &[118.0]);
    let x = lambda_axis();
    for (goal, found) in Goal::BOTH.into_iter().zip(&all) {
        panels.heading(&mut canvas, goal.index(), goal.name(), readable(colour(goal)));
        let ends = found.iter().flat_map(|gains| {
            let interval = gains.spread.interval().map(|(low, high)| [low, high]);
            gains.by_seed.iter().copied().chain(interval.into_iter().flatten())
        });
        let (low, high) = extent(ends.chain([0.0]), (-0.01, 0.01));
        let margin = (0.1 * (high - low)).max(0.0005);
        let y = Axis::linear((low - margin, high + margin), 4.0, points).titled("gain in percentage points");
        draw(&mut panels.chart(&mut canvas, (goal.index(), 0), &x, &y), goal, found);
    }
    Some(canvas.described(alt(task, &all)))
}

fn draw(chart: &mut Chart, goal: Goal, found: &[Gains]) {
    chart.across(0.0, Stroke(GREY, 1.0, Some("1.5 1.5")));
    for gains in found {
        let dots = gains.by_seed.iter().map(|&gain| (gains.lambda + 0.025, gain));
        chart.marks(dots, (0, 2.2), pale(colour(goal)));
        let mean = (gains.lambda - 0.012, gains.spread.mean);
        if let Some(interval) = gains.spread.interval() {
            chart.interval(chart.at(mean).0, interval, colour(goal));
        }
        chart.marks([mean], (shape(goal), 3.2), colour(goal));
    }
}

fn alt(task: &MultitaskResults, all: &[Vec<Gains>; 2]) -> String {
    let of = |goal: Goal| {
        let heads = all[goal.index()].iter().map(|Gains { lambda, spread, .. }| {
            let deviation =
                spread.deviation.map_or_else(String::new, |deviation| format!(" ± {}", points(deviation)));
            format!("{} {}{deviation}", lambda_name(task, *lambda), points(spread.mean))
        });
        let heads: Vec<String> = heads.collect();
        format!("{}: {}", goal.name(), if heads.is_empty() { "nothing".to_owned() } else { heads.join(", ") })
    };
    format!(
        "Test accuracy of jointly trained heads less that of the single-task network from the same seed, in percentage points, \
         against λ, with mean and standard deviation over the seeds. {}. {}.",
        of(Goal::Item),
        of(Goal::Group),
    )
}
