//! Test accuracy of both heads against λ, beside the single-task networks, chance and the commonest class.

use inkling_schema::outcome::Evaluation;

use super::super::axis::{Axis, even_step};
use super::super::canvas::{Canvas, Drawing, Style, TEXT_WIDTH};
use super::super::colour::{GREY, INK, pale, readable};
use super::super::forms::{Chart, Key, LEFT, Sign, Stroke, hollow, mark};
use super::super::networks::{diverged, diverged_words};
use super::super::percent;
use super::super::registry::{Draw, Spec};
use super::over_time::two;
use super::{SUMMED, colour, interval, lambda_axis, lambda_name, shape};
use crate::{Goal, MultitaskResults};

pub(super) const FIGURES: &[Spec] = &[Spec::new("multitask_accuracy", Draw::Multitask(against_lambda))];

/// The item network's probabilities, summed into groups.
const FREE: Stroke = Stroke(CURVE, 1.0, Some("4 2"));
const CURVE: [u8; 3] = super::super::colour::CURVES[1].0;

/// A panel for each goal, and below it one of the heads that were not trained; `None` without a two-headed network.
fn against_lambda(task: &MultitaskResults) -> Option<Drawing> {
    if task.lambdas.is_empty() {
        return None;
    }
    let mut canvas = Canvas::page();
    let top = key(task).draw(&mut canvas, (LEFT, 0.0));
    let panels = two(top, &[118.0, 46.0]);
    let x = lambda_axis();
    for goal in Goal::BOTH {
        panels.heading(&mut canvas, goal.index(), goal.name(), readable(colour(goal)));
        let found = Trained::new(task, goal);
        let y = found.axis().titled(if goal == Goal::Item { "test accuracy" } else { "" });
        found.draw(&mut panels.chart(&mut canvas, (goal.index(), 0), &x, &y), goal);
        let untrained = heads(task, goal, false);
        let majority = task.baselines(goal).majority;
        let highest = untrained.iter().map(|(_, found)| interval(found).1).fold(majority, f64::max);
        let range = (0.0, (1.7 * highest).clamp(0.05, 1.0));
        let y = Axis::linear(range, 3.0, |share| percent(share, 0)).step(even_step(range, 3.0));
        draw_untrained(&mut panels.chart(&mut canvas, (goal.index(), 1), &x, &y), task, goal, &untrained);
    }
    Some(canvas.described(alt(task)))
}

fn key(task: &MultitaskResults) -> Key {
    let mut key = Key::row(TEXT_WIDTH - LEFT);
    key.add(Sign::Mark(shape(Goal::Item), INK), "two-headed network, 95 % Wilson interval");
    if task.single.iter().any(Option::is_some) {
        key.add(Sign::Band(GREY), "single-task network with its interval");
    }
    key.add(Sign::Hollow(shape(Goal::Item), INK), "untrained head");
    key.add(Sign::Mark(SUMMED, colour(Goal::Item)), "group by the item head’s summed probabilities");
    if free_single(task).is_some() {
        key.add(Sign::Line(FREE.0, FREE.2), "the same of the item network");
    }
    key
}

fn free_single(task: &MultitaskResults) -> Option<Evaluation> {
    task.free(task.single(Goal::Item)?)
}

/// λ and what was found, for each two-headed network whose head for the goal was trained or was not.
fn heads(task: &MultitaskResults, goal: Goal, trained: bool) -> Vec<(f64, Evaluation)> {
    let of = task.lambdas.iter().filter(|(_, network)| network.trained(goal) == trained);
    of.filter_map(|(lambda, network)| Some((*lambda, network.test(goal)?))).collect()
}

/// What is shown of the heads that were trained for a goal.
struct Trained {
    heads: Vec<(f64, Evaluation)>,
    single: Option<Evaluation>,
    /// λ and accuracy of the item head's probabilities, summed into groups, and that of the item network's.
    summed: Vec<(f64, f64)>,
    summed_single: Option<f64>,
}

impl Trained {
    fn new(task: &MultitaskResults, goal: Goal) -> Trained {
        let free = |(lambda, network): &(f64, _)| Some((*lambda, task.free(network)?.accuracy()));
        let summed = task.lambdas.iter().filter_map(free).filter(|_| goal == Goal::Group).collect();
        let summed_single = free_single(task).filter(|_| goal == Goal::Group).map(|found| found.accuracy());
        let single = task.single(goal).and_then(|network| network.test(goal));
        Trained { heads: heads(task, goal, true), single, summed, summed_single }
    }

    fn axis(&self) -> Axis<'static> {
        let of_heads = self.heads.iter().map(|(_, found)| found).chain(&self.single).map(interval);
        let summed = self.summed.iter().map(|(_, accuracy)| *accuracy).chain(self.summed_single);
        let all = of_heads.flat_map(|(low, high)| [low, high]).chain(summed);
        Axis::around(all, (0.07, 0.0005), 5.0)
    }

    fn draw(&self, chart: &mut Chart, goal: Goal) {
        if let Some(found) = &self.single {
            chart.level_band(interval(found), pale(pale(colour(goal))));
            chart.across(found.accuracy(), Stroke(colour(goal), 1.0, None));
        }
        if let Some(accuracy) = self.summed_single {
            chart.across(accuracy, FREE);
        }
        for (lambda, found) in &self.heads {
            let x = chart.at((*lambda, 0.0)).0;
            chart.interval(x, interval(found), colour(goal));
        }
        for &point in &self.summed {
            let (x, y) = chart.at(point);
            mark(chart.canvas, (x + 7.0, y), SUMMED, 2.6, colour(Goal::Item));
        }
        let points = self.heads.iter().map(|(lambda, found)| (*lambda, found.accuracy()));
        chart.marks(points, (shape(goal), 3.4), colour(goal));
        if self.heads.is_empty() && self.single.is_none() {
            let middle = chart.frame.centre();
            chart.canvas.text(middle, "no trained head", Style::new(7).colour(GREY));
        }
    }
}

/// Chance, the commonest class, and the heads that were not trained.
fn draw_untrained(chart: &mut Chart, task: &MultitaskResults, goal: Goal, found: &[(f64, Evaluation)]) {
    let (frame, baselines) = (chart.frame, task.baselines(goal));
    chart.across(baselines.chance, Stroke(GREY, 1.0, Some("1.5 1.5")));
    chart.across(baselines.majority, Stroke(GREY, 1.0, None));
    // Words stand where no hollow mark does.
    let left_free = found.iter().all(|(lambda, _)| *lambda > 0.5);
    let (x, style) = if left_free && !found.is_empty() {
        (frame.x + 4.0, Style::new(7).start())
    } else {
        (frame.right() - 4.0, Style::new(7).end())
    };
    let (chance, majority) = (chart.at((0.0, baselines.chance)).1, chart.at((0.0, baselines.majority)).1);
    let text = |name: &str, share: f64| format!("{name} {}", percent(share, 1));
    if (chance - majority).abs() < 0.3 {
        chart.canvas.text((x, chance - 5.5), &text("chance and majority class", baselines.chance), style);
    } else {
        chart.canvas.text((x, majority - 5.5), &text("majority class", baselines.majority), style);
        chart.canvas.text((x, chance + 6.0), &text("chance", baselines.chance), style);
    }
    for (lambda, found) in found {
        let at = chart.at((*lambda, found.accuracy()));
        chart.interval(at.0, interval(found), colour(goal));
        hollow(chart.canvas, at, shape(goal), 3.4, colour(goal));
        let text = format!("untrained {}", percent(found.accuracy(), 1));
        let (x, style) = if *lambda > 0.5 {
            (at.0 - 6.0, Style::new(7).end())
        } else {
            (at.0 + 6.0, Style::new(7).start())
        };
        // Below the lines of chance and of the commonest class, or above them where there is no room.
        let below = at.1.max(chance).max(majority) + 6.5;
        let y = if below + 4.0 < frame.bottom() { below } else { at.1.min(chance).min(majority) - 5.5 };
        chart.canvas.text((x, y), &text, style.colour(readable(colour(goal))));
    }
}

fn alt(task: &MultitaskResults) -> String {
    let of = |goal: Goal| {
        let mut parts: Vec<String> = Vec::new();
        if let Some(found) = task.single(goal).and_then(|network| network.test(goal)) {
            parts.push(format!("the single-task network {}", percent(found.accuracy(), 2)));
        }
        for trained in [true, false] {
            for (lambda, found) in heads(task, goal, trained) {
                let untrained = if trained { "" } else { " (untrained head)" };
                parts.push(format!(
                    "{} {}{untrained}",
                    lambda_name(task, lambda),
                    percent(found.accuracy(), 2)
                ));
            }
        }
        let baselines = task.baselines(goal);
        format!(
            "{}: {}; chance {}, the majority class {}",
            goal.name(),
            if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") },
            percent(baselines.chance, 1),
            percent(baselines.majority, 1)
        )
    };
    let free = free_single(task).map_or_else(String::new, |found| {
        format!(
            " The item network’s probabilities, summed into groups, give {}.",
            percent(found.accuracy(), 2)
        )
    });
    format!(
        "Test accuracy of two-headed networks against λ, with 95 % Wilson intervals, for the item (left) and the group \
         (right). {}. {}.{free}{}",
        of(Goal::Item),
        of(Goal::Group),
        diverged_words(&diverged(task.networks())),
    )
}
