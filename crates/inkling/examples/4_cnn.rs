//! A convolutional network on MNIST, kept in a file: `cargo run --release -p inkling --example 4_cnn`.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::{Fit, Model, Sequential};
use inkling_data::Sources;

/// Trains it on a tenth of the images, saves it, reads it again and tests it.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    let (train, test) = (set.train.take(6000), set.test.take(2000));

    let network = Sequential::new([28, 28, 1]);
    let network = network.conv2d(32, 3).relu().max_pool(2).conv2d(64, 3).relu().max_pool(2);
    let network = network.flatten().dropout(0.25).dense(10).build();
    let mut model = Model::new(&network, 1)?;
    model.fit(&train.images.pixels, &train.labels, &Fit { epochs: 2, ..Fit::default() })?;

    let path = std::env::temp_dir().join("inkling_example_cnn.safetensors");
    model.save(&path)?;
    let found = Model::load(&path)?.evaluate(&test.images.pixels, &test.labels)?;
    println!("test accuracy {:.2} %, loss {:.4}", 100.0 * found[0].accuracy, found[0].loss);
    println!("`inkling look filters {}` looks inside", path.display());
    Ok(())
}
