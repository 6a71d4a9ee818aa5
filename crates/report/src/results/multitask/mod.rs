//! Task 6: networks for the items of a set, for groups of them, and for both, read from their runs.

mod changes;
mod cost;
mod free;
mod gradients;
mod network;
mod pairs;
#[cfg(test)]
mod tests;
mod weightings;

use inkling_schema::outcome::{DataSetFacts, Evaluation, PlannedRun, StudyRecord};
use inkling_schema::{GROUP, ITEM, Labels, RunSpec, Task, TrainRun, Weighting};
use inkling_store::Reader;
use serde::Serialize;

use super::damaged_record;
use super::network::{Answers, Network, Replicate};
use super::networks::majority;
use crate::ReportError;

pub use changes::ClassChange;
pub use cost::Costs;
pub use gradients::GradientsFound;
pub use pairs::{Contradictions, GoalPair, Pairing};
pub use weightings::{Spread, WeightingResults};

/// One of the two tasks of Task 6.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goal {
    /// To say the class.
    #[default]
    Item,
    /// To say its group.
    Group,
}

impl Goal {
    /// Both, in the order of heads and tables.
    pub const BOTH: [Goal; 2] = [Goal::Item, Goal::Group];

    /// Its name, as a head has it.
    pub fn name(self) -> &'static str {
        match self {
            Goal::Item => ITEM,
            Goal::Group => GROUP,
        }
    }

    /// 0 for the item, 1 for the group.
    pub fn index(self) -> usize {
        match self {
            Goal::Item => 0,
            Goal::Group => 1,
        }
    }

    fn of(labels: &Labels) -> Goal {
        match labels {
            Labels::Classes => Goal::Item,
            Labels::Groups(_) => Goal::Group,
        }
    }
}

/// Task 6. Whatever the study did not ask for is absent.
#[derive(Debug, Clone)]
pub struct MultitaskResults {
    /// The data set, whose classes are the items.
    pub data: DataSetFacts,
    /// Names of the groups.
    pub groups: Vec<String>,
    /// The group of each class.
    pub mapping: Vec<u8>,
    /// Classes of the n test images, shape `[n]`.
    pub labels: Vec<u8>,
    /// Their groups, shape `[n]`.
    pub group_labels: Vec<u8>,
    /// The single-task networks for the item and for the group.
    pub single: [Option<Network>; 2],
    /// The two-headed networks of loss λ·item + (1 − λ)·group, by rising λ.
    pub lambdas: Vec<(f64, Network)>,
    /// Two-headed networks under other weightings, or other seeds, in the order of the study.
    pub others: Vec<Network>,
}

/// Shares of the test images that a network without eyes would get right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Baselines {
    /// By guessing.
    pub chance: f64,
    /// By always saying the commonest class of the test images.
    pub majority: f64,
}

impl MultitaskResults {
    /// λ in words, with as many digits as tell it from the others, from 0 and from 1.
    pub fn lambda_name(&self, lambda: f64) -> String {
        let all: Vec<f64> = self.lambdas.iter().map(|(known, _)| *known).chain([lambda, 0.0, 1.0]).collect();
        let names = inkling_schema::apart(&all);
        names[self.lambdas.len()].clone()
    }

    /// Names of what a goal tells apart.
    pub fn classes(&self, goal: Goal) -> &[String] {
        match goal {
            Goal::Item => &self.data.classes,
            Goal::Group => &self.groups,
        }
    }

    /// What is right for each test image, shape `[n]`.
    pub fn labels(&self, goal: Goal) -> &[u8] {
        match goal {
            Goal::Item => &self.labels,
            Goal::Group => &self.group_labels,
        }
    }

    /// The single-task network.
    pub fn single(&self, goal: Goal) -> Option<&Network> {
        self.single[goal.index()].as_ref()
    }

    /// Every network, in the order of tables.
    pub fn networks(&self) -> impl Iterator<Item = &Network> {
        let lambdas = self.lambdas.iter().map(|(_, network)| network);
        self.single.iter().flatten().chain(lambdas).chain(&self.others)
    }

    /// Two-headed networks of the sweep whose two heads were trained, and whose training did not diverge.
    pub fn joint(&self) -> impl Iterator<Item = (f64, &Network)> {
        let joint = |network: &Network| network.kept().is_some() && network.is_joint();
        let lambdas = self.lambdas.iter().map(|(lambda, network)| (*lambda, network));
        lambdas.filter(move |(_, network)| joint(network))
    }

    /// Test images of each class of a goal (rows) by a network's answers (columns); `None` without a trained head for it, or
    /// where training diverged.
    pub fn confusion(&self, network: &Network, goal: Goal) -> Option<Vec<Vec<usize>>> {
        Some(network.trained_answers(goal)?.confusion(self.classes(goal).len()))
    }

    /// Whether a trained head gives every test image one and the same class.
    pub fn is_constant(&self, network: &Network, goal: Goal) -> bool {
        network.trained_answers(goal).and_then(Answers::only_answer).is_some()
    }

    /// Guessing, and always saying the commonest.
    pub fn baselines(&self, goal: Goal) -> Baselines {
        let (labels, classes) = (self.labels(goal), self.classes(goal).len());
        Baselines { chance: 1.0 / classes.max(1) as f64, majority: majority(labels, classes) }
    }

    /// The share of test images whose group a network's item head gets right, its probabilities summed into groups.
    /// `None` where it has no trained item head, or diverged. The loss is that of the summed probabilities.
    pub fn free(&self, network: &Network) -> Option<Evaluation> {
        let answers = network.trained_answers(Goal::Item)?;
        let pairs = answers.free.iter().zip(&self.group_labels);
        let correct = pairs.filter(|(answer, label)| answer == label).count();
        Some(Evaluation { images: self.group_labels.len(), correct, loss: answers.free_loss })
    }
}

/// Reads task 6; `None` where the study has no run of it.
pub(super) fn read<'a>(
    store: &Reader,
    record: &'a StudyRecord,
) -> Result<Option<MultitaskResults>, ReportError> {
    let of_task = record.runs.iter().filter(|run| run.task == Task::Multitask && !run.spec.is_for_the_page());
    let (runs, again): (Vec<&PlannedRun>, Vec<&PlannedRun>) = of_task.partition(|run| run.seed.is_none());
    if runs.is_empty() {
        return Ok(None);
    }
    let damaged = |reason: String| damaged_record(store, reason);
    let Some(asked) = &record.study.multitask else {
        let reason = "it has runs of the task `multitask`, but not its settings";
        return Err(damaged(reason.into()));
    };
    let Some(data) = record.data.get(&asked.data) else {
        return Err(damaged(format!("it does not describe the data set `{}`", asked.data)));
    };
    let mapping = asked
        .mapping(&data.classes)
        .map_err(|_| damaged(format!("the classes of `{}` and its groups do not fit", asked.data)))?;
    let spec = |run: &&'a PlannedRun| match &run.spec {
        RunSpec::Train(spec) => {
            let wrong = |reason| damaged(format!("the run `{}` {reason}", run.title));
            check(spec, &mapping).map(|()| (*run, spec)).map_err(wrong)
        }
        _ => Err(damaged(format!("the run `{}` of the task `multitask` trains nothing", run.title))),
    };
    let specs = |runs: &[&'a PlannedRun]| runs.iter().map(spec).collect::<Result<Vec<_>, _>>();
    let (runs, again) = (specs(&runs)?, specs(&again)?);
    let sizes = (data.classes.len(), mapping.as_slice(), asked.groups.len());
    let (labels, group_labels) = network::labels(store, &runs, sizes)?;
    let mut found = MultitaskResults {
        data: data.clone(),
        groups: asked.groups.iter().map(|group| group.name.clone()).collect(),
        mapping,
        labels,
        group_labels,
        single: [None, None],
        lambdas: Vec::new(),
        others: Vec::new(),
    };
    for (run, spec) in runs {
        let again = again.iter().filter(|(other, _)| other.title == run.title);
        let again = again.map(|(run, spec)| network::read(store, run, spec, &found).map(Replicate::of));
        let replicates = again.collect::<Result<_, _>>()?;
        let network = Network { replicates, ..network::read(store, run, spec, &found)? };
        place(&mut found, network, &asked.lambdas);
    }
    found.lambdas.sort_by(|(p, _), (q, _)| p.total_cmp(q));
    Ok(Some(found))
}

/// What is wrong with a run's heads.
fn check(spec: &TrainRun, mapping: &[u8]) -> Result<(), String> {
    if spec.labels.len() != spec.model.heads.len() || spec.labels.is_empty() {
        let (labels, heads) = (spec.labels.len(), spec.model.heads.len());
        return Err(format!("has labels for {labels} heads and {heads} heads"));
    }
    for (i, labels) in spec.labels.iter().enumerate() {
        if matches!(labels, Labels::Groups(groups) if groups != mapping) {
            return Err("groups the classes in another way than the study".into());
        }
        if spec.labels[..i].contains(labels) {
            return Err(format!("has two heads for the {}", Goal::of(labels).name()));
        }
    }
    Ok(())
}

/// Puts a network where it belongs. Titles are for readers: heads and weightings say what it is.
fn place(found: &mut MultitaskResults, network: Network, asked: &[f64]) {
    let goals: Vec<Goal> = network.spec.labels.iter().map(Goal::of).collect();
    if let [goal] = goals[..] {
        let single = &mut found.single[goal.index()];
        if single.is_none() {
            *single = Some(network);
        }
        return;
    }
    let lambda = lambda(&network)
        .filter(|lambda| asked.contains(lambda) && !found.lambdas.iter().any(|(known, _)| known == lambda));
    match lambda {
        Some(lambda) => found.lambdas.push((lambda, network)),
        None => found.others.push(network),
    }
}

/// λ, where a network's loss is λ·item + (1 − λ)·group.
fn lambda(network: &Network) -> Option<f64> {
    let Weighting::Fixed { weights } = &network.spec.weighting else { return None };
    let of = |goal: Goal| weights.get(network.head(goal)?).copied();
    let (item, group) = (of(Goal::Item)?, of(Goal::Group)?);
    ((item + group - 1.0).abs() < 1e-9).then_some(item)
}
