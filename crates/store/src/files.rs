//! The few ways in which this crate touches files, besides replacing them.

use std::fs::{self, File, FileType};
use std::io::{ErrorKind, Read};
use std::path::Path;

use inkling_files::hex;
use inkling_files::sealed::{self, SealError};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::error::StoreError;

/// Removes the file at `path`; that it is not there is fine.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(StoreError::writing(path, source)),
        _ => Ok(()),
    }
}

/// Gives the file at `from` the name `to`, in place of what has that name; that there is none is fine.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    match fs::rename(from, to) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(StoreError::writing(to, source)),
        _ => Ok(()),
    }
}

/// Gives the file at `from` a second name `to`, or a copy where the file system has no second names; that there is none is
/// fine, and what is no regular file gets none.
pub(crate) fn link(from: &Path, to: &Path) -> Result<(), StoreError> {
    if !fs::symlink_metadata(from).is_ok_and(|found| found.is_file()) {
        return Ok(());
    }
    let linked = fs::hard_link(from, to).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Err(error),
        _ => fs::copy(from, to).map(drop),
    });
    match linked {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(StoreError::writing(to, source)),
        _ => Ok(()),
    }
}

/// What there is at `path`, behind links, or `None` where there is nothing.
///
/// # Errors
/// [`StoreError::Io`] where the system does not say, as in a folder that is closed.
pub(crate) fn kind(path: &Path) -> Result<Option<FileType>, StoreError> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found.file_type())),
        Err(source) if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(StoreError::reading(path, source)),
    }
}

/// Opens the file at `path`, or `None` where there is no such file. What is no regular file is no file of a store, and
/// reading a pipe might never end.
pub(crate) fn open(path: &Path) -> Result<Option<File>, StoreError> {
    match kind(path)? {
        None => return Ok(None),
        Some(kind) if kind.is_file() || kind.is_dir() => {}
        Some(_) => return Err(StoreError::damaged(path, "it is not a regular file")),
    }
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::reading(path, source)),
    }
}

/// The bytes of the file at `path`, or `None` where there is no such file.
///
/// # Errors
/// [`StoreError::Io`] where it cannot be read, [`StoreError::Damaged`] where it is not a regular file.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(mut file) = open(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|source| StoreError::reading(path, source))?;
    Ok(Some(bytes))
}

/// The value of the JSON document at `path`, or `None` where there is no such file. Where the document is sealed, its
/// checksum is right; older programs did not seal theirs.
///
/// # Errors
/// [`StoreError::Damaged`] where it is no `T` or not what was sealed, [`StoreError::NewerFormat`] where a newer program
/// sealed it otherwise.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    sealed::from_json(&bytes).map(Some).map_err(|error| match error {
        SealError::Newer { found, known } => {
            let narrow = |format| u32::try_from(format).unwrap_or(u32::MAX);
            StoreError::NewerFormat { path: path.to_owned(), found: narrow(found), known: narrow(known) }
        }
        other => StoreError::damaged(path, other.to_string()),
    })
}

/// Whether the file at `path` begins as a sealed document does, whether or not the rest of it is sound.
pub(crate) fn begins_sealed(path: &Path) -> bool {
    read(path).is_ok_and(|bytes| bytes.is_some_and(|bytes| sealed::begins_sealed(&bytes)))
}

/// The SHA-256 of the file at `path` in lower-case hexadecimal digits, or `None` where there is no such file.
///
/// # Errors
/// [`StoreError::Io`] where it cannot be read, [`StoreError::Damaged`] where it is not a regular file.
pub fn sha256(path: &Path) -> Result<Option<String>, StoreError> {
    let Some(mut file) = open(path)? else { return Ok(None) };
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hasher.update(&buffer[..count]),
            Err(source) if source.kind() == ErrorKind::Interrupted => {}
            Err(source) => return Err(StoreError::reading(path, source)),
        }
    }
    Ok(Some(hex(hasher)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_the_standard_example() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap().as_deref(), Some(expected));
        assert_eq!(sha256(&folder.path().join("absent")).unwrap(), None);
    }
}
