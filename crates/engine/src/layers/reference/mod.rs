//! The definition of each layer, against which the fast layers are tested: plain loops in f64, in a file for each layer.
//!
//! The files use nothing of the engine, so that integration tests can include them too and build whole networks of them.
//! Gradients are differences of `forward`; a layer has a `backward` only if differences would take too long in its tests.

pub(crate) mod activation;
pub(crate) mod avg_pool;
pub(crate) mod batch_norm;
pub(crate) mod conv2d;
pub(crate) mod dense;
pub(crate) mod dropout;
pub(crate) mod layer_norm;
pub(crate) mod max_pool;
pub(crate) mod residual;
pub(crate) mod windows;
