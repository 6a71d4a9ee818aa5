//! One writer to an output folder at a time, and what is to be said about the one before.

use std::path::Path;

use inkling_files::{Lock, Refusal};

use crate::error::StoreError;

pub(crate) const FILE: &str = ".lock";

/// Locks the folder `out`, which exists.
///
/// # Errors
/// [`StoreError::Locked`] where another process holds it, [`StoreError::MayBeRunning`] where one may and there are no
/// locks that would tell; otherwise as for any write.
pub(crate) fn take(out: &Path) -> Result<Lock, StoreError> {
    Lock::take(&out.join(FILE)).map_err(|refusal| match refusal {
        Refusal::Held(holder) => StoreError::Locked { path: out.to_owned(), holder: holder.map(Box::new) },
        Refusal::MayBeRunning(holder) => {
            StoreError::MayBeRunning { path: out.to_owned(), holder: Box::new(holder) }
        }
        Refusal::Foreign(what) => StoreError::ForeignLock { path: out.join(FILE), what },
        Refusal::CannotWrite(error) => error.into(),
        Refusal::Failed(error) => {
            StoreError::Io { operation: "lock", path: error.path, source: error.source }
        }
        Refusal::Interrupted => unreachable!("nobody waits"),
    })
}

/// What a person should know about who else writes, or wrote, to the folder `out`.
pub(crate) fn notes(lock: &Lock, out: &Path) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(holder) = lock.died() {
        notes.push(format!(
            "{holder} was stopped before its work in this folder was done; continuing from what it finished"
        ));
    }
    if let Some(holder) = lock.elsewhere() {
        notes.push(format!(
            "{holder} was writing to this folder and has not said that it ended. Nobody holds the folder's lock, so this \
             process continues; but not every shared file system shows the locks of other computers, so make sure that \
             nothing is still running on {}",
            holder.host
        ));
    }
    if lock.is_missing() {
        notes.push(format!(
            "the file system of `{}` has no locks, so nothing keeps a process on another computer from writing to this \
             folder: start none there until this one has ended",
            out.display()
        ));
    }
    notes
}
