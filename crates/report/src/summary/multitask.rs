//! Task 6 in `summary.json` and in a few lines.

use inkling_schema::apart;
use inkling_schema::outcome::Divergence;
use serde::Serialize;

use crate::results::{
    ClassRow, Goal, GoalPair, HeadedNetwork, MultitaskResults, Pairing, Spread, WeightingResults, class_rows,
};
use inkling_statistics::wilson_interval;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct MultitaskSummary {
    data: String,
    groups: Vec<String>,
    /// The group of each class.
    mapping: Vec<u8>,
    single: SingleSummary,
    lambdas: Vec<LambdaSummary>,
    /// Test accuracy for the group of the item network's probabilities, summed into groups.
    free_group_accuracy: Option<f64>,
    free_group_interval: Option<(f64, f64)>,
    baselines: BothBaselines,
    /// McNemar's exact test of every trained head, and of the free baseline, with the single-task network.
    mcnemar: Vec<McNemarSummary>,
    /// Recall of every class under every λ beside the single-task network.
    classes: Vec<ClassSummary>,
    /// Precision, recall and F1 of every class, by every trained head.
    measures: Vec<MeasuresSummary>,
    /// One two-headed network beside both single-task ones; null where one of the sides is missing.
    cost: Option<CostSummary>,
    weightings: Vec<WeightingSummary>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct SingleSummary {
    item: Option<NetworkSummary>,
    group: Option<NetworkSummary>,
}

/// A single-task network. What a network that diverged does not have is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct NetworkSummary {
    test_accuracy: Option<f64>,
    /// 95 % Wilson interval of the test accuracy.
    interval: Option<(f64, f64)>,
    test_loss: Option<f64>,
    train_accuracy: Option<f64>,
    parameters: usize,
    train_seconds: f64,
    test_seconds: f64,
    epochs: usize,
    diverged: Option<Divergence>,
}

/// A two-headed network of the sweep. The accuracy of a head that was not trained is that of its initial weights.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct LambdaSummary {
    lambda: f64,
    item_test_accuracy: Option<f64>,
    group_test_accuracy: Option<f64>,
    item_interval: Option<(f64, f64)>,
    group_interval: Option<(f64, f64)>,
    item_trained: bool,
    group_trained: bool,
    /// Test accuracy for the group of its own item head's probabilities, summed.
    free_group_accuracy: Option<f64>,
    contradictions: Option<ContradictionSummary>,
    gradients: Option<GradientSummary>,
    parameters: usize,
    train_seconds: f64,
    test_seconds: f64,
    epochs: usize,
    diverged: Option<Divergence>,
}

/// Test images whose item, as one head says it, is in another group than the other head says.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct ContradictionSummary {
    count: usize,
    share: f64,
    item_right: usize,
    group_right: usize,
}

/// The heads' gradients on the shared layers, over training.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct GradientSummary {
    measurements: usize,
    mean_cosine: f64,
    negative: usize,
    /// Geometric mean of the item gradient's norm over the group gradient's.
    norm_ratio: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct BothBaselines {
    item: BaselineSummary,
    group: BaselineSummary,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct BaselineSummary {
    chance: f64,
    majority: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct McNemarSummary {
    goal: &'static str,
    /// λ of the two-headed network; null for the free baseline.
    lambda: Option<f64>,
    only_first: usize,
    only_single: usize,
    p: f64,
    p_holm: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct ClassSummary {
    goal: &'static str,
    class: String,
    lambda: f64,
    recall: f64,
    single: f64,
    p_holm: f64,
}

/// A trained head; what is undefined is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct MeasuresSummary {
    network: String,
    seed: u64,
    goal: &'static str,
    classes: Vec<ClassRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct CostSummary {
    single_parameters: usize,
    joint_parameters: usize,
    /// Bytes of weights and both moments of Adam.
    single_bytes: usize,
    joint_bytes: usize,
    single_train_seconds: f64,
    joint_train_seconds: f64,
    single_test_seconds: f64,
    joint_test_seconds: f64,
}

/// A weighting over its seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct WeightingSummary {
    name: String,
    weighting: inkling_schema::Weighting,
    seeds: Vec<u64>,
    diverged: usize,
    item: Option<SpreadSummary>,
    group: Option<SpreadSummary>,
}

/// Test accuracies over seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct SpreadSummary {
    mean: f64,
    deviation: Option<f64>,
    count: usize,
}

impl MultitaskSummary {
    pub(super) fn new(task: &MultitaskResults) -> Self {
        let free = task.single(Goal::Item).and_then(|network| task.free(network));
        let single = |goal: Goal| task.single(goal).map(|network| NetworkSummary::new(network, goal));
        let baseline = |goal: Goal| {
            let found = task.baselines(goal);
            BaselineSummary { chance: found.chance, majority: found.majority }
        };
        let class = |goal: Goal| {
            task.class_changes(goal).into_iter().map(move |change| ClassSummary {
                goal: goal.name(),
                class: task.classes(goal)[change.class].clone(),
                lambda: task.lambdas[change.lambda].0,
                recall: change.recall,
                single: change.single,
                p_holm: change.adjusted,
            })
        };
        MultitaskSummary {
            data: task.networks().next().map_or_else(String::new, |network| network.spec.data.set.clone()),
            groups: task.groups.clone(),
            mapping: task.mapping.clone(),
            single: SingleSummary { item: single(Goal::Item), group: single(Goal::Group) },
            lambdas: task
                .lambdas
                .iter()
                .map(|(lambda, network)| lambda_summary(task, *lambda, network))
                .collect(),
            free_group_accuracy: free.map(|found| found.accuracy()),
            free_group_interval: free.map(|found| wilson_interval(found.correct, found.images)),
            baselines: BothBaselines { item: baseline(Goal::Item), group: baseline(Goal::Group) },
            mcnemar: task.pairs().into_iter().map(|pair| mcnemar(task, pair)).collect(),
            classes: Goal::BOTH.into_iter().flat_map(class).collect(),
            measures: task
                .networks()
                .flat_map(|network| Goal::BOTH.map(|goal| (network, goal)))
                .filter_map(|(network, goal)| {
                    Some(MeasuresSummary {
                        network: network.name.clone(),
                        seed: network.spec.seed,
                        goal: goal.name(),
                        classes: class_rows(task.classes(goal), &task.confusion(network, goal)?),
                    })
                })
                .collect(),
            cost: cost(task),
            weightings: task.weightings().iter().map(weighting).collect(),
        }
    }

    /// The task in a few lines.
    pub(super) fn in_words(&self) -> Vec<String> {
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let single = |found: &Option<NetworkSummary>| {
            found.as_ref().and_then(|found| found.test_accuracy).map(percent)
        };
        let alone: Vec<String> = [("item", single(&self.single.item)), ("group", single(&self.single.group))]
            .into_iter()
            .filter_map(|(name, accuracy)| Some(format!("{name} {}", accuracy?)))
            .collect();
        let alone = if alone.is_empty() { "no result".to_owned() } else { alone.join(", ") };
        let mut lines = vec![format!("Task 6: single-task networks, test accuracy: {alone}")];
        let of = |name: &str, accuracy: Option<f64>, trained: bool| match accuracy {
            Some(_) if !trained => format!("{name} untrained"),
            Some(accuracy) => format!("{name} {}", percent(accuracy)),
            None => format!("{name} –"),
        };
        // As many digits as tell each from the others, and from those of a single goal.
        let names =
            apart(&self.lambdas.iter().map(|found| found.lambda).chain([0.0, 1.0]).collect::<Vec<_>>());
        for (found, name) in self.lambdas.iter().zip(names) {
            lines.push(match found.diverged {
                Some(at) => format!("        λ = {name}: diverged at step {}", at.step),
                None => format!(
                    "        λ = {name}: {}, {}",
                    of("item", found.item_test_accuracy, found.item_trained),
                    of("group", found.group_test_accuracy, found.group_trained)
                ),
            });
        }
        if let Some(free) = self.free_group_accuracy {
            lines.push(format!(
                "        the item network’s probabilities, summed into groups: {}",
                percent(free)
            ));
        }
        let together = |pair: &&McNemarSummary| {
            let both = |found: &&LambdaSummary| found.item_trained && found.group_trained;
            self.lambdas.iter().filter(both).any(|found| Some(found.lambda) == pair.lambda)
        };
        let (all, differ) = self.mcnemar.iter().filter(together).fold((0, 0), |(all, differ), pair| {
            (all + 1, differ + usize::from(pair.p_holm < inkling_statistics::ALPHA))
        });
        if all > 0 {
            lines.push(format!(
                "        {differ} of {all} heads trained with another differ significantly from a single-task network"
            ));
        }
        for found in &self.weightings {
            let spread = |of: &Option<SpreadSummary>| match of {
                None => "diverged".to_owned(),
                Some(SpreadSummary { mean, deviation: Some(deviation), .. }) => {
                    format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * deviation)
                }
                Some(found) => percent(found.mean),
            };
            let (item, group) = (spread(&found.item), spread(&found.group));
            lines.push(format!("        {}: item {item}, group {group}", found.name));
        }
        lines
    }
}

impl NetworkSummary {
    fn new(network: &HeadedNetwork, goal: Goal) -> Self {
        let test = network.test(goal);
        NetworkSummary {
            test_accuracy: test.map(|test| test.accuracy()),
            interval: test.map(|test| wilson_interval(test.correct, test.images)),
            test_loss: test.map(|test| test.loss),
            train_accuracy: network.train(goal).map(|train| train.accuracy()),
            parameters: network.outcome.parameters,
            train_seconds: network.outcome.train_seconds,
            test_seconds: network.outcome.test_seconds,
            epochs: network.outcome.epochs.len(),
            diverged: network.outcome.diverged,
        }
    }
}

fn lambda_summary(task: &MultitaskResults, lambda: f64, network: &HeadedNetwork) -> LambdaSummary {
    let [item, group] = Goal::BOTH.map(|goal| NetworkSummary::new(network, goal));
    let found = &network.outcome;
    LambdaSummary {
        lambda,
        item_test_accuracy: item.test_accuracy,
        group_test_accuracy: group.test_accuracy,
        item_interval: item.interval,
        group_interval: group.interval,
        item_trained: network.trained(Goal::Item),
        group_trained: network.trained(Goal::Group),
        free_group_accuracy: task.free(network).map(|found| found.accuracy()),
        contradictions: task.contradictions(network).map(|found| ContradictionSummary {
            count: found.count,
            share: found.share(),
            item_right: found.item_right,
            group_right: found.group_right,
        }),
        gradients: network.gradients_found().map(|found| GradientSummary {
            measurements: found.count,
            mean_cosine: found.mean,
            negative: found.negative,
            norm_ratio: found.ratio,
        }),
        parameters: found.parameters,
        train_seconds: found.train_seconds,
        test_seconds: found.test_seconds,
        epochs: found.epochs.len(),
        diverged: found.diverged,
    }
}

fn mcnemar(task: &MultitaskResults, pair: GoalPair) -> McNemarSummary {
    let lambda = match pair.pairing {
        Pairing::Lambda(i) => Some(task.lambdas[i].0),
        Pairing::Free => None,
    };
    McNemarSummary {
        goal: pair.goal.name(),
        lambda,
        only_first: pair.only_first,
        only_single: pair.only_single,
        p: pair.p,
        p_holm: pair.adjusted,
    }
}

fn cost(task: &MultitaskResults) -> Option<CostSummary> {
    let costs = task.costs()?;
    Some(CostSummary {
        single_parameters: costs.single.parameters,
        joint_parameters: costs.joint.parameters,
        single_bytes: costs.single.bytes(),
        joint_bytes: costs.joint.bytes(),
        single_train_seconds: costs.single.train_seconds,
        joint_train_seconds: costs.joint.train_seconds,
        single_test_seconds: costs.single.test_seconds,
        joint_test_seconds: costs.joint.test_seconds,
    })
}

fn weighting(found: &WeightingResults) -> WeightingSummary {
    let spread = |spread: Option<Spread>| {
        spread.map(|spread| SpreadSummary {
            mean: spread.mean,
            deviation: spread.deviation,
            count: spread.count,
        })
    };
    WeightingSummary {
        name: found.name.clone(),
        weighting: found.weighting.clone(),
        seeds: found.networks.iter().map(|network| network.spec.seed).collect(),
        diverged: found.diverged(),
        item: spread(found.accuracy[0]),
        group: spread(found.accuracy[1]),
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::outcome::DataSetFacts;

    use super::*;
    use crate::fixtures::multitask::{Asked, GARMENTS, diverge};

    fn data() -> DataSetFacts {
        let classes = GARMENTS.map(str::to_owned).into();
        DataSetFacts { title: "Toy".into(), height: 8, width: 8, classes, checksum: "c".into(), images: None }
    }

    #[test]
    fn a_summary_holds_what_the_contract_names_and_nulls_where_training_diverged() {
        let mut task = Asked::brief(300, 200).with_weightings(2).results(&data());
        diverge(&mut task.lambdas[2].1, 1);
        let json = serde_json::to_value(MultitaskSummary::new(&task)).unwrap();
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
        assert_eq!(json["baselines"]["group"]["majority"], 0.4);
        // Two item heads, two group heads, the free baseline.
        assert_eq!(json["mcnemar"].as_array().unwrap().len(), 5);
        assert!(json["mcnemar"][4]["lambda"].is_null());
        assert_eq!(json["measures"][0]["classes"].as_array().unwrap().len(), 10);
        assert_eq!(json["weightings"][2]["weighting"]["kind"], "pc-grad");
        assert_eq!(json["weightings"][2]["seeds"], serde_json::json!([1, 2]));
        assert_eq!(json["cost"]["joint_bytes"].as_u64().unwrap() % 12, 0);
    }

    #[test]
    fn a_task_in_words_says_which_head_was_not_trained() {
        let mut task = Asked::brief(300, 200).with_weightings(1).results(&data());
        diverge(&mut task.lambdas[2].1, 1);
        let lines = MultitaskSummary::new(&task).in_words();
        assert!(lines[0].starts_with("Task 6: single-task networks, test accuracy: item 9"), "{lines:?}");
        assert!(lines[1].starts_with("        λ = 0: item untrained, group 9"), "{lines:?}");
        assert_eq!(lines[3], "        λ = 0.5: diverged at step 11");
        assert!(lines[7].contains("of 4 heads trained with another differ"), "{lines:?}");
        assert_eq!(lines.len(), 8 + 4);
    }
}
