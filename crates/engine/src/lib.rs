//! Compute on the CPU: principal components, perceptrons, separating lines and hyperplanes, the training of networks,
//! and their interpretation. Slices in, slices out: no files, no data-set names. Whatever the number of threads, the
//! same input gives the same bits.

mod activity;
mod aligned;
mod builder;
mod byte_matrix;
mod dataset;
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
mod state;
mod task_gradients;
mod training;
pub mod weighting;
mod workspace;

pub use activity::ActivityStats;
pub use byte_matrix::{Affine, ByteMatrix};
pub use dataset::{Dataset, HeadLabels, Pixels, normalize_pixels};
pub use inspect::LayerHandle;
pub use kernels::bandwidth::peak_bandwidth;
pub use kernels::isa::Isa;
pub use kernels::peak::peak_flops;
pub use labels::{HeadTargets, Labels, Targets};
pub use layers::activation::{Activation, ActivationRegistry};
pub use layers::parameter::StateKind;
pub use losses::Metrics;
pub use network::Network;
pub use optimized_tensor::OptimizedTensor;
pub use optimizers::UpdateRule;
pub use state::{NamedTensor, TensorView};
pub use task_gradients::{GradientGram, TrunkScope};
pub use training::{Trainer, evaluate};
pub use workspace::{LayerTime, Workspace};
