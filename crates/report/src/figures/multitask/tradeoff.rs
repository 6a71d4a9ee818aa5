//! The trade-off plane: accuracy for the item against accuracy for the group.

use inkling_schema::outcome::Evaluation;

use super::super::canvas::{Axis, Canvas, Frame, Panel, Style, TEXT_WIDTH, text_width};
use super::super::colour::{GREY, INK, Rgb, pale};
use super::super::grid::note;
use super::super::networks::{even_step, fitted, mark, share_format};
use super::super::percent;
use super::key::{Key, Sign};
use super::{colour, diverged_words, hollow, lambda_colour, lambda_name, level, upright};
use crate::{Figure, Goal, MultitaskResults, Spread, WeightingResults};
use inkling_statistics::wilson_interval;

const LEFT: f64 = 44.0;
const HEIGHT: f64 = 178.0;
const WIDTH: f64 = 262.0;
const BELOW: f64 = 30.0;
/// Shape of the mark for probabilities summed into groups.
const SUMMED: usize = 4;
/// Shapes of other weightings.
const OTHERS: [usize; 6] = [2, 3, 5, 7, 6, 9];

/// A network with accuracies for both goals.
struct Point {
    lambda: f64,
    found: [Evaluation; 2],
}

/// Several seeds of a weighting.
struct Other<'a> {
    found: WeightingResults<'a>,
    spread: [Spread; 2],
    shape: usize,
}

/// Every network of two trained heads; `None` without one.
pub(super) fn plane(task: &MultitaskResults) -> Option<Figure> {
    let point = |(lambda, network): (f64, &crate::HeadedNetwork)| {
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
    let key = key(task, &others, (single, summed));
    let height = HEIGHT.max(key.height() + 30.0);
    let mut canvas = Canvas::new(TEXT_WIDTH, 6.0 + height + BELOW);
    let frame = Frame { x: LEFT, y: 6.0, width: WIDTH, height };
    let ranges = Goal::BOTH.map(|goal| range(goal, &points, &others, (single[goal.index()], summed)));
    let steps = ranges.map(|range| even_step(range, 5.0));
    let axis = |goal: Goal, gap: f64, title: &'static str| {
        let i = goal.index();
        let (range, step) = (ranges[i], Some(steps[i]));
        Axis { range, log: false, step, format: share_format(steps[i]), title, gap }
    };
    let (x, y) =
        (axis(Goal::Item, 21.0, "test accuracy, item"), axis(Goal::Group, 37.0, "test accuracy, group"));
    let panel = canvas.panel(frame, &x, &y);
    lines(&mut canvas, &panel, single);
    canvas.axes(&panel);
    canvas.outline(frame, GREY, 0.4);
    let mut taken = draw_points(&mut canvas, &panel, &points, &others);
    if let (Some(item), Some(summed)) = (single[0], summed) {
        let at = (panel.x(item.accuracy()), panel.y(summed.accuracy()));
        mark(&mut canvas, at, SUMMED, 4.0, colour(Goal::Item));
        taken.push(around(at, 5.0));
    }
    edges(&mut canvas, &panel, task, &mut taken);
    label(&mut canvas, &panel, task, &points, taken);
    let x = frame.right() + 12.0;
    key.draw(&mut canvas, (x, frame.y));
    let y = frame.y + key.height() + 8.0;
    note(&mut canvas, (x, y), &["bars: 95 % Wilson intervals"]);
    let alt = alt(&points, &others, single, task);
    Some(Figure::new("multitask_tradeoff", canvas.finish(), alt))
}

type Singles = ([Option<Evaluation>; 2], Option<Evaluation>);

fn key(task: &MultitaskResults, others: &[Other], (single, summed): Singles) -> Key {
    let mut key = Key::new(TEXT_WIDTH - LEFT - WIDTH - 12.0);
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
    let (low, high) = all.fold((1.0_f64, 0.0_f64), |(low, high), (l, h)| (low.min(l), high.max(h)));
    let margin = (0.12 * (high - low)).max(0.002);
    ((low - margin).max(0.0), (high + margin).min(1.0))
}

/// The single-task networks: each is a line, as it says nothing of the other goal.
fn lines(canvas: &mut Canvas, panel: &Panel, single: [Option<Evaluation>; 2]) {
    let frame = panel.frame;
    for goal in Goal::BOTH {
        let Some(found) = single[goal.index()] else { continue };
        let (low, high) = wilson_interval(found.correct, found.images);
        let faint = pale(pale(colour(goal)));
        match goal {
            Goal::Item => {
                let (left, right) = (panel.x(low), panel.x(high));
                canvas.fill(Frame { x: left, width: right - left, ..frame }, faint);
            }
            Goal::Group => {
                let (top, bottom) = (panel.y(high), panel.y(low));
                canvas.fill(Frame { y: top, height: bottom - top, ..frame }, faint);
            }
        }
    }
    for goal in Goal::BOTH {
        let Some(found) = single[goal.index()] else { continue };
        let line = match goal {
            Goal::Item => {
                let x = panel.x(found.accuracy());
                [(x, frame.y), (x, frame.bottom())]
            }
            Goal::Group => {
                let y = panel.y(found.accuracy());
                [(frame.x, y), (frame.right(), y)]
            }
        };
        canvas.line(&line, colour(goal), 1.0, None);
    }
}

/// A box: left, top, right, bottom.
type Taken = [f64; 4];

fn around((x, y): (f64, f64), by: f64) -> Taken {
    [x - by, y - by, x + by, y + by]
}

/// Marks with their intervals; gives back what they cover.
fn draw_points(canvas: &mut Canvas, panel: &Panel, points: &[Point], others: &[Other]) -> Vec<Taken> {
    let mut taken = Vec::new();
    for other in others {
        for network in &other.found.networks {
            if let (Some(item), Some(group)) = (network.test(Goal::Item), network.test(Goal::Group)) {
                let at = (panel.x(item.accuracy()), panel.y(group.accuracy()));
                mark(canvas, at, other.shape, 1.8, pale(INK));
            }
        }
    }
    let cross = |canvas: &mut Canvas, at: (f64, f64), x: (f64, f64), y: (f64, f64), colour: Rgb| {
        level(canvas, at.1, (panel.x(x.0), panel.x(x.1)), colour);
        upright(canvas, at.0, (panel.y(y.0), panel.y(y.1)), colour);
    };
    for other in others {
        let [item, group] = other.spread;
        let at = (panel.x(item.mean), panel.y(group.mean));
        let about = |spread: Spread| spread.deviation.map(|sd| (spread.mean - sd, spread.mean + sd));
        if let (Some(x), Some(y)) = (about(item), about(group)) {
            cross(canvas, at, x, y, INK);
        }
        mark(canvas, at, other.shape, 3.6, INK);
        taken.push(around(at, 4.5));
    }
    let place = |point: &Point| (panel.x(point.found[0].accuracy()), panel.y(point.found[1].accuracy()));
    for point in points {
        let [x, y] = point.found.map(|found| wilson_interval(found.correct, found.images));
        cross(canvas, place(point), x, y, lambda_colour(point.lambda));
    }
    let path: Vec<(f64, f64)> = points.iter().map(place).collect();
    canvas.line(&path, pale(INK), 0.6, None);
    for point in points {
        mark(canvas, place(point), 0, 4.0, lambda_colour(point.lambda));
        taken.push(around(place(point), 5.0));
    }
    taken
}

/// Networks with one trained head stand at the edge: their other accuracy is no result.
fn edges(canvas: &mut Canvas, panel: &Panel, task: &MultitaskResults, taken: &mut Vec<Taken>) {
    let frame = panel.frame;
    for goal in Goal::BOTH {
        for (lambda, found) in one_sided(task, goal) {
            let at = match goal {
                Goal::Item => {
                    (panel.x(found.accuracy()).clamp(frame.x + 4.0, frame.right() - 4.0), frame.bottom())
                }
                Goal::Group => {
                    (frame.x, panel.y(found.accuracy()).clamp(frame.y + 4.0, frame.bottom() - 4.0))
                }
            };
            hollow(canvas, at, 0, 4.0, lambda_colour(lambda));
            let text = lambda_name(task, lambda);
            let width = text_width(&text, 7.0);
            let x = match goal {
                Goal::Item => at.0.min(frame.right() - width - 10.0) + 6.0,
                Goal::Group => at.0 + 7.0,
            };
            let y = if goal == Goal::Item { at.1 - 7.0 } else { at.1 };
            let words = [x, y - 5.0, x + width, y + 3.0];
            if !taken.iter().any(|other| meet(words, *other)) {
                canvas.text_with_halo((x, y), &text, Style::new(7).start());
                taken.push(words);
            }
            taken.push(around(at, 5.0));
        }
    }
}

fn meet(a: Taken, b: Taken) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// Writes λ beside its point, where nothing else is; further away, with a line, where it is crowded. Of many points, some
/// have theirs, the colours tell the others.
fn label(
    canvas: &mut Canvas,
    panel: &Panel,
    task: &MultitaskResults,
    points: &[Point],
    mut taken: Vec<Taken>,
) {
    /// Points that can all have their λ.
    const MOST: usize = 12;
    let frame = panel.frame;
    let mut placed = Vec::new();
    for point in points.iter().step_by(points.len().div_ceil(MOST).max(1)) {
        let at = (panel.x(point.found[0].accuracy()), panel.y(point.found[1].accuracy()));
        let text = fitted(&lambda_name(task, point.lambda), 7.0, 60.0);
        let width = text_width(&text, 7.0);
        let spots = [12.0, 20.0, 30.0, 42.0, 56.0].into_iter().flat_map(|away| {
            [30.0_f64, 330.0, 150.0, 210.0, 60.0, 300.0, 120.0, 240.0]
                .into_iter()
                .map(move |degrees| (away, degrees))
        });
        let spot = spots
            .map(|(away, degrees)| {
                let (sin, cos) = degrees.to_radians().sin_cos();
                let middle = (at.0 + away * cos + 0.5 * width * cos.signum(), at.1 - away * sin);
                (away, middle)
            })
            .find(|(_, (x, y))| {
                let words = [x - width / 2.0 - 1.0, y - 4.5, x + width / 2.0 + 1.0, y + 4.5];
                let inside = words[0] > frame.x + 2.0
                    && words[2] < frame.right() - 2.0
                    && words[1] > frame.y + 2.0
                    && words[3] < frame.bottom() - 2.0;
                inside && !taken.iter().any(|other| meet(words, *other))
            });
        let Some((away, (x, y))) = spot else { continue };
        // Lines first, so that none runs through the words of another.
        if away > 15.0 {
            canvas.line(&[at, (x, y)], GREY, 0.5, None);
        }
        taken.push([x - width / 2.0 - 1.0, y - 4.5, x + width / 2.0 + 1.0, y + 4.5]);
        placed.push(((x, y), text));
    }
    for (at, text) in &placed {
        canvas.text_with_halo(*at, text, Style::new(7));
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
    let of_points = points.iter().map(|point| {
        pair(&lambda_name(task, point.lambda), point.found[0].accuracy(), point.found[1].accuracy())
    });
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
