//! The output of each layer for some images, channel by channel in one order and on one scale.

use super::super::canvas::{Canvas, Frame, Style, TEXT_WIDTH};
use super::super::colour::{self, Rgb, WHITE};
use super::super::networks::fitted;
use super::super::{list, thousands};
use super::Words;
use super::filters::capital;
use super::picture::{self, HEADER, Scale, colours, header, number};
use super::tiles::Grid;
use crate::{ActivationsResults, Figure, Pictures};

/// A channel that an image leaves silent.
pub(super) const SILENT: Rgb = [0xdc; 3];

/// Share of the outputs other than zero that the colour scale covers: few are much larger than the rest.
const COVERED: f64 = 0.995;

/// Images of one figure.
const SHOWN: usize = 6;

/// A figure for each layer; more than one where there are many images.
pub(super) fn layers(found: &ActivationsResults, words: &Words) -> Vec<Figure> {
    let numbers: Vec<usize> = (0..found.outcome.images.len()).collect();
    let parts: Vec<&[usize]> = numbers.chunks(SHOWN).collect();
    let of_layer = |place: usize| parts.iter().enumerate().map(move |(part, images)| (place, part, *images));
    (0..found.layers.len())
        .flat_map(of_layer)
        .map(|(place, part, images)| figure(found, (place, part), images, words))
        .collect()
}

fn figure(
    found: &ActivationsResults,
    (place, part): (usize, usize),
    images: &[usize],
    words: &Words,
) -> Figure {
    let (layer, outputs) = (&found.outcome.layers[place], &found.layers[place]);
    let [rows, columns, channels] = outputs.size;
    let levels = Levels::new(outputs);
    let abreast = images.len().min(2);
    let bands = images.len().div_ceil(abreast);
    let (gap, input, label) = (14.0, 40.0, 21.0);
    let cell = (TEXT_WIDTH - gap * (abreast - 1) as f64) / abreast as f64;
    let [height, width, depth] = found.images.size;
    let input_height = (input * height as f64 / width as f64).min(90.0);
    let input = input_height * width as f64 / height as f64;
    let left = input.max(40.0) + 6.0;
    let room = match bands {
        1 if abreast == 1 => 210.0,
        1 => 118.0,
        bands => 600.0 / bands as f64 - 12.0,
    };
    let grid = Grid::fit(channels, [rows, columns], (cell - left, room), 60.0, 1);
    let band = grid.height().max(input_height + label) + 8.0;
    let mut canvas = Canvas::new(TEXT_WIDTH, HEADER + band * bands as f64 - 7.0);
    let name = words.layer(place, &layer.name);
    let shape = if rows * columns > 1 {
        format!("{} channels of {rows} × {columns}", thousands(channels))
    } else {
        format!("{} units", thousands(channels))
    };
    let note = "grey: zero everywhere in this image";
    header(&mut canvas, 6.0, &format!("{}: {shape}", capital(&name)), note, Some(&levels.scale()));
    for (i, &image) in images.iter().enumerate() {
        let (x, y) = ((cell + gap) * (i % abreast) as f64, HEADER + band * (i / abreast) as f64);
        let frame = Frame { x: x + 0.5, y: y + 0.5, width: input, height: input_height };
        picture::draw(&mut canvas, frame, width, colours(found.images.get(image), depth));
        let seen = &found.outcome.images[image];
        let class = words.class(seen.class.unwrap_or(seen.predicted));
        let class = if seen.class.is_some() { class } else { format!("→ {class}") };
        let below = frame.bottom() + 6.0;
        canvas.text((x, below), &fitted(&class, 8.5, left - 3.0), Style::new(8).bold().start());
        canvas.text((x, below + 9.0), &fitted(&image_name(seen), 6.0, left - 3.0), Style::new(6).start());
        let tiles = channel_tiles(outputs, image, &levels);
        grid.draw(&mut canvas, (x + left, y), &tiles, WHITE);
    }
    let silent: Vec<String> = images
        .iter()
        .map(|&image| {
            let silent = (0..channels).filter(|&channel| is_silent(outputs, image, channel)).count();
            format!("{}: {} silent", found.outcome.images[image].name, thousands(silent))
        })
        .collect();
    let alt = format!(
        "Output of {name}, {shape}, for {} as small pictures in one order and on one scale from {} to {}. Channels that \
         are zero everywhere in an image are grey; {}.",
        if images.len() == 1 { "an image".to_owned() } else { format!("{} images", images.len()) },
        levels.scale().low,
        number(levels.high),
        list(&silent),
    );
    let file = words.layer_file("activations", place, &layer.name);
    let file = if part == 0 { file } else { format!("{file}_{}", part + 1) };
    Figure::new(file, canvas.finish(), alt)
}

/// What an image is called where there is little room.
pub(super) fn image_name(seen: &inkling_schema::outcome::LookedAt) -> String {
    seen.index.map_or_else(|| seen.name.clone(), |index| format!("test {}", thousands(index)))
}

/// The colour scale of a layer's outputs, the same for every image.
pub(super) struct Levels {
    signed: bool,
    high: f64,
    /// Whether some outputs are larger than the scale.
    beyond: bool,
}

impl Levels {
    pub(super) fn new(outputs: &Pictures) -> Levels {
        let mut sizes: Vec<f32> = outputs.values.iter().map(|v| v.abs()).filter(|&v| v > 0.0).collect();
        sizes.sort_unstable_by(f32::total_cmp);
        let most = sizes.last().copied().unwrap_or(1.0);
        let covered = sizes.get((COVERED * sizes.len() as f64) as usize).copied().unwrap_or(most);
        Levels {
            signed: outputs.values.iter().any(|&v| v < 0.0),
            high: f64::from(covered),
            beyond: covered < most,
        }
    }

    pub(super) fn colour(&self, value: f32) -> Rgb {
        let t = f64::from(value) / self.high;
        if self.signed { colour::diverging(t) } else { colour::viridis(t) }
    }

    pub(super) fn scale(&self) -> Scale {
        match (self.signed, self.beyond) {
            (true, false) => Scale::symmetric(self.high),
            (true, true) => Scale::symmetric(self.high).open(),
            (false, beyond) => {
                let high = number(self.high);
                let high = if beyond { format!("≥ {high}") } else { high };
                Scale { low: "0".into(), high, map: colour::viridis }
            }
        }
    }
}

/// The output of each channel for an image.
pub(super) fn channel_tiles(outputs: &Pictures, image: usize, levels: &Levels) -> Vec<Vec<Rgb>> {
    (0..outputs.size[2]).map(|channel| channel_tile(outputs, image, channel, levels)).collect()
}

/// The output of a channel for an image; all of one grey where it is silent.
pub(super) fn channel_tile(outputs: &Pictures, image: usize, channel: usize, levels: &Levels) -> Vec<Rgb> {
    let silent = is_silent(outputs, image, channel);
    let values = outputs.get(image).iter().skip(channel).step_by(outputs.size[2]);
    values.map(|&value| if silent { SILENT } else { levels.colour(value) }).collect()
}

fn is_silent(outputs: &Pictures, image: usize, channel: usize) -> bool {
    outputs.get(image).iter().skip(channel).step_by(outputs.size[2]).all(|&value| value == 0.0)
}
