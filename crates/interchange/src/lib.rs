//! Networks in the formats of other programs, and back: plain values in, bytes or text out. It opens no files.

mod error;
pub mod metrics;
pub mod onnx;
mod portable;

pub use error::InterchangeError;
pub use portable::{Portable, Tensor};
