//! An activation of one's own: `cargo run --release -p inkling --example 8_own_activation`.
//!
//! Mish (Misra 2019), x · tanh(ln(1 + eˣ)), which the library does not have: a function and its derivative.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::{Activation, ActivationRegistry, Fit, Model, Sequential, layers};
use inkling_data::Sources;

#[derive(Debug, Clone)]
struct Mish;

/// tanh(ln(1 + eˣ)) is n / (n + 2) with n = eˣ·(eˣ + 2); beyond 20 it is 1 in single precision.
fn gate(x: f32) -> f32 {
    let n = x.min(20.0).exp() * (x.min(20.0).exp() + 2.0);
    n / (n + 2.0)
}

impl Activation for Mish {
    fn f(&self, x: f32) -> f32 {
        x * gate(x)
    }

    fn df(&self, x: f32, _y: f32) -> f32 {
        gate(x) + x * (1.0 - gate(x).powi(2)) / (1.0 + (-x).exp())
    }
}

/// Trains the same network with ReLU and with Mish, and keeps the second in a file.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    let (train, test) = (set.train.take(6000), set.test.take(2000));
    let registry = ActivationRegistry::new().with("mish", Mish);
    for (name, activation) in [("ReLU", layers::relu()), ("Mish", layers::custom("mish"))] {
        let network = Sequential::new([28, 28, 1]).flatten().dense(100).layer(activation).dense(10);
        let mut model = Model::with_activations(&network.build(), 1, &registry)?;
        model.fit(&train.images.pixels, &train.labels, &Fit { epochs: 3, ..Fit::default() })?;
        let found = model.evaluate(&test.images.pixels, &test.labels)?;
        println!("{name}: {:.2} % right", 100.0 * found[0].accuracy);

        let file = std::env::temp_dir().join(format!("inkling-mish-{}.safetensors", std::process::id()));
        model.save(&file)?;
        // Whoever reads the file brings the activation too.
        let again =
            Model::load_with_activations(&file, &registry)?.evaluate(&test.images.pixels, &test.labels);
        std::fs::remove_file(&file)?;
        assert_eq!(again?, found);
    }
    Ok(())
}
