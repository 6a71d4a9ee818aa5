//! What the store and the data cache do alike with files: replacing them whole, locking a folder, sealing JSON.
//!
//! - [`atomic`] replaces a file so that a kill at any instant leaves the old version or the new one;
//! - [`lock`] lets one process at a time write to a folder, and says who holds it;
//! - [`sealed`] writes JSON documents that hold a checksum of themselves;
//! - [`machine`] says which computer and which start of it a process belongs to.

pub mod atomic;
pub mod clock;
pub mod lock;
pub mod machine;
pub mod sealed;

pub use lock::{Holder, Lock, Refusal, Waiting};

use sha2::{Digest, Sha256};

/// What was hashed, as 64 lower-case hexadecimal digits.
pub fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
