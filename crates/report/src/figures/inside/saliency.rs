//! What each pixel of some images has to do with the score: gradient and integrated gradients.

use super::super::{number, probability};
use super::picture::{Picture, means};
use super::scale::Scale;
use super::sheet::{Heading, Sheet};
use super::strip::{Cell, Row, Strip};
use super::words::Words;
use super::{Draw, Spec, figure};
use crate::{ActivationsResults, Figure};

pub(super) const FIGURES: &[Spec] = &[figure("inside_saliency", Draw::Activations(images))];

/// Each image with its gradient and its integrated gradients.
fn images(found: &ActivationsResults, words: &Words) -> Vec<Figure> {
    let [height, width, channels] = found.images.size;
    let [gradient, integrated] =
        [&found.gradient, &found.integrated].map(|pictures| means(&pictures.values, channels));
    let [of_gradient, of_integrated] = [&gradient, &integrated].map(|values| Scale::signed(values.iter()));
    let rows = found.outcome.images.iter().enumerate().map(|(image, seen)| {
        let picture = |values: &[f64], scale| {
            let values = values.chunks_exact(height * width).nth(image).unwrap_or_default();
            Picture::scaled(values.iter().copied(), [height, width], scale)
        };
        let (sum, due) = (number(seen.integrated_sum), number(seen.logit - seen.black_logit));
        let value = format!("{} ({})", number(seen.logit), probability(seen.probability));
        let cell = |head: &str, picture, value, of| Cell {
            head: head.into(),
            pictures: vec![picture],
            lines: vec![value, of],
            ..Cell::default()
        };
        let logit = format!("logit of {}", words.class(seen.target));
        let sums = format!("{sum} of {due}");
        Row {
            label: words.seen(seen),
            cells: vec![
                cell("image", Picture::nth(&found.images, image), String::new(), String::new()),
                cell("gradient", picture(&gradient, &of_gradient), value, logit),
                cell("integrated", picture(&integrated, &of_integrated), sums, "sum and target".into()),
            ],
            told: format!("{}: the integrated gradients sum to {sum}, which should be {due}", seen.name),
        }
    });
    let strip = Strip { rows: rows.collect(), lines: vec!["", ""], abreast: 2, most: 80.0 };
    Sheet {
        name: words.file("saliency"),
        alt: "Each image with the gradient of its class’s logit and its integrated gradients from black, blue below and red \
              above zero"
            .into(),
        heading: Heading {
            title: "What raises the logit".into(),
            scales: vec![of_gradient.named("gradient"), of_integrated.named("integrated")],
            ..Heading::default()
        },
        bands: strip.bands(),
    }
    .figures()
}
