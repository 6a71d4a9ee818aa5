//! What tells the dreams of two classes apart: the difference of the first ones and of their means.

use super::picture::{Picture, means};
use super::scale::Scale;
use super::sheet::{Heading, Sheet};
use super::strip::{Cell, Row, Strip};
use super::words::Words;
use super::{Draw, Spec, figure};
use crate::{Figure, InsideResults};

pub(super) const FIGURES: &[Spec] = &[figure("inside_difference", Draw::Study(between_classes))];

/// The first dreams of the two classes with their difference, and the means over all seeds with theirs.
fn between_classes(inside: &InsideResults, words: &Words) -> Vec<Figure> {
    let [Some(of_a), Some(of_b)] = inside.classes.map(|class| inside.seeds(class)) else { return Vec::new() };
    let (of_a, of_b) = (&of_a.pictures, &of_b.pictures);
    if of_a.size != of_b.size {
        return Vec::new();
    }
    let mut pairs = vec![("first dreams", [of_a.get(0).to_vec(), of_b.get(0).to_vec()])];
    if of_a.iter().len() > 1 && of_b.iter().len() > 1 {
        pairs.push(("means of all dreams", [of_a.mean(), of_b.mean()]));
    }
    let [height, width, channels] = of_a.size;
    let difference = |[a, b]: &[Vec<f32>; 2]| {
        let difference: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        means(&difference, channels)
    };
    let differences: Vec<Vec<f64>> = pairs.iter().map(|(_, pair)| difference(pair)).collect();
    let scale = Scale::signed(differences.iter().flatten());
    let [a, b] = inside.classes.map(|class| words.class(class.into()));
    let rows = pairs.iter().zip(&differences).map(|((of, pair), difference)| {
        let of_difference = Picture::scaled(difference.iter().copied(), [height, width], &scale);
        let pictures = pair.iter().map(|values| Picture::of(values, of_a.size)).chain([of_difference]);
        let heads = [&a, &b, "difference"].map(str::to_owned);
        let cell = |(picture, head): (Picture, String)| Cell { head, ..picture.into() };
        Row { label: (*of).into(), cells: pictures.zip(heads).map(cell).collect(), ..Row::default() }
    });
    let strip = Strip { rows: rows.collect(), abreast: 2, most: 100.0, ..Strip::default() };
    let [_, high] = scale.ends();
    Sheet {
        name: words.file("difference"),
        alt: format!(
            "The dreams of {a} and of {b} and the difference of their brightness, red where the dream of {a} is brighter and \
             blue where that of {b} is, up to {high}{}",
            if pairs.len() > 1 { "; beside it the same of the means over all seeds" } else { "" },
        ),
        heading: Heading {
            title: format!("Dream of {a} minus dream of {b}"),
            note: format!("red: brighter for {a}"),
            scales: vec![scale],
        },
        bands: strip.bands(),
    }
    .figures()
}
