//! What each pixel of some images has to do with the score: gradient and integrated gradients.

use super::super::canvas::{Canvas, Frame, Style, TEXT_WIDTH, text_width};
use super::super::list;
use super::super::networks::fitted;
use super::Words;
use super::activations::image_name;
use super::picture::{self, Scale, colours, diverging, largest, means, number, probability};
use crate::{ActivationsResults, Figure};

/// Images of one figure.
const SHOWN: usize = 8;

/// Each image with its gradient and its integrated gradients.
pub(super) fn images(found: &ActivationsResults, words: &Words) -> Vec<Figure> {
    let numbers: Vec<usize> = (0..found.outcome.images.len()).collect();
    numbers.chunks(SHOWN).enumerate().map(|(part, images)| figure(found, part, images, words)).collect()
}

fn figure(found: &ActivationsResults, part: usize, images: &[usize], words: &Words) -> Figure {
    let [height, width, channels] = found.images.size;
    let gradients: Vec<Vec<f64>> = images.iter().map(|&i| means(found.gradient.get(i), channels)).collect();
    let integrated: Vec<Vec<f64>> =
        images.iter().map(|&i| means(found.integrated.get(i), channels)).collect();
    let scales = [&gradients, &integrated].map(|kind| largest(kind.iter().flatten()));
    let aspect = height as f64 / width as f64;
    let (gap, apart, top, below) = (3.0, 18.0, 13.0, 20.0);
    let abreast = 2;
    let block = (TEXT_WIDTH - apart) / abreast as f64;
    let tile = ((block - 2.0 * gap) / 3.0 - 0.5).min(80.0 / aspect);
    let tall = tile * aspect;
    let bands = images.len().div_ceil(abreast);
    let band = top + tall + below;
    let mut canvas = Canvas::new(TEXT_WIDTH, band * bands as f64 + 14.0);
    let mut errors = Vec::new();
    for (i, &image) in images.iter().enumerate() {
        let seen = &found.outcome.images[image];
        let (x, y) = (0.5 + (block + apart) * (i % abreast) as f64, band * (i / abreast) as f64);
        let frame = |column: usize| {
            let x = x + (tile + gap) * column as f64;
            Frame { x, y: y + top, width: tile, height: tall }
        };
        let room = tile + gap - 1.0;
        picture::draw(&mut canvas, frame(0), width, colours(found.images.get(image), channels));
        picture::draw(&mut canvas, frame(1), width, diverging(&gradients[i], scales[0]));
        picture::draw(&mut canvas, frame(2), width, diverging(&integrated[i], scales[1]));
        for (column, title) in ["image", "gradient", "integrated"].into_iter().enumerate() {
            canvas.text((frame(column).centre().0, y + 6.0), &fitted(title, 7.0, room), Style::new(7));
        }
        let class = seen.class.unwrap_or(seen.target);
        let lines = [
            (words.class(class), image_name(seen)),
            (
                format!("logit of {}", words.class(seen.target)),
                format!("{} ({})", number(seen.logit), probability(seen.probability)),
            ),
            (
                "sum, and its due".into(),
                format!("{} of {}", number(seen.integrated_sum), number(seen.logit - seen.black_logit)),
            ),
        ];
        for (column, (first, second)) in lines.iter().enumerate() {
            let x = frame(column).centre().0;
            let style = if column == 0 { Style::new(8).bold() } else { Style::new(7) };
            let size = if column == 0 { 8.5 } else { 7.0 };
            canvas.text((x, y + top + tall + 6.5), &fitted(first, size, room), style);
            canvas.text((x, y + top + tall + 15.0), &fitted(second, 7.0, room), Style::new(7));
        }
        let due = seen.logit - seen.black_logit;
        errors.push(format!(
            "{}: the integrated gradients sum up to {} and should to {}",
            seen.name,
            number(seen.integrated_sum),
            number(due),
        ));
    }
    let y = band * bands as f64 + 7.0;
    let mut x = TEXT_WIDTH - 0.5;
    for (title, scale) in [("integrated", scales[1]), ("gradient", scales[0])] {
        x = Scale::symmetric(scale).draw(&mut canvas, x, y) - 6.0;
        canvas.text((x, y), title, Style::new(7).end());
        x -= text_width(title, 7.0) + 16.0;
    }
    let alt = format!(
        "Each image with the gradient of its class’s logit and its integrated gradients from black, blue below and red \
         above zero. {}.",
        list(&errors),
    );
    Figure::new(words.file("saliency", part), canvas.finish(), alt)
}
