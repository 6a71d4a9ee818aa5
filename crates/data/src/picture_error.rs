//! Why a file is no picture that is read here.

use thiserror::Error;

/// The largest file that is read, in bytes.
pub(crate) const MAX_FILE: u64 = 64 << 20;
/// The most pixels that a picture may have: far more than any network here takes, little enough to hold.
pub(crate) const MAX_PIXELS: u64 = 1 << 24;

/// Why bytes are no picture.
#[derive(Debug, Error)]
pub enum PictureError {
    /// They do not begin as a PNG file does.
    #[error("it is {0}")]
    NotPng(&'static str),
    /// The file ends too early.
    #[error("it is truncated")]
    Truncated,
    /// It begins as a PNG file and is none.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// It is larger than anything that is read here.
    #[error("it is too large: at most {MAX_PIXELS} pixels in a file of {} MiB are read", MAX_FILE >> 20)]
    TooLarge,
    /// No picture has so many channels.
    #[error("a picture is grey or in colour, and an image of {0} channels is neither")]
    Channels(usize),
}
