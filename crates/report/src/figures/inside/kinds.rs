//! How many slices of filters are edges, blobs or near zero, beside what chance gives.

use inkling_schema::outcome::FilterKinds;

use super::super::canvas::{Canvas, Frame, TEXT_WIDTH};
use super::super::colour::{CURVES, GREY, INK};
use super::super::percent;
use super::sheet::{Band, Heading, Sheet};
use super::text::Face;
use super::words::Words;
use super::{Draw, Spec, figure};
use crate::{Figure, FiltersResults};

pub(super) const FIGURES: &[Spec] = &[figure("inside_kinds", Draw::Filters(chart))];

/// A kind, and how to read its number.
type Kind = (&'static str, fn(&FilterKinds) -> f64);

const KINDS: [Kind; 4] = [
    ("edges", |kinds| kinds.edges),
    ("blobs", |kinds| kinds.blobs),
    ("near zero", |kinds| kinds.near_zero),
    ("others", |kinds| kinds.others),
];

/// Height of a bar's room, and the points between kinds.
const ROW: f64 = 13.0;
const GAP: f64 = 10.0;

/// A layer's name, and of each kind the share of slices and that which random weights would have.
struct Layer {
    name: String,
    shares: [[f64; 2]; 4],
}

/// Shares of the kinds in each layer as bars, with a mark where random weights would be.
fn chart(filters: &FiltersResults, words: &Words) -> Vec<Figure> {
    let layers: Vec<Layer> = filters
        .layers
        .iter()
        .enumerate()
        .map(|(place, layer)| {
            let slices = layer.slices() as f64;
            let of =
                |(_, of): Kind| [&layer.found.kinds, &layer.found.by_chance].map(|kinds| of(kinds) / slices);
            Layer { name: words.convolution(place, &layer.found.name), shares: KINDS.map(of) }
        })
        .collect();
    let told = layers.iter().map(|layer| {
        let [share, chance] = layer.shares[0].map(|share| percent(share, 0));
        format!("{} has {share} edges (by chance {chance})", layer.name)
    });
    let band = Band {
        height: 16.0 + ROW * layers.len() as f64 + 16.0,
        told: told.collect(),
        draw: Box::new(move |canvas, y| draw(canvas, y, &layers)),
    };
    Sheet {
        name: words.file(if words.study { "kinds" } else { "filter_kinds" }),
        alt: "Bars of the shares of edges, blobs, slices near zero and others in each layer, with marks where random weights \
              would be"
            .into(),
        heading: Heading::default(),
        bands: vec![band],
    }
    .figures()
}

fn draw(canvas: &mut Canvas, y: f64, layers: &[Layer]) {
    let names: Vec<String> = layers.iter().map(|layer| layer.name.clone()).collect();
    let names = Face::Plain.fitted(&names, 110.0, 1);
    let left = names.iter().map(|name| Face::Plain.width(name)).fold(30.0, f64::max) + 6.0;
    let (share, chance) = (CURVES[0].0, CURVES[3].0);
    let (top, panel) = (y + 16.0, (TEXT_WIDTH - left - GAP * 3.0) / 4.0);
    let bottom = top + ROW * layers.len() as f64;
    for (row, name) in names.iter().enumerate() {
        canvas.text((left - 6.0, top + ROW * (row as f64 + 0.5)), name, Face::Plain.style().end());
    }
    for (column, (kind, _)) in KINDS.iter().enumerate() {
        let x = left + (panel + GAP) * column as f64;
        canvas.text((x, y + 6.0), kind, Face::Bold.style().start());
        canvas.line(&[(x, top - 1.0), (x, bottom + 1.0)], INK, 0.6, None);
        // Room for the number after the longest bar.
        let full = panel - 26.0;
        for (row, layer) in layers.iter().enumerate() {
            let y = top + ROW * row as f64;
            let [found, by_chance] = layer.shares[column];
            let bar = Frame { x, y: y + 3.0, width: full * found, height: ROW - 6.0 };
            canvas.fill(bar, share);
            let mark = x + full * by_chance;
            canvas.line(&[(mark, y + 1.0), (mark, y + ROW - 1.0)], chance, 1.4, None);
            let after = (bar.right().max(mark) + 3.0, y + ROW / 2.0);
            canvas.text(after, &percent(found, 0), Face::Plain.style().start());
        }
    }
    let y = bottom + 9.0;
    let words = "share of the slices";
    canvas.fill(Frame { x: left, y: y - 3.0, width: 14.0, height: 6.0 }, share);
    canvas.text((left + 18.0, y), words, Face::Plain.style().start());
    let x = left + 18.0 + Face::Plain.width(words) + 16.0;
    canvas.line(&[(x, y - 5.0), (x, y + 5.0)], chance, 1.4, None);
    canvas.text((x + 5.0, y), "expected of uniform random weights", Face::Plain.style().start().colour(GREY));
}
