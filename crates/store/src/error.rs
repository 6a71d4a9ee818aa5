//! What can go wrong between the program and the disk, and what a person can do about it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use inkling_files::Holder;
use inkling_files::atomic::WriteError;
use miette::Diagnostic;
use thiserror::Error;

use crate::claim::Claimant;
use crate::workplace;

/// An error of the store. Every variant names the file or folder it is about.
#[derive(Debug, Error, Diagnostic)]
pub enum StoreError {
    /// The place refuses to be written: permissions, a read-only file system, a file where a folder is
    /// needed.
    #[error("cannot write `{}`", .path.display())]
    #[diagnostic(help("{}", cannot_write_help(path, source)))]
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
             which continues from there"
    ))]
    DiskFull {
        /// The file that could not be written; its earlier version, if any, is untouched.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },

    /// Any other failure of the operating system.
    #[error("cannot {operation} `{}`", .path.display())]
    #[diagnostic(help("{}", io_help(source)))]
    Io {
        /// What was tried, as a verb: "read", "write", "lock".
        operation: &'static str,
        /// The file or folder it was tried on.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },

    /// Another live process writes to this folder.
    #[error("`{}` is in use by {}", .path.display(), describe(.holder.as_deref()))]
    #[diagnostic(help(
        "wait until that process has ended, or stop it, and give the same command again; a new study or look can have a \
             folder of its own (`--out`)"
    ))]
    Locked {
        /// The output folder.
        path: PathBuf,
        /// Who holds it, where that could be read.
        holder: Option<Box<Holder>>,
    },

    /// The file system has no locks, and a process on another computer has not said that it ended.
    #[error("`{}` may be in use: {holder} may still be running on {}", .path.display(), .holder.host)]
    #[diagnostic(help(
        "this file system has no locks that would show it. Make sure that the process has ended, remove `{}` and give the \
         same command again; or choose another output folder",
        .path.join(".lock").display()
    ))]
    MayBeRunning {
        /// The output folder.
        path: PathBuf,
        /// The process.
        holder: Box<Holder>,
    },

    /// Another process does this run, or has not been seen to have ended.
    #[error("the run `{}` is being done by {}", .path.display(), describe(.claimant.as_ref().map(|claimant| &claimant.holder)))]
    #[diagnostic(help(
        "try again later: the run is then finished, or its claim is {} s without a renewal, and it goes on from its newest \
         checkpoint",
        .claimant.as_ref().map_or(60.0, |claimant| claimant.stale_after)
    ))]
    Claimed {
        /// The run's place.
        path: PathBuf,
        /// Who has claimed it, where that could be read.
        claimant: Option<Box<Claimant>>,
        /// Whether that process was seen to renew its claim.
        lives: bool,
    },

    /// Another process has taken over a run that this one was doing.
    #[error("another process has taken over the run `{}`", .path.display())]
    #[diagnostic(help(
        "this process did not renew its claim in time, as when a computer sleeps or the folder's server is away. Nothing is \
         lost: the other process goes on from the newest checkpoint"
    ))]
    ClaimLost {
        /// The run's place.
        path: PathBuf,
    },

    /// The run is finished already, by another process.
    #[error("the run `{}` is finished already", .path.display())]
    #[diagnostic(help("there is nothing left to do"))]
    AlreadyFinished {
        /// The run's place.
        path: PathBuf,
    },

    /// What has the name of the lock file is somebody else's.
    #[error("`{}` is not this program’s lock file: {what}", .path.display())]
    #[diagnostic(help(
        "it is left alone. Move it away if nothing needs it there, or choose another output folder; a lock file of this \
         program is empty, or names the process that works in the folder"
    ))]
    ForeignLock {
        /// The lock file's place.
        path: PathBuf,
        /// What is there, in words.
        what: &'static str,
    },

    /// The output folder would be among the files of another one.
    #[error("`{}` lies among the files of the output folder `{}`", .path.display(), .store.display())]
    #[diagnostic(help(
        "in that folder, `runs`, `figures` and `tables` are the program's own; choose an output folder outside of them"
    ))]
    InsideStore {
        /// The folder that was given.
        path: PathBuf,
        /// The output folder that it lies in.
        store: PathBuf,
    },

    /// The output folder is no study's, and holds what a study would write over.
    #[error("`{}` holds `{found}`, and no study was ever written to this folder", .path.display())]
    #[diagnostic(help(
        "it would be overwritten: choose a folder with `--out` that is empty or does not exist yet, or move `{found}` away"
    ))]
    NotAStore {
        /// The folder that was given.
        path: PathBuf,
        /// What it holds.
        found: String,
    },

    /// A run that is to be done has a link in place of its folder.
    #[error("`{}` is a link to another folder, and the run in it is not finished", .path.display())]
    #[diagnostic(help(
        "the program changes nothing through a link. Remove the link, which does not affect the folder that it leads to, \
         and give the same command again"
    ))]
    Linked {
        /// The run's folder.
        path: PathBuf,
    },

    /// A file is not what was written: truncated, altered, or of another kind.
    #[error("`{}` is damaged: {reason}", .path.display())]
    #[diagnostic(help("{}", damaged_help(.path)))]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A sound tensor file does not hold the tensor that is asked for.
    #[error("`{}` does not hold the tensor `{name}` as expected: {reason}", .path.display())]
    #[diagnostic(help(
        "it may come from another version of the program: remove its folder and repeat the run"
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

    /// A sound file in a format that this program does not know yet.
    #[error("`{}` was written by a newer version of the program (format {found}, this one knows up to {known})", .path.display())]
    #[diagnostic(help("update the program, or start again in another output folder"))]
    NewerFormat {
        /// The checkpoint or document.
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

    /// A file was given where a study's folder is needed.
    #[error("`{}` is a file, and a study is a folder", .path.display())]
    #[diagnostic(help("give the folder that a study was written to (`--out`)"))]
    NotAFolder {
        /// The file that was given.
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
    /// Another process does it; later it may be done, or left (`EX_TEMPFAIL`, 75).
    TryAgain,
}

impl StoreError {
    /// The kind of failure, for a program to choose its exit code by.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::CannotWrite { .. }
            | Self::DiskFull { .. }
            | Self::Locked { .. }
            | Self::MayBeRunning { .. }
            | Self::ForeignLock { .. }
            | Self::InsideStore { .. }
            | Self::NotAStore { .. }
            | Self::Linked { .. } => ErrorClass::CannotWrite,
            Self::Claimed { .. } | Self::ClaimLost { .. } | Self::AlreadyFinished { .. } => {
                ErrorClass::TryAgain
            }
            Self::Io { .. } => ErrorClass::InputOutput,
            Self::Damaged { .. }
            | Self::WrongTensor { .. }
            | Self::NotFinite { .. }
            | Self::NewerFormat { .. }
            | Self::ForeignCheckpoint { .. }
            | Self::NoFolder { .. }
            | Self::NotAFolder { .. }
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

impl From<WriteError> for StoreError {
    fn from(error: WriteError) -> Self {
        Self::writing(&error.path, error.source)
    }
}

/// Whether a path is a link that leads back to itself.
fn leads_round(path: &Path) -> bool {
    // What libc calls ELOOP has no stable name of its own yet.
    path.is_symlink() && path.metadata().is_err_and(|error| error.raw_os_error() == Some(40))
}

/// Whether a path is a link whose target is not there.
fn leads_nowhere(path: &Path) -> bool {
    path.is_symlink() && !path.exists()
}

/// For commands that choose their output folder, and for those that work on one that is there.
fn cannot_write_help(path: &Path, source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::PermissionDenied => {
            "choose an output folder that you may write to, or change its permissions; if the study is another person's, \
             copy it and give the copy"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "this file system is mounted read-only: choose an output folder elsewhere; if the study is already there, \
             copy it elsewhere and give the copy"
        }
        ErrorKind::NotFound => {
            "a folder of this path does not exist, or no longer exists. If it was moved while the program worked in it, give \
             the same command again with its new place (`--out`), where finished work is kept; otherwise choose another \
             output folder"
        }
        ErrorKind::AlreadyExists if path.ancestors().any(leads_round) => {
            "a link in this path leads to itself: remove it, or choose another output folder"
        }
        ErrorKind::AlreadyExists if path.ancestors().any(leads_nowhere) => {
            "a link in this path leads to a place that does not exist: create that folder, or choose another output folder"
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "a file stands where a folder is needed: move it away, or choose another output folder"
        }
        ErrorKind::FileTooLarge => {
            "files of this size may not be written here: raise the limit (`ulimit -f`), or choose an output folder on a file \
             system that holds larger files"
        }
        ErrorKind::IsADirectory => {
            "a folder stands where a file is needed: move it away, or choose another output folder"
        }
        _ => "choose another output folder; if the study is already there, copy it and give the copy",
    }
}

/// Nothing that was finished is lost by what the operating system cannot do.
fn io_help(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::IsADirectory => {
            "a folder stands where a file is needed: move it away, and give the same command again; nothing that was \
             finished is lost"
        }
        ErrorKind::PermissionDenied => {
            "you may not read it: change its permissions, and give the same command again; nothing that was finished is lost"
        }
        _ => "nothing that was finished is lost: once the cause is gone, give the same command again",
    }
}

/// What can be made again is: runs, and what is published beside them. Any other file came from elsewhere.
fn damaged_help(path: &Path) -> &'static str {
    let in_a_run =
        path.ancestors().take(2).filter_map(Path::file_name).any(|name| is_run_id(name.as_encoded_bytes()))
            || path
                .ancestors()
                .take(3)
                .filter_map(|folder| folder.file_name()?.to_str())
                .any(|name| workplace::run_of(name).is_some());
    let name = path.file_name().unwrap_or_default();
    if in_a_run {
        "give the command that made this folder again: what is damaged is made again, the rest is kept"
    } else if ["study.json", "checks.json"].iter().any(|known| name == *known) {
        "give the command that made this folder again: it writes this file again, and finished runs are not repeated"
    } else if name == "summary.json" {
        "`inkling report` with this folder makes it again, without training"
    } else {
        "the file was cut off or changed since it was written: get it again from where it came from"
    }
}

/// Whether this is the name of a run's folder: 16 lower-case hexadecimal digits.
pub(crate) fn is_run_id(name: &[u8]) -> bool {
    name.len() == 16 && name.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
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
        let read = StoreError::reading(Path::new("out/study.json"), ErrorKind::IsADirectory.into());
        assert!(
            read.help().unwrap().to_string().contains("a folder stands where a file is needed: move it away")
        );
    }

    #[test]
    fn what_can_be_made_again_is_told_from_what_a_person_brought() {
        for (path, words) in [
            ("out/runs/0123456789abcdef/result.json", "what is damaged is made again"),
            ("out/runs/0123456789abcdef", "what is damaged is made again"),
            ("out/study.json", "finished runs are not repeated"),
            ("out/summary.json", "`inkling report`"),
            ("downloads/x.safetensors", "get it again"),
        ] {
            let help = StoreError::damaged(Path::new(path), "").help().map(|help| help.to_string());
            assert!(help.as_ref().is_some_and(|help| help.contains(words)), "{path}: {help:?}");
        }
    }
}
