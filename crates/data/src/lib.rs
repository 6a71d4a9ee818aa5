//! Bytes to samples: which image sets exist, where their files are, and how they become images and labels.
//!
//! [`load`] finds a set of the [`catalogue`] by name in the places that [`Sources`] lists, fetches it where
//! it is nowhere on disk, checks every file's SHA-256 and gives back a [`DataSet`]. Images stay `u8` in
//! memory; whoever computes with them scales them then. [`read_png`] reads a picture that a person brings.
//!
//! This crate knows nothing of networks, prints nothing, and trusts no byte that it reads.
//!
//! ```no_run
//! let sources = inkling_data::Sources::new(None);
//! let set = inkling_data::load("mnist", &sources)?;
//! assert_eq!(set.train.images.dim(), 784);
//! # Ok::<(), inkling_data::DataError>(())
//! ```

pub mod catalogue;
mod error;
pub mod fetch;
mod find;
pub mod idx;
pub mod kind;
mod picture;
mod set;
mod source;

pub use catalogue::SetInfo;
pub use error::{DataError, MirrorFailure};
pub use fetch::FetchEvent;
pub use find::Looked;
pub use picture::{Picture, PictureError, decode_png, read_png};
pub use set::{DataSet, Images, Samples};
pub use source::{Sources, load, read_folder, set_files};

use sha2::{Digest, Sha256};

/// The SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
