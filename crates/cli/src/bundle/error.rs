//! What can keep a study from being bundled, beyond what its store and the data sets can be lacking.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use super::notebook::Flaw;
use crate::failure::{BAD_DATA, Failure, INPUT_OUTPUT, USAGE};

#[derive(Debug, Error, Diagnostic)]
pub(crate) enum BundleError {
    #[error("it is not known which group hands this in: the study in `{}` does not say", .study.display())]
    #[diagnostic(help(
        "say it with --group, or write `group` under [report] in the study file and give the study again"
    ))]
    NoGroup { study: PathBuf },

    #[error("--group {asked} contradicts the report: the study in `{}` is group {written}'s", .study.display())]
    #[diagnostic(help(
        "leave --group out; or write `group = {asked}` under [report] in the study file, give the study again with the same \
         folder (finished runs are kept), and bundle it then"
    ))]
    OtherGroup { study: PathBuf, asked: u32, written: u32 },

    #[error("{missing} of the {all} runs of the study `{preset}` {} not finished: {names}", if *.missing == 1 { "is" } else { "are" })]
    #[diagnostic(help("run the study again with the same folder: it goes on where it stopped"))]
    Unfinished { missing: usize, all: usize, preset: String, names: String },

    #[error("`{}` is missing", .path.display())]
    #[diagnostic(help("`{make}` makes it, without training"))]
    NoReport { path: PathBuf, make: String },

    #[error("`{}` is older than the study beside it", .path.display())]
    #[diagnostic(help(
        "`{make}` makes it anew, without training: the study or one of its results has changed since"
    ))]
    OldReport { path: PathBuf, make: String },

    #[error("`{}` does not say which report it belongs to", .path.display())]
    #[diagnostic(help(
        "`{make}` makes it anew, without training: an older program wrote it, or it is no summary"
    ))]
    UnknownReport { path: PathBuf, make: String },

    #[error("`{}` is not the file that was written together with `summary.json`", .path.display())]
    #[diagnostic(help(
        "`{make}` makes it anew, without training: the file was changed, or it comes from another report"
    ))]
    ForeignReport { path: PathBuf, make: String },

    #[error("the main part of the report has {words} words, {} more than the {limit} allowed", .words - .limit)]
    #[diagnostic(help(
        "ask for fewer networks, weightings or tasks in the study file and give the study again: finished runs are kept"
    ))]
    TooLong { words: usize, limit: usize },

    #[error("`{}` is no whole PDF", .path.display())]
    #[diagnostic(help("`{make}` makes it anew, without training"))]
    NotAPdf { path: PathBuf, make: String },

    #[error("the notebook `{}` is missing{}", .path.display(), match .others.as_str() {
        "" => String::new(),
        others => format!("; there is {others}"),
    })]
    #[diagnostic(help("`{make}`, given in the project's folder, writes and executes it"))]
    NoNotebook { path: PathBuf, others: String, make: String },

    #[error("the notebook `{}` {}", .path.display(), match .flaw {
        Flaw::Unreadable(reason) => format!("cannot be read as one: {reason}"),
        Flaw::NoCode => "holds no code".to_owned(),
        Flaw::NotExecuted(cell, line) => format!("is not executed: cell {cell} (`{line}`) was not run"),
        Flaw::Failed(cell, error) => format!("ends in an error in cell {cell}: {error}"),
        Flaw::OtherGroup(named) => format!("is another group's under this name: it speaks of group {named}"),
    })]
    #[diagnostic(help("`{make}`, given in the project's folder, writes and executes it anew"))]
    Notebook { path: PathBuf, flaw: Flaw, make: String },

    #[error("{title}, which the study used, is not on this disk")]
    #[diagnostic(help(
        "`inkling data fetch {name}` fetches it; or name a folder that holds it with --data, or give --without-data"
    ))]
    NoData { title: &'static str, name: &'static str },

    #[error("the study used other bytes of {title} than this program knows")]
    #[diagnostic(help("bundle it with the program that did the study, or give --without-data"))]
    OtherData { title: &'static str },

    #[error("`{}` cannot be read", .path.display())]
    #[diagnostic(help("check that you may read it"))]
    Unreadable { path: PathBuf, source: io::Error },
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        let code = match error {
            BundleError::NoGroup { .. } | BundleError::OtherGroup { .. } => USAGE,
            BundleError::NoData { .. } | BundleError::Unreadable { .. } => INPUT_OUTPUT,
            _ => BAD_DATA,
        };
        Failure::new(error, code)
    }
}
