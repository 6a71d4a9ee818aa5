//! Facts of Task 6: what networks for two tasks reached, beside networks for one.

mod compared;
mod found;
#[cfg(test)]
mod tests;

use inkling_schema::{Initializer, LayerSpec, TrainingSpec};
use serde::Serialize;

use self::compared::{FreeFacts, GoalFacts};
use self::found::{ClassesFacts, ContradictionsFacts, GradientsFacts, IdleFacts};
use super::networks::initializer;
use super::seeds::SeedsFacts;
use crate::rows::{HeadedRow, MultitaskRows, WeightingRow};
use crate::{Costs, Goal, MultitaskResults, Network};

#[derive(Debug, Serialize)]
pub(super) struct MultitaskFacts<'a> {
    set: &'a str,
    title: &'a str,
    test_images: usize,
    classes: usize,
    groups: Vec<GroupFacts<'a>>,
    training: &'a TrainingSpec,
    /// What weights of hidden layers start from, and those of the last one.
    hidden: Option<Initializer>,
    output: Option<Initializer>,
    /// Units of the last dense layer that heads share.
    shared_units: Option<usize>,
    item: GoalFacts,
    group: GoalFacts,
    rows: Vec<TableRow<'a>>,
    /// Two-headed networks with one trained head.
    one_sided: Vec<OneSided>,
    /// Trained heads that give every test image one and the same class.
    constant: Vec<Constant>,
    /// Tests that p was corrected for.
    tests: usize,
    free: Option<FreeFacts>,
    contradictions: Option<ContradictionsFacts>,
    gradients: Option<GradientsFacts>,
    changes: Option<ClassesFacts<'a>>,
    cost: Option<&'a Costs>,
    idle: Option<IdleFacts>,
    weightings: &'a [WeightingRow],
    /// What several seeds say; `None` of one.
    seeds: Option<SeedsFacts<'a>>,
}

#[derive(Debug, Serialize)]
struct GroupFacts<'a> {
    name: &'a str,
    classes: Vec<&'a str>,
}

/// A row of the table.
#[derive(Debug, Serialize)]
struct TableRow<'a> {
    /// λ with as many digits as tell it from the others; `None` of a single-task network.
    at: Option<String>,
    #[serde(flatten)]
    network: &'a HeadedRow,
}

/// A two-headed network with one trained head.
#[derive(Debug, Serialize)]
struct OneSided {
    lambda: String,
    untrained: &'static str,
    /// Test accuracy of the untrained head.
    accuracy: f64,
    /// Whether it answers every test image as the single-task network of its trained goal does; absent without that.
    identical: Option<bool>,
}

/// A head that has learned nothing.
#[derive(Debug, Serialize)]
struct Constant {
    goal: &'static str,
    /// λ of its network; `None` for a single-task network.
    lambda: Option<String>,
}

impl<'a> MultitaskFacts<'a> {
    /// `None` without a network.
    pub(super) fn new(task: &'a MultitaskResults, rows: &'a MultitaskRows) -> Option<Self> {
        let first = task.networks().next()?;
        let pairs = &rows.comparisons.verdicts;
        let units = |layer: &LayerSpec| match layer {
            LayerSpec::Dense { units, .. } => Some(*units),
            _ => None,
        };
        let two_headed = task.lambdas.iter().map(|(_, network)| network).chain(&task.others).next();
        let row = |network: &'a HeadedRow| TableRow {
            at: network.lambda.map(|lambda| task.lambda_name(lambda)),
            network,
        };
        Some(MultitaskFacts {
            set: &first.spec.data.set,
            title: &task.data.title,
            test_images: task.group_labels.len(),
            classes: task.data.classes.len(),
            groups: groups(task),
            training: &first.spec.training,
            hidden: first.spec.model.trunk.iter().find_map(initializer),
            output: first
                .spec
                .model
                .heads
                .first()
                .and_then(|head| head.layers.iter().rev().find_map(initializer)),
            shared_units: two_headed
                .and_then(|network| network.spec.model.trunk.iter().rev().find_map(units)),
            item: GoalFacts::new(task, Goal::Item, pairs),
            group: GoalFacts::new(task, Goal::Group, pairs),
            rows: rows.singles().chain(&rows.lambdas).map(row).collect(),
            one_sided: one_sided(task),
            constant: constant(task),
            tests: pairs.len(),
            free: FreeFacts::new(task, pairs),
            contradictions: ContradictionsFacts::new(task),
            gradients: GradientsFacts::new(task),
            changes: ClassesFacts::new(task, &rows.classes),
            cost: rows.cost.as_ref(),
            idle: IdleFacts::new(task),
            weightings: &rows.weightings,
            seeds: rows.seeds.as_ref().and_then(SeedsFacts::new),
        })
    }
}

fn groups(task: &MultitaskResults) -> Vec<GroupFacts<'_>> {
    let members = |group: usize| {
        let of_group = task.data.classes.iter().zip(&task.mapping);
        of_group.filter(|(_, of)| usize::from(**of) == group).map(|(class, _)| class.as_str()).collect()
    };
    task.groups.iter().enumerate().map(|(i, name)| GroupFacts { name, classes: members(i) }).collect()
}

fn constant(task: &MultitaskResults) -> Vec<Constant> {
    let singles = task.single.iter().flatten().map(|network| (None, network));
    let lambdas = task.lambdas.iter().map(|(lambda, network)| (Some(task.lambda_name(*lambda)), network));
    let heads = singles.chain(lambdas).flat_map(|(lambda, network)| {
        let goals = Goal::BOTH.into_iter().filter(|&goal| task.is_constant(network, goal));
        goals.map(move |goal| Constant { goal: goal.name(), lambda: lambda.clone() })
    });
    heads.collect()
}

fn one_sided(task: &MultitaskResults) -> Vec<OneSided> {
    let of = |(lambda, network): &(f64, Network)| {
        let (trained, untrained) = match Goal::BOTH.map(|goal| network.trained(goal)) {
            [true, false] => (Goal::Item, Goal::Group),
            [false, true] => (Goal::Group, Goal::Item),
            _ => return None,
        };
        let single = task.single(trained).and_then(|single| single.answers(trained));
        Some(OneSided {
            lambda: task.lambda_name(*lambda),
            untrained: untrained.name(),
            accuracy: network.test(untrained)?.accuracy(),
            identical: single
                .zip(network.answers(trained))
                .map(|(single, own)| single.predictions == own.predictions),
        })
    };
    task.lambdas.iter().filter_map(of).collect()
}
