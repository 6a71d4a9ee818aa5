//! One writer to an output folder at a time: a lock that the operating system gives back when its holder
//! dies.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::process;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::StoreError;

const FILE: &str = ".lock";

/// The process that holds an output folder, or held it when it died.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id, on its host.
    pub pid: u32,
    /// The host that it runs on.
    pub host: String,
    /// The version of the program.
    pub version: String,
    /// When it took the lock, RFC 3339 in UTC.
    pub since: String,
}

impl Holder {
    fn this_process() -> Self {
        Self {
            pid: process::id(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since: clock::now(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} (version {}) since {}", self.pid, self.host, self.version, self.since)
    }
}

/// The exclusive lock on an output folder, held until dropped.
///
/// The lock is the kernel's (`flock` on Unix), the text in the file only names the holder. The file is never
/// deleted: a process that opened it just before would then lock a file that nobody else sees. It is emptied
/// instead, so a text in a file that nobody has locked was left by a process that died.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    died: Option<Holder>,
}

impl Lock {
    /// Locks the folder `out`, which exists.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where another process holds it; otherwise as for any write.
    pub(crate) fn take(out: &Path) -> Result<Self, StoreError> {
        let path = out.join(FILE);
        let writing = |source| StoreError::writing(&path, source);
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(&path).map_err(writing)?;
        lock(&mut file, out)?;
        let died = read_holder(&mut file).ok();
        let mut lock = Self { file, died };
        lock.write_holder().map_err(writing)?;
        Ok(lock)
    }

    /// Who held the lock before, where it died without giving it back.
    pub(crate) fn died(&self) -> Option<&Holder> {
        self.died.as_ref()
    }

    fn write_holder(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&serde_json::to_vec(&Holder::this_process())?)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nothing can be done about a failure here. The explicit unlock matters: closing the file leaves the
        // lock to any copy of the descriptor, such as that of a child process between its fork and its exec.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn lock(file: &mut File, out: &Path) -> Result<(), StoreError> {
    // A killed process keeps its lock until the system has taken it apart, and a holder writes its name just after
    // it has taken the lock: both take moments, so the last of several readings is the one to believe.
    const TRIES: usize = 10;
    const PAUSE: Duration = Duration::from_millis(20);
    let mut seen = None;
    for attempt in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::Io { operation: "lock", path: out.join(FILE), source });
            }
        }
        // On Windows a locked file cannot be read, and the holder stays unnamed.
        seen = read_holder(file).ok();
        if attempt + 1 < TRIES {
            thread::sleep(PAUSE);
        }
    }
    Err(StoreError::Locked { path: out.to_owned(), holder: seen })
}

fn read_holder(file: &mut File) -> io::Result<Holder> {
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_held_folder_is_refused_naming_the_holder_and_freed_on_drop() {
        let folder = tempfile::tempdir().unwrap();
        let held = Lock::take(folder.path()).unwrap();
        assert_eq!(held.died(), None);
        let error = Lock::take(folder.path()).unwrap_err();
        let message = error.to_string();
        let pid = process::id();
        assert!(
            message.contains(&format!("process {pid} on ")) && message.contains(" since 20"),
            "{message}"
        );
        drop(held);
        assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), b"");
        assert_eq!(Lock::take(folder.path()).unwrap().died(), None);
    }

    #[test]
    fn a_holder_that_has_not_yet_written_its_name_is_refused_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join(FILE)).unwrap();
        file.lock().unwrap();
        assert!(matches!(Lock::take(folder.path()), Err(StoreError::Locked { holder: None, .. })));
    }

    #[test]
    fn a_text_left_in_an_unlocked_file_is_a_holder_that_died() {
        let folder = tempfile::tempdir().unwrap();
        let dead = Holder { pid: 1, ..Holder::this_process() };
        fs::write(folder.path().join(FILE), serde_json::to_vec(&dead).unwrap()).unwrap();
        assert_eq!(Lock::take(folder.path()).unwrap().died(), Some(&dead));

        fs::write(folder.path().join(FILE), r#"{"pid": 1, "ho"#).unwrap();
        assert_eq!(Lock::take(folder.path()).unwrap().died(), None);
    }
}
