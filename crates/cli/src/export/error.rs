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
            ExchangeError::NoTable { .. } => USAGE,
            ExchangeError::Board(_) => CANNOT_WRITE,
            _ => BAD_DATA,
        };
        Failure::new(error, code)
    }
}
