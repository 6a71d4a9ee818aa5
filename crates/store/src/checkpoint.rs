//! Checkpoints: what an interrupted run goes on from, sealed with a checksum and marked with its run and its format.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::metrics::Known;
use crate::tensors::{self, Metadata, Tensor, Tensors};

/// The format that this program writes, and the newest that it reads. Every format is sealed alike.
const FORMAT: u32 = 1;

// Keys of the metadata.
const FORMAT_KEY: &str = "format";
const RUN: &str = "run";
const METRICS_LINES: &str = "metrics_lines";
const METRICS_CHECKSUM: &str = "metrics_checksum";
/// All that the store itself adds to a checkpoint's metadata.
const OWN_KEYS: [&str; 5] = [FORMAT_KEY, RUN, METRICS_LINES, METRICS_CHECKSUM, tensors::SEAL];

/// A whole checkpoint of one run, in memory.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: Tensors,
    known: Known,
}

impl Checkpoint {
    /// Reads the checkpoint at `path`, which the run `id` should have written.
    pub(crate) fn read(path: &Path, id: &str) -> Result<Self, StoreError> {
        let tensors = Tensors::read(path)?;
        // Before anything that it says is believed.
        tensors.check_seal()?;
        let number = |key: &str| tensors.metadata(key).and_then(|text| text.parse().ok());
        let no_checkpoint = || StoreError::damaged(path, "it is not a checkpoint, but another tensor file");
        let format = number(FORMAT_KEY).ok_or_else(no_checkpoint)?;
        let format = u32::try_from(format).unwrap_or(u32::MAX);
        if format > FORMAT {
            return Err(StoreError::NewerFormat { path: path.to_owned(), found: format, known: FORMAT });
        }
        let run = tensors.metadata(RUN).ok_or_else(no_checkpoint)?;
        if run != id {
            return Err(StoreError::ForeignCheckpoint { path: path.to_owned(), found: run.to_owned() });
        }
        let lines = number(METRICS_LINES).ok_or_else(no_checkpoint)?;
        let checksum = tensors.metadata(METRICS_CHECKSUM).ok_or_else(no_checkpoint)?.to_owned();
        Ok(Self { path: path.to_owned(), known: Known { lines, checksum }, tensors })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tensors and metadata that it was written with.
    pub fn tensors(&self) -> &Tensors {
        &self.tensors
    }

    /// Writes it again, as the newest checkpoint of the run `id`, at `newest`.
    pub(crate) fn copy_to(&self, newest: &Path, id: &str) -> Result<(), StoreError> {
        let copies = self.tensors.copies();
        let metadata =
            self.tensors.all_metadata().into_iter().filter(|(key, _)| !OWN_KEYS.contains(&key.as_str()));
        let metadata = metadata.collect();
        write(newest, None, id, &self.known, &copies, &metadata)
    }

    /// The metrics that were written before it.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }
}

/// Writes a checkpoint of the run `id` at `newest`, moving the one there to `previous` if that is given, and replacing it
/// otherwise.
///
/// A kill leaves the old pair; or, between the two renames, the old newest one alone, as `previous`; or the new pair.
pub(crate) fn write(
    newest: &Path,
    previous: Option<&Path>,
    id: &str,
    known: &Known,
    tensors: &[Tensor],
    metadata: &Metadata,
) -> Result<(), StoreError> {
    let mut metadata = metadata.clone();
    for (key, value) in [
        (FORMAT_KEY, FORMAT.to_string()),
        (RUN, id.to_owned()),
        (METRICS_LINES, known.lines.to_string()),
        (METRICS_CHECKSUM, known.checksum.clone()),
    ] {
        assert!(metadata.insert(key.to_owned(), value).is_none(), "the key `{key}` is the store's own");
    }
    let make_way = || match previous.map(|previous| fs::rename(newest, previous)) {
        Some(Err(error)) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    tensors::write_sealed(newest, tensors, &metadata, make_way)
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
