//! A multilayer perceptron on MNIST: `cargo run --release -p inkling --example 3_mlp`.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::{Fit, Labels, Model, Pixels, Sequential};
use inkling_data::Sources;

/// Trains it, watches it on images that are held out, and tests it once.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    let (train, test) = (set.train.take(12_000), set.test);
    let (pixels, held_out) = train.images.pixels.split_at(10_000 * 28 * 28);
    let (labels, held_out_labels) = train.labels.split_at(10_000);

    let network =
        Sequential::new([28, 28, 1]).flatten().dense(300).relu().dense(100).relu().dense(10).build();
    let mut model = Model::new(&network, 1)?;
    let validation = Some((Pixels::Bytes(held_out), vec![Labels::Bytes(held_out_labels)]));
    let history = model.fit(pixels, labels, &Fit { epochs: 3, validation, ..Fit::default() })?;
    for epoch in history {
        let held_out = epoch.validation.expect("images are held out")[0].accuracy;
        println!(
            "epoch {}: loss {:.4}, {:.2} % of those held out",
            epoch.epoch,
            epoch.loss,
            100.0 * held_out
        );
    }
    let found = model.evaluate(&test.images.pixels, &test.labels)?;
    println!("{:.2} % of the test images are classified correctly", 100.0 * found[0].accuracy);
    Ok(())
}
