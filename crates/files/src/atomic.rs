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

use thiserror::Error;

use crate::machine::{self, Life};

const PREFIX: &str = ".inkling-";
const SUFFIX: &str = ".tmp";

/// A file or folder that could not be written, and the operating system's answer.
#[derive(Debug, Error)]
#[error("cannot write `{}`", .path.display())]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// The operating system's answer.
    pub source: io::Error,
}

impl WriteError {
    fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self { path: path.to_owned(), source }
    }
}

/// Replaces the file at `path` by `bytes`, or creates it.
///
/// # Errors
/// The old version is then untouched, unless only the last step failed, the fsync of the folder: then the new version
/// is whole and in place, but a power cut may still undo it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_after(path, |file| file.write_all(bytes).map_err(WriteError::at(path)), || Ok(()))
}

/// Replaces the file at `path` by what `fill` writes, as [`write()`] does: for contents that should not be in memory whole.
/// `fill` may fail for reasons of its own; `make_way` runs once the new bytes are on the disk, right before they take the
/// name.
///
/// # Errors
/// As for [`write()`], and those of `fill`.
pub fn write_after<E: From<WriteError>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> Result<(), E>,
    make_way: impl FnOnce() -> io::Result<()>,
) -> Result<(), E> {
    let folder = folder_of(path);
    let failed = WriteError::at(path);
    let mut temporary = Temporary::create(folder).map_err(&failed)?;
    let mut buffered = BufWriter::new(&temporary.file);
    fill(&mut buffered)?;
    buffered.flush().map_err(&failed)?;
    drop(buffered);
    let replace = || {
        temporary.file.sync_all()?;
        make_way()?;
        fs::rename(&temporary.path, path)?;
        temporary.renamed = true;
        Ok(())
    };
    replace().map_err(&failed)?;
    Ok(sync_folder(folder)?)
}

/// Checks that files can be created in `folder`, and leaves none.
///
/// # Errors
/// The operating system's answer, where they cannot.
pub fn check_writable(folder: &Path) -> Result<(), WriteError> {
    Temporary::create(folder).map(drop).map_err(WriteError::at(folder))
}

/// Creates `folder` and its parents where they are missing, and makes every new entry durable.
///
/// # Errors
/// The operating system's answer, where it cannot be created.
pub fn create_folder(folder: &Path) -> Result<(), WriteError> {
    if folder.is_dir() {
        return Ok(());
    }
    let missing: Vec<&Path> = folder.ancestors().take_while(|ancestor| !ancestor.is_dir()).collect();
    fs::create_dir_all(folder).map_err(WriteError::at(folder))?;
    // The outermost first: an entry that is durable in a folder that is not would be of no use.
    missing.iter().rev().filter_map(|new| new.parent()).try_for_each(sync_folder)
}

/// Creates `folder`, whose parent must be there, and makes the new entry durable. Where the parent is gone, it was moved or
/// removed: whoever works in a folder does not make another one in its place.
///
/// # Errors
/// The operating system's answer, where it cannot be created.
pub fn create_child(folder: &Path) -> Result<(), WriteError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir(folder).map_err(WriteError::at(folder))?;
    sync_folder(folder_of(folder))
}

/// Makes the entries of `folder` durable: a file's name lives in its folder, which fsync of the file leaves
/// alone.
///
/// # Errors
/// The operating system's answer, where it cannot be done although this file system knows how.
pub fn sync_folder(folder: &Path) -> Result<(), WriteError> {
    // Only Unix opens a folder as a file; elsewhere the rename is as durable as the system makes it.
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(or_current(folder)).and_then(|file| file.sync_all()) {
        // Some network file systems cannot sync a folder at all. That weakens durability, not atomicity. Nor can a
        // folder be synced that may be written to and not be listed.
        Err(source)
            if matches!(
                source.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        Err(source) => Err(WriteError { path: folder.to_owned(), source }),
        Ok(()) => Ok(()),
    }
}

/// Removes the temporary files that killed processes of this computer left in `folder`. To be called only by whoever
/// holds the lock of the folder's store.
///
/// What a process that still runs is writing stays, and so does what another computer wrote, whose processes cannot be
/// seen from here: not every file system that two computers share tells one of the other's locks. A link is not
/// followed: the folder that it leads to belongs to somebody else.
///
/// A leftover only wastes space, so one that cannot be removed, or a folder that cannot be listed, stops
/// nothing.
pub fn remove_leftovers(folder: &Path) {
    if !is_real_folder(folder) {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && entry.file_name().to_str().is_some_and(is_leftover) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether `path` is a folder itself, and no link to one.
pub fn is_real_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

fn folder_of(path: &Path) -> &Path {
    or_current(path.parent().unwrap_or(path))
}

/// The parent of a bare file name is the empty path, which no system call takes.
fn or_current(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Whether a file of this name is a temporary one whose writer has ended.
fn is_leftover(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX)) else {
        return false;
    };
    let parts: Vec<&str> = rest.split('-').collect();
    let (machine, pid, count) = match parts[..] {
        [machine, pid, count] => (Some(machine), pid, count),
        // Older programs did not name the computer.
        [pid, count] => (None, pid, count),
        _ => return false,
    };
    let (Ok(pid), Ok(_)) = (pid.parse::<u32>(), count.parse::<u64>()) else { return false };
    let Some(machine) = machine else { return ended(pid) };
    let here = machine::tag();
    if machine.len() != here.len() || !machine.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    let ((host, boot), (this_host, this_boot)) =
        (machine.split_at(machine::HALF), here.split_at(machine::HALF));
    match (host == this_host, boot == this_boot) {
        // Containers of one computer have its start in common, whatever they are called.
        (_, true) => ended(pid),
        // The computer was started again since.
        (true, false) => true,
        (false, false) => false,
    }
}

/// Whether the writer with this number has ended. One with the number of this very process was an earlier one: this one
/// writes nothing where it is about to clean up. Where the system does not say, the lock does: its holder is the writer.
fn ended(pid: u32) -> bool {
    pid == process::id() || machine::life(pid, None) != Life::Alive
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
        let (machine, process) = (machine::tag(), process::id());
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{PREFIX}{machine}-{process}-{count}{SUFFIX}"));
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
#[path = "atomic_tests.rs"]
mod tests;
