//! What tells the dreams of two classes apart: the difference of the first ones and of their means.

use super::super::canvas::{Canvas, Frame, Style, TEXT_WIDTH};
use super::super::networks::fitted;
use super::Words;
use super::picture::{self, HEADER, Scale, colours, diverging, header, largest, means, number};
use crate::{Figure, InsideResults};

/// The first dreams of the two classes with their difference, and the means over all seeds with theirs.
pub(super) fn between_classes(inside: &InsideResults, words: &Words) -> Option<Figure> {
    let [a, b] = inside.classes;
    let (of_a, of_b) = (inside.seeds(a)?, inside.seeds(b)?);
    let size = of_a.pictures.size;
    if of_b.pictures.size != size {
        return None;
    }
    let [height, width, channels] = size;
    let names = [a, b].map(|class| words.class(class.into()));
    let mut groups = vec![("first noise", [of_a.pictures.get(0).to_vec(), of_b.pictures.get(0).to_vec()])];
    if of_a.outcome.pictures.len() > 1 && of_b.outcome.pictures.len() > 1 {
        groups.push(("mean over all", [of_a.pictures.mean(), of_b.pictures.mean()]));
    }
    let differences: Vec<Vec<f64>> = groups
        .iter()
        .map(|(_, [of_a, of_b])| {
            let difference: Vec<f32> = of_a.iter().zip(of_b).map(|(a, b)| a - b).collect();
            means(&difference, channels)
        })
        .collect();
    let scale = largest(differences.iter().flatten());
    let aspect = height as f64 / width as f64;
    let (gap, apart, label) = (4.0, 20.0, 12.0);
    let tile = ((TEXT_WIDTH - apart - 4.0 * gap) / 6.0 - 0.5).min(110.0 / aspect);
    let mut canvas = Canvas::new(TEXT_WIDTH, HEADER + tile * aspect + label + 1.0);
    let title = format!("Dream of {} less dream of {}", names[0], names[1]);
    let note = format!("red: brighter for {}", names[0]);
    header(&mut canvas, 6.0, &title, &note, Some(&Scale::symmetric(scale)));
    let mut x = 0.5;
    for ((what, pictures), difference) in groups.iter().zip(&differences) {
        for (column, caption) in
            [format!("{}, {what}", names[0]), format!("{}, {what}", names[1]), "difference".to_owned()]
                .into_iter()
                .enumerate()
        {
            let frame = Frame { x, y: HEADER, width: tile, height: tile * aspect };
            let pixels = match pictures.get(column) {
                Some(picture) => colours(picture, channels),
                None => diverging(difference, scale),
            };
            picture::draw(&mut canvas, frame, width, pixels);
            let at = (frame.centre().0, frame.bottom() + 7.0);
            canvas.text(at, &fitted(&caption, 7.0, tile + gap - 1.0), Style::new(7));
            x += tile + gap;
        }
        x += apart - gap;
    }
    let alt = format!(
        "The dreams of {} and of {} and the difference of their brightness, red where the dream of {} is brighter and \
         blue where that of {} is, up to {}{}.",
        names[0],
        names[1],
        names[0],
        names[1],
        number(scale),
        if groups.len() > 1 { "; beside it the same of the means over all seeds" } else { "" },
    );
    Some(Figure::new(words.file("difference", 0), canvas.finish(), alt))
}
