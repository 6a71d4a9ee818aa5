//! Writing results to standard output: lines, tables, bytes.
//!
//! Results that cannot be written stop no work: what comes after is dropped, and [`finish`] says so at the end.

use std::io::{self, ErrorKind, IsTerminal, Write, stdout};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use clap::builder::StyledStr;
use console::Term;
use inkling_schema::printable;

use crate::failure::{Failure, UsageError};

/// Why results could not be written, once one could not.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes a line, or several, in which text from files cannot steer a terminal.
pub(crate) fn line(text: &str) {
    bytes(format!("{}\n", printable(text)).as_bytes());
}

/// Writes rows as a table: the first so many columns begin at one place, the others end at one.
pub(crate) fn table(rows: &[Vec<String>], left: usize) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            // Not by a width in the format, which ends at 65,535.
            let pad = " ".repeat(width - cell.chars().count());
            if column < left { format!("{cell}{pad}") } else { format!("{pad}{cell}") }
        });
        line(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// Writes bytes.
pub(crate) fn bytes(bytes: &[u8]) {
    if !is_lost()
        && let Err(error) = write(&mut stdout().lock(), bytes)
    {
        // Only the first reason counts.
        let _ = LOST.set(error);
    }
}

/// A text of clap's, in colours where standard output shows them.
pub(crate) fn styled(text: &StyledStr) -> String {
    if console::colors_enabled() && stdout().is_terminal() {
        text.ansi().to_string()
    } else {
        text.to_string()
    }
}

/// Columns that help is set in. A narrow terminal breaks its lines itself: commands in it stay whole when they are copied.
pub(crate) fn width() -> usize {
    const COLUMNS: std::ops::RangeInclusive<usize> = 80..=100;
    let columns = Term::stdout().size_checked().map_or(*COLUMNS.end(), |(_, columns)| columns.into());
    columns.clamp(*COLUMNS.start(), *COLUMNS.end())
}

/// Whether results can no longer be written, so that work that makes nothing else is in vain.
pub(crate) fn is_lost() -> bool {
    LOST.get().is_some()
}

/// Says at the end whether all results were written. A reader that has gone away (`inkling data list | head -1`) has seen
/// what it wanted.
pub(crate) fn finish() -> Result<(), Failure> {
    match LOST.get() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(UsageError::Output { source: io::Error::new(error.kind(), error.to_string()) }.into())
        }
        _ => Ok(()),
    }
}

/// Writes all bytes and waits for a reader that is slow to take them, also where the pipe does not.
fn write(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_millis(5);
    loop {
        let written = if bytes.is_empty() { out.flush().map(|()| None) } else { out.write(bytes).map(Some) };
        match written {
            Ok(None) => return Ok(()),
            Ok(Some(0)) => return Err(ErrorKind::WriteZero.into()),
            Ok(Some(count)) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a byte now and then.
    struct Slow(Vec<u8>, usize);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            match self.1 % 3 {
                0 => Err(ErrorKind::WouldBlock.into()),
                1 => Err(ErrorKind::Interrupted.into()),
                _ => self.0.write(&bytes[..1]),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_pipe_that_does_not_wait_gets_every_byte() {
        let mut slow = Slow(Vec::new(), 0);
        write(&mut slow, b"results").unwrap();
        assert_eq!(slow.0, b"results");
    }
}
