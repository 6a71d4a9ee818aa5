//! What the page says of its laboratory: the networks that it has, and those that it does not have.

use inkling_schema::Precision;
use serde::Serialize;

use crate::laboratory::title;
use crate::results::{LeftOut, PageResults, WhyLeftOut};

/// The laboratory in words and numbers.
#[derive(Debug, Serialize)]
pub(super) struct LaboratoryFacts<'a> {
    /// The titles of the data sets of its networks.
    sets: Vec<&'a str>,
    networks: Vec<NetworkFacts>,
    /// Networks that are too large, each with its size; the ones that diverged or are not finished.
    too_large: Vec<TooLarge>,
    diverged: Vec<String>,
    unfinished: Vec<String>,
}

#[derive(Debug, Serialize)]
struct NetworkFacts {
    title: String,
    parameters: usize,
    /// Whether its weights have half precision, which changes the class of so many of so many test images.
    half: bool,
    changed: usize,
    images: usize,
}

#[derive(Debug, Serialize)]
struct TooLarge {
    title: String,
    parameters: usize,
    /// Millions of bytes of the page.
    megabytes: f64,
}

impl<'a> LaboratoryFacts<'a> {
    pub(super) fn new(found: &'a PageResults) -> LaboratoryFacts<'a> {
        let networks = found.networks.iter().map(|network| NetworkFacts {
            title: title(network.task, &network.network.name, Some(network.network.spec.seed)),
            parameters: network.outcome.parameters,
            half: network.precision == Precision::F16,
            changed: network.outcome.changed[0],
            images: network.outcome.images,
        });
        let name = |left: &LeftOut| title(left.task, &left.name, None);
        let of = |why: WhyLeftOut| {
            found.left_out.iter().filter(|left| left.why == why).map(name).collect::<Vec<_>>()
        };
        let too_large = found.left_out.iter().filter_map(|left| match left.why {
            WhyLeftOut::TooLarge(megabytes) => {
                Some(TooLarge { title: name(left), parameters: left.parameters, megabytes })
            }
            _ => None,
        });
        LaboratoryFacts {
            sets: found.images.values().map(|images| images.data.title.as_str()).collect(),
            networks: networks.collect(),
            too_large: too_large.collect(),
            diverged: of(WhyLeftOut::Diverged),
            unfinished: of(WhyLeftOut::Unfinished),
        }
    }
}
