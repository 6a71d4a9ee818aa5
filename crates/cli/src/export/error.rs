//! What can go wrong between a network of ours and a file of another program.

use std::path::PathBuf;

use inkling_interchange::InterchangeError;
use inkling_tensorboard::BoardError;
use miette::Diagnostic;
use thiserror::Error;

use crate::failure::{BAD_DATA, CANNOT_WRITE, Failure, INPUT_OUTPUT, USAGE};

#[derive(Debug, Error, Diagnostic)]
pub(crate) enum ExchangeError {
    #[error("`{}`: {source}", .path.display())]
    #[diagnostic(help("{}", .source.help()))]
    Network { path: PathBuf, source: InterchangeError },

    #[error("`{}` cannot be read", .path.display())]
    #[diagnostic(help("check that it is a file and that you may read it"))]
    Unreadable { path: PathBuf, source: std::io::Error },

    #[error("`{}` is no name for a table of metrics", .path.display())]
    #[diagnostic(help("its ending says what it becomes: .csv, .json or .parquet"))]
    NoTable { path: PathBuf },

    #[error("`{}` is no name for a file of arrays", .path.display())]
    #[diagnostic(help("end it with .npz, which is what NumPy reads"))]
    NoArchive { path: PathBuf },

    #[error("`{}` is a network without the run that trained it", .path.display())]
    #[diagnostic(help("--arrays takes the folder of a training, of a study or of a run"))]
    NoRun { path: PathBuf },

    #[error("the study in `{}` has no run `{word}`", .path.display())]
    #[diagnostic(help("the nearest are {near}; `study.json` there names them all"))]
    UnknownRun { path: PathBuf, word: String, near: String },

    #[error("several runs are called `{word}`")]
    #[diagnostic(help("name one by its id: {known}"))]
    SeveralRuns { word: String, known: String },

    #[error("the run `{run}` is not finished")]
    #[diagnostic(help("continue the study or the training: give its command again"))]
    Unfinished { run: String },

    #[error("the run `{run}` has no arrays: its training diverged")]
    #[diagnostic(help("change its settings as the report says, and train it again"))]
    NoArrays { run: String },

    #[error("`{}` holds no study", .path.display())]
    #[diagnostic(help("--metrics, --tensorboard and --peers take the folder of a study or of a training"))]
    NoStudy { path: PathBuf },

    #[error("the study in `{}` has no finished {what}", .path.display())]
    #[diagnostic(help("run it first"))]
    Nothing { path: PathBuf, what: &'static str },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Board(#[from] BoardError),
}

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        let code = match error {
            ExchangeError::Unreadable { .. } => INPUT_OUTPUT,
            ExchangeError::NoTable { .. }
            | ExchangeError::NoArchive { .. }
            | ExchangeError::UnknownRun { .. }
            | ExchangeError::SeveralRuns { .. } => USAGE,
            ExchangeError::Board(_) => CANNOT_WRITE,
            _ => BAD_DATA,
        };
        Failure::new(error, code)
    }
}
