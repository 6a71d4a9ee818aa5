//! The few ways in which this crate touches files, besides replacing them.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::atomic::sync_folder;
use crate::error::StoreError;

/// Creates `folder` and its parents where they are missing, and makes the new entry durable.
pub(crate) fn create_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|source| StoreError::writing(folder, source))?;
    folder.parent().map_or(Ok(()), sync_folder)
}

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

/// The bytes of the file at `path`, or `None` where there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::reading(path, source)),
    }
}

/// The value of the JSON file at `path`, or `None` where there is no such file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    read(path)?
        .map(|bytes| {
            serde_json::from_slice(&bytes).map_err(|error| StoreError::damaged(path, error.to_string()))
        })
        .transpose()
}

/// `value` as indented JSON that ends in a line feed.
///
/// # Panics
/// When the type has no JSON form, such as a map whose keys are not strings.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(value).expect("a type given to the store has a JSON form");
    json.push(b'\n');
    json
}

/// The SHA-256 of the file at `path` in lower-case hexadecimal digits, or `None` where there is no such file.
pub(crate) fn sha256(path: &Path) -> Result<Option<String>, StoreError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::reading(path, source)),
    };
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

/// What was hashed, as 64 lower-case hexadecimal digits.
pub(crate) fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
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
