//! What can go wrong between a study's folder and its report.

use std::path::PathBuf;

use inkling_spec::quoted_path;
use inkling_store::StoreError;
use miette::Diagnostic;
use thiserror::Error;

/// Why a report could not be made.
#[derive(Debug, Error, Diagnostic)]
pub enum ReportError {
    /// The store could not be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),

    /// The folder holds runs but no study.
    #[error("`{}` holds no study: there is no study.json in it", .folder.display())]
    #[diagnostic(help("run `inkling study --out {}` first", quoted_path(.folder)))]
    NoStudy {
        /// The folder.
        folder: PathBuf,
    },

    /// A newer program made the study, and something in it means nothing to this one.
    #[error("`{}` was made by Inkling {made_by}, and this is Inkling {this}, which cannot read it: {reason}", .path.display())]
    #[diagnostic(help(
        "update the program, or make the study again with this one in another folder (`--out`)"
    ))]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that made it.
        made_by: String,
        /// The version of this program.
        this: &'static str,
        /// What it does not understand.
        reason: String,
    },

    /// Runs of the study are still to be done.
    #[error("{missing} of the {all} runs of the study `{preset}` are not finished")]
    #[diagnostic(help("run the study again with the same folder: it goes on where it stopped"))]
    Unfinished {
        /// Runs not finished.
        missing: usize,
        /// Runs in all.
        all: usize,
        /// Name of the study.
        preset: String,
    },

    /// The main part has more words than the brief allows.
    #[error("the main part of the report has {words} words, {} more than the {limit} allowed", .words - .limit)]
    #[diagnostic(help(
        "figures, tables and summary.json are written, the report is not; ask for fewer networks or weightings, or report \
         parts of the study with `--only`"
    ))]
    TooLong {
        /// Words there are.
        words: usize,
        /// Words allowed.
        limit: usize,
    },

    /// A figure could not be made into a PNG; a mistake in the program, not of the person.
    #[error("the figure `{name}` could not be drawn: {problem}")]
    #[diagnostic(help("please report this as a bug"))]
    Figure {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },

    /// The report's own text could not be typeset; a mistake in the program, not of the person.
    #[error("the report could not be typeset: {0}")]
    #[diagnostic(help("figures, tables and summary.json are written; please report this as a bug"))]
    Typeset(String),
}
