//! What single keys of a study cannot know of each other.

use crate::inside::{InsideTask, JUDGE};
use crate::networks::CnnTask;
use crate::report::ReportSpec;
use crate::study::{DataSpec, PcaSpec, Study, Task};
use crate::training::TrainingSpec;

/// Something wrong: the way to its key, what is wrong, what to do.
pub(crate) struct Wrong {
    pub(crate) path: Vec<String>,
    pub(crate) message: String,
    pub(crate) help: String,
}

fn wrong<T>(path: &[&str], message: String, help: String) -> Result<T, Wrong> {
    let steps = path.iter().flat_map(|steps| steps.split('.'));
    Err(Wrong { path: steps.map(str::to_owned).collect(), message, help })
}

/// Pictures that a page can hold and still open quickly.
const PICTURES: usize = 20_000;

impl Study {
    /// # Errors
    /// The first thing wrong.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        if self.tasks().is_empty() {
            let tables = Task::ALL.map(|task| format!("[{}]", task.name())).join(", ");
            return wrong(
                &["data"],
                "the study uses these images for no task".into(),
                format!("give at least one of {tables}; `inkling study --print-spec` shows all of them"),
            );
        }
        self.check_seeds()?;
        self.check_data_sets()?;
        if let Some(pca) = &self.pca {
            check_pca(pca)?;
        }
        if let Some(mlp) = &self.mlp {
            check_training("mlp", &mlp.training, &self.data)?;
            check_networks("mlp", mlp.networks.len(), mlp.check())?;
        }
        if let Some(cnn) = &self.cnn {
            check_training("cnn", &cnn.training, &self.data)?;
            check_networks("cnn", cnn.networks.len(), cnn.check())?;
        }
        if let Some(network) = &self.network {
            if let Some(task) = self.tasks().into_iter().find(|task| !network_goes_with(*task)) {
                return wrong(
                    &["network"],
                    format!("the study trains a network alone, and has the task [{}] too", task.name()),
                    "leave [network] out, or every task but [inside] and [sweep]".into(),
                );
            }
            check_training("network", &network.training, &self.data)?;
            network
                .check()
                .or_else(|(key, message, help)| wrong(&[&format!("network.{key}")], message, help))?;
        }
        if let Some(multitask) = &self.multitask {
            check_training("multitask", &multitask.training, &self.data)?;
            if multitask.training.class_weights.is_some() {
                return wrong(
                    &["multitask.training.class_weights"],
                    "the networks of task 6 tell groups apart too, and classes have weights in one head alone".into(),
                    "leave `class_weights` out".into(),
                );
            }
            multitask.check().or_else(|(key, message, help)| wrong(&["multitask", &key], message, help))?;
        }
        if let Some(inside) = &self.inside {
            match &self.network {
                Some(network) if network.name == inside.network => {}
                Some(network) => {
                    return wrong(
                        &["inside", "network"],
                        format!("the study trains no network called `{}`", inside.network),
                        format!("its network is `{}`", network.name),
                    );
                }
                None => check_looked_into(inside, self.cnn.as_ref())?,
            }
            check_inside(inside)?;
        }
        self.page
            .check(&self.network_names())
            .or_else(|(key, message, help)| wrong(&["page", key], message, help))?;
        if let Some(report) = &self.report {
            check_report(report)?;
        }
        self.check_sweep()
    }
}

/// Seeds of a study at most: a report of more could not show each.
const SEEDS: usize = 100;

impl Study {
    /// One seed, or several that differ.
    fn check_seeds(&self) -> Result<(), Wrong> {
        let help = "give `seed = 1`, or `seeds = [1, 2, 3, 4, 5]` to train every network once with each";
        match (self.seed, self.seeds.as_slice()) {
            (None, []) => return wrong(&["seed"], "the study has no seed".into(), help.into()),
            (Some(_), [_, ..]) => {
                return wrong(
                    &["seeds"],
                    "the study has `seed` and `seeds`".into(),
                    "leave one of the two out".into(),
                );
            }
            _ => {}
        }
        if self.seeds.len() > SEEDS {
            return wrong(&["seeds"], format!("{} seeds", self.seeds.len()), format!("give at most {SEEDS}"));
        }
        let twice = self.seeds.iter().enumerate().find(|(i, seed)| self.seeds[..*i].contains(seed));
        match twice {
            Some((_, seed)) => wrong(
                &["seeds"],
                format!("the seed {seed} is there twice"),
                "each seed trains the same networks to the same weights, so that they must differ".into(),
            ),
            None => Ok(()),
        }
    }
}

fn check_report(report: &ReportSpec) -> Result<(), Wrong> {
    report.check().or_else(|(number, key, message, help)| {
        wrong(&["report", "authors", &number.to_string(), key], message, help)
    })
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

impl Study {
    /// The networks that the study trains, by their tasks and names: "cnn 3 conv".
    fn network_names(&self) -> Vec<String> {
        let named = |task: Task| move |name: String| format!("{} {name}", task.name());
        let mlps = self.mlp.iter().flat_map(|task| &task.networks).map(|network| network.name.clone());
        let cnns = self.cnn.iter().flat_map(|task| &task.networks).map(|network| network.name.clone());
        let own = self.network.iter().map(|task| task.name.clone());
        let judge = self.inside.iter().filter(|inside| inside.judge.is_some()).map(|_| JUDGE.to_owned());
        let seeds = self.all_seeds();
        let multitask = self.multitask.iter().flat_map(|task| task.network_names(&seeds));
        mlps.map(named(Task::Mlp))
            .chain(cnns.map(named(Task::Cnn)))
            .chain(own.map(named(Task::Network)))
            .chain(judge.map(named(Task::Inside)))
            .chain(multitask.map(named(Task::Multitask)))
            .collect()
    }

    /// The names of the sets that tasks use.
    pub fn sets(&self) -> impl Iterator<Item = &str> {
        let first =
            self.pca.iter().map(|task| &task.data).chain(self.perceptron.iter().map(|task| &task.data));
        let trained = self.mlp.iter().map(|task| &task.data).chain(self.cnn.iter().map(|task| &task.data));
        let all = first
            .chain(trained)
            .chain(self.network.iter().map(|task| &task.data))
            .chain(self.multitask.iter().map(|task| &task.data));
        all.map(String::as_str)
    }

    fn check_data_sets(&self) -> Result<(), Wrong> {
        for (i, set) in self.data_set.iter().enumerate() {
            let at = |key: &str| format!("data_set.{i}.{key}");
            let name = &set.name;
            let plain = |letter: char| letter.is_alphanumeric() || [' ', '-', '_'].contains(&letter);
            if name.trim().is_empty() || !name.chars().all(plain) {
                return wrong(
                    &[&at("name")],
                    format!("`{name}` is no name for a data set"),
                    "a name has letters, digits, spaces, - and _, such as `leaves`".into(),
                );
            }
            if self.data_set[..i].iter().any(|other| other.name == *name) {
                return wrong(
                    &[&at("name")],
                    format!("there are two data sets of the name `{name}`"),
                    "give each a name of its own".into(),
                );
            }
            if set.channels == Some(2) {
                return wrong(
                    &[&at("channels")],
                    "images have 1 channel or 3".into(),
                    "1 is grey, 3 is colour".into(),
                );
            }
            if !self.sets().any(|used| used == name) {
                return wrong(
                    &[&at("name")],
                    format!("no task uses the data set `{name}`"),
                    format!("write `data = \"{name}\"` in a task, or leave the data set out"),
                );
            }
        }
        Ok(())
    }
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
            "the numbers of components to reconstruct from must be strictly increasing, and there must be at least one".into(),
            "expected a list such as [2, 10, 50, 200]".into(),
        );
    }
    if let Some(&most) = pca.reconstructions.last()
        && (most > pca.components || pca.reconstructions[0] == 0)
    {
        return wrong(
            &["pca", "reconstructions"],
            format!("images can be reconstructed from 1 to {} components here", pca.components),
            format!("expected numbers from 1 to {}, the model's `components`", pca.components),
        );
    }
    if pca.pictures > PICTURES {
        return wrong(
            &["pca", "pictures"],
            format!("with {} pictures, the page would open too slowly", pca.pictures),
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
            format!(
                "{held_out} held-out images leave none of the {} training images to train on",
                data.train_images
            ),
            "hold out fewer, or raise `data.train_images`".into(),
        );
    }
    if let Some(validation) = training.validation.as_ref().filter(|held| held.own == (held.images > 0)) {
        let (message, help) = match validation.own {
            true => (
                "the data set's own validation images are used, and others are held out",
                "leave one of the two out",
            ),
            false => {
                ("there are no validation images", "give a number of `images` to hold out, or `own = true`")
            }
        };
        return wrong(&[task, "training", "validation"], message.into(), help.into());
    }
    let images = data.train_images - held_out;
    if training.batch_size > images {
        return wrong(
            &[task, "training", "batch_size"],
            match images {
                1 => format!("a batch of {} is more than the one image to train on", training.batch_size),
                _ => format!(
                    "a batch of {} is larger than the {images} images to train on",
                    training.batch_size
                ),
            },
            match images {
                1 => "expected 1, or more images (`data.train_images`)".into(),
                _ => format!(
                    "expected a whole number from 1 to {images}, or more images (`data.train_images`)"
                ),
            },
        );
    }
    Ok(())
}

/// Whether a study that trains a network alone may have this task.
fn network_goes_with(task: Task) -> bool {
    matches!(task, Task::Network | Task::Inside | Task::Sweep)
}

/// Task 5 looks into a network of task 4 that has convolutions.
fn check_looked_into(inside: &InsideTask, cnn: Option<&CnnTask>) -> Result<(), Wrong> {
    let name = &inside.network;
    let networks = cnn.map_or(&[][..], |task| &task.networks);
    let known: Vec<String> = networks.iter().map(|network| format!("`{}`", network.name)).collect();
    let known = known.join(", ");
    match networks.iter().find(|network| network.name == *name) {
        None if cnn.is_none() => wrong(
            &["inside", "network"],
            "task 5 looks inside a network of task 4, but there is no [cnn]".into(),
            "give [cnn] with its networks, or leave [inside] out".into(),
        ),
        None => {
            let message = format!("no network of [cnn] is called `{name}`");
            wrong(&["inside", "network"], message, format!("its networks are {known}"))
        }
        Some(network) if network.filters.is_empty() => {
            let message = format!("the network `{name}` has no convolutions");
            wrong(&["inside", "network"], message, format!("the networks of [cnn] are {known}"))
        }
        Some(_) => Ok(()),
    }
}

/// The look inside compares two classes and two images that differ, and keeps frames that there are.
fn check_inside(inside: &InsideTask) -> Result<(), Wrong> {
    let [a, b] = inside.classes;
    if a == b {
        let message = format!("class {a} is to be compared with itself");
        return wrong(&["inside", "classes"], message, "expected two classes, such as [2, 9]".into());
    }
    if let Some([a, b]) = inside.images
        && a == b
    {
        let message = format!("the test image {a} is to be compared with itself");
        return wrong(&["inside", "images"], message, "expected two test images, such as [0, 7]".into());
    }
    for (key, ascent) in [("dream", &inside.dream), ("amplify", &inside.amplify)] {
        if ascent.frames < 2 || ascent.frames > ascent.steps + 1 {
            let (frames, steps) = (ascent.frames, ascent.steps);
            return wrong(
                &["inside", key, "frames"],
                format!("cannot keep {frames} frames of an ascent of {steps} steps"),
                format!("expected a whole number from 2 to {}", steps + 1),
            );
        }
    }
    Ok(())
}
