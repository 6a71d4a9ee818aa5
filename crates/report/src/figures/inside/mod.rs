//! The figures of Task 5: what was found inside a network, in a study or in a single look.
//!
//! A figure says what it shows: a heading, pictures and what is to be read about them. Where that goes is known to the
//! forms: `sheet` (heading, parts), `strip` (rows of pictures), `tiles` (grids of small ones) and `chart` (curves).

mod activations;
mod asked;
mod channels;
mod chart;
mod contact;
mod difference;
mod differing;
mod dreams;
mod filters;
mod kinds;
mod path;
mod picture;
mod saliency;
mod scale;
mod sheet;
mod strip;
#[cfg(test)]
mod tests;
mod text;
mod tiles;
mod words;

use inkling_schema::outcome::DataSetFacts;

pub use self::contact::{ClassImages, contact_sheet};
use self::words::Words;
use super::registry::{self, Spec};
use crate::results::Look;
use crate::{ActivationsResults, Figure, FiltersResults, InsideResults, Maps};

/// The figures, by the files that draw them.
pub(super) const FIGURES: &[&[Spec]] = &[
    filters::FIGURES,
    kinds::FIGURES,
    activations::FIGURES,
    differing::FIGURES,
    saliency::FIGURES,
    dreams::FIGURES,
    difference::FIGURES,
    path::FIGURES,
    dreams::FURTHER,
];

/// What draws a figure, which has the words to name itself: one of a single look is called otherwise than one of a study.
#[derive(Clone, Copy)]
pub(super) enum Draw {
    /// Of filters, in a study and in a single look.
    Filters(fn(&FiltersResults, &Words) -> Vec<Figure>),
    /// Of activations, likewise.
    Activations(fn(&ActivationsResults, &Words) -> Vec<Figure>),
    /// Of the dreams of a study.
    Study(fn(&InsideResults, &Words) -> Vec<Figure>),
}

const fn figure(name: &'static str, draw: Draw) -> Spec {
    Spec::new(name, registry::Draw::Inside(draw))
}

impl Draw {
    /// The figures of a study.
    pub(super) fn of_study(self, inside: &InsideResults) -> Vec<Figure> {
        let words = &Words { study: true, maps: inside.maps, data: Some(&inside.data) };
        match self {
            Draw::Filters(draw) => inside.filters.iter().flat_map(|found| draw(found, words)).collect(),
            Draw::Activations(draw) => {
                inside.activations.iter().flat_map(|found| draw(found, words)).collect()
            }
            Draw::Study(draw) => draw(inside, words),
        }
    }
}

/// The figures of one look into a network.
pub(super) fn look(look: &Look, data: Option<&DataSetFacts>) -> Vec<Figure> {
    let words = &Words { study: false, maps: Maps::Convolutions, data };
    let drawn = |draw: Draw| match (draw, look) {
        (Draw::Filters(draw), Look::Filters(found)) => draw(found, words),
        (Draw::Activations(draw), Look::Activations(found)) => draw(found, words),
        _ => Vec::new(),
    };
    match look {
        Look::Dream(run) => [asked::dreams(run, words), path::of_run(run, words)].concat(),
        _ => FIGURES.iter().copied().flatten().filter_map(Spec::inside).flat_map(drawn).collect(),
    }
}
