//! Why a source could not be read, and what a person can do about it.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// A source, or a file of it, that is no data set.
#[derive(Debug, Error, Diagnostic)]
pub enum ImportError {
    /// The operating system could not read something.
    #[error("cannot read `{}`", .path.display())]
    #[diagnostic(help("check that it is there and that you may read it"))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// A file or folder is not what it should be.
    #[error("`{}` {problem}", .path.display())]
    #[diagnostic(help("{help}"))]
    Unfit {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, as the rest of a sentence that begins with its name.
        problem: String,
        /// What to do.
        help: String,
    },
}

impl ImportError {
    pub(super) fn new(path: &Path, problem: impl Into<String>, help: impl Into<String>) -> ImportError {
        ImportError::Unfit { path: path.to_owned(), problem: problem.into(), help: help.into() }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> ImportError {
        ImportError::Read { path: path.to_owned(), source }
    }

    /// Whether the fault lies with a disk or a missing file, not with what the bytes say.
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Read { .. })
    }
}
