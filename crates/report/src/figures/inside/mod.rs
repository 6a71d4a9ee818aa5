//! The figures of Task 5: what was found inside a network, in a study or in a single look.

mod activations;
mod difference;
mod differing;
mod dreams;
mod filters;
mod kinds;
mod path;
mod picture;
mod saliency;
mod strip;
#[cfg(test)]
mod tests;
mod tiles;

use inkling_schema::Objective;
use inkling_schema::outcome::DataSetFacts;

use crate::results::Look;
use crate::{DreamResults, Figure, InsideResults};

/// Every figure of Task 5 that there is something to draw for.
pub(super) fn draw(inside: &InsideResults) -> Vec<Figure> {
    let words = Words { study: true, data: Some(&inside.data) };
    let mut figures = Vec::new();
    if let Some(filters) = &inside.filters {
        figures.extend(filters::layers(filters, &words));
        figures.push(kinds::chart(filters, &words));
    }
    if let Some(found) = &inside.activations {
        figures.extend(activations::layers(found, &words));
        figures.extend(differing::channels(found, &words));
        figures.extend(saliency::images(found, &words));
    }
    figures.extend(dreams::seeds(inside, &words));
    figures.extend(difference::between_classes(inside, &words));
    figures.extend(path::of_study(inside, &words));
    figures.extend(dreams::ablation(inside, &words));
    figures.extend(dreams::every_class(inside, &words));
    figures.extend(dreams::starts(inside, &words));
    figures.extend(dreams::amplified(inside, &words));
    figures
}

/// The figures of one look into a network.
pub(super) fn look(look: &Look, data: Option<&DataSetFacts>) -> Vec<Figure> {
    let words = Words { study: false, data };
    match look {
        Look::Filters(filters) => {
            let mut figures = filters::layers(filters, &words);
            figures.push(kinds::chart(filters, &words));
            figures
        }
        Look::Activations(found) => {
            let mut figures = activations::layers(found, &words);
            figures.extend(differing::channels(found, &words));
            figures.extend(saliency::images(found, &words));
            figures
        }
        Look::Dream(run) => {
            let mut figures = dreams::asked(run, &words);
            figures.extend(path::of_run(run, &words));
            figures
        }
    }
}

/// What figures call layers, classes and themselves.
struct Words<'a> {
    /// Whether the figures are of a study, whose networks have their convolutions numbered.
    study: bool,
    /// The data set, with the names of the classes of the head that is looked at.
    data: Option<&'a DataSetFacts>,
}

impl Words<'_> {
    /// The layer at this place among those looked at.
    fn layer(&self, place: usize, name: &str) -> String {
        if self.study { format!("convolution {}", place + 1) } else { format!("layer {name}") }
    }

    /// The file of a figure of a layer.
    fn layer_file(&self, what: &str, place: usize, name: &str) -> String {
        if self.study {
            return format!("inside_{what}_{}", place + 1);
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        format!("{what}_{}", name.chars().map(plain).collect::<String>())
    }

    /// The file of a figure; those of a single look that goes over several have numbers from the second on.
    fn file(&self, what: &str, part: usize) -> String {
        match (self.study, part) {
            (true, 0) => format!("inside_{what}"),
            (true, part) => format!("inside_{what}_{}", part + 1),
            (false, 0) => what.to_owned(),
            (false, part) => format!("{what}_{}", part + 1),
        }
    }

    fn class(&self, class: usize) -> String {
        let named = self.data.and_then(|data| data.classes.get(class));
        named.cloned().unwrap_or_else(|| class.to_string())
    }

    /// What a dream raises.
    fn objective(&self, objective: &Objective) -> String {
        match objective {
            Objective::ClassLogit { class, .. } | Objective::ClassProbability { class, .. } if self.study => {
                self.class(*class)
            }
            Objective::ClassLogit { head, class } => format!("logit of {head} {}", self.class(*class)),
            Objective::ClassProbability { head, class } => {
                format!("probability of {head} {}", self.class(*class))
            }
            Objective::Neuron { layer, position } => {
                let position: Vec<String> = position.iter().map(ToString::to_string).collect();
                format!("{layer} at {}", position.join(", "))
            }
            Objective::Channel { layer, channel } => format!("{layer} channel {channel}"),
            Objective::LayerMeanSquare { layer } => format!("{layer} mean square"),
        }
    }
}

/// The class that a picture of a run raises.
fn class_of(run: &DreamResults, picture: usize) -> Option<usize> {
    match run.spec.pictures.get(picture)?.objective {
        Objective::ClassLogit { class, .. } | Objective::ClassProbability { class, .. } => Some(class),
        _ => None,
    }
}
