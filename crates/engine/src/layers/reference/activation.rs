//! Activations: y = f(x), element by element.

use inkling_schema::LayerSpec;

/// f(x); `None` if the layer is not an activation of the library.
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
        // x · Φ(x), where Φ is the cumulative distribution function of the standard normal distribution.
        LayerSpec::Gelu => x * 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2),
        LayerSpec::Silu => x / (1.0 + (-x).exp()),
        LayerSpec::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        LayerSpec::Tanh => x.tanh(),
        _ => return None,
    })
}
