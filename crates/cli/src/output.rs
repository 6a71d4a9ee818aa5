//! Writing results to standard output.

use std::io::{ErrorKind, Write, stdout};
use std::process::exit;

/// Writes a line.
pub(crate) fn line(text: &str) {
    bytes(format!("{text}\n").as_bytes());
}

/// Writes bytes. A reader that has gone away (`inkling data list | head -1`) ends the program quietly.
pub(crate) fn bytes(bytes: &[u8]) {
    let mut stdout = stdout().lock();
    if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        exit(if error.kind() == ErrorKind::BrokenPipe { 0 } else { 74 });
    }
}
