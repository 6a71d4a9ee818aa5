//! The filters of each convolution as small pictures.

use super::super::colour::Rgb;
use super::super::{counted, list, thousands};
use super::picture::Picture;
use super::scale::Scale;
use super::sheet::{Heading, Sheet};
use super::strip::{Cell, Row, Strip};
use super::text::capital;
use super::tiles::Tiling;
use super::words::Words;
use super::{Draw, Spec, figure};
use crate::{Figure, FilterLayerResults, FiltersResults};

pub(super) const FIGURES: &[Spec] = &[figure("inside_filters_", Draw::Filters(layers))];

/// Filters of a deeper layer of which every slice is shown.
const WHOLE: usize = 4;
/// Share of a layer's weights that its colour scale covers.
const COVERED: f64 = 0.998;
const LINES: Rgb = [0x2b; 3];

/// A figure for each convolution.
fn layers(filters: &FiltersResults, words: &Words) -> Vec<Figure> {
    filters
        .layers
        .iter()
        .enumerate()
        .flat_map(|(place, layer)| sheet(place, layer, words).figures())
        .collect()
}

fn sheet(place: usize, layer: &FilterLayerResults, words: &Words) -> Sheet {
    let found = &layer.found;
    let [height, width] = found.kernel;
    let scale = Scale::covering(&layer.weights, COVERED).of_both_signs();
    let slice = |channel: usize, filter: usize| {
        Picture::scaled(layer.slice(channel, filter).map(f64::from), found.kernel, &scale)
    };
    let channels_of = |filter: usize| (0..found.channels).map(move |channel| slice(channel, filter));
    let cell = |pictures: Vec<Picture>, room: f64, most: f64, group: usize| Cell {
        pictures,
        tiling: Some(Tiling { room, most, group, between: LINES }),
        ..Cell::default()
    };
    let rows = |rows: Vec<Row>| Strip { rows, ..Strip::default() }.bands();
    let all = |cell| rows(vec![Row { cells: vec![cell], ..Row::default() }]);
    let name = words.convolution(place, &found.name);
    let filters = counted(found.filters, "filter");
    let shape = format!("{filters} of {height} × {width} on {}", counted(found.channels, "channel"));
    let (note, shown, bands);
    if layer.is_shown_whole() {
        note = if found.channels > 1 { "a filter’s channels one after another" } else { "" };
        shown = format!("All {shape} of {name}");
        let slices = (0..found.filters).flat_map(channels_of).collect();
        bands = all(cell(slices, 128.0, 28.0, found.channels));
    } else {
        note = "the slice of largest norm of each filter";
        let largest = layer.largest.iter().enumerate();
        let largest = largest.map(|(filter, &channel)| slice(channel as usize, filter)).collect();
        let whole = &layer.whole[..layer.whole.len().min(WHOLE)];
        let row = |&filter: &u32| {
            let slices = channels_of(filter as usize).collect();
            let head = "every slice of the filters of largest norm, channel by channel".into();
            let cell = Cell { head, ..cell(slices, 112.0 / whole.len() as f64, 13.0, 1) };
            Row { label: format!("filter {filter}"), cells: vec![cell], ..Row::default() }
        };
        let below = rows(whole.iter().map(row).collect());
        bands = all(cell(largest, 117.0, 28.0, 1)).into_iter().chain(below).collect();
        let whole: Vec<String> = whole.iter().map(ToString::to_string).collect();
        let below = if whole.is_empty() { "" } else { ", and every slice of the filters " };
        let of = capital(&name);
        shown = format!("{of} with {shape}: the slice of largest norm of each filter{below}{}", list(&whole));
    }
    let [low, high] = scale.ends();
    Sheet {
        alt: format!("{shown}, as pictures on one scale from {low} (blue) to {high} (red). {}", kinds(layer)),
        name: words.layer_file("filters", place, &found.name),
        heading: Heading {
            title: format!("{}: {shape}", capital(&name)),
            note: note.into(),
            scales: vec![scale],
        },
        bands,
    }
}

/// How many slices are of each kind, in a sentence without its full stop.
fn kinds(layer: &FilterLayerResults) -> String {
    let kinds = &layer.found.kinds;
    let count = |value: f64| thousands(value.round() as usize);
    format!(
        "Of {} slices, {} are edges, {} blobs, {} near zero",
        thousands(layer.slices()),
        count(kinds.edges),
        count(kinds.blobs),
        count(kinds.near_zero),
    )
}
