//! What can keep a study from being bundled, beyond what its store and the data sets can be lacking.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use super::notebook::Flaw;
use crate::failure::{BAD_DATA, Failure, INPUT_OUTPUT, USAGE};

#[derive(Debug, Error, Diagnostic)]
pub(crate) enum BundleError {
    #[error("the number of the group is unknown: the study in `{}` does not give it", .study.display())]
    #[diagnostic(help(
        "give it with --group, or write `group` under [report] in the study file and run the study again"
    ))]
    NoGroup { study: PathBuf },

    #[error("--group {asked} contradicts the report: the study in `{}` is group {written}'s", .study.display())]
    #[diagnostic(help(
        "leave --group out; or write `group = {asked}` under [report] in the study file, run the study again with the same \
         folder (finished runs are kept), and then bundle it"
    ))]
    OtherGroup { study: PathBuf, asked: u32, written: u32 },

    #[error("{missing} of the {all} runs of the study `{preset}` {} not finished: {names}", if *.missing == 1 { "is" } else { "are" })]
    #[diagnostic(help("run the study again with the same folder: it continues where it stopped"))]
    Unfinished { missing: usize, all: usize, preset: String, names: String },

    #[error("`{}` is missing", .path.display())]
    #[diagnostic(help("`{make}` makes it, without training"))]
    NoReport { path: PathBuf, make: String },

    #[error("`{}` is older than the study beside it", .path.display())]
    #[diagnostic(help(
        "`{make}` makes it again, without training: the study or one of its results has changed since"
    ))]
    OldReport { path: PathBuf, make: String },

    #[error("`{}` does not say which report it belongs to", .path.display())]
    #[diagnostic(help(
        "`{make}` makes it again, without training: an older program wrote it, or it is not a summary"
    ))]
    UnknownReport { path: PathBuf, make: String },

    #[error("`{}` is not the file that was written together with `summary.json`", .path.display())]
    #[diagnostic(help(
        "`{make}` makes it again, without training: the file was changed, or it comes from another report"
    ))]
    ForeignReport { path: PathBuf, make: String },

    #[error("the main part of the report has {words} words, {} more than the {limit} allowed", .words - .limit)]
    #[diagnostic(help(
        "ask for fewer networks, weightings or tasks in the study file and run the study again: finished runs are kept"
    ))]
    TooLong { words: usize, limit: usize },

    #[error("`{}` is not a complete PDF", .path.display())]
    #[diagnostic(help("`{make}` makes it again, without training"))]
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
        Flaw::OtherGroup(named) => format!("belongs to another group: it names group {named}"),
    })]
    #[diagnostic(help("`{make}`, given in the project's folder, writes and executes it again"))]
    Notebook { path: PathBuf, flaw: Flaw, make: String },

    #[error("{title}, which the study used, is not on this disk")]
    #[diagnostic(help(
        "`inkling data fetch {name}` fetches it; or name a folder that holds it with --data, or give --without-data"
    ))]
    NoData { title: &'static str, name: &'static str },

    #[error("the study used a version of {title} that this program does not know")]
    #[diagnostic(help("bundle it with the program that ran the study, or give --without-data"))]
    OtherData { title: &'static str },

    #[error("the images at `{path}` are no longer those of the data set `{name}` that the study used", path = .from.display())]
    #[diagnostic(help(
        "bring them back, or give --without-data: the bundle then says where the images come from and what their checksum is"
    ))]
    OwnData { name: String, from: PathBuf },

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
