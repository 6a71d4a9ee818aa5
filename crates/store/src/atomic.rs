//! Replacing a file so that a kill at any instant leaves the old version or the new one.

use std::path::Path;

use inkling_files::atomic;

use crate::error::StoreError;

/// Creates `folder` where it is missing, and checks that files can be written there.
///
/// # Errors
/// [`StoreError::CannotWrite`], [`StoreError::DiskFull`] or [`StoreError::Io`].
pub fn writable_folder(folder: &Path) -> Result<(), StoreError> {
    atomic::create_folder(folder)?;
    Ok(atomic::check_writable(folder)?)
}

/// Replaces the file at `path` by `bytes`, or creates it.
///
/// # Errors
/// [`StoreError::CannotWrite`], [`StoreError::DiskFull`] or [`StoreError::Io`]. The old version is then
/// untouched, unless only the last step failed, the fsync of the folder: then the new version is whole and in
/// place, but a power cut may still undo it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    Ok(atomic::write(path, bytes)?)
}
