//! Networks in the formats of other programs, and back: plain values in, bytes or text out. It opens no files.

mod error;
mod file;
mod keras;
pub mod metrics;
pub mod onnx;
mod peers;
mod portable;
mod python;
mod pytorch;
mod tensors;
#[cfg(test)]
mod testing;
mod weights;

pub use error::InterchangeError;
pub use file::File;
pub use keras::keras;
pub use peers::Peers;
pub use portable::{Portable, Tensor};
pub use pytorch::pytorch;
pub use weights::{Convention, Match, Reason, weights_from};
