//! Single-layer perceptrons between every two classes: weights, errors and accuracy.

use super::axis::Axis;
use super::canvas::{Canvas, Drawing, Frame, Style, TEXT_WIDTH};
use super::colour::{self, CURVES, GREY, INK, Rgb};
use super::forms::{Cell, Chart, Key, Matrix, Room, Sign, Stroke};
use super::raster::Raster;
use super::registry::{Draw, Spec};
use super::{counted, fixed, list, percent, share, thousands};
use crate::{PairResults, PerceptronResults};

pub(super) const FIGURES: &[Spec] = &[
    Spec::new("perceptron_weights", Draw::Perceptrons(weights)),
    Spec::new("perceptron_errors", Draw::Perceptrons(errors)),
    Spec::new("perceptron_errors_five", Draw::Perceptrons(errors_from_easy_to_hard)),
    Spec::new("perceptron_accuracy", Draw::Perceptrons(accuracy)),
];

const CURVE: Rgb = CURVES[0].0;
/// The line at the tolerance.
const TOLERANCE: Stroke = Stroke(INK, 0.6, Some("2 1.5"));

/// Share of an image's weights that its colour scale covers: a few weights at pixels that are hardly ever inked are
/// many times larger than the rest, which would be left pale.
const COVERED: f64 = 0.98;

/// The row and the column of a pair.
fn place(pair: &PairResults) -> (usize, usize) {
    (usize::from(pair.spec.a), usize::from(pair.spec.b))
}

/// The weights of every perceptron as an image.
fn weights(perceptrons: &PerceptronResults) -> Drawing {
    let data = &perceptrons.data;
    let aspect = data.height as f64 / data.width as f64;
    let height = |width| width * aspect;
    let matrix = Matrix::pairs(&data.classes, &Room { widest: 150.0, height: &height, ..Room::page() });
    let mut canvas = Canvas::page();
    matrix.labels(&mut canvas);
    let mut largest = Vec::new();
    for pair in &perceptrons.pairs {
        let (a, b) = place(pair);
        let frame = matrix.cell(a, b).inset(1.0);
        // The sum over a pixel's channels says what its brightness does.
        let weights: Vec<f32> = pair.weights.chunks_exact(data.channels).map(|w| w.iter().sum()).collect();
        let (most, scale) = sizes(&weights);
        let pixels = weights.iter().map(|w| colour::diverging(f64::from(w / scale)));
        canvas.image(frame, &Raster::blocks(data.width, pixels, frame.width));
        canvas.outline(frame, GREY, 0.3);
        largest.push(most);
    }
    let mut key = Key::column(165.0);
    key.heading("Weights of row against column");
    key.note("red pixels favour the column’s class (+1), blue ones the row’s (−1)");
    if data.channels > 1 {
        key.note("weights of red, green and blue added up");
    }
    let labels = [(0.0, "−s"), (0.5, "0"), (1.0, "s")].map(|(t, label)| (t, label.to_owned()));
    key.bar(|t| colour::diverging(2.0 * t - 1.0), labels);
    key.note(format!("each image on its own scale s, below which {} of |w| lie", percent(COVERED, 0)));
    matrix.key(&mut canvas, &key);
    let (low, high) = largest.iter().fold((f32::MAX, 0.0_f32), |(low, high), &w| (low.min(w), high.max(w)));
    canvas.described(format!(
        "Weights of the {} perceptrons of {} as images of {} by {} pixels{}, one for each pair of classes; blue weights \
         favour the row’s class, red ones for the column’s. Each image has its own scale; the largest weight is \
         between {} and {} in size.",
        perceptrons.pairs.len(),
        data.title,
        data.height,
        data.width,
        if data.channels > 1 { ", the weights of a pixel’s three colours added up" } else { "" },
        size(low),
        size(high),
    ))
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
fn errors(perceptrons: &PerceptronResults) -> Drawing {
    // What the axes of the panels along the diagonal take at their left and below them.
    const AXES: (f64, f64) = (32.5, 16.0);
    let scale = ErrorScale::new(&perceptrons.pairs);
    let (corner, width) = ((AXES.0 + 1.0, 0.0), TEXT_WIDTH - AXES.0 - 1.0);
    let room = Room { corner, width, widest: 150.0, height: &|width| 0.82 * width, ..Room::page() };
    let matrix = Matrix::pairs(&perceptrons.data.classes, &room);
    // Small panels have no room for axes.
    let with_axes = matrix.cell(0, 1).width > 30.0;
    let (x, y) = (Axis::log(scale.iterations, sparse_label), Axis::log(scale.errors, sparse_error_label));
    let mut canvas = Canvas::page();
    matrix.labels(&mut canvas);
    for pair in &perceptrons.pairs {
        let (a, b) = place(pair);
        let mut chart = Chart::bare(&mut canvas, matrix.cell(a, b).inset(2.0), &x, &y);
        // Along the diagonal a panel has no neighbour at its left and below it: there is room for its axes.
        if b == a + 1 && with_axes {
            chart.axes();
        }
        chart.across(pair.spec.tolerance, TOLERANCE);
        chart.curve(curve(&pair.errors), Stroke(CURVE, 0.7, None));
        if let Some(end) = curve(&pair.errors).last() {
            chart.end(end, 1.2, INK);
        }
    }
    let mut key = Key::column(180.0);
    key.heading("Row against column");
    key.add(Sign::Line(CURVE, None), "share of training images misclassified (log)");
    key.add(Sign::Line(INK, TOLERANCE.2), tolerance_label(&perceptrons.pairs[0]));
    key.add(Sign::End(INK), "last iteration");
    let longest = perceptrons.pairs.iter().map(|pair| pair.errors.len()).max().unwrap_or(0);
    key.note(match longest {
        0 | 1 => "across: the first iteration".to_owned(),
        _ => format!("across: iterations, 1 to {} (log)", thousands(longest)),
    });
    if !with_axes {
        let [low, high] = [scale.floor, scale.errors.1].map(error_label);
        key.note(format!("upwards: errors, {low} to {high} (log)"));
    }
    matrix.key_clear_of(&mut canvas, &key, AXES);
    let converged = perceptrons.pairs.iter().filter(|pair| pair.outcome.converged);
    let mut passes: Vec<usize> = converged.map(|pair| pair.outcome.iterations).collect();
    passes.sort_unstable();
    let range = match (passes.first(), passes.last()) {
        (Some(first), Some(last)) if first == last => format!(", after {}", counted(*last, "iteration")),
        (Some(first), Some(last)) => {
            format!(", after {} to {}", thousands(*first), counted(*last, "iteration"))
        }
        _ => String::new(),
    };
    canvas.described(format!(
        "Training error of the {} perceptrons against the iteration, a small panel for each pair of classes, both axes \
         logarithmic. Of {}, {} reached the tolerance{range}.",
        perceptrons.pairs.len(),
        if perceptrons.pairs.len() == 1 {
            "one pair".to_owned()
        } else {
            format!("{} pairs", perceptrons.pairs.len())
        },
        passes.len(),
    ))
}

/// The error curves of five pairs from easy to hard.
fn errors_from_easy_to_hard(perceptrons: &PerceptronResults) -> Drawing {
    let names = &perceptrons.data.classes;
    let pairs = perceptrons.easy_to_hard();
    let scale = ErrorScale::new(pairs.iter().copied());
    let labels: Vec<String> = pairs.iter().map(|pair| title(names, pair)).collect();
    let mut key = Key::column(140.0);
    key.heading("pair (test accuracy)");
    for (label, (colour, dash)) in labels.iter().zip(CURVES) {
        key.add(Sign::Line(colour, dash), label);
    }
    key.add(Sign::Line(INK, TOLERANCE.2), tolerance_label(pairs[0]));
    for note in ["strong: lowest error so far", "pale: error of each iteration", "square: last iteration"] {
        key.note(note);
    }
    let x = Axis::log(scale.iterations, iteration_label).titled("iteration");
    let y = Axis::log(scale.errors, error_label).titled("training error");
    let mut canvas = Canvas::page();
    let mut chart = Chart::beside(&mut canvas, &key, 190.0, (&x, &y));
    if scale.touches_zero {
        let at = (chart.frame.x - 6.0, chart.frame.bottom());
        chart.canvas.text(at, "0", Style::new(7).end());
    }
    chart.across(pairs[0].spec.tolerance, TOLERANCE);
    // The error of online learning jumps from pass to pass: pale curves show that, strong ones what was reached.
    for (pair, (colour, _)) in pairs.iter().zip(CURVES) {
        chart.curve(curve(&pair.errors), Stroke(colour::pale(colour), 0.5, None));
    }
    for (pair, (colour, dash)) in pairs.iter().zip(CURVES) {
        let lowest = pair.errors.iter().scan(f64::INFINITY, |lowest, &error| {
            *lowest = lowest.min(error);
            Some(*lowest)
        });
        let lowest: Vec<f64> = lowest.collect();
        chart.curve(curve(&lowest), Stroke(colour, 1.4, dash));
        if let Some(end) = curve(&pair.errors).last() {
            chart.end(end, 1.8, colour);
        }
    }
    let ends: Vec<String> = pairs
        .iter()
        .zip(&labels)
        .map(|(pair, label)| {
            let iterations = counted(pair.outcome.iterations, "iteration");
            match pair.errors.last() {
                Some(&error) => format!("{label}: error {} after {iterations}", percent(error, 2)),
                None => format!("{label}: no iteration with finite weights"),
            }
        })
        .collect();
    canvas.described(format!(
        "Training error against the iteration, both axes logarithmic, for {} pairs from easy to hard, with test \
         accuracies. {}.",
        pairs.len(),
        ends.join("; "),
    ))
}

/// The test accuracy of every perceptron.
fn accuracy(perceptrons: &PerceptronResults) -> Drawing {
    let names = &perceptrons.data.classes;
    let height = |width: f64| (width * 0.62).max(12.0);
    let matrix =
        Matrix::table(names, names, &Room { beside: 68.0, widest: 60.0, height: &height, ..Room::page() });
    let mut canvas = Canvas::page();
    let worst = perceptrons.pairs.iter().map(PairResults::test_accuracy).fold(1.0, f64::min);
    // From the whole per cent below the worst pair, so that the colours differ where the pairs do.
    let low = ((worst * 100.0).floor() / 100.0).min(0.99);
    let number = |accuracy: f64| match accuracy {
        accuracy if matrix.holds("99.9") => share(accuracy, 1),
        // What is not all never reads so.
        accuracy if accuracy < 1.0 => fixed(100.0 * accuracy.min(0.99), 0),
        _ => "100".into(),
    };
    let cells = perceptrons.pairs.iter().flat_map(|pair| {
        let ((a, b), accuracy) = (place(pair), pair.test_accuracy());
        let cell = || Cell::new(colour::viridis((accuracy - low) / (1.0 - low))).line(number(accuracy));
        [((a, b), cell()), ((b, a), cell())]
    });
    matrix.draw(&mut canvas, cells);
    let bar = Frame { x: matrix.frame.right() + 14.0, width: 9.0, ..matrix.frame };
    let labels = [0.0, 0.5, 1.0].map(|t| (t, percent(low + (1.0 - low) * t, 1)));
    canvas.colour_bar(bar, colour::viridis, &labels);
    canvas.text((bar.x + 46.0, bar.centre().1), "test accuracy", Style::new(8).turned(-90.0));
    let ranked = perceptrons.easy_to_hard();
    let ends = ranked.first().into_iter().chain(ranked.last());
    let extremes: Vec<String> = ends.map(|pair| title(names, pair)).collect();
    let mean = perceptrons.pairs.iter().map(PairResults::test_accuracy).sum::<f64>()
        / perceptrons.pairs.len() as f64;
    canvas.described(format!(
        "Heat map of the test accuracy of the {} perceptrons of {}. Best and worst: {}; mean {}.",
        perceptrons.pairs.len(),
        perceptrons.data.title,
        list(&extremes),
        percent(mean, 1),
    ))
}

/// The axes of error curves: iterations across, the training error upwards, both logarithmic; an error of zero lies
/// on the lower edge.
struct ErrorScale {
    iterations: (f64, f64),
    errors: (f64, f64),
    /// A power of ten below every error but zero.
    floor: f64,
    touches_zero: bool,
}

impl ErrorScale {
    fn new<'a>(pairs: impl IntoIterator<Item = &'a PairResults>) -> ErrorScale {
        let (mut longest, mut least, mut most, mut touches_zero) = (2, 1e-3_f64, 0.5_f64, false);
        for pair in pairs {
            longest = longest.max(pair.errors.len());
            touches_zero |= pair.errors.contains(&0.0);
            for &error in pair.errors.iter().chain([&pair.spec.tolerance]) {
                most = most.max(error);
                least = if error > 0.0 { least.min(error) } else { least };
            }
        }
        // The decade below the smallest error, so that nothing but zero lies on the lower edge.
        let floor = 10_f64.powf((least * 0.999).log10().floor());
        // From half the floor where zero has to be kept apart from it.
        let lowest = if touches_zero { floor / 2.0 } else { floor };
        ErrorScale { iterations: (1.0, longest as f64), errors: (lowest, most), floor, touches_zero }
    }
}

/// The error after each iteration.
fn curve(errors: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    (1..).map(f64::from).zip(errors.iter().copied())
}

fn title(names: &[String], pair: &PairResults) -> String {
    let (a, b) = (&names[usize::from(pair.spec.a)], &names[usize::from(pair.spec.b)]);
    let diverged = if pair.outcome.diverged.is_some() { ", diverged" } else { "" };
    format!("{a} vs {b} ({}{diverged})", percent(pair.test_accuracy(), 1))
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

fn error_label(error: f64) -> String {
    let decimals = (-2.0 - error.log10().floor()).max(0.0);
    percent(error, decimals as usize)
}

/// Whether a number is a power of ten to the power of `tens`.
fn is_power(number: f64, tens: f64) -> bool {
    let power = number.log10() / tens;
    (power - power.round()).abs() < 1e-6
}

/// The labels of a small panel, which has no room for more.
fn sparse_label(iteration: f64) -> String {
    if is_power(iteration, 1.0) && iteration < 500.0 { iteration_label(iteration) } else { String::new() }
}

fn sparse_error_label(error: f64) -> String {
    if is_power(error, 2.0) { error_label(error) } else { String::new() }
}
