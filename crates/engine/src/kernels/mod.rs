//! The kernels of the fast layers: vectors for each instruction set, the matrix product of tiles, the update of weights.
//!
//! Each kernel checks the bounds of its slices once, before it reads them without further checks, so that its callers
//! need no `unsafe` code. A kernel of a single layer is beside that layer (`layers/conv2d`: `padded_grad.rs`,
//! `winograd/transform.rs`).

pub(crate) mod bandwidth;
pub(crate) mod epilogue;
pub(crate) mod gemm;
pub(crate) mod isa;
pub(crate) mod pairs;
pub(crate) mod peak;
pub(crate) mod silent;
pub(crate) mod simd;
pub(crate) mod update;
