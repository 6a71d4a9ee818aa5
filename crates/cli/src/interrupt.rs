//! Ctrl-C: the first asks for the end, the second is the end.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::INTERRUPTED;

/// Set by Ctrl-C.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);

/// Lets Ctrl-C ask for the end, and a second one be it.
pub(crate) fn stop_on_ctrl_c() {
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        eprintln!("\nstopping; again to stop at once");
    };
    // Without a handler Ctrl-C ends the program at once, and nothing finished is lost.
    let _ = ctrlc::set_handler(handler);
}

/// The command that was given, for a person to give again.
pub(crate) fn again() -> String {
    let words = std::env::args_os().skip(1).map(|word| quoted(&word.to_string_lossy()));
    std::iter::once("inkling".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
