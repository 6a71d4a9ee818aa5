//! Why a network cannot be taken to another format, or from it.

use miette::Diagnostic;
use thiserror::Error;

/// A network that another format cannot hold, or a file that is no network of ours.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("{problem}")]
#[diagnostic(help("{help}"))]
pub struct InterchangeError {
    problem: String,
    help: String,
}

impl InterchangeError {
    /// An error with its problem, to be read after the name of a file and a colon, and with what to do.
    pub fn new(problem: impl Into<String>, help: impl Into<String>) -> InterchangeError {
        InterchangeError { problem: problem.into(), help: help.into() }
    }

    /// What to do.
    pub fn help(&self) -> &str {
        &self.help
    }
}
