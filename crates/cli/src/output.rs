//! Writing results to standard output: lines, tables, bytes.

use std::io::{ErrorKind, Write, stdout};
use std::process::exit;

/// Writes a line.
pub(crate) fn line(text: &str) {
    bytes(format!("{text}\n").as_bytes());
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
            if column < left { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        });
        line(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// Writes bytes. A reader that has gone away (`inkling data list | head -1`) ends the program quietly.
pub(crate) fn bytes(bytes: &[u8]) {
    let mut stdout = stdout().lock();
    if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        exit(if error.kind() == ErrorKind::BrokenPipe { 0 } else { 74 });
    }
}
