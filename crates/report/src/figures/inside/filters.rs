//! The filters of each convolution as small pictures.

use super::super::canvas::{Canvas, Style, TEXT_WIDTH};
use super::super::colour::Rgb;
use super::super::{list, thousands};
use super::Words;
use super::picture::{HEADER, Scale, diverging, header, number};
use super::tiles::Grid;
use crate::{Figure, FilterLayerResults, FiltersResults};

/// Filters of a deeper layer of which every slice is shown.
const WHOLE: usize = 4;
/// Share of a layer's weights that its colour scale covers: few are much larger than the rest.
const COVERED: f64 = 0.998;
const LINES: Rgb = [0x2b; 3];

/// A figure for each convolution.
pub(super) fn layers(filters: &FiltersResults, words: &Words) -> Vec<Figure> {
    filters.layers.iter().enumerate().map(|(place, layer)| figure(place, layer, words)).collect()
}

fn figure(place: usize, layer: &FilterLayerResults, words: &Words) -> Figure {
    let found = &layer.found;
    let [height, width] = found.kernel;
    let (scale, beyond) = covered(&layer.weights);
    let slice = |channel: usize, filter: usize| -> Vec<Rgb> {
        diverging(&layer.slice(channel, filter).map(f64::from).collect::<Vec<f64>>(), scale)
    };
    let what = {
        let name = words.layer(place, &found.name);
        let channels =
            if found.channels == 1 { "1 channel".into() } else { format!("{} channels", found.channels) };
        let filters =
            if found.filters == 1 { "1 filter".into() } else { format!("{} filters", found.filters) };
        (name, format!("{filters} of {height} × {width} on {channels}"))
    };
    let title = format!("{}: {}", capital(&what.0), what.1);
    let bar = Scale::symmetric(scale);
    let bar = if beyond { bar.open() } else { bar };
    let name = words.layer_file("filters", place, &found.name);
    if layer.is_shown_whole() {
        let tiles: Vec<Vec<Rgb>> = (0..found.filters)
            .flat_map(|filter| (0..found.channels).map(move |channel| (channel, filter)))
            .map(|(channel, filter)| slice(channel, filter))
            .collect();
        let grid = Grid::fit(tiles.len(), found.kernel, (TEXT_WIDTH, 128.0), 28.0, found.channels);
        let mut canvas = Canvas::new(TEXT_WIDTH, HEADER + grid.height() + 1.0);
        let note = if found.channels > 1 { "a filter’s channels one after another" } else { "" };
        header(&mut canvas, 6.0, &title, note, Some(&bar));
        grid.draw(&mut canvas, (0.0, HEADER), &tiles, LINES);
        let alt = format!(
            "All {} of {}, as pictures on one scale from −{} (blue) to {} (red). {}",
            what.1,
            what.0,
            number(scale),
            number(scale),
            kinds(layer),
        );
        return Figure::new(name, canvas.finish(), alt);
    }
    let tiles: Vec<Vec<Rgb>> =
        layer.largest.iter().enumerate().map(|(filter, &channel)| slice(channel as usize, filter)).collect();
    let grid = Grid::fit(tiles.len(), found.kernel, (TEXT_WIDTH, 117.0), 28.0, 1);
    let whole = &layer.whole[..layer.whole.len().min(WHOLE)];
    let left = 44.0;
    let room = (TEXT_WIDTH - left, 112.0 / whole.len().max(1) as f64);
    let rows = Grid::fit(found.channels, found.kernel, room, 13.0, 1);
    let below = if whole.is_empty() { 0.0 } else { 15.0 + (rows.height() + 2.0) * whole.len() as f64 };
    let mut canvas = Canvas::new(TEXT_WIDTH, HEADER + grid.height() + below + 1.0);
    header(&mut canvas, 6.0, &title, "of each filter the slice of largest norm", Some(&bar));
    grid.draw(&mut canvas, (0.0, HEADER), &tiles, LINES);
    let mut y = HEADER + grid.height() + 8.0;
    if !whole.is_empty() {
        let note = "every slice of the filters of largest norm, channel by channel";
        canvas.text((0.0, y), note, Style::new(7).start());
    }
    y += 7.0;
    for &filter in whole {
        let tiles: Vec<Vec<Rgb>> =
            (0..found.channels).map(|channel| slice(channel, filter as usize)).collect();
        canvas.text((0.0, y + rows.height() / 2.0), &format!("filter {filter}"), Style::new(7).start());
        rows.draw(&mut canvas, (left, y), &tiles, LINES);
        y += rows.height() + 2.0;
    }
    let shown: Vec<String> = whole.iter().map(ToString::to_string).collect();
    let shown = if shown.is_empty() {
        String::new()
    } else {
        format!("; below it, every slice of the filters of largest norm, {}", list(&shown))
    };
    let alt = format!(
        "{} with {}: of each filter the slice of largest norm, as pictures on one scale from −{} (blue) to {} \
         (red){shown}. {}",
        capital(&what.0),
        what.1,
        number(scale),
        number(scale),
        kinds(layer),
    );
    Figure::new(name, canvas.finish(), alt)
}

/// The size that all but a few weights do not pass, and whether some do.
fn covered(weights: &[f32]) -> (f64, bool) {
    let mut sizes: Vec<f32> = weights.iter().map(|weight| weight.abs()).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let most = sizes.last().copied().unwrap_or(0.0);
    let covered = sizes.get((COVERED * sizes.len() as f64) as usize).copied().unwrap_or(most);
    if covered > 0.0 { (f64::from(covered), covered < most) } else { (1.0, false) }
}

/// How many slices are of each kind, in a sentence.
fn kinds(layer: &FilterLayerResults) -> String {
    let kinds = &layer.found.kinds;
    let count = |value: f64| thousands(value.round() as usize);
    format!(
        "Of {} slices, {} are edges, {} blobs, {} near zero.",
        thousands(layer.slices()),
        count(kinds.edges),
        count(kinds.blobs),
        count(kinds.near_zero),
    )
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
