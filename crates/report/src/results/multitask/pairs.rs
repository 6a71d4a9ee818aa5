//! Who differs by more than the noise: two-headed against single-task networks, and the free baseline against a network
//! that was trained for groups; and how often the two heads of a network contradict each other.

use super::super::comparison::only;
use super::super::network::Network;
use super::{Goal, MultitaskResults};
use inkling_statistics::{ALPHA, holm, mcnemar_exact};

/// What is compared with a single-task network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// The two-headed network of this number, by rising λ, with the single-task network of the goal.
    Lambda(usize),
    /// The item network's probabilities, summed into groups, with the group network.
    Free,
}

/// Two answers to one question about the same test images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GoalPair {
    /// What was asked.
    pub goal: Goal,
    /// Who answered beside the single-task network.
    pub pairing: Pairing,
    /// Test images that only the two-headed network, or the free baseline, got right.
    pub only_first: usize,
    /// Test images that only the single-task network got right.
    pub only_single: usize,
    /// Test images.
    pub images: usize,
    /// Two-sided p of McNemar's exact test.
    pub p: f64,
    /// p corrected by Holm's method for the family of all comparisons of the task: heads that were trained together with
    /// another, and the free baseline.
    pub adjusted: f64,
}

impl GoalPair {
    /// Whether the two differ by more than the noise, over all comparisons of the task together.
    pub fn differs(&self) -> bool {
        self.adjusted < ALPHA
    }

    /// Accuracy of the first less that of the single-task network.
    pub fn difference(&self) -> f64 {
        (self.only_first as f64 - self.only_single as f64) / self.images.max(1) as f64
    }
}

/// Test images on which the two heads of a network contradict each other: the item is in another group than that said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contradictions {
    /// Such images.
    pub count: usize,
    /// Of these, those whose group the item head's answer implies rightly.
    pub item_right: usize,
    /// Of these, those whose group the group head says rightly.
    pub group_right: usize,
    /// All test images.
    pub images: usize,
}

impl Contradictions {
    /// Share of the test images.
    pub fn share(&self) -> f64 {
        self.count as f64 / self.images.max(1) as f64
    }
}

impl MultitaskResults {
    /// Every head of the sweep that was trained together with another beside the single-task network of its goal, then the
    /// free baseline beside the group network; what diverged is left out. A head that was trained alone is a single-task
    /// network by construction, with the same first weights and the same batches: to compare it would only inflate the
    /// family.
    pub fn pairs(&self) -> Vec<GoalPair> {
        let mut pairs = Vec::new();
        for goal in Goal::BOTH {
            let Some(single) = self.single(goal).and_then(|network| network.answers(goal)) else { continue };
            let heads = self.lambdas.iter().enumerate().filter(|(_, (_, network))| network.is_joint());
            for (i, (_, network)) in heads {
                if let Some(answers) = network.answers(goal) {
                    let both = (&answers.predictions[..], &single.predictions[..]);
                    pairs.push(self.pair(goal, Pairing::Lambda(i), both));
                }
            }
        }
        let free = self.single(Goal::Item).and_then(Network::free);
        let group = self.single(Goal::Group).and_then(|network| network.answers(Goal::Group));
        if let (Some(free), Some(group)) = (free, group) {
            pairs.push(self.pair(Goal::Group, Pairing::Free, (free, &group.predictions)));
        }
        let adjusted = holm(&pairs.iter().map(|pair| pair.p).collect::<Vec<f64>>());
        for (pair, adjusted) in pairs.iter_mut().zip(adjusted) {
            pair.adjusted = adjusted;
        }
        pairs
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

    fn pair(&self, goal: Goal, pairing: Pairing, (first, single): (&[u8], &[u8])) -> GoalPair {
        let labels = self.labels(goal);
        let (only_first, only_single) = only(labels, first, single);
        let p = mcnemar_exact(only_first, only_single);
        GoalPair { goal, pairing, only_first, only_single, images: labels.len(), p, adjusted: p }
    }

    /// How often the two heads of a network contradict each other; `None` where one of them is missing or untrained, or
    /// training diverged.
    pub fn contradictions(&self, network: &Network) -> Option<Contradictions> {
        let said = |goal: Goal| {
            let trained = network.answers(goal).filter(|_| network.trained(goal));
            trained.map(|answers| &answers.predictions)
        };
        let (items, groups) = (said(Goal::Item)?, said(Goal::Group)?);
        let mut found =
            Contradictions { count: 0, item_right: 0, group_right: 0, images: self.group_labels.len() };
        for ((&item, &group), &right) in items.iter().zip(groups).zip(&self.group_labels) {
            let implied = self.mapping[usize::from(item)];
            if implied != group {
                found.count += 1;
                found.item_right += usize::from(implied == right);
                found.group_right += usize::from(group == right);
            }
        }
        Some(found)
    }
}
