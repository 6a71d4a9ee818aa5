//! What several seeds say of the networks of a task.

use serde::Serialize;

use crate::results::{
    Alone, Comparisons, Goal, GoalPair, MultitaskResults, Network, NetworkPair, NetworksResults, Pairing,
    SeedTest, Verdict,
};
use crate::tables::Row;

/// The networks of a task over the seeds of a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SeedsRows {
    pub(crate) networks: Vec<SeedRow>,
    /// Every two of them, or every head trained with another beside the single-task network, with the noise of both seeds and test
    /// images.
    pub(crate) tests: Vec<SeedPairRow>,
    /// What each seed alone would have said.
    pub(crate) alone: Vec<Alone>,
}

/// A network over seeds; of networks with two heads, one head.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct SeedRow {
    pub(crate) network: String,
    pub(crate) head: String,
    /// λ of a two-headed network.
    pub(crate) lambda: Option<f64>,
    /// Mean test accuracy, and its sample standard deviation over the seeds; null where training diverged from all seeds, or
    /// from all but one.
    pub(crate) mean: Option<f64>,
    pub(crate) deviation: Option<f64>,
    pub(crate) lowest: Option<f64>,
    pub(crate) highest: Option<f64>,
    seeds: Vec<u64>,
    /// Test accuracy from each seed; null where training diverged.
    accuracies: Vec<Option<f64>>,
    pub(crate) diverged: usize,
}

impl Row for SeedRow {}

/// Two networks over seeds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct SeedPairRow {
    a: String,
    b: String,
    /// Seeds from which neither diverged.
    seeds: usize,
    /// Mean test accuracy of the first less that of the second.
    difference: f64,
    standard_error: f64,
    degrees_of_freedom: f64,
    /// Two-sided p, and the same corrected for all tests of the task by Holm's method.
    p: f64,
    pub(crate) p_holm: f64,
    /// The difference that would be found in 80 of 100 such experiments, at 5 % without correction.
    pub(crate) detectable: f64,
}

impl Row for SeedPairRow {}

impl SeedsRows {
    /// `None` of one seed.
    pub(super) fn of_networks(
        task: &NetworksResults,
        comparisons: &Comparisons<NetworkPair>,
    ) -> Option<SeedsRows> {
        let head = |network: &Network| network.head_of_classes().2.to_owned();
        task.has_replicates().then(|| SeedsRows {
            networks: task
                .networks
                .iter()
                .map(|network| SeedRow::new(network, (0, head(network)), None))
                .collect(),
            tests: tests(comparisons, task, task),
            alone: comparisons.alone.clone(),
        })
    }

    /// `None` of one seed.
    pub(super) fn of_multitask(
        task: &MultitaskResults,
        comparisons: &Comparisons<GoalPair>,
    ) -> Option<SeedsRows> {
        let singles = task.single.iter().flatten().map(|network| (network, None));
        let lambdas = task.lambdas.iter().map(|(lambda, network)| (network, Some(*lambda)));
        let heads = singles.chain(lambdas).flat_map(|(network, lambda)| {
            let trained = Goal::BOTH.into_iter().filter(|&goal| network.trained(goal));
            trained.filter_map(move |goal| {
                Some((network, lambda, (network.head(goal)?, goal.name().to_owned())))
            })
        });
        task.has_replicates().then(|| SeedsRows {
            networks: heads.map(|(network, lambda, head)| SeedRow::new(network, head, lambda)).collect(),
            tests: comparisons.verdicts.iter().filter_map(|verdict| goal_test(verdict, task)).collect(),
            alone: comparisons.alone.clone(),
        })
    }
}

impl SeedRow {
    fn new(network: &Network, (head, name): (usize, String), lambda: Option<f64>) -> SeedRow {
        let spread = network.spread(head);
        let (seeds, accuracies): (Vec<u64>, Vec<Option<f64>>) = spread.accuracies.iter().copied().unzip();
        SeedRow {
            network: network.name.clone(),
            head: name,
            lambda,
            mean: spread.mean(),
            deviation: spread.mean_and_deviation.and_then(|(_, deviation)| deviation),
            lowest: spread.known().min_by(f64::total_cmp),
            highest: spread.known().max_by(f64::total_cmp),
            diverged: accuracies.iter().filter(|accuracy| accuracy.is_none()).count(),
            seeds,
            accuracies,
        }
    }
}

impl SeedPairRow {
    fn new(a: String, b: String, test: &SeedTest) -> SeedPairRow {
        let found = &test.found;
        SeedPairRow {
            a,
            b,
            seeds: test.seeds,
            difference: found.difference,
            standard_error: found.standard_error,
            degrees_of_freedom: found.degrees,
            p: found.p,
            p_holm: test.adjusted,
            detectable: found.detectable,
        }
    }
}

/// Networks of one task beside those of another, or of the same.
pub(super) fn tests(
    comparisons: &Comparisons<NetworkPair>,
    first: &NetworksResults,
    second: &NetworksResults,
) -> Vec<SeedPairRow> {
    let row = |verdict: &Verdict<NetworkPair>| {
        let NetworkPair { a, b } = verdict.pair;
        let [a, b] = [&first.networks[a], &second.networks[b]].map(|network| network.name.clone());
        Some(SeedPairRow::new(a, b, verdict.over_seeds.as_ref()?))
    };
    comparisons.verdicts.iter().filter_map(row).collect()
}

fn goal_test(verdict: &Verdict<GoalPair>, task: &MultitaskResults) -> Option<SeedPairRow> {
    let GoalPair { goal, pairing } = verdict.pair;
    let first = match pairing {
        Pairing::Lambda(number) => format!("{} of {}", goal.name(), task.lambdas[number].1.name),
        Pairing::Free => "item, summed".to_owned(),
    };
    let single = task.single(goal)?.name.clone();
    Some(SeedPairRow::new(first, single, verdict.over_seeds.as_ref()?))
}
