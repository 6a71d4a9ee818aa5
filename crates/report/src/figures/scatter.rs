//! The training images in the plane of the first two principal components.

use super::canvas::{Axis, Canvas, Frame, Panel, Style, TEXT_WIDTH, text_width};
use super::colour::{self, CROWD, GREY, INK, Rgb};
use super::grid::label_size;
use super::names::all_fitted;
use super::raster::{Raster, Stamp, marker};
use super::{list, percent, signed, thousands};
use crate::{Figure, PcaResults};

/// All images, with a colour and a marker for each class.
pub(super) fn all_classes(pca: &PcaResults) -> Figure {
    const WIDEST: f64 = 90.0;
    const HIGHEST: f64 = 600.0;
    let names = &all_fitted(&pca.data.classes, 8.0, WIDEST);
    let (left, top, below) = (34.0, 5.0, 30.0);
    let legend =
        names.iter().map(|name| text_width(name, 8.0)).fold(text_width("class", 8.0), f64::max) + 24.0;
    let (x_range, y_range) = ranges(&pca.embedding);
    let width = TEXT_WIDTH - left - legend;
    // One unit is as long on both axes: distances in the plane are what the plot is for.
    let height = width * (y_range.1 - y_range.0) / (x_range.1 - x_range.0);
    // Many classes stand closer together, so that all are on the page.
    let line = (HIGHEST / names.len() as f64).min(13.0);
    let listed = top + 14.0 + line * names.len() as f64;
    let mut canvas = Canvas::new(TEXT_WIDTH, (top + height + below).max(listed));
    let (x_title, y_title) = (axis_title(pca, 0), axis_title(pca, 1));
    // A low panel has no room for all of it.
    let y_title = if text_width(&y_title, 8.0) <= height { y_title } else { "component 2".to_owned() };
    let panel = canvas.panel(
        Frame { x: left, y: top, width, height },
        &Axis { range: x_range, log: false, step: None, format: tick, title: &x_title, gap: 22.0 },
        &Axis { range: y_range, log: false, step: None, format: tick, title: &y_title, gap: 25.0 },
    );
    let mut cloud = Raster::cloud(width, height);
    let radius = marker_radius(pca.embedding.len());
    let stamps: Vec<Stamp> = (0..names.len()).map(|label| Stamp::new(label, radius, 0.8)).collect();
    // In the order of the data set, in which classes alternate, so that none covers the others.
    for (point, &label) in pca.embedding.iter().zip(&pca.labels) {
        cloud.stamp(share(&panel, point), &stamps[usize::from(label)], colour::class(usize::from(label)));
    }
    canvas.image(panel.frame, &cloud);
    canvas.axes(&panel);
    let centres = centres(pca);
    label_centres(&mut canvas, &panel, names, &centres);
    let x = panel.frame.right() + 12.0;
    canvas.text((x - 4.0, top + 6.0), "class", Style::new(8).bold().start());
    for (label, name) in names.iter().enumerate() {
        let y = top + 7.0 + line * (label + 1) as f64;
        draw_marker(&mut canvas, (x, y), label, 3.0);
        canvas.text((x + 8.0, y), name, Style::new(label_size(line)).start());
    }
    let places: Vec<String> = pca
        .data
        .classes
        .iter()
        .zip(&centres)
        .filter_map(|(name, centre)| centre.map(|[x, y]| format!("{name} ({}, {})", signed(x), signed(y))))
        .collect();
    let ratio = &pca.outcome.explained_variance_ratio;
    let alt = format!(
        "Scatter plot of {} training images of {} on the first two principal components, which hold {} of the \
         variance ({} and {}), with a colour and a marker for each class. Class centres: {}.",
        thousands(pca.embedding.len()),
        pca.data.title,
        percent(ratio.iter().take(2).sum(), 1),
        share_of(pca, 0),
        share_of(pca, 1),
        list(&places),
    );
    Figure::new("pca_scatter", canvas.finish(), alt)
}

/// The same plane once for each class, the class in its colour over all images in grey.
pub(super) fn class_by_class(pca: &PcaResults) -> Figure {
    const COLUMNS: usize = 5;
    const MOST_COLUMNS: usize = 20;
    const HIGHEST: f64 = 620.0;
    let (left, below, title, gap) = (32.0, 28.0, 14.0, 6.0);
    let (x_range, y_range) = ranges(&pca.embedding);
    let size = |columns: usize| {
        let width = (TEXT_WIDTH - left - 6.0) / columns as f64 - gap;
        (width, width * (y_range.1 - y_range.0) / (x_range.1 - x_range.0))
    };
    let classes = pca.data.classes.len();
    let fits = |&columns: &usize| {
        (title + gap + size(columns).1) * classes.div_ceil(columns) as f64 + below <= HIGHEST
    };
    // As large as fits a page.
    let across = (COLUMNS..MOST_COLUMNS).find(fits).unwrap_or(MOST_COLUMNS);
    let (width, height) = size(across);
    let columns = classes.min(across);
    let rows = classes.div_ceil(columns);
    let names = &all_fitted(&pca.data.classes, 1.06 * 8.0, width + gap - 2.0);
    let mut canvas =
        Canvas::new(TEXT_WIDTH, (title + height) * rows as f64 + gap * (rows - 1) as f64 + below);
    let radius = 0.55 * marker_radius(pca.embedding.len());
    for (label, name) in names.iter().enumerate() {
        let (row, column) = (label / columns, label % columns);
        let x = left + (width + gap) * column as f64;
        let y = title + (title + height + gap) * row as f64;
        let axis = |range, title, gap| Axis {
            range,
            log: false,
            step: Some(step(x_range)),
            format: tick,
            title,
            gap,
        };
        let panel = canvas.panel(
            Frame { x, y, width, height },
            &axis(x_range, "component 1", 20.0),
            &axis(y_range, "component 2", 22.0),
        );
        let mut cloud = Raster::cloud(width, height);
        let (others, own) = (Stamp::new(0, radius, 1.0), Stamp::new(0, radius, 0.7));
        for front in [false, true] {
            let (stamp, colour) = if front { (&own, colour::class(label)) } else { (&others, CROWD) };
            let points = pca.embedding.iter().zip(&pca.labels);
            for (point, _) in points.filter(|(_, of)| !front || usize::from(**of) == label) {
                cloud.stamp(share(&panel, point), stamp, colour);
            }
        }
        canvas.image(panel.frame, &cloud);
        canvas.outline(panel.frame, GREY, 0.5);
        // All panels share their axes, so one at the lower left tells them all.
        if row + 1 == rows && column == 0 {
            canvas.axes(&panel);
        }
        canvas.text((x + width / 2.0, y - 7.0), name, Style::new(8).bold());
    }
    let alt = format!(
        "{} small panels, one for each class of {}: the class in its colour over all {} training images in grey, in \
         the plane of the first two principal components. {}",
        names.len(),
        pca.data.title,
        thousands(pca.embedding.len()),
        spread(pca),
    );
    Figure::new("pca_scatter_classes", canvas.finish(), alt)
}

/// The tightest and the widest class, by the root mean square distance from its centre.
fn spread(pca: &PcaResults) -> String {
    let centres = centres(pca);
    let mut sums = vec![(0.0, 0_usize); centres.len()];
    for ([x, y], &label) in pca.embedding.iter().zip(&pca.labels) {
        if let Some([x0, y0]) = centres[usize::from(label)] {
            let (sum, count) = &mut sums[usize::from(label)];
            *sum += (x - x0).powi(2) + (y - y0).powi(2);
            *count += 1;
        }
    }
    let radii = sums.iter().zip(&pca.data.classes).filter(|((_, count), _)| *count > 0);
    let mut radii: Vec<(f64, &String)> =
        radii.map(|((sum, count), name)| ((sum / *count as f64).sqrt(), name)).collect();
    radii.sort_by(|a, b| a.0.total_cmp(&b.0));
    match (radii.first(), radii.last()) {
        (Some((small, tight)), Some((large, wide))) => format!(
            "Tightest about its centre is class {tight} (root mean square distance {small:.1}), widest class {wide} \
             ({large:.1})."
        ),
        _ => String::new(),
    }
}

/// The mean of each class in the plane, where it has images.
fn centres(pca: &PcaResults) -> Vec<Option<[f64; 2]>> {
    let mut sums = vec![([0.0, 0.0], 0_usize); pca.data.classes.len()];
    for ([x, y], &label) in pca.embedding.iter().zip(&pca.labels) {
        let (sum, count) = &mut sums[usize::from(label)];
        *sum = [sum[0] + x, sum[1] + y];
        *count += 1;
    }
    let mean = |([x, y], count): ([f64; 2], usize)| (count > 0).then(|| [x / count as f64, y / count as f64]);
    sums.into_iter().map(mean).collect()
}

/// Writes each class's name at its centre; names that would overlap are moved apart, with a line to the centre.
fn label_centres(canvas: &mut Canvas, panel: &Panel, names: &[String], centres: &[Option<[f64; 2]>]) {
    const SIZE: u32 = 12;
    let present =
        centres.iter().enumerate().filter_map(|(label, centre)| centre.map(|centre| (label, centre)));
    let present: Vec<(usize, (f64, f64))> =
        present.map(|(label, [x, y])| (label, (panel.x(x), panel.y(y)))).collect();
    let sizes: Vec<(f64, f64)> =
        present.iter().map(|&(label, _)| (text_width(&names[label], f64::from(SIZE)) + 4.0, 12.0)).collect();
    let mut places: Vec<(f64, f64)> = present.iter().map(|&(_, centre)| centre).collect();
    move_apart(&mut places, &sizes, panel.frame);
    for (&(_, centre), place) in present.iter().zip(&places) {
        if (place.0 - centre.0).hypot(place.1 - centre.1) > 3.0 {
            canvas.line(&[centre, *place], colour::WHITE, 2.4, None);
            canvas.line(&[centre, *place], INK, 0.8, None);
            let dot = 1.4;
            canvas.fill(
                Frame { x: centre.0 - dot, y: centre.1 - dot, width: 2.0 * dot, height: 2.0 * dot },
                INK,
            );
        }
    }
    for (&(label, _), &place) in present.iter().zip(&places) {
        let shade = colour::readable(colour::class(label));
        canvas.text_with_halo(place, &names[label], Style::new(SIZE).bold().colour(shade));
    }
}

/// Moves boxes of these sizes, given by their centres, until none overlaps another, within a frame.
fn move_apart(places: &mut [(f64, f64)], sizes: &[(f64, f64)], frame: Frame) {
    for _ in 0..300 {
        let mut still = true;
        for (place, (width, height)) in places.iter_mut().zip(sizes) {
            place.0 = place.0.min(frame.right() - width / 2.0).max(frame.x + width / 2.0);
            place.1 = place.1.min(frame.bottom() - height / 2.0).max(frame.y + height / 2.0);
        }
        for i in 0..places.len() {
            for j in i + 1..places.len() {
                let (dx, dy) = (places[j].0 - places[i].0, places[j].1 - places[i].1);
                let over_x = (sizes[i].0 + sizes[j].0) / 2.0 - dx.abs();
                let over_y = (sizes[i].1 + sizes[j].1) / 2.0 - dy.abs();
                if over_x <= 0.0 || over_y <= 0.0 {
                    continue;
                }
                still = false;
                let (x, y) = if over_x < over_y {
                    (over_x.copysign(dx) / 2.0 + 0.05_f64.copysign(dx), 0.0)
                } else {
                    (0.0, over_y.copysign(dy) / 2.0 + 0.05_f64.copysign(dy))
                };
                places[i] = (places[i].0 - x, places[i].1 - y);
                places[j] = (places[j].0 + x, places[j].1 + y);
            }
        }
        if still {
            return;
        }
    }
}

fn draw_marker(canvas: &mut Canvas, (x, y): (f64, f64), label: usize, radius: f64) {
    let corners: Vec<(f64, f64)> =
        marker(label).iter().map(|(u, v)| (x + u * radius, y + v * radius)).collect();
    let colour: Rgb = colour::class(label);
    canvas.polygon(&corners, colour);
}

/// The radius of a marker in points: smaller the more there are, but never too small for its shape.
fn marker_radius(points: usize) -> f64 {
    (75.0 / (points.max(1) as f64).sqrt()).clamp(0.8, 1.4)
}

/// The ranges of both components, with a margin. Where one is much shorter than the other, it is widened, for a
/// panel that is neither flat nor tall.
pub(super) fn ranges(points: &[[f64; 2]]) -> ((f64, f64), (f64, f64)) {
    const FLATTEST: f64 = 0.5;
    const TALLEST: f64 = 1.1;
    let range = |axis: usize| {
        let values = points.iter().map(|point| point[axis]);
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        let margin = if high > low { 0.025 * (high - low) } else { 1.0 };
        if low <= high { (low - margin, high + margin) } else { (-1.0, 1.0) }
    };
    let widened = |(low, high): (f64, f64), length: f64| {
        let more = ((length - (high - low)) / 2.0).max(0.0);
        (low - more, high + more)
    };
    let (x, y) = (range(0), range(1));
    (widened(x, (y.1 - y.0) / TALLEST), widened(y, (x.1 - x.0) * FLATTEST))
}

/// Where a point lies in a panel, as shares of its width and height from the top left.
fn share(panel: &Panel, [x, y]: &[f64; 2]) -> (f64, f64) {
    let frame = panel.frame;
    ((panel.x(*x) - frame.x) / frame.width, (panel.y(*y) - frame.y) / frame.height)
}

pub(super) fn axis_title(pca: &PcaResults, component: usize) -> String {
    format!("component {} ({} of the variance)", component + 1, share_of(pca, component))
}

fn share_of(pca: &PcaResults, component: usize) -> String {
    pca.outcome.explained_variance_ratio.get(component).map_or_else(String::new, |&ratio| percent(ratio, 1))
}

/// The label of a tick: a whole number where it is one.
fn tick(value: f64) -> String {
    let decimals = if (value - value.round()).abs() < 1e-6 { 0 } else { 1 };
    format!("{value:.decimals$}").replace('-', "−")
}

/// A distance of 1, 2 or 5 times a power of ten that divides a range into about four parts.
fn step((low, high): (f64, f64)) -> f64 {
    let rough = (high - low) / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let nearest = |a: &f64, b: &f64| (a - rough / power).abs().total_cmp(&(b - rough / power).abs());
    power * [1.0, 2.0, 5.0, 10.0].into_iter().min_by(nearest).unwrap_or(1.0)
}
