//! Test accuracy of networks against what they cost: parameters, seconds of training, seconds of testing.

use inkling_schema::Task;

use super::axis::{Axis, extent};
use super::canvas::{Canvas, Drawing, TEXT_WIDTH};
use super::colour::{INK, pale};
use super::forms::{Chart, Key, LEFT, Panels, Sign, lettered, move_apart};
use super::networks::{Kind, compared, diverged, diverged_words};
use super::registry::{Draw, Spec};
use super::seeds::interval;
use super::{list, percent, thousands, tick_seconds};
use crate::results::ONE_BUDGET;
use crate::{Network, NetworksResults, Results};
use inkling_statistics::wilson_interval;

pub(super) const FIGURES: &[Spec] = &[
    Spec::new("mlp_parameters", Draw::Found(Task::Mlp, |found, _| against_parameters(Kind::Mlp, found))),
    Spec::new("cnn_parameters", Draw::Found(Task::Cnn, |found, _| against_parameters(Kind::Cnn, found))),
];

/// CNNs beside MLPs.
pub(super) const COMPARED: &[Spec] =
    &[Spec::new("networks_times", Draw::Found(Task::Cnn, |found, _| against_times(found)))];

/// Distance of two marks side by side.
const APART: f64 = 14.0;

/// Test accuracy against the number of parameters, with the depth in the marks.
fn against_parameters(kind: Kind, found: &Results) -> Option<Drawing> {
    /// Networks that diverged, of which there may be more than room.
    const NAMED: usize = 8;
    let tasks = compared(kind, found)?;
    let (networks, failed) = (collect(&tasks), failed(&tasks));
    let budgets = budgets(&networks);
    let mut key = Key::column(118.0);
    explain(&tasks, &mut key);
    if !budgets.is_empty() {
        key.add(Sign::Line(pale(INK), None), "side by side: about as many parameters");
    }
    if !failed.is_empty() {
        let more = failed.len().saturating_sub(NAMED);
        let others = (more > 0).then(|| format!("{more} more"));
        let named: Vec<String> = failed.iter().take(NAMED).cloned().chain(others).collect();
        key.note(format!("diverged, not shown: {}", list(&named)));
    }
    let (x, y) = (PARAMETERS.axis(&networks), accuracy_axis(&networks));
    let mut canvas = Canvas::page();
    let height = f64::max(176.0, key.extent().1 - 20.0);
    draw(&mut Chart::beside(&mut canvas, &key, height, (&x, &y)), &networks, &PARAMETERS, &budgets);
    let described: Vec<String> = networks.iter().map(Shown::described).collect();
    let kinds: Vec<String> = tasks.iter().map(|(kind, _)| format!("{}s", kind.name())).collect();
    Some(canvas.described(format!(
        "Test accuracy against the number of parameters, on a logarithmic axis, for {}, with the depth in each mark \
         and {}. {}.{}",
        list(&kinds),
        if tasks.iter().all(|(_, task)| task.has_replicates()) {
            "means and standard deviations over seeds"
        } else {
            "95 % Wilson intervals"
        },
        if described.is_empty() { "No network finished".to_owned() } else { described.join("; ") },
        diverged_words(&failed),
    )))
}

/// Test accuracy against the seconds that training and testing took; `None` without two kinds of network on the same data, or
/// where different machines or programs took these times.
fn against_times(found: &Results) -> Option<Drawing> {
    let tasks = compared(Kind::Cnn, found)?;
    if tasks.len() < 2 || !found.origins.times_compare() {
        return None;
    }
    let networks = collect(&tasks);
    let mut key = Key::row(TEXT_WIDTH - LEFT);
    explain(&tasks, &mut key);
    let mut canvas = Canvas::page();
    let top = key.draw(&mut canvas, (LEFT, 0.0)) - 8.0;
    let panels = Panels { top, columns: 2, heights: &[150.0], shared: true };
    for (i, cost) in [TRAINING, TESTING].iter().enumerate() {
        let (x, y) = (cost.axis(&networks), accuracy_axis(&networks));
        draw(&mut panels.chart(&mut canvas, (i, 0), &x, &y), &networks, cost, &[]);
    }
    let described: Vec<String> = networks
        .iter()
        .map(|found| {
            let outcome = &found.network.outcome;
            let (train, test) = (tick_seconds(outcome.train_seconds), tick_seconds(outcome.test_seconds));
            format!("{}: {} in {train} and {test}", found.network.name, percent(found.accuracy, 2))
        })
        .collect();
    Some(canvas.described(format!(
        "Test accuracy against the time to train (left) and the time to classify the test images once (right), on \
         logarithmic axes, for MLPs and CNNs. {}.{}",
        described.join("; "),
        diverged_words(&failed(&tasks)),
    )))
}

fn explain(tasks: &[(Kind, &NetworksResults)], key: &mut Key) {
    for (kind, _) in tasks {
        kind.explain(key);
    }
    let over_seeds = tasks.iter().all(|(_, task)| task.has_replicates());
    key.add(
        Sign::Interval,
        if over_seeds { "mean ± one standard deviation over seeds" } else { "95 % Wilson interval" },
    );
}

/// A network that has an accuracy.
struct Shown<'a> {
    kind: Kind,
    network: &'a Network,
    accuracy: f64,
    interval: (f64, f64),
}

impl Shown<'_> {
    fn described(&self) -> String {
        let parameters = thousands(self.network.outcome.parameters);
        format!("{} ({parameters} parameters): {}", self.network.name, percent(self.accuracy, 2))
    }
}

fn collect<'a>(tasks: &[(Kind, &'a NetworksResults)]) -> Vec<Shown<'a>> {
    let networks = tasks.iter().flat_map(|&(kind, task)| task.test().map(move |found| (kind, found)));
    let networks = networks.map(|(kind, (network, test))| {
        let spread = network.spread(0);
        match (spread.mean(), interval(&spread)) {
            (Some(accuracy), Some([low, high])) => Shown { kind, network, accuracy, interval: (low, high) },
            _ => Shown {
                kind,
                network,
                accuracy: test.accuracy(),
                interval: wilson_interval(test.correct, test.images),
            },
        }
    });
    networks.collect()
}

fn failed(tasks: &[(Kind, &NetworksResults)]) -> Vec<String> {
    diverged(tasks.iter().flat_map(|(_, task)| &task.networks))
}

/// What accuracy is plotted against.
struct Cost {
    title: &'static str,
    of: fn(&Network) -> f64,
    format: fn(f64) -> String,
}

const PARAMETERS: Cost = Cost {
    title: "parameters",
    of: |network| network.outcome.parameters as f64,
    format: |number| thousands(number as usize),
};
const TRAINING: Cost =
    Cost { title: "time to train", of: |network| network.outcome.train_seconds, format: tick_seconds };
const TESTING: Cost = Cost {
    title: "time to classify the test images",
    of: |network| network.outcome.test_seconds,
    format: tick_seconds,
};

impl Cost {
    fn of(&self, found: &Shown) -> f64 {
        (self.of)(found.network).max(1e-4)
    }

    fn axis(&self, networks: &[Shown]) -> Axis<'static> {
        let (least, most) = extent(networks.iter().map(|found| self.of(found)), (1.0, 10.0));
        // At least a factor of six across, so that there are two ticks to read.
        let margin = (most / least).powf(0.12).max((6.0 * least / most).sqrt()).max(1.12);
        Axis::log((least / margin, most * margin), self.format).titled(self.title)
    }
}

fn accuracy_axis(networks: &[Shown]) -> Axis<'static> {
    let ends = networks.iter().flat_map(|found| [found.interval.0, found.interval.1]);
    Axis::around(ends, (0.06, 0.0), 5.0).titled("test accuracy")
}

/// Networks of one budget stand side by side, joined by a line.
fn draw(chart: &mut Chart, networks: &[Shown], cost: &Cost, budgets: &[Vec<usize>]) {
    let mut places: Vec<(f64, f64)> =
        networks.iter().map(|found| chart.at((cost.of(found), found.accuracy))).collect();
    for group in budgets {
        side_by_side(&mut places, group);
    }
    // Marks must not cover each other; where they do not meet, intervals must not.
    let sideways = |(dx, dy): (f64, f64)| {
        let needed = if dy.abs() < 13.0 { 13.0 } else { 6.5 };
        ((needed - dx.abs()).max(0.0).copysign(dx), 0.0)
    };
    move_apart(&mut places, chart.frame, |_| (8.0, 0.0), |_, away| sideways(away));
    for group in budgets {
        let line: Vec<(f64, f64)> = group.iter().map(|&i| places[i]).collect();
        chart.canvas.line(&line, pale(networks[group[0]].kind.colour()), 0.9, None);
    }
    for (found, &(x, _)) in networks.iter().zip(&places) {
        chart.interval(x, found.interval, found.kind.colour());
    }
    for (found, &place) in networks.iter().zip(&places) {
        let depth = found.network.depth().to_string();
        lettered(chart.canvas, place, found.kind.shape(), found.kind.colour(), &depth);
    }
}

/// Two or more networks of a kind that were made to have about as many parameters, each list in the order of depth.
fn budgets(networks: &[Shown]) -> Vec<Vec<usize>> {
    let costs: Vec<f64> = networks.iter().map(|found| PARAMETERS.of(found)).collect();
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
