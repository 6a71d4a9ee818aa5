//! Compute on the CPU: principal components, perceptrons, separating lines and hyperplanes. Slices in, slices out: no
//! files, no data-set names. Whatever the number of threads, the same input gives the same bits.

mod features;
mod linear;
pub mod pca;
pub mod perceptron;
pub mod random;
pub mod separability;

pub use features::{Affine, Features};
