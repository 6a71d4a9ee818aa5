//! From errors to exit codes.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use inkling_data::DataError;
use inkling_data::import::ImportError;
use inkling_lab::{LabError, LookError};
use inkling_report::ReportError;
use inkling_schema::{ModelError, SettingError, SpecError, TextError, quoted_path};
use inkling_store::{ErrorClass, StoreError};
use miette::{Diagnostic, Report};
use thiserror::Error;

use crate::fault::Fault;
use crate::interrupt;

/// Wrong usage of the command line (clap's own code too).
pub(crate) const USAGE: u8 = 2;
/// Data that is not what it should be.
pub(crate) const BAD_DATA: u8 = 65;
/// A fault of the program itself.
pub(crate) const FAULT: u8 = 70;
/// The output cannot be written.
pub(crate) const CANNOT_WRITE: u8 = 73;
/// Something could not be read, or results could not be written to standard output.
pub(crate) const INPUT_OUTPUT: u8 = 74;
/// Another process does it, or has to do something else first.
pub(crate) const TRY_AGAIN: u8 = 75;
/// A study that asks for what cannot be.
const BAD_CONFIGURATION: u8 = 78;
/// The terminal was closed (SIGHUP).
pub(crate) const HUNG_UP: u8 = 129;
/// Interrupted by the person (SIGINT).
pub(crate) const INTERRUPTED: u8 = 130;
/// Ended by another program or the system (SIGTERM).
pub(crate) const TERMINATED: u8 = 143;

/// Every code that the program ends with, and what it means. The help's list is made from it.
pub(crate) const CODES: [(u8, &str); 11] = [
    (0, "done"),
    (USAGE, "wrong usage"),
    (BAD_DATA, "bad data, or a folder without a finished study"),
    (FAULT, "an internal error of Inkling"),
    (CANNOT_WRITE, "cannot write"),
    (INPUT_OUTPUT, "cannot read, or cannot print the results"),
    (TRY_AGAIN, "a run that is not done yet, but can be later: give the command again"),
    (BAD_CONFIGURATION, "bad study or network file"),
    (HUNG_UP, "the terminal was closed"),
    (INTERRUPTED, "interrupted"),
    (TERMINATED, "terminated; after each of these three, the same command continues"),
];

/// An error on its way to the person, with the exit code that scripts see.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) report: Report,
    pub(crate) code: u8,
    /// What to send to the people who maintain the program, where the fault is theirs.
    pub(crate) fault: Option<Fault>,
}

impl Failure {
    pub(crate) fn new(error: impl Diagnostic + Send + Sync + 'static, code: u8) -> Self {
        Failure { report: Report::new(error), code, fault: None }
    }
}

/// Errors of the command line itself.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum UsageError {
    #[error("`{name}` is neither a preset nor a study file")]
    #[diagnostic(help("{}", match .nearest {
        Some(near) => format!("did you mean `{near}`? The presets are {presets}; a study file ends in .toml"),
        None => format!("the presets are {presets}; a study file ends in .toml"),
    }))]
    UnknownPreset { name: String, nearest: Option<&'static str>, presets: String },

    #[error("the study file `{}` cannot be read", .path.display())]
    #[diagnostic(help("{}", unreadable_help(.source, &format!("inkling study --print-spec > {}", quoted_path(.path)))))]
    StudyFile { path: PathBuf, source: io::Error },

    #[error("`{name}` is neither a built-in network nor a network file")]
    #[diagnostic(help("the networks are {known}; a network file ends in .toml"))]
    UnknownModel { name: String, known: String },

    #[error("the network file `{}` cannot be read", .path.display())]
    #[diagnostic(help("{}", unreadable_help(.source, &format!("inkling model cnn --toml > {}", quoted_path(.path)))))]
    ModelFile { path: PathBuf, source: io::Error },

    #[error("the file `{}` is {kind}, not a text file", .path.display())]
    #[diagnostic(help(
        "study files and network files are TOML: `inkling study --print-spec` and `inkling model cnn --toml` print examples"
    ))]
    AnotherKind { path: PathBuf, kind: &'static str },

    #[error("the file `{}` cannot be read as text: {source}", .path.display())]
    #[diagnostic(help("{}", .source.help().map(|help| help.to_string()).unwrap_or_default()))]
    NotText { path: PathBuf, source: TextError },

    #[error(
        "--batch is the batch size of a training step, and none of the operations to time trains a network"
    )]
    #[diagnostic(help("leave it out, or name a network: mlp, cnn, single or mtl"))]
    NoBatches,

    #[error("the study has none of the tasks that --only names")]
    #[diagnostic(help("its tasks are: {tasks}"))]
    NothingToDo { tasks: String },

    #[error("the report cannot print {what} `{text}`: no font has {characters}")]
    #[diagnostic(help(
        "install a font that has these characters (all fonts in the system's folders are searched), or write the text \
         without them"
    ))]
    Unprintable { what: &'static str, text: String, characters: String },

    #[error("`{word}` is neither a data set that the program knows nor a file or folder of images")]
    #[diagnostic(help(
        "the sets are {known}; `inkling help data describe` says what images of your own may be"
    ))]
    UnknownImages { word: String, known: String },

    #[error("`{}` holds the study {preset}, whose results would leave its report", .path.display())]
    #[diagnostic(help("choose another folder with --out"))]
    HoldsStudy { path: PathBuf, preset: String },

    #[error("`{}` holds no training of `inkling train`", .path.display())]
    #[diagnostic(help("name the folder that was given to it with --out (`model` where none was)"))]
    NoTraining { path: PathBuf },

    #[error("--patience needs validation images, and none are held out")]
    #[diagnostic(help("give --validation a larger share, such as 0.1, or leave --patience out"))]
    NoValidation,

    #[error("the study has {runs} runs, numbered from 0, and so none of the number {index}")]
    #[diagnostic(help("`inkling plan` and `inkling status --json` list the runs with their numbers"))]
    NoSuchIndex { index: usize, runs: usize },

    #[error("the study in `{}` has no run {id}", .folder.display())]
    #[diagnostic(help("`inkling status --json {}` lists its runs", quoted_path(.folder)))]
    NoSuchRun { id: String, folder: PathBuf },

    #[error("{runs} of the runs failed, or need runs that failed; all others are done")]
    #[diagnostic(help("`inkling status {folder}` shows why; a run that is named by its id is tried again"))]
    RunsFailed { runs: usize, folder: String },

    #[error("nothing can be done now: {runs} of the runs are being done by other processes, or need those")]
    #[diagnostic(help("try again later; `inkling status {folder}` shows how the runs stand"))]
    RunsByOthers { runs: usize, folder: String },

    #[error("this host has no `sbatch`, with which jobs are submitted to Slurm")]
    #[diagnostic(help(
        "give the command on a host from which jobs are submitted, or install Slurm's commands (Debian and Ubuntu: apt-get install \
         slurm-client). Without Slurm, plan the study (`inkling plan brief --out shared`) and give each machine \
         `inkling run --out shared --all`; docs/machines.md has recipes for GNU parallel, HyperQueue and Kubernetes"
    ))]
    NoSlurm,

    #[error("`sbatch` did not take a job: {said}")]
    #[diagnostic(help("{}", match .earlier.is_empty() {
        true => "partition, account and the like are set in the table [slurm] of slurm.toml; `inkling help study` lists its keys".to_owned(),
        false => format!(
            "jobs that were submitted before it are in the queue; to cancel them, before you give the command again:\n    scancel {}",
            .earlier.join(" ")
        ),
    }))]
    Sbatch { said: String, earlier: Vec<String> },

    #[error("the settings file `{}` cannot be read", .path.display())]
    #[diagnostic(help("it is a TOML file with the table [slurm]; `inkling help study` lists its keys"))]
    SlurmFile { path: PathBuf, source: io::Error },

    #[error("interrupted")]
    #[diagnostic(help("{}\n    {again}", match .goes_on {
        true => "finished work is kept; to continue from there:",
        false => "to start it again:",
    }))]
    Interrupted { again: String, goes_on: bool },

    #[error("the threads could not be started")]
    #[diagnostic(help("try a smaller number with --threads"))]
    Threads { source: rayon::ThreadPoolBuildError },

    #[error(
        "the environment variable {variable} asks for {asked} threads; on this machine, at most {most} are started"
    )]
    #[diagnostic(help("unset {variable}, or set it to a smaller number"))]
    ThreadsOfEnvironment { variable: &'static str, asked: usize, most: usize },

    #[error("the environment variable INKLING_CPU asks for the instructions `{asked}`: {problem}")]
    #[diagnostic(help(
        "unset INKLING_CPU, or set it to one that this processor has; --cpu takes precedence over it"
    ))]
    CpuOfEnvironment { asked: String, problem: String },

    #[error("`{}` exists and is not {what}, so it is not overwritten", .path.display())]
    #[diagnostic(help("give another name, or move the existing file away"))]
    WouldReplace { path: PathBuf, what: &'static str },

    #[error("`{}` cannot be written: there is no folder `{}`", .path.display(), .folder.display())]
    #[diagnostic(help("create the folder, or give a name in an existing one"))]
    NoPlace { path: PathBuf, folder: PathBuf },

    #[error("the folder `{}` cannot be created", .path.display())]
    #[diagnostic(help("give another name, or change the permissions of the folder above it"))]
    OutFolder { path: PathBuf, source: io::Error },

    #[error("the results could not be written to standard output")]
    #[diagnostic(help("the work itself is done; give the command again with an output that can be written"))]
    Output { source: io::Error },

    #[error("the report in `{}` cannot be written again", .path.display())]
    #[diagnostic(help(
        "the report is written beside the runs: copy the folder to a place that you may write to, and give \
         `inkling report` the copy"
    ))]
    ReportFolder { path: PathBuf, source: Box<StoreError> },
}

/// What to do about a file that cannot be read. `make` writes a new one, and so is said only where there is none.
fn unreadable_help(error: &io::Error, make: &str) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("check the name, or create a file to start from:\n    {make}"),
        ErrorKind::PermissionDenied => {
            "you may not read it: change its permissions, or those of its folder".into()
        }
        ErrorKind::IsADirectory => "it is a folder: name a file in it".into(),
        ErrorKind::NotADirectory => {
            "a part of the path that should be a folder is a file: check the path".into()
        }
        ErrorKind::FileTooLarge => "it is too large: a file of this kind has a few kilobytes".into(),
        _ => "check the disk or the network that the file is on, and give the command again".into(),
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        let code = match error {
            UsageError::UnknownPreset { .. }
            | UsageError::UnknownModel { .. }
            | UsageError::CpuOfEnvironment { .. }
            | UsageError::ThreadsOfEnvironment { .. }
            | UsageError::UnknownImages { .. }
            | UsageError::NoSuchIndex { .. }
            | UsageError::NoSuchRun { .. }
            | UsageError::NoValidation
            | UsageError::NoSlurm
            | UsageError::NoBatches => USAGE,
            UsageError::NoTraining { .. } | UsageError::RunsFailed { .. } => BAD_DATA,
            UsageError::RunsByOthers { .. } => TRY_AGAIN,
            UsageError::StudyFile { .. }
            | UsageError::ModelFile { .. }
            | UsageError::Sbatch { .. }
            | UsageError::SlurmFile { .. }
            | UsageError::Threads { .. }
            | UsageError::Output { .. } => INPUT_OUTPUT,
            UsageError::AnotherKind { .. }
            | UsageError::NotText { .. }
            | UsageError::NothingToDo { .. }
            | UsageError::Unprintable { .. } => BAD_CONFIGURATION,
            UsageError::ReportFolder { .. }
            | UsageError::HoldsStudy { .. }
            | UsageError::WouldReplace { .. }
            | UsageError::OutFolder { .. }
            | UsageError::NoPlace { .. } => CANNOT_WRITE,
            UsageError::Interrupted { .. } => interrupt::code(),
        };
        Failure::new(error, code)
    }
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        Failure::new(error, BAD_CONFIGURATION)
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Failure::new(error, USAGE)
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Failure::new(error, BAD_CONFIGURATION)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match error.class() {
            ErrorClass::CannotWrite => CANNOT_WRITE,
            ErrorClass::InputOutput => INPUT_OUTPUT,
            ErrorClass::BadData => BAD_DATA,
            ErrorClass::TryAgain => TRY_AGAIN,
        };
        Failure::new(error, code)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        let code = match &error {
            DataError::UnknownSet { .. } => USAGE,
            DataError::Write { .. }
            | DataError::CacheNotWritable { .. }
            | DataError::ForeignLock { .. }
            | DataError::Busy { .. } => CANNOT_WRITE,
            DataError::Interrupted => INTERRUPTED,
            error if error.is_io() => INPUT_OUTPUT,
            _ => BAD_DATA,
        };
        Failure::new(error, code)
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        let code = if error.is_io() { INPUT_OUTPUT } else { BAD_DATA };
        Failure::new(error, code)
    }
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        match error {
            // Here the name comes from the study, not from the command line.
            LabError::Data(error @ DataError::UnknownSet { .. }) => Failure::new(error, BAD_CONFIGURATION),
            LabError::Data(error) => error.into(),
            LabError::Import(error) => error.into(),
            LabError::Store(error) => error.into(),
            LabError::NotPlanned { .. } | LabError::Blocked { .. } | LabError::OtherData { .. } => {
                Failure::new(error, BAD_DATA)
            }
            LabError::NotReady { .. } => Failure::new(error, TRY_AGAIN),
            LabError::OtherVersion { .. }
            | LabError::Setting(_)
            | LabError::Pca(_)
            | LabError::MissingClass { .. }
            | LabError::Network { .. }
            | LabError::Labels { .. }
            | LabError::OtherShape { .. }
            | LabError::Groups { .. }
            | LabError::OtherInstructions { .. }
            | LabError::OtherStudy { .. }
            | LabError::TooFewImages { .. }
            | LabError::SameRun { .. }
            | LabError::Memory { .. } => Failure::new(error, BAD_CONFIGURATION),
            // What is lacking was asked for by the study.
            LabError::Look(error) => {
                let code = look_code(&error, BAD_CONFIGURATION);
                Failure::new(error, code)
            }
            LabError::Interrupted => Failure::new(error, interrupt::code()),
        }
    }
}

/// The code of a look that cannot be done; `asked` is that of asking for what is not there.
fn look_code(error: &LookError, asked: u8) -> u8 {
    match error {
        LookError::NotAModel { .. }
        | LookError::WrongTensor { .. }
        | LookError::CannotBeBuilt { .. }
        | LookError::ImageSize { .. } => BAD_DATA,
        _ => asked,
    }
}

/// A look that was asked for on the command line; in a study, it comes within a [`LabError`].
impl From<LookError> for Failure {
    fn from(error: LookError) -> Self {
        let code = look_code(&error, USAGE);
        Failure::new(error, code)
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Store(error) => error.into(),
            ReportError::Incomplete { .. } | ReportError::Figure { .. } | ReportError::Typeset(_) => {
                let fault = Some(Fault::of_error(&error));
                Failure { fault, ..Failure::new(error, FAULT) }
            }
            error => Failure::new(error, BAD_DATA),
        }
    }
}
