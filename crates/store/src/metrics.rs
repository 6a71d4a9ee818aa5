//! `metrics.jsonl`: one JSON value a line, appended while a run trains.
//!
//! Rewriting the file for each line would cost two fsyncs an epoch or worse, so this file alone is not
//! written atomically. A kill may tear its last line; a line without its line feed is no line.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::files;

/// The append writer. Dropped without [`sync`](Self::sync), it loses at most the newest lines.
#[derive(Debug)]
pub(crate) struct MetricsWriter {
    path: PathBuf,
    file: BufWriter<File>,
    lines: usize,
    /// Of all lines so far.
    hasher: Sha256,
}

/// The lines that a checkpoint knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) lines: usize,
    /// SHA-256 of the lines, in hexadecimal.
    pub(crate) checksum: String,
}

impl MetricsWriter {
    /// Opens the file at `path` to append to the whole lines that it has; creates it where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let bytes = files::read(path)?.unwrap_or_default();
        Self::open_after(path, whole_lines(&bytes).count(), &bytes)
    }

    /// Opens the file at `path` to append after the lines that are known, and drops the later ones.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it has fewer, or others.
    pub(crate) fn open_at(path: &Path, known: &Known) -> Result<Self, StoreError> {
        let bytes = files::read(path)?.unwrap_or_default();
        let (found, lines) = (whole_lines(&bytes).count(), known.lines);
        if found < lines {
            return Err(StoreError::damaged(path, format!("it has {found} lines and should have {lines}")));
        }
        if files::hex(hash(&bytes, lines)) != known.checksum {
            return Err(StoreError::damaged(path, format!("its first {lines} lines are not those written")));
        }
        Self::open_after(path, lines, &bytes)
    }

    fn open_after(path: &Path, lines: usize, bytes: &[u8]) -> Result<Self, StoreError> {
        let length: usize = whole_lines(bytes).take(lines).map(<[u8]>::len).sum();
        let open = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
            file.set_len(length as u64)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().map_err(|source| StoreError::writing(path, source))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), lines, hasher: hash(bytes, lines) })
    }

    pub(crate) fn append<T: Serialize + ?Sized>(&mut self, line: &T) -> Result<(), StoreError> {
        let mut json = serde_json::to_vec(line).expect("a type given to the store has a JSON form");
        json.push(b'\n');
        self.file.write_all(&json).map_err(|source| StoreError::writing(&self.path, source))?;
        self.lines += 1;
        self.hasher.update(&json);
        Ok(())
    }

    /// Hands all lines to the operating system, for readers to see.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        self.file.flush().map_err(|source| StoreError::writing(&self.path, source))
    }

    /// Brings all lines to the disk, and says which they are.
    pub(crate) fn sync(&mut self) -> Result<Known, StoreError> {
        let mut sync = || -> io::Result<()> {
            self.file.flush()?;
            self.file.get_ref().sync_all()
        };
        sync().map_err(|source| StoreError::writing(&self.path, source))?;
        Ok(Known { lines: self.lines, checksum: files::hex(self.hasher.clone()) })
    }
}

/// The whole lines of the file at `path` as values; none where there is no such file.
///
/// # Errors
/// [`StoreError::Damaged`] with the number of the first whole line that is not a `T`.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, StoreError> {
    let bytes = files::read(path)?.unwrap_or_default();
    let values = whole_lines(&bytes).enumerate().map(|(index, line)| {
        serde_json::from_slice(line)
            .map_err(|error| StoreError::damaged(path, format!("line {}: {error}", index + 1)))
    });
    values.collect()
}

/// The lines of the file at `path` that are known, or `None` where it has fewer, or others.
pub(crate) fn read_known(path: &Path, known: &Known) -> Result<Option<Vec<u8>>, StoreError> {
    let bytes = files::read(path)?.unwrap_or_default();
    let are_these =
        whole_lines(&bytes).count() >= known.lines && files::hex(hash(&bytes, known.lines)) == known.checksum;
    Ok(are_these.then(|| whole_lines(&bytes).take(known.lines).flatten().copied().collect()))
}

/// The hash of the first `lines` lines.
fn hash(bytes: &[u8], lines: usize) -> Sha256 {
    whole_lines(bytes).take(lines).fold(Sha256::new(), Sha256::chain_update)
}

/// The lines that end in a line feed, with it.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_torn_last_line_is_ignored_by_readers_and_dropped_by_the_next_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, "1\n2\n{\"epoch\": 3, \"lo").unwrap();
        assert_eq!(read::<u32>(&path).unwrap(), [1, 2]);

        let mut writer = MetricsWriter::open(&path).unwrap();
        writer.append(&3).unwrap();
        assert_eq!(writer.sync().unwrap(), known("1\n2\n3\n"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    }

    fn known(text: &str) -> Known {
        let lines = text.lines().count();
        Known { lines, checksum: files::hex(hash(text.as_bytes(), lines)) }
    }

    #[test]
    fn lines_after_a_checkpoint_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, "1\n2\n3\n").unwrap();
        let mut writer = MetricsWriter::open_at(&path, &known("1\n")).unwrap();
        writer.append(&20).unwrap();
        assert_eq!(writer.sync().unwrap(), known("1\n20\n"));
        assert_eq!(read::<u32>(&path).unwrap(), [1, 20]);
    }

    #[test]
    fn fewer_or_other_lines_than_a_checkpoint_knows_are_damage_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, "1\n20\n").unwrap();
        for (lines, words) in
            [("1\n20\n3\n", "it has 2 lines and should have 3"), ("1\n2\n", "not those written")]
        {
            let error = MetricsWriter::open_at(&path, &known(lines)).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "1\n20\n");
        }
    }

    #[test]
    fn a_whole_line_that_is_no_value_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, b"1\n\xff\xfe\n3\n").unwrap();
        let error = read::<u32>(&path).unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { .. }) && error.to_string().contains("line 2"),
            "{error}"
        );
        assert!(read::<u32>(&folder.path().join("absent")).unwrap().is_empty());
    }
}
