//! Loss and accuracy of the networks of a task while they are trained.

use inkling_schema::Weights;
use inkling_schema::outcome::{EpochOutcome, Evaluation, StepsLine};

use super::axis::{Axis, extent};
use super::canvas::{Canvas, Drawing, Style, TEXT_WIDTH};
use super::colour::{self, CURVES, INK, Rgb};
use super::forms::{Chart, Key, LEFT, Panels, Sign, Stroke};
use super::names::all_fitted;
use super::networks::Kind;
use super::registry::{Draw, Spec};
use super::{counted, percent, thousands};
use crate::{Network, NetworksResults};

pub(super) const FIGURES: &[Spec] = &[Spec::new("curves", Draw::Networks(Kind::ALL, curves))];

const COLUMNS: usize = 5;
/// Networks of one figure: two rows of them are as high as a page allows with a caption.
const NETWORKS: usize = 2 * COLUMNS;
const BATCHES: Stroke = Stroke(colour::pale(CURVES[0].0), 0.7, None);

/// Images that a network is evaluated on, with their colour and the shape of their mark.
struct Part {
    name: &'static str,
    colour: Rgb,
    shape: usize,
    of: fn(&EpochOutcome) -> Option<Evaluation>,
}

const PARTS: [Part; 3] = [
    Part { name: "training images", colour: CURVES[0].0, shape: 0, of: |epoch| Some(epoch.train) },
    Part { name: "validation images", colour: CURVES[1].0, shape: 2, of: |epoch| epoch.validation },
    Part { name: "test images", colour: CURVES[3].0, shape: 1, of: |epoch| Some(epoch.test) },
];

/// A column for each network: its loss above, its accuracy below. Many networks take several figures, whose axes are alike.
fn curves(kind: Kind, task: &NetworksResults) -> Vec<Drawing> {
    let key = key(task);
    let top = key.extent().1;
    let columns = task.networks.len().clamp(1, COLUMNS);
    let panels = Panels { top, columns, heights: &[84.0, 84.0], shared: true };
    let names: Vec<String> = task.networks.iter().map(|network| network.name.clone()).collect();
    let titles = all_fitted(&names, 1.06 * 8.0, panels.width());
    let scale = Scale::new(task);
    let epochs = Axis::epochs(scale.epochs, 4.0);
    let loss = Axis::positive(scale.loss).titled("cross-entropy");
    let accuracy = Axis::shares(scale.accuracy, 4.0).titled("accuracy");
    let parts = task.networks.chunks(NETWORKS).zip(titles.chunks(NETWORKS));
    let part = |(networks, titles): (&[Network], &[String])| {
        let mut canvas = Canvas::page();
        key.draw(&mut canvas, (LEFT, 0.0));
        for (i, (network, title)) in networks.iter().zip(titles).enumerate() {
            panels.heading(&mut canvas, i, title, INK);
            scale.loss(&mut panels.chart(&mut canvas, (i, 0), &epochs, &loss), network);
            scale.accuracy(&mut panels.chart(&mut canvas, (i, 1), &epochs, &accuracy), network);
        }
        canvas.described(alt(kind, task, networks))
    };
    parts.map(part).collect()
}

fn key(task: &NetworksResults) -> Key {
    let mut key = Key::row(TEXT_WIDTH - LEFT);
    key.add(Sign::Line(BATCHES.0, None), "batches, each before its step");
    let epochs = || task.networks.iter().flat_map(|network| &network.outcome.epochs);
    for part in PARTS.iter().filter(|part| epochs().any(|epoch| (part.of)(epoch).is_some())) {
        key.add(Sign::Marked(part.shape, part.colour), part.name);
    }
    if let Some(note) = seeds_note(task.networks.iter()) {
        key.note(note);
    }
    key
}

/// What lines and bands are, where there are several seeds.
pub(super) fn seeds_note<'a>(networks: impl Iterator<Item = &'a Network>) -> Option<String> {
    let networks: Vec<&Network> = networks.collect();
    let seeds =
        networks.iter().map(|network| network.trainings().count()).max().filter(|&seeds| seeds > 1)?;
    let first = networks[0].spec.seed;
    Some(format!("lines: seed {first}; bands: from the lowest to the highest of {seeds} seeds"))
}

/// Epochs, and the lowest and the highest of some value after them, over the seeds that all came so far; nothing of one seed.
pub(super) fn over_seeds(
    network: &Network,
    value: impl Fn(&EpochOutcome) -> Option<f64>,
) -> Vec<(f64, f64, f64)> {
    if network.replicates.is_empty() {
        return Vec::new();
    }
    let trainings: Vec<&[EpochOutcome]> =
        network.trainings().map(|training| training.outcome.epochs.as_slice()).collect();
    let shortest = trainings.iter().map(|epochs| epochs.len()).min().unwrap_or(0);
    let at = |epoch: usize| {
        let found = trainings.iter().map(|epochs| value(&epochs[epoch]));
        let (low, high) = extent(found.collect::<Option<Vec<f64>>>()?, (0.0, 0.0));
        Some((network.epochs_at(trainings[0][epoch].step), low, high))
    };
    (0..shortest).filter_map(at).collect()
}

/// The ranges that all networks of a task share.
struct Scale {
    epochs: f64,
    loss: (f64, f64),
    accuracy: (f64, f64),
}

impl Scale {
    fn new(task: &NetworksResults) -> Scale {
        let evaluations = || {
            let trainings = task.networks.iter().flat_map(Network::trainings);
            let epochs = trainings.flat_map(|training| &training.outcome.epochs);
            epochs.flat_map(|epoch| PARTS.iter().filter_map(move |part| (part.of)(epoch)))
        };
        let batches = task.networks.iter().flat_map(|network| &network.curve).map(|line| line.loss);
        let losses = evaluations().map(|found| found.loss).chain(batches);
        let (low, high) = extent(losses.filter(|loss| *loss > 0.0 && loss.is_finite()), (0.1, 1.0));
        // The steep beginning of the batches is cut off: it would flatten all that follows.
        let late = task.finished().flat_map(|(_, network, _)| {
            let late = move |line: &&StepsLine| 5 * line.step > network.outcome.steps;
            network.curve.iter().filter(late).map(|line| line.accuracy)
        });
        let least = evaluations().map(|found| Evaluation::accuracy(&found)).chain(late).fold(1.0, f64::min);
        let least = (least - 0.12 * (1.0 - least)).clamp(0.0, 0.999);
        let longest = task.networks.iter().map(|network| network.spec.training.epochs).max();
        Scale {
            epochs: longest.unwrap_or(1) as f64,
            // A loss that is all but zero would leave no room for the others; two ticks need a factor of six.
            loss: ((low / 1.2).min(high / 6.0).max(1e-6), (high * 1.2).max(1e-5)),
            accuracy: (least, 1.0),
        }
    }

    fn loss(&self, chart: &mut Chart, network: &Network) {
        let batches = network.curve.iter().map(|line| (network.epochs_at(line.step), line.loss));
        chart.curve(batches, BATCHES);
        self.evaluations(chart, network, |found| found.loss);
        if let Some(at) = network.outcome.diverged {
            // On the side of the line that has more room.
            let (x, y) = (chart.at((network.epochs_at(at.step), self.loss.1)).0, chart.frame.y);
            let (x, style) = if x < chart.frame.centre().0 {
                (x + 3.0, Style::new(7).start())
            } else {
                (x - 3.0, Style::new(7).end())
            };
            chart.canvas.text_with_halo((x, y + 9.0), "diverged", style.bold());
            chart.canvas.text_with_halo((x, y + 18.0), &format!("at step {}", thousands(at.step)), style);
        }
    }

    fn accuracy(&self, chart: &mut Chart, network: &Network) {
        let points = network.curve.iter().map(|line| (network.epochs_at(line.step), line.accuracy));
        for part in above(points, self.accuracy.0) {
            chart.curve(part, BATCHES);
        }
        self.evaluations(chart, network, Evaluation::accuracy);
    }

    /// What was found after each epoch, and where the training ended in numbers that are none.
    fn evaluations(&self, chart: &mut Chart, network: &Network, value: impl Fn(&Evaluation) -> f64) {
        for part in &PARTS {
            let of_part = |epoch: &EpochOutcome| (part.of)(epoch).map(|found| value(&found));
            chart.band(&over_seeds(network, of_part), part.colour, 0.33);
        }
        for part in &PARTS {
            let place = |epoch: &EpochOutcome| {
                let found = (part.of)(epoch)?;
                Some((network.epochs_at(epoch.step), value(&found)))
            };
            let places: Vec<(f64, f64)> = network.outcome.epochs.iter().filter_map(place).collect();
            chart.after_epochs(&places, Stroke(part.colour, 0.9, None), part.shape, self.epochs);
        }
        if let Some(at) = network.outcome.diverged {
            chart.down(network.epochs_at(at.step), Stroke(INK, 0.7, Some("2 1.5")));
        }
    }
}

/// The parts of a curve that are not below a level, cut where it crosses the level.
fn above(points: impl Iterator<Item = (f64, f64)>, level: f64) -> Vec<Vec<(f64, f64)>> {
    let mut parts: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut last: Option<(f64, f64)> = None;
    for point in points {
        let crossing = |(x, y): (f64, f64)| (x + (point.0 - x) * (level - y) / (point.1 - y), level);
        match (last.filter(|last| last.1 >= level), point.1 >= level) {
            (Some(_), true) => parts.last_mut().into_iter().for_each(|part| part.push(point)),
            (Some(last), false) => parts.last_mut().into_iter().for_each(|part| part.push(crossing(last))),
            (None, true) => parts.push(last.map(crossing).into_iter().chain([point]).collect()),
            (None, false) => {}
        }
        last = Some(point);
    }
    parts
}

fn alt(kind: Kind, task: &NetworksResults, networks: &[Network]) -> String {
    let ends: Vec<String> = networks
        .iter()
        .map(|network| match (network.outcome.diverged, network.kept()) {
            (Some(at), _) => format!("{} diverged at step {}", network.name, thousands(at.step)),
            (None, None) => format!("{} completed no epoch", network.name),
            (None, Some(last)) => format!(
                "{}: loss {:.3} and accuracy {} on training images, {:.3} and {} on test images",
                network.name,
                last.train.loss,
                percent(last.train.accuracy(), 2),
                last.test.loss,
                percent(last.test.accuracy(), 2),
            ),
        })
        .collect();
    let best = networks.iter().any(|network| network.outcome.weights == Weights::Best);
    let at_the_end = if best { "With the weights that are kept" } else { "At the end" };
    format!(
        "Cross-entropy, on a logarithmic axis, and accuracy against the epoch for {} on {}: within the \
         epochs, and after each on all training and test images. {at_the_end}: {}.",
        counted(ends.len(), kind.name()),
        task.data.title,
        ends.join("; "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_cut_where_it_crosses_the_level() {
        let points = [(0.0, 0.0), (1.0, 2.0), (2.0, 2.0), (3.0, 0.0), (4.0, 0.0), (5.0, 1.0)];
        assert_eq!(
            above(points.into_iter(), 1.0),
            [vec![(0.5, 1.0), (1.0, 2.0), (2.0, 2.0), (2.5, 1.0)], vec![(5.0, 1.0), (5.0, 1.0)]]
        );
        assert!(above(std::iter::empty(), 1.0).is_empty());
    }
}
