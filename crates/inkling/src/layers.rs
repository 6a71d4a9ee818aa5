//! Layers with the settings that most networks have. A [`LayerSpec`] holds every other one.

use inkling_schema::{Initializer, LayerSpec, Padding};

/// y = W·x + b, for vectors; weights start as Glorot and Bengio (2010) have them.
pub fn dense(units: usize) -> LayerSpec {
    LayerSpec::Dense { units, initializer: Initializer::GlorotUniform }
}

/// A convolution of square filters with zeros around the image, in steps of one; weights start as He et al. (2015) have them.
pub fn conv2d(filters: usize, kernel_size: usize) -> LayerSpec {
    let (kernel_size, stride) = ([kernel_size; 2], [1; 2]);
    LayerSpec::Conv2d {
        filters,
        kernel_size,
        stride,
        padding: Padding::Same,
        initializer: Initializer::HeUniform,
    }
}

/// The largest number of each square window; windows lie side by side.
pub fn max_pool(size: usize) -> LayerSpec {
    LayerSpec::MaxPool { pool_size: [size; 2], stride: [size; 2] }
}

/// The mean of each square window; windows lie side by side.
pub fn avg_pool(size: usize) -> LayerSpec {
    LayerSpec::AvgPool { pool_size: [size; 2], stride: [size; 2] }
}

/// The mean of each channel of an image, as a vector.
pub fn global_avg_pool() -> LayerSpec {
    LayerSpec::GlobalAvgPool
}

/// An image as a vector.
pub fn flatten() -> LayerSpec {
    LayerSpec::Flatten
}

/// max(0, x).
pub fn relu() -> LayerSpec {
    LayerSpec::Relu
}

/// x · Φ(x).
pub fn gelu() -> LayerSpec {
    LayerSpec::Gelu
}

/// The hyperbolic tangent.
pub fn tanh() -> LayerSpec {
    LayerSpec::Tanh
}

/// Sets this share of the numbers to zero while training.
pub fn dropout(rate: f64) -> LayerSpec {
    LayerSpec::Dropout { rate }
}

/// Batch normalisation with the settings that PyTorch has by default.
pub fn batch_norm() -> LayerSpec {
    LayerSpec::BatchNorm { epsilon: 1e-5, momentum: 0.1 }
}

/// What these layers make of x, plus x: they must give as many numbers as they take.
pub fn residual(layers: Vec<LayerSpec>) -> LayerSpec {
    LayerSpec::Residual { layers, projection: None }
}

/// As [`residual`], x being added through a linear projection that brings it into another shape; its weights start as He et
/// al. (2015) have them.
pub fn projected_residual(layers: Vec<LayerSpec>) -> LayerSpec {
    LayerSpec::Residual { layers, projection: Some(Initializer::HeUniform) }
}

/// An activation of the program's own, by the name under which an [`ActivationRegistry`](crate::ActivationRegistry) has it.
pub fn custom(activation: &str) -> LayerSpec {
    LayerSpec::Custom { activation: activation.to_owned() }
}

/// Layer normalisation with the ε that PyTorch has by default.
pub fn layer_norm() -> LayerSpec {
    LayerSpec::LayerNorm { epsilon: 1e-5 }
}
