//! Messages to the person on standard error. One that cannot be written is dropped: no work stops because nobody listens.

mod shown;

use std::io::{IsTerminal, Write, stderr};
#[cfg(unix)]
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use console::Term;
use inkling_schema::printable;
use miette::Diagnostic;

/// Says a line about what happens.
pub(crate) fn say(text: &str) {
    write(&format!("{}\n", printable(text)));
}

/// Says what is worth knowing.
pub(crate) fn note(text: &str) {
    say(&format!("note: {text}"));
}

/// Says what should not be overlooked.
pub(crate) fn warning(text: &str) {
    say(&format!("warning: {text}"));
}

/// Says that a file which a person names is a pipe, if it is one: whoever writes to it may be long in coming.
pub(crate) fn of_pipe(path: &Path) {
    #[cfg(unix)]
    if std::fs::metadata(path).is_ok_and(|about| about.file_type().is_fifo()) {
        say(&format!("reading `{}`, which is a pipe, to its end", path.display()));
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Says why something could not be done, and what to do about it.
pub(crate) fn error(error: &dyn Diagnostic) {
    write(&shown::rendered(error, width()));
}

/// Says what is wrong with a command, as the parser of the command line puts it.
pub(crate) fn usage(error: &clap::Error) {
    write(&printable(&error.render().to_string()));
}

/// Whether a line can be written over, as a progress bar does.
pub(crate) fn can_redraw() -> bool {
    stderr().is_terminal() && !console::is_dumb()
}

/// The columns of the terminal that messages go to, if it is one.
pub(crate) fn width() -> Option<usize> {
    let (_, columns) = Term::stderr().size_checked()?;
    Some(columns.into()).filter(|_| stderr().is_terminal())
}

/// Writes a message in one piece, so that those of several threads do not mix.
fn write(text: &str) {
    // There is nobody to tell.
    let _ = stderr().lock().write_all(text.as_bytes());
}
