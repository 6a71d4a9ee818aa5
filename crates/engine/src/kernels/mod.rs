//! What the fast operations are made of: vectors for each instruction set, the tile product, the update of weights.
//!
//! The only part of the program with `unsafe` code, but for memory and its division among threads. Each kernel checks
//! its slices before it reads them without further checks, so that what is outside can be safe.

pub(crate) mod finish;
pub(crate) mod flush;
pub(crate) mod path;
pub(crate) mod peak;
pub(crate) mod product;
pub(crate) mod simd;
pub(crate) mod update;
