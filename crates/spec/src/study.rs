//! The study: everything a person can ask for in one TOML file, typed, with every hyperparameter written down.

use serde::{Deserialize, Serialize};

use crate::inside::InsideTask;
use crate::multitask::MultitaskTask;
use crate::networks::{CnnTask, MlpTask, check_names};
use crate::parse::{SpecError, fraction, positive, positive_count};
use crate::report::ReportSpec;
use crate::training::TrainingSpec;

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
    /// Task 3: multilayer perceptrons of several depths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mlp: Option<MlpTask>,
    /// Task 4: convolutional networks of several depths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnn: Option<CnnTask>,
    /// Task 5: looking inside a network of task 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<InsideTask>,
    /// Task 6: one network for two tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multitask: Option<MultitaskTask>,
    /// Who hands the report in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportSpec>,
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

/// Pictures that a page can hold and still open quickly.
const PICTURES: usize = 20_000;

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
    /// The first so many training images (all of them where there are fewer) can be explored one by one in the report's
    /// page, which holds their pictures: at most 20,000.
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
    /// Task 3.
    Mlp,
    /// Task 4.
    Cnn,
    /// Task 5.
    Inside,
    /// Task 6.
    Multitask,
}

impl Task {
    /// Every task, in the order of the brief.
    pub const ALL: [Task; 6] =
        [Task::Pca, Task::Perceptron, Task::Mlp, Task::Cnn, Task::Inside, Task::Multitask];

    /// The task's number in the brief.
    pub fn number(self) -> usize {
        self as usize + 1
    }

    /// The task's name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Task::Pca => "pca",
            Task::Perceptron => "perceptron",
            Task::Mlp => "mlp",
            Task::Cnn => "cnn",
            Task::Inside => "inside",
            Task::Multitask => "multitask",
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
        study.check().map_err(|Wrong { path, message, help }| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            SpecError::at_key(file, text, &path, message, help)
        })?;
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
            Task::Inside => self.inside.is_some(),
            Task::Multitask => self.multitask.is_some(),
        };
        Task::ALL.into_iter().filter(asked).collect()
    }

    /// Leaves out every task that is not in `tasks`. Where task 5 stays without task 4, so does the network of task 4 that
    /// it looks into.
    pub fn keep_only(&mut self, tasks: &[Task]) {
        let keep = |task| tasks.contains(&task);
        self.pca = self.pca.take().filter(|_| keep(Task::Pca));
        self.perceptron = self.perceptron.take().filter(|_| keep(Task::Perceptron));
        self.mlp = self.mlp.take().filter(|_| keep(Task::Mlp));
        self.inside = self.inside.take().filter(|_| keep(Task::Inside));
        self.multitask = self.multitask.take().filter(|_| keep(Task::Multitask));
        if let (Some(cnn), false) = (&mut self.cnn, keep(Task::Cnn)) {
            let looked_into = self.inside.as_ref().map(|inside| &inside.network);
            cnn.networks.retain(|network| Some(&network.name) == looked_into);
        }
        self.cnn = self.cnn.take().filter(|cnn| !cnn.networks.is_empty());
    }

    /// What single keys cannot know of each other.
    fn check(&self) -> Result<(), Wrong> {
        if let Some(pca) = &self.pca {
            check_pca(pca)?;
        }
        if let Some(mlp) = &self.mlp {
            check_training("mlp", &mlp.training, &self.data)?;
            let names = mlp.networks.iter().map(|network| network.name.as_str());
            check_networks("mlp", mlp.networks.len(), check_names(names))?;
        }
        if let Some(cnn) = &self.cnn {
            check_training("cnn", &cnn.training, &self.data)?;
            let names = cnn.networks.iter().map(|network| network.name.as_str());
            check_networks("cnn", cnn.networks.len(), check_names(names).and_then(|()| cnn.check_lists()))?;
        }
        if let Some(multitask) = &self.multitask {
            check_training("multitask", &multitask.training, &self.data)?;
            multitask.check().or_else(|(key, message, help)| wrong(&["multitask", key], message, help))?;
        }
        if let Some(inside) = &self.inside {
            check_inside(inside, self.cnn.as_ref())?;
        }
        if let Some(author) = self.report.as_ref().and_then(ReportSpec::nameless) {
            return wrong(
                &["report", "authors", &author.to_string(), "name"],
                "an author has no name".into(),
                "give the name as the title page writes it, or leave the author out".into(),
            );
        }
        Ok(())
    }
}

/// Something wrong: the way to its key, what is wrong, what to do.
struct Wrong {
    path: Vec<String>,
    message: String,
    help: String,
}

fn wrong<T>(path: &[&str], message: String, help: String) -> Result<T, Wrong> {
    Err(Wrong { path: path.iter().map(|&step| step.to_owned()).collect(), message, help })
}

fn check_pca(pca: &PcaSpec) -> Result<(), Wrong> {
    if pca.components < 2 {
        return wrong(
            &["pca", "components"],
            format!("{} component is too few for a plane", pca.components),
            "the scatter plot needs the first two components: expected a whole number of at least 2".into(),
        );
    }
    if pca.reconstructions.is_empty() || !pca.reconstructions.is_sorted_by(|a, b| a < b) {
        return wrong(
            &["pca", "reconstructions"],
            "the numbers of components to rebuild from must rise, and there must be one".into(),
            "expected a list such as [2, 10, 50, 200]".into(),
        );
    }
    if let Some(&most) = pca.reconstructions.last()
        && (most > pca.components || pca.reconstructions[0] == 0)
    {
        return wrong(
            &["pca", "reconstructions"],
            format!("images can be rebuilt from 1 to {} components here", pca.components),
            format!("expected numbers from 1 to {}, the model's `components`", pca.components),
        );
    }
    if pca.pictures > PICTURES {
        return wrong(
            &["pca", "pictures"],
            format!("{} pictures are more than a page can hold and still open quickly", pca.pictures),
            format!("expected a whole number up to {PICTURES}"),
        );
    }
    Ok(())
}

/// A batch must fit in the images that are trained on.
fn check_training(task: &str, training: &TrainingSpec, data: &DataSpec) -> Result<(), Wrong> {
    let held_out = training.validation.as_ref().map_or(0, |validation| validation.images);
    if held_out >= data.train_images {
        return wrong(
            &[task, "training", "validation", "images"],
            format!("{held_out} images held out leave none of {} to train on", data.train_images),
            "hold out fewer, or raise `data.train_images`".into(),
        );
    }
    let images = data.train_images - held_out;
    if training.batch > images {
        return wrong(
            &[task, "training", "batch"],
            format!("a batch of {} is larger than the {images} images to train on", training.batch),
            format!("expected a whole number from 1 to {images}"),
        );
    }
    Ok(())
}

/// Task 5 looks into a network of task 4 that has convolutions, at two classes that differ.
fn check_inside(inside: &InsideTask, cnn: Option<&CnnTask>) -> Result<(), Wrong> {
    let name = &inside.network;
    let networks = cnn.map_or(&[][..], |task| &task.networks);
    let known: Vec<String> = networks.iter().map(|network| format!("`{}`", network.name)).collect();
    let known = known.join(", ");
    match networks.iter().find(|network| network.name == *name) {
        None if cnn.is_none() => {
            return wrong(
                &["inside", "network"],
                "task 5 looks into a network of task 4, and there is no [cnn]".into(),
                "give [cnn] with its networks, or leave [inside] out".into(),
            );
        }
        None => {
            let message = format!("no network of [cnn] is called `{name}`");
            return wrong(&["inside", "network"], message, format!("its networks are {known}"));
        }
        Some(network) if network.filters.is_empty() => {
            let message = format!("the network `{name}` has no convolutions to look at");
            return wrong(&["inside", "network"], message, format!("the networks of [cnn] are {known}"));
        }
        Some(_) => {}
    }
    let [a, b] = inside.classes;
    if a == b {
        let message = format!("class {a} is to be compared with itself");
        return wrong(&["inside", "classes"], message, "expected two classes, such as [2, 9]".into());
    }
    for (key, ascent) in [("dream", &inside.dream), ("amplify", &inside.amplify)] {
        if ascent.frames < 2 || ascent.frames > ascent.steps + 1 {
            let (frames, steps) = (ascent.frames, ascent.steps);
            return wrong(
                &["inside", key, "frames"],
                format!("{frames} pictures cannot be kept of a way of {steps} steps"),
                format!("expected a whole number from 2 to {}", steps + 1),
            );
        }
    }
    Ok(())
}

/// Refuses a task without networks, and says where one of them is wrong.
fn check_networks(
    task: &str,
    count: usize,
    checked: Result<(), (usize, &str, String, String)>,
) -> Result<(), Wrong> {
    if count == 0 {
        return wrong(
            &[task, "networks"],
            "there is no network to train".into(),
            format!("give one as [[{task}.networks]], or leave [{task}] out"),
        );
    }
    checked.or_else(|(number, key, message, help)| {
        wrong(&[task, "networks", &number.to_string(), key], message, help)
    })
}
