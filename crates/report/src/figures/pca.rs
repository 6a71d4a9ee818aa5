//! Principal components: their shares of the variance, the components as images, and images rebuilt from few.

use super::canvas::{Axis, Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::colour::{self, CURVES, GREY, INK, Rgb};
use super::grid::{column_labels, labels_height, labels_overhang, shortened};
use super::raster::Raster;
use super::{list, percent, thousands};
use crate::{Figure, PcaResults};

const BLUE: Rgb = CURVES[0].0;
const RED: Rgb = CURVES[3].0;

/// The share of the variance of each component, and how the shares add up.
pub(super) fn scree(pca: &PcaResults) -> Figure {
    const SHOWN: usize = 50;
    let (top, height, below) = (8.0, 150.0, 30.0);
    let mut canvas = Canvas::new(TEXT_WIDTH, top + height + below);
    let ratios: Vec<f64> =
        pca.outcome.explained_variance_ratio.iter().take(SHOWN).map(|ratio| ratio.max(0.0)).collect();
    let highest = ratios.iter().copied().fold(0.01, f64::max);
    let panel = canvas.panel(
        Frame { x: 36.0, y: top, width: 178.0, height },
        &Axis {
            range: (0.2, ratios.len() as f64 + 0.8),
            log: false,
            step: (ratios.len() >= 20).then_some(10.0).or(Some(1.0)),
            format: |v| format!("{v:.0}"),
            title: "component",
            gap: 22.0,
        },
        &Axis {
            range: (0.0, highest * 1.08),
            log: false,
            step: None,
            format: |v| percent(v, 0),
            title: "share of the variance",
            gap: 30.0,
        },
    );
    let bar = (panel.x(2.0) - panel.x(1.0)) * 0.76;
    for (index, &ratio) in ratios.iter().enumerate() {
        let (x, y) = (panel.x(index as f64 + 1.0) - bar / 2.0, panel.y(ratio));
        canvas.fill(Frame { x, y, width: bar, height: panel.frame.bottom() - y }, BLUE);
    }
    canvas.axes(&panel);

    let cumulative = cumulative(pca);
    let d = cumulative.len();
    let panel = canvas.panel(
        Frame { x: 262.0, y: top, width: TEXT_WIDTH - 262.0 - 8.0, height },
        &Axis {
            range: (1.0, d as f64),
            log: true,
            step: None,
            format: |v| thousands(v as usize),
            title: "components kept",
            gap: 22.0,
        },
        &Axis {
            range: (0.0, 1.0),
            log: false,
            step: Some(0.2),
            format: |v| percent(v, 0),
            title: "cumulative share",
            gap: 34.0,
        },
    );
    canvas.axes(&panel);
    let points: Vec<(f64, f64)> =
        cumulative.iter().enumerate().map(|(i, &share)| (panel.x(i as f64 + 1.0), panel.y(share))).collect();
    let reached = reached(&cumulative);
    for &(share, count) in &reached {
        let (x, y) = (panel.x(count as f64), panel.y(share));
        canvas.line(&[(panel.frame.x, y), (x, y), (x, panel.frame.bottom())], GREY, 0.5, Some("1.5 1.5"));
    }
    canvas.curve(&points, BLUE, 1.4, None);
    for &(share, count) in &reached {
        let (x, y) = (panel.x(count as f64), panel.y(share));
        canvas.polygon(&disc((x, y), 2.6), RED);
        let label = format!("{} ({})", thousands(count), percent(share, 0));
        canvas.text_with_halo((x + 5.0, y + 5.0), &label, Style::new(7).start());
    }
    let marks: Vec<String> = reached
        .iter()
        .map(|&(share, count)| format!("{} for {}", thousands(count), percent(share, 0)))
        .collect();
    let firsts: Vec<String> = ratios.iter().take(3).map(|&ratio| percent(ratio, 1)).collect();
    let alt = format!(
        "Left: bars of the share of the variance of the first {} principal components, falling from {}. Right: the \
         cumulative share over all {} components on a logarithmic axis; components needed: {}.",
        ratios.len(),
        list(&firsts),
        thousands(d),
        list(&marks),
    );
    Figure::new("pca_scree", canvas.finish(), alt)
}

/// The mean image and the first components, on one scale.
pub(super) fn components(pca: &PcaResults) -> Figure {
    const COLUMNS: usize = 5;
    const SHOWN: usize = 9;
    let (h, w) = (pca.data.height, pca.data.width);
    let components: Vec<&[f64]> = pca.components.chunks_exact(h * w).take(SHOWN).collect();
    let largest = components.iter().flat_map(|c| c.iter()).fold(0.0_f64, |largest, v| largest.max(v.abs()));
    let scale = if largest > 0.0 { largest } else { 1.0 };
    let (title, gap, bar) = (13.0, 7.0, 50.0);
    let tile = (TEXT_WIDTH - bar) / COLUMNS as f64 - gap;
    let tile_height = tile * h as f64 / w as f64;
    let rows = (components.len() + 1).div_ceil(COLUMNS);
    let height = (title + tile_height + gap) * rows as f64 - gap + 4.0;
    let mut canvas = Canvas::new(TEXT_WIDTH, height);
    let place = |index: usize| Frame {
        x: 1.0 + (tile + gap) * (index % COLUMNS) as f64,
        y: title + (title + tile_height + gap) * (index / COLUMNS) as f64,
        width: tile,
        height: tile_height,
    };
    let mean = pca.mean.iter().map(|&x| colour::grey((x + 1.0) / 2.0));
    image_tile(&mut canvas, place(0), "mean", w, mean);
    for (index, component) in components.iter().enumerate() {
        let share = pca.outcome.explained_variance_ratio.get(index).map_or(0.0, |&ratio| ratio);
        let title = format!("{} ({})", index + 1, percent(share, 1));
        let pixels = component.iter().map(|&v| colour::diverging(v / scale));
        image_tile(&mut canvas, place(index + 1), &title, w, pixels);
    }
    let bar = |row: usize, last: usize| {
        let (first, last) = (place(row * COLUMNS), place(last * COLUMNS));
        Frame {
            x: TEXT_WIDTH - bar + 6.0,
            y: first.y,
            width: 8.0,
            height: (last.bottom() - first.y).min(tile_height),
        }
    };
    let grey_labels = [(0.0, "−1".to_owned()), (0.5, "0".to_owned()), (1.0, "1 (mean)".to_owned())];
    canvas.colour_bar(bar(0, 0), colour::grey, &grey_labels);
    if rows > 1 {
        let labels = [(0.0, format!("−{scale:.2}")), (0.5, "0".to_owned()), (1.0, format!("{scale:.2}"))];
        canvas.colour_bar(bar(rows - 1, rows - 1), |t| colour::diverging(2.0 * t - 1.0), &labels);
    }
    let total: f64 = pca.outcome.explained_variance_ratio.iter().take(components.len()).sum();
    let alt = format!(
        "The mean training image of {} and the first {} principal components as images of {h} by {w} pixels, blue \
         below and red above zero on one scale from −{scale:.2} to {scale:.2}. Together these components hold {} of \
         the variance.",
        pca.data.title,
        components.len(),
        percent(total, 1),
    );
    Figure::new("pca_components", canvas.finish(), alt)
}

/// One image of each class, and the same image rebuilt from more and more components.
pub(super) fn reconstructions(pca: &PcaResults) -> Figure {
    let (h, w) = (pca.data.height, pca.data.width);
    let names = &shortened(&pca.data.classes);
    let (d, classes) = (h * w, names.len());
    let cumulative = cumulative(pca);
    let counts = &pca.spec.reconstructions;
    let titles: Vec<(String, String)> = std::iter::once(("original".to_owned(), String::new()))
        .chain(counts.iter().map(|&count| {
            let share = cumulative.get(count.wrapping_sub(1)).copied().unwrap_or(0.0);
            let plural = if count == 1 { "" } else { "s" };
            (format!("{count} component{plural}"), format!("{} of variance", percent(share, 1)))
        }))
        .collect();
    let left = titles
        .iter()
        .map(|(first, second)| text_width(first, 8.0).max(text_width(second, 7.0)))
        .fold(0.0, f64::max)
        + 8.0;
    let gap = 2.0;
    let column = (TEXT_WIDTH - left) / classes as f64;
    let column = ((TEXT_WIDTH - left - labels_overhang(names, column)) / classes as f64).min(72.0);
    let tile = column - gap;
    let tile_height = tile * h as f64 / w as f64;
    let top = labels_height(names, column);
    let mut canvas = Canvas::new(TEXT_WIDTH, top + (tile_height + gap) * titles.len() as f64);
    let place = |row: usize, column: usize| Frame {
        x: left + (tile + gap) * column as f64,
        y: top + (tile_height + gap) * row as f64,
        width: tile,
        height: tile_height,
    };
    let centres: Vec<f64> = (0..classes).map(|column| place(0, column).centre().0).collect();
    column_labels(&mut canvas, names, &centres, top, column);
    for (row, (first, second)) in titles.iter().enumerate() {
        let y = place(row, 0).centre().1;
        let lift = if second.is_empty() { 0.0 } else { 4.5 };
        canvas.text((0.0, y - lift), first, Style::new(8).start());
        canvas.text((0.0, y + lift + 1.0), second, Style::new(7).start().colour(GREY));
        for column in 0..classes {
            let pixels: Vec<Rgb> = if row == 0 {
                let image = &pca.originals[column * d..][..d];
                image.iter().map(|&x| colour::grey(f64::from(x) / 255.0)).collect()
            } else {
                let image = &pca.rebuilt[((row - 1) * classes + column) * d..][..d];
                image.iter().map(|&x| colour::grey((f64::from(x) + 1.0) / 2.0)).collect()
            };
            let frame = place(row, column);
            canvas.image(frame, &Raster::blocks(w, pixels.into_iter(), frame.width));
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
    let alt = format!(
        "A test image of each class of {} and below it the same image rebuilt from {} principal components. Mean \
         squared error of a pixel, on a scale from −1 to 1: {}.",
        pca.data.title,
        list(&counts),
        list(&errors),
    );
    Figure::new("pca_reconstructions", canvas.finish(), alt)
}

fn image_tile(
    canvas: &mut Canvas,
    frame: Frame,
    title: &str,
    width: usize,
    pixels: impl Iterator<Item = Rgb>,
) {
    canvas.image(frame, &Raster::blocks(width, pixels, frame.width));
    canvas.outline(frame, INK, 0.4);
    canvas.text((frame.centre().0, frame.y - 6.0), title, Style::new(8));
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

fn disc((x, y): (f64, f64), radius: f64) -> Vec<(f64, f64)> {
    let corner = |index: i32| {
        let (sin, cos) = (f64::from(index) / 20.0 * std::f64::consts::TAU).sin_cos();
        (x + radius * cos, y + radius * sin)
    };
    (0..20).map(corner).collect()
}
