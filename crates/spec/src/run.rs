//! A run: one fit with every hyperparameter resolved, and the id that names it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{ModelSpec, PerceptronRule, TrainingSpec};

/// The images a run is fitted and tested on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSlice {
    /// Name of the data set in the catalogue.
    pub set: String,
    /// The first so many training images.
    pub train_images: usize,
    /// The first so many test images.
    pub test_images: usize,
}

/// One fit, everything that decides its outcome written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RunSpec {
    /// Principal components of the training images.
    Pca(PcaRun),
    /// Lines and hyperplanes between every two classes.
    Separability(SeparabilityRun),
    /// One perceptron between two classes.
    Perceptron(PerceptronRun),
    /// A network trained by gradient descent.
    Train(TrainRun),
}

/// A PCA fit: exact, so nothing in it is random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PcaRun {
    /// The images.
    pub data: DataSlice,
    /// Components kept.
    pub components: usize,
    /// Numbers of components from which some images are rebuilt.
    pub reconstructions: Vec<usize>,
}

/// The search for separating lines (in the plane of the first two components) and hyperplanes (in all pixels).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeparabilityRun {
    /// The images.
    pub data: DataSlice,
    /// Directions tried in the plane before the best is refined.
    pub directions: usize,
    /// Passes after which the search for a hyperplane is given up.
    pub max_passes: usize,
}

/// One perceptron: class `a` is −1, class `b` is 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerceptronRun {
    /// The images.
    pub data: DataSlice,
    /// The class labelled −1.
    pub a: u8,
    /// The class labelled 1.
    pub b: u8,
    /// The optimise function.
    pub rule: PerceptronRule,
    /// Step size of an update.
    pub learning_rate: f64,
    /// Passes after which training stops.
    pub max_iterations: usize,
    /// Share of misclassified training images at which training stops.
    pub tolerance: f64,
    /// Seed of the initial weights and of the order of the images.
    pub seed: u64,
}

/// A network trained on images with pixels scaled to x/255, labels being their classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainRun {
    /// The images.
    pub data: DataSlice,
    /// The network.
    pub model: ModelSpec,
    /// How it is trained.
    pub training: TrainingSpec,
    /// Seed of the initial weights, of the order of the images, of dropout and of the validation split.
    pub seed: u64,
}

/// Names a run's folder: the first 16 hexadecimal digits of the SHA-256 of the canonical spec and the data checksum.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for RunId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl RunSpec {
    /// The images of the run.
    pub fn data(&self) -> &DataSlice {
        match self {
            RunSpec::Pca(run) => &run.data,
            RunSpec::Separability(run) => &run.data,
            RunSpec::Perceptron(run) => &run.data,
            RunSpec::Train(run) => &run.data,
        }
    }

    /// SHA-256, in hexadecimal, of the canonical spec (JSON, keys sorted, shortest round-trip numbers) together with
    /// the checksum of the data set. Two runs with one hash have one outcome.
    pub fn hash(&self, data_checksum: &str) -> String {
        // `serde_json::Value` keeps its keys sorted, so the order of fields in the types above is free to change.
        let canonical = serde_json::to_value(self).expect("a run spec is plain data").to_string();
        let digest = Sha256::digest(format!("{canonical}\n{data_checksum}"));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The id of the run on a data set with this checksum.
    pub fn id(&self, data_checksum: &str) -> RunId {
        RunId(self.hash(data_checksum)[..16].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> PerceptronRun {
        PerceptronRun {
            data: DataSlice { set: "mnist".into(), train_images: 60_000, test_images: 10_000 },
            a: 3,
            b: 5,
            rule: PerceptronRule::Online,
            learning_rate: 0.1,
            max_iterations: 1000,
            tolerance: 1e-3,
            seed: 1,
        }
    }

    #[test]
    fn the_id_is_stable_between_versions_of_the_program() {
        assert_eq!(RunSpec::Perceptron(run()).id("abc").as_ref(), "9d9efc99d7f9531c");
    }

    #[test]
    fn the_id_changes_with_any_hyperparameter_and_with_the_data() {
        let base = RunSpec::Perceptron(run()).id("abc");
        let changed = [
            RunSpec::Perceptron(PerceptronRun { learning_rate: 0.2, ..run() }).id("abc"),
            RunSpec::Perceptron(PerceptronRun { seed: 2, ..run() }).id("abc"),
            RunSpec::Perceptron(run()).id("abd"),
        ];
        assert!(changed.iter().all(|id| *id != base));
    }
}
