//! Test accuracy of networks against what they cost: parameters, seconds of training, seconds of testing.

use super::canvas::{Axis, Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::colour::{self, GREY, INK};
use super::grid::note;
use super::networks::{Kind, even_step, fitted, share_format};
use super::{list, percent, thousands};
use crate::results::ONE_BUDGET;
use crate::{Figure, NetworkResults, NetworksResults};
use inkling_statistics::wilson_interval;

/// Distance of two marks side by side.
const APART: f64 = 14.0;

/// Test accuracy against the number of parameters, with the depth in the marks.
pub(super) fn against_parameters(name: &'static str, tasks: &[(Kind, &NetworksResults)]) -> Figure {
    let (left, top, height, below) = (44.0, 6.0, 176.0, 30.0);
    let networks = collect(tasks);
    let legend = 132.0;
    let failed = diverged(tasks);
    let mut canvas = Canvas::new(TEXT_WIDTH, top + height + below);
    let frame = Frame { x: left, y: top, width: TEXT_WIDTH - left - legend, height };
    draw_panel(&mut canvas, frame, &networks, &PARAMETERS, true);
    let x = frame.right() + 14.0;
    let mut y = top + 8.0;
    for (kind, _) in tasks {
        kind.mark(&mut canvas, (x + 6.0, y), "n");
        canvas.text(
            (x + 18.0, y),
            &format!("{} with n {}", kind.name(), kind.layers()),
            Style::new(7).start(),
        );
        y += 17.0;
    }
    canvas.line(&[(x + 6.0, y - 6.0), (x + 6.0, y + 6.0)], INK, 0.9, None);
    canvas.text((x + 18.0, y), "95 % Wilson interval", Style::new(7).start());
    y += 17.0;
    let costs: Vec<f64> = networks.iter().map(|found| (PARAMETERS.of)(found.network)).collect();
    if !budgets(&networks, &costs).is_empty() {
        canvas.line(&[(x - 1.0, y), (x + 13.0, y)], colour::pale(INK), 0.9, None);
        note(&mut canvas, (x + 18.0, y), &["side by side: about", "as many parameters"]);
        y += 27.0;
    }
    if !failed.is_empty() {
        note(&mut canvas, (x, y), &["diverged, not shown:"]);
        for (row, name) in failed.iter().enumerate().take(8) {
            canvas.text(
                (x + 4.0, y + 10.0 * (row + 1) as f64),
                &fitted(name, 7.0, legend - 20.0),
                Style::new(7).start(),
            );
        }
    }
    let described: Vec<String> = networks.iter().map(Network::described).collect();
    let kinds: Vec<String> = tasks.iter().map(|(kind, _)| format!("{}s", kind.name())).collect();
    let alt = format!(
        "Test accuracy against the number of parameters, on a logarithmic axis, for {}, with the depth in each mark \
         and 95 % Wilson intervals. {}.{}",
        list(&kinds),
        if described.is_empty() { "No network finished".to_owned() } else { described.join("; ") },
        failed_words(&failed),
    );
    Figure::new(name, canvas.finish(), alt)
}

/// Test accuracy against the seconds that training and testing took.
pub(super) fn against_times(name: &'static str, tasks: &[(Kind, &NetworksResults)]) -> Figure {
    let (left, top, height, below) = (44.0, 24.0, 150.0, 30.0);
    let networks = collect(tasks);
    let mut canvas = Canvas::new(TEXT_WIDTH, top + height + below);
    let mut x = left;
    for (kind, _) in tasks {
        kind.mark(&mut canvas, (x + 6.0, 7.5), "n");
        let text = format!("{} with n {}", kind.name(), kind.layers());
        canvas.text((x + 16.0, 7.5), &text, Style::new(7).start());
        x += text_width(&text, 7.0) + 34.0;
    }
    canvas.line(&[(x + 6.0, 1.5), (x + 6.0, 13.5)], INK, 0.9, None);
    canvas.text((x + 12.0, 7.5), "95 % Wilson interval", Style::new(7).start());
    let gap = 14.0;
    let width = (TEXT_WIDTH - left - gap - 4.0) / 2.0;
    let training = Frame { x: left, y: top, width, height };
    draw_panel(&mut canvas, training, &networks, &TRAINING, true);
    draw_panel(&mut canvas, Frame { x: left + width + gap, ..training }, &networks, &TESTING, false);
    let described: Vec<String> = networks
        .iter()
        .map(|found| {
            let outcome = &found.network.outcome;
            let (train, test) = (seconds_label(outcome.train_seconds), seconds_label(outcome.test_seconds));
            format!("{}: {} in {train} and {test}", found.network.name, percent(found.accuracy, 2))
        })
        .collect();
    let alt = format!(
        "Test accuracy against the time to train (left) and the time to classify the test images once (right), on \
         logarithmic axes, for MLPs and CNNs. {}.{}",
        described.join("; "),
        failed_words(&diverged(tasks)),
    );
    Figure::new(name, canvas.finish(), alt)
}

/// A network that has an accuracy.
struct Network<'a> {
    kind: Kind,
    network: &'a NetworkResults,
    accuracy: f64,
    interval: (f64, f64),
}

impl Network<'_> {
    fn described(&self) -> String {
        let parameters = thousands(self.network.outcome.parameters);
        format!("{} ({parameters} parameters): {}", self.network.name, percent(self.accuracy, 2))
    }
}

fn collect<'a>(tasks: &[(Kind, &'a NetworksResults)]) -> Vec<Network<'a>> {
    let networks = tasks.iter().flat_map(|&(kind, task)| task.test().map(move |found| (kind, found)));
    let networks = networks.map(|(kind, (network, test))| Network {
        kind,
        network,
        accuracy: test.accuracy(),
        interval: wilson_interval(test.correct, test.images),
    });
    networks.collect()
}

fn diverged(tasks: &[(Kind, &NetworksResults)]) -> Vec<String> {
    let networks = tasks.iter().flat_map(|(_, task)| &task.networks);
    networks.filter(|network| network.last().is_none()).map(|network| network.name.clone()).collect()
}

fn failed_words(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(" Diverged, not shown: {}.", list(names)) }
}

/// What accuracy is plotted against.
struct Cost {
    title: &'static str,
    of: fn(&NetworkResults) -> f64,
    format: fn(f64) -> String,
    /// Whether networks of about one cost were made to have it: they stand side by side, joined by a line.
    budgets: bool,
}

const PARAMETERS: Cost = Cost {
    title: "parameters",
    of: |network| network.outcome.parameters as f64,
    format: |number| thousands(number as usize),
    budgets: true,
};
const TRAINING: Cost = Cost {
    title: "time to train",
    of: |network| network.outcome.train_seconds,
    format: seconds_label,
    budgets: false,
};
const TESTING: Cost = Cost {
    title: "time to classify the test images",
    of: |network| network.outcome.test_seconds,
    format: seconds_label,
    budgets: false,
};

fn draw_panel(canvas: &mut Canvas, frame: Frame, networks: &[Network], cost: &Cost, labelled: bool) {
    let costs: Vec<f64> = networks.iter().map(|found| (cost.of)(found.network).max(1e-4)).collect();
    let (least, most) = costs.iter().fold((f64::MAX, 0.0), |(low, high), &x| (x.min(low), x.max(high)));
    let (least, most) = if least <= most { (least, most) } else { (1.0, 10.0) };
    // At least a factor of six across, so that there are two ticks to read.
    let margin = (most / least).powf(0.12).max((6.0 * least / most).sqrt()).max(1.12);
    let lows = networks.iter().map(|found| found.interval.0).fold(1.0, f64::min);
    let highs = networks.iter().map(|found| found.interval.1).fold(0.0, f64::max);
    let (low, high) = if lows < highs { (lows, highs) } else { (0.0, 1.0) };
    let range = ((low - 0.06 * (high - low)).max(0.0), (high + 0.06 * (high - low)).min(1.0));
    let step = even_step(range, 5.0);
    let panel = canvas.panel(
        frame,
        &Axis {
            range: (least / margin, most * margin),
            log: true,
            step: None,
            format: cost.format,
            title: cost.title,
            gap: 22.0,
        },
        &Axis {
            range,
            log: false,
            step: Some(step),
            format: if labelled { share_format(step) } else { |_| String::new() },
            title: if labelled { "test accuracy" } else { "" },
            gap: 37.0,
        },
    );
    canvas.axes(&panel);
    canvas.outline(frame, GREY, 0.4);
    let mut places: Vec<(f64, f64)> =
        networks.iter().zip(&costs).map(|(found, &cost)| (panel.x(cost), panel.y(found.accuracy))).collect();
    if cost.budgets {
        for budget in budgets(networks, &costs) {
            side_by_side(&mut places, &budget);
        }
    }
    move_apart(&mut places, frame);
    if cost.budgets {
        for budget in budgets(networks, &costs) {
            let line: Vec<(f64, f64)> = budget.iter().map(|&i| places[i]).collect();
            canvas.line(&line, colour::pale(networks[budget[0]].kind.colour()), 0.9, None);
        }
    }
    for (found, &(x, _)) in networks.iter().zip(&places) {
        let (low, high) = (panel.y(found.interval.0), panel.y(found.interval.1));
        canvas.line(&[(x, low), (x, high)], found.kind.colour(), 0.9, None);
        for end in [low, high] {
            canvas.line(&[(x - 2.5, end), (x + 2.5, end)], found.kind.colour(), 0.9, None);
        }
    }
    for (found, &place) in networks.iter().zip(&places) {
        found.kind.mark(canvas, place, &found.network.depth().to_string());
    }
}

/// Two or more networks of a kind with about one cost, each list in the order of depth.
fn budgets(networks: &[Network], costs: &[f64]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..networks.len()).collect();
    order.sort_by(|&i, &j| (networks[i].kind.cmp(&networks[j].kind)).then(costs[i].total_cmp(&costs[j])));
    let alike = |first: usize, i: usize| {
        networks[first].kind == networks[i].kind && costs[i] <= ONE_BUDGET * costs[first]
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for i in order {
        match groups.last_mut() {
            Some(group) if alike(group[0], i) => group.push(i),
            _ => groups.push(vec![i]),
        }
    }
    groups.retain(|group| group.len() > 1);
    for group in &mut groups {
        group.sort_by_key(|&i| (networks[i].network.depth(), i));
    }
    groups
}

/// Puts the members of a group side by side about the mean of their places.
fn side_by_side(places: &mut [(f64, f64)], group: &[usize]) {
    let centre = group.iter().map(|&i| places[i].0).sum::<f64>() / group.len() as f64;
    let first = centre - APART * (group.len() as f64 - 1.0) / 2.0;
    for (&i, rank) in group.iter().zip(0..) {
        places[i].0 = first + APART * f64::from(rank);
    }
}

/// Moves marks that cover each other, and intervals that do, apart to the left and right.
fn move_apart(places: &mut [(f64, f64)], frame: Frame) {
    for _ in 0..200 {
        let mut still = true;
        for i in 0..places.len() {
            places[i].0 = places[i].0.clamp(frame.x + 8.0, frame.right() - 8.0);
            for j in i + 1..places.len() {
                let (dx, dy) = (places[j].0 - places[i].0, places[j].1 - places[i].1);
                let needed = if dy.abs() < 13.0 { 13.0 } else { 6.5 };
                if dx.abs() < needed {
                    still = false;
                    let half = (needed - dx.abs()) / 2.0 + 0.05;
                    places[i].0 -= half.copysign(dx);
                    places[j].0 += half.copysign(dx);
                }
            }
        }
        if still {
            return;
        }
    }
}

fn seconds_label(seconds: f64) -> String {
    if seconds < 0.0995 {
        format!("{:.0}\u{a0}ms", seconds * 1e3)
    } else if seconds < 9.95 && (seconds - seconds.round()).abs() > 1e-6 {
        format!("{seconds:.1}\u{a0}s")
    } else {
        format!("{}\u{a0}s", thousands(seconds.round() as usize))
    }
}
