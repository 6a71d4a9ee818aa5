//! The study: everything a person can ask for in one TOML file, typed, with every hyperparameter written down.

use serde::{Deserialize, Serialize};

use crate::parse::{SpecError, fraction, positive, positive_count};

/// A whole study: the data it uses and the tasks it performs. A task whose table is absent is not performed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// The seed from which every random stream of the study is derived.
    pub seed: u64,
    /// How much of each data set is used.
    pub data: DataSpec,
    /// Task 1: principal component analysis and linear separability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pca: Option<PcaSpec>,
    /// Task 2: a perceptron for every pair of classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perceptron: Option<PerceptronSpec>,
}

/// How much of each data set a study uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// The first so many training images of a set (all of them where the set is smaller).
    #[serde(deserialize_with = "positive_count")]
    pub train_images: usize,
    /// The first so many test images of a set (all of them where the set is smaller).
    #[serde(deserialize_with = "positive_count")]
    pub test_images: usize,
}

/// Task 1: PCA of the training images, with pixels scaled to x/127.5 − 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PcaSpec {
    /// Name of the data set in the catalogue.
    pub data: String,
    /// Components that the fitted model keeps.
    #[serde(deserialize_with = "positive_count")]
    pub components: usize,
    /// Numbers of components from which some images are rebuilt, in rising order.
    pub reconstructions: Vec<usize>,
    /// The search for separating lines and hyperplanes between every two classes.
    pub separability: SeparabilitySpec,
}

/// How hard to look for a line or hyperplane that separates two classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeparabilitySpec {
    /// Directions tried in the plane of the first two components before the best is refined; each gets its best
    /// threshold exactly.
    #[serde(deserialize_with = "positive_count")]
    pub directions: usize,
    /// Passes over a pair's training images after which the search for a separating hyperplane is given up.
    #[serde(deserialize_with = "positive_count")]
    pub max_passes: usize,
}

/// Task 2: single-layer perceptrons on every pair of classes, labels −1 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerceptronSpec {
    /// Name of the data set in the catalogue.
    pub data: String,
    /// The optimise function.
    pub rule: PerceptronRule,
    /// Step size of an update.
    #[serde(deserialize_with = "positive")]
    pub learning_rate: f64,
    /// Passes over the training pairs after which training stops.
    #[serde(deserialize_with = "positive_count")]
    pub max_iterations: usize,
    /// Training stops once the share of misclassified training images is no more than this.
    #[serde(deserialize_with = "fraction")]
    pub tolerance: f64,
}

/// An optimise function for the perceptron.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PerceptronRule {
    /// Rosenblatt (1958): correct the weights after every misclassified image.
    Online,
    /// One correction a pass, the mean over all misclassified images.
    Batch,
    /// Freund and Schapire (1999): the online rule, predicting with the mean of all weights it went through.
    Averaged,
    /// Gallant (1990): the online rule, keeping the weights of the pass with the fewest errors so far.
    Pocket,
}

/// A task of the study, as `--only` and `summary.json` name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Task 1.
    Pca,
    /// Task 2.
    Perceptron,
}

impl Task {
    /// Every task, in the order of the brief.
    pub const ALL: [Task; 2] = [Task::Pca, Task::Perceptron];

    /// The task's name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Task::Pca => "pca",
            Task::Perceptron => "perceptron",
        }
    }
}

impl Study {
    /// Reads a study from TOML text; `file` is the name that errors show.
    ///
    /// # Errors
    /// The first thing wrong, with line, key, what was expected and the nearest valid key.
    pub fn from_toml(file: &str, text: &str) -> Result<Study, SpecError> {
        let study: Study = crate::parse::from_toml(file, text)?;
        study.check().map_err(|(path, message, help)| SpecError::at_key(file, text, path, message, help))?;
        Ok(study)
    }

    /// The study as TOML, every key written down; reading it back gives the same study.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a study is made of tables, numbers and strings")
    }

    /// The tasks that the study performs, in the order of the brief.
    pub fn tasks(&self) -> Vec<Task> {
        let asked = |task: &Task| match task {
            Task::Pca => self.pca.is_some(),
            Task::Perceptron => self.perceptron.is_some(),
        };
        Task::ALL.into_iter().filter(asked).collect()
    }

    /// Leaves out every task that is not in `tasks`.
    pub fn keep_only(&mut self, tasks: &[Task]) {
        if !tasks.contains(&Task::Pca) {
            self.pca = None;
        }
        if !tasks.contains(&Task::Perceptron) {
            self.perceptron = None;
        }
    }

    /// What single keys cannot know of each other: (key, what is wrong, what to do).
    fn check(&self) -> Result<(), (&'static [&'static str], String, String)> {
        let Some(pca) = &self.pca else { return Ok(()) };
        if pca.components < 2 {
            return Err((
                &["pca", "components"],
                format!("{} component is too few for a plane", pca.components),
                "the scatter plot needs the first two components: expected a whole number of at least 2"
                    .into(),
            ));
        }
        if pca.reconstructions.is_empty() || !pca.reconstructions.is_sorted_by(|a, b| a < b) {
            return Err((
                &["pca", "reconstructions"],
                "the numbers of components to rebuild from must rise, and there must be one".into(),
                "expected a list such as [2, 10, 50, 200]".into(),
            ));
        }
        if let Some(&most) = pca.reconstructions.last()
            && (most > pca.components || pca.reconstructions[0] == 0)
        {
            return Err((
                &["pca", "reconstructions"],
                format!("images can be rebuilt from 1 to {} components here", pca.components),
                format!("expected numbers from 1 to {}, the model's `components`", pca.components),
            ));
        }
        Ok(())
    }
}
