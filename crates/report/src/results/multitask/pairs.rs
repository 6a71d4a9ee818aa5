//! Who differs by more than the noise: two-headed against single-task networks, and the free baseline against a network
//! that was trained for groups; and how often the two heads of a network contradict each other.

use super::super::comparison::{Candidate, Comparisons, only, predictions, said};
use super::super::network::{Answers, Network};
use super::{Goal, MultitaskResults};
use inkling_statistics::{holm, mcnemar_exact};
use serde::Serialize;

/// What is compared with a single-task network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// The two-headed network of this number, by rising λ, with the single-task network of the goal.
    Lambda(usize),
    /// The item network's probabilities, summed into groups, with the group network.
    Free,
}

/// Who answers a question, beside the single-task network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoalPair {
    /// What is asked.
    pub goal: Goal,
    /// Who answers.
    pub pairing: Pairing,
}

/// Test images on which the two heads of a network contradict each other: the item is in another group than that said.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contradictions {
    /// Such images.
    pub count: usize,
    /// Their share of all test images.
    pub share: f64,
    /// Of these, those whose group the item head's answer implies rightly.
    pub item_right: usize,
    /// Of these, those whose group the group head says rightly.
    pub group_right: usize,
}

impl MultitaskResults {
    /// Every head of the sweep that was trained together with another beside the single-task network of its goal, then the
    /// free baseline beside the group network; what diverged from the first seed is left out. A head that was trained alone is
    /// a single-task network by construction, with the same first weights and the same batches: to compare it would only
    /// inflate the family.
    pub fn comparisons(&self) -> Comparisons<GoalPair> {
        let joint = || self.lambdas.iter().enumerate().filter(|(_, (_, network))| network.is_joint());
        let heads = Goal::BOTH.into_iter().flat_map(|goal| {
            joint().filter_map(move |(i, (_, network))| {
                let pair = GoalPair { goal, pairing: Pairing::Lambda(i) };
                self.candidate(pair, (network, goal), predictions)
            })
        });
        let item = self.single(Goal::Item).filter(|network| network.trained(Goal::Item));
        let free = item.and_then(|network| {
            let pair = GoalPair { goal: Goal::Group, pairing: Pairing::Free };
            self.candidate(pair, (network, Goal::Item), |answers| &answers.free)
        });
        let candidates: Vec<Candidate<GoalPair>> = heads.chain(free).collect();
        let seeds = self.networks().next().into_iter().flat_map(Network::trainings);
        Comparisons::new(&candidates, self.has_replicates(), seeds.map(|training| training.seed))
    }

    /// Something of the answers of a network's head for a goal beside the single-task network.
    fn candidate<'a>(
        &'a self,
        pair: GoalPair,
        (network, goal): (&'a Network, Goal),
        of: fn(&Answers) -> &[u8],
    ) -> Option<Candidate<'a, GoalPair>> {
        let single = self.single(pair.goal)?;
        network.answers(goal).and(single.answers(pair.goal))?;
        Some(Candidate {
            pair,
            labels: self.labels(pair.goal),
            first: said(network, network.head(goal)?, of),
            second: said(single, single.head(pair.goal)?, predictions),
        })
    }

    /// The group head of every two-headed network beside the network's own item head, its probabilities summed into groups:
    /// (of those the item head wins, p corrected by Holm's method for the family of all these networks).
    pub fn own_free(&self) -> Vec<(bool, f64)> {
        let pairs: Vec<(usize, usize)> = self
            .joint()
            .filter_map(|(_, network)| {
                let (free, group) = (network.free()?, network.answers(Goal::Group)?);
                Some(only(&self.group_labels, free, &group.predictions))
            })
            .collect();
        let p: Vec<f64> = pairs.iter().map(|&(free, group)| mcnemar_exact(free, group)).collect();
        pairs.iter().map(|(free, group)| free > group).zip(holm(&p)).collect()
    }

    /// How often the two heads of a network contradict each other; `None` where one of them is missing or untrained, or
    /// training diverged.
    pub fn contradictions(&self, network: &Network) -> Option<Contradictions> {
        let said = |goal: Goal| network.trained_answers(goal).map(|answers| &answers.predictions);
        let (items, groups) = (said(Goal::Item)?, said(Goal::Group)?);
        let mut found = Contradictions { count: 0, share: 0.0, item_right: 0, group_right: 0 };
        for ((&item, &group), &right) in items.iter().zip(groups).zip(&self.group_labels) {
            let implied = self.mapping[usize::from(item)];
            if implied != group {
                found.count += 1;
                found.item_right += usize::from(implied == right);
                found.group_right += usize::from(group == right);
            }
        }
        found.share = found.count as f64 / self.group_labels.len().max(1) as f64;
        Some(found)
    }
}
