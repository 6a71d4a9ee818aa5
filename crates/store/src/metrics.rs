//! `metrics.jsonl`: one JSON value a line, appended while a run trains.
//!
//! Rewriting the file for each line would cost two fsyncs an epoch or worse, so this file alone is not
//! written atomically. A kill may tear its last line; a line without its line feed is no line.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::files;

/// The append writer. Dropped without [`sync`](Self::sync), it loses at most the newest lines.
#[derive(Debug)]
pub(crate) struct MetricsWriter {
    path: PathBuf,
    file: BufWriter<File>,
    lines: usize,
}

impl MetricsWriter {
    /// Opens the file at `path` to append to the whole lines that it has; creates it where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let bytes = files::read(path)?.unwrap_or_default();
        Self::open_after(path, whole_lines(&bytes).count(), &bytes)
    }

    /// Opens the file at `path` to append after its first `lines` lines, and drops the later ones.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it has fewer.
    pub(crate) fn open_at(path: &Path, lines: usize) -> Result<Self, StoreError> {
        Self::open_after(path, lines, &files::read(path)?.unwrap_or_default())
    }

    fn open_after(path: &Path, lines: usize, bytes: &[u8]) -> Result<Self, StoreError> {
        let found = whole_lines(bytes).count();
        if found < lines {
            return Err(StoreError::damaged(path, format!("it has {found} lines and should have {lines}")));
        }
        let length: usize = whole_lines(bytes).take(lines).map(<[u8]>::len).sum();
        let open = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
            file.set_len(length as u64)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().map_err(|source| StoreError::writing(path, source))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), lines })
    }

    pub(crate) fn append<T: Serialize + ?Sized>(&mut self, line: &T) -> Result<(), StoreError> {
        let mut json = serde_json::to_vec(line).expect("a type given to the store has a JSON form");
        json.push(b'\n');
        self.file.write_all(&json).map_err(|source| StoreError::writing(&self.path, source))?;
        self.lines += 1;
        Ok(())
    }

    /// Brings all lines to the disk and counts them.
    pub(crate) fn sync(&mut self) -> Result<usize, StoreError> {
        let mut sync = || -> io::Result<()> {
            self.file.flush()?;
            self.file.get_ref().sync_all()
        };
        sync().map_err(|source| StoreError::writing(&self.path, source))?;
        Ok(self.lines)
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
        assert_eq!(writer.sync().unwrap(), 3);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    }

    #[test]
    fn lines_after_a_checkpoint_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, "1\n2\n3\n").unwrap();
        let mut writer = MetricsWriter::open_at(&path, 1).unwrap();
        writer.append(&20).unwrap();
        drop(writer);
        assert_eq!(read::<u32>(&path).unwrap(), [1, 20]);
        let error = MetricsWriter::open_at(&path, 3).unwrap_err();
        assert!(error.to_string().contains("it has 2 lines and should have 3"), "{error}");
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
