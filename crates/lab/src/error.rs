//! What can go wrong in a study.

use std::path::PathBuf;

use inkling_data::DataError;
use inkling_data::import::ImportError;
use inkling_engine::pca::PcaError;
use inkling_schema::outcome::PlannedRun;
use inkling_schema::{ModelError, SettingError, quoted_path};
use inkling_store::StoreError;
use miette::Diagnostic;
use thiserror::Error;

use crate::inside::error::LookError;

/// Why a study ended before its end.
#[derive(Debug, Error, Diagnostic)]
pub enum LabError {
    /// The data could not be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Data(DataError),

    /// A person's own data could not be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Import(#[from] ImportError),

    /// The output folder could not be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),

    /// The sweep does not fit the study.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Setting(#[from] SettingError),

    /// The principal components cannot be computed as asked.
    #[error("task 1 cannot be done: {0}")]
    #[diagnostic(help("{}", match .0 {
        PcaError::TooManyComponents { features, .. } => format!("`pca.components` is at most {features}, the number of pixels of an image"),
        PcaError::TooFewSamples { .. } => "raise `data.train_images`".to_owned(),
        PcaError::NoConvergence => "change `pca.components` or `data.train_images`".to_owned(),
        PcaError::NoVariance => "use more images (`data.train_images`), or another set".to_owned(),
    }))]
    Pca(#[from] PcaError),

    /// A class of the set is not among the images used.
    #[error("the first {images} {part} images of {title} hold no image of class {class}")]
    #[diagnostic(help("raise `data.{part}_images` in the study: every pair of classes is compared"))]
    MissingClass {
        /// The class.
        class: String,
        /// "train" or "test".
        part: &'static str,
        /// The images used.
        images: usize,
        /// The set's title.
        title: String,
    },

    /// A network of the study cannot be built.
    #[error("the network `{network}` of task {task} cannot be built: {problem}")]
    #[diagnostic(help("{}", network_help(.problem, .task)))]
    Network {
        /// The task, as the study names it.
        task: &'static str,
        /// The network's name.
        network: String,
        /// Its first layer that does not fit, and why.
        problem: Box<ModelError>,
    },

    /// A network that was written down for other images than there are.
    #[error("the network `{network}` does not fit {title}: {problem}")]
    #[diagnostic(help(
        "leave `input`, and `units` in the last layer of the head, out of the network's file: they are then taken from the \
         data; or prepare the images in the size that the network takes (`size` and `channels`)"
    ))]
    OtherShape {
        /// The network's name.
        network: String,
        /// What does not fit.
        problem: String,
        /// The set's title.
        title: String,
    },

    /// The heads of a network, their labels and their weights do not belong together.
    #[error("the network `{network}` cannot be trained: {problem}")]
    #[diagnostic(help("each head takes one label for each image, and one weight"))]
    Labels {
        /// The network's name.
        network: String,
        /// What does not belong together.
        problem: String,
    },

    /// The groups of task 6 are not groups of the set's classes.
    #[error("the groups of task multitask do not fit {title}'s classes: {problem}")]
    #[diagnostic(help("in `multitask.groups`, each class is in one group; the classes are {known}"))]
    Groups {
        /// The set's title.
        title: String,
        /// What is wrong.
        problem: String,
        /// Numbers and names of the set's classes.
        known: String,
    },

    /// There are not enough images to train on.
    #[error(
        "`{task}.training.{key}` is {asked}, but there are only {there} training images of {title}{after}"
    )]
    #[diagnostic(help("use a smaller number"))]
    TooFewImages {
        /// The task, as the study names it.
        task: &'static str,
        /// The key that asks for too many: "batch_size" or "validation.images".
        key: &'static str,
        /// What it asks for.
        asked: usize,
        /// Images that there are.
        there: usize,
        /// The set's title.
        title: String,
        /// What has been taken off, if anything.
        after: &'static str,
    },

    /// Going on would mix results of instructions that end with other bits.
    #[error(
        "{run} computed with {theirs} instructions, and this would continue with {ours}, whose last digits differ"
    )]
    #[diagnostic(help(
        "to continue with the same instructions, give the same command with `--cpu {theirs}`. With `--mixed`, \
         finished runs are kept and unfinished ones start again with {ours}. Or choose another folder with `--out`"
    ))]
    OtherInstructions {
        /// The run that was computed so, with its verb: "cnn 3 conv was".
        run: String,
        /// The instructions that it was computed with.
        theirs: String,
        /// The instructions that the rest would be computed with.
        ours: &'static str,
    },

    /// Some tasks of a study are to be done in the folder of another study.
    #[error("only {tasks} would be run again, but this folder holds a study with {differs}")]
    #[diagnostic(help(
        "its other tasks would have to leave the report. To run them here, name them with `--only` too, or leave it out \
         (finished runs are kept); or choose another folder with `--out`"
    ))]
    OtherStudy {
        /// The tasks that were asked for.
        tasks: String,
        /// What differs: "another seed", say.
        differs: String,
    },

    /// No study was planned in a folder whose runs are to be done.
    #[error("no study is planned in `{}`", .folder.display())]
    #[diagnostic(help("plan one there: `inkling plan brief --out {}`, or another preset or study file", quoted_path(.folder)))]
    NotPlanned {
        /// The folder.
        folder: PathBuf,
    },

    /// The runs of a folder were planned by another version of the program.
    #[error(
        "the study in `{}` was planned by version {theirs} of the program, and this is version {}",
        .folder.display(), env!("CARGO_PKG_VERSION")
    )]
    #[diagnostic(help(
        "give `inkling plan` the same study and folder again with this version, on every machine: finished runs are kept where \
         they are still the same. Or do the rest with version {theirs}"
    ))]
    OtherVersion {
        /// The folder.
        folder: PathBuf,
        /// The version that planned it.
        theirs: String,
    },

    /// A run needs others that are not finished.
    #[error("{run} cannot be done yet: it needs {on}")]
    #[diagnostic(help(
        "try again when that is finished; `inkling status` with the folder shows how the runs stand"
    ))]
    NotReady {
        /// The run.
        run: String,
        /// The runs that it needs, with their ids.
        on: String,
    },

    /// A run needs others that have failed.
    #[error("{run} cannot be done: it needs {by}, and that has failed")]
    #[diagnostic(help(
        "`inkling status` with the folder shows why. Once the cause is gone, do that run again by its id"
    ))]
    Blocked {
        /// The run.
        run: String,
        /// The runs that failed, with their ids.
        by: String,
    },

    /// This machine has other images than the study was planned with.
    #[error(
        "{title} is another data set here (checksum {found}) than the study was planned with ({expected})"
    )]
    #[diagnostic(help(
        "give this machine the same files (`inkling data verify` compares known sets with their published checksums), or plan \
         the study again with those that are here"
    ))]
    OtherData {
        /// The set's title.
        title: String,
        /// The checksum of what is here.
        found: String,
        /// That of the plan.
        expected: String,
    },

    /// Two networks of a task that are one and the same run.
    #[error(
        "`{one}` and `{other}` of task {task} are the same network, trained in the same way from the same seed"
    )]
    #[diagnostic(help(
        "leave one of them out, or make them differ: there is nothing to compare between two names of the same thing"
    ))]
    SameRun {
        /// The task, as the study names it.
        task: &'static str,
        /// The first one's name.
        one: String,
        /// The other's.
        other: String,
    },

    /// A network that is too large for this machine.
    #[error(
        "training the network `{network}` of task {task} takes {} of memory, but this machine has {}",
        gibibytes(*.needed), gibibytes(*.memory)
    )]
    #[diagnostic(help(
        "use fewer units or filters, or a smaller batch; `inkling model` shows what each layer takes"
    ))]
    Memory {
        /// The task, as the study names it.
        task: &'static str,
        /// The network's name.
        network: String,
        /// Bytes that it takes.
        needed: u64,
        /// Bytes that there are.
        memory: u64,
    },

    /// A trained network cannot be looked into as asked.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Look(#[from] LookError),

    /// The observer asked for the end. What is finished is kept.
    #[error("interrupted")]
    Interrupted,
}

impl From<DataError> for LabError {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Interrupted => LabError::Interrupted,
            other => LabError::Data(other),
        }
    }
}

impl LabError {
    /// The error for a run's network that cannot be built.
    pub(crate) fn network(run: &PlannedRun, problem: ModelError) -> Self {
        let (task, network, problem) = (run.task.name(), run.title.clone(), Box::new(problem));
        LabError::Network { task, network, problem }
    }
}

/// Bytes in words, to a tenth: "1.5 GiB".
fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

/// What the network's own error advises, and where.
fn network_help(problem: &ModelError, task: &str) -> String {
    let advice = problem.help().map(|help| help.to_string()).unwrap_or_default();
    match task {
        "multitask" => format!("in `multitask.network`: {advice}"),
        "network" => {
            format!("take another network or images of another size, or change its layers: {advice}")
        }
        _ => format!("in [[{task}.networks]]: {advice}"),
    }
}
