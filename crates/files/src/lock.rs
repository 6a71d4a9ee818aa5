//! One writer to a folder at a time: a lock that the operating system gives back when its holder dies.
//!
//! The lock is the kernel's (`flock` on Unix), the text in the file only names the holder. The file is never deleted:
//! a process that opened it just before would then lock a file that nobody else sees. It is emptied instead, so a text
//! in a file that nobody has locked was left by a process that did not end in order.
//!
//! Some file systems have no locks (Lustre without `flock`, some FUSE and NFS mounts). There the text is all there is:
//! a holder that lives on this computer is respected, one that cannot be seen from here is reported as such, and whoever
//! goes on knows that the [lock is missing](Lock::is_missing). Two processes that start in the same instant can then
//! both go on, so whoever writes keeps its files whole without relying on the lock.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::atomic::WriteError;
use crate::clock;
use crate::machine::{self, Life};
use crate::sealed;

/// The process that holds a folder, or held it.
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
    /// What its kernel calls the time since it was started; see [`machine::boot`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// When it was started; see [`machine::started`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
}

impl Holder {
    /// This very process, holding something from now on.
    pub fn this_process() -> Self {
        Self {
            pid: process::id(),
            host: machine::host(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since: clock::now(),
            boot: machine::boot(),
            started: machine::started(process::id()),
        }
    }

    /// Whether it runs, or ran, under the kernel that runs now.
    fn is_here(&self) -> bool {
        match (&self.boot, machine::boot()) {
            (Some(then), Some(now)) => *then == now,
            // Older programs and other systems say no more.
            _ => self.host == machine::host(),
        }
    }

    /// Whether it ran under this kernel and name of the host, and has ended as far as the kernel says.
    pub fn has_ended_here(&self) -> bool {
        self.life() == Life::Ended
    }

    /// Whether it still lives, as far as that can be seen from here.
    fn life(&self) -> Life {
        // Under another name there may be the same kernel, but it is a container, whose processes cannot be seen.
        if self.is_here() && self.host == machine::host() {
            machine::life(self.pid, self.started)
        } else {
            Life::Unknown
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} (version {}) since {}", self.pid, self.host, self.version, self.since)
    }
}

/// Why a lock was not given.
#[derive(Debug)]
pub enum Refusal {
    /// A live process has it, which is named where its name can be read.
    Held(Option<Holder>),
    /// There are no locks, and this process, which cannot be seen from here, has not said that it ended.
    MayBeRunning(Holder),
    /// The wait was interrupted.
    Interrupted,
    /// What has the lock file's name is somebody else's; the text says what it is.
    Foreign(&'static str),
    /// The lock file cannot be opened for writing.
    CannotWrite(WriteError),
    /// The operating system failed to lock.
    Failed(WriteError),
}

/// How to wait for a lock that another process holds.
pub struct Waiting<'a> {
    /// The longest wait.
    pub limit: Duration,
    /// Asked often: whether to give up.
    pub interrupted: &'a dyn Fn() -> bool,
    /// Told once, when the wait has begun, who holds the lock.
    pub tell: &'a dyn Fn(Option<&Holder>),
}

/// An exclusive lock, held until dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
    /// What is in the file while it is held; none where the file is another person's and can only be read.
    holder: Option<Holder>,
    before: Option<Holder>,
    missing: bool,
}

/// The kernel's lock on a file, or what stands in for it in a test.
type Kernel = fn(&File) -> Result<(), TryLockError>;

/// A killed process keeps its lock until the system has taken it apart, and a holder writes its name just after it has
/// taken the lock: both take moments, so the last of several tries is the one to believe.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(20);

impl Lock {
    /// Takes the lock whose file is `path`, in a folder that exists.
    ///
    /// # Errors
    /// A [`Refusal`] but for [`Refusal::Interrupted`].
    pub fn take(path: &Path) -> Result<Self, Refusal> {
        Self::take_from(path, File::try_lock)
    }

    /// As [`Lock::take`], but waits while a live process has it.
    ///
    /// # Errors
    /// A [`Refusal`]; [`Refusal::Held`] where the longest wait is over.
    pub fn wait(path: &Path, waiting: &Waiting) -> Result<Self, Refusal> {
        let start = Instant::now();
        let mut last = match Self::take(path) {
            Err(Refusal::Held(holder)) => holder,
            done => return done,
        };
        (waiting.tell)(last.as_ref());
        while start.elapsed() < waiting.limit {
            if (waiting.interrupted)() {
                return Err(Refusal::Interrupted);
            }
            thread::sleep(PAUSE);
            match Self::attempt(path, File::try_lock) {
                Err(Refusal::Held(holder)) => last = holder.or(last),
                done => return done,
            }
        }
        Err(Refusal::Held(last))
    }

    fn take_from(path: &Path, kernel: Kernel) -> Result<Self, Refusal> {
        for _ in 1..TRIES {
            match Self::attempt(path, kernel) {
                Err(Refusal::Held(_)) => thread::sleep(PAUSE),
                done => return done,
            }
        }
        Self::attempt(path, kernel)
    }

    fn attempt(path: &Path, kernel: Kernel) -> Result<Self, Refusal> {
        let failed = |source| WriteError { path: path.to_owned(), source };
        if let Some(what) = no_file(path) {
            return Err(Refusal::Foreign(what));
        }
        let (mut file, writable) = open(path).map_err(|source| Refusal::CannotWrite(failed(source)))?;
        let missing = loop {
            match kernel(&file) {
                Ok(()) => break false,
                // On Windows a locked file cannot be read, and the holder stays unnamed.
                Err(TryLockError::WouldBlock) => return Err(Refusal::Held(read_holder(&mut file))),
                Err(TryLockError::Error(source)) if source.kind() == ErrorKind::Interrupted => {}
                Err(TryLockError::Error(source)) if has_no_locks(&source) => break true,
                Err(TryLockError::Error(source)) => return Err(Refusal::Failed(failed(source))),
            }
        };
        if !is_own(&mut file).map_err(|source| Refusal::Failed(failed(source)))? {
            return Err(Refusal::Foreign("it holds a text of another kind"));
        }
        let before = read_holder(&mut file);
        if let (true, Some(holder)) = (missing, &before) {
            match holder.life() {
                Life::Alive => return Err(Refusal::Held(before)),
                Life::Unknown => return Err(Refusal::MayBeRunning(holder.clone())),
                Life::Ended => {}
            }
        }
        let mut lock = Self { path: path.to_owned(), file, holder: None, before, missing };
        if writable {
            let holder = Holder::this_process();
            lock.write_holder(&holder).map_err(|source| Refusal::CannotWrite(failed(source)))?;
            lock.holder = Some(holder);
        }
        if missing && writable {
            // Of two that saw nobody, the one that wrote last goes on.
            thread::sleep(PAUSE);
            let last = read_holder(&mut lock.file);
            if last.is_some() && last != lock.holder {
                lock.holder = None;
                return Err(Refusal::Held(last));
            }
        }
        Ok(lock)
    }

    /// Where its file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file system has no locks, so that nothing keeps another process away.
    pub fn is_missing(&self) -> bool {
        self.missing
    }

    /// The process of this computer that had the lock before and died without giving it back, if one did. One that still
    /// lives has its lock elsewhere: this folder is a copy of the one that it works in.
    pub fn died(&self) -> Option<&Holder> {
        self.before.as_ref().filter(|holder| holder.is_here() && holder.life() != Life::Alive)
    }

    /// The process of another computer that had the lock before and did not give it back. It may still be running: not
    /// every file system that two computers share tells one of the other's locks.
    pub fn elsewhere(&self) -> Option<&Holder> {
        self.before.as_ref().filter(|holder| !holder.is_here())
    }

    fn write_holder(&mut self, holder: &Holder) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&sealed::to_json(holder))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Where there are no locks, another process may have written its name meanwhile.
        let ours = self.holder.is_some() && (!self.missing || read_holder(&mut self.file) == self.holder);
        // Nothing can be done about a failure here. The explicit unlock matters: closing the file leaves the
        // lock to any copy of the descriptor, such as that of a child process between its fork and its exec.
        if ours {
            let _ = self.file.set_len(0);
        }
        let _ = self.file.unlock();
    }
}

/// Opens the lock file, and says whether it can be written: that of another person may only be readable in a folder
/// that everybody may write to, and it can be locked all the same.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    match options.read(true).write(true).create(true).truncate(false).open(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            File::open(path).map(|file| (file, false)).map_err(|_| error)
        }
        Err(error) => Err(error),
    }
}

/// What has the lock file's name, where that is no file: nothing is opened, emptied or written to through it.
fn no_file(path: &Path) -> Option<&'static str> {
    let kind = std::fs::symlink_metadata(path).ok()?.file_type();
    match () {
        () if kind.is_file() => None,
        () if kind.is_symlink() => Some("it is a link"),
        () if kind.is_dir() => Some("it is a folder"),
        () => Some("it is not a regular file"),
    }
}

/// Whether a file is empty, or holds a holder's name, or what a power cut left of one.
fn is_own(file: &mut File) -> io::Result<bool> {
    /// More than any holder's name takes.
    const LONGEST: u64 = 1 << 16;
    let mut text = Vec::new();
    file.rewind()?;
    (&mut *file).take(LONGEST).read_to_end(&mut text)?;
    let begins = |own: &str| text.iter().zip(own.as_bytes()).all(|(found, own)| found == own);
    // Older programs did not seal it.
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&text).is_ok();
    let cut = begins(sealed::BEGINNING) || begins("{\"pid\":") && !is_json;
    Ok(cut || text.iter().all(|&byte| byte == 0) || sealed::from_json::<Holder>(&text).is_ok())
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    file.rewind().ok()?;
    file.read_to_end(&mut text).ok()?;
    sealed::from_json(&text).ok()
}

/// Whether this is how a file system says that it has no locks.
fn has_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    const CODES: [i32; 4] = [libc::ENOSYS, libc::ENOLCK, libc::EOPNOTSUPP, libc::ENOTSUP];
    // ERROR_INVALID_FUNCTION and ERROR_NOT_SUPPORTED.
    #[cfg(windows)]
    const CODES: [i32; 2] = [1, 50];
    #[cfg(not(any(unix, windows)))]
    const CODES: [i32; 0] = [];
    error.kind() == ErrorKind::Unsupported || error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
