//! The trade-off plane: accuracy for the item against accuracy for the group.

use inkling_schema::outcome::Evaluation;

use super::super::axis::Axis;
use super::super::canvas::{Canvas, Drawing, text_width};
use super::super::colour::{GREY, INK, Rgb, pale};
use super::super::forms::{Chart, Key, Labels, Sign, Stroke, hollow};
use super::super::names::fitted;
use super::super::networks::{diverged, diverged_words};
use super::super::percent;
use super::super::registry::{Draw, Spec};
use super::{SUMMED, colour, interval, lambda_colour, lambda_name};
use crate::{Goal, MultitaskResults, Network, Spread, WeightingResults};

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

/// What is shown: every network of two trained heads, and beside them what those of one head reach.
struct Shown<'a> {
    task: &'a MultitaskResults,
    points: Vec<Point>,
    others: Vec<Other<'a>>,
    single: [Option<Evaluation>; 2],
    /// The item network's probabilities, summed into groups.
    summed: Option<Evaluation>,
}

/// The plane; `None` without a network of two trained heads.
fn plane(task: &MultitaskResults) -> Option<Drawing> {
    let shown = Shown::new(task);
    if shown.points.is_empty() && shown.others.is_empty() {
        return None;
    }
    let [x, y] = Goal::BOTH.map(|goal| {
        let titles = ["test accuracy, item", "test accuracy, group"];
        shown.axis(goal).titled(titles[goal.index()])
    });
    let key = shown.key();
    let mut canvas = Canvas::page();
    let mut chart = Chart::beside(&mut canvas, &key, HEIGHT.max(key.extent().1 - 25.0), (&x, &y));
    let mut labels = Labels::new(chart.frame);
    shown.draw_lines(&mut chart);
    shown.draw_others(&mut chart, &mut labels);
    shown.draw_points(&mut chart, &mut labels);
    if let (Some(item), Some(summed)) = (shown.single[0], shown.summed) {
        let point = (item.accuracy(), summed.accuracy());
        chart.marks([point], (SUMMED, 4.0), colour(Goal::Item));
        labels.keep_clear(chart.at(point), 5.0);
    }
    draw_edges(&mut chart, task, &mut labels);
    for point in shown.points.iter().step_by(shown.points.len().div_ceil(NAMED).max(1)) {
        let at = chart.at(point.place());
        labels.beside(chart.canvas, at, &fitted(&lambda_name(task, point.lambda), 7.0, 60.0));
    }
    labels.write(&mut canvas);
    Some(canvas.described(shown.alt()))
}

impl Shown<'_> {
    fn new(task: &MultitaskResults) -> Shown<'_> {
        let point = |(lambda, network): (f64, &Network)| {
            Some(Point { lambda, found: [network.test(Goal::Item)?, network.test(Goal::Group)?] })
        };
        let others = task.weightings().into_iter().zip(OTHERS.into_iter().cycle());
        let others = others.filter_map(|(found, shape)| {
            let spread = [found.accuracy[0]?, found.accuracy[1]?];
            Some(Other { found, spread, shape })
        });
        Shown {
            task,
            points: task.joint().filter_map(point).collect(),
            others: others.collect(),
            single: Goal::BOTH.map(|goal| task.single(goal)?.test(goal)),
            summed: task.single(Goal::Item).and_then(|network| task.free(network)),
        }
    }

    fn key(&self) -> Key {
        let mut key = Key::column(KEY);
        if !self.task.lambdas.is_empty() {
            key.add(Sign::Mark(0, lambda_colour(0.5)), "two-headed, by λ");
        }
        if Goal::BOTH.into_iter().any(|goal| one_sided(self.task, goal).next().is_some()) {
            key.add(Sign::Hollow(0, GREY), "one head untrained");
        }
        for goal in Goal::BOTH {
            if self.single[goal.index()].is_some() {
                key.add(Sign::Band(colour(goal)), format!("{} network", goal.name()));
            }
        }
        if self.summed.is_some() && self.single[0].is_some() {
            key.add(Sign::Mark(SUMMED, colour(Goal::Item)), "item network, summed");
        }
        for other in &self.others {
            let name = match other.spread[0].count {
                1 => other.found.name.clone(),
                n => format!("{}, {n} seeds ± sd", other.found.name),
            };
            key.add(Sign::Mark(other.shape, INK), name);
        }
        key.note("bars: 95 % Wilson intervals");
        key
    }

    fn axis(&self, goal: Goal) -> Axis<'static> {
        let of_points = self.points.iter().map(|point| interval(&point.found[goal.index()]));
        let of_seeds = self.others.iter().flat_map(|other| &other.found.networks);
        let of_seeds = of_seeds.filter_map(|network| Some(network.test(goal)?.accuracy()));
        let of_spreads = self.others.iter().map(|other| {
            let spread = other.spread[goal.index()];
            spread.interval().unwrap_or((spread.mean, spread.mean))
        });
        let single = self.single[goal.index()].as_ref().map(interval);
        let summed = self.summed.filter(|_| goal == Goal::Group).map(|found| found.accuracy());
        let intervals = of_points.chain(of_spreads).chain(single).flat_map(|(low, high)| [low, high]);
        Axis::around(intervals.chain(of_seeds).chain(summed), (0.12, 0.002), 5.0)
    }

    /// The single-task networks: each is a line, as it says nothing of the other goal.
    fn draw_lines(&self, chart: &mut Chart) {
        let found = || Goal::BOTH.into_iter().filter_map(|goal| Some((goal, self.single[goal.index()]?)));
        for (goal, found) in found() {
            let (interval, faint) = (interval(&found), pale(pale(colour(goal))));
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

    /// The seeds of other weightings pale, their means strong.
    fn draw_others(&self, chart: &mut Chart, labels: &mut Labels) {
        for other in &self.others {
            let place = |network: &&Network| {
                Some((network.test(Goal::Item)?.accuracy(), network.test(Goal::Group)?.accuracy()))
            };
            chart.marks(other.found.networks.iter().filter_map(place), (other.shape, 1.8), pale(INK));
        }
        for other in &self.others {
            let mean = (other.spread[0].mean, other.spread[1].mean);
            if let [Some(item), Some(group)] = other.spread.map(|spread| spread.interval()) {
                draw_cross(chart, mean, [item, group], INK);
            }
            chart.marks([mean], (other.shape, 3.6), INK);
            labels.keep_clear(chart.at(mean), 4.5);
        }
    }

    fn draw_points(&self, chart: &mut Chart, labels: &mut Labels) {
        for point in &self.points {
            let intervals = point.found.map(|found| interval(&found));
            draw_cross(chart, point.place(), intervals, lambda_colour(point.lambda));
        }
        let path: Vec<(f64, f64)> = self.points.iter().map(|point| chart.at(point.place())).collect();
        chart.canvas.line(&path, pale(INK), 0.6, None);
        for point in &self.points {
            chart.marks([point.place()], (0, 4.0), lambda_colour(point.lambda));
            labels.keep_clear(chart.at(point.place()), 5.0);
        }
    }

    fn alt(&self) -> String {
        let pair = |name: &str, (item, group): (f64, f64)| {
            format!("{name}: {} and {}", percent(item, 2), percent(group, 2))
        };
        let of_points =
            self.points.iter().map(|point| pair(&lambda_name(self.task, point.lambda), point.place()));
        let of_others = self
            .others
            .iter()
            .map(|other| pair(&other.found.name, (other.spread[0].mean, other.spread[1].mean)));
        let described: Vec<String> = of_points.chain(of_others).collect();
        let alone = Goal::BOTH.into_iter().filter_map(|goal| {
            let found = self.single[goal.index()]?;
            Some(format!("the {} network reaches {}", goal.name(), percent(found.accuracy(), 2)))
        });
        let alone: Vec<String> = alone.collect();
        let alone = if alone.is_empty() { String::new() } else { format!(" Alone, {}.", alone.join(", ")) };
        format!(
            "Test accuracy for the group against that for the item, a point for each network whose two heads were trained, with \
             95 % Wilson intervals. {}.{alone}{}",
            described.join("; "),
            diverged_words(&diverged(self.task.networks())),
        )
    }
}

/// Networks of the sweep whose only trained head is this goal's: λ and its accuracy.
fn one_sided(task: &MultitaskResults, goal: Goal) -> impl Iterator<Item = (f64, Evaluation)> {
    let other = Goal::BOTH[1 - goal.index()];
    let sided =
        task.lambdas.iter().filter(move |(_, network)| network.trained(goal) && !network.trained(other));
    sided.filter_map(move |(lambda, network)| Some((*lambda, network.test(goal)?)))
}

/// A cross of two intervals about a point.
fn draw_cross(chart: &mut Chart, point: (f64, f64), [item, group]: [(f64, f64); 2], colour: Rgb) {
    let (x, y) = chart.at(point);
    chart.level_interval(y, item, colour);
    chart.interval(x, group, colour);
}

/// Networks with one trained head stand at the edge: their other accuracy is no result.
fn draw_edges(chart: &mut Chart, task: &MultitaskResults, labels: &mut Labels) {
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
