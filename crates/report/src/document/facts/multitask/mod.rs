//! Facts of Task 6: what networks for two tasks reached, beside networks for one.

mod compared;
mod found;
#[cfg(test)]
mod tests;

use inkling_schema::{Initializer, LayerSpec, TrainingSpec, Weighting};
use serde::Serialize;

use self::compared::{FreeFacts, GoalFacts};
use self::found::{ClassesFacts, ContradictionsFacts, GradientsFacts, IdleFacts};
use super::networks::initializer;
use crate::{Goal, HeadedNetwork, MultitaskResults, Spread};
use inkling_statistics::{mean, wilson_interval};

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
    rows: Vec<Row<'a>>,
    /// Two-headed networks whose two heads were trained, and those with one trained head.
    joint: usize,
    one_sided: Vec<OneSided>,
    /// Trained heads that give every test image one and the same class.
    constant: Vec<Constant>,
    /// Tests that p was corrected for.
    tests: usize,
    free: Option<FreeFacts>,
    contradictions: Option<ContradictionsFacts>,
    gradients: Option<GradientsFacts>,
    changes: Option<ClassesFacts<'a>>,
    cost: Option<CostFacts>,
    idle: Option<IdleFacts>,
    weightings: Vec<WeightingFacts>,
    /// Which other weightings there are, whose formulas the text gives.
    kinds: Kinds,
}

#[derive(Debug, Serialize)]
struct GroupFacts<'a> {
    name: &'a str,
    classes: Vec<&'a str>,
}

/// A row of the table.
#[derive(Debug, Serialize)]
struct Row<'a> {
    /// "single" or "lambda".
    kind: &'static str,
    name: &'a str,
    lambda: Option<String>,
    item: Option<Cell>,
    group: Option<Cell>,
    free: Option<f64>,
    contradictions: Option<f64>,
    train_seconds: f64,
    diverged_step: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Cell {
    accuracy: f64,
    interval: (f64, f64),
    trained: bool,
}

/// A two-headed network with one trained head.
#[derive(Debug, Serialize)]
struct OneSided {
    lambda: String,
    trained: &'static str,
    untrained: &'static str,
    /// Test accuracy of the untrained head.
    accuracy: f64,
    chance: f64,
    majority: f64,
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

/// One two-headed network beside both single-task ones.
#[derive(Debug, Serialize)]
struct CostFacts {
    single_parameters: usize,
    joint_parameters: usize,
    single_megabytes: f64,
    joint_megabytes: f64,
    single_seconds: f64,
    joint_seconds: f64,
}

#[derive(Debug, Serialize)]
struct WeightingFacts {
    name: String,
    seeds: usize,
    diverged: usize,
    /// Mean over the seeds.
    train_seconds: f64,
    item: Option<SpreadFacts>,
    group: Option<SpreadFacts>,
}

#[derive(Debug, Serialize)]
struct SpreadFacts {
    mean: f64,
    deviation: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Kinds {
    uncertainty: bool,
    grad_norm: bool,
    pc_grad: bool,
}

impl<'a> MultitaskFacts<'a> {
    /// `None` without a network.
    pub(super) fn new(task: &'a MultitaskResults) -> Option<Self> {
        let first = task.networks().next()?;
        let pairs = task.pairs();
        let singles = task.single.iter().flatten().map(|network| Row::new(task, None, network));
        let lambdas = task.lambdas.iter().map(|(lambda, network)| Row::new(task, Some(*lambda), network));
        let has =
            |kind: fn(&Weighting) -> bool| task.others.iter().any(|network| kind(&network.spec.weighting));
        let units = |layer: &LayerSpec| match layer {
            LayerSpec::Dense { units, .. } => Some(*units),
            _ => None,
        };
        let two_headed = task.lambdas.iter().map(|(_, network)| network).chain(&task.others).next();
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
            item: GoalFacts::new(task, Goal::Item, &pairs),
            group: GoalFacts::new(task, Goal::Group, &pairs),
            rows: singles.chain(lambdas).collect(),
            joint: task.joint().count(),
            one_sided: one_sided(task),
            constant: constant(task),
            tests: pairs.len(),
            free: FreeFacts::new(task, &pairs),
            contradictions: ContradictionsFacts::new(task),
            gradients: GradientsFacts::new(task),
            changes: ClassesFacts::new(task),
            cost: cost(task),
            idle: IdleFacts::new(task),
            weightings: weightings(task),
            kinds: Kinds {
                uncertainty: has(|weighting| matches!(weighting, Weighting::Uncertainty { .. })),
                grad_norm: has(|weighting| matches!(weighting, Weighting::GradNorm { .. })),
                pc_grad: has(|weighting| matches!(weighting, Weighting::PcGrad)),
            },
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

impl<'a> Row<'a> {
    fn new(task: &MultitaskResults, lambda: Option<f64>, network: &'a HeadedNetwork) -> Self {
        let cell = |goal: Goal| {
            network.test(goal).map(|test| Cell {
                accuracy: test.accuracy(),
                interval: wilson_interval(test.correct, test.images),
                trained: network.trained(goal),
            })
        };
        Row {
            kind: if lambda.is_some() { "lambda" } else { "single" },
            name: &network.name,
            lambda: lambda.map(|lambda| task.lambda_name(lambda)),
            item: cell(Goal::Item),
            group: cell(Goal::Group),
            free: task.free(network).map(|found| found.accuracy()),
            contradictions: task.contradictions(network).map(|found| found.share()),
            train_seconds: network.outcome.train_seconds,
            diverged_step: network.outcome.diverged.map(|at| at.step),
        }
    }
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
    let of = |(lambda, network): &(f64, HeadedNetwork)| {
        let (trained, untrained) = match Goal::BOTH.map(|goal| network.trained(goal)) {
            [true, false] => (Goal::Item, Goal::Group),
            [false, true] => (Goal::Group, Goal::Item),
            _ => return None,
        };
        let baselines = task.baselines(untrained);
        let single = task.single(trained).and_then(|single| single.answers(trained));
        Some(OneSided {
            lambda: task.lambda_name(*lambda),
            trained: trained.name(),
            untrained: untrained.name(),
            accuracy: network.test(untrained)?.accuracy(),
            chance: baselines.chance,
            majority: baselines.majority,
            identical: single
                .zip(network.answers(trained))
                .map(|(single, own)| single.predictions == own.predictions),
        })
    };
    task.lambdas.iter().filter_map(of).collect()
}

fn cost(task: &MultitaskResults) -> Option<CostFacts> {
    let costs = task.costs()?;
    Some(CostFacts {
        single_parameters: costs.single.parameters,
        joint_parameters: costs.joint.parameters,
        single_megabytes: costs.single.bytes() as f64 / 1e6,
        joint_megabytes: costs.joint.bytes() as f64 / 1e6,
        single_seconds: costs.single.train_seconds,
        joint_seconds: costs.joint.train_seconds,
    })
}

fn weightings(task: &MultitaskResults) -> Vec<WeightingFacts> {
    let spread = |found: Option<Spread>| {
        found.map(|spread| SpreadFacts { mean: spread.mean, deviation: spread.deviation })
    };
    let all = task.weightings().into_iter().map(|found| WeightingFacts {
        seeds: found.networks.len(),
        diverged: found.diverged(),
        train_seconds: mean(found.networks.iter().map(|network| network.outcome.train_seconds))
            .unwrap_or(0.0),
        item: spread(found.accuracy[0]),
        group: spread(found.accuracy[1]),
        name: found.name,
    });
    all.collect()
}
