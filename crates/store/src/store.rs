//! A study's output folder: its runs, and what is published beside them.

use std::fs;
use std::path::{Component, Path, PathBuf};

use inkling_files::atomic::{check_writable, create_child, create_folder, sync_folder};
use inkling_files::{Lock, sealed};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::claim::{ClaimRule, ClaimSeen, Pulse, Watch};
use crate::error::{StoreError, is_run_id};
use crate::places::{self, PUBLISHED, RUNS};
use crate::run::{RunDir, RunWriter};
use crate::workplace::Workplace;
use crate::{atomic, files, lock};

/// A study's output folder to read. It takes no lock: every file in it is whole at any time.
#[derive(Clone, Debug)]
pub struct Reader {
    out: PathBuf,
}

impl Reader {
    /// Opens the output folder `out`.
    ///
    /// # Errors
    /// [`StoreError::NoFolder`] where it is not there, [`StoreError::NotAFolder`] where it is a file, [`StoreError::NotAStudy`] where no study was ever written to it,
    /// [`StoreError::Io`] where it may not be looked into.
    pub fn open(out: &Path) -> Result<Self, StoreError> {
        let path = out.to_owned();
        match files::kind(out)? {
            None => return Err(StoreError::NoFolder { path }),
            Some(kind) if !kind.is_dir() => return Err(StoreError::NotAFolder { path }),
            Some(_) => {}
        }
        match files::kind(&out.join(RUNS))? {
            Some(kind) if kind.is_dir() => Ok(Self { out: path }),
            _ => Err(StoreError::NotAStudy { path }),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.out
    }

    /// The run `id`, which need not exist.
    ///
    /// # Panics
    /// When `id` is not one plain folder name.
    pub fn run(&self, id: &str) -> RunDir {
        assert_plain(Path::new(id), 1);
        RunDir::new(self.workplace(id))
    }

    fn workplace(&self, id: &str) -> Workplace {
        Workplace::new(self.out.join(RUNS), id)
    }

    /// The last claim of the run `id`, which says who does it or did; none where nobody has, or where it is finished.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    ///
    /// # Panics
    /// When `id` is not one plain folder name.
    pub fn claim(&self, id: &str) -> Result<Option<ClaimSeen>, StoreError> {
        assert_plain(Path::new(id), 1);
        self.workplace(id).seen()
    }

    /// Takes a look at a claim of the run `id`, and says what all looks of `watch` at it together tell.
    ///
    /// # Panics
    /// When `id` is not one plain folder name.
    pub fn pulse(&self, id: &str, seen: &ClaimSeen, watch: &Watch) -> Pulse {
        assert_plain(Path::new(id), 1);
        watch.look(&self.workplace(id).work(), seen)
    }

    /// Why the last attempt at the run `id` failed, as it was noted with [`Store::note_failure`]; none where it did not.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    ///
    /// # Panics
    /// When `id` is not one plain folder name.
    pub fn failure<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>, StoreError> {
        assert_plain(Path::new(id), 1);
        files::read_json(&self.workplace(id).failed())
    }

    /// Every finished run, and every one that an older program began, in no particular order.
    pub fn runs(&self) -> impl Iterator<Item = RunDir> {
        let entries = fs::read_dir(self.out.join(RUNS)).into_iter().flatten().flatten();
        entries
            .filter(|entry| is_run_id(entry.file_name().as_encoded_bytes()))
            .map(|entry| RunDir::at(&entry.path()))
    }

    /// The value of a JSON file such as `summary.json`, or `None` where there is no such file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is no `T`, or not what was published; [`StoreError::NewerFormat`] where a newer
    /// program published it in a format of its own.
    pub fn json<T: DeserializeOwned>(&self, relative: impl AsRef<Path>) -> Result<Option<T>, StoreError> {
        files::read_json(&self.out.join(relative))
    }
}

/// A study's output folder to write. Threads may share it; each run has one writer, which holds the claim of that run.
///
/// What there is once in a folder (the record of the study, the report) is written by whoever has [opened](Store::open) it and
/// so holds its lock. Others [join](Store::join) it, and do runs only.
#[derive(Debug)]
pub struct Store {
    reader: Reader,
    /// None where the folder was joined.
    lock: Option<Lock>,
    rule: ClaimRule,
    watch: Watch,
}

impl Store {
    /// Creates the output folder `out` where it is missing, locks it, checks that it can be written, and
    /// removes the temporary files that killed processes left.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where a live process holds it, [`StoreError::MayBeRunning`] where one may,
    /// [`StoreError::InsideStore`] where it lies among the files of another one, [`StoreError::NotAStore`] where it is
    /// somebody else's and holds what would be written over, [`StoreError::CannotWrite`] where it is read-only or no folder, [`StoreError::DiskFull`] where not even the holder's name fits.
    pub fn open(out: &Path) -> Result<Self, StoreError> {
        if let Some(store) = places::enclosing(out) {
            return Err(StoreError::InsideStore { path: out.to_owned(), store });
        }
        if let Some(found) = places::taken(out) {
            return Err(StoreError::NotAStore { path: out.to_owned(), found });
        }
        create_folder(out)?;
        let lock = lock::take(out)?;
        let runs = out.join(RUNS);
        create_folder(&runs)?;
        for folder in [out, &runs] {
            // An old lock file opens for writing even where no file can be created any more.
            check_writable(folder)?;
        }
        // What looks left over may be another process's, unless the lock says that there is none.
        if !lock.is_missing() && lock.elsewhere().is_none() {
            places::clean_up(out);
        }
        Ok(Self::new(Reader { out: out.to_owned() }, Some(lock)))
    }

    /// Joins whoever works in the output folder `out`, which exists, to do runs in it. Takes no lock, and cleans nothing up.
    ///
    /// # Errors
    /// As [`Reader::open`], and [`StoreError::CannotWrite`] where it is read-only.
    pub fn join(out: &Path) -> Result<Self, StoreError> {
        let reader = Reader::open(out)?;
        check_writable(&out.join(RUNS))?;
        Ok(Self::new(reader, None))
    }

    fn new(reader: Reader, lock: Option<Lock>) -> Self {
        Self { reader, lock, rule: ClaimRule::default(), watch: Watch::default() }
    }

    /// The same, claiming runs by another rule.
    #[must_use]
    pub fn with_claims(self, rule: ClaimRule) -> Self {
        Self { rule, ..self }
    }

    /// What a person should know about who else writes, or wrote, to this folder, each a sentence or two.
    pub fn notes(&self) -> Vec<String> {
        self.lock.as_ref().map(|lock| lock::notes(lock, self.reader.path())).unwrap_or_default()
    }

    /// The folder, to be read.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The run `id`, to be read; it need not exist.
    pub fn run(&self, id: &str) -> RunDir {
        self.reader.run(id)
    }

    /// Begins the run `id` from nothing: drops whatever an earlier attempt left and writes `spec.json`. The newest checkpoint
    /// that is there is kept aside as `checkpoint.unfit.safetensors`, which nothing reads, until the run is finished.
    ///
    /// # Errors
    /// [`StoreError::Claimed`] where another process does the run, or may; [`StoreError::AlreadyFinished`] where it is finished
    /// and sound. Otherwise as for any write.
    ///
    /// # Panics
    /// When `id` is not one plain folder name.
    pub fn begin<S: Serialize + ?Sized>(&self, id: &str, spec: &S) -> Result<RunWriter<'_>, StoreError> {
        let workplace = self.workplace(id);
        let claim = workplace.claim(self.rule, &self.watch)?;
        RunWriter::begin(workplace, claim, spec)
    }

    /// Takes back the result of the run `id` where `is_wrong` finds, once nobody else does the run, that it is not what it
    /// should be: the run is then unfinished, and can be resumed where it kept its last checkpoint.
    ///
    /// # Errors
    /// [`StoreError::Claimed`] where another process does the run, or may; otherwise as for any write.
    ///
    /// # Panics
    /// When `id` is not one plain folder name.
    pub fn withdraw(&self, id: &str, is_wrong: impl FnOnce(&RunDir) -> bool) -> Result<(), StoreError> {
        self.workplace(id).withdraw(self.rule, &self.watch, is_wrong)
    }

    /// Goes on with the run `id` where it left a checkpoint under the same spec, in this process or another; otherwise
    /// `None`, and the caller begins. Which of the [`RunDir::checkpoints`] is fit to go on from is for the caller to find out.
    ///
    /// # Errors
    /// As [`begin`](Self::begin), and [`StoreError::Io`] where the spec cannot be read.
    ///
    /// # Panics
    /// When `id` is not one plain folder name.
    pub fn resume<S: Serialize + ?Sized>(
        &self,
        id: &str,
        spec: &S,
    ) -> Result<Option<RunWriter<'_>>, StoreError> {
        let workplace = self.workplace(id);
        // Without a claim, so that none is taken for nothing.
        if !self.run(id).can_be_resumed(spec)? {
            return Ok(None);
        }
        let claim = workplace.claim(self.rule, &self.watch)?;
        RunWriter::resume(workplace, claim, spec)
    }

    /// Begins the run `id` where the finished run `earlier` ended, which was the same but for its length: with a copy of its
    /// metrics and of its last checkpoint. `None` where it left no whole checkpoint; the caller then begins.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    ///
    /// # Panics
    /// When `id` is not one plain folder name.
    pub fn begin_from<S: Serialize + ?Sized>(
        &self,
        id: &str,
        spec: &S,
        earlier: &RunDir,
    ) -> Result<Option<RunWriter<'_>>, StoreError> {
        let workplace = self.workplace(id);
        let claim = || workplace.claim(self.rule, &self.watch);
        RunWriter::begin_from(workplace.clone(), claim, spec, earlier)
    }

    /// Takes a look at a claim of the run `id`, and says what all looks of this store at it together tell.
    ///
    /// # Panics
    /// When `id` is not one plain folder name.
    pub fn pulse(&self, id: &str, seen: &ClaimSeen) -> Pulse {
        self.reader.pulse(id, seen, &self.watch)
    }

    /// Notes why an attempt at the run `id` failed, until the next attempt.
    ///
    /// # Errors
    /// As for any write.
    ///
    /// # Panics
    /// When `id` is not one plain folder name.
    pub fn note_failure<T: Serialize + ?Sized>(&self, id: &str, failure: &T) -> Result<(), StoreError> {
        let workplace = self.workplace(id);
        create_child(&workplace.work())?;
        atomic::write(&workplace.failed(), &sealed::to_json(failure))
    }

    fn workplace(&self, id: &str) -> Workplace {
        assert_plain(Path::new(id), 1);
        self.reader.workplace(id)
    }

    /// Writes a file beside the runs, such as `report.pdf` or `figures/scatter.svg`, in place of its old
    /// version.
    ///
    /// # Errors
    /// As for any write.
    ///
    /// # Panics
    /// When `relative` is not a plain path directly in the folder, in `figures` or in `tables`, where
    /// [`open`](Self::open) looks for what killed processes left, or has a name that is the store's own.
    pub fn publish(&self, relative: impl AsRef<Path>, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.published(relative.as_ref());
        if let Some(folder) = path.parent().filter(|folder| *folder != self.reader.out) {
            create_child(folder)?;
        }
        atomic::write(&path, bytes)
    }

    /// Where a published file lies.
    fn published(&self, relative: &Path) -> PathBuf {
        assert!(self.lock.is_some(), "only one process at a time publishes: who has opened the folder");
        assert_plain(relative, 2);
        let folder = relative.parent().unwrap_or(Path::new(""));
        let known = folder.as_os_str().is_empty() || PUBLISHED.iter().any(|known| folder == Path::new(known));
        let hidden = relative.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        assert!(
            known && !hidden && relative != Path::new(RUNS),
            "`{}` is not for publishing",
            relative.display()
        );
        self.reader.out.join(relative)
    }

    /// Removes a file beside the runs that was published earlier, so that a power cut does not bring it back; that it is not
    /// there is fine.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`] or [`StoreError::Io`].
    ///
    /// # Panics
    /// As [`publish`](Self::publish).
    pub fn remove(&self, relative: impl AsRef<Path>) -> Result<(), StoreError> {
        let path = self.published(relative.as_ref());
        if !path.exists() {
            return Ok(());
        }
        files::remove(&path)?;
        path.parent().map_or(Ok(()), sync_folder)?;
        Ok(())
    }

    /// Gives a file beside the runs that was published earlier another name in the same folder, in place of what has that name;
    /// that there is no such file is fine.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`] or [`StoreError::Io`].
    ///
    /// # Panics
    /// As [`publish`](Self::publish).
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let [from, to] = [from.as_ref(), to.as_ref()].map(|relative| self.published(relative));
        files::rename(&from, &to)?;
        to.parent().map_or(Ok(()), sync_folder)?;
        Ok(())
    }

    /// Writes `value` as a sealed JSON document beside the runs, as [`publish`](Self::publish) does: with the members
    /// `format` and `checksum`, which [`Reader::json`] checks and takes off.
    ///
    /// # Errors
    /// As for any write.
    ///
    /// # Panics
    /// As [`publish`](Self::publish).
    pub fn publish_json<T: Serialize + ?Sized>(
        &self,
        relative: impl AsRef<Path>,
        value: &T,
    ) -> Result<(), StoreError> {
        self.publish(relative, &sealed::to_json(value))
    }
}

fn assert_plain(relative: &Path, depth: usize) {
    let count = relative.components().count();
    let plain = relative.components().all(|component| matches!(component, Component::Normal(_)));
    assert!(plain && (1..=depth).contains(&count), "`{}` leads elsewhere", relative.display());
}
