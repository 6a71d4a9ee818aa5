//! Facts of filters: kinds of slices beside what random weights give.

use inkling_schema::found::FilterKinds;
use serde::Serialize;

use crate::{FilterLayerResults, FiltersResults};

#[derive(Debug, Serialize)]
pub(super) struct FiltersFacts {
    /// A slice is an edge if the larger eigenvalue is at least so many times the smaller.
    edge_ratio: f64,
    layers: Vec<LayerFacts>,
    /// Numbers of the layers, from 1, that have more edges than chance gives, fewer, or about as many.
    more_edges: Vec<usize>,
    fewer_edges: Vec<usize>,
    as_many_edges: Vec<usize>,
    /// The layer with the largest share of slices near zero.
    emptiest: usize,
}

/// A convolution; shares are of its slices.
#[derive(Debug, Serialize)]
struct LayerFacts {
    number: usize,
    kernel: [usize; 2],
    filters: usize,
    slices: usize,
    /// Whether every slice is shown.
    whole: bool,
    edges: f64,
    edges_by_chance: f64,
    blobs: f64,
    blobs_by_chance: f64,
    near_zero: f64,
}

/// How a count stands to what chance gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Against {
    More,
    Fewer,
    Alike,
}

/// A count among `n` that chance makes with this probability each: more or fewer than 95 % of such counts.
fn against(count: f64, n: f64, probability: f64) -> Against {
    let (expected, variance) = (n * probability, n * probability * (1.0 - probability));
    let off = count - expected;
    if off.abs() <= 1.96 * variance.max(0.0).sqrt() || off.abs() < 1e-9 {
        Against::Alike
    } else if off > 0.0 {
        Against::More
    } else {
        Against::Fewer
    }
}

impl FiltersFacts {
    pub(super) fn new(filters: &FiltersResults) -> Self {
        let layers: Vec<LayerFacts> =
            filters.layers.iter().zip(1..).map(|(layer, number)| LayerFacts::new(layer, number)).collect();
        let having = |wanted: Against| -> Vec<usize> {
            let found = |layer: &FilterLayerResults| {
                let (n, kinds) = (layer.slices() as f64, &layer.found.kinds);
                against(kinds.edges, n, layer.found.by_chance.edges / n) == wanted
            };
            filters
                .layers
                .iter()
                .zip(1..)
                .filter(|(layer, _)| found(layer))
                .map(|(_, number)| number)
                .collect()
        };
        let emptiest = layers.iter().max_by(|p, q| p.near_zero.total_cmp(&q.near_zero));
        FiltersFacts {
            edge_ratio: filters.spec.patterns.edge_ratio,
            more_edges: having(Against::More),
            fewer_edges: having(Against::Fewer),
            as_many_edges: having(Against::Alike),
            emptiest: emptiest.map_or(1, |layer| layer.number),
            layers,
        }
    }
}

impl LayerFacts {
    fn new(layer: &FilterLayerResults, number: usize) -> Self {
        let slices = layer.slices();
        let share = |count: f64| count / slices as f64;
        let FilterKinds { edges, blobs, near_zero, .. } = layer.found.kinds;
        LayerFacts {
            number,
            kernel: layer.found.kernel,
            filters: layer.found.filters,
            slices,
            whole: layer.is_shown_whole(),
            edges: share(edges),
            edges_by_chance: share(layer.found.by_chance.edges),
            blobs: share(blobs),
            blobs_by_chance: share(layer.found.by_chance.blobs),
            near_zero: share(near_zero),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_held_against_the_binomial_distribution() {
        // 100 at one half: 50 ± 1.96 · 5.
        assert_eq!(against(59.0, 100.0, 0.5), Against::Alike);
        assert_eq!(against(60.0, 100.0, 0.5), Against::More);
        assert_eq!(against(40.0, 100.0, 0.5), Against::Fewer);
        assert_eq!(against(0.0, 100.0, 0.0), Against::Alike);
        assert_eq!(against(1.0, 100.0, 0.0), Against::More);
    }
}
