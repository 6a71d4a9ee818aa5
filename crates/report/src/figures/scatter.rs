//! The training images in the plane of the first two principal components.

use super::axis::{Axis, extent, whole_or_tenths};
use super::canvas::{Canvas, Drawing, Style, text_width};
use super::colour::{self, CROWD, INK, WHITE};
use super::forms::{Chart, Key, Sign, Tiles, move_apart, overlap, square};
use super::names::all_fitted;
use super::raster::Stamp;
use super::registry::{Draw, Spec};
use super::{fixed, list, percent, thousands};
use crate::PcaResults;

pub(super) const FIGURES: &[Spec] = &[
    Spec::new("pca_scatter", Draw::Pca(all_classes)),
    Spec::new("pca_scatter_classes", Draw::Pca(class_by_class)),
];

/// All images, with a colour and a marker for each class.
fn all_classes(pca: &PcaResults) -> Drawing {
    const WIDEST: f64 = 90.0;
    const HIGHEST: f64 = 590.0;
    let names = &all_fitted(&pca.data.classes, 8.0, WIDEST);
    // Many classes stand closer together, so that all are on the page.
    let mut key = Key::column(WIDEST + 19.0).pitch((HIGHEST / (names.len() + 2) as f64).min(13.0));
    key.heading("class");
    for (label, name) in names.iter().enumerate() {
        key.add(Sign::Mark(label, colour::class(label)), name);
    }
    let (x_range, y_range) = ranges(&pca.embedding);
    // One unit is as long on both axes: distances in the plane are what the plot is for.
    let height = Chart::room(&key) * (y_range.1 - y_range.0) / (x_range.1 - x_range.0);
    let [x_title, y_title] = [0, 1].map(|component| axis_title(pca, component));
    // A low panel has no room for all of it.
    let y_title = if text_width(&y_title, 8.0) <= height { &y_title } else { "component 2" };
    let x = Axis::linear(x_range, 8.0, whole_or_tenths).titled(&x_title);
    let y = Axis::linear(y_range, 8.0, whole_or_tenths).titled(y_title);
    let mut canvas = Canvas::page();
    let mut chart = Chart::beside(&mut canvas, &key, height, (&x, &y));
    let radius = marker_radius(pca.embedding.len());
    let stamp = |label| (Stamp::new(label, radius, 0.8), colour::class(label));
    let stamps: Vec<_> = (0..names.len()).map(stamp).collect();
    // In the order of the data set, in which classes alternate, so that none covers the others.
    let points = pca.embedding.iter().zip(&pca.labels);
    chart.cloud(points.map(|(point, &label)| (point, usize::from(label))), &stamps);
    let centres = centres(pca);
    label_centres(&mut chart, names, &centres);
    let places: Vec<String> = pca
        .data
        .classes
        .iter()
        .zip(&centres)
        .filter_map(|(name, centre)| {
            centre.map(|[x, y]| format!("{name} ({}, {})", fixed(x, 1), fixed(y, 1)))
        })
        .collect();
    let ratio = &pca.outcome.explained_variance_ratio;
    canvas.described(format!(
        "Scatter plot of {} training images of {} on the first two principal components, which explain {} of the \
         variance ({} and {}), with a colour and a marker for each class. Class centres: {}.",
        thousands(pca.embedding.len()),
        pca.data.title,
        percent(ratio.iter().take(2).sum(), 1),
        share_of(pca, 0),
        share_of(pca, 1),
        list(&places),
    ))
}

/// The same plane once for each class, the class in its colour over all images in grey.
fn class_by_class(pca: &PcaResults) -> Drawing {
    const COLUMNS: usize = 5;
    const MOST_COLUMNS: usize = 20;
    const HIGHEST: f64 = 590.0;
    let (x_range, y_range) = ranges(&pca.embedding);
    let aspect = (y_range.1 - y_range.0) / (x_range.1 - x_range.0);
    let tiles = |columns| Tiles { columns, gap: 6.0, above: 14.0, below: 6.0, sides: (32.0, 0.0), aspect };
    let last = pca.data.classes.len() - 1;
    // As large as fits a page.
    let fits = |&columns: &usize| tiles(columns).frame(last).bottom() <= HIGHEST;
    let tiles = tiles((COLUMNS..MOST_COLUMNS).find(fits).unwrap_or(MOST_COLUMNS));
    let names = &all_fitted(&pca.data.classes, 1.06 * 8.0, tiles.frame(0).width + 4.0);
    let x = Axis::linear(x_range, 5.0, whole_or_tenths).titled("component 1");
    let y = Axis::linear(y_range, 5.0, whole_or_tenths).titled("component 2");
    let radius = 0.55 * marker_radius(pca.embedding.len());
    let mut canvas = Canvas::page();
    for (class, name) in names.iter().enumerate() {
        let frame = tiles.frame(class);
        let mut chart = Chart::bare(&mut canvas, frame, &x, &y);
        let stamps =
            [(Stamp::new(0, radius, 1.0), CROWD), (Stamp::new(0, radius, 0.7), colour::class(class))];
        let points = || pca.embedding.iter().zip(&pca.labels);
        let own = points().filter(|(_, of)| usize::from(**of) == class).map(|(point, _)| (point, 1));
        chart.cloud(points().map(|(point, _)| (point, 0)).chain(own), &stamps);
        // All panels share their axes, so one at the lower left tells them all.
        if class == last / tiles.columns * tiles.columns {
            chart.axes();
        }
        canvas.text((frame.centre().0, frame.y - 7.0), name, Style::new(8).bold());
    }
    canvas.described(format!(
        "{} small panels, one for each class of {}: the class in its colour over all {} training images in grey, in \
         the plane of the first two principal components. {}",
        names.len(),
        pca.data.title,
        thousands(pca.embedding.len()),
        spread(pca),
    ))
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
            "Class {tight} is the least spread out (root mean square distance from its centre {small:.1}), class {wide} the most \
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
fn label_centres(chart: &mut Chart, names: &[String], centres: &[Option<[f64; 2]>]) {
    // Many names and long ones are smaller, so that some of the cloud is seen.
    let widest = names.iter().map(|name| text_width(name, 12.0)).fold(0.0, f64::max);
    let size = if names.len() > 2 * colour::CLASSES.len() || widest > 90.0 { 8 } else { 12 };
    let present = centres.iter().enumerate().filter_map(|(label, centre)| Some((label, (*centre)?)));
    let present: Vec<(usize, (f64, f64))> =
        present.map(|(label, [x, y])| (label, chart.at((x, y)))).collect();
    let boxed = |i: usize| (text_width(&names[present[i].0], f64::from(size)) + 4.0, f64::from(size));
    let mut places: Vec<(f64, f64)> = present.iter().map(|&(_, centre)| centre).collect();
    let half = |i| (boxed(i).0 / 2.0, boxed(i).1 / 2.0);
    move_apart(&mut places, chart.frame, half, |(i, j), away| overlap(boxed(i), boxed(j), away));
    for (&(_, centre), place) in present.iter().zip(&places) {
        if (place.0 - centre.0).hypot(place.1 - centre.1) > 3.0 {
            chart.canvas.line(&[centre, *place], WHITE, 2.4, None);
            chart.canvas.line(&[centre, *place], INK, 0.8, None);
            chart.canvas.fill(square(centre, 1.4), INK);
        }
    }
    for (&(label, _), &place) in present.iter().zip(&places) {
        let shade = colour::readable(colour::class(label));
        chart.canvas.text_with_halo(place, &names[label], Style::new(size).bold().colour(shade));
    }
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
        let (low, high) = extent(points.iter().map(|point| point[axis]), (0.0, 0.0));
        let margin = if high > low { 0.025 * (high - low) } else { 1.0 };
        (low - margin, high + margin)
    };
    let widened = |(low, high): (f64, f64), length: f64| {
        let more = ((length - (high - low)) / 2.0).max(0.0);
        (low - more, high + more)
    };
    let (x, y) = (range(0), range(1));
    (widened(x, (y.1 - y.0) / TALLEST), widened(y, (x.1 - x.0) * FLATTEST))
}

pub(super) fn axis_title(pca: &PcaResults, component: usize) -> String {
    format!("component {} ({} of the variance)", component + 1, share_of(pca, component))
}

fn share_of(pca: &PcaResults, component: usize) -> String {
    pca.outcome.explained_variance_ratio.get(component).map_or_else(String::new, |&ratio| percent(ratio, 1))
}
