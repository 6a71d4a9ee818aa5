//! Facts of filters: kinds of slices beside what random weights give.

use inkling_statistics::{ALPHA, chi_squared_survival, holm};
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
}

/// A convolution; shares are of its slices.
#[derive(Debug, Serialize)]
struct LayerFacts {
    number: usize,
    slices: usize,
    /// Whether every slice is shown.
    whole: bool,
    edges: f64,
    edges_by_chance: f64,
}

/// How a count stands to what chance gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Against {
    More,
    Fewer,
    Alike,
}

/// Counts, each among `n` that chance makes with a probability: (count, n, probability). More or fewer at 5 %, by the normal
/// approximation of the binomial distribution, over the family of all layers by Holm's method.
fn against(counts: &[(f64, f64, f64)]) -> Vec<Against> {
    let off = |&(count, n, probability): &(f64, f64, f64)| count - n * probability;
    let p = counts.iter().map(|found| {
        let &(_, n, probability) = found;
        let variance = n * probability * (1.0 - probability);
        if off(found).abs() < 1e-9 {
            return 1.0;
        }
        if variance > 0.0 { chi_squared_survival(off(found).powi(2) / variance, 1) } else { 0.0 }
    });
    let adjusted = holm(&p.collect::<Vec<f64>>());
    let judge = |(found, p): (&(f64, f64, f64), f64)| match off(found) {
        _ if p >= ALPHA => Against::Alike,
        more if more > 0.0 => Against::More,
        _ => Against::Fewer,
    };
    counts.iter().zip(adjusted).map(judge).collect()
}

impl FiltersFacts {
    pub(super) fn new(filters: &FiltersResults) -> Self {
        let counts = filters.layers.iter().map(|layer| {
            let n = layer.slices() as f64;
            (layer.found.kinds.edges, n, layer.found.by_chance.edges / n)
        });
        let found = against(&counts.collect::<Vec<_>>());
        let having = |wanted: Against| -> Vec<usize> {
            found.iter().zip(1..).filter(|(found, _)| **found == wanted).map(|(_, number)| number).collect()
        };
        FiltersFacts {
            edge_ratio: filters.spec.patterns.edge_ratio,
            more_edges: having(Against::More),
            fewer_edges: having(Against::Fewer),
            as_many_edges: having(Against::Alike),
            layers: filters.layers.iter().zip(1..).map(LayerFacts::new).collect(),
        }
    }
}

impl LayerFacts {
    fn new((layer, number): (&FilterLayerResults, usize)) -> Self {
        let slices = layer.slices();
        let share = |count: f64| count / slices as f64;
        LayerFacts {
            number,
            slices,
            whole: layer.is_shown_whole(),
            edges: share(layer.found.kinds.edges),
            edges_by_chance: share(layer.found.by_chance.edges),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_held_against_the_binomial_distribution() {
        let one = |count, n, probability| against(&[(count, n, probability)])[0];
        // 100 at one half: 50 ± 1.96 · 5.
        assert_eq!(one(59.0, 100.0, 0.5), Against::Alike);
        assert_eq!(one(60.0, 100.0, 0.5), Against::More);
        assert_eq!(one(40.0, 100.0, 0.5), Against::Fewer);
        assert_eq!(one(0.0, 100.0, 0.0), Against::Alike);
        assert_eq!(one(1.0, 100.0, 0.0), Against::More);
        // p = 0.0455 for 60 alone; of two layers it would have to be below 0.025.
        assert_eq!(against(&[(60.0, 100.0, 0.5), (50.0, 100.0, 0.5)]), [Against::Alike; 2]);
    }
}
