//! One network for two tasks: `cargo run --release -p inkling --example 7_two_heads`.
//!
//! A trunk that both share, one head for the digit, and one for whether it is even.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::{Fit, Head, Labels, Model, ModelSpec, layers};
use inkling_data::Sources;

/// Trains the network, and says how good each head is.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    let (train, test) = (set.train.take(6000), set.test.take(2000));
    let even = |labels: &[u8]| labels.iter().map(|label| label % 2).collect::<Vec<u8>>();
    let (train_even, test_even) = (even(&train.labels), even(&test.labels));
    let spec = ModelSpec {
        input: [28, 28, 1],
        trunk: vec![layers::flatten(), layers::dense(200), layers::relu()],
        heads: vec![Head::new("digit", vec![layers::dense(10)]), Head::new("even", vec![layers::dense(2)])],
    };

    let mut model = Model::new(&spec, 1)?;
    // Each head's loss counts for a half.
    let how = Fit { epochs: 3, loss_weights: vec![0.5, 0.5], ..Fit::default() };
    let labels = [Labels::Bytes(&train.labels), Labels::Bytes(&train_even)];
    model.fit(&train.images.pixels, labels, &how)?;
    let labels = [Labels::Bytes(&test.labels), Labels::Bytes(&test_even)];
    for (head, found) in spec.heads.iter().zip(model.evaluate(&test.images.pixels, labels)?) {
        println!("{}: {:.2} % right", head.name, 100.0 * found.accuracy);
    }
    Ok(())
}
