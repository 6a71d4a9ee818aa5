//! Task 1.

use inkling_schema::Task;
use serde::Serialize;

use crate::results::PcaResults;
use crate::tables::{Row, Spec, csv, table};

pub(super) const TABLES: &[Spec] = &[
    table("components", Task::Pca, |rows| Some(csv(&rows.pca.as_ref()?.components()))),
    table("separability", Task::Pca, |rows| Some(csv(&rows.pca.as_ref()?.pairs))),
];

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PcaRows {
    data: String,
    samples: usize,
    pub(crate) explained_variance_ratio: Vec<f64>,
    total_variance: f64,
    fit_seconds: f64,
    pub(crate) pairs: Vec<SeparabilityRow>,
}

/// A principal component.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ComponentRow {
    component: usize,
    explained_variance_ratio: f64,
    cumulative: f64,
}

impl Row for ComponentRow {}

/// Two classes: whether a line separates them in the plane of two components, and a hyperplane in all pixels.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct SeparabilityRow {
    a: u8,
    b: u8,
    class_a: String,
    class_b: String,
    images: usize,
    pub(crate) separable_in_plane: bool,
    plane_accuracy: f64,
    pub(crate) separable_in_full_space: bool,
    full_space_errors: usize,
    full_space_passes: usize,
}

impl Row for SeparabilityRow {}

impl PcaRows {
    pub(super) fn new(results: &PcaResults) -> PcaRows {
        let class = |place: u8| results.compared_data.classes[usize::from(place)].clone();
        let number = |place: u8| results.compared.get(usize::from(place)).copied().unwrap_or(place);
        let pairs = results.separability.pairs.iter().map(|pair| SeparabilityRow {
            a: number(pair.a),
            b: number(pair.b),
            class_a: class(pair.a),
            class_b: class(pair.b),
            images: pair.images,
            separable_in_plane: pair.separable_in_plane,
            plane_accuracy: pair.plane_accuracy,
            separable_in_full_space: pair.separable_in_full_space,
            full_space_errors: pair.full_space_errors,
            full_space_passes: pair.full_space_passes,
        });
        PcaRows {
            data: results.spec.data.set.clone(),
            samples: results.outcome.samples,
            explained_variance_ratio: results.outcome.explained_variance_ratio.clone(),
            total_variance: results.outcome.total_variance,
            fit_seconds: results.outcome.fit_seconds,
            pairs: pairs.collect(),
        }
    }

    pub(crate) fn components(&self) -> Vec<ComponentRow> {
        let mut cumulative = 0.0;
        let row = |(component, &explained_variance_ratio): (usize, &f64)| {
            cumulative += explained_variance_ratio;
            ComponentRow { component, explained_variance_ratio, cumulative }
        };
        (1..).zip(&self.explained_variance_ratio).map(row).collect()
    }
}
