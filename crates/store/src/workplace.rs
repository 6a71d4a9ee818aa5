//! Where a run is worked on: beside its place, in a folder of claims and attempts that goes when the run is finished.
//!
//! ```text
//! OUT/runs/ID                                a finished run, which nothing replaces
//! OUT/runs/.ID.work/claim-N                  who does the run, or did (`claim.rs`)
//! OUT/runs/.ID.work/attempt-N-TOKEN/         what the holder of that claim writes; it counts once it has a spec
//! OUT/runs/.ID.work/failed.json              why the last attempt failed, if it did
//! ```
//!
//! Older programs worked in `OUT/runs/ID` itself. What they left there unfinished becomes an attempt.

use std::fs;
use std::path::{Path, PathBuf};

use inkling_files::atomic::sync_folder;
use serde_json::Value;

use crate::claim::{self, Claim, ClaimRule, ClaimSeen, Pulse, Refused, Watch};
use crate::error::{StoreError, is_run_id};
use crate::files;
use crate::run::{RESULT, RunDir, SPEC};

const WORK: &str = ".work";
const DONE: &str = ".done-";
const ATTEMPT: &str = "attempt-";
/// Why the last attempt failed.
const FAILED: &str = "failed.json";

/// The places of one run.
#[derive(Clone, Debug)]
pub(crate) struct Workplace {
    runs: PathBuf,
    pub(crate) id: String,
}

impl Workplace {
    pub(crate) fn new(runs: PathBuf, id: &str) -> Self {
        Self { runs, id: id.to_owned() }
    }

    /// Where the run is once it is finished.
    pub(crate) fn home(&self) -> PathBuf {
        self.runs.join(&self.id)
    }

    /// Where it is worked on.
    pub(crate) fn work(&self) -> PathBuf {
        self.runs.join(format!(".{}{WORK}", self.id))
    }

    pub(crate) fn failed(&self) -> PathBuf {
        self.work().join(FAILED)
    }

    /// The folder that shows how far the run has come. It need not exist.
    pub(crate) fn folder(&self) -> PathBuf {
        let home = self.home();
        if is_there(&home) {
            return home;
        }
        self.newest_attempt().unwrap_or(home)
    }

    /// The last attempt that has a spec: what came before it is in it.
    pub(crate) fn newest_attempt(&self) -> Option<PathBuf> {
        self.attempts().filter(|(_, folder)| folder.join(SPEC).exists()).max().map(|(_, folder)| folder)
    }

    fn attempts(&self) -> impl Iterator<Item = (u64, PathBuf)> {
        let entries = fs::read_dir(self.work()).into_iter().flatten().flatten();
        entries.filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix(ATTEMPT)?.split('-').next()?.parse().ok()?;
            Some((number, entry.path()))
        })
    }

    pub(crate) fn attempt_of(&self, claim: &Claim) -> PathBuf {
        self.work().join(format!("{ATTEMPT}{}-{}", claim.number, claim.token))
    }

    /// Removes all attempts but that in `folder`. They only take space.
    pub(crate) fn remove_attempts_but(&self, folder: &Path) {
        for (_, other) in self.attempts().filter(|(_, other)| other != folder) {
            let _ = fs::remove_dir_all(other);
        }
        let _ = fs::remove_file(self.failed());
    }

    /// Claims the run, and brings to its place what a process left finished that was killed right before. What lies in the
    /// place of a finished run and is none becomes this claim's attempt.
    ///
    /// # Errors
    /// [`StoreError::Claimed`], [`StoreError::AlreadyFinished`], [`StoreError::Linked`], and as for any write.
    pub(crate) fn claim(&self, rule: ClaimRule, watch: &Watch) -> Result<Claim, StoreError> {
        let claim = self.take(rule, watch)?;
        let home = self.home();
        if is_there(&home) {
            match RunDir::at(&home).finished::<Value>() {
                Ok(Some(_)) => {
                    claim.end();
                    self.discard();
                    return Err(StoreError::AlreadyFinished { path: home });
                }
                Ok(None) | Err(StoreError::Damaged { .. }) => self.take_back(&claim)?,
                Err(other) => return Err(other),
            }
        } else if let Some(attempt) = self.newest_attempt()
            && let Ok(Some(_)) = RunDir::attempt(&self.id, attempt.clone()).finished::<Value>()
            && let Some(result) = files::read(&attempt.join(RESULT))?
        {
            self.place(&attempt, &result)?;
            claim.end();
            self.discard();
            return Err(StoreError::AlreadyFinished { path: home });
        }
        Ok(claim)
    }

    /// Takes back the result of the run where `is_wrong` says so of what is there by now.
    pub(crate) fn withdraw(
        &self,
        rule: ClaimRule,
        watch: &Watch,
        is_wrong: impl FnOnce(&RunDir) -> bool,
    ) -> Result<(), StoreError> {
        let claim = self.take(rule, watch)?;
        let home = self.home();
        if is_there(&home) && is_wrong(&RunDir::at(&home)) { self.take_back(&claim) } else { Ok(()) }
    }

    fn take(&self, rule: ClaimRule, watch: &Watch) -> Result<Claim, StoreError> {
        for folder in [self.home(), self.work()] {
            refuse_link(&folder)?;
        }
        Claim::take(&self.work(), rule, watch).map_err(|refused| match refused {
            Refused::Held(seen, pulse) => StoreError::Claimed {
                path: self.home(),
                claimant: seen.claimant.map(Box::new),
                lives: pulse == Pulse::Lives,
            },
            Refused::Failed(error) => error,
        })
    }

    /// Makes what lies in the run's place the attempt of this claim. Nobody writes there.
    fn take_back(&self, claim: &Claim) -> Result<(), StoreError> {
        let attempt = self.attempt_of(claim);
        files::rename(&self.home(), &attempt)?;
        files::remove(&attempt.join(RESULT))?;
        sync_folder(&self.runs)?;
        Ok(())
    }

    /// Gives the finished attempt in `folder`, whose result has these bytes, its place. The file system does this for one
    /// folder only: none replaces another that is not empty.
    pub(crate) fn place(&self, folder: &Path, result: &[u8]) -> Result<(), StoreError> {
        let home = self.home();
        if home.is_symlink() {
            return Err(StoreError::Linked { path: home });
        }
        if let Err(source) = fs::rename(folder, &home) {
            // A server may do what it is asked and lose the answer; and whoever found this attempt finished gave it its place.
            return match files::read(&home.join(RESULT)) {
                Ok(Some(there)) if there == result => Ok(()),
                Ok(Some(_)) => Err(StoreError::AlreadyFinished { path: home }),
                _ => Err(StoreError::writing(&home, source)),
            };
        }
        Ok(sync_folder(&self.runs)?)
    }

    /// Removes the claims and attempts of a run that is finished: all at once, so that nobody adds to what is left of them.
    /// What cannot be removed only takes space.
    pub(crate) fn discard(&self) {
        let to = self.runs.join(format!(".{}{DONE}{}", self.id, claim::token()));
        if fs::rename(self.work(), &to).is_ok() {
            let _ = fs::remove_dir_all(to);
        }
    }

    /// The last claim of the run, if it was ever claimed and is not finished.
    pub(crate) fn seen(&self) -> Result<Option<ClaimSeen>, StoreError> {
        ClaimSeen::last(&self.work())
    }
}

/// Removes what is left of the work on finished runs in the folder `runs`.
pub(crate) fn clean_up(runs: &Path) {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Some((id, rest)) = name.to_str().and_then(run_of) else { continue };
        if path.is_symlink() || !path.is_dir() {
            continue;
        }
        if rest.starts_with(DONE) {
            let _ = fs::remove_dir_all(path);
        } else if runs.join(id).join(RESULT).is_file() {
            Workplace::new(runs.to_owned(), id).discard();
        }
    }
}

/// The run of which a folder of this name holds the work, and the rest of the name.
pub(crate) fn run_of(name: &str) -> Option<(&str, &str)> {
    let (id, rest) = name.strip_prefix('.')?.split_at_checked(16)?;
    let is_ours = is_run_id(id.as_bytes()) && (rest == WORK || rest.starts_with(DONE));
    is_ours.then_some((id, rest))
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Nothing is written or removed through a link: the folder that it leads to belongs to somebody else.
fn refuse_link(folder: &Path) -> Result<(), StoreError> {
    if folder.is_symlink() { Err(StoreError::Linked { path: folder.to_owned() }) } else { Ok(()) }
}
