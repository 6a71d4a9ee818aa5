//! Compute on the CPU: principal components, perceptrons, separating lines and hyperplanes, and the training of networks.
//! Slices in, slices out: no files, no data-set names. Whatever the number of threads, the same input gives the same bits.

mod chain;
mod features;
mod idleness;
mod kernels;
mod linear;
mod looking;
mod memory;
mod network;
mod operations;
mod optimizer;
mod parallel;
pub mod pca;
pub mod perceptron;
pub mod random;
pub mod separability;
mod shared;
mod training;
mod variables;

pub use features::{Affine, Features};
pub use idleness::Idleness;
pub use kernels::path::Path;
pub use kernels::peak::peak_flops;
pub use kernels::stream::peak_stream;
pub use looking::LayerOutput;
pub use network::{Array, ArrayView, LayerTime, Network, Part, Targets, Workspace};
pub use shared::{GradientProducts, SharedLayers};
pub use training::{Judged, Labelled, Trainer, evaluate, scale};
pub use variables::Variables;
