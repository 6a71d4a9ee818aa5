//! What the figures of Tasks 3 and 4 share: the kinds of networks, which are compared, and which diverged.

use inkling_schema::Task;

use super::colour::{CURVES, Rgb};
use super::forms::{Key, Sign};
use super::list;
use crate::document::facts::compared::same_data;
use crate::{Network, NetworksResults, Results};

/// A kind of network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Mlp,
    Cnn,
    /// A network of a person's own.
    Own,
}

impl Kind {
    pub(super) const ALL: &[Kind] = &[Kind::Mlp, Kind::Cnn, Kind::Own];

    /// The task that networks of this kind belong to.
    pub(super) fn task(self) -> Task {
        match self {
            Kind::Mlp => Task::Mlp,
            Kind::Cnn => Task::Cnn,
            Kind::Own => Task::Network,
        }
    }

    /// The networks of this kind.
    pub(super) fn of(self, found: &Results) -> Option<&NetworksResults> {
        match self {
            Kind::Mlp => found.mlps.as_ref(),
            Kind::Cnn => found.cnns.as_ref(),
            Kind::Own => found.network.as_ref(),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Mlp => "MLP",
            Kind::Cnn => "CNN",
            Kind::Own => "network",
        }
    }

    /// What its depth counts.
    fn layers(self) -> &'static str {
        match self {
            Kind::Mlp => "hidden layers",
            Kind::Cnn => "convolutions",
            Kind::Own => "layers",
        }
    }

    pub(super) fn colour(self) -> Rgb {
        match self {
            Kind::Mlp => CURVES[0].0,
            Kind::Cnn => CURVES[3].0,
            Kind::Own => CURVES[1].0,
        }
    }

    /// The shape of its marks, which have the depth in them: a disc, a square.
    pub(super) fn shape(self) -> usize {
        self as usize
    }

    pub(super) fn explain(self, key: &mut Key) {
        let meaning = format!("{} with n {}", self.name(), self.layers());
        key.add(Sign::Lettered(self.shape(), self.colour(), "n"), meaning);
    }
}

/// The networks of a kind; CNNs beside the MLPs where these were trained and tested on the same images.
pub(super) fn compared(kind: Kind, found: &Results) -> Option<Vec<(Kind, &NetworksResults)>> {
    let task = kind.of(found)?;
    let mlps = found.mlps.iter().filter(|mlps| kind == Kind::Cnn && same_data(mlps, task));
    Some(mlps.map(|mlps| (Kind::Mlp, mlps)).chain([(kind, task)]).collect())
}

/// The names of networks that diverged.
pub(super) fn diverged<'a>(networks: impl Iterator<Item = &'a Network>) -> Vec<String> {
    networks.filter(|network| network.kept().is_none()).map(|network| network.name.clone()).collect()
}

/// The names of networks that diverged, in a sentence for those who cannot see the figure; nothing where none did.
pub(super) fn diverged_words(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(" Diverged, not shown: {}.", list(names)) }
}
