//! What the fast operations are made of: vectors for each instruction set, the tile product, the update of weights.
//!
//! Each kernel checks its slices before it reads them without further checks, so that who calls it needs no `unsafe` code.
//! Kernels of a single operation lie with the operation (`operations/conv2d`: `frame.rs`, `winograd/transform.rs`).

pub(crate) mod finish;
pub(crate) mod path;
pub(crate) mod peak;
pub(crate) mod product;
pub(crate) mod silent;
pub(crate) mod simd;
pub(crate) mod stream;
pub(crate) mod update;
