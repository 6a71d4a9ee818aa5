//! What can go wrong between a study's folder and its report.

use std::path::PathBuf;

use inkling_schema::quoted_path;
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
    #[diagnostic(help("give the folder that a study was written to. `inkling study --out {}` runs the study `quick` into this one, and `--help` names others", quoted_path(.folder)))]
    NoStudy {
        /// The folder.
        folder: PathBuf,
    },

    /// Another version of the program made the study, and something in it means nothing to this one.
    #[error("`{}` was made by Inkling {made_by}, and this is Inkling {this}, which cannot read it: {reason}", .path.display())]
    #[diagnostic(help("{help}, or make the study again with this one in another folder (`--out`)"))]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The version that made it.
        made_by: String,
        /// The version of this program.
        this: &'static str,
        /// What it does not understand.
        reason: String,
        /// What reads it.
        help: &'static str,
    },

    /// Runs of the study are still to be done.
    #[error(
        "{missing} of the {all} runs of the study `{preset}` {} not finished{}",
        if *.missing == 1 { "is" } else { "are" },
        match *.unable {
            0 => String::new(),
            1 => "; one of them failed".to_owned(),
            unable => format!("; {unable} of them failed or need runs that failed"),
        }
    )]
    #[diagnostic(help("{}", if *.unable == 0 {
        "run the study again with the same folder: it continues where it stopped"
    } else {
        "the report and `inkling status` say why; when the cause is gone, run the study again with the same folder"
    }))]
    Unfinished {
        /// Runs not finished.
        missing: usize,
        /// Of these, runs that failed or need others that failed.
        unable: usize,
        /// Runs in all.
        all: usize,
        /// Name of the study.
        preset: String,
    },

    /// Parts of what a reader gets could not be made; the others were. A mistake in the program, not of the person.
    #[error("a part of the report could not be made: {problems}")]
    #[diagnostic(help(
        "{there} are in `{}`{old}. This is a mistake in the program: please report it with the message above", .folder.display()
    ))]
    Incomplete {
        /// Each part, with what is wrong.
        problems: String,
        /// What was made.
        there: String,
        /// What there is of an earlier report, if anything.
        old: String,
        /// Where it lies.
        folder: PathBuf,
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
    #[diagnostic(help("please report this as a bug"))]
    Typeset(String),
}
