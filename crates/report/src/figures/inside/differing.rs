//! The channels of each layer that differ most between two images.

use super::super::canvas::{Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::super::list;
use super::super::networks::fitted;
use super::Words;
use super::activations::{Levels, channel_tile, image_name};
use super::picture::{self, HEADER, header, number};
use crate::{ActivationsResults, Figure};

/// Pairs in a row.
const PAIRS: usize = 6;

/// A row of pairs for each layer; `None` unless there are two images.
pub(super) fn channels(found: &ActivationsResults, words: &Words) -> Option<Figure> {
    const ROWS: usize = 10;
    let layers: Vec<usize> =
        (0..found.layers.len()).filter(|&place| !found.outcome.layers[place].differing.is_empty()).collect();
    let layers = &layers[..layers.len().min(ROWS)];
    let [first, second] = found.outcome.images.as_slice() else { return None };
    if layers.is_empty() {
        return None;
    }
    let names: Vec<String> =
        layers.iter().map(|&place| words.layer(place, &found.outcome.layers[place].name)).collect();
    let left = names.iter().map(|name| 1.06 * text_width(name, 7.0)).fold(46.0, f64::max).min(96.0) + 6.0;
    let (gap, label) = (8.0, 12.0);
    let pair = (TEXT_WIDTH - left - gap * (PAIRS - 1) as f64) / PAIRS as f64;
    let tile = (pair - 1.5) / 2.0;
    let size = |place: usize| -> (f64, f64) {
        let [rows, columns, _] = found.layers[place].size;
        let aspect = rows as f64 / columns as f64;
        let width = tile.min(44.0 / aspect);
        (width, width * aspect)
    };
    let heights: Vec<f64> = layers.iter().map(|&place| size(place).1 + label + 3.0).collect();
    let mut canvas = Canvas::new(TEXT_WIDTH, HEADER + heights.iter().sum::<f64>() - 2.0);
    let class = |seen: &inkling_schema::outcome::LookedAt| {
        let class = words.class(seen.class.unwrap_or(seen.predicted));
        format!("{} ({})", fitted(&class, 7.0, 60.0), fitted(&image_name(seen), 7.0, 60.0))
    };
    let note = format!(
        "left {}, right {}; below, channel and root mean square difference",
        class(first),
        class(second)
    );
    header(&mut canvas, 6.0, "Most different channels", &note, None);
    let mut y = HEADER;
    let mut described = Vec::new();
    for ((&place, name), height) in layers.iter().zip(&names).zip(&heights) {
        let (layer, outputs) = (&found.outcome.layers[place], &found.layers[place]);
        let levels = Levels::new(outputs);
        let (width, tall) = size(place);
        let scale = levels.scale();
        canvas.text(
            (0.0, y + tall / 2.0 - 5.0),
            &fitted(name, 7.5, left - 5.0),
            Style::new(7).bold().start(),
        );
        let range =
            format!("{} to {}", scale.low.trim_start_matches("≤ "), scale.high.trim_start_matches("≥ "));
        canvas.text((0.0, y + tall / 2.0 + 5.0), &fitted(&range, 6.0, left - 5.0), Style::new(6).start());
        for (column, &channel) in layer.differing.iter().take(PAIRS).enumerate() {
            let x = left + (pair + gap) * column as f64;
            for image in 0..2 {
                let frame = Frame { x: x + (width + 1.5) * image as f64, y, width, height: tall };
                let pixels = channel_tile(outputs, image, channel, &levels);
                picture::draw(&mut canvas, frame, outputs.size[1], pixels);
            }
            let difference = f64::from(found.differences[place][channel]);
            let text = format!("{channel}: {}", number(difference));
            canvas.text((x + width + 0.75, y + tall + 6.5), &text, Style::new(7));
        }
        if let Some(&channel) = layer.differing.first() {
            let difference = number(f64::from(found.differences[place][channel]));
            described.push(format!("in {name} channel {channel} ({difference})"));
        }
        y += height;
    }
    let alt = format!(
        "The channels whose outputs differ most between {} and {}, side by side for each layer; most different, by root \
         mean square: {}.",
        first.name,
        second.name,
        list(&described),
    );
    Some(Figure::new(words.file("differing", 0), canvas.finish(), alt))
}
