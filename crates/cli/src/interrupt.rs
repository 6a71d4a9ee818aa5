//! Ctrl-C, and the signals that end a program or close its terminal: the first asks for the end, the second is the end.
//!
//! Nothing on disk is ever half written, so most work simply ends. Work that would lose something says what it finishes
//! first ([`finish_first`]), and the person is told.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use inkling_schema::quoted;

use crate::failure::{Failure, HUNG_UP, INTERRUPTED, TERMINATED, TRY_AGAIN, UsageError};
use crate::message;

/// Set by the first signal.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);

/// The exit code of the first signal; 0 before there is one.
static CODE: AtomicU8 = AtomicU8::new(0);

/// Whether the same command goes on where this one was stopped.
static GOES_ON: AtomicBool = AtomicBool::new(false);

/// Whether an interruption is one of the reasons to try again later, for whoever starts many of these processes.
static TRIES_AGAIN: AtomicBool = AtomicBool::new(false);

/// What is finished before the program ends.
static FIRST: Mutex<Option<&'static str>> = Mutex::new(None);

/// Signals that come so soon after the first are the same wish: a closing terminal, `timeout` and others send several.
const ONE_WISH: Duration = Duration::from_millis(500);

/// How long the last message may take when its reader is slow.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lets signals ask for the end. `goes_on` says whether the same command goes on where this one was stopped.
pub(crate) fn listen(goes_on: bool) {
    GOES_ON.store(goes_on, Ordering::Relaxed);
    // Where signals cannot be listened to, they end the program at once, and nothing finished is lost.
    let _ = start();
}

/// From now on an interruption ends the program with the code for what may succeed later.
pub(crate) fn ends_with_try_again() {
    TRIES_AGAIN.store(true, Ordering::Relaxed);
}

/// Keeps the program from ending while something is finished; until dropped.
pub(crate) struct Finishing(());

/// Says what is finished before the program ends, as a clause: "the archive is written first".
pub(crate) fn finish_first(what: &'static str) -> Finishing {
    *first() = Some(what);
    Finishing(())
}

impl Drop for Finishing {
    fn drop(&mut self) {
        *first() = None;
    }
}

/// An error where a signal has asked for the end.
pub(crate) fn check() -> Result<(), Failure> {
    if STOP.load(Ordering::Relaxed) { Err(interrupted().into()) } else { Ok(()) }
}

/// The error of work that was interrupted.
pub(crate) fn interrupted() -> UsageError {
    UsageError::Interrupted { again: again(), goes_on: GOES_ON.load(Ordering::Relaxed) }
}

/// The exit code of an interruption: 128 and the signal's number, as of a program that the signal ends.
pub(crate) fn code() -> u8 {
    match CODE.load(Ordering::Relaxed) {
        0 => INTERRUPTED,
        code => code,
    }
}

/// The command that was given, for a person to give again.
fn again() -> String {
    let mut words = std::env::args_os();
    // A program that is not on the path is called as it was.
    let program = words.next().filter(|name| name.as_encoded_bytes().contains(&b'/'));
    let program = program.map_or_else(|| "inkling".to_owned(), quoted);
    // What else decides of the results.
    let instructions = std::env::var_os("INKLING_CPU").filter(|asked| !asked.is_empty());
    let instructions = instructions.map(|asked| format!("INKLING_CPU={}", quoted(asked)));
    instructions.into_iter().chain([program]).chain(words.map(quoted)).collect::<Vec<_>>().join(" ")
}

fn first() -> std::sync::MutexGuard<'static, Option<&'static str>> {
    FIRST.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What a signal does; `signal` is its usual exit code, `before` when the first one came.
fn take(signal: u8, before: &mut Option<Instant>) {
    let code = if TRIES_AGAIN.load(Ordering::Relaxed) { TRY_AGAIN } else { signal };
    match before {
        None => *before = Some(Instant::now()),
        Some(then) if then.elapsed() < ONE_WISH => return,
        Some(_) => std::process::exit(code.into()),
    }
    CODE.store(code, Ordering::Relaxed);
    let first = {
        let first = first();
        STOP.store(true, Ordering::Relaxed);
        *first
    };
    // Another thread speaks, so that a second signal is heard while nobody reads.
    let (spoken, wait) = mpsc::channel();
    thread::spawn(move || {
        match first {
            Some(what) => message::say(&format!("\nstopping: {what}; {} again to stop at once", how(signal))),
            None => {
                message::say("");
                message::error(&interrupted());
            }
        }
        let _ = spoken.send(());
    });
    if first.is_none() {
        let _ = wait.recv_timeout(PATIENCE);
        std::process::exit(code.into());
    }
}

fn how(code: u8) -> &'static str {
    if code == INTERRUPTED { "press Ctrl-C" } else { "send the signal" }
}

/// Starts the thread that waits for signals.
#[cfg(unix)]
fn start() -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;

    // A file that grows beyond what is allowed would end the program without a word; heard, it is an error of the write.
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGXFSZ])?;
    if !hangups_are_ignored() {
        signals.handle().add_signal(SIGHUP)?;
    }
    let listen = move || {
        let mut before = None;
        for signal in signals.forever() {
            let code = match signal {
                SIGTERM => TERMINATED,
                SIGHUP => HUNG_UP,
                SIGXFSZ => continue,
                _ => INTERRUPTED,
            };
            take(code, &mut before);
        }
    };
    thread::Builder::new().name("signals".into()).spawn(listen).map(drop)
}

/// Whether the program was started so that a terminal that closes does not end it (`nohup`). Where the system does not say,
/// it may have been, and hanging up keeps the meaning that it had.
#[cfg(unix)]
fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_none_or(|mask| mask >> (signal_hook::consts::SIGHUP - 1) & 1 == 1)
}

/// Starts the thread that waits for Ctrl-C; what kind of end was asked for, the system does not say.
#[cfg(not(unix))]
fn start() -> Result<(), ctrlc::Error> {
    let mut before = None;
    ctrlc::set_handler(move || take(INTERRUPTED, &mut before))
}
