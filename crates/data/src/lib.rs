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
pub mod import;
pub mod kind;
mod looked;
mod picture;
mod picture_error;
mod prepare;
mod set;
mod source;

pub use catalogue::SetInfo;
pub use error::{DataError, MirrorFailure};
pub use fetch::FetchEvent;
pub use looked::Looked;
pub use picture::{Look, Picture, PictureNote, decode_png, read_png};
pub use picture_error::PictureError;
pub use prepare::{PictureFit, Prepared, prepare};
pub use set::{About, DataSet, Images, Samples};
pub use source::{Found, Sources, cache_folder, load, read_folder, set_files, usual_places};

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// The SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of a file, as [`sha256_hex`], a piece at a time: a file may be larger than the memory.
///
/// # Errors
/// What the operating system says where the file cannot be read.
pub fn sha256_file(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
