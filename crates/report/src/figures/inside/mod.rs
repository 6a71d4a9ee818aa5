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
use crate::results::Look;
use crate::{ActivationsResults, Figure, FiltersResults, InsideResults, Maps};

/// Every figure of Task 5 that there is something to draw for.
pub(super) fn draw(inside: &InsideResults) -> Vec<Figure> {
    let words = Words { study: true, maps: inside.maps, data: Some(&inside.data) };
    let filters = inside.filters.iter().flat_map(|found| of_filters(found, &words));
    let activations = inside.activations.iter().flat_map(|found| of_activations(found, &words));
    let dreams = [
        dreams::seeds,
        difference::between_classes,
        path::of_study,
        dreams::ablation,
        dreams::every_class,
        dreams::starts,
        dreams::amplified,
    ];
    filters.chain(activations).chain(dreams.into_iter().flat_map(|figures| figures(inside, &words))).collect()
}

/// The figures of one look into a network.
pub(super) fn look(look: &Look, data: Option<&DataSetFacts>) -> Vec<Figure> {
    let words = Words { study: false, maps: Maps::Convolutions, data };
    match look {
        Look::Filters(found) => of_filters(found, &words),
        Look::Activations(found) => of_activations(found, &words),
        Look::Dream(run) => [asked::dreams(run, &words), path::of_run(run, &words)].concat(),
    }
}

fn of_filters(found: &FiltersResults, words: &Words) -> Vec<Figure> {
    [filters::layers(found, words), kinds::chart(found, words)].concat()
}

fn of_activations(found: &ActivationsResults, words: &Words) -> Vec<Figure> {
    [activations::layers, differing::channels, saliency::images].map(|figures| figures(found, words)).concat()
}
