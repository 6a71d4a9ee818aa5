//! What the figures of Task 5 call layers, classes, images, starts, objectives and themselves.

use inkling_schema::outcome::{DataSetFacts, LookedAt};
use inkling_schema::{ImageChoice, Objective, Start};

use super::super::thousands;
use crate::Maps;

/// What figures call layers, classes and themselves.
pub(in crate::figures) struct Words<'a> {
    /// Whether the figures are of a study, whose networks have their convolutions numbered.
    pub(super) study: bool,
    /// What the layers are that are looked at.
    pub(super) maps: Maps,
    /// The data set, with the names of the classes of the head that is looked at.
    pub(super) data: Option<&'a DataSetFacts>,
}

impl Words<'_> {
    /// The layer at this place among those looked at.
    pub(super) fn layer(&self, place: usize, name: &str) -> String {
        match (self.study, self.maps) {
            (true, Maps::Convolutions) => self.convolution(place, name),
            (true, Maps::Stages) => format!("stage {}", place + 1),
            (true, Maps::Units) => format!("hidden layer {}", place + 1),
            (false, _) => format!("layer {name}"),
        }
    }

    /// What a layer that is looked at has many of.
    pub(super) fn parts(&self) -> &'static str {
        if self.maps == Maps::Units { "units" } else { "channels" }
    }

    /// The convolution at this place among all of them.
    pub(super) fn convolution(&self, place: usize, name: &str) -> String {
        if self.study { format!("convolution {}", place + 1) } else { format!("layer {name}") }
    }

    /// The file of a figure of a layer.
    pub(super) fn layer_file(&self, what: &str, place: usize, name: &str) -> String {
        if self.study {
            return format!("inside_{what}_{}", place + 1);
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        format!("{what}_{}", name.chars().map(plain).collect::<String>())
    }

    /// The file of a figure.
    pub(super) fn file(&self, what: &str) -> String {
        if self.study { format!("inside_{what}") } else { what.to_owned() }
    }

    pub(super) fn class(&self, class: usize) -> String {
        let named = self.data.and_then(|data| data.classes.get(class));
        named.cloned().unwrap_or_else(|| class.to_string())
    }

    /// An image by its class, or, where nobody knows it, by what the network takes it for, and by its name.
    pub(super) fn seen(&self, seen: &LookedAt) -> String {
        let class =
            seen.class.map_or_else(|| format!("→ {}", self.class(seen.predicted)), |class| self.class(class));
        let name = seen.index.map_or_else(|| seen.name.clone(), test_image);
        format!("{class} ({name})")
    }

    /// What a dream raises.
    pub(super) fn objective(&self, objective: &Objective) -> String {
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

    /// The image that a dream begins with.
    pub(super) fn image(&self, image: &ImageChoice) -> String {
        match image {
            ImageChoice::Typical { class } => self.class((*class).into()),
            ImageChoice::Index { index } => test_image(*index),
            ImageChoice::File { name, inverted: true, .. } => format!("{name}, inverted"),
            ImageChoice::File { name, .. } => name.clone(),
        }
    }
}

fn test_image(index: usize) -> String {
    format!("test\u{a0}{}", thousands(index))
}

/// The kind of a start.
pub(super) fn start(start: &Start) -> &'static str {
    match start {
        Start::Grey { .. } => "grey",
        Start::Noise { .. } => "noise",
        Start::Image { .. } => "image",
    }
}
