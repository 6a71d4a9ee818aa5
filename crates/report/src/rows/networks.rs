//! Tasks 3 and 4, and both kinds of networks side by side.

use inkling_schema::Task;
use inkling_schema::outcome::Divergence;
use inkling_statistics::{ClassMeasures, class_measures};
use serde::Serialize;

use super::interval;
use super::seeds::{self, SeedPairRow, SeedsRows};
use crate::results::{Comparisons, McNemar, Network, NetworkPair, NetworksResults};
use crate::tables::{DIVERGED, Parts, Row, Spec, csv, some, table};

pub(super) const TABLES: &[Spec] = &[
    table("mlp_networks", Task::Mlp, |rows| Some(csv(&rows.mlp.as_ref()?.networks))),
    table("mlp_mcnemar", Task::Mlp, |rows| Some(csv(&rows.mlp.as_ref()?.mcnemar))),
    table("mlp_seeds", Task::Mlp, |rows| Some(csv(&rows.mlp.as_ref()?.seeds.as_ref()?.networks))),
    table("mlp_seed_tests", Task::Mlp, |rows| Some(csv(&rows.mlp.as_ref()?.seeds.as_ref()?.tests))),
    table("mlp_classes", Task::Mlp, |rows| Some(csv(&rows.mlp.as_ref()?.classes))),
    table("confusion_mlp", Task::Mlp, |rows| some(&rows.mlp.as_ref()?.confusion)),
    table("cnn_networks", Task::Cnn, |rows| Some(csv(&rows.cnn.as_ref()?.networks))),
    table("cnn_mcnemar", Task::Cnn, |rows| Some(csv(&rows.cnn.as_ref()?.mcnemar))),
    table("cnn_seeds", Task::Cnn, |rows| Some(csv(&rows.cnn.as_ref()?.seeds.as_ref()?.networks))),
    table("cnn_seed_tests", Task::Cnn, |rows| Some(csv(&rows.cnn.as_ref()?.seeds.as_ref()?.tests))),
    table("cnn_classes", Task::Cnn, |rows| Some(csv(&rows.cnn.as_ref()?.classes))),
    table("confusion_cnn", Task::Cnn, |rows| some(&rows.cnn.as_ref()?.confusion)),
    table("networks_compared", Task::Cnn, |rows| Some(csv(&rows.beside.as_ref()?.networks))),
    table("cnn_mlp_mcnemar", Task::Cnn, |rows| Some(csv(&rows.beside.as_ref()?.mcnemar))),
    table("cnn_mlp_seed_tests", Task::Cnn, |rows| some(&rows.beside.as_ref()?.seed_tests)),
    table("network", Task::Network, |rows| Some(csv(&rows.network.as_ref()?.networks))),
    table("network_seeds", Task::Network, |rows| Some(csv(&rows.network.as_ref()?.seeds.as_ref()?.networks))),
    table("network_classes", Task::Network, |rows| Some(csv(&rows.network.as_ref()?.classes))),
    table("confusion_network", Task::Network, |rows| some(&rows.network.as_ref()?.confusion)),
];

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct NetworksRows {
    data: String,
    pub(crate) networks: Vec<NetworkRow>,
    /// Every two networks, for whoever says or draws which of them differ.
    #[serde(skip)]
    pub(crate) comparisons: Comparisons<NetworkPair>,
    /// McNemar's exact test between every two networks that did not diverge.
    pub(crate) mcnemar: Vec<PairRow>,
    /// Precision, recall and F1 of every class, by every network that did not diverge.
    pub(crate) classes: Vec<ClassRow>,
    /// Of the network that the report looks at more closely; empty where all diverged.
    #[serde(skip)]
    pub(crate) confusion: Vec<ConfusionRow>,
    /// Every network over the seeds of the study; all else is of the first. Absent of a study of one seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seeds: Option<SeedsRows>,
}

/// MLPs and CNNs side by side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BesideRows {
    /// All MLPs, then all CNNs.
    pub(crate) networks: Vec<ComparedRow>,
    /// Every CNN beside every MLP.
    pub(crate) comparisons: Comparisons<NetworkPair>,
    mcnemar: Vec<PairRow>,
    /// The same over seeds, where there are several.
    seed_tests: Vec<SeedPairRow>,
}

/// One network. What a network that diverged does not have is null.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct NetworkRow {
    pub(crate) name: String,
    why: String,
    hidden_layers: usize,
    widths: Vec<usize>,
    kernels: Option<Vec<usize>>,
    strides: Option<Vec<usize>>,
    parameters: usize,
    /// Epochs that ended.
    epochs: usize,
    train_accuracy: Option<f64>,
    train_interval: Option<(f64, f64)>,
    train_loss: Option<f64>,
    pub(crate) test_accuracy: Option<f64>,
    /// 95 % Wilson interval of the test accuracy.
    pub(crate) interval: Option<(f64, f64)>,
    test_loss: Option<f64>,
    train_seconds: f64,
    test_seconds: f64,
    pub(crate) diverged: Option<Divergence>,
}

impl Row for NetworkRow {
    const PARTS: Parts = &[DIVERGED];
}

/// Two networks on the same test images.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct PairRow {
    a: String,
    b: String,
    test_images: usize,
    /// Test images that only one of the two classifies correctly.
    only_a: usize,
    only_b: usize,
    /// Two-sided p of McNemar's exact test, and the same corrected for all pairs by Holm's method.
    p: f64,
    pub(crate) p_holm: f64,
}

impl Row for PairRow {}

/// A class of the test images, as one head of a network finds it; what is undefined is null.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ClassRow {
    pub(crate) network: String,
    seed: u64,
    head: String,
    class: String,
    /// Its test images.
    pub(crate) support: usize,
    precision: Option<f64>,
    pub(crate) recall: Option<f64>,
    f1: Option<f64>,
}

impl Row for ClassRow {}

/// Test images of a class that were predicted as a class.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ConfusionRow {
    pub(crate) network: String,
    pub(crate) class: String,
    pub(crate) predicted: String,
    pub(crate) test_images: usize,
}

impl Row for ConfusionRow {}

/// A network among those of both kinds. What it reaches for its cost is null where it diverged, and what it reaches for its
/// time also where the runs are of several machines or programs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ComparedRow {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) parameters: usize,
    pub(crate) test_accuracy: Option<f64>,
    pub(crate) train_seconds: f64,
    pub(crate) test_seconds: f64,
    pub(crate) accuracy_per_million_parameters: Option<f64>,
    pub(crate) accuracy_per_training_second: Option<f64>,
    pub(crate) accuracy_per_test_second: Option<f64>,
}

impl Row for ComparedRow {}

impl NetworksRows {
    pub(crate) fn new(task: &NetworksResults) -> NetworksRows {
        let names = &task.data.classes;
        let classes = task.finished().flat_map(|(_, network, _)| {
            class_rows(network.head_of_classes(), names, &network.confusion(names.len()))
        });
        let comparisons = task.comparisons();
        NetworksRows {
            data: task.networks.first().map_or_else(String::new, |network| network.spec.data.set.clone()),
            networks: task.networks.iter().map(NetworkRow::new).collect(),
            mcnemar: pairs(&comparisons, task, task),
            classes: classes.collect(),
            confusion: task.chosen().map_or_else(Vec::new, |(network, _)| confusion(network, names)),
            seeds: SeedsRows::of_networks(task, &comparisons),
            comparisons,
        }
    }
}

impl NetworkRow {
    fn new(network: &Network) -> NetworkRow {
        let found = &network.outcome;
        let last = network.kept();
        let convolutions = network.convolutions.as_ref();
        NetworkRow {
            name: network.name.clone(),
            why: network.why.clone(),
            hidden_layers: network.depth(),
            widths: network.widths.clone(),
            kernels: convolutions.map(|found| found.kernels.clone()),
            strides: convolutions.map(|found| found.strides.clone()),
            parameters: found.parameters,
            epochs: found.epochs.len(),
            train_accuracy: last.map(|last| last.train.accuracy()),
            train_interval: last.map(|last| interval(last.train)),
            train_loss: last.map(|last| last.train.loss),
            test_accuracy: last.map(|last| last.test.accuracy()),
            interval: last.map(|last| interval(last.test)),
            test_loss: last.map(|last| last.test.loss),
            train_seconds: found.train_seconds,
            test_seconds: found.test_seconds,
            diverged: found.diverged,
        }
    }
}

impl BesideRows {
    pub(super) fn new(mlps: &NetworksResults, cnns: &NetworksResults, times_compare: bool) -> BesideRows {
        let comparisons = cnns.comparisons_beside(mlps);
        BesideRows {
            networks: compared(mlps, cnns, times_compare),
            mcnemar: pairs(&comparisons, cnns, mlps),
            seed_tests: seeds::tests(&comparisons, cnns, mlps),
            comparisons,
        }
    }
}

/// McNemar's tests of networks of one task beside those of another, or of the same.
fn pairs(
    comparisons: &Comparisons<NetworkPair>,
    first: &NetworksResults,
    second: &NetworksResults,
) -> Vec<PairRow> {
    let row = |test: &McNemar<NetworkPair>| PairRow {
        a: first.networks[test.pair.a].name.clone(),
        b: second.networks[test.pair.b].name.clone(),
        test_images: test.images,
        only_a: test.only_first,
        only_b: test.only_second,
        p: test.p,
        p_holm: test.adjusted,
    };
    comparisons.mcnemar.iter().map(row).collect()
}

/// Precision, recall and F1 of each class by a head, from the test images of each class (rows) by its answers (columns).
/// The head is the network's name, its seed, and its own name.
pub(crate) fn class_rows(
    (network, seed, head): (&str, u64, &str),
    classes: &[String],
    confusion: &[Vec<usize>],
) -> Vec<ClassRow> {
    let row = |(class, found): (&String, ClassMeasures)| ClassRow {
        network: network.to_owned(),
        seed,
        head: head.to_owned(),
        class: class.clone(),
        support: found.support,
        precision: found.precision,
        recall: found.recall,
        f1: found.f1,
    };
    classes.iter().zip(class_measures(confusion)).map(row).collect()
}

fn confusion(network: &Network, classes: &[String]) -> Vec<ConfusionRow> {
    let counts = network.confusion(classes.len());
    let of_class = |(class, answers): (&String, Vec<usize>)| {
        let row = |(predicted, test_images): (&String, usize)| ConfusionRow {
            network: network.name.clone(),
            class: class.clone(),
            predicted: predicted.clone(),
            test_images,
        };
        classes.iter().zip(answers).map(row).collect::<Vec<_>>()
    };
    classes.iter().zip(counts).flat_map(of_class).collect()
}

/// All MLPs, then all CNNs, in what they reach for what they cost.
fn compared(mlps: &NetworksResults, cnns: &NetworksResults, times_compare: bool) -> Vec<ComparedRow> {
    let row = |(kind, network): (&'static str, &Network)| {
        let found = &network.outcome;
        let test_accuracy = network.kept().map(|last| last.test.accuracy());
        // No machine takes no time, but a clock may say so.
        let per = |amount: f64| test_accuracy.map(|accuracy| accuracy / amount.max(1e-9));
        ComparedRow {
            kind,
            name: network.name.clone(),
            parameters: found.parameters,
            test_accuracy,
            train_seconds: found.train_seconds,
            test_seconds: found.test_seconds,
            accuracy_per_million_parameters: per(found.parameters as f64 / 1e6),
            accuracy_per_training_second: per(found.train_seconds).filter(|_| times_compare),
            accuracy_per_test_second: per(found.test_seconds).filter(|_| times_compare),
        }
    };
    let mlps = mlps.networks.iter().map(|network| ("MLP", network));
    mlps.chain(cnns.networks.iter().map(|network| ("CNN", network))).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, Shape, facts};

    #[test]
    fn a_network_that_diverged_has_no_accuracy_and_is_in_no_pair() {
        let data = facts(&["0", "1", "a, \"b\""]);
        let mut mlps = fixtures::mlps(&data, Shape::SMALL);
        fixtures::diverge(&mut mlps.networks[1], 3);
        let rows = NetworksRows::new(&mlps);
        let diverged = &rows.networks[1];
        assert_eq!((diverged.name.as_str(), diverged.hidden_layers), ("3 hidden", 3));
        assert!(diverged.test_accuracy.is_none() && diverged.train_interval.is_none(), "{diverged:?}");
        assert_eq!(diverged.diverged.map(|at| (at.epoch, at.step)), Some((3, 141)));
        // Four networks are left: six pairs, and three classes of each, whose supports are all test images.
        assert_eq!(rows.mcnemar.len(), 6);
        let support: usize = rows.classes.iter().map(|row| row.support).sum();
        assert_eq!((rows.classes.len(), support), (12, 4 * 1000));
        let recall = rows.classes[0].recall.unwrap();
        assert!(recall > 0.9 && recall < 1.0, "{recall}");
        let counted: usize = rows.confusion.iter().map(|row| row.test_images).sum();
        assert_eq!((rows.confusion.len(), counted), (9, 1000));
        for network in &mut mlps.networks {
            fixtures::diverge(network, 1);
        }
        let rows = NetworksRows::new(&mlps);
        assert_eq!(
            (rows.networks.len(), rows.mcnemar.len(), rows.classes.len(), rows.confusion.len()),
            (5, 0, 0, 0)
        );
    }

    #[test]
    fn accuracy_per_parameter_and_per_second_are_quotients_of_the_other_columns() {
        let data = facts(&["0", "1", "2"]);
        let (mlps, cnns) = (fixtures::mlps(&data, Shape::SMALL), fixtures::cnns(&data, Shape::SMALL));
        let rows = compared(&mlps, &cnns, true);
        assert_eq!(rows.len(), 10);
        for row in rows {
            let close = |quotient: Option<f64>, amount: f64| {
                assert!((quotient.unwrap() * amount - row.test_accuracy.unwrap()).abs() < 1e-12, "{row:?}");
            };
            close(row.accuracy_per_million_parameters, row.parameters as f64 / 1e6);
            close(row.accuracy_per_training_second, row.train_seconds);
            close(row.accuracy_per_test_second, row.test_seconds);
        }
        assert_eq!(cnns.comparisons_beside(&mlps).mcnemar.len(), 25);
        let apart = compared(&mlps, &cnns, false);
        assert!(apart.iter().all(|row| row.accuracy_per_test_second.is_none()));
    }
}
