//! Test accuracy of both heads against λ, beside the single-task networks, chance and the commonest class.

use inkling_schema::outcome::Evaluation;

use super::super::canvas::{Axis, Canvas, Frame, Panel, Style, TEXT_WIDTH};
use super::super::colour::{GREY, pale, readable};
use super::super::networks::{even_step, mark, share_format};
use super::super::percent;
use super::key::{Key, Sign};
use super::{colour, diverged_words, hollow, lambda_name, lambda_tick, shape, upright};
use crate::{Figure, Goal, MultitaskResults};
use inkling_statistics::wilson_interval;

const LEFT: f64 = 44.0;
const GAP: f64 = 42.0;
const TITLE: f64 = 13.0;
/// Heights of the trained heads' panel and of the one below it, where chance is.
const HEIGHTS: (f64, f64) = (118.0, 46.0);
const BETWEEN: f64 = 9.0;
const BELOW: f64 = 30.0;
/// Shape of the marks for probabilities summed into groups.
const SUMMED: usize = 4;
const DASH: &str = "4 2";

/// A panel for each goal; `None` without a two-headed network.
pub(super) fn against_lambda(task: &MultitaskResults) -> Option<Figure> {
    if task.lambdas.is_empty() {
        return None;
    }
    let key = key(task);
    let top = key.height() + 4.0 + TITLE;
    let mut canvas = Canvas::new(TEXT_WIDTH, top + HEIGHTS.0 + BETWEEN + HEIGHTS.1 + BELOW);
    key.draw(&mut canvas, (LEFT, 0.0));
    let width = (TEXT_WIDTH - LEFT - GAP - 6.0) / 2.0;
    for goal in Goal::BOTH {
        let x = LEFT + (width + GAP) * goal.index() as f64;
        let upper = Frame { x, y: top, width, height: HEIGHTS.0 };
        let title = Style::new(8).bold().colour(readable(colour(goal)));
        canvas.text((upper.centre().0, top - 7.0), goal.name(), title);
        let lower = Frame { y: upper.bottom() + BETWEEN, height: HEIGHTS.1, ..upper };
        trained(&mut canvas, upper, task, goal);
        untrained(&mut canvas, lower, task, goal);
    }
    Some(Figure::new("multitask_accuracy", canvas.finish(), alt(task)))
}

fn key(task: &MultitaskResults) -> Key {
    let mut key = Key::new(TEXT_WIDTH - LEFT);
    let ink = super::super::colour::INK;
    key.add(Sign::Mark(shape(Goal::Item), ink), "two-headed network, 95 % Wilson interval");
    if task.single.iter().any(Option::is_some) {
        key.add(Sign::Band(GREY), "single-task network with its interval");
    }
    key.add(Sign::Hollow(shape(Goal::Item), ink), "untrained head");
    key.add(Sign::Mark(SUMMED, colour(Goal::Item)), "group by the item head’s summed probabilities");
    if free_single(task).is_some() {
        key.add(Sign::Line(colour(Goal::Item), Some(DASH)), "the same of the item network");
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

fn interval(found: &Evaluation) -> (f64, f64) {
    wilson_interval(found.correct, found.images)
}

fn lambda_axis(title: &'static str) -> Axis<'static> {
    Axis {
        range: (-0.08, 1.08),
        log: false,
        step: Some(0.25),
        format: if title.is_empty() {
            |_| String::new()
        } else {
            |lambda| {
                if (-0.01..=1.01).contains(&lambda) { lambda_tick(lambda + 0.0) } else { String::new() }
            }
        },
        title,
        gap: 21.0,
    }
}

/// The heads that were trained, on an axis of their own.
fn trained(canvas: &mut Canvas, frame: Frame, task: &MultitaskResults, goal: Goal) {
    let found = heads(task, goal, true);
    let single = task.single(goal).and_then(|network| network.test(goal));
    let mut summed = Vec::new();
    let mut summed_single = None;
    if goal == Goal::Group {
        summed_single = free_single(task);
        let free = |(lambda, network): &(f64, _)| Some((*lambda, task.free(network)?));
        summed = task.lambdas.iter().filter_map(free).collect();
    }
    let shown = found.iter().map(|(_, found)| found).chain(&single).map(interval);
    let points = summed.iter().map(|(_, found)| found).chain(&summed_single).map(|found| {
        let accuracy = found.accuracy();
        (accuracy, accuracy)
    });
    let (low, high) =
        shown.chain(points).fold((1.0_f64, 0.0_f64), |(low, high), (l, h)| (low.min(l), high.max(h)));
    let (low, high) = if low < high { (low, high) } else { (0.0, 1.0) };
    let margin = 0.07 * (high - low);
    let range = ((low - margin).max(0.0), (high + margin).min(1.0));
    let step = even_step(range, 5.0);
    let panel = canvas.panel(
        frame,
        &lambda_axis(""),
        &Axis {
            range,
            log: false,
            step: Some(step),
            format: share_format(step),
            title: if goal == Goal::Item { "test accuracy" } else { "" },
            gap: 37.0,
        },
    );
    if let Some(found) = &single {
        let (low, high) = interval(found);
        let (top, bottom) = (panel.y(high), panel.y(low));
        canvas.fill(Frame { y: top, height: bottom - top, ..frame }, pale(pale(colour(goal))));
        across(canvas, &panel, found.accuracy(), colour(goal), None);
    }
    if let Some(found) = &summed_single {
        across(canvas, &panel, found.accuracy(), colour(Goal::Item), Some(DASH));
    }
    canvas.axes(&panel);
    canvas.outline(frame, GREY, 0.4);
    for (lambda, found) in &found {
        let (low, high) = interval(found);
        upright(canvas, panel.x(*lambda), (panel.y(low), panel.y(high)), colour(goal));
    }
    for (lambda, found) in &summed {
        mark(canvas, (panel.x(*lambda) + 7.0, panel.y(found.accuracy())), SUMMED, 2.6, colour(Goal::Item));
    }
    for (lambda, found) in &found {
        mark(canvas, (panel.x(*lambda), panel.y(found.accuracy())), shape(goal), 3.4, colour(goal));
    }
    if found.is_empty() && single.is_none() {
        canvas.text(frame.centre(), "no trained head", Style::new(7).colour(GREY));
    }
}

/// Chance, the commonest class, and the heads that were not trained.
fn untrained(canvas: &mut Canvas, frame: Frame, task: &MultitaskResults, goal: Goal) {
    let found = heads(task, goal, false);
    let baselines = task.baselines(goal);
    let highest = found.iter().map(|(_, found)| interval(found).1).fold(baselines.majority, f64::max);
    let range = (0.0, (1.7 * highest).clamp(0.05, 1.0));
    let panel = canvas.panel(
        frame,
        &lambda_axis("λ"),
        &Axis {
            range,
            log: false,
            step: Some(even_step(range, 3.0)),
            format: |share| percent(share, 0),
            title: "",
            gap: 37.0,
        },
    );
    // Words stand where no hollow mark does.
    let left_free = found.iter().all(|(lambda, _)| *lambda > 0.5);
    let (x, style) = if left_free && !found.is_empty() {
        (frame.x + 4.0, Style::new(7).start())
    } else {
        (frame.right() - 4.0, Style::new(7).end())
    };
    let (chance, majority) = (panel.y(baselines.chance), panel.y(baselines.majority));
    across(canvas, &panel, baselines.chance, GREY, Some("1.5 1.5"));
    across(canvas, &panel, baselines.majority, GREY, None);
    canvas.axes(&panel);
    canvas.outline(frame, GREY, 0.4);
    let text = |name: &str, share: f64| format!("{name} {}", percent(share, 1));
    if (chance - majority).abs() < 0.3 {
        canvas.text((x, chance - 5.5), &text("chance and commonest class", baselines.chance), style);
    } else {
        canvas.text((x, majority - 5.5), &text("commonest class", baselines.majority), style);
        canvas.text((x, chance + 6.0), &text("chance", baselines.chance), style);
    }
    for (lambda, found) in &found {
        let at = (panel.x(*lambda), panel.y(found.accuracy()));
        let (low, high) = interval(found);
        upright(canvas, at.0, (panel.y(low), panel.y(high)), colour(goal));
        hollow(canvas, at, shape(goal), 3.4, colour(goal));
        let text = format!("untrained {}", percent(found.accuracy(), 1));
        let (x, style) = if *lambda > 0.5 {
            (at.0 - 6.0, Style::new(7).end())
        } else {
            (at.0 + 6.0, Style::new(7).start())
        };
        // Below the lines of chance and of the commonest class, or above them where there is no room.
        let below = at.1.max(chance).max(majority) + 6.5;
        let y = if below + 4.0 < frame.bottom() { below } else { at.1.min(chance).min(majority) - 5.5 };
        canvas.text((x, y), &text, style.colour(readable(colour(goal))));
    }
}

fn across(
    canvas: &mut Canvas,
    panel: &Panel,
    share: f64,
    colour: super::super::colour::Rgb,
    dash: Option<&str>,
) {
    let y = panel.y(share);
    canvas.line(&[(panel.frame.x, y), (panel.frame.right(), y)], colour, 1.0, dash);
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
            "{}: {}; chance {}, the commonest class {}",
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
        diverged_words(task),
    )
}
