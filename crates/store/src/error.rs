//! What can go wrong between the program and the disk, and what a person can do about it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use crate::lock::Holder;

/// An error of the store. Every variant names the file or folder it is about.
#[derive(Debug, Error, Diagnostic)]
pub enum StoreError {
    /// The place refuses to be written: permissions, a read-only file system, a file where a folder is
    /// needed.
    #[error("cannot write `{}`", .path.display())]
    #[diagnostic(help("{}", cannot_write_help(source)))]
    CannotWrite {
        /// The file or folder that could not be written.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },

    /// No space left on the disk, or the quota is used up.
    #[error("no space left on the disk to write `{}`", .path.display())]
    #[diagnostic(help(
        "nothing that was finished is lost: free some space and give the same command again, \
             and it goes on from there"
    ))]
    DiskFull {
        /// The file that could not be written; its earlier version, if any, is untouched.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },

    /// Any other failure of the operating system.
    #[error("cannot {operation} `{}`", .path.display())]
    #[diagnostic(help(
        "nothing that was finished is lost: once the cause is gone, give the same command again"
    ))]
    Io {
        /// What was tried, as a verb: "read", "write", "lock".
        operation: &'static str,
        /// The file or folder it was tried on.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },

    /// Another live process writes to this folder.
    #[error("`{}` is in use by {}", .path.display(), describe(.holder.as_ref()))]
    #[diagnostic(help("wait until that process has ended, stop it, or choose another output folder"))]
    Locked {
        /// The output folder.
        path: PathBuf,
        /// Who holds it, where that could be read.
        holder: Option<Holder>,
    },

    /// A file is not what was written: truncated, altered, or of another kind.
    #[error("`{}` is damaged: {reason}", .path.display())]
    #[diagnostic(help(
        "give the command that made this folder again: what is damaged is made anew, the rest is kept"
    ))]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A sound tensor file does not hold the tensor that is asked for.
    #[error("`{}` does not hold the tensor `{name}` as expected: {reason}", .path.display())]
    #[diagnostic(help(
        "it may come from another version of the program: remove its folder and do the run again"
    ))]
    WrongTensor {
        /// The tensor file.
        path: PathBuf,
        /// The tensor's name.
        name: String,
        /// What was expected and what is there.
        reason: String,
    },

    /// A tensor holds numbers that are not finite.
    #[error("`{}` holds the tensor `{name}` with {count} of {of} values that are not finite numbers, the first of them {value} at {place:?}", .path.display())]
    #[diagnostic(help(
        "nothing can be computed with such numbers: the training that wrote them overflowed, or the file was changed. \
         Take another model, or train again with a smaller learning rate"
    ))]
    NotFinite {
        /// The tensor file.
        path: PathBuf,
        /// The tensor's name.
        name: String,
        /// Values that are not finite.
        count: usize,
        /// All its values.
        of: usize,
        /// The first that is not finite.
        value: f32,
        /// Where it stands, an index for each axis.
        place: Vec<usize>,
    },

    /// A sound checkpoint in a format that this program does not know yet.
    #[error("`{}` was written by a newer version of the program (checkpoint format {found}, this one knows up to {known})", .path.display())]
    #[diagnostic(help("update the program, or remove the run's folder to do the run again from its start"))]
    NewerFormat {
        /// The checkpoint.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },

    /// A sound checkpoint that another run wrote.
    #[error("`{}` is a checkpoint of the run {found}, not of this one", .path.display())]
    #[diagnostic(help("move it back into the folder of its run, and give the command again"))]
    ForeignCheckpoint {
        /// The checkpoint.
        path: PathBuf,
        /// The run that wrote it.
        found: String,
    },

    /// The folder that should be read is not there.
    #[error("there is no folder `{}`", .path.display())]
    #[diagnostic(help("give the folder that a study was written to: `out`, unless `--out` named another"))]
    NoFolder {
        /// The folder that was given.
        path: PathBuf,
    },

    /// The folder that should be read holds no study.
    #[error("`{}` holds no study (it has no folder `runs`)", .path.display())]
    #[diagnostic(help(
        "give the folder that a study was written to, or run a study with this folder as its output"
    ))]
    NotAStudy {
        /// The folder that was given.
        path: PathBuf,
    },
}

/// What kind of failure a [`StoreError`] is, for a program to choose its exit code by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The output cannot be created: refused, full, or held by another process (`EX_CANTCREAT`, 73).
    CannotWrite,
    /// The operating system failed to read or write (`EX_IOERR`, 74).
    InputOutput,
    /// What was read is not what it should be (`EX_DATAERR`, 65).
    BadData,
}

impl StoreError {
    /// The kind of failure, for a program to choose its exit code by.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::CannotWrite { .. } | Self::DiskFull { .. } | Self::Locked { .. } => ErrorClass::CannotWrite,
            Self::Io { .. } => ErrorClass::InputOutput,
            Self::Damaged { .. }
            | Self::WrongTensor { .. }
            | Self::NotFinite { .. }
            | Self::NewerFormat { .. }
            | Self::ForeignCheckpoint { .. }
            | Self::NoFolder { .. }
            | Self::NotAStudy { .. } => ErrorClass::BadData,
        }
    }

    /// The error for a write to `path` that the operating system answered with `source`.
    pub(crate) fn writing(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path, source },
            ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::AlreadyExists
            | ErrorKind::InvalidFilename
            | ErrorKind::FileTooLarge => Self::CannotWrite { path, source },
            _ => Self::Io { operation: "write", path, source },
        }
    }

    pub(crate) fn reading(path: &Path, source: io::Error) -> Self {
        Self::Io { operation: "read", path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.into() }
    }
}

fn cannot_write_help(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::PermissionDenied => {
            "choose an output folder that you may write to, or change its permissions"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "this file system is mounted read-only: choose an output folder elsewhere"
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "a file stands where a folder is needed: move it away, or choose another output folder"
        }
        ErrorKind::IsADirectory => {
            "a folder stands where a file is needed: move it away, or choose another output folder"
        }
        _ => "choose another output folder",
    }
}

fn describe(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another process".to_owned(), Holder::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_to_a_write_has_its_class_and_its_help() {
        let help = |kind: ErrorKind| {
            let error = StoreError::writing(Path::new("out"), kind.into());
            (error.class(), error.help().map(|help| help.to_string()).unwrap_or_default())
        };
        for (kind, class, words) in [
            (ErrorKind::StorageFull, ErrorClass::CannotWrite, "nothing that was finished is lost"),
            (ErrorKind::QuotaExceeded, ErrorClass::CannotWrite, "the same command"),
            (ErrorKind::PermissionDenied, ErrorClass::CannotWrite, "permissions"),
            (ErrorKind::ReadOnlyFilesystem, ErrorClass::CannotWrite, "read-only"),
            (ErrorKind::NotADirectory, ErrorClass::CannotWrite, "a file stands where a folder is needed"),
            (ErrorKind::IsADirectory, ErrorClass::CannotWrite, "a folder stands where a file is needed"),
            (ErrorKind::Other, ErrorClass::InputOutput, "the same command"),
        ] {
            let (found_class, found_help) = help(kind);
            assert_eq!(found_class, class, "{kind}");
            assert!(found_help.contains(words), "{kind}: {found_help}");
        }
    }
}
