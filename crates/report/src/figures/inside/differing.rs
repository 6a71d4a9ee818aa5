//! The channels of each layer that differ most between two images.

use super::super::number;
use super::channels::Channels;
use super::sheet::{Heading, Sheet};
use super::strip::{Cell, Row, Strip};
use super::words::Words;
use super::{Draw, Spec, figure};
use crate::{ActivationsResults, Figure};

pub(super) const FIGURES: &[Spec] = &[figure("inside_differing", Draw::Activations(channels))];

/// Channels of a layer.
const SHOWN: usize = 6;

/// A row of pairs for each layer; nothing unless there are two images.
fn channels(found: &ActivationsResults, words: &Words) -> Vec<Figure> {
    let [first, second] = found.outcome.images.as_slice() else { return Vec::new() };
    let layers = (0..found.layers.len()).filter(|&place| !found.outcome.layers[place].differing.is_empty());
    let rows: Vec<Row> = layers.map(|place| row(found, place, words)).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    Sheet {
        name: words.file("differing"),
        alt: format!(
            "The {} whose outputs differ most between {} and {}, side by side for each layer; most different, by root \
             mean square",
            words.parts(),
            first.name,
            second.name
        ),
        heading: Heading {
            title: format!("Most different {}", words.parts()),
            note: format!(
                "below, {} and root mean square difference; left {}, right {}",
                words.parts().trim_end_matches('s'),
                words.seen(first),
                words.seen(second)
            ),
            ..Heading::default()
        },
        bands: Strip { rows, lines: vec![""], most: 44.0, ..Strip::default() }.bands(),
    }
    .figures()
}

fn row(found: &ActivationsResults, place: usize, words: &Words) -> Row {
    let (layer, channels) = (&found.outcome.layers[place], Channels::of(&found.layers[place]));
    let difference = |channel: usize| number(f64::from(found.differences[place][channel]));
    let cell = |&channel: &usize| Cell {
        pictures: (0..2).map(|image| channels.picture(image, channel)).collect(),
        lines: vec![format!("{channel}: {}", difference(channel))],
        ..Cell::default()
    };
    let name = words.layer(place, &layer.name);
    let most = layer.differing[0];
    Row {
        cells: layer.differing.iter().take(SHOWN).map(cell).collect(),
        told: format!("in {name} channel {most} ({})", difference(most)),
        label: format!("{name} ({})", channels.scale.ends().join("\u{a0}to\u{a0}")),
    }
}
