//! Interpretation of trained networks: saliency of pixels for a score, and feature visualisation, images that raise a
//! function of a layer's output.
//!
//! Feature visualisation is composed of small parts, a file each, as in Lucent: a parametrisation and initial
//! parameters, transforms, an objective, regularisers, and the ascent that combines them.

mod feature_visualization;
mod image_size;
mod init;
mod objective;
mod parametrisation;
mod regularisers;
mod saliency;
mod transforms;

pub use feature_visualization::{FeatureVisualization, InitialImage};
pub use image_size::ImageSize;
pub use init::{parameters_of_grey, parameters_of_image};
pub use objective::ResolvedObjective;
pub use parametrisation::ImageBasis;
pub use regularisers::subtract_gradient;
pub use saliency::{baseline_logit, integrated_gradients, saliency_map};
pub use transforms::SampledTransform;
