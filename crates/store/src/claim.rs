//! Claims: which process does a run, where many processes on many hosts work in one folder.
//!
//! The claims of a run are a chain of files, `claim-1`, `claim-2` and so on, in the folder in which it is worked on. Each is
//! created exclusively, which a file system does for one process only, on NFS too, and the last one counts. Whoever may
//! take the run over creates the next file: of several who saw the same end of the chain, one can. No file of the chain is
//! removed before the run is finished, and then all of them at once, so nobody can claim a place that was given before.
//!
//! A claim is free when its holder has written that it ended. It is stale when it was not renewed for as many seconds as it
//! states itself. Clocks of hosts may be hours apart, so nobody compares times: a reader sees that the file stays as it is,
//! for that long by its own monotonic clock. Only where a holder ran under the reader's own kernel and among the processes
//! that the reader sees, the kernel is asked instead.
//!
//! Should a holder that was taken over live after all (a suspended machine), then two processes do the same run. Both write
//! to folders of their own, and publishing cannot replace a finished run (`run.rs`), so nothing rests on claims but time.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use inkling_files::atomic::create_child;
use inkling_files::{Holder, clock, hex, machine};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::files;

/// How the names of claims begin; their number follows.
const PREFIX: &str = "claim-";
/// How the name of a claim begins that is being written.
const NEW: &str = "new-";
/// The last line of a claim whose holder has given it back.
const ENDED: &str = "ended\n";
/// The longest time that a claim may ask others to wait. A file can state anything.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// When claims are renewed, when they are stale, and what time they say it is.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRule {
    /// Time between two renewals.
    pub renew_every: Duration,
    /// Time without a renewal after which others may take over.
    pub stale_after: Duration,
    /// The time of day, for people to read: nothing depends on it.
    pub clock: fn() -> String,
}

impl Default for ClaimRule {
    fn default() -> Self {
        Self { renew_every: Duration::from_secs(5), stale_after: Duration::from_secs(60), clock: clock::now }
    }
}

/// Who claimed a run: the first line of a claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claimant {
    /// The process.
    #[serde(flatten)]
    pub holder: Holder,
    /// Tells this claim from every other.
    pub token: String,
    /// The processes that it sees; see [`machine::pid_namespace`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Seconds without a renewal after which others may take over.
    pub stale_after: f64,
}

impl Claimant {
    /// Whether the kernel, asked here, says that the process has ended.
    fn has_ended_here(&self) -> bool {
        self.namespace.is_some()
            && self.namespace == machine::pid_namespace()
            && self.holder.boot.is_some()
            && self.holder.has_ended_here()
    }

    fn stale_after(&self) -> Duration {
        Duration::try_from_secs_f64(self.stale_after).unwrap_or(LONGEST).min(LONGEST)
    }
}

/// The last claim of a run, as it was read.
#[derive(Clone, Debug)]
pub struct ClaimSeen {
    /// Its number in the chain: how often the run was begun or gone on with.
    pub number: u64,
    /// Who holds it; none where that cannot be read, as in the moment in which it is written.
    pub claimant: Option<Claimant>,
    /// When it was last renewed, by the holder's clock.
    pub renewed: Option<String>,
    /// Whether its holder gave it back, or is seen to have ended without that.
    pub is_over: bool,
    bytes: Vec<u8>,
}

impl ClaimSeen {
    /// The claim that counts in the folder of a run, or `None` where nobody claimed the run.
    pub(crate) fn last(work: &Path) -> Result<Option<Self>, StoreError> {
        // A claim can go between the look at the folder and the look at the file, with the whole chain.
        for _ in 0..3 {
            let Some(number) = last_number(work)? else { return Ok(None) };
            if let Some(bytes) = files::read(&work.join(name(number)))? {
                return Ok(Some(Self::read(number, bytes)));
            }
        }
        Ok(None)
    }

    fn read(number: u64, bytes: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.split_inclusive('\n');
        let claimant = lines.next().and_then(|line| serde_json::from_str::<Claimant>(line).ok());
        let renewed = lines.next().and_then(|line| line.split_whitespace().nth(2)).map(str::to_owned);
        let gave_back = claimant.is_some() && lines.next() == Some(ENDED);
        let is_over = gave_back || claimant.as_ref().is_some_and(Claimant::has_ended_here);
        Self { number, claimant, renewed, is_over, bytes }
    }

    fn is_the_claim_of(&self, other: &Self) -> bool {
        let token = |seen: &Self| seen.claimant.as_ref().map(|claimant| claimant.token.clone());
        self.number == other.number && token(self) == token(other)
    }
}

/// What a process has seen of the claims of others, and since when. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<HashMap<PathBuf, Sight>>>);

#[derive(Debug)]
struct Sight {
    seen: ClaimSeen,
    since: Instant,
    /// Whether it was seen to be renewed.
    lives: bool,
}

/// What is known of the holder of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    /// It was seen to renew its claim.
    Lives,
    /// It was not yet watched long enough.
    Unknown,
    /// The claim may be taken over.
    Gone,
}

impl Watch {
    /// Takes a look at a claim, in the folder `work`, and says what all looks together tell.
    pub fn look(&self, work: &Path, seen: &ClaimSeen) -> Pulse {
        if seen.is_over {
            return Pulse::Gone;
        }
        let mut sights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stale_after =
            seen.claimant.as_ref().map_or(ClaimRule::default().stale_after, Claimant::stale_after);
        let now = Instant::now();
        let Some(sight) = sights.get_mut(work).filter(|sight| sight.seen.is_the_claim_of(seen)) else {
            sights.insert(work.to_owned(), Sight { seen: seen.clone(), since: now, lives: false });
            return Pulse::Unknown;
        };
        if sight.seen.bytes != seen.bytes {
            *sight = Sight { seen: seen.clone(), since: now, lives: true };
        }
        match (now.duration_since(sight.since) >= stale_after, sight.lives) {
            (true, _) => Pulse::Gone,
            (false, true) => Pulse::Lives,
            (false, false) => Pulse::Unknown,
        }
    }
}

/// A claim that this process holds, renewed until it is dropped, which gives it back.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) number: u64,
    pub(crate) token: String,
    shared: Arc<Shared>,
    renewing: Option<JoinHandle<()>>,
    /// Whether the end is to be written down.
    is_given_back: bool,
}

#[derive(Debug)]
struct Shared {
    work: PathBuf,
    number: u64,
    token: String,
    rule: ClaimRule,
    /// The file itself, and not what has its name by now.
    file: Mutex<File>,
    /// Where the line of renewals begins.
    place: u64,
    ends: Mutex<bool>,
    wake: Condvar,
    lost: AtomicBool,
}

/// Why a claim was not given.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another process has it.
    Held(Box<ClaimSeen>, Pulse),
    Failed(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl Claim {
    /// Claims the run that is worked on in the folder `work`, whose parent is there.
    pub(crate) fn take(work: &Path, rule: ClaimRule, watch: &Watch) -> Result<Self, Refused> {
        loop {
            let before = ClaimSeen::last(work)?;
            if let Some(seen) = &before {
                match watch.look(work, seen) {
                    Pulse::Gone => {}
                    pulse => return Err(Refused::Held(Box::new(seen.clone()), pulse)),
                }
            }
            create_child(work).or_else(|error| match error.source.kind() {
                ErrorKind::AlreadyExists => Ok(()),
                _ => Err(StoreError::from(error)),
            })?;
            let number = before.as_ref().map_or(0, |seen| seen.number) + 1;
            let Some(claim) = Self::create(work, number, rule)? else { continue };
            // The chain that it was added to may be gone: then it is the first link of nothing, and others may make another.
            let follows = match &before {
                None => true,
                Some(before) => files::read(&work.join(name(before.number)))?
                    .is_some_and(|bytes| ClaimSeen::read(before.number, bytes).is_the_claim_of(before)),
            };
            if follows && last_number(work)? == Some(number) {
                return Ok(claim.renewed_until_dropped());
            }
            let _ = fs::remove_file(work.join(name(number)));
        }
    }

    /// Creates the claim of this number, or `None` where another process did.
    fn create(work: &Path, number: u64, rule: ClaimRule) -> Result<Option<Self>, StoreError> {
        let token = token();
        let claimant = Claimant {
            holder: Holder { since: (rule.clock)(), ..Holder::this_process() },
            token: token.clone(),
            namespace: machine::pid_namespace(),
            stale_after: rule.stale_after.as_secs_f64(),
        };
        let mut text = serde_json::to_string(&claimant).expect("a claim is plain data");
        text.push('\n');
        let place = text.len() as u64;
        text.push_str(&renewal(0, &(rule.clock)()));
        let path = work.join(name(number));
        let Some(file) = create_whole(work, &path, &token, text.as_bytes())? else { return Ok(None) };
        let shared = Shared {
            work: work.to_owned(),
            number,
            token: token.clone(),
            rule,
            file: Mutex::new(file),
            place,
            ends: Mutex::new(false),
            wake: Condvar::new(),
            lost: AtomicBool::new(false),
        };
        Ok(Some(Self { number, token, shared: Arc::new(shared), renewing: None, is_given_back: true }))
    }

    fn renewed_until_dropped(mut self) -> Self {
        let shared = Arc::clone(&self.shared);
        // Without a thread the claim gets stale, and another process may do the same run: that costs time, no result.
        self.renewing = thread::Builder::new().name("claim".into()).spawn(move || shared.renew()).ok();
        self
    }

    /// Ends the claim of a run that is finished, whose claims are about to go.
    pub(crate) fn end(mut self) {
        self.is_given_back = false;
    }

    /// Whether another process has taken over, or the chain is gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// As [`is_lost`](Self::is_lost), but looks now.
    pub(crate) fn is_lost_by_now(&self) -> bool {
        self.shared.look();
        self.is_lost()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        *lock(&self.shared.ends) = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.renewing.take() {
            // It does nothing that could panic, and a claim that is not given back gets stale.
            let _ = thread.join();
        }
        if !self.is_given_back {
            return;
        }
        let mut file = lock(&self.shared.file);
        let _ = file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(ENDED.as_bytes()));
        let _ = file.sync_data();
    }
}

impl Shared {
    fn renew(&self) {
        let mut count = 0_u64;
        let mut ends = lock(&self.ends);
        loop {
            let waited = self.wake.wait_timeout_while(ends, self.rule.renew_every, |ends| !*ends);
            ends = waited.unwrap_or_else(PoisonError::into_inner).0;
            if *ends {
                return;
            }
            count += 1;
            let text = renewal(count, &(self.rule.clock)());
            {
                let mut file = lock(&self.file);
                // A server that is away for a moment is tried again; where it stays away, the claim gets stale.
                let _ = file
                    .seek(SeekFrom::Start(self.place))
                    .and_then(|_| file.write_all(text.as_bytes()))
                    .and_then(|()| file.sync_data());
            }
            self.look();
            if self.lost.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Looks whether the claim is still the one that counts. What cannot be read says nothing.
    fn look(&self) {
        let is_mine = |seen: &ClaimSeen| {
            seen.number == self.number
                && seen.claimant.as_ref().is_none_or(|claimant| claimant.token == self.token)
        };
        if let Ok(last) = ClaimSeen::last(&self.work)
            && !last.as_ref().is_some_and(is_mine)
        {
            self.lost.store(true, Ordering::Relaxed);
        }
    }
}

/// Creates the file at `path` with these bytes, or none where it is there. Whoever finds it finds all of it: it is written under
/// another name, and gets its own as a second name, which is given to one file only. Where the file system has no second
/// names, it is created empty and then written.
fn create_whole(work: &Path, path: &Path, token: &str, bytes: &[u8]) -> Result<Option<File>, StoreError> {
    let new = work.join(format!("{NEW}{token}"));
    let create = |path: &Path| {
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        // What a file on another host's disk holds, that host's other clients see once it is there.
        file.sync_data()?;
        Ok(file)
    };
    let created = create(&new).and_then(|file| match fs::hard_link(&new, path) {
        // A server may do what it is asked and lose the answer.
        Err(error)
            if error.kind() == ErrorKind::AlreadyExists && fs::read(path).ok().as_deref() == Some(bytes) =>
        {
            Ok(file)
        }
        Err(error) if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => create(path),
        linked => linked.map(|()| file),
    });
    let _ = fs::remove_file(&new);
    match created {
        Ok(file) => Ok(Some(file)),
        // Also where the folder went, because the run is finished.
        Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => Ok(None),
        Err(source) => Err(StoreError::writing(path, source)),
    }
}

/// The line of the renewal of this number, as long as every other.
fn renewal(count: u64, time: &str) -> String {
    format!("renewal {count:010} {time}\n")
}

fn name(number: u64) -> String {
    format!("{PREFIX}{number}")
}

/// The number of the last claim in a folder; none where there is none, or no folder.
fn last_number(work: &Path) -> Result<Option<u64>, StoreError> {
    let entries = match fs::read_dir(work) {
        Ok(entries) => entries,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::reading(work, source)),
    };
    let mut last = None;
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            // The folder went while it was read.
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::reading(work, source)),
        };
        let number = entry.file_name().to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        last = last.max(number);
    }
    Ok(last)
}

/// Sixteen hexadecimal digits that no other claim has.
pub(crate) fn token() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = Sha256::new();
    for _ in 0..2 {
        // Its keys are the system's random numbers.
        hasher.update(RandomState::new().build_hasher().finish().to_le_bytes());
    }
    hasher.update(COUNT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    hasher.update(process::id().to_le_bytes());
    hasher.update(machine::host());
    let mut digits = hex(hasher);
    digits.truncate(16);
    digits
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
