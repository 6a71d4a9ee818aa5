//! What can go wrong when files for TensorBoard are written.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// Why files for TensorBoard were not written.
#[derive(Debug, Error, Diagnostic)]
pub enum BoardError {
    /// The operating system refuses to write something.
    #[error("cannot write `{}`", .path.display())]
    #[diagnostic(help("check that the folder may be written to and that its disk has space"))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// TensorBoard would not read an embedding, or would show it wrongly.
    #[error("the embedding `{name}` {problem}")]
    #[diagnostic(help("{help}"))]
    Embedding {
        /// Its name.
        name: String,
        /// What is wrong with it, as the rest of a sentence that begins with its name.
        problem: String,
        /// What to do.
        help: &'static str,
    },
}

impl BoardError {
    pub(crate) fn write(path: &Path, source: io::Error) -> BoardError {
        BoardError::Write { path: path.to_owned(), source }
    }
}
