//! The output of each layer for some images, channel by channel in one order and on one scale.

use super::super::colour::WHITE;
use super::super::{counted, thousands};
use super::channels::Channels;
use super::picture::Picture;
use super::sheet::{Heading, Sheet};
use super::strip::{Cell, Row, Strip};
use super::text::capital;
use super::tiles::Tiling;
use super::words::Words;
use super::{Draw, Spec, figure};
use crate::{ActivationsResults, Figure};

pub(super) const FIGURES: &[Spec] = &[figure("inside_activations_", Draw::Activations(layers))];

/// A figure for each layer; more than one where there are many images.
fn layers(found: &ActivationsResults, words: &Words) -> Vec<Figure> {
    (0..found.layers.len()).flat_map(|place| layer(found, place, words).figures()).collect()
}

fn layer(found: &ActivationsResults, place: usize, words: &Words) -> Sheet {
    let channels = Channels::of(&found.layers[place]);
    let images = &found.outcome.images;
    let room = if images.len() == 1 { 210.0 } else { 118.0 };
    let rows = images.iter().enumerate().map(|(image, seen)| {
        let silent = (0..channels.count()).filter(|&channel| channels.is_silent(image, channel)).count();
        let outputs = Cell {
            pictures: (0..channels.count()).map(|channel| channels.picture(image, channel)).collect(),
            tiling: Some(Tiling { room, most: 60.0, group: 1, between: WHITE }),
            ..Cell::default()
        };
        Row {
            label: words.seen(seen),
            cells: vec![Picture::nth(&found.images, image).into(), outputs],
            told: format!("{}: {} inactive", seen.name, thousands(silent)),
        }
    });
    let shape = match channels.size() {
        [1, 1] => counted(channels.count(), "unit"),
        [rows, columns] => format!("{} of {rows} × {columns}", counted(channels.count(), "channel")),
    };
    let layer = &found.outcome.layers[place].name;
    let name = words.layer(place, layer);
    let [low, high] = channels.scale.ends();
    Sheet {
        name: words.layer_file("activations", place, layer),
        alt: format!(
            "Output of {name}, {shape}, for each image as small pictures in the same order and on one scale from {low} to {high}; \
             channels that are zero everywhere in an image are grey"
        ),
        heading: Heading {
            title: format!("{}: {shape}", capital(&name)),
            note: "grey: zero everywhere in this image".into(),
            scales: vec![channels.scale],
        },
        bands: Strip { rows: rows.collect(), abreast: 2, most: 40.0, ..Strip::default() }.bands(),
    }
}
