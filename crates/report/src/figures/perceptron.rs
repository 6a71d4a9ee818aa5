//! Single-layer perceptrons between every two classes: weights, errors and accuracy.

use super::canvas::{Axis, Canvas, Frame, Panel, Style, TEXT_WIDTH, text_width};
use super::colour::{self, CURVES, GREY, INK, Rgb};
use super::grid::{Square, Triangle, note, number_cell};
use super::raster::Raster;
use super::thin::thin;
use super::{list, percent, share_number, thousands};
use crate::{Figure, PairResults, PerceptronResults};

const CURVE: Rgb = CURVES[0].0;
/// Dash pattern of the line at the tolerance.
const TOLERANCE: &str = "2 1.5";

/// Share of an image's weights that its colour scale covers: a few weights at pixels that are hardly ever inked are
/// many times larger than the rest, which would be left pale.
const COVERED: f64 = 0.98;

/// The weights of every perceptron as an image.
pub(super) fn weights(perceptrons: &PerceptronResults) -> Figure {
    let data = &perceptrons.data;
    let grid =
        Triangle::new(0.5, 0.0, TEXT_WIDTH - 1.0, data.height as f64 / data.width as f64, &data.classes);
    let legend = grid.legend(200.0, 76.0);
    let at = (legend.x, legend.y + 5.0);
    let mut canvas = Canvas::new(TEXT_WIDTH, grid.frame.bottom().max(legend.bottom()) + 1.0);
    grid.labels(&mut canvas);
    let mut largest = Vec::new();
    for pair in &perceptrons.pairs {
        let frame = grid.cell(usize::from(pair.spec.a), usize::from(pair.spec.b)).inset(1.0);
        let (most, scale) = sizes(&pair.weights);
        let pixels = pair.weights.iter().map(|w| colour::diverging(f64::from(w / scale)));
        canvas.image(frame, &Raster::blocks(data.width, pixels, frame.width));
        canvas.outline(frame, GREY, 0.3);
        largest.push(most);
    }
    canvas.text(at, "Weights of row against column", Style::new(9).bold().start());
    note(
        &mut canvas,
        (at.0, at.1 + 14.0),
        &["red pixels speak for the column’s class (+1),", "blue ones for the row’s (−1)"],
    );
    let bar = Frame { x: at.0 + 4.0, y: at.1 + 33.0, width: 120.0, height: 8.0 };
    let labels = [(0.0, "−s"), (0.5, "0"), (1.0, "s")].map(|(t, label)| (t, label.to_owned()));
    canvas.colour_bar(bar, |t| colour::diverging(2.0 * t - 1.0), &labels);
    let own = format!("each image on its own scale s, which {} of |w| do not pass", percent(COVERED, 0));
    note(&mut canvas, (at.0, bar.bottom() + 20.0), &[own.as_str()]);
    let (low, high) = largest.iter().fold((f32::MAX, 0.0_f32), |(low, high), &w| (low.min(w), high.max(w)));
    let alt = format!(
        "Weights of the {} perceptrons of {} as images of {} by {} pixels, one for each pair of classes; blue weights \
         speak for the row’s class, red ones for the column’s. Each image has its own scale; the largest weight is \
         between {} and {} in size.",
        perceptrons.pairs.len(),
        data.title,
        data.height,
        data.width,
        size(low),
        size(high),
    );
    Figure::new("perceptron_weights", canvas.finish(), alt)
}

/// A size in words, as a power of ten where it would be long.
fn size(value: f32) -> String {
    if value < 1e6 { format!("{value:.1}") } else { format!("{value:.1e}") }
}

/// The largest weight's size, and the size that all but a few of the weights do not pass.
fn sizes(weights: &[f32]) -> (f32, f32) {
    let mut sizes: Vec<f32> = weights.iter().map(|w| w.abs()).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let most = sizes.last().copied().unwrap_or(0.0);
    let covered = sizes.get((COVERED * sizes.len() as f64) as usize).copied().unwrap_or(most);
    (most, if covered > 0.0 { covered } else { 1.0 })
}

/// The training error of every perceptron after each iteration.
pub(super) fn errors(perceptrons: &PerceptronResults) -> Figure {
    let names = &perceptrons.data.classes;
    let scale = ErrorScale::new(perceptrons.pairs.iter());
    let left = 34.0;
    let grid = Triangle::new(left, 0.0, TEXT_WIDTH - left, 0.82, names);
    // The axes of the panels along the diagonal reach to the left and below it.
    let (left_of, below) = (34.0, 14.0);
    let legend = grid.legend(180.0 + left_of, 62.0);
    let mut canvas = Canvas::new(TEXT_WIDTH, (grid.frame.bottom() + below).max(legend.bottom()));
    grid.labels(&mut canvas);
    for pair in &perceptrons.pairs {
        let (a, b) = (usize::from(pair.spec.a), usize::from(pair.spec.b));
        let panel = scale.panel(&canvas, grid.cell(a, b).inset(2.0), true);
        // Along the diagonal a panel has no neighbour at its left and below it: there is room for its axes.
        if b == a + 1 {
            canvas.axes(&panel);
        }
        canvas.outline(panel.frame, GREY, 0.4);
        scale.tolerance_line(&mut canvas, &panel, pair.spec.tolerance);
        canvas.curve(&scale.curve(&panel, &pair.errors, 0.5), CURVE, 0.7, None);
        if let Some(&last) = pair.errors.last() {
            let (x, y) = (panel.x(pair.errors.len() as f64), panel.y(scale.shown(last)));
            canvas.fill(Frame { x: x - 1.2, y: y - 1.2, width: 2.4, height: 2.4 }, INK);
        }
    }
    let at = (legend.x - left + 2.0, legend.y + 5.0);
    let x = at.0;
    canvas.text((x, at.1), "Row against column", Style::new(9).bold().start());
    let key = |canvas: &mut Canvas, row: f64, text: &str| {
        canvas.text((x + 24.0, at.1 + row), text, Style::new(7).start());
    };
    key(&mut canvas, 14.0, "share of training images misclassified (log)");
    canvas.line(&[(x, at.1 + 14.0), (x + 18.0, at.1 + 14.0)], CURVE, 1.0, None);
    key(&mut canvas, 24.0, &tolerance_label(&perceptrons.pairs[0]));
    canvas.line(&[(x, at.1 + 24.0), (x + 18.0, at.1 + 24.0)], INK, 0.6, Some(TOLERANCE));
    key(&mut canvas, 34.0, "last iteration");
    canvas.fill(Frame { x: x + 7.8, y: at.1 + 32.8, width: 2.4, height: 2.4 }, INK);
    let longest = perceptrons.pairs.iter().map(|pair| pair.errors.len()).max().unwrap_or(0);
    let across = match longest {
        0 | 1 => "across: the first iteration".to_owned(),
        _ => format!("across: iterations, 1 to {} (log)", thousands(longest)),
    };
    note(&mut canvas, (x, at.1 + 46.0), &[across.as_str()]);
    let converged = perceptrons.pairs.iter().filter(|pair| pair.outcome.converged);
    let mut passes: Vec<usize> = converged.map(|pair| pair.outcome.iterations).collect();
    passes.sort_unstable();
    let range = match passes.as_slice() {
        [] => String::new(),
        [first, .., last] if first == last => format!(", after {}", iterations(*first)),
        [first, .., last] => format!(", after {} to {}", thousands(*first), iterations(*last)),
        [only] => format!(", after {}", iterations(*only)),
    };
    let alt = format!(
        "Training error of the {} perceptrons against the iteration, a small panel for each pair of classes, both axes \
         logarithmic. Of {}, {} reached the tolerance{range}.",
        perceptrons.pairs.len(),
        if perceptrons.pairs.len() == 1 {
            "one pair".to_owned()
        } else {
            format!("{} pairs", perceptrons.pairs.len())
        },
        passes.len(),
    );
    Figure::new("perceptron_errors", canvas.finish(), alt)
}

/// The error curves of five pairs from easy to hard.
pub(super) fn errors_from_easy_to_hard(perceptrons: &PerceptronResults) -> Figure {
    let names = &perceptrons.data.classes;
    let pairs = perceptrons.easy_to_hard();
    let scale = ErrorScale::new(pairs.iter().copied());
    let labels: Vec<String> = pairs.iter().map(|pair| title(names, pair)).collect();
    let legend = labels.iter().map(|label| text_width(label, 8.0)).fold(90.0, f64::max) + 42.0;
    let (left, top, height, below) = (46.0, 6.0, 190.0, 30.0);
    let mut canvas = Canvas::new(TEXT_WIDTH, top + height + below);
    let frame = Frame { x: left, y: top, width: TEXT_WIDTH - left - legend, height };
    let panel = scale.panel(&canvas, frame, false);
    canvas.axes(&panel);
    if scale.touches_zero {
        canvas.text((left - 6.0, panel.frame.bottom()), "0", Style::new(7).end());
    }
    scale.tolerance_line(&mut canvas, &panel, pairs[0].spec.tolerance);
    // The error of online learning jumps from pass to pass: pale curves show that, strong ones what was reached.
    for (pair, (colour, _)) in pairs.iter().zip(CURVES) {
        canvas.curve(&scale.curve(&panel, &pair.errors, 0.8), colour::pale(colour), 0.5, None);
    }
    let x = frame.right() + 12.0;
    canvas.text((x, top + 6.0), "pair (test accuracy)", Style::new(8).bold().start());
    for ((pair, label), (index, (colour, dash))) in pairs.iter().zip(&labels).zip(CURVES.iter().enumerate()) {
        let lowest: Vec<f64> = pair
            .errors
            .iter()
            .scan(f64::INFINITY, |lowest, &error| {
                *lowest = lowest.min(error);
                Some(*lowest)
            })
            .collect();
        canvas.curve(&scale.curve(&panel, &lowest, 0.8), *colour, 1.4, *dash);
        if let Some(&last) = pair.errors.last() {
            let (x, y) = (panel.x(pair.errors.len() as f64), panel.y(scale.shown(last)));
            canvas.fill(Frame { x: x - 1.8, y: y - 1.8, width: 3.6, height: 3.6 }, *colour);
        }
        let y = top + 21.0 + 13.0 * index as f64;
        canvas.line(&[(x, y), (x + 22.0, y)], *colour, 1.4, *dash);
        canvas.text((x + 27.0, y), label, Style::new(8).start());
    }
    let y = top + 21.0 + 13.0 * pairs.len() as f64;
    canvas.line(&[(x, y), (x + 22.0, y)], INK, 0.6, Some(TOLERANCE));
    canvas.text((x + 27.0, y), &tolerance_label(pairs[0]), Style::new(8).start());
    note(
        &mut canvas,
        (x, y + 18.0),
        &["strong: lowest error so far", "pale: error of each iteration", "square: last iteration"],
    );
    let ends: Vec<String> = pairs
        .iter()
        .zip(&labels)
        .map(|(pair, label)| {
            let iterations = iterations(pair.outcome.iterations);
            match pair.errors.last() {
                Some(&error) => format!("{label}: error {} after {iterations}", percent(error, 2)),
                None => format!("{label}: no iteration with finite weights"),
            }
        })
        .collect();
    let alt = format!(
        "Training error against the iteration, both axes logarithmic, for {} pairs from easy to hard, with test \
         accuracies. {}.",
        pairs.len(),
        ends.join("; "),
    );
    Figure::new("perceptron_errors_five", canvas.finish(), alt)
}

/// The test accuracy of every perceptron.
pub(super) fn accuracy(perceptrons: &PerceptronResults) -> Figure {
    let names = &perceptrons.data.classes;
    let bar = 68.0;
    let cell = ((TEXT_WIDTH - bar - Square::margin(names)) / names.len() as f64).min(60.0);
    let grid = Square::new((cell, (cell * 0.62).max(12.0)), names);
    let mut canvas = Canvas::new(TEXT_WIDTH, grid.frame.bottom() + 5.0);
    grid.labels(&mut canvas);
    let accuracies = perceptrons.pairs.iter().map(PairResults::test_accuracy);
    let worst = accuracies.fold(1.0, f64::min);
    // From the whole per cent below the worst pair, so that the colours differ where the pairs do.
    let low = ((worst * 100.0).floor() / 100.0).min(0.99);
    let shade = |accuracy: f64| colour::viridis((accuracy - low) / (1.0 - low));
    for pair in &perceptrons.pairs {
        let (a, b) = (usize::from(pair.spec.a), usize::from(pair.spec.b));
        let number = share_number(pair.test_accuracy());
        for cell in [grid.cell(a, b), grid.cell(b, a)] {
            number_cell(&mut canvas, cell, shade(pair.test_accuracy()), &number);
        }
    }
    let bar = Frame { x: grid.frame.right() + 14.0, width: 9.0, ..grid.frame };
    let labels = [0.0, 0.5, 1.0].map(|t| (t, percent(low + (1.0 - low) * t, 1)));
    canvas.colour_bar(bar, colour::viridis, &labels);
    canvas.text((TEXT_WIDTH - 6.0, bar.centre().1), "test accuracy", Style::new(8).turned(-90.0));
    let ranked = perceptrons.easy_to_hard();
    let name = |pair: &PairResults| title(names, pair);
    let extremes: Vec<String> =
        [ranked.first(), ranked.last()].into_iter().flatten().map(|p| name(p)).collect();
    let mean = perceptrons.pairs.iter().map(PairResults::test_accuracy).sum::<f64>()
        / perceptrons.pairs.len() as f64;
    let alt = format!(
        "Heat map of the test accuracy of the {} perceptrons of {}. Best and worst: {}; mean {}.",
        perceptrons.pairs.len(),
        perceptrons.data.title,
        list(&extremes),
        percent(mean, 1),
    );
    Figure::new("perceptron_accuracy", canvas.finish(), alt)
}

/// "1 iteration", "2,310 iterations".
fn iterations(count: usize) -> String {
    format!("{} iteration{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// The axes of error curves: iterations across, the training error upwards, both logarithmic; an error of zero lies
/// on the lower edge.
struct ErrorScale {
    iterations: usize,
    floor: f64,
    top: f64,
    touches_zero: bool,
}

impl ErrorScale {
    fn new<'a>(pairs: impl Iterator<Item = &'a PairResults>) -> ErrorScale {
        let mut scale = ErrorScale { iterations: 2, floor: 1e-3, top: 0.5, touches_zero: false };
        for pair in pairs {
            scale.iterations = scale.iterations.max(pair.errors.len());
            for &error in pair.errors.iter().chain([&pair.spec.tolerance]) {
                scale.top = scale.top.max(error);
                scale.floor = if error > 0.0 { scale.floor.min(error) } else { scale.floor };
            }
            scale.touches_zero |= pair.errors.contains(&0.0);
        }
        // The decade below the smallest error, so that nothing but zero lies on the lower edge.
        scale.floor = 10_f64.powf((scale.floor * 0.999).log10().floor());
        scale
    }

    fn panel(&self, canvas: &Canvas, frame: Frame, small: bool) -> Panel {
        let x = Axis {
            range: (1.0, self.iterations as f64),
            log: true,
            step: None,
            format: if small { sparse_label } else { iteration_label },
            title: if small { "" } else { "iteration" },
            gap: 22.0,
        };
        let y = Axis {
            range: (self.bottom(), self.top),
            log: true,
            step: None,
            format: if small { sparse_error_label } else { error_label },
            title: if small { "" } else { "training error" },
            gap: 38.0,
        };
        canvas.panel(frame, &x, &y)
    }

    /// The lower edge: half the floor where zero has to be kept apart from it.
    fn bottom(&self) -> f64 {
        if self.touches_zero { self.floor / 2.0 } else { self.floor }
    }

    /// Where an error is drawn, zero having no logarithm.
    fn shown(&self, error: f64) -> f64 {
        error.max(self.bottom())
    }

    fn curve(&self, panel: &Panel, errors: &[f64], step: f64) -> Vec<(f64, f64)> {
        let points =
            (1..).zip(errors).map(|(pass, &error)| (panel.x(f64::from(pass)), panel.y(self.shown(error))));
        thin(points, step)
    }

    fn tolerance_line(&self, canvas: &mut Canvas, panel: &Panel, tolerance: f64) {
        let y = panel.y(self.shown(tolerance));
        canvas.line(&[(panel.frame.x, y), (panel.frame.right(), y)], INK, 0.6, Some(TOLERANCE));
    }
}

fn title(names: &[String], pair: &PairResults) -> String {
    let (a, b) = (&names[usize::from(pair.spec.a)], &names[usize::from(pair.spec.b)]);
    let diverged = if pair.outcome.diverged.is_some() { ", diverged" } else { "" };
    format!("{a} vs {b} ({}{diverged})", share_number(pair.test_accuracy()) + "\u{a0}%")
}

fn tolerance_label(pair: &PairResults) -> String {
    // Rounded, so that 0.003 is 0.3 per cent and not 0.30000000000000004.
    let tolerance = (pair.spec.tolerance * 1e8).round() / 1e6;
    let tolerance = if tolerance < 1e6 { tolerance.to_string() } else { format!("{tolerance:e}") };
    format!("tolerance ({tolerance}\u{a0}%)")
}

fn iteration_label(iteration: f64) -> String {
    thousands(iteration as usize)
}

/// The labels of a small panel, which has no room for more.
fn sparse_label(iteration: f64) -> String {
    let decade = iteration.log10();
    if (decade - decade.round()).abs() < 1e-6 && iteration < 500.0 {
        iteration_label(iteration)
    } else {
        String::new()
    }
}

fn error_label(error: f64) -> String {
    let decimals = (-2.0 - error.log10().floor()).max(0.0);
    percent(error, decimals as usize)
}

fn sparse_error_label(error: f64) -> String {
    if even_decade(error) { error_label(error) } else { String::new() }
}

/// Whether a number is 1, 100, 0.01, ….
fn even_decade(number: f64) -> bool {
    let decades = number.log10() / 2.0;
    (decades - decades.round()).abs() < 1e-6
}
