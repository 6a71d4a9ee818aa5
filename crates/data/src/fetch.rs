//! Fetching a set's files from its mirrors: resumed where they were cut, checked before they are believed.
//!
//! A file arrives in `NAME.gz.part`. Only when its uncompressed bytes have the catalogue's checksum is it
//! synced and renamed to `NAME.gz`, so a file under its final name is whole, whenever the program was
//! stopped.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;
use std::time::Duration;

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
    /// The proxy to go through.
    pub proxy: Option<Proxy>,
}

impl Default for Policy {
    /// Four attempts, half a second to begin with, 10 s to connect, 30 s of silence, the environment's proxy
    /// (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, except for hosts in `NO_PROXY`).
    fn default() -> Self {
        Self {
            attempts: 4,
            backoff: Duration::from_millis(500),
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            proxy: Proxy::try_from_env(),
        }
    }
}

/// How fetching goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchEvent<'a> {
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

/// Fetches into `folder` those files of a set that are not there already, whole and right.
///
/// Of several programs fetching into the same folder, one does and the others wait for it.
///
/// # Errors
/// [`DataError::Fetch`] with what went wrong at every mirror, or [`DataError::Write`].
pub fn fetch(
    info: &SetInfo,
    folder: &Path,
    policy: &Policy,
    progress: &dyn Fn(FetchEvent),
) -> Result<(), DataError> {
    fs::create_dir_all(folder).map_err(cannot_write(folder))?;
    let _lock = lock(folder)?;
    let fetcher = Fetcher { agent: agent(policy), policy, progress };
    for file in &info.files {
        if !matches!(verify(&folder.join(format!("{}.gz", file.name)), file), Verdict::Good) {
            fetcher.file(info, file, folder)?;
        }
    }
    Ok(())
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
                    fs::rename(&part, &target)
                        .and_then(|()| sync_folder(folder))
                        .map_err(cannot_write(&target))?;
                    (self.progress)(FetchEvent::Finished { url: &url });
                    return Ok(());
                }
                Err(Fault::Disk(source)) => return Err(cannot_write(&part)(source)),
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
            std::thread::sleep(wait);
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
            Verdict::Short(problem) if length(part) > had => return Err(Fault::Passing(problem)),
            Verdict::Short(problem) | Verdict::Bad(problem) => problem,
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

/// What a fetched file turns out to be.
enum Verdict {
    /// The right bytes.
    Good,
    /// The beginning of a gzip stream: more may make it good.
    Short(String),
    /// Something else.
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
                Verdict::Bad("it sent an HTML page instead of the file".to_owned())
            } else {
                let (count, expected) = (bytes.len(), file.sha256);
                Verdict::Bad(format!(
                    "it sent the wrong bytes: {count} with SHA-256 {found}, expected {expected}"
                ))
            }
        }
        Err(IdxError::TruncatedGzip { .. }) => {
            Verdict::Short("it sent only the beginning of the file".to_owned())
        }
        Err(IdxError::Io(error)) => Verdict::Unreadable(error),
        Err(problem) => Verdict::Bad(format!("it sent the wrong bytes: {problem}")),
    }
}

/// The length of a file, 0 where there is none.
fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Waits until no other program fetches into this folder. The lock ends with the handle, or with the program.
fn lock(folder: &Path) -> Result<File, DataError> {
    let path = folder.join(".lock");
    let file = File::create(&path).map_err(cannot_write(&path))?;
    match file.lock() {
        // Some network file systems have no locks; the checksum then catches what two writers do to one part.
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(cannot_write(&path)(error)),
        _ => Ok(file),
    }
}

/// Makes a rename last through a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> DataError {
    move |source| DataError::Write { path: path.to_owned(), source }
}
