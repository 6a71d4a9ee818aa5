//! Which classes gain and lose when a network has a second head.

use serde::Serialize;

use super::super::comparison::only;
use super::{Goal, MultitaskResults};
use inkling_statistics::{ALPHA, holm, mcnemar_exact};

/// A class of a goal under one λ, beside the single-task network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ClassChange {
    /// What is asked.
    #[serde(skip)]
    pub goal: Goal,
    /// The class, or the group.
    #[serde(skip)]
    pub class: usize,
    /// The two-headed network, by rising λ.
    #[serde(skip)]
    pub lambda: usize,
    /// Its test images.
    pub test_images: usize,
    /// Recall of the two-headed network.
    pub recall: f64,
    /// Recall of the single-task network.
    pub single: f64,
    /// The first of these less the second.
    pub difference: f64,
    /// p of McNemar's exact test on the class's images, corrected by Holm's method for the family of all classes of both
    /// goals under every λ.
    pub p_holm: f64,
}

impl ClassChange {
    /// Whether the two differ by more than the noise.
    pub fn differs(&self) -> bool {
        self.p_holm < ALPHA
    }
}

impl MultitaskResults {
    /// Recall of every class of both goals, which are one family of tests, under every λ that trained both heads: by goal, then
    /// by λ, then by class. Classes without a test image are left out, and so is a goal without a single-task network.
    pub fn class_changes(&self) -> Vec<ClassChange> {
        let all = Goal::BOTH.into_iter().flat_map(|goal| self.uncorrected(goal));
        let (mut changes, p): (Vec<ClassChange>, Vec<f64>) = all.unzip();
        for (change, p_holm) in changes.iter_mut().zip(holm(&p)) {
            change.p_holm = p_holm;
        }
        changes
    }

    /// Changes of a goal with their p.
    fn uncorrected(&self, goal: Goal) -> Vec<(ClassChange, f64)> {
        let Some(single) = self.single(goal).and_then(|network| network.answers(goal)) else {
            return Vec::new();
        };
        let labels = self.labels(goal);
        let mut changes = Vec::new();
        for (lambda, (_, network)) in self.lambdas.iter().enumerate() {
            let Some(answers) = network.answers(goal).filter(|_| network.is_joint()) else { continue };
            for class in 0..self.classes(goal).len() {
                let of: Vec<usize> = (0..labels.len()).filter(|&i| usize::from(labels[i]) == class).collect();
                if of.is_empty() {
                    continue;
                }
                let take = |all: &[u8]| -> Vec<u8> { of.iter().map(|&i| all[i]).collect() };
                let (right, first) = (take(labels), take(&answers.predictions));
                let second = take(&single.predictions);
                let recall = |said: &[u8]| {
                    let hits = said.iter().zip(&right).filter(|(said, right)| said == right).count();
                    hits as f64 / of.len() as f64
                };
                let (recall, single) = (recall(&first), recall(&second));
                let (only_first, only_single) = only(&right, &first, &second);
                let change = ClassChange {
                    goal,
                    class,
                    lambda,
                    test_images: of.len(),
                    recall,
                    single,
                    difference: recall - single,
                    p_holm: 1.0,
                };
                changes.push((change, mcnemar_exact(only_first, only_single)));
            }
        }
        changes
    }
}
