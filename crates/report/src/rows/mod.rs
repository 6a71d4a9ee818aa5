//! What was found, once: a plain row for each line of each table. `summary.json`, the CSV files and the report's own tables
//! are these rows. Accuracies are shares of one, times are seconds, and what does not exist is null.

mod inside;
mod multitask;
mod networks;
mod pca;
mod perceptron;
mod seeds;
mod sweep;

use inkling_schema::outcome::Evaluation;
use inkling_statistics::wilson_interval;
use serde::Serialize;

pub(crate) use self::inside::{InsideRows, LikenessRow};
pub(crate) use self::multitask::{ClassChangeRow, HeadedRow, MultitaskRows, SingleRow, WeightingRow};
pub(crate) use self::networks::{BesideRows, ClassRow, ComparedRow, ConfusionRow, NetworkRow, NetworksRows};
pub(crate) use self::pca::PcaRows;
pub(crate) use self::perceptron::{PerceptronRow, PerceptronRows, PerceptronSeedRow};
pub(crate) use self::seeds::{SeedRow, SeedsRows};
pub(crate) use self::sweep::{PointRow, SweepRows};
use crate::results::Results;
use crate::tables::Spec;

/// Every table there is, in the order in which a reader meets them.
pub(crate) const TABLES: &[&[Spec]] =
    &[pca::TABLES, perceptron::TABLES, networks::TABLES, inside::TABLES, multitask::TABLES, sweep::TABLES];

/// 95 % Wilson interval of an accuracy.
pub(crate) fn interval(found: Evaluation) -> (f64, f64) {
    wilson_interval(found.correct, found.images)
}

/// The rows of every task; a task that was not asked for is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Rows {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pca: Option<PcaRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) perceptron: Option<PerceptronRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mlp: Option<NetworksRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cnn: Option<NetworksRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<NetworksRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inside: Option<InsideRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) multitask: Option<MultitaskRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sweep: Option<SweepRows>,
    /// MLPs and CNNs side by side, where there are both.
    #[serde(skip)]
    pub(crate) beside: Option<BesideRows>,
}

impl Rows {
    /// The rows of what is finished of a study.
    pub(crate) fn new(results: &Results) -> Rows {
        let (mlps, cnns) = (results.mlps.as_ref(), results.cnns.as_ref());
        let times_compare = results.origins.times_compare();
        Rows {
            pca: results.pca.as_ref().map(PcaRows::new),
            perceptron: results.perceptrons.as_ref().map(PerceptronRows::new),
            mlp: mlps.map(NetworksRows::new),
            cnn: cnns.map(NetworksRows::new),
            network: results.network.as_ref().map(NetworksRows::new),
            inside: results.inside.as_ref().map(InsideRows::new),
            multitask: results.multitask.as_ref().map(MultitaskRows::new),
            sweep: results.sweep.as_ref().map(SweepRows::new),
            beside: mlps.zip(cnns).map(|(mlps, cnns)| BesideRows::new(mlps, cnns, times_compare)),
        }
    }
}
