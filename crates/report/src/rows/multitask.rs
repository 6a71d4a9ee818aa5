//! Task 6.

use inkling_schema::outcome::{Divergence, GradientsLine};
use inkling_schema::{Task, Weighting};
use inkling_statistics::mean;
use serde::Serialize;

use super::interval;
use super::networks::{ClassRow, class_rows};
use super::seeds::SeedsRows;
use crate::results::{
    Baselines, ClassChange, Comparisons, Contradictions, Costs, Goal, GoalPair, GradientsFound, McNemar,
    MultitaskResults, Network, Pairing, Spread, WeightingResults,
};
use crate::tables::{DIVERGED, Parts, Row, Spec, csv, some, table};

pub(super) const TABLES: &[Spec] = &[
    table("multitask_networks", Task::Multitask, |rows| Some(csv(rows.multitask.as_ref()?.networks()))),
    table("multitask_mcnemar", Task::Multitask, |rows| Some(csv(&rows.multitask.as_ref()?.mcnemar))),
    table("multitask_seeds", Task::Multitask, |rows| {
        Some(csv(&rows.multitask.as_ref()?.seeds.as_ref()?.networks))
    }),
    table("multitask_seed_tests", Task::Multitask, |rows| {
        Some(csv(&rows.multitask.as_ref()?.seeds.as_ref()?.tests))
    }),
    table("multitask_classes", Task::Multitask, |rows| Some(csv(&rows.multitask.as_ref()?.classes))),
    table("multitask_measures", Task::Multitask, |rows| Some(csv(&rows.multitask.as_ref()?.measures))),
    table("multitask_gradients", Task::Multitask, |rows| some(&rows.multitask.as_ref()?.gradients)),
    table("multitask_weightings", Task::Multitask, |rows| some(&rows.multitask.as_ref()?.weightings)),
];

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct MultitaskRows {
    data: String,
    groups: Vec<String>,
    /// The group of each class.
    mapping: Vec<u8>,
    pub(crate) single: ByGoal<Option<SingleRow>>,
    /// Two-headed networks of loss λ·item + (1 − λ)·group, by rising λ.
    pub(crate) lambdas: Vec<HeadedRow>,
    /// Two-headed networks under other weightings, or from other seeds.
    pub(crate) others: Vec<HeadedRow>,
    /// Test accuracy for the group of the item network's probabilities, summed into groups.
    pub(crate) free_group_accuracy: Option<f64>,
    free_group_interval: Option<(f64, f64)>,
    baselines: ByGoal<Baselines>,
    /// Every comparison with a single-task network, for whoever says or draws which differ.
    #[serde(skip)]
    pub(crate) comparisons: Comparisons<GoalPair>,
    /// McNemar's exact test of every head that was trained with another, and of the free baseline, with the single-task
    /// network.
    pub(crate) mcnemar: Vec<HeadRow>,
    /// Recall of every class under every λ beside the single-task network.
    pub(crate) classes: Vec<ClassChangeRow>,
    /// Precision, recall and F1 of every class, by every trained head.
    pub(crate) measures: Vec<ClassRow>,
    /// One two-headed network beside both single-task ones; null where one of the sides is missing.
    pub(crate) cost: Option<Costs>,
    pub(crate) weightings: Vec<WeightingRow>,
    #[serde(skip)]
    pub(crate) gradients: Vec<GradientRow>,
    /// Every trained head over the seeds of the study; all else is of the first. Absent of a study of one seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seeds: Option<SeedsRows>,
}

/// What there is for each of the two goals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ByGoal<T> {
    pub(crate) item: T,
    pub(crate) group: T,
}

/// A single-task network, by its only head.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SingleRow {
    pub(crate) test_accuracy: Option<f64>,
    /// 95 % Wilson interval of the test accuracy.
    interval: Option<(f64, f64)>,
    test_loss: Option<f64>,
    train_accuracy: Option<f64>,
    #[serde(flatten)]
    pub(crate) network: HeadedRow,
}

/// A network with one head or two. What it has no head for is null, and so is what a network that diverged does not have. The
/// accuracy of a head that was not trained is that of its initial weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct HeadedRow {
    pub(crate) name: String,
    pub(crate) lambda: Option<f64>,
    seed: u64,
    pub(crate) item_trained: Option<bool>,
    pub(crate) item_test_accuracy: Option<f64>,
    item_interval: Option<(f64, f64)>,
    pub(crate) group_trained: Option<bool>,
    pub(crate) group_test_accuracy: Option<f64>,
    group_interval: Option<(f64, f64)>,
    /// Test accuracy for the group of its own item head's probabilities, summed.
    free_group_accuracy: Option<f64>,
    contradictions: Option<Contradictions>,
    /// The heads' gradients on the shared layers, over training.
    gradients: Option<GradientsFound>,
    parameters: usize,
    train_seconds: f64,
    test_seconds: f64,
    epochs: usize,
    pub(crate) diverged: Option<Divergence>,
}

impl Row for HeadedRow {
    const PARTS: Parts = &[
        DIVERGED,
        ("contradictions", &["count", "share", "item_right", "group_right"]),
        ("gradients", &["measurements", "mean_cosine", "negative", "norm_ratio"]),
    ];
}

/// Two answers to one question about the same test images.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct HeadRow {
    goal: &'static str,
    first: String,
    single: String,
    /// λ of the two-headed network; null for the free baseline.
    pub(crate) lambda: Option<f64>,
    test_images: usize,
    /// Test images that only one of the two classifies correctly.
    only_first: usize,
    only_single: usize,
    /// Two-sided p of McNemar's exact test, and the same corrected for all tests of the task by Holm's method.
    p: f64,
    pub(crate) p_holm: f64,
}

impl Row for HeadRow {}

/// A class under one λ, beside the single-task network.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ClassChangeRow {
    goal: &'static str,
    pub(crate) class: String,
    pub(crate) lambda: f64,
    #[serde(flatten)]
    pub(crate) change: ClassChange,
}

impl Row for ClassChangeRow {}

/// A weighting over its seeds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct WeightingRow {
    pub(crate) name: String,
    weighting: Weighting,
    seeds: Vec<u64>,
    diverged: usize,
    pub(crate) item: Option<Spread>,
    pub(crate) group: Option<Spread>,
    mean_train_seconds: f64,
}

const SPREAD: &[&str] = &["mean", "deviation", "count"];

impl Row for WeightingRow {
    const PARTS: Parts = &[("weighting", &[]), ("item", SPREAD), ("group", SPREAD)];
}

/// The heads' gradients at a step of training.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct GradientRow {
    network: String,
    step: usize,
    item_norm: Option<f64>,
    group_norm: Option<f64>,
    cosine: Option<f64>,
}

impl Row for GradientRow {}

impl MultitaskRows {
    pub(crate) fn new(task: &MultitaskResults) -> MultitaskRows {
        let free = task.single(Goal::Item).and_then(|network| task.free(network));
        let heads = task.networks().flat_map(|network| Goal::BOTH.map(|goal| (network, goal)));
        let measures = heads.filter_map(|(network, goal)| {
            let head = (network.name.as_str(), network.spec.seed, goal.name());
            Some(class_rows(head, task.classes(goal), &task.confusion(network, goal)?))
        });
        let comparisons = task.comparisons();
        let lambda = |(lambda, network): &(f64, Network)| HeadedRow::new(task, Some(*lambda), network);
        MultitaskRows {
            data: task.networks().next().map_or_else(String::new, |network| network.spec.data.set.clone()),
            groups: task.groups.clone(),
            mapping: task.mapping.clone(),
            single: ByGoal::new(|goal| SingleRow::new(task, goal)),
            lambdas: task.lambdas.iter().map(lambda).collect(),
            others: task.others.iter().map(|network| HeadedRow::new(task, None, network)).collect(),
            free_group_accuracy: free.map(|found| found.accuracy()),
            free_group_interval: free.map(interval),
            baselines: ByGoal::new(|goal| task.baselines(goal)),
            mcnemar: comparisons.mcnemar.iter().map(|test| HeadRow::new(task, test)).collect(),
            classes: task
                .class_changes()
                .into_iter()
                .map(|change| ClassChangeRow::new(task, change))
                .collect(),
            measures: measures.flatten().collect(),
            cost: task.costs(),
            weightings: task.weightings().into_iter().map(WeightingRow::new).collect(),
            gradients: task.networks().flat_map(gradients).collect(),
            seeds: SeedsRows::of_multitask(task, &comparisons),
            comparisons,
        }
    }

    /// Every network, in the order of tables.
    pub(crate) fn networks(&self) -> impl Iterator<Item = &HeadedRow> {
        self.singles().chain(&self.lambdas).chain(&self.others)
    }

    pub(crate) fn singles(&self) -> impl Iterator<Item = &HeadedRow> {
        [&self.single.item, &self.single.group].into_iter().flatten().map(|found| &found.network)
    }
}

impl<T> ByGoal<T> {
    fn new(of: impl Fn(Goal) -> T) -> ByGoal<T> {
        ByGoal { item: of(Goal::Item), group: of(Goal::Group) }
    }
}

impl SingleRow {
    fn new(task: &MultitaskResults, goal: Goal) -> Option<SingleRow> {
        let network = task.single(goal)?;
        let test = network.test(goal);
        Some(SingleRow {
            test_accuracy: test.map(|test| test.accuracy()),
            interval: test.map(interval),
            test_loss: test.map(|test| test.loss),
            train_accuracy: network.train(goal).map(|train| train.accuracy()),
            network: HeadedRow::new(task, None, network),
        })
    }
}

impl HeadedRow {
    fn new(task: &MultitaskResults, lambda: Option<f64>, network: &Network) -> HeadedRow {
        let accuracy = |goal: Goal| network.test(goal).map(|test| test.accuracy());
        let trained = |goal: Goal| network.head(goal).map(|_| network.trained(goal));
        let found = &network.outcome;
        HeadedRow {
            name: network.name.clone(),
            lambda,
            seed: network.spec.seed,
            item_trained: trained(Goal::Item),
            item_test_accuracy: accuracy(Goal::Item),
            item_interval: network.test(Goal::Item).map(interval),
            group_trained: trained(Goal::Group),
            group_test_accuracy: accuracy(Goal::Group),
            group_interval: network.test(Goal::Group).map(interval),
            free_group_accuracy: task.free(network).map(|found| found.accuracy()),
            contradictions: task.contradictions(network),
            gradients: network.gradients_found(),
            parameters: found.parameters,
            train_seconds: found.train_seconds,
            test_seconds: found.test_seconds,
            epochs: found.epochs.len(),
            diverged: found.diverged,
        }
    }
}

impl HeadRow {
    fn new(task: &MultitaskResults, test: &McNemar<GoalPair>) -> HeadRow {
        let GoalPair { goal, pairing } = test.pair;
        let (first, lambda) = match pairing {
            Pairing::Lambda(i) => (task.lambdas[i].1.name.clone(), Some(task.lambdas[i].0)),
            Pairing::Free => ("item, summed".to_owned(), None),
        };
        HeadRow {
            goal: goal.name(),
            first,
            single: task.single(goal).map_or_else(String::new, |network| network.name.clone()),
            lambda,
            test_images: test.images,
            only_first: test.only_first,
            only_single: test.only_second,
            p: test.p,
            p_holm: test.adjusted,
        }
    }
}

impl ClassChangeRow {
    fn new(task: &MultitaskResults, change: ClassChange) -> ClassChangeRow {
        ClassChangeRow {
            goal: change.goal.name(),
            class: task.classes(change.goal)[change.class].clone(),
            lambda: task.lambdas[change.lambda].0,
            change,
        }
    }
}

impl WeightingRow {
    fn new(found: WeightingResults) -> WeightingRow {
        let seconds = found.networks.iter().map(|network| network.outcome.train_seconds);
        WeightingRow {
            diverged: found.diverged(),
            weighting: found.weighting.clone(),
            seeds: found.networks.iter().map(|network| network.spec.seed).collect(),
            item: found.accuracy[0],
            group: found.accuracy[1],
            mean_train_seconds: mean(seconds).unwrap_or(0.0),
            name: found.name,
        }
    }
}

fn gradients(network: &Network) -> impl Iterator<Item = GradientRow> {
    let norm = |line: &GradientsLine, goal: Goal| line.norms.get(network.head(goal)?).copied();
    network.gradients.iter().map(move |line| GradientRow {
        network: network.name.clone(),
        step: line.step,
        item_norm: norm(line, Goal::Item),
        group_norm: norm(line, Goal::Group),
        cosine: line.cosine,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::facts;
    use crate::fixtures::multitask::{Asked, GARMENTS, diverge};

    #[test]
    fn rows_hold_what_the_contract_of_the_summary_names_and_nulls_where_training_diverged() {
        let mut task = Asked::brief(300, 200).with_weightings(2).results(&facts(&GARMENTS));
        diverge(&mut task.lambdas[2].1, 1);
        let rows = MultitaskRows::new(&task);
        let json = serde_json::to_value(&rows).unwrap();
        let lambdas = json["lambdas"].as_array().unwrap();
        assert_eq!(lambdas.len(), 5);
        let first = &lambdas[0];
        assert_eq!((&first["item_trained"], &first["group_trained"]), (&false.into(), &true.into()));
        assert!(first["contradictions"].is_null() && lambdas[1]["contradictions"]["count"].is_u64());
        for key in ["item_test_accuracy", "group_interval", "free_group_accuracy"] {
            assert!(lambdas[2][key].is_null() && lambdas[2].get(key).is_some(), "{key}");
            assert!(!lambdas[3][key].is_null(), "{key}");
        }
        assert_eq!(lambdas[2]["diverged"]["step"], 11);
        assert!(json["single"]["item"]["test_accuracy"].as_f64().unwrap() > 0.5);
        // The item network has no group head.
        assert!(json["single"]["item"]["group_trained"].is_null());
        assert_eq!(json["baselines"]["group"]["majority"], 0.4);
        // Two item heads, two group heads, the free baseline.
        assert_eq!(json["mcnemar"].as_array().unwrap().len(), 5);
        assert!(json["mcnemar"][4]["lambda"].is_null());
        assert_eq!(json["weightings"][2]["weighting"]["kind"], "pc-grad");
        assert_eq!(json["weightings"][2]["seeds"], serde_json::json!([1, 2]));
        assert_eq!(json["cost"]["joint_bytes"].as_u64().unwrap() % 12, 0);
        assert_eq!(rows.networks().count(), 2 + 5 + 8);
        assert_eq!(rows.classes.len(), 2 * 10 + 2 * 3);
        // The single-task networks, three of the sweep with both heads or one, eight of other weightings.
        assert_eq!(rows.measures.len(), 13 + 10 + 13 + 13 + 3 + 8 * 13);
    }
}
