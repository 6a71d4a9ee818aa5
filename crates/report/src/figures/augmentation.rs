//! Training images beside copies that were changed at random.

use super::canvas::{Canvas, Drawing};
use super::colour;
use super::forms::{Tiles, picture};
use super::networks::Kind;
use super::registry::{Draw, Spec};
use crate::NetworksResults;

pub(super) const FIGURES: &[Spec] =
    &[Spec::new("augmentation", Draw::Networks(Kind::ALL, |_, task| copies(task).into_iter().collect()))];

/// A row for each image: the image, a little apart, then its copies. `None` where images are trained on as they are.
fn copies(task: &NetworksResults) -> Option<Drawing> {
    let network = task.networks.iter().find(|network| !network.augmented.is_empty())?;
    let [height, width, channels] = network.spec.model.input;
    let columns = network.augmented_columns;
    let aspect = height as f64 / width as f64;
    let tiles = Tiles { columns, gap: 8.0, above: 0.5, below: 6.0, sides: (0.0, 0.0), aspect };
    let mut canvas = Canvas::page();
    let pictures = network.augmented.chunks_exact(height * width * channels);
    let rows = pictures.len() / columns;
    for (i, image) in pictures.enumerate() {
        let mut frame = tiles.frame(i);
        // What it was stands apart from what became of it.
        if i % columns == 0 {
            frame.x -= 3.0;
        }
        picture(&mut canvas, frame, width, colour::pixels_of_bytes(image, channels));
    }
    Some(canvas.described(format!(
        "{rows} training images of {}, each in a row with {} copies of it, changed at random as in training.",
        task.data.title,
        columns - 1,
    )))
}
