//! From errors to exit codes.

use std::path::PathBuf;

use inkling_data::DataError;
use inkling_lab::{LabError, LookError};
use inkling_report::ReportError;
use inkling_spec::{ModelError, SpecError, TextError};
use inkling_store::{ErrorClass, StoreError};
use miette::{Diagnostic, Report};
use thiserror::Error;

/// Wrong usage of the command line (clap's own code too).
pub(crate) const USAGE: u8 = 2;
/// Data that is not what it should be.
pub(crate) const BAD_DATA: u8 = 65;
/// The output cannot be written.
const CANNOT_WRITE: u8 = 73;
/// Something could not be read.
pub(crate) const INPUT_OUTPUT: u8 = 74;
/// A study that asks for what cannot be.
const BAD_CONFIGURATION: u8 = 78;
/// Interrupted by the person.
pub(crate) const INTERRUPTED: u8 = 130;

/// An error on its way to the person, with the exit code that scripts see.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) report: Report,
    pub(crate) code: u8,
}

impl Failure {
    pub(crate) fn new(error: impl Diagnostic + Send + Sync + 'static, code: u8) -> Self {
        Failure { report: Report::new(error), code }
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
    #[diagnostic(help("`inkling study --print-spec > {}` makes one to start from", .path.display()))]
    StudyFile { path: PathBuf, source: std::io::Error },

    #[error("`{name}` is neither a network of the brief nor a network file")]
    #[diagnostic(help("the networks are {known}; a network file ends in .toml"))]
    UnknownModel { name: String, known: String },

    #[error("the network file `{}` cannot be read", .path.display())]
    #[diagnostic(help("`inkling model cnn --toml > {}` makes one to start from", .path.display()))]
    ModelFile { path: PathBuf, source: std::io::Error },

    #[error("the file `{}` cannot be read as text: {source}", .path.display())]
    #[diagnostic(help("{}", .source.help().map(|help| help.to_string()).unwrap_or_default()))]
    NotText { path: PathBuf, source: TextError },

    #[error("the study performs no task that --only names")]
    #[diagnostic(help("its tasks are: {tasks}"))]
    NothingToDo { tasks: String },

    #[error("interrupted")]
    #[diagnostic(help("what is finished is kept; to go on from there: {again}"))]
    Interrupted { again: String },

    #[error("the threads could not be started")]
    #[diagnostic(help("try a smaller number with --threads"))]
    Threads { source: rayon::ThreadPoolBuildError },
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        let code = match error {
            UsageError::UnknownPreset { .. } | UsageError::UnknownModel { .. } => USAGE,
            UsageError::StudyFile { .. } | UsageError::ModelFile { .. } | UsageError::Threads { .. } => {
                INPUT_OUTPUT
            }
            UsageError::NotText { .. } | UsageError::NothingToDo { .. } => BAD_CONFIGURATION,
            UsageError::Interrupted { .. } => INTERRUPTED,
        };
        Failure::new(error, code)
    }
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Self {
        Failure::new(error, BAD_CONFIGURATION)
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
        };
        Failure::new(error, code)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        let code = match &error {
            DataError::UnknownSet { .. } => USAGE,
            DataError::Write { .. } => CANNOT_WRITE,
            error if error.is_io() => INPUT_OUTPUT,
            _ => BAD_DATA,
        };
        Failure::new(error, code)
    }
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        match error {
            // Here the name comes from the study, not from the command line.
            LabError::Data(error @ DataError::UnknownSet { .. }) => Failure::new(error, BAD_CONFIGURATION),
            LabError::Data(error) => error.into(),
            LabError::Store(error) => error.into(),
            LabError::Pca(_)
            | LabError::MissingClass { .. }
            | LabError::Network { .. }
            | LabError::Labels { .. }
            | LabError::Groups { .. }
            | LabError::TooFewImages { .. }
            | LabError::SameRun { .. }
            | LabError::Memory { .. } => Failure::new(error, BAD_CONFIGURATION),
            // What is lacking was asked for by the study.
            LabError::Look(error) => {
                let code = look_code(&error, BAD_CONFIGURATION);
                Failure::new(error, code)
            }
            LabError::Interrupted => Failure::new(error, INTERRUPTED),
        }
    }
}

/// The code of a look that cannot be done; `asked` is that of asking for what is not there.
fn look_code(error: &LookError, asked: u8) -> u8 {
    match error {
        LookError::NotAModel { .. }
        | LookError::CannotBeBuilt { .. }
        | LookError::NotFinite { .. }
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
            error => Failure::new(error, BAD_DATA),
        }
    }
}
