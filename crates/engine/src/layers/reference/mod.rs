//! Every layer from its definition: plain loops in f64, a file each, that the fast layers are tested against.
//!
//! The files use nothing of the engine, so that integration tests include them too and build whole networks of them. Where a
//! layer has a `backward`, it is because differences of `forward` would take too long on layers as large as those of its tests.

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
