//! The study: everything a person can ask for in one TOML file, typed, with every hyperparameter written down.

use serde::{Deserialize, Serialize};

use crate::inside::InsideTask;
use crate::multitask::MultitaskTask;
use crate::networks::{CnnTask, MlpTask};
use crate::numbers::{any_count, count, counts, directions, positive, seeds, share, some_seed};
use crate::own::DataSetSpec;
use crate::own_network::NetworkTask;
use crate::page::PageSpec;
use crate::parse::SpecError;
use crate::report::ReportSpec;
use crate::sweep::SweepSpec;

/// A whole study: the data it uses and the tasks it performs. A task whose table is absent is not performed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// The seed from which every random stream of the study is derived; not given where `seeds` are.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "some_seed")]
    pub seed: Option<u64>,
    /// Several seeds: every network of tasks 3, 4 and 6, or of a person's own, is trained once with each. The report shows in
    /// detail what the first one gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "seeds")]
    pub seeds: Vec<u64>,
    /// How much of each data set is used.
    pub data: DataSpec,
    /// Data sets of a person's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_set: Vec<DataSetSpec>,
    /// Task 1: principal component analysis and linear separability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pca: Option<PcaSpec>,
    /// Task 2: a perceptron for every pair of classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perceptron: Option<PerceptronSpec>,
    /// Task 3: multilayer perceptrons of several depths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mlp: Option<MlpTask>,
    /// Task 4: convolutional networks of several depths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnn: Option<CnnTask>,
    /// A network of a person's own, in the place of the tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkTask>,
    /// Task 5: looking inside a network of task 4, or inside one of a person's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<InsideTask>,
    /// Task 6: one network for two tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multitask: Option<MultitaskTask>,
    /// One network of these tasks with several values of some keys, compared on its validation images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepSpec>,
    /// What the laboratory in the report's page has.
    #[serde(default)]
    pub page: PageSpec,
    /// Who hands the report in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportSpec>,
}

/// How much of each data set a study uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// The first so many training images of a set (all of them where the set is smaller).
    #[serde(deserialize_with = "count")]
    pub train_images: usize,
    /// The first so many test images of a set (all of them where the set is smaller).
    #[serde(deserialize_with = "count")]
    pub test_images: usize,
}

/// Task 1: PCA of the training images, with pixels scaled to x/127.5 − 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PcaSpec {
    /// Name of the data set in the catalogue.
    pub data: String,
    /// Components that the fitted model keeps.
    #[serde(deserialize_with = "count")]
    pub components: usize,
    /// Numbers of components from which some images are rebuilt, in rising order.
    #[serde(deserialize_with = "counts")]
    pub reconstructions: Vec<usize>,
    /// The first so many training images (all of them where there are fewer) can be explored one by one in the report's
    /// page, which holds their pictures: at most 20,000.
    #[serde(deserialize_with = "any_count")]
    pub pictures: usize,
    /// The search for separating lines and hyperplanes between every two classes.
    pub separability: SeparabilitySpec,
}

/// How hard to look for a line or hyperplane that separates two classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeparabilitySpec {
    /// Directions tried in the plane of the first two components before the best is refined; each gets its best
    /// threshold exactly.
    #[serde(deserialize_with = "directions")]
    pub directions: usize,
    /// Passes over a pair's training images after which the search for a separating hyperplane is given up.
    #[serde(deserialize_with = "count")]
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
    #[serde(deserialize_with = "count")]
    pub max_iterations: usize,
    /// Training stops once the share of misclassified training images is no more than this.
    #[serde(deserialize_with = "share")]
    pub tolerance: f64,
    /// Whether every seed of the study trains its perceptrons, and not the first alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_seeds: bool,
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
    /// Task 3.
    Mlp,
    /// Task 4.
    Cnn,
    /// A network of a person's own, which the brief does not ask for.
    Network,
    /// Task 5.
    Inside,
    /// Task 6.
    Multitask,
    /// A sweep over values of hyperparameters, which the brief does not ask for.
    Sweep,
}

impl Task {
    /// Every task, in the order of the brief; a network of a person's own stands before the look inside, and a sweep at the end.
    pub const ALL: [Task; 8] = [
        Task::Pca,
        Task::Perceptron,
        Task::Mlp,
        Task::Cnn,
        Task::Network,
        Task::Inside,
        Task::Multitask,
        Task::Sweep,
    ];

    /// The task's number in the brief, if it is one of its tasks.
    pub fn number(self) -> Option<usize> {
        match self {
            Task::Pca => Some(1),
            Task::Perceptron => Some(2),
            Task::Mlp => Some(3),
            Task::Cnn => Some(4),
            Task::Network => None,
            Task::Inside => Some(5),
            Task::Multitask => Some(6),
            Task::Sweep => None,
        }
    }

    /// The task's name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Task::Pca => "pca",
            Task::Perceptron => "perceptron",
            Task::Mlp => "mlp",
            Task::Cnn => "cnn",
            Task::Network => "network",
            Task::Inside => "inside",
            Task::Multitask => "multitask",
            Task::Sweep => "sweep",
        }
    }
}

impl Study {
    /// Reads a study from TOML text; `file` is the name that errors show.
    ///
    /// # Errors
    /// The first thing wrong, with line, key, what was expected and the nearest valid key.
    pub fn from_toml(file: &str, text: &str) -> Result<Study, SpecError> {
        let mut study: Study = crate::parse::from_toml(file, text)?;
        study.take_groups();
        study
            .check()
            .map_err(|wrong| SpecError::at_key(file, text, &wrong.path, &wrong.message, wrong.help))?;
        study.name_swept_network();
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
            Task::Mlp => self.mlp.is_some(),
            Task::Cnn => self.cnn.is_some(),
            Task::Network => self.network.is_some(),
            Task::Inside => self.inside.is_some(),
            Task::Multitask => self.multitask.is_some(),
            Task::Sweep => self.sweep.is_some(),
        };
        Task::ALL.into_iter().filter(asked).collect()
    }

    /// The seeds of the study, the one that is shown in detail first.
    pub fn all_seeds(&self) -> Vec<u64> {
        self.seed.into_iter().chain(self.seeds.iter().copied()).collect()
    }

    /// The first seed of the study.
    ///
    /// # Panics
    /// If it has none, which no study has that was read.
    pub fn first_seed(&self) -> u64 {
        *self.all_seeds().first().expect("a study is checked when it is read")
    }

    /// Gives the study other seeds; the judge of task 5 stays independent of the network that it judges.
    pub fn set_seeds(&mut self, seeds: &[u64]) {
        match seeds {
            [seed] => (self.seed, self.seeds) = (Some(*seed), Vec::new()),
            several => (self.seed, self.seeds) = (None, several.to_vec()),
        }
        if let (Some(judge), Some(&first)) =
            (self.inside.as_mut().and_then(|inside| inside.judge.as_mut()), seeds.first())
        {
            judge.seed = judge.seed_beside(first);
        }
    }

    /// Gives task 6 the groups of its data set, where it has none of its own.
    fn take_groups(&mut self) {
        if let Some(task) = self.multitask.as_mut().filter(|task| task.groups.is_empty())
            && let Some(set) = self.data_set.iter().find(|set| set.name == task.data)
        {
            task.groups.clone_from(&set.groups);
        }
    }

    /// Leaves out the data sets that no task uses.
    pub(crate) fn keep_used_sets(&mut self) {
        let used: Vec<String> = self.sets().map(str::to_owned).collect();
        self.data_set.retain(|set| used.contains(&set.name));
    }

    /// Leaves out every task that is not in `tasks`. Where task 5 stays without the network that it looks into, so does
    /// that network; and where a sweep stays without the network that it trains, so does that one.
    pub fn keep_only(&mut self, tasks: &[Task]) {
        let keep = |task| tasks.contains(&task);
        let swept = if keep(Task::Sweep) { self.swept() } else { None };
        let of_sweep = |task| swept.as_ref().filter(|(of, _)| *of == task).map(|(_, name)| name);
        self.sweep = self.sweep.take().filter(|_| keep(Task::Sweep));
        self.pca = self.pca.take().filter(|_| keep(Task::Pca));
        self.perceptron = self.perceptron.take().filter(|_| keep(Task::Perceptron));
        if let (Some(mlp), false) = (&mut self.mlp, keep(Task::Mlp)) {
            mlp.networks.retain(|network| Some(&network.name) == of_sweep(Task::Mlp));
        }
        self.mlp = self.mlp.take().filter(|mlp| !mlp.networks.is_empty());
        self.inside = self.inside.take().filter(|_| keep(Task::Inside));
        let needs_network = self.inside.is_some() || of_sweep(Task::Network).is_some();
        self.network = self.network.take().filter(|_| keep(Task::Network) || needs_network);
        let needs_heads = of_sweep(Task::Multitask).is_some();
        self.multitask = self.multitask.take().filter(|_| keep(Task::Multitask) || needs_heads);
        if let (Some(cnn), false) = (&mut self.cnn, keep(Task::Cnn)) {
            let looked_into = self.inside.as_ref().map(|inside| &inside.network);
            let is_needed = |name: &String| [looked_into, of_sweep(Task::Cnn)].contains(&Some(name));
            cnn.networks.retain(|network| is_needed(&network.name));
        }
        self.cnn = self.cnn.take().filter(|cnn| !cnn.networks.is_empty());
        self.keep_used_sets();
    }
}
