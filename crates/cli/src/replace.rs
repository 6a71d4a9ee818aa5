//! Whether a command that writes one file may write over what is there: only over what it made itself.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::failure::UsageError;

/// Checks that nothing is at `path`, or a file whose beginning shows that it is `what`, which a new one may replace. Asked
/// before the work is done that makes the file.
///
/// # Errors
/// [`UsageError::WouldReplace`] where something else is there, [`UsageError::NoPlace`] where its folder is not there.
pub(crate) fn check(
    path: &Path,
    what: &'static str,
    is_what: impl Fn(&[u8]) -> bool,
) -> Result<(), UsageError> {
    /// Enough to tell one kind of file from another.
    const BEGINNING: u64 = 4096;
    let would_replace = || Err(UsageError::WouldReplace { path: path.to_owned(), what });
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {
            let mut beginning = Vec::new();
            let read = File::open(path).and_then(|file| file.take(BEGINNING).read_to_end(&mut beginning));
            if read.is_ok() && is_what(&beginning) { Ok(()) } else { would_replace() }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            match folder.filter(|folder| !folder.is_dir()) {
                Some(folder) => Err(UsageError::NoPlace { path: path.to_owned(), folder: folder.to_owned() }),
                None => Ok(()),
            }
        }
        // A folder, a link, a device.
        _ => would_replace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_program_makes_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let check = |path: &Path| check(path, "an archive", |start| start.starts_with(b"PK"));
        fs::write(at("old.zip"), "PK, and more").unwrap();
        assert!(check(&at("old.zip")).is_ok() && check(&at("new.zip")).is_ok());
        for (name, bytes) in [("report.pdf", "%PDF-1.7"), ("empty", ""), ("study.json", "{}")] {
            fs::write(at(name), bytes).unwrap();
            assert!(matches!(check(&at(name)), Err(UsageError::WouldReplace { .. })), "{name}");
            assert_eq!(fs::read(at(name)).unwrap(), bytes.as_bytes());
        }
        assert!(matches!(check(folder.path()), Err(UsageError::WouldReplace { .. })));
        assert!(matches!(check(&at("gone/a.zip")), Err(UsageError::NoPlace { .. })));
        assert!(check(&at("report.pdf/a.zip")).is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("old.zip"), at("link.zip")).unwrap();
            assert!(check(&at("link.zip")).is_err() && check(Path::new("/dev/null")).is_err());
        }
    }
}
