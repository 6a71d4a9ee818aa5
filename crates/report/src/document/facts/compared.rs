//! Facts of CNNs beside MLPs: accuracy, parameters and times.

use inkling_schema::{Initializer, TrainRun};
use serde::Serialize;

use inkling_statistics::median;

use super::networks::initializer;
use crate::rows::{BesideRows, ComparedRow};
use crate::{NetworkPair, NetworksResults, Verdict};

#[derive(Debug, Serialize)]
pub(super) struct ComparedFacts<'a> {
    /// Whether both kinds were trained and tested on the same images. If not, nothing else here is of use.
    same_data: bool,
    /// Whether all networks of both kinds were trained alike, from initial weights of the same distribution.
    same_training: bool,
    /// Of the networks that did not diverge.
    rows: Vec<&'a ComparedRow>,
    /// The tests of every CNN against every MLP: all, those that differ significantly, those of these that a CNN wins.
    /// None at all where the two kinds were tested on different images.
    pairs: usize,
    differ: usize,
    cnn_better: usize,
    /// The CNN with the fewest parameters of those that are significantly better than every MLP.
    smallest_winner: Option<&'a ComparedRow>,
    /// The MLP with the fewest parameters.
    smallest_mlp: &'a ComparedRow,
    /// The highest test accuracy over the lowest, the most parameters over the fewest.
    accuracy_ratio: f64,
    cost_ratio: f64,
    /// Median over the MLPs, median over the CNNs.
    parameters: Medians,
    /// The network with the highest accuracy for its parameters.
    per_parameter: &'a str,
    /// `None` where the runs are not of one machine and program.
    times: Option<Times<'a>>,
}

/// What networks cost in time.
#[derive(Debug, Serialize)]
struct Times<'a> {
    train_seconds: Medians,
    test_seconds: Medians,
    /// The networks with the highest accuracy for their training and their testing time.
    per_train_second: &'a str,
    per_test_second: &'a str,
}

#[derive(Debug, Serialize)]
struct Medians {
    mlp: f64,
    cnn: f64,
}

impl<'a> ComparedFacts<'a> {
    /// `None` where one of the kinds has no network that did not diverge.
    pub(super) fn new(
        mlps: &'a NetworksResults,
        cnns: &'a NetworksResults,
        beside: &'a BesideRows,
    ) -> Option<Self> {
        let (all, pairs) = (&beside.networks, &beside.comparisons.verdicts);
        let differing = || pairs.iter().filter(|pair| pair.differs());
        let rows: Vec<&ComparedRow> = all.iter().filter(|row| row.test_accuracy.is_some()).collect();
        let best = |value: fn(&ComparedRow) -> Option<f64>| {
            let known = rows.iter().filter_map(|row| Some((row, value(row)?)));
            known.max_by(|p, q| p.1.total_cmp(&q.1)).map(|(row, _)| row.name.as_str())
        };
        let ratio = |value: fn(&ComparedRow) -> f64| {
            let values = || rows.iter().map(|row| value(row));
            values().fold(0.0, f64::max) / values().fold(f64::MAX, f64::min).max(1e-9)
        };
        let networks = || mlps.networks.iter().chain(&cnns.networks);
        let first = networks().next()?;
        let times = || {
            // There are none where the runs are of several machines or programs.
            Some(Times {
                train_seconds: Medians::new(&rows, |row| row.train_seconds)?,
                test_seconds: Medians::new(&rows, |row| row.test_seconds)?,
                per_train_second: best(|row| row.accuracy_per_training_second)?,
                per_test_second: best(|row| row.accuracy_per_test_second)?,
            })
        };
        let (of_mlps, of_cnns) = all.split_at(mlps.networks.len());
        Some(ComparedFacts {
            same_data: same_data(mlps, cnns),
            same_training: networks().all(|network| trained_alike(&network.spec, &first.spec)),
            pairs: pairs.len(),
            differ: differing().count(),
            cnn_better: differing().filter(|pair| pair.difference > 0.0).count(),
            smallest_winner: smallest(of_cnns, |cnn| beats_every_mlp(cnn, pairs)),
            smallest_mlp: smallest(of_mlps, |_| true)?,
            accuracy_ratio: ratio(|row| row.test_accuracy.unwrap_or(0.0)),
            cost_ratio: ratio(|row| row.parameters as f64),
            parameters: Medians::new(&rows, |row| row.parameters as f64)?,
            per_parameter: best(|row| row.accuracy_per_million_parameters)?,
            times: times(),
            rows,
        })
    }
}

/// Whether the networks of both kinds were trained and tested on the same images.
pub(crate) fn same_data(mlps: &NetworksResults, cnns: &NetworksResults) -> bool {
    let mut networks = mlps.networks.iter().chain(&cnns.networks);
    let Some(first) = networks.next() else { return false };
    networks.all(|network| network.spec.data == first.spec.data && network.labels() == first.labels())
}

/// Whether two networks were trained in one way, by optimiser, schedule, loss and initial weights.
fn trained_alike(a: &TrainRun, b: &TrainRun) -> bool {
    let hidden = |run: &TrainRun| run.model.trunk.iter().find_map(initializer);
    let output = |run: &TrainRun| run.model.heads.iter().flat_map(|head| &head.layers).find_map(initializer);
    // A network without a hidden layer has no initial weights there.
    let alike = |a: Option<Initializer>, b: Option<Initializer>| a.zip(b).is_none_or(|(a, b)| a == b);
    a.training == b.training && alike(hidden(a), hidden(b)) && alike(output(a), output(b))
}

/// The network with the fewest parameters of those that did not diverge and are wanted, by their numbers.
fn smallest(rows: &[ComparedRow], is_wanted: impl Fn(usize) -> bool) -> Option<&ComparedRow> {
    let wanted = rows.iter().enumerate().filter(|(i, row)| row.test_accuracy.is_some() && is_wanted(*i));
    wanted.map(|(_, row)| row).min_by_key(|row| row.parameters)
}

/// Whether the CNN of this number is significantly better than every MLP.
fn beats_every_mlp(cnn: usize, pairs: &[Verdict<NetworkPair>]) -> bool {
    let mut against = pairs.iter().filter(|pair| pair.pair.a == cnn).peekable();
    against.peek().is_some() && against.all(|pair| pair.differs() && pair.difference > 0.0)
}

impl Medians {
    fn new(rows: &[&ComparedRow], of: fn(&ComparedRow) -> f64) -> Option<Self> {
        let middle = |kind: &str| median(rows.iter().filter(|row| row.kind == kind).map(|row| of(row)));
        Some(Medians { mlp: middle("MLP")?, cnn: middle("CNN")? })
    }
}
