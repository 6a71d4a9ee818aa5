//! Facts of two-headed networks beside single-task ones, and of groups that come free with items.

use inkling_statistics::ALPHA;
use serde::Serialize;

use crate::{Baselines, Goal, GoalPair, MultitaskResults, Pairing, Verdict};

/// A goal: its single-task network, and beside it the heads of the sweep that were trained together with another. One that
/// was trained alone is a single-task network itself.
#[derive(Debug, Serialize)]
pub(super) struct GoalFacts {
    #[serde(flatten)]
    baselines: Baselines,
    /// Test accuracy of the single-task network, as a mean over the seeds where there are several; `None` without it, or where it diverged.
    single: Option<f64>,
    /// Heads that are compared with it, those of them that differ significantly, and those of these that are
    /// better.
    heads: usize,
    differ: usize,
    better: usize,
    /// The heads with the largest and the smallest difference from it, whatever their signs.
    best: Option<HeadFacts>,
    worst: Option<HeadFacts>,
}

#[derive(Debug, Serialize)]
struct HeadFacts {
    lambda: String,
    /// Accuracy less that of the single-task network.
    difference: f64,
    p: f64,
}

/// The item network's probabilities, summed into groups, beside the group network.
#[derive(Debug, Serialize)]
pub(super) struct FreeFacts {
    accuracy: f64,
    /// "better", "worse", or "alike" where no difference was found; `None` without a group network.
    verdict: Option<&'static str>,
    p: Option<f64>,
    /// Two-headed networks: all, those whose own item head, so used, differs significantly from their group head, and those
    /// of these in which it is better.
    own: usize,
    own_differ: usize,
    own_better: usize,
}

impl GoalFacts {
    pub(super) fn new(task: &MultitaskResults, goal: Goal, pairs: &[Verdict<GoalPair>]) -> GoalFacts {
        let heads: Vec<(f64, &Verdict<GoalPair>)> = pairs
            .iter()
            .filter(|pair| pair.pair.goal == goal)
            .filter_map(|pair| match pair.pair.pairing {
                Pairing::Lambda(i) => Some((task.lambdas[i].0, pair)),
                Pairing::Free => None,
            })
            .collect();
        let facts = |&(lambda, pair): &(f64, &Verdict<GoalPair>)| HeadFacts {
            lambda: task.lambda_name(lambda),
            difference: pair.difference,
            p: pair.adjusted,
        };
        let by = |p: &&(f64, &Verdict<GoalPair>), q: &&(f64, &Verdict<GoalPair>)| {
            p.1.difference.total_cmp(&q.1.difference)
        };
        let differing = || heads.iter().filter(|(_, pair)| pair.differs());
        GoalFacts {
            baselines: task.baselines(goal),
            single: task.single(goal).and_then(|network| network.spread(network.head(goal)?).mean()),
            heads: heads.len(),
            differ: differing().count(),
            better: differing().filter(|(_, pair)| pair.difference > 0.0).count(),
            best: heads.iter().max_by(by).map(facts),
            worst: heads.iter().min_by(by).map(facts),
        }
    }
}

impl FreeFacts {
    /// `None` without a trained item network.
    pub(super) fn new(task: &MultitaskResults, pairs: &[Verdict<GoalPair>]) -> Option<FreeFacts> {
        let accuracy = task.free_accuracy()?;
        let pair = pairs.iter().find(|pair| pair.pair.pairing == Pairing::Free);
        let verdict = |pair: &Verdict<GoalPair>| match pair.differs() {
            false => "alike",
            true if pair.difference > 0.0 => "better",
            true => "worse",
        };
        let own = task.own_free();
        let differing = || own.iter().filter(|(_, p)| *p < ALPHA);
        Some(FreeFacts {
            accuracy,
            verdict: pair.map(verdict),
            p: pair.map(|pair| pair.adjusted),
            own: own.len(),
            own_differ: differing().count(),
            own_better: differing().filter(|(better, _)| *better).count(),
        })
    }
}
