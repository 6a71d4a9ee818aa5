//! The trade-off plane: accuracy for the item against accuracy for the group.

use inkling_schema::outcome::Evaluation;

use super::super::axis::Axis;
use super::super::canvas::{Canvas, Drawing, text_width};
use super::super::colour::{GREY, INK, Rgb, pale};
use super::super::forms::chart::{Chart, Stroke, extent, with_margin};
use super::super::forms::key::{Key, Sign};
use super::super::forms::labels::Labels;
use super::super::forms::mark::hollow;
use super::super::networks::fitted;
use super::super::percent;
use super::super::registry::{Draw, Spec};
use super::{SUMMED, colour, diverged_words, lambda_colour, lambda_name};
use crate::{Goal, MultitaskResults, Spread, WeightingResults};
use inkling_statistics::wilson_interval;

pub(super) const FIGURES: &[Spec] = &[Spec::new("multitask_tradeoff", Draw::Multitask(plane))];

const HEIGHT: f64 = 178.0;
/// Points that can all have their λ; of more, some have theirs, and the colours tell the others.
const NAMED: usize = 12;
/// Width of the key.
const KEY: f64 = 135.0;
/// Shapes of other weightings.
const OTHERS: [usize; 6] = [2, 3, 5, 7, 6, 9];

/// A network with accuracies for both goals.
struct Point {
    lambda: f64,
    found: [Evaluation; 2],
}

impl Point {
    fn place(&self) -> (f64, f64) {
        (self.found[0].accuracy(), self.found[1].accuracy())
    }
}

/// Several seeds of a weighting.
struct Other<'a> {
    found: WeightingResults<'a>,
    spread: [Spread; 2],
    shape: usize,
}

/// Every network of two trained heads; `None` without one.
fn plane(task: &MultitaskResults) -> Option<Drawing> {
    let point = |(lambda, network): (f64, &crate::Network)| {
        Some(Point { lambda, found: [network.test(Goal::Item)?, network.test(Goal::Group)?] })
    };
    let points: Vec<Point> = task.joint().filter_map(point).collect();
    let others: Vec<Other> = task
        .weightings()
        .into_iter()
        .zip(OTHERS.into_iter().cycle())
        .filter_map(|(found, shape)| {
            let spread = [found.accuracy[0]?, found.accuracy[1]?];
            Some(Other { found, spread, shape })
        })
        .collect();
    if points.is_empty() && others.is_empty() {
        return None;
    }
    let single = Goal::BOTH.map(|goal| task.single(goal).and_then(|network| network.test(goal)));
    let summed = task.single(Goal::Item).and_then(|network| task.free(network));
    let [x, y] = Goal::BOTH.map(|goal| {
        let range = range(goal, &points, &others, (single[goal.index()], summed));
        let titles = ["test accuracy, item", "test accuracy, group"];
        Axis::shares(range, 5.0).titled(titles[goal.index()])
    });
    let key = key(task, &others, (single, summed));
    let mut canvas = Canvas::page();
    let mut chart = Chart::beside(&mut canvas, &key, HEIGHT.max(key.extent().1 - 25.0), (&x, &y));
    let mut labels = Labels::new(chart.frame);
    lines(&mut chart, single);
    draw_others(&mut chart, &others, &mut labels);
    draw_points(&mut chart, &points, &mut labels);
    if let (Some(item), Some(summed)) = (single[0], summed) {
        let point = (item.accuracy(), summed.accuracy());
        chart.marks([point], (SUMMED, 4.0), colour(Goal::Item));
        labels.keep_clear(chart.at(point), 5.0);
    }
    edges(&mut chart, task, &mut labels);
    for point in points.iter().step_by(points.len().div_ceil(NAMED).max(1)) {
        let at = chart.at(point.place());
        labels.beside(chart.canvas, at, &fitted(&lambda_name(task, point.lambda), 7.0, 60.0));
    }
    labels.write(&mut canvas);
    Some(canvas.described(alt(&points, &others, single, task)))
}

type Singles = ([Option<Evaluation>; 2], Option<Evaluation>);

fn key(task: &MultitaskResults, others: &[Other], (single, summed): Singles) -> Key {
    let mut key = Key::column(KEY);
    if !task.lambdas.is_empty() {
        key.add(Sign::Mark(0, lambda_colour(0.5)), "two-headed, by λ");
    }
    let untrained = Goal::BOTH.into_iter().any(|goal| one_sided(task, goal).next().is_some());
    if untrained {
        key.add(Sign::Hollow(0, GREY), "one head untrained");
    }
    for goal in Goal::BOTH {
        if single[goal.index()].is_some() {
            key.add(Sign::Band(colour(goal)), format!("{} network", goal.name()));
        }
    }
    if summed.is_some() && single[0].is_some() {
        key.add(Sign::Mark(SUMMED, colour(Goal::Item)), "item network, summed");
    }
    for other in others {
        let name = match other.spread[0].count {
            1 => other.found.name.clone(),
            n => format!("{}, {n} seeds ± sd", other.found.name),
        };
        key.add(Sign::Mark(other.shape, INK), name);
    }
    key.note("bars: 95 % Wilson intervals");
    key
}

/// Networks of the sweep whose only trained head is this goal's: λ and its accuracy.
fn one_sided(task: &MultitaskResults, goal: Goal) -> impl Iterator<Item = (f64, Evaluation)> {
    let other = Goal::BOTH[1 - goal.index()];
    let sided =
        task.lambdas.iter().filter(move |(_, network)| network.trained(goal) && !network.trained(other));
    sided.filter_map(move |(lambda, network)| Some((*lambda, network.test(goal)?)))
}

fn range(
    goal: Goal,
    points: &[Point],
    others: &[Other],
    (single, summed): (Option<Evaluation>, Option<Evaluation>),
) -> (f64, f64) {
    let wide = |found: &Evaluation| wilson_interval(found.correct, found.images);
    let of_points = points.iter().map(|point| wide(&point.found[goal.index()]));
    let of_seeds = others.iter().flat_map(|other| &other.found.networks).filter_map(|network| {
        let accuracy = network.test(goal)?.accuracy();
        Some((accuracy, accuracy))
    });
    let of_spreads = others.iter().map(|other| {
        let spread = other.spread[goal.index()];
        let deviation = spread.deviation.unwrap_or(0.0);
        (spread.mean - deviation, spread.mean + deviation)
    });
    let summed = summed.filter(|_| goal == Goal::Group).map(|found| (found.accuracy(), found.accuracy()));
    let all = of_points.chain(of_seeds).chain(of_spreads).chain(single.as_ref().map(wide)).chain(summed);
    with_margin(extent(all.flat_map(|(low, high)| [low, high]), (0.0, 1.0)), 0.12, 0.002)
}

/// The single-task networks: each is a line, as it says nothing of the other goal.
fn lines(chart: &mut Chart, single: [Option<Evaluation>; 2]) {
    let found = || Goal::BOTH.into_iter().filter_map(|goal| Some((goal, single[goal.index()]?)));
    for (goal, found) in found() {
        let (interval, faint) = (wilson_interval(found.correct, found.images), pale(pale(colour(goal))));
        match goal {
            Goal::Item => chart.upright_band(interval, faint),
            Goal::Group => chart.level_band(interval, faint),
        }
    }
    for (goal, found) in found() {
        let stroke = Stroke(colour(goal), 1.0, None);
        match goal {
            Goal::Item => chart.down(found.accuracy(), stroke),
            Goal::Group => chart.across(found.accuracy(), stroke),
        }
    }
}

/// A cross of two intervals about a point.
fn cross(chart: &mut Chart, point: (f64, f64), [item, group]: [(f64, f64); 2], colour: Rgb) {
    let (x, y) = chart.at(point);
    chart.level_interval(y, item, colour);
    chart.interval(x, group, colour);
}

/// The seeds of other weightings pale, their means strong.
fn draw_others(chart: &mut Chart, others: &[Other], labels: &mut Labels) {
    for other in others {
        let place = |network: &&crate::Network| {
            Some((network.test(Goal::Item)?.accuracy(), network.test(Goal::Group)?.accuracy()))
        };
        chart.marks(other.found.networks.iter().filter_map(place), (other.shape, 1.8), pale(INK));
    }
    for other in others {
        let mean = (other.spread[0].mean, other.spread[1].mean);
        let about = |spread: Spread| spread.deviation.map(|sd| (spread.mean - sd, spread.mean + sd));
        if let [Some(item), Some(group)] = other.spread.map(about) {
            cross(chart, mean, [item, group], INK);
        }
        chart.marks([mean], (other.shape, 3.6), INK);
        labels.keep_clear(chart.at(mean), 4.5);
    }
}

fn draw_points(chart: &mut Chart, points: &[Point], labels: &mut Labels) {
    for point in points {
        let intervals = point.found.map(|found| wilson_interval(found.correct, found.images));
        cross(chart, point.place(), intervals, lambda_colour(point.lambda));
    }
    let path: Vec<(f64, f64)> = points.iter().map(|point| chart.at(point.place())).collect();
    chart.canvas.line(&path, pale(INK), 0.6, None);
    for point in points {
        chart.marks([point.place()], (0, 4.0), lambda_colour(point.lambda));
        labels.keep_clear(chart.at(point.place()), 5.0);
    }
}

/// Networks with one trained head stand at the edge: their other accuracy is no result.
fn edges(chart: &mut Chart, task: &MultitaskResults, labels: &mut Labels) {
    let frame = chart.frame;
    for goal in Goal::BOTH {
        for (lambda, found) in one_sided(task, goal) {
            let (x, y) = chart.at((found.accuracy(), found.accuracy()));
            let name = lambda_name(task, lambda);
            let half = text_width(&name, 7.0) / 2.0;
            let (at, beside) = match goal {
                Goal::Item => {
                    let x = x.clamp(frame.x + 4.0, frame.right() - 4.0);
                    let middle = (x + 6.0).min(frame.right() - 2.0 * half - 4.0) + half;
                    ((x, frame.bottom()), (middle, frame.bottom() - 7.0))
                }
                Goal::Group => {
                    let y = y.clamp(frame.y + 4.0, frame.bottom() - 4.0);
                    ((frame.x, y), (frame.x + 7.0 + half, y))
                }
            };
            hollow(chart.canvas, at, 0, 4.0, lambda_colour(lambda));
            labels.here(beside, &name);
            labels.keep_clear(at, 5.0);
        }
    }
}

fn alt(
    points: &[Point],
    others: &[Other],
    single: [Option<Evaluation>; 2],
    task: &MultitaskResults,
) -> String {
    let pair =
        |name: &str, item: f64, group: f64| format!("{name}: {} and {}", percent(item, 2), percent(group, 2));
    let of_points =
        points.iter().map(|point| pair(&lambda_name(task, point.lambda), point.place().0, point.place().1));
    let of_others =
        others.iter().map(|other| pair(&other.found.name, other.spread[0].mean, other.spread[1].mean));
    let described: Vec<String> = of_points.chain(of_others).collect();
    let alone: Vec<String> = Goal::BOTH
        .into_iter()
        .filter_map(|goal| {
            let found = single[goal.index()]?;
            Some(format!("the {} network reaches {}", goal.name(), percent(found.accuracy(), 2)))
        })
        .collect();
    let alone = if alone.is_empty() { String::new() } else { format!(" Alone, {}.", alone.join(", ")) };
    format!(
        "Test accuracy for the group against that for the item, a point for each network whose two heads were trained, with \
         95 % Wilson intervals. {}.{alone}{}",
        described.join("; "),
        diverged_words(task),
    )
}
