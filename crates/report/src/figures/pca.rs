//! Principal components: their shares of the variance, the components as images, and images rebuilt from few.

use super::axis::Axis;
use super::canvas::{Canvas, Drawing, Frame, Style, TEXT_WIDTH, text_width};
use super::colour::{self, CURVES, GREY, INK, Rgb};
use super::forms::{Matrix, Panels, Room, Stroke, Tiles, picture};
use super::raster::Raster;
use super::registry::{Draw, Spec};
use super::{list, percent, thousands};
use crate::PcaResults;

pub(super) const FIGURES: &[Spec] = &[
    Spec::new("pca_scree", Draw::Pca(scree)),
    Spec::new("pca_components", Draw::Pca(components)),
    Spec::new("pca_reconstructions", Draw::Pca(reconstructions)),
];

const BLUE: Rgb = CURVES[0].0;
const RED: Rgb = CURVES[3].0;

/// The share of the variance of each component, and how the shares add up.
fn scree(pca: &PcaResults) -> Drawing {
    const SHOWN: usize = 50;
    let panels = Panels { top: 0.0, columns: 2, heights: &[150.0], shared: false };
    let mut canvas = Canvas::page();
    let ratios: Vec<f64> =
        pca.outcome.explained_variance_ratio.iter().take(SHOWN).map(|ratio| ratio.max(0.0)).collect();
    let highest = ratios.iter().copied().fold(0.01, f64::max);
    let step = if ratios.len() >= 20 { 10.0 } else { 1.0 };
    let x = Axis::linear((0.2, ratios.len() as f64 + 0.8), 5.0, |v| format!("{v:.0}")).step(step);
    let y = Axis::shares((0.0, highest * 1.08), 8.0).titled("share of the variance");
    let mut bars = panels.chart(&mut canvas, (0, 0), &x.titled("component"), &y);
    for (index, &ratio) in ratios.iter().enumerate() {
        bars.bar(index as f64 + 1.0, 0.38, ratio, BLUE);
    }
    let cumulative = cumulative(pca);
    let d = cumulative.len();
    let x = Axis::log((1.0, d as f64), |v| thousands(v as usize)).titled("components kept");
    let y = Axis::shares((0.0, 1.0), 5.0).titled("cumulative share");
    let mut sums = panels.chart(&mut canvas, (1, 0), &x, &y);
    let reached = reached(&cumulative);
    for &(share, count) in &reached {
        let count = count as f64;
        sums.curve([(1.0, share), (count, share), (count, 0.0)], Stroke(GREY, 0.5, Some("1.5 1.5")));
    }
    sums.curve((1..).map(f64::from).zip(cumulative.iter().copied()), Stroke(BLUE, 1.4, None));
    // From the top down, so that each label stands below the one before.
    let mut last = 0.0_f64;
    for &(share, count) in reached.iter().rev() {
        let point = (count as f64, share);
        sums.marks([point], (0, 2.6), RED);
        let (x, y) = sums.at(point);
        last = (y + 5.0).max(last + 8.5);
        let label = format!("{} ({})", thousands(count), percent(share, 0));
        // Of few components, nearly all are at the right end.
        let left = (x + 5.0).min(TEXT_WIDTH - text_width(&label, 7.0));
        sums.canvas.text_with_halo((left, last), &label, Style::new(7).start());
    }
    let marks: Vec<String> = reached
        .iter()
        .map(|&(share, count)| format!("{} for {}", thousands(count), percent(share, 0)))
        .collect();
    let firsts: Vec<String> = ratios.iter().take(3).map(|&ratio| percent(ratio, 1)).collect();
    canvas.described(format!(
        "Left: bars of the share of the variance of the first {} principal components, falling from {}. Right: the \
         cumulative share over all {} components on a logarithmic axis; components needed: {}.",
        ratios.len(),
        list(&firsts),
        thousands(d),
        list(&marks),
    ))
}

/// The mean image and the first components, on one scale.
fn components(pca: &PcaResults) -> Drawing {
    const COLUMNS: usize = 5;
    const SHOWN: usize = 9;
    let (h, w, channels) = (pca.data.height, pca.data.width, pca.data.channels);
    let components: Vec<&[f64]> = pca.components.chunks_exact(h * w * channels).take(SHOWN).collect();
    let largest = components.iter().flat_map(|c| c.iter()).fold(0.0_f64, |largest, v| largest.max(v.abs()));
    let scale = if largest > 0.0 { largest } else { 1.0 };
    let (gap, aspect) = (7.0, h as f64 / w as f64);
    let tiles = Tiles { columns: COLUMNS, gap, above: 13.0, below: 7.0, sides: (0.0, 50.0), aspect };
    let mut canvas = Canvas::page();
    let mut tile = |index: usize, title: &str, pixels: Vec<Rgb>| {
        let frame = tiles.frame(index);
        picture(&mut canvas, frame, w, pixels);
        canvas.text((frame.centre().0, frame.y - 6.0), title, Style::new(8));
    };
    tile(0, "mean", colour::pixels(pca.mean.iter().map(|&x| (x + 1.0) / 2.0), channels));
    for (index, component) in components.iter().enumerate() {
        let share = pca.outcome.explained_variance_ratio.get(index).map_or(0.0, |&ratio| ratio);
        let title = format!("{} ({})", index + 1, percent(share, 1));
        // In colour, a number of each channel leads away from the middle of its brightness.
        let pixels = match channels {
            1 => component.iter().map(|&v| colour::diverging(v / scale)).collect(),
            _ => colour::pixels(component.iter().map(|&v| (v / scale + 1.0) / 2.0), channels),
        };
        tile(index + 1, &title, pixels);
    }
    let bar = |index: usize| {
        let frame = tiles.frame(index);
        Frame { x: tiles.frame(COLUMNS - 1).right() + 10.0, width: 8.0, ..frame }
    };
    let grey_labels = [(0.0, "−1".to_owned()), (0.5, "0".to_owned()), (1.0, "1 (mean)".to_owned())];
    canvas.colour_bar(bar(0), colour::grey, &grey_labels);
    if components.len() >= COLUMNS {
        let labels = [(0.0, format!("−{scale:.2}")), (0.5, "0".to_owned()), (1.0, format!("{scale:.2}"))];
        let scale = |t: f64| if channels == 1 { colour::diverging(2.0 * t - 1.0) } else { colour::grey(t) };
        canvas.colour_bar(bar(components.len()), scale, &labels);
    }
    let total: f64 = pca.outcome.explained_variance_ratio.iter().take(components.len()).sum();
    canvas.described(format!(
        "The mean training image of {} and the first {} principal components as images of {h} by {w} pixels, {} \
         on one scale from −{scale:.2} to {scale:.2}. Together these components hold {} of \
         the variance.",
        pca.data.title,
        components.len(),
        if channels == 1 {
            "blue below and red above zero"
        } else {
            "each of red, green and blue dark below and bright above zero"
        },
        percent(total, 1),
    ))
}

/// One image of each class, and the same image reconstructed from more and more components.
fn reconstructions(pca: &PcaResults) -> Drawing {
    const GAP: f64 = 2.0;
    let (h, w, channels) = (pca.data.height, pca.data.width, pca.data.channels);
    let (d, classes) = (h * w * channels, pca.data.classes.len());
    let cumulative = cumulative(pca);
    let counts = &pca.spec.reconstructions;
    let titles: Vec<(String, String)> = std::iter::once(("original".to_owned(), String::new()))
        .chain(counts.iter().map(|&count| {
            let share = cumulative.get(count.wrapping_sub(1)).copied().unwrap_or(0.0);
            let plural = if count == 1 { "" } else { "s" };
            (format!("{count} component{plural}"), format!("{} of variance", percent(share, 1)))
        }))
        .collect();
    let width = |(first, second): &(String, String)| text_width(first, 8.0).max(text_width(second, 7.0));
    let left = titles.iter().map(width).fold(0.0, f64::max) + 8.0;
    // A row has room for two lines of text, however small its images are.
    let image_height = |width: f64| (width - GAP) * h as f64 / w as f64;
    let height = |width| (image_height(width) + GAP).max(20.0);
    let room = Room { left, widest: 72.0, height: &height, ..Room::page() };
    let matrix = Matrix::table(&vec![String::new(); titles.len()], &pca.compared_data.classes, &room);
    let mut canvas = Canvas::page();
    matrix.labels(&mut canvas);
    for (row, (first, second)) in titles.iter().enumerate() {
        let y = matrix.cell(row, 0).centre().1;
        let lift = if second.is_empty() { 0.0 } else { 4.5 };
        canvas.text((0.0, y - lift), first, Style::new(8).start());
        canvas.text((0.0, y + lift + 1.0), second, Style::new(7).start().colour(INK));
        for (column, &class) in pca.compared.iter().enumerate() {
            let class = usize::from(class);
            let pixels: Vec<Rgb> = if row == 0 {
                colour::pixels_of_bytes(&pca.originals[class * d..][..d], channels)
            } else {
                let image = &pca.rebuilt[((row - 1) * classes + class) * d..][..d];
                colour::pixels(image.iter().map(|&x| (f64::from(x) + 1.0) / 2.0), channels)
            };
            let (cell, tall) = (matrix.cell(row, column), image_height(matrix.cell(row, column).width));
            let (x, y, width) = (cell.x + GAP / 2.0, cell.centre().1 - tall / 2.0, cell.width - GAP);
            let frame = Frame { x, y, width, height: tall };
            canvas.image(frame, &Raster::blocks(w, pixels, frame.width));
        }
    }
    let errors: Vec<String> = counts
        .iter()
        .zip(pca.rebuilt.chunks_exact(classes * d))
        .map(|(count, rebuilt)| {
            let squares = pca.originals.iter().zip(rebuilt).map(|(&original, &rebuilt)| {
                (f64::from(original) / 127.5 - 1.0 - f64::from(rebuilt)).powi(2)
            });
            format!("{:.3} from {count}", squares.sum::<f64>() / (classes * d) as f64)
        })
        .collect();
    let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
    canvas.described(format!(
        "A test image of each class of {} and below it the same image reconstructed from {} principal components. Mean \
         squared error of a pixel, on a scale from −1 to 1: {}.",
        pca.data.title,
        list(&counts),
        list(&errors),
    ))
}

/// The share of the variance that the first 1, 2, … d components hold.
fn cumulative(pca: &PcaResults) -> Vec<f64> {
    let total = pca.outcome.total_variance;
    let sums = pca.spectrum.iter().scan(0.0, |sum, variance| {
        *sum += variance;
        Some(*sum)
    });
    sums.map(|sum| if total > 0.0 { (sum / total).min(1.0) } else { 0.0 }).collect()
}

/// How many components reach certain shares of the variance.
fn reached(cumulative: &[f64]) -> Vec<(f64, usize)> {
    let count = |share: f64| cumulative.iter().position(|&sum| sum >= share).map(|index| (share, index + 1));
    [0.5, 0.8, 0.9, 0.95].into_iter().filter_map(count).collect()
}
