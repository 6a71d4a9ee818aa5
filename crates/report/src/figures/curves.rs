//! Loss and accuracy of the networks of a task while they are trained.

use inkling_schema::outcome::{EpochOutcome, Evaluation, StepsLine};

use super::canvas::{Axis, Canvas, Frame, Panel, Style, TEXT_WIDTH, text_width};
use super::colour::{self, CURVES, GREY, INK, Rgb};
use super::names::all_fitted;
use super::networks::{Kind, even_step, mark, mark_radius, share_format};
use super::thin::thin;
use super::{percent, thousands};
use crate::{Figure, NetworkResults, NetworksResults};

const COLUMNS: usize = 5;
/// Networks of one figure: two rows of them are as high as a page allows with a caption.
const NETWORKS: usize = 2 * COLUMNS;
const LEFT: f64 = 40.0;
const GAP: f64 = 9.0;
const LEGEND: f64 = 20.0;
const TITLE: f64 = 14.0;
const HEIGHT: f64 = 84.0;
const BETWEEN: f64 = 7.0;
const BELOW: f64 = 34.0;

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

/// A column for each network: its loss above, its accuracy below. Many networks take several figures, whose axes are
/// alike; the second is called `{name}_2`.
pub(super) fn curves(name: &'static str, kind: Kind, task: &NetworksResults) -> Vec<Figure> {
    let names: Vec<String> = task.networks.iter().map(|network| network.name.clone()).collect();
    // A task has a network at least, but what is empty is one figure too.
    let figures = task.networks.len().div_ceil(NETWORKS).max(1);
    let columns = task.networks.len().clamp(1, COLUMNS);
    let titles = all_fitted(&names, 1.06 * 8.0, width(columns));
    let part = |figure: usize| {
        let first = figure * NETWORKS;
        let shown = first..(first + NETWORKS).min(task.networks.len());
        let name = if figure == 0 { name.to_owned() } else { format!("{name}_{}", figure + 1) };
        draw(name, kind, task, (&task.networks[shown.clone()], &titles[shown]))
    };
    (0..figures).map(part).collect()
}

/// The width of a panel where there are so many in a row.
fn width(columns: usize) -> f64 {
    ((TEXT_WIDTH - LEFT - 3.0) / columns as f64 - GAP).min(190.0)
}

fn draw(
    name: String,
    kind: Kind,
    task: &NetworksResults,
    (networks, titles): (&[NetworkResults], &[String]),
) -> Figure {
    let columns = task.networks.len().clamp(1, COLUMNS);
    let width = width(columns);
    let block = TITLE + 2.0 * HEIGHT + BETWEEN + BELOW;
    let rows = networks.len().div_ceil(columns);
    let mut canvas = Canvas::new(TEXT_WIDTH, LEGEND + block * rows as f64);
    legend(&mut canvas, task);
    let scale = Scale::new(task);
    for (i, (network, title)) in networks.iter().zip(titles).enumerate() {
        let (row, column) = (i / columns, i % columns);
        let x = LEFT + (width + GAP) * column as f64;
        let y = LEGEND + block * row as f64 + TITLE;
        let above = Frame { x, y, width, height: HEIGHT };
        let below = Frame { y: y + HEIGHT + BETWEEN, ..above };
        canvas.text((x + width / 2.0, y - 7.0), title, Style::new(8).bold());
        let loss = scale.loss_panel(&canvas, above, column == 0);
        let accuracy = scale.accuracy_panel(&canvas, below, column == 0);
        for panel in [&loss, &accuracy] {
            canvas.axes(panel);
            canvas.outline(panel.frame, GREY, 0.4);
        }
        scale.loss(&mut canvas, &loss, network);
        scale.accuracy(&mut canvas, &accuracy, network);
        if let Some(at) = network.outcome.diverged {
            let x = loss.x(scale.epochs_at(network, at.step));
            for panel in [&loss, &accuracy] {
                canvas.line(&[(x, panel.frame.y), (x, panel.frame.bottom())], INK, 0.7, Some("2 1.5"));
            }
            // On the side of the line that has more room.
            let (x, style) = if x < above.centre().0 {
                (x + 3.0, Style::new(7).start())
            } else {
                (x - 3.0, Style::new(7).end())
            };
            canvas.text_with_halo((x, y + 9.0), "diverged", style.bold());
            canvas.text_with_halo((x, y + 18.0), &format!("at step {}", thousands(at.step)), style);
        }
    }
    Figure::new(name, canvas.finish(), alt(kind, task, networks))
}

fn legend(canvas: &mut Canvas, task: &NetworksResults) {
    let y = 6.0;
    let mut x = LEFT;
    let item = |canvas: &mut Canvas, x: &mut f64, text: &str| {
        canvas.text((*x, y), text, Style::new(7).start());
        *x += text_width(text, 7.0) + 16.0;
    };
    canvas.line(&[(x, y), (x + 14.0, y)], colour::pale(PARTS[0].colour), 1.2, None);
    x += 18.0;
    item(canvas, &mut x, "batches, each before its step");
    let has = |part: &Part| {
        task.networks
            .iter()
            .any(|network| network.outcome.epochs.iter().any(|epoch| (part.of)(epoch).is_some()))
    };
    for part in PARTS.iter().filter(|part| has(part)) {
        canvas.line(&[(x, y), (x + 14.0, y)], part.colour, 0.9, None);
        mark(canvas, (x + 7.0, y), part.shape, 2.0, part.colour);
        x += 18.0;
        item(canvas, &mut x, part.name);
    }
}

/// The axes that all networks of a task share.
struct Scale {
    epochs: f64,
    loss: (f64, f64),
    accuracy: (f64, f64),
}

impl Scale {
    fn new(task: &NetworksResults) -> Scale {
        let evaluations = || {
            let epochs = task.networks.iter().flat_map(|network| &network.outcome.epochs);
            epochs.flat_map(|epoch| PARTS.iter().filter_map(move |part| (part.of)(epoch)))
        };
        let batches = task.networks.iter().flat_map(|network| &network.curve).map(|line| line.loss);
        let losses = evaluations()
            .map(|found| found.loss)
            .chain(batches)
            .filter(|loss| *loss > 0.0 && loss.is_finite());
        let (low, high) = losses.fold((f64::MAX, 0.0), |(low, high), loss| (loss.min(low), loss.max(high)));
        let (low, high) = if low <= high { (low, high) } else { (0.1, 1.0) };
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

    fn epoch_axis(&self, title: &'static str, numbers: bool) -> Axis<'static> {
        let step = if self.epochs <= 2.0 { 0.5 } else { even_step((0.0, self.epochs), 4.0).max(1.0) };
        Axis {
            // Marks at the end of the last epoch stand clear of the edge.
            range: (0.0, self.epochs + (0.03 * self.epochs).max(0.06)),
            log: false,
            step: Some(step),
            format: if numbers { epoch_label } else { |_| String::new() },
            title,
            gap: 20.0,
        }
    }

    fn loss_panel(&self, canvas: &Canvas, frame: Frame, first: bool) -> Panel {
        let y = Axis {
            range: self.loss,
            log: true,
            step: None,
            format: if first { loss_label } else { |_| String::new() },
            title: if first { "cross-entropy" } else { "" },
            gap: 33.0,
        };
        canvas.panel(frame, &self.epoch_axis("", false), &y)
    }

    fn accuracy_panel(&self, canvas: &Canvas, frame: Frame, first: bool) -> Panel {
        let step = even_step(self.accuracy, 4.0);
        let y = Axis {
            range: self.accuracy,
            log: false,
            step: Some(step),
            format: if first { share_format(step) } else { |_| String::new() },
            title: if first { "accuracy" } else { "" },
            gap: 33.0,
        };
        canvas.panel(frame, &self.epoch_axis("epoch", true), &y)
    }

    /// How many epochs so many steps are.
    fn epochs_at(&self, network: &NetworkResults, step: usize) -> f64 {
        let ended = network.outcome.epochs.first().map(|epoch| epoch.step);
        let spec = &network.spec;
        let held_out = spec.training.validation.as_ref().map_or(0, |validation| validation.images);
        let images = spec.data.train_images.saturating_sub(held_out);
        let per_epoch = ended.unwrap_or_else(|| images.div_ceil(spec.training.batch_size.max(1))).max(1);
        (step as f64 / per_epoch as f64).min(self.epochs)
    }

    fn loss(&self, canvas: &mut Canvas, panel: &Panel, network: &NetworkResults) {
        let shown =
            |loss: f64| if loss.is_finite() { loss.clamp(self.loss.0, self.loss.1) } else { self.loss.1 };
        let points = network
            .curve
            .iter()
            .map(|line| (panel.x(self.epochs_at(network, line.step)), panel.y(shown(line.loss))));
        batches(canvas, &thin(points, 0.8));
        self.evaluations(canvas, panel, network, |found| shown(found.loss));
    }

    fn accuracy(&self, canvas: &mut Canvas, panel: &Panel, network: &NetworkResults) {
        let points = network.curve.iter().map(|line| (self.epochs_at(network, line.step), line.accuracy));
        for part in above(points, self.accuracy.0) {
            let points = part.into_iter().map(|(epoch, accuracy)| (panel.x(epoch), panel.y(accuracy)));
            batches(canvas, &thin(points, 0.8));
        }
        self.evaluations(canvas, panel, network, Evaluation::accuracy);
    }

    fn evaluations(
        &self,
        canvas: &mut Canvas,
        panel: &Panel,
        network: &NetworkResults,
        value: impl Fn(&Evaluation) -> f64,
    ) {
        let radius = mark_radius(panel.frame.width / self.epochs);
        for part in &PARTS {
            let place = |epoch: &EpochOutcome| {
                let found = (part.of)(epoch)?;
                Some((panel.x(self.epochs_at(network, epoch.step)), panel.y(value(&found))))
            };
            let places: Vec<(f64, f64)> = network.outcome.epochs.iter().filter_map(place).collect();
            canvas.curve(&places, part.colour, 0.9, None);
            if let Some(radius) = radius {
                places.iter().for_each(|&place| mark(canvas, place, part.shape, radius, part.colour));
            }
        }
    }
}

/// Draws what single batches said; a line of one point would not be seen.
fn batches(canvas: &mut Canvas, points: &[(f64, f64)]) {
    match points {
        [point] => mark(canvas, *point, 0, 1.6, colour::pale(PARTS[0].colour)),
        points => canvas.curve(points, colour::pale(PARTS[0].colour), 0.7, None),
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

fn alt(kind: Kind, task: &NetworksResults, networks: &[NetworkResults]) -> String {
    let ends: Vec<String> = networks
        .iter()
        .map(|network| match (network.outcome.diverged, network.last()) {
            (Some(at), _) => format!("{} diverged at step {}", network.name, thousands(at.step)),
            (None, None) => format!("{} ended no epoch", network.name),
            (None, Some(last)) => format!(
                "{}: loss {:.3} and accuracy {} in training, {:.3} and {} in testing",
                network.name,
                last.train.loss,
                percent(last.train.accuracy(), 2),
                last.test.loss,
                percent(last.test.accuracy(), 2),
            ),
        })
        .collect();
    let plural = if ends.len() == 1 { "" } else { "s" };
    format!(
        "Cross-entropy, on a logarithmic axis, and accuracy against the epoch for {} {}{plural} on {}: within the \
         epochs, and after each on all training and test images. At the end: {}.",
        ends.len(),
        kind.name(),
        task.data.title,
        ends.join("; "),
    )
}

fn epoch_label(epoch: f64) -> String {
    let decimals = if (epoch - epoch.round()).abs() < 1e-6 { 0 } else { 1 };
    format!("{epoch:.decimals$}")
}

fn loss_label(loss: f64) -> String {
    let decimals = (-loss.log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{loss:.decimals$}")
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
