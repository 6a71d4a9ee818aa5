//! Fetching a set's files from its mirrors: resumed where they were cut, checked before they are believed.
//!
//! A file arrives in `NAME.gz.part`. Only when its uncompressed bytes have the catalogue's checksum is it
//! synced and renamed to `NAME.gz`, so a file under its final name is whole, whenever the program was
//! stopped.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use inkling_files::atomic::{WriteError, create_folder, sync_folder};
use inkling_files::{Holder, Lock, Refusal, Waiting};
use ureq::{Agent, Proxy};

use crate::catalogue::{SetFile, SetInfo};
use crate::error::{DataError, MirrorFailure};
use crate::idx::{self, IdxError};
use crate::sha256_hex;
use download::Fault;

mod download;

/// How patiently to fetch.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Attempts at one mirror that may bring (next to) nothing before it is given up.
    pub attempts: u32,
    /// The wait after the first of them; it doubles after each further one.
    pub backoff: Duration,
    /// The longest wait for a name to be resolved, and for a connection.
    pub connect: Duration,
    /// The longest that a server may keep silent, or send almost nothing.
    pub stall: Duration,
    /// The longest wait for another program that fetches into the same folder.
    pub lock: Duration,
    /// The proxy to go through.
    pub proxy: Option<Proxy>,
}

impl Default for Policy {
    /// Four attempts, half a second to begin with, 10 s to connect, 30 s of silence, five minutes for another program,
    /// the environment's proxy (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, except for hosts in `NO_PROXY`).
    fn default() -> Self {
        Self {
            attempts: 4,
            backoff: Duration::from_millis(500),
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            lock: Duration::from_mins(5),
            proxy: Proxy::try_from_env(),
        }
    }
}

/// How fetching goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchEvent<'a> {
    /// Another program fetches into the same folder, and this one waits for it.
    Waiting {
        /// The lock file.
        lock: &'a Path,
        /// That program, where its name can be read.
        holder: Option<&'a Holder>,
    },
    /// The file system of the cache has no locks, so that two programs may fetch the same file. What comes of it is
    /// checked all the same.
    NoLocks {
        /// The folder.
        folder: &'a Path,
    },
    /// A file of the cache is not what it should be, and is fetched again.
    Replacing {
        /// The file.
        path: &'a Path,
        /// What is wrong with it.
        problem: &'a str,
    },
    /// A server has begun to answer.
    Started {
        /// The address asked for.
        url: &'a str,
        /// Bytes that are already here from an earlier attempt, and are not sent again.
        resumed_at: u64,
        /// Bytes of the whole compressed file, where the server says.
        total: Option<u64>,
    },
    /// More of the file has come.
    Received {
        /// The address asked for.
        url: &'a str,
        /// Compressed bytes of the file that are here now.
        bytes: u64,
    },
    /// An attempt has failed.
    Failed {
        /// The address asked for.
        url: &'a str,
        /// Why.
        problem: &'a str,
        /// The wait before the same address is asked again; none where the next mirror's turn has come.
        retry_in: Option<Duration>,
    },
    /// The file is checked and under its final name.
    Finished {
        /// The address that served it.
        url: &'a str,
    },
}

/// Bytes that an attempt must add for it not to count as a failure: a line that is often cut gets there in
/// the end, and the number of attempts stays bounded by the size of the file.
const PROGRESS: u64 = 256 * 1024;

/// Fetches into `folder` those files of a set that are not there already, whole and right. Where none is lacking, nothing
/// is written or locked: the folder may be another person's.
///
/// Of several programs fetching into the same folder, one does and the others wait for it. `interrupted` is asked in every
/// wait and between the chunks of a download.
///
/// # Errors
/// [`DataError::Fetch`] with what went wrong at every mirror, [`DataError::Write`], [`DataError::CacheNotWritable`],
/// [`DataError::Busy`] or [`DataError::Interrupted`].
pub fn fetch(
    info: &SetInfo,
    folder: &Path,
    policy: &Policy,
    progress: &dyn Fn(FetchEvent),
    interrupted: &dyn Fn() -> bool,
) -> Result<(), DataError> {
    let lacking = || info.files.iter().filter(|file| !is_there(file, folder)).collect::<Vec<_>>();
    let missing = lacking();
    if missing.is_empty() {
        return Ok(());
    }
    let refused = |error: WriteError| match error.source.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => DataError::CacheNotWritable {
            title: info.title,
            files: missing.iter().map(|file| file.name).collect(),
            folder: folder.to_owned(),
            source: error.source,
        },
        _ => DataError::Write { path: error.path, source: error.source },
    };
    create_folder(folder).map_err(refused)?;
    let _lock = lock(folder, policy, progress, interrupted, refused)?;
    let fetcher = Fetcher { agent: agent(policy), policy, progress, interrupted };
    // Another program may have fetched some meanwhile.
    lacking().into_iter().try_for_each(|file| {
        let path = cached(file, folder);
        if let Some(problem) = wrong(&path, file) {
            progress(FetchEvent::Replacing { path: &path, problem: &problem });
        }
        fetcher.file(info, file, folder)
    })
}

/// Whether the file is in the folder as it is fetched, whole and right.
fn is_there(file: &SetFile, folder: &Path) -> bool {
    matches!(verify(&cached(file, folder), file), Verdict::Good)
}

/// Where a fetched file lies.
fn cached(file: &SetFile, folder: &Path) -> PathBuf {
    folder.join(format!("{}.gz", file.name))
}

/// What is wrong with a file that is there; nothing where there is none.
fn wrong(path: &Path, file: &SetFile) -> Option<String> {
    match verify(path, file) {
        Verdict::Good => None,
        Verdict::Short => Some("it is cut short".into()),
        Verdict::Page => Some("it is an HTML page".into()),
        Verdict::Bad(problem) => Some(format!("it has the wrong bytes: {problem}")),
        Verdict::Unreadable(error) if error.kind() == ErrorKind::NotFound => None,
        Verdict::Unreadable(error) => Some(format!("it cannot be read: {error}")),
    }
}

fn agent(policy: &Policy) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .proxy(policy.proxy.clone())
        // A recompressed answer would make byte ranges meaningless.
        .accept_encoding("identity")
        .user_agent(concat!("inkling/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(policy.connect))
        .timeout_connect(Some(policy.connect))
        .timeout_recv_response(Some(policy.stall))
        .timeout_per_read(Some(policy.stall))
        .timeout_per_write(Some(policy.stall))
        .build()
        .into()
}

/// What every request shares.
struct Fetcher<'a> {
    agent: Agent,
    policy: &'a Policy,
    progress: &'a dyn Fn(FetchEvent),
    interrupted: &'a dyn Fn() -> bool,
}

impl Fetcher<'_> {
    fn file(&self, info: &SetInfo, file: &SetFile, folder: &Path) -> Result<(), DataError> {
        let name = format!("{}.gz", file.name);
        let (part, target) = (folder.join(format!("{name}.part")), folder.join(&name));
        let mut failures = Vec::new();
        for mirror in info.mirrors {
            let url = format!("{mirror}{name}");
            match self.ask_mirror(&url, file, &part) {
                Ok(()) => {
                    match fs::rename(&part, &target) {
                        // Where there are no locks, another program may have been as far.
                        Err(error) if error.kind() == ErrorKind::NotFound && is_there(file, folder) => {}
                        renamed => renamed.map_err(cannot_write(&target))?,
                    }
                    sync_folder(folder).map_err(|error| cannot_write(&target)(error.source))?;
                    (self.progress)(FetchEvent::Finished { url: &url });
                    return Ok(());
                }
                Err(Fault::Disk(source)) => return Err(cannot_write(&part)(source)),
                Err(Fault::Interrupted) => return Err(DataError::Interrupted),
                Err(Fault::Passing(problem) | Fault::Lasting(problem)) => {
                    (self.progress)(FetchEvent::Failed { url: &url, problem: &problem, retry_in: None });
                    failures.push(MirrorFailure { url, problem });
                }
            }
        }
        Err(DataError::Fetch { title: info.title, file: file.name, folder: folder.to_owned(), failures })
    }

    /// Makes `part` a good copy of the file, in as many attempts as the policy allows.
    fn ask_mirror(&self, url: &str, file: &SetFile, part: &Path) -> Result<(), Fault> {
        let mut furthest = length(part);
        let mut failed = 0;
        loop {
            let problem = match self.attempt(url, file, part) {
                Err(Fault::Passing(problem)) => problem,
                done_or_hopeless => return done_or_hopeless,
            };
            let reached = length(part);
            if reached >= furthest + PROGRESS {
                (furthest, failed) = (reached, 0);
            }
            failed += 1;
            if failed >= self.policy.attempts {
                return Err(Fault::Passing(problem));
            }
            let wait = self.policy.backoff.saturating_mul(2_u32.saturating_pow(failed - 1));
            (self.progress)(FetchEvent::Failed { url, problem: &problem, retry_in: Some(wait) });
            self.sleep(wait)?;
        }
    }

    /// Waits, unless it is interrupted.
    fn sleep(&self, wait: Duration) -> Result<(), Fault> {
        const PAUSE: Duration = Duration::from_millis(50);
        let start = Instant::now();
        loop {
            if (self.interrupted)() {
                return Err(Fault::Interrupted);
            }
            let left = wait.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(PAUSE));
        }
    }

    /// Asks once for what `part` lacks, and judges what is there then. A `part` that can come to nothing is
    /// removed.
    fn attempt(&self, url: &str, file: &SetFile, part: &Path) -> Result<(), Fault> {
        let had = length(part);
        self.extend(url, part, most_compressed(file))?;
        let problem = match verify(part, file) {
            Verdict::Good => return Ok(()),
            Verdict::Unreadable(error) => return Err(Fault::Disk(error)),
            Verdict::Short if length(part) > had => return Err(Fault::Passing(SHORT.into())),
            Verdict::Short => SHORT.into(),
            Verdict::Page => "it sent an HTML page instead of the file".into(),
            Verdict::Bad(problem) => format!("it sent the wrong bytes: {problem}"),
        };
        download::discard(part)?;
        // What was there before may have come from another mirror's differently compressed file, and be to
        // blame.
        Err(if had > 0 { Fault::Passing(problem) } else { Fault::Lasting(problem) })
    }
}

/// The most bytes that a file can take, raw or compressed by whatever gzip: deflate's fixed code, the worst
/// choice for noise, spends 9 bits on a byte.
fn most_compressed(file: &SetFile) -> u64 {
    file.bytes + file.bytes / 8 + 1024
}

/// What is wrong with an answer that ends too early.
const SHORT: &str = "it sent only the beginning of the file";

/// What a fetched file turns out to be.
enum Verdict {
    /// The right bytes.
    Good,
    /// The beginning of a gzip stream: more may make it good.
    Short,
    /// An HTML page.
    Page,
    /// Something else; how it differs.
    Bad(String),
    /// Nothing that could be read back.
    Unreadable(io::Error),
}

fn verify(path: &Path, file: &SetFile) -> Verdict {
    let content = File::open(path)
        .map_err(IdxError::Io)
        .and_then(|opened| idx::content(BufReader::new(opened), file.bytes));
    match content {
        Ok(bytes) => {
            let found = sha256_hex(&bytes);
            if found == file.sha256 {
                Verdict::Good
            } else if bytes.first() == Some(&b'<') {
                Verdict::Page
            } else {
                let (count, expected) = (bytes.len(), file.sha256);
                Verdict::Bad(format!("{count} with SHA-256 {found}, expected {expected}"))
            }
        }
        Err(IdxError::TruncatedGzip { .. }) => Verdict::Short,
        Err(IdxError::Io(error)) => Verdict::Unreadable(error),
        Err(problem) => Verdict::Bad(problem.to_string()),
    }
}

/// The length of a file, 0 where there is none.
fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Waits until no other program fetches into this folder. The lock ends with the value, or with the program; there is none
/// where the file system has no locks: the checksum then catches what two writers do to one part.
fn lock(
    folder: &Path,
    policy: &Policy,
    progress: &dyn Fn(FetchEvent),
    interrupted: &dyn Fn() -> bool,
    refused: impl FnOnce(WriteError) -> DataError,
) -> Result<Option<Lock>, DataError> {
    let path = folder.join(".lock");
    let tell = |holder: Option<&Holder>| progress(FetchEvent::Waiting { lock: &path, holder });
    let lock = match Lock::wait(&path, &Waiting { limit: policy.lock, interrupted, tell: &tell }) {
        Ok(lock) => Some(lock),
        // Only where there are no locks: whether it still runs does not matter here.
        Err(Refusal::MayBeRunning(_)) => None,
        Err(Refusal::Held(holder)) => {
            let holder = holder.map(|holder| holder.to_string());
            return Err(DataError::Busy { lock: path, holder, waited: policy.lock });
        }
        Err(Refusal::Interrupted) => return Err(DataError::Interrupted),
        Err(Refusal::Foreign(what)) => return Err(DataError::ForeignLock { lock: path, what }),
        Err(Refusal::CannotWrite(error) | Refusal::Failed(error)) => return Err(refused(error)),
    };
    if lock.as_ref().is_none_or(Lock::is_missing) {
        progress(FetchEvent::NoLocks { folder });
    }
    Ok(lock)
}

fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> DataError {
    move |source| DataError::Write { path: path.to_owned(), source }
}
