//! A multilayer perceptron on MNIST: `cargo run --release -p inkling --example 3_mlp`.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::{Fit, Model, Pixels, Sequential};
use inkling_data::Sources;

/// Trains it for an epoch or two, and tests it.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    let (train, test) = (set.train.take(few(60_000)), set.test.take(few(10_000)));

    let network =
        Sequential::new([28, 28, 1]).flatten().dense(300).relu().dense(100).relu().dense(10).build();
    let mut model = Model::new(&network, 1)?;
    let held_out = (Pixels::Bytes(&test.images.pixels), &test.labels[..]);
    let history = model.fit(
        &train.images.pixels,
        &train.labels,
        &Fit { epochs: 2, validation: Some(held_out), ..Fit::default() },
    )?;
    for epoch in history {
        let test = epoch.validation.expect("images are held out").accuracy;
        println!("epoch {}: loss {:.4}, test accuracy {:.2} %", epoch.epoch, epoch.loss, 100.0 * test);
    }
    Ok(())
}

/// So many images, or as few as the tests of this project ask for.
fn few(images: usize) -> usize {
    std::env::var("EXAMPLE_IMAGES").ok().and_then(|few| few.parse().ok()).unwrap_or(images)
}
