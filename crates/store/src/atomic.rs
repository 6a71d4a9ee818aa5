//! Replacing a file so that a kill at any instant leaves the old version or the new one.
//!
//! The new bytes go to a temporary file in the same folder, reach the disk (fsync), and only then take the
//! name (rename); the folder reaches the disk last. Leaving out the first fsync lets some file systems put
//! the rename on the disk before the data, and a power cut then leaves an empty file (Pillai et al., "All
//! File Systems Are Not Created Equal", OSDI 2014).

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::StoreError;

const PREFIX: &str = ".inkling-";
const SUFFIX: &str = ".tmp";

/// Replaces the file at `path` by `bytes`, or creates it.
///
/// # Errors
/// [`StoreError::CannotWrite`], [`StoreError::DiskFull`] or [`StoreError::Io`]. The old version is then
/// untouched, unless only the last step failed, the fsync of the folder: then the new version is whole and in
/// place, but a power cut may still undo it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let failed = |source| StoreError::writing(path, source);
    write_after(path, |file| file.write_all(bytes).map_err(failed), || Ok(()))
}

/// Replaces the file at `path` by what `fill` writes, as [`write`] does: for contents that should not be in memory whole.
/// `fill` may fail for reasons of its own; `make_way` runs once the new bytes are on the disk, right before they take the
/// name.
pub(crate) fn write_after(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> Result<(), StoreError>,
    make_way: impl FnOnce() -> io::Result<()>,
) -> Result<(), StoreError> {
    let folder = folder_of(path);
    let failed = |source| StoreError::writing(path, source);
    let mut temporary = Temporary::create(folder).map_err(failed)?;
    let mut buffered = BufWriter::new(&temporary.file);
    fill(&mut buffered)?;
    buffered.flush().map_err(failed)?;
    drop(buffered);
    let replace = || {
        temporary.file.sync_all()?;
        make_way()?;
        fs::rename(&temporary.path, path)?;
        temporary.renamed = true;
        Ok(())
    };
    replace().map_err(failed)?;
    sync_folder(folder)
}

/// Checks that files can be created in `folder`, and leaves none.
pub(crate) fn check_writable(folder: &Path) -> Result<(), StoreError> {
    Temporary::create(folder).map(drop).map_err(|source| StoreError::writing(folder, source))
}

/// Removes the temporary files that killed processes left in `folder`. Only safe while no other process
/// writes there.
///
/// A leftover only wastes space, so one that cannot be removed, or a folder that cannot be listed, stops
/// nothing.
pub(crate) fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_temporary) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes the entries of `folder` durable: a file's name lives in its folder, which fsync of the file leaves
/// alone.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    // Only Unix opens a folder as a file; elsewhere the rename is as durable as the system makes it.
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(or_current(folder)).and_then(|file| file.sync_all()) {
        // Some network file systems cannot sync a folder at all. That weakens durability, not atomicity.
        Err(source) if matches!(source.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        Err(source) => Err(StoreError::writing(folder, source)),
        Ok(()) => Ok(()),
    }
}

fn folder_of(path: &Path) -> &Path {
    or_current(path.parent().unwrap_or(path))
}

/// The parent of a bare file name is the empty path, which no system call takes.
fn or_current(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

fn is_temporary(name: &str) -> bool {
    let numbers = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    numbers
        .and_then(|numbers| numbers.split_once('-'))
        .is_some_and(|(process, count)| process.parse::<u32>().is_ok() && count.parse::<u64>().is_ok())
}

/// A file that removes itself unless it was renamed.
struct Temporary {
    file: File,
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    fn create(folder: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{PREFIX}{}-{count}{SUFFIX}", process::id()));
            match File::create_new(&path) {
                Ok(file) => return Ok(Self { file, path, renamed: false }),
                // Process ids are reused, and two containers that share a folder may both be process 1.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // The failure that brought us here is the one to report.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_new_version_replaces_the_old_one_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a file – é 墨.json");
        write(&path, b"old, and longer").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a file – é 墨.json"]);
    }

    #[test]
    fn a_failure_keeps_the_old_version_and_removes_the_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, b"old").unwrap();
        let fill = |file: &mut BufWriter<&File>| {
            file.write_all(b"half of the new").unwrap();
            Err(StoreError::writing(&path, ErrorKind::StorageFull.into()))
        };
        let error = write_after(&path, fill, || Ok(()));
        assert!(matches!(error, Err(StoreError::DiskFull { path: full, .. }) if full == path));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["file"]);

        let taken = folder.path().join("folder");
        fs::create_dir(&taken).unwrap();
        assert!(matches!(write(&taken, b"new"), Err(StoreError::CannotWrite { .. })));
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[test]
    fn threads_that_write_one_file_do_not_mix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        thread::scope(|scope| {
            for thread in 0..4_u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..25 {
                        write(path, &vec![thread; 1000 + usize::from(thread)]).unwrap();
                    }
                });
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 1000 + usize::from(bytes[0]));
        assert!(bytes.iter().all(|&byte| byte == bytes[0]));
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn only_our_own_leftovers_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".inkling-12-3.tmp", ".inkling-12.tmp", ".inkling-x-3.tmp", "notes.tmp", ".lock"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        remove_leftovers(folder.path());
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, [".inkling-12.tmp", ".inkling-x-3.tmp", ".lock", "notes.tmp"]);
    }
}
