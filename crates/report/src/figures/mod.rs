//! The figures of the report, drawn from a finished study.

mod accuracy;
mod augmentation;
mod axis;
mod canvas;
mod colour;
mod confusion;
mod curves;
mod forms;
mod inside;
mod mcnemar;
mod multitask;
mod names;
mod networks;
mod pca;
mod perceptron;
mod plane;
mod raster;
mod registry;
mod scatter;
mod seeds;
mod separability;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod written;

pub use self::inside::{ClassImages, contact_sheet};
pub(crate) use self::plane::plane;
pub use self::plane::sheet;
use self::registry::Spec;
#[cfg(test)]
pub(crate) use self::registry::names;
use self::written::{
    counted, fixed, list, number, p_value, percent, points, probability, share, thousands, tick_seconds,
};
use inkling_schema::Task;
use inkling_schema::outcome::DataSetFacts;

use crate::results::Look;
use crate::rows::Rows;
use crate::{Figure, Results};

/// Every figure, by the files that draw them; those of a task in the order in which a reader meets them.
const FIGURES: &[&[&[Spec]]] = &[
    &[
        scatter::FIGURES,
        pca::FIGURES,
        separability::FIGURES,
        perceptron::FIGURES,
        augmentation::FIGURES,
        curves::FIGURES,
        accuracy::FIGURES,
        seeds::FIGURES,
        mcnemar::FIGURES,
        confusion::FIGURES,
        accuracy::COMPARED,
        mcnemar::COMPARED,
    ],
    inside::FIGURES,
    multitask::FIGURES,
    &[sweep::FIGURES],
];

fn specs() -> impl Iterator<Item = &'static Spec> {
    FIGURES.iter().copied().flatten().copied().flatten()
}

/// Draws every figure of the tasks that the study did, in the order in which a reader meets them.
pub fn draw(results: &Results) -> Vec<Figure> {
    draw_with(results, &Rows::new(results))
}

/// The same, where the rows of the study are known.
pub(crate) fn draw_with(results: &Results, rows: &Rows) -> Vec<Figure> {
    let mut figures: Vec<Figure> = specs().flat_map(|spec| spec.figures(results, rows)).collect();
    // A figure of several kinds of networks belongs to several tasks.
    figures.sort_by_key(|figure| figure.task);
    // All that is known of a network of a person's own belongs to no task of the brief.
    let own = |figure: Figure| if results.network.is_some() { figure.of(Task::Network) } else { figure };
    figures.into_iter().map(own).collect()
}

/// Draws the figures of one look into a network; `data` names the classes.
pub(crate) fn draw_look(look: &Look, data: Option<&DataSetFacts>) -> Vec<Figure> {
    inside::look(look, data)
}
