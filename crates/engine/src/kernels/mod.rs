//! What the fast layers are made of: vectors for each instruction set, the tile product, the update of weights.
//!
//! Each kernel checks its slices before it reads them without further checks, so that who calls it needs no `unsafe` code.
//! Kernels of a single layer lie with the layer (`layers/conv2d`: `padded_grad.rs`, `winograd/transform.rs`).

pub(crate) mod epilogue;
pub(crate) mod gemm;
pub(crate) mod isa;
pub(crate) mod peak;
pub(crate) mod silent;
pub(crate) mod simd;
pub(crate) mod stream;
pub(crate) mod update;
