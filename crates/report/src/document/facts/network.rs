//! Facts of a network of a person's own: its layers one by one, beside what is said of any network.

use inkling_schema::{PlannedLayer, Weights};
use serde::Serialize;

use super::networks::NetworksFacts;
use crate::NetworksResults;
use crate::rows::NetworksRows;

/// What the report says of a network that was trained alone.
#[derive(Debug, Serialize)]
pub(super) struct NetworkFacts<'a> {
    #[serde(flatten)]
    networks: NetworksFacts<'a>,
    name: &'a str,
    /// Height, width and channels of an image.
    input: [usize; 3],
    layers: Vec<LayerFacts>,
    multiply_adds: usize,
    /// The epoch whose weights are kept, if it is chosen by the validation images.
    best: Option<usize>,
    /// Test images of each class.
    supports: Vec<usize>,
}

#[derive(Debug, Serialize)]
struct LayerFacts {
    place: String,
    what: String,
    output: String,
    parameters: usize,
}

impl LayerFacts {
    fn new(layer: &PlannedLayer) -> LayerFacts {
        LayerFacts {
            place: layer.place.clone(),
            what: layer.layer.description(),
            output: layer.output.to_string().replace('×', " × "),
            parameters: layer.parameters,
        }
    }
}

impl<'a> NetworkFacts<'a> {
    /// `None` without a network that can be planned.
    pub(super) fn new(found: &'a NetworksResults, rows: &'a NetworksRows) -> Option<Self> {
        let network = found.networks.first()?;
        let plan = network.spec.model.plan().ok()?;
        let best_kept = network.outcome.weights == Weights::Best;
        let mut supports = vec![0; found.data.classes.len()];
        network.labels().iter().for_each(|&label| supports[usize::from(label)] += 1);
        Some(NetworkFacts {
            networks: NetworksFacts::new(found, rows)?,
            name: &network.name,
            input: network.spec.model.input,
            layers: plan.all_layers().map(LayerFacts::new).collect(),
            multiply_adds: plan.layers.iter().map(|layer| layer.multiply_adds).sum(),
            best: network.kept().filter(|_| best_kept).map(|kept| kept.epoch),
            supports,
        })
    }
}
