//! Tasks 3 and 4, and a network of a person's own: the trained networks, read from their runs.

use std::collections::BTreeMap;

use inkling_schema::outcome::{DataSetFacts, EpochOutcome, Evaluation, PlannedRun, StudyRecord};
use inkling_schema::{RunSpec, Task, TrainRun};
use inkling_store::Reader;

use super::comparison::{Candidate, Comparisons, predictions, said};
use super::damaged_record;
use super::network::{self, Network, Replicate};
use crate::ReportError;

/// Networks whose numbers of parameters differ by no more than this factor count as of one budget.
pub(crate) const ONE_BUDGET: f64 = 1.1;

/// Task 3 or 4: networks of one kind, in the order of the study.
#[derive(Debug, Clone)]
pub struct NetworksResults {
    /// The data set.
    pub data: DataSetFacts,
    /// The networks; there is one at least.
    pub networks: Vec<Network>,
}

/// Two networks, by their numbers among those of their tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkPair {
    /// The first network.
    pub a: usize,
    /// The second.
    pub b: usize,
}

/// What a network was chosen by, to be looked at more closely. Never the test images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// The lowest loss on the validation images after the last epoch.
    Validation,
    /// The lowest loss on the images trained on after the last epoch, there being no validation images.
    Training,
}

impl NetworksResults {
    /// The networks whose training did not diverge, with their numbers among all and their last epochs.
    pub fn finished(&self) -> impl Iterator<Item = (usize, &Network, &EpochOutcome)> {
        self.networks.iter().enumerate().filter_map(|(i, network)| Some((i, network, network.kept()?)))
    }

    /// The network to look at more closely: of those that did not diverge, the one with the lowest loss on the
    /// validation images where each has some, else on the images trained on. `None` where all diverged.
    pub fn chosen(&self) -> Option<(&Network, ChosenBy)> {
        let validated = self.finished().all(|(_, _, last)| last.validation.is_some());
        let by = if validated { ChosenBy::Validation } else { ChosenBy::Training };
        let loss = |last: &EpochOutcome| match (by, &last.validation) {
            (ChosenBy::Validation, Some(validation)) => validation.loss,
            _ => last.train.loss,
        };
        let lowest = self.finished().min_by(|p, q| loss(p.2).total_cmp(&loss(q.2)));
        lowest.map(|(_, network, _)| (network, by))
    }

    /// Every two networks a < b.
    pub fn comparisons(&self) -> Comparisons<NetworkPair> {
        let all = || self.networks.iter().enumerate();
        let pairs = all().flat_map(|a| all().skip(a.0 + 1).filter_map(move |b| candidate(a, b)));
        let seeds = self.networks.first().into_iter().flat_map(Network::trainings);
        let seeds = seeds.map(|training| training.seed);
        Comparisons::new(&pairs.collect::<Vec<_>>(), self.has_replicates(), seeds)
    }

    /// Every network of this task beside every network of another; no seed is asked alone.
    pub fn comparisons_beside(&self, other: &NetworksResults) -> Comparisons<NetworkPair> {
        let others = || other.networks.iter().enumerate();
        let pairs = self.networks.iter().enumerate();
        let pairs = pairs.flat_map(|a| others().filter_map(move |b| candidate(a, b)));
        let several = self.has_replicates() && other.has_replicates();
        Comparisons::new(&pairs.collect::<Vec<_>>(), several, std::iter::empty())
    }

    /// Share of the commonest class among the test images: what always naming it is right for.
    pub fn majority(&self) -> Option<f64> {
        let labels = self.networks.first()?.labels();
        (!labels.is_empty()).then(|| majority(labels, self.data.classes.len()))
    }

    /// The evaluations of every finished network after its last epoch, on the test images.
    pub fn test(&self) -> impl Iterator<Item = (&Network, &Evaluation)> {
        self.finished().map(|(_, network, last)| (network, &last.test))
    }
}

/// Share of the commonest of so many classes among labels, shape `[n]`.
pub(super) fn majority(labels: &[u8], classes: usize) -> f64 {
    let mut counts = vec![0_usize; classes];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    counts.into_iter().max().unwrap_or(0) as f64 / labels.len().max(1) as f64
}

/// Two networks, with their numbers; `None` where they did not answer the same test images.
fn candidate<'a>(
    (a, first): (usize, &'a Network),
    (b, second): (usize, &'a Network),
) -> Option<Candidate<'a, NetworkPair>> {
    let same = first.spec.data.set == second.spec.data.set && first.labels() == second.labels();
    same.then(|| Candidate {
        pair: NetworkPair { a, b },
        labels: first.labels(),
        first: said(first, 0, predictions),
        second: said(second, 0, predictions),
    })
}

/// Reads the networks of a task; `None` where the study has no run of it.
pub(super) fn read(
    store: &Reader,
    record: &StudyRecord,
    task: Task,
) -> Result<Option<NetworksResults>, ReportError> {
    let of_task = || record.runs.iter().filter(|run| run.task == task);
    let runs: Vec<(&PlannedRun, &TrainRun)> = of_task()
        .filter(|run| run.seed.is_none())
        .filter_map(|run| match &run.spec {
            RunSpec::Train(spec) => Some((run, spec)),
            _ => None,
        })
        .collect();
    let Some((_, first)) = runs.first() else { return Ok(None) };
    let reasons = reasons(record, task);
    let data = &record.data[&first.data.set];
    let networks = runs.into_iter().map(|(run, spec)| {
        let Some(why) = reasons.get(run.title.as_str()) else {
            let reason = format!("task `{}` has a run `{}` and no such network", task.name(), run.title);
            return Err(damaged_record(store, reason));
        };
        let read =
            |run, spec| Ok::<_, ReportError>(network::read(store, run, spec, &[data.classes.len()])?.0);
        let again = of_task().filter(|other| other.seed.is_some() && other.title == run.title);
        let again = again.filter_map(|run| match &run.spec {
            RunSpec::Train(spec) => Some(read(run, spec).map(Replicate::of)),
            _ => None,
        });
        let replicates = again.collect::<Result<_, _>>()?;
        Ok(Network { why: (*why).to_owned(), replicates, ..read(run, spec)? })
    });
    Ok(Some(NetworksResults { data: data.clone(), networks: networks.collect::<Result<_, _>>()? }))
}

/// Why the study has each network of a task, by name; no two names are equal.
fn reasons(record: &StudyRecord, task: Task) -> BTreeMap<&str, &str> {
    let mlps = record.study.mlp.iter().filter(|_| task == Task::Mlp).flat_map(|task| &task.networks);
    let cnns = record.study.cnn.iter().filter(|_| task == Task::Cnn).flat_map(|task| &task.networks);
    let own = record.study.network.iter().filter(|_| task == Task::Network);
    let mlps = mlps.map(|network| (network.name.as_str(), network.why.as_str()));
    let cnns = cnns.map(|network| (network.name.as_str(), network.why.as_str()));
    mlps.chain(cnns).chain(own.map(|network| (network.name.as_str(), ""))).collect()
}
