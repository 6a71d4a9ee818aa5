//! How many slices of filters are edges, blobs or near zero, beside what chance gives.

use inkling_schema::outcome::FilterKinds;

use super::super::canvas::{Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::super::colour::{CURVES, GREY, INK};
use super::super::networks::fitted;
use super::super::{list, percent};
use super::Words;
use crate::{Figure, FiltersResults};

/// A kind, and how to read its number.
type Kind = (&'static str, fn(&FilterKinds) -> f64);

const KINDS: [Kind; 4] = [
    ("edges", |kinds| kinds.edges),
    ("blobs", |kinds| kinds.blobs),
    ("near zero", |kinds| kinds.near_zero),
    ("others", |kinds| kinds.others),
];

/// Shares of the kinds in each layer as bars, with a mark where random weights would be.
pub(super) fn chart(filters: &FiltersResults, words: &Words) -> Figure {
    const ROW: f64 = 13.0;
    let names: Vec<String> = filters
        .layers
        .iter()
        .enumerate()
        .map(|(place, layer)| words.layer(place, &layer.found.name))
        .collect();
    let left = names.iter().map(|name| text_width(name, 7.0)).fold(30.0, f64::max).min(110.0) + 6.0;
    let (gap, top) = (10.0, 16.0);
    let panel = (TEXT_WIDTH - left - gap * 3.0) / 4.0;
    let height = ROW * names.len() as f64;
    let mut canvas = Canvas::new(TEXT_WIDTH, top + height + 16.0);
    for (row, name) in names.iter().enumerate() {
        let y = top + ROW * (row as f64 + 0.5);
        canvas.text((left - 6.0, y), &fitted(name, 7.0, left - 6.0), Style::new(7).end());
    }
    for (column, (kind, of)) in KINDS.iter().enumerate() {
        let x = left + (panel + gap) * column as f64;
        canvas.text((x, 6.0), kind, Style::new(8).bold().start());
        canvas.line(&[(x, top - 1.0), (x, top + height + 1.0)], INK, 0.6, None);
        // Room for the number after the longest bar.
        let full = panel - 26.0;
        for (row, layer) in filters.layers.iter().enumerate() {
            let y = top + ROW * row as f64;
            let slices = layer.slices() as f64;
            let (share, chance) = (of(&layer.found.kinds) / slices, of(&layer.found.by_chance) / slices);
            let bar = Frame { x, y: y + 3.0, width: full * share, height: ROW - 6.0 };
            canvas.fill(bar, CURVES[0].0);
            let at = x + full * chance;
            canvas.line(&[(at, y + 1.0), (at, y + ROW - 1.0)], CURVES[3].0, 1.4, None);
            let after = bar.right().max(at) + 3.0;
            canvas.text((after, y + ROW / 2.0), &percent(share, 0), Style::new(7).start());
        }
    }
    let y = top + height + 9.0;
    canvas.fill(Frame { x: left, y: y - 3.0, width: 14.0, height: 6.0 }, CURVES[0].0);
    canvas.text((left + 18.0, y), "share of the slices", Style::new(7).start());
    let x = left + 18.0 + text_width("share of the slices", 7.0) + 16.0;
    canvas.line(&[(x, y - 5.0), (x, y + 5.0)], CURVES[3].0, 1.4, None);
    canvas.text((x + 5.0, y), "expected of uniform random weights", Style::new(7).start().colour(GREY));
    let described: Vec<String> = filters
        .layers
        .iter()
        .zip(&names)
        .map(|(layer, name)| {
            let share = |value: f64| percent(value / layer.slices() as f64, 0);
            let (kinds, chance) = (&layer.found.kinds, &layer.found.by_chance);
            format!("{name} has {} edges (by chance {})", share(kinds.edges), share(chance.edges))
        })
        .collect();
    let alt = format!(
        "Bars of the shares of edges, blobs, slices near zero and others in each layer, with marks where random weights \
         would be: {}.",
        list(&described)
    );
    Figure::new(words.file(if words.study { "kinds" } else { "filter_kinds" }, 0), canvas.finish(), alt)
}
