//! One run's folder: read by anyone, written by whoever holds its claim.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use inkling_files::atomic::create_child;
use inkling_files::sealed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::checkpoint::{self, Checkpoint};
use crate::claim::Claim;
use crate::error::StoreError;
use crate::metrics::{self, MetricsWriter};
use crate::tensors::{self, Metadata, Tensor, Tensors};
use crate::workplace::Workplace;
use crate::{atomic, files};

pub(crate) const SPEC: &str = "spec.json";
const METRICS: &str = "metrics.jsonl";
const MODEL: &str = "model.safetensors";
const CHECKPOINT: &str = "checkpoint.safetensors";
/// The checkpoint before the newest one.
const PREVIOUS: &str = "checkpoint.previous.safetensors";
/// What was the newest checkpoint when the run was begun anew: kept for a person, never read as a checkpoint.
const UNFIT: &str = "checkpoint.unfit.safetensors";
const ARRAYS: &str = "arrays.safetensors";
pub(crate) const RESULT: &str = "result.json";
/// The files that a result may name.
const NEIGHBOURS: [&str; 4] = [SPEC, METRICS, MODEL, ARRAYS];
/// The member of `result.json` that holds the SHA-256 of each neighbour.
const FILES: &str = "files";

/// The SHA-256 of a run's files, by their names.
type Checksums = BTreeMap<String, String>;

/// The tensor files of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorFile {
    /// `model.safetensors`: the trained parameters.
    Model,
    /// `arrays.safetensors`: what figures need beyond the model.
    Arrays,
}

impl TensorFile {
    /// The file's name in the run's folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => MODEL,
            Self::Arrays => ARRAYS,
        }
    }
}

/// A run's folder, finished or not, to be read.
#[derive(Clone, Debug)]
pub struct RunDir {
    id: String,
    place: Place,
}

/// Where a run's files are.
#[derive(Clone, Debug)]
enum Place {
    /// In this folder.
    Folder(PathBuf),
    /// Where the run has come: in its own place, or in that of its newest attempt.
    Wherever(Workplace),
}

impl RunDir {
    pub(crate) fn new(workplace: Workplace) -> Self {
        Self { id: workplace.id.clone(), place: Place::Wherever(workplace) }
    }

    /// Where the folder is. It need not exist. The folder of a run that is not finished is that of its newest attempt, and
    /// changes when another one begins or the run is finished.
    pub fn path(&self) -> PathBuf {
        match &self.place {
            Place::Folder(folder) => folder.clone(),
            Place::Wherever(workplace) => workplace.folder(),
        }
    }

    /// The run whose folder is `folder`, for whoever has no [`Store`](crate::Store) or [`Reader`](crate::Reader) around it.
    pub fn at(folder: &Path) -> Self {
        let id = folder.file_name().and_then(OsStr::to_str).unwrap_or_default().to_owned();
        Self { id, place: Place::Folder(folder.to_owned()) }
    }

    /// The attempt at the run `id` in this folder.
    pub(crate) fn attempt(id: &str, folder: PathBuf) -> Self {
        Self { id: id.to_owned(), place: Place::Folder(folder) }
    }

    /// Whether this program began the run: the spec that it writes first is there.
    pub(crate) fn is_own(&self) -> bool {
        files::begins_sealed(&self.file(SPEC))
    }

    /// The result, or `None` where the run is not finished. The result's own checksum and every file that it names are
    /// checked.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] naming the file, where the result is unreadable, or a file beside it is
    /// missing or not the one that the run wrote. [`Store::begin`](crate::Store::begin) then does the run anew.
    pub fn finished<R: DeserializeOwned>(&self) -> Result<Option<R>, StoreError> {
        let Some((result, checksums)) = self.checked_result()? else { return Ok(None) };
        for (name, expected) in &checksums {
            self.check(name, expected)?;
        }
        let result = serde_json::from_value(result)
            .map_err(|error| StoreError::damaged(&self.result_file(), error.to_string()))?;
        Ok(Some(result))
    }

    /// What the run found, and the SHA-256 of each file that it wrote.
    fn checked_result(&self) -> Result<Option<(Value, Checksums)>, StoreError> {
        let path = self.result_file();
        let Some(mut result) = files::read_json::<Value>(&path)? else { return Ok(None) };
        // Taken out, so that a result type that refuses unknown members can be read.
        let checksums = result.as_object_mut().and_then(|members| members.remove(FILES));
        let checksums: BTreeMap<String, String> =
            checksums.and_then(|checksums| serde_json::from_value(checksums).ok()).ok_or_else(|| {
                StoreError::damaged(&path, format!("it has no member `{FILES}` with checksums"))
            })?;
        // A name becomes a path.
        if let Some(name) = checksums.keys().find(|name| !NEIGHBOURS.contains(&name.as_str())) {
            return Err(StoreError::damaged(
                &path,
                format!("it names the file `{name}`, which no run writes"),
            ));
        }
        Ok(Some((result, checksums)))
    }

    /// Checks that one of the run's files is the one that it wrote.
    fn check(&self, name: &str, expected: &str) -> Result<(), StoreError> {
        let neighbour = self.file(name);
        let reason = match files::sha256(&neighbour)? {
            Some(found) if found == expected => return Ok(()),
            Some(found) => format!("its SHA-256 is {found}, {RESULT} says {expected}"),
            None => format!("{RESULT} names it and it is missing"),
        };
        Err(StoreError::damaged(&neighbour, reason))
    }

    /// The path of one of the run's files, which is checked where the run is finished.
    fn checked(&self, name: &str) -> Result<PathBuf, StoreError> {
        let result = self.checked_result()?;
        if let Some(expected) = result.as_ref().and_then(|(_, checksums)| checksums.get(name)) {
            self.check(name, expected)?;
        }
        Ok(self.file(name))
    }

    /// The result alone, or `None` where the run is not finished: the files that it names are not looked at.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where the result is unreadable.
    pub fn result<R: DeserializeOwned>(&self) -> Result<Option<R>, StoreError> {
        files::read_json(&self.result_file())
    }

    /// The spec that the run was begun with, or `None` where it never was.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is no `S`, or not what the run wrote.
    pub fn spec<S: DeserializeOwned>(&self) -> Result<Option<S>, StoreError> {
        files::read_json(&self.checked(SPEC)?)
    }

    /// The metrics so far, a value a line; a line torn by a kill is left out. Empty where the run wrote none.
    ///
    /// A number that is not finite is `null` in JSON, so a metric that may diverge is an `Option<f64>` in
    /// `T`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the number of a whole line that is no `T`, or where a finished run wrote others.
    pub fn metrics<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        metrics::read(&self.checked(METRICS)?)
    }

    /// What an interrupted run can go on from, the newest first: at most two, read one at a time. A finished run has
    /// none, or its last one.
    ///
    /// # Errors
    /// Each checkpoint is whole and this run's own, or else [`StoreError::Damaged`],
    /// [`StoreError::ForeignCheckpoint`], [`StoreError::NewerFormat`], or [`StoreError::Io`].
    pub fn checkpoints(&self) -> impl Iterator<Item = Result<Checkpoint, StoreError>> {
        let there =
            [CHECKPOINT, PREVIOUS].map(|name| self.file(name)).into_iter().filter(|path| path.exists());
        there.map(|path| Checkpoint::read(&path, self.id()))
    }

    /// The tensors of one file.
    ///
    /// # Errors
    /// [`StoreError::Io`] where there is no such file, [`StoreError::Damaged`] where it is no tensor file, or not the one
    /// that a finished run wrote.
    pub fn tensors(&self, file: TensorFile) -> Result<Tensors, StoreError> {
        Tensors::read(&self.checked(file.name())?)
    }

    /// The bytes of a file of tensors.
    ///
    /// # Errors
    /// As [`RunDir::tensors`].
    pub fn bytes(&self, file: TensorFile) -> Result<Vec<u8>, StoreError> {
        let path = self.checked(file.name())?;
        let missing = || StoreError::reading(&path, io::ErrorKind::NotFound.into());
        files::read(&path)?.ok_or_else(missing)
    }

    /// Removes what a run no longer needs that was killed between its result and the removal: the last checkpoint may be
    /// there for a longer run, the one before is there for nothing.
    pub(crate) fn remove_leftovers(&self) {
        if self.result_file().exists() {
            // They only waste space, so one that cannot be removed stops nothing.
            let _ = self.remove_older_checkpoints();
        }
    }

    /// Removes every checkpoint but the newest, that of an earlier attempt included: nothing needs them once there is a
    /// result.
    fn remove_older_checkpoints(&self) -> Result<(), StoreError> {
        [PREVIOUS, UNFIT].iter().try_for_each(|name| files::remove(&self.file(name)))
    }

    /// The run's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The result, which counts where the run is in its place: an attempt with a result is about to get there.
    fn result_file(&self) -> PathBuf {
        match &self.place {
            Place::Folder(folder) => folder.join(RESULT),
            Place::Wherever(workplace) => workplace.home().join(RESULT),
        }
    }

    /// Whether there is something to go on from that was begun under this spec.
    pub(crate) fn can_be_resumed<S: Serialize + ?Sized>(&self, spec: &S) -> Result<bool, StoreError> {
        let same_spec = match files::read_json::<Value>(&self.file(SPEC)) {
            Ok(found) => found.is_some_and(|found| found == as_read(spec)),
            // The checkpoints say whose they are, so a spec that is damaged is no reason to lose them.
            Err(StoreError::Damaged { .. }) => true,
            Err(other) => return Err(other),
        };
        let has_checkpoint = self.file(CHECKPOINT).exists() || self.file(PREVIOUS).exists();
        Ok(same_spec && has_checkpoint && !self.result_file().exists())
    }
}

/// A run that is being done, in a folder of its own that takes the run's place when it is finished. Dropped without
/// [`finish`](Self::finish), it is left unfinished.
#[derive(Debug)]
pub struct RunWriter<'store> {
    dir: RunDir,
    metrics: Option<MetricsWriter>,
    workplace: Workplace,
    /// Given back after the metrics are in their file.
    claim: Claim,
    /// Nobody goes on writing once the store is closed.
    store: PhantomData<&'store ()>,
}

impl<'store> RunWriter<'store> {
    pub(crate) fn begin<S: Serialize + ?Sized>(
        workplace: Workplace,
        claim: Claim,
        spec: &S,
    ) -> Result<Self, StoreError> {
        let folder = workplace.attempt_of(&claim);
        let before = workplace.newest_attempt();
        // Where the output folder was moved away meanwhile, no other one is begun in its place.
        create_child(&folder)?;
        let dir = RunDir::attempt(&workplace.id, folder);
        // The result goes first and the checkpoints next: without them, whatever a kill leaves of the rest is an
        // unfinished run that nothing resumes.
        files::remove(&dir.file(RESULT))?;
        // Hours of training may be in a checkpoint that this program finds unfit, so the newest is kept aside. It is
        // the last to be moved, so that it is the one that stays.
        for name in [PREVIOUS, CHECKPOINT] {
            files::rename(&dir.file(name), &dir.file(UNFIT))?;
        }
        for name in [METRICS, MODEL, ARRAYS] {
            files::remove(&dir.file(name))?;
        }
        if let Some(before) = before.filter(|before| *before != dir.path()) {
            for name in [UNFIT, PREVIOUS, CHECKPOINT] {
                if before.join(name).exists() {
                    files::remove(&dir.file(UNFIT))?;
                    files::link(&before.join(name), &dir.file(UNFIT))?;
                }
            }
        }
        Self::with_spec(dir, workplace, claim, spec)
    }

    pub(crate) fn resume<S: Serialize + ?Sized>(
        workplace: Workplace,
        claim: Claim,
        spec: &S,
    ) -> Result<Option<Self>, StoreError> {
        let Some(before) = workplace.newest_attempt() else { return Ok(None) };
        let before = RunDir::attempt(&workplace.id, before);
        if !before.can_be_resumed(spec)? {
            return Ok(None);
        }
        let folder = workplace.attempt_of(&claim);
        let dir = RunDir::attempt(&workplace.id, folder.clone());
        if before.path() != folder {
            create_child(&folder)?;
            // Each of these files is replaced and never changed, so a process that was taken for dead cannot reach this
            // attempt through them. The metrics grow: they are copied, and later than the checkpoints that know of them.
            for name in [UNFIT, PREVIOUS, CHECKPOINT] {
                files::link(&before.file(name), &dir.file(name))?;
            }
            let lines = match files::read(&before.file(METRICS)) {
                // Without them, no checkpoint fits.
                Err(StoreError::Damaged { .. }) => None,
                other => other?,
            };
            atomic::write(&dir.file(METRICS), &lines.unwrap_or_default())?;
        }
        Self::with_spec(dir, workplace, claim, spec).map(Some)
    }

    /// Writes the spec, with which the attempt counts, and removes the attempts before it.
    fn with_spec<S: Serialize + ?Sized>(
        dir: RunDir,
        workplace: Workplace,
        claim: Claim,
        spec: &S,
    ) -> Result<Self, StoreError> {
        atomic::write(&dir.file(SPEC), &sealed::to_json(spec))?;
        workplace.remove_attempts_but(&dir.path());
        Ok(Self { dir, metrics: None, workplace, claim, store: PhantomData })
    }

    /// Begins the run with all that the finished run `earlier` left to go on from: its metrics and its last checkpoint,
    /// which becomes this run's own. `None`, and nothing begun, where it left none that is whole.
    pub(crate) fn begin_from<S: Serialize + ?Sized>(
        workplace: Workplace,
        claim: impl FnOnce() -> Result<Claim, StoreError>,
        spec: &S,
        earlier: &RunDir,
    ) -> Result<Option<Self>, StoreError> {
        let Some(Ok(checkpoint)) = earlier.checkpoints().next() else { return Ok(None) };
        let Some(lines) = metrics::read_known(&earlier.file(METRICS), checkpoint.known())? else {
            return Ok(None);
        };
        let writer = Self::begin(workplace, claim()?, spec)?;
        atomic::write(&writer.dir.file(METRICS), &lines)?;
        checkpoint.copy_to(&writer.dir.file(CHECKPOINT), writer.dir.id())?;
        Ok(Some(writer))
    }

    /// Which attempt at the run this is, of those since it was last finished: 1 for the first.
    pub fn attempt(&self) -> u64 {
        self.claim.number
    }

    /// The folder, to be read.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Appends one line to the metrics. It may stay in memory until [`flush_metrics`](Self::flush_metrics),
    /// [`write_checkpoint`](Self::write_checkpoint) or [`finish`](Self::finish).
    ///
    /// # Errors
    /// As for any write; and see [`RunDir::metrics`] about numbers that are not finite.
    pub fn append_metrics<T: Serialize + ?Sized>(&mut self, line: &T) -> Result<(), StoreError> {
        self.open_metrics()?.append(line)
    }

    /// Lets readers see all lines of the metrics so far. A power cut may still lose them.
    ///
    /// # Errors
    /// As for any write.
    pub fn flush_metrics(&mut self) -> Result<(), StoreError> {
        self.open_metrics()?.flush()
    }

    /// Writes what the run can go on from: these tensors and texts, and how far the metrics have come. The newest
    /// checkpoint becomes the one before; a kill at any instant leaves a whole one once there was one.
    ///
    /// # Errors
    /// As for any write.
    ///
    /// # Panics
    /// When two tensors have one name, or a key of the metadata is one of the store's own: `checksum`, `format`,
    /// `metrics_checksum`, `metrics_lines`, `run`.
    pub fn write_checkpoint(&mut self, tensors: &[Tensor], metadata: &Metadata) -> Result<(), StoreError> {
        self.check_claim(self.claim.is_lost())?;
        let known = self.open_metrics()?.sync()?;
        let (newest, previous) = (self.dir.file(CHECKPOINT), self.dir.file(PREVIOUS));
        let written = checkpoint::write(&newest, Some(&previous), self.dir.id(), &known, tensors, metadata);
        self.unless_lost(written)
    }

    /// As [`write_checkpoint`](Self::write_checkpoint), but the new checkpoint takes the place of the newest one, and the
    /// one before stays what it is.
    ///
    /// # Errors
    /// As for any write.
    ///
    /// # Panics
    /// As [`write_checkpoint`](Self::write_checkpoint).
    pub fn replace_checkpoint(&mut self, tensors: &[Tensor], metadata: &Metadata) -> Result<(), StoreError> {
        self.check_claim(self.claim.is_lost())?;
        let known = self.open_metrics()?.sync()?;
        let newest = self.dir.file(CHECKPOINT);
        self.unless_lost(checkpoint::write(&newest, None, self.dir.id(), &known, tensors, metadata))
    }

    /// Goes on from `checkpoint`: keeps the metrics that it knows of, and removes a newer checkpoint, which the caller
    /// has found unfit.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where the metrics are not those that the checkpoint knows of; then nothing is changed.
    /// Otherwise as for any write.
    pub fn go_on_from(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        // The old writer's lines must be in the file before it is cut.
        self.metrics = None;
        self.metrics = Some(MetricsWriter::open_at(&self.dir.file(METRICS), checkpoint.known())?);
        if checkpoint.path() == self.dir.file(PREVIOUS) {
            // The next checkpoint would put it in the place of the only whole one.
            files::remove(&self.dir.file(CHECKPOINT))?;
        }
        Ok(())
    }

    /// Writes one of the tensor files; a kill leaves the old one or the new one.
    ///
    /// # Errors
    /// As for any write.
    ///
    /// # Panics
    /// When two tensors have one name.
    pub fn write_tensors(
        &self,
        file: TensorFile,
        tensors: &[Tensor],
        metadata: &Metadata,
    ) -> Result<(), StoreError> {
        self.unless_lost(tensors::write(&self.dir.file(file.name()), tensors, metadata))
    }

    /// Finishes the run: writes `result.json`, which is `result` and a member `files` with the SHA-256 of each file beside it,
    /// removes the checkpoints, which nothing needs any more, and gives the folder its place among the finished runs. A run
    /// that is there already is never replaced.
    ///
    /// `result` serializes to a JSON object without the members `files`, `format` and `checksum`. A number that is not finite becomes
    /// `null`.
    ///
    /// # Errors
    /// As for any write, and [`StoreError::AlreadyFinished`] and [`StoreError::ClaimLost`] where another process has done the
    /// run, or does it; this attempt is then left unfinished.
    pub fn finish<R: Serialize + ?Sized>(self, result: &R) -> Result<(), StoreError> {
        self.publish(result, true)
    }

    /// As [`finish`](Self::finish), but the newest checkpoint stays, for a longer run to go on from
    /// ([`Store::begin_from`](crate::Store::begin_from)).
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_for_more<R: Serialize + ?Sized>(self, result: &R) -> Result<(), StoreError> {
        self.publish(result, false)
    }

    fn publish<R: Serialize + ?Sized>(mut self, result: &R, is_last: bool) -> Result<(), StoreError> {
        #[derive(Serialize)]
        struct Published<'a, R: ?Sized> {
            #[serde(flatten)]
            result: &'a R,
            files: BTreeMap<&'static str, String>,
        }

        if let Some(mut metrics) = self.metrics.take() {
            metrics.sync()?;
        }
        self.check_claim(self.claim.is_lost_by_now())?;
        let mut checksums = BTreeMap::new();
        for name in NEIGHBOURS {
            if let Some(checksum) = files::sha256(&self.dir.file(name))? {
                checksums.insert(name, checksum);
            }
        }
        let published = sealed::to_json(&Published { result, files: checksums });
        // From here on the run is done, whoever gives it its place.
        self.unless_lost(atomic::write(&self.dir.file(RESULT), &published))?;
        if is_last {
            files::remove(&self.dir.file(CHECKPOINT))?;
        }
        self.dir.remove_older_checkpoints()?;
        let Self { dir, workplace, claim, .. } = self;
        workplace.place(&dir.path(), &published)?;
        claim.end();
        workplace.discard();
        Ok(())
    }

    /// Says that the run is another process's, where it is.
    fn check_claim(&self, is_lost: bool) -> Result<(), StoreError> {
        let path = || self.workplace.home();
        if is_lost { Err(StoreError::ClaimLost { path: path() }) } else { Ok(()) }
    }

    /// What went wrong; where another process has taken over and with it this attempt's folder, it is that.
    fn unless_lost<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.or_else(|error| self.check_claim(self.claim.is_lost_by_now()).and(Err(error)))
    }

    fn open_metrics(&mut self) -> Result<&mut MetricsWriter, StoreError> {
        match &mut self.metrics {
            Some(metrics) => Ok(metrics),
            closed => Ok(closed.insert(MetricsWriter::open(&self.dir.file(METRICS))?)),
        }
    }
}

/// A value as it reads back from its JSON.
fn as_read<T: Serialize + ?Sized>(value: &T) -> Value {
    sealed::from_json(&sealed::to_json(value)).expect("what was just sealed is sound")
}
