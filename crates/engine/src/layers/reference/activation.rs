//! Activations: y = f(x), number by number.

use inkling_schema::LayerSpec;

/// f(x); none where the layer is no activation of the library's.
pub(crate) fn f(layer: &LayerSpec, x: f64) -> Option<f64> {
    Some(match *layer {
        LayerSpec::Relu => x.max(0.0),
        LayerSpec::LeakyRelu { slope } => {
            if x < 0.0 {
                slope * x
            } else {
                x
            }
        }
        LayerSpec::Elu { alpha } => {
            if x < 0.0 {
                alpha * x.exp_m1()
            } else {
                x
            }
        }
        // x · Φ(x), Φ being the distribution function of the standard normal distribution.
        LayerSpec::Gelu => x * 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2),
        LayerSpec::Silu => x / (1.0 + (-x).exp()),
        LayerSpec::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        LayerSpec::Tanh => x.tanh(),
        _ => return None,
    })
}
