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
pub use self::registry::draw;
#[cfg(test)]
pub(crate) use self::registry::names;
use self::written::{
    fixed, list, number, p_value, percent, points, probability, share, thousands, tick_seconds,
};
use inkling_schema::outcome::DataSetFacts;

use crate::Figure;
use crate::results::Look;

/// Draws the figures of one look into a network; `data` names the classes.
pub(crate) fn draw_look(look: &Look, data: Option<&DataSetFacts>) -> Vec<Figure> {
    inside::look(look, data)
}
