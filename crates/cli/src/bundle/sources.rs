//! The sources that the program was built from, listed by the crate's build script.

/// Each file's path in the project, with `/` between its parts, and its bytes, in the order of the paths.
pub(crate) static SOURCES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));
