//! Activations: y = f(x), element by element.

use std::fmt::Debug;
use std::sync::Arc;

use inkling_schema::LayerSpec;
use rayon::prelude::*;

use super::parameter::GradMode;
use super::{BackwardArgs, Context, DynLayer, Layer, flushed};
use crate::parallel::par_for_each;

/// The number of values of a task: enough to be worth a thread.
const TASK: usize = 1 << 12;

/// An activation: a function of one number and its derivative. A program can define its own ([`ActivationRegistry`]).
///
/// Both functions must return NaN for NaN, so that it reaches the loss and is noticed.
///
/// ```
/// use inkling_engine::{Activation, ActivationRegistry, Network};
/// use inkling_schema::ModelSpec;
///
/// #[derive(Debug, Clone)]
/// struct Square;
///
/// impl Activation for Square {
///     fn f(&self, x: f32) -> f32 {
///         x * x
///     }
///
///     fn df(&self, x: f32, _y: f32) -> f32 {
///         2.0 * x
///     }
/// }
///
/// let text = r#"
///     input = [1, 3, 1]
///     trunk = [{ layer = "flatten" }, { layer = "custom", activation = "square" }]
///     heads = [{ name = "a", layers = [{ layer = "dense", units = 2, initializer = "he-uniform" }] }]
/// "#;
/// let spec = ModelSpec::from_toml("network.toml", text)?;
/// let network = Network::with_activations(&spec, 1, &ActivationRegistry::new().with("square", Square))?;
/// assert_eq!(network.num_parameters(), 3 * 2 + 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Activation: Debug + Send + Sync {
    /// f(x).
    fn f(&self, x: f32) -> f32;

    /// f′(x), given y = f(x).
    fn df(&self, x: f32, y: f32) -> f32;

    /// Whether f′(x) is zero wherever f(x) is zero, as for ReLU. A dense layer after it can then skip the weights of
    /// inputs that are zero, which makes training faster. The default, `false`, is always correct.
    fn is_flat_at_zeros(&self) -> bool {
        false
    }
}

/// max(0, x) (Nair and Hinton 2010).
#[derive(Debug)]
struct Relu;

impl Activation for Relu {
    fn f(&self, x: f32) -> f32 {
        if x < 0.0 { 0.0 } else { x }
    }

    fn df(&self, _x: f32, y: f32) -> f32 {
        if y > 0.0 { 1.0 } else { 0.0 }
    }

    fn is_flat_at_zeros(&self) -> bool {
        true
    }
}

/// x where x is positive, else slope · x (Maas, Hannun and Ng 2013).
#[derive(Debug)]
struct LeakyRelu(f32);

impl Activation for LeakyRelu {
    fn f(&self, x: f32) -> f32 {
        if x < 0.0 { self.0 * x } else { x }
    }

    fn df(&self, x: f32, _y: f32) -> f32 {
        if x > 0.0 { 1.0 } else { self.0 }
    }
}

/// x where x is positive, else alpha · (eˣ − 1) (Clevert, Unterthiner and Hochreiter 2016).
#[derive(Debug)]
struct Elu(f32);

impl Activation for Elu {
    fn f(&self, x: f32) -> f32 {
        if x < 0.0 { self.0 * libm::expm1f(x) } else { x }
    }

    fn df(&self, x: f32, y: f32) -> f32 {
        if x > 0.0 { 1.0 } else { y + self.0 }
    }
}

/// x · Φ(x), where Φ is the cumulative distribution function of the standard normal distribution (Hendrycks and Gimpel
/// 2016).
#[derive(Debug)]
struct Gelu;

impl Gelu {
    fn phi(x: f32) -> f32 {
        // Not 1 + erf, which cancels for negative x.
        0.5 * libm::erfcf(-x * std::f32::consts::FRAC_1_SQRT_2)
    }
}

impl Activation for Gelu {
    fn f(&self, x: f32) -> f32 {
        x * Gelu::phi(x)
    }

    fn df(&self, x: f32, _y: f32) -> f32 {
        /// 1 / √(2π).
        const DENSITY: f32 = 0.398_942_3;
        Gelu::phi(x) + x * DENSITY * libm::expf(-0.5 * x * x)
    }
}

/// x · σ(x), also called Swish (Hendrycks and Gimpel 2016; Ramachandran, Zoph and Le 2017).
#[derive(Debug)]
struct Silu;

impl Activation for Silu {
    fn f(&self, x: f32) -> f32 {
        x * sigmoid(x)
    }

    fn df(&self, x: f32, y: f32) -> f32 {
        let sigma = sigmoid(x);
        sigma + y * (1.0 - sigma)
    }
}

/// σ(x) = 1 / (1 + e⁻ˣ).
#[derive(Debug)]
struct Sigmoid;

impl Activation for Sigmoid {
    fn f(&self, x: f32) -> f32 {
        sigmoid(x)
    }

    fn df(&self, _x: f32, y: f32) -> f32 {
        y * (1.0 - y)
    }
}

/// The hyperbolic tangent.
#[derive(Debug)]
struct Tanh;

impl Activation for Tanh {
    fn f(&self, x: f32) -> f32 {
        libm::tanhf(x)
    }

    fn df(&self, _x: f32, y: f32) -> f32 {
        1.0 - y * y
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}

/// The activations that a program defines itself, by name. A network uses them in layers of the kind `custom`.
#[derive(Debug, Clone, Default)]
pub struct ActivationRegistry {
    known: Vec<(String, Arc<dyn MakeLayer>)>,
}

/// Makes the layer of an activation whose type is erased.
trait MakeLayer: Debug + Send + Sync {
    fn make(&self, outputs: usize) -> Box<dyn DynLayer>;
}

impl<A: Activation + Clone + 'static> MakeLayer for A {
    fn make(&self, outputs: usize) -> Box<dyn DynLayer> {
        Box::new(Elementwise { activation: self.clone(), outputs })
    }
}

impl ActivationRegistry {
    /// A registry without activations.
    pub fn new() -> ActivationRegistry {
        ActivationRegistry::default()
    }

    /// Adds an activation. Of several with the same name, the last one is used.
    #[must_use]
    pub fn with(mut self, name: &str, activation: impl Activation + Clone + 'static) -> ActivationRegistry {
        self.known.push((name.to_owned(), Arc::new(activation)));
        self
    }

    /// The names of all registered activations, in the order in which they were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|(name, _)| name.as_str())
    }

    /// The layer of the activation of this name for samples of `outputs` values; `None` if the name is not registered.
    pub(crate) fn layer(&self, name: &str, outputs: usize) -> Option<Box<dyn DynLayer>> {
        let found = self.known.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, activation)| activation.make(outputs))
    }
}

/// The layer of an activation of the library's for samples of `outputs` values; `None` if `layer` is of another kind.
pub(crate) fn activation(layer: &LayerSpec, outputs: usize) -> Option<Box<dyn DynLayer>> {
    fn of(activation: impl Activation + 'static, outputs: usize) -> Option<Box<dyn DynLayer>> {
        Some(Box::new(Elementwise { activation, outputs }))
    }
    match *layer {
        LayerSpec::Relu => of(Relu, outputs),
        LayerSpec::LeakyRelu { slope } => of(LeakyRelu(slope as f32), outputs),
        LayerSpec::Elu { alpha } => of(Elu(alpha as f32), outputs),
        LayerSpec::Gelu => of(Gelu, outputs),
        LayerSpec::Silu => of(Silu, outputs),
        LayerSpec::Sigmoid => of(Sigmoid, outputs),
        LayerSpec::Tanh => of(Tanh, outputs),
        _ => None,
    }
}

/// A layer that applies an activation to each value.
#[derive(Debug)]
struct Elementwise<A> {
    activation: A,
    outputs: usize,
}

impl<A: Activation> Layer for Elementwise<A> {
    type Cache = ();

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        self.activation.is_flat_at_zeros()
    }

    fn alloc_cache(&self, _capacity: usize, _backward: bool) {}

    /// y and x are [batch, outputs].
    fn forward(&mut self, _context: &Context, x: &[f32], y: &mut [f32], _cache: &mut ()) {
        assert_eq!(x.len(), y.len(), "as many numbers come out as go in");
        par_for_each(y.par_chunks_mut(TASK).zip(x.par_chunks(TASK)), |(y, x)| {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = flushed(self.activation.f(x)));
        });
    }

    /// dx = dy · f′(x). All arrays are [batch, outputs].
    fn backward(&mut self, _context: &Context, args: BackwardArgs, _cache: &mut (), _grad_mode: GradMode) {
        let BackwardArgs { x, y, dy, dx: Some(dx) } = args else { return };
        let parts = dx.par_chunks_mut(TASK).zip(dy.par_chunks(TASK));
        par_for_each(parts.zip(x.par_chunks(TASK).zip(y.par_chunks(TASK))), |((dx, dy), (x, y))| {
            for ((dx, &dy), (&x, &y)) in dx.iter_mut().zip(dy).zip(x.iter().zip(y)) {
                *dx = flushed(dy * self.activation.df(x, y));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::isa::Isa;
    use crate::layers::reference::activation as definition;
    use crate::layers::testing::{numerical_gradient, on_any_threads, uniform, wide};
    use crate::random::RngStream;

    /// Every activation of the library's.
    fn all() -> Vec<LayerSpec> {
        vec![
            LayerSpec::Relu,
            LayerSpec::LeakyRelu { slope: 0.2 },
            LayerSpec::Elu { alpha: 1.5 },
            LayerSpec::Gelu,
            LayerSpec::Silu,
            LayerSpec::Sigmoid,
            LayerSpec::Tanh,
        ]
    }

    fn run(layer: &LayerSpec, batch: usize, x: &[f32], mut dy: Vec<f32>) -> (Vec<f32>, Vec<f32>) {
        let mut layer = activation(layer, x.len() / batch).expect("an activation");
        let context = Context { isa: Isa::current(), batch, training: true, pairs: false };
        let mut cache = layer.alloc_cache(batch, true);
        let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        layer.forward(&context, x, &mut y, &mut cache);
        let args = BackwardArgs { x, y: &y, dy: &mut dy, dx: Some(&mut dx) };
        layer.backward(&context, args, &mut cache, GradMode::Store);
        (y, dx)
    }

    proptest! {
        #[test]
        fn agree_with_their_definitions_and_differences(
            batch in 1_usize..5, outputs in 1_usize..20, scale in 0.1_f32..4.0, seed in 0_u64..1000,
        ) {
            for layer in all() {
                let f = |x: f64| definition::f(&layer, x).expect("a definition");
                let mut stream = RngStream::new(seed, "test/activation");
                let x: Vec<f32> = uniform(&mut stream, batch * outputs).iter().map(|x| scale * x).collect();
                let dy = uniform(&mut stream, batch * outputs);
                let plain = |x: &[f64]| x.iter().map(|&x| f(x)).collect::<Vec<f64>>();
                let (y, dx) = run(&layer, batch, &x, dy.clone());
                let exact = plain(&wide(&x));
                // Where terms cancel, beside them: no number here is larger than four, and no slope than two.
                let slopes = numerical_gradient(&x, &dy, plain);
                for (&found, exact) in y.iter().chain(&dx).zip(exact.iter().chain(&slopes)) {
                    let error = (f64::from(found) - exact).abs();
                    prop_assert!(error <= 2e-6 * (1.0 + exact.abs()), "{layer:?}: {found} for {exact}");
                }
            }
        }
    }

    /// x · tanh(ln(1 + eˣ)) (Misra 2019), which the library does not have.
    #[derive(Debug, Clone)]
    struct Mish;

    impl Activation for Mish {
        fn f(&self, x: f32) -> f32 {
            x * libm::log1pf(libm::expf(x)).tanh()
        }

        fn df(&self, x: f32, _y: f32) -> f32 {
            let t = libm::log1pf(libm::expf(x)).tanh();
            t + x * (1.0 - t * t) * sigmoid(x)
        }
    }

    #[test]
    fn an_activation_of_a_programs_own_is_found_by_its_name() {
        let text = r#"
            input = [1, 1, 5]
            trunk = [{ layer = "flatten" }, { layer = "custom", activation = "mish" }]
            heads = [{ name = "a", layers = [{ layer = "dense", units = 2, initializer = "he-uniform" }] }]
        "#;
        let spec = inkling_schema::ModelSpec::from_toml("own.toml", text).unwrap();
        let refused =
            |registry: &ActivationRegistry| crate::Network::with_activations(&spec, 1, registry).unwrap_err();
        let none = refused(&ActivationRegistry::new());
        assert_eq!(none.to_string(), "trunk 2 (custom): no activation `mish` is registered");
        let other = refused(&ActivationRegistry::new().with("swoosh", Mish));
        let inkling_schema::ModelError::Layer { help, .. } = other else { panic!("a layer's error") };
        assert_eq!(help, "the program has registered `swoosh`");
        let registry = ActivationRegistry::new().with("mish", Mish);
        let mut network = crate::Network::with_activations(&spec, 1, &registry).unwrap();
        let x = [-2.0, -0.5, 0.0, 0.5, 2.0];
        let mut workspace = network.workspace(1, true);
        network.forward(&x, false, &mut workspace);
        let handle = network.layer_handles()[0].clone();
        let exact = x.map(|x: f32| x * (f64::from(x).exp().ln_1p().tanh() as f32));
        for (found, exact) in network.output(&handle, &x, &workspace).iter().zip(exact) {
            assert!((found - exact).abs() < 1e-6);
        }
    }

    #[test]
    fn are_the_same_on_any_threads() {
        let mut stream = RngStream::new(1, "test/activation");
        let (x, dy) = (uniform(&mut stream, 3 * TASK + 5), uniform(&mut stream, 3 * TASK + 5));
        for layer in all() {
            let (y, dx) = on_any_threads(|| run(&layer, 1, &x, dy.clone()));
            assert!(y.iter().chain(&dx).all(|number| number.is_finite()));
        }
    }

    #[test]
    fn what_is_no_number_shows_and_large_numbers_stay_finite() {
        for layer in all() {
            let (y, _) = run(&layer, 1, &[f32::NAN], vec![1.0]);
            assert!(y[0].is_nan(), "{layer:?}");
            let (y, dx) = run(&layer, 1, &[-1e30, -100.0, 0.0, 100.0, 1e30], vec![1.0; 5]);
            assert!(y.iter().chain(&dx).all(|number| number.is_finite()), "{layer:?}: {y:?}, {dx:?}");
        }
        let (y, dx) = run(&LayerSpec::Relu, 1, &[0.0, -1.0, 2.0], vec![1.0; 3]);
        assert_eq!((&y[..], &dx[..]), (&[0.0, 0.0, 2.0][..], &[0.0, 0.0, 1.0][..]));
    }
}
