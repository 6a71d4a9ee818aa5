//! What is known of runs before they are finished: what each needs, and why one failed.

use serde::{Deserialize, Serialize};

use super::PlannedRun;
use crate::{RunId, RunSpec};

/// Why a run could not be done, for whoever looks at its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFailure {
    /// The host on which it failed.
    pub host: String,
    /// When, by that host's clock.
    pub time: String,
    /// The version of the program.
    pub version: String,
    /// What went wrong, and what to do about it.
    pub lines: Vec<String>,
}

impl PlannedRun {
    /// The runs among those of its study that must be finished before it can be done.
    pub fn needs(&self, runs: &[PlannedRun]) -> Vec<RunId> {
        match &self.spec {
            RunSpec::Separability(spec) => {
                let is_its_plane =
                    |other: &&PlannedRun| matches!(&other.spec, RunSpec::Pca(pca) if pca.data == spec.data);
                runs.iter().find(is_its_plane).map(|pca| pca.id.clone()).into_iter().collect()
            }
            RunSpec::Filters(spec) => vec![spec.of.clone()],
            RunSpec::Activations(spec) => vec![spec.of.clone()],
            RunSpec::Dream(spec) => [&spec.of].into_iter().chain(&spec.judge).cloned().collect(),
            RunSpec::Likeness(spec) => spec.of.iter().chain(&spec.dreams).cloned().collect(),
            RunSpec::PageNetwork(spec) => vec![spec.of.clone()],
            RunSpec::Choice(spec) => spec.points.iter().flatten().cloned().collect(),
            RunSpec::Pca(_)
            | RunSpec::Perceptron(_)
            | RunSpec::Train(_)
            | RunSpec::Trial(_)
            | RunSpec::PageImages(_) => Vec::new(),
        }
    }
}
