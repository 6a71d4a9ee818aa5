//! Compute on the CPU: principal components, perceptrons, separating lines and hyperplanes, the training of networks,
//! and their interpretation. Slices in, slices out: no files, no data-set names. Whatever the number of threads, the
//! same input gives the same bits.

mod activity;
mod aligned;
mod byte_matrix;
mod inspect;
pub mod interpret;
mod kernels;
mod labels;
mod layers;
mod linalg;
pub mod logits;
mod losses;
mod network;
mod optimized_tensor;
mod optimizers;
mod parallel;
pub mod pca;
pub mod perceptron;
pub mod random;
pub mod separability;
mod sequential;
mod task_gradients;
mod training;
pub mod weighting;

pub use activity::ActivityStats;
pub use byte_matrix::{Affine, ByteMatrix};
pub use inspect::LayerHandle;
pub use kernels::isa::Isa;
pub use kernels::peak::peak_flops;
pub use kernels::stream::peak_bandwidth;
pub use labels::{HeadTargets, Labels};
pub use layers::activation::{Activation, ActivationRegistry};
pub use losses::Metrics;
pub use network::{LayerTime, NamedTensor, Network, StateKind, Targets, TensorView, Workspace};
pub use optimized_tensor::OptimizedTensor;
pub use optimizers::UpdateRule;
pub use task_gradients::{GradientGram, TrunkScope};
pub use training::{Dataset, HeadLabels, Pixels, Trainer, evaluate, normalize_pixels};
