//! One network for two tasks: `cargo run --release -p inkling --example 7_two_heads`.
//!
//! A trunk that both share, one head for the digit, and one for whether it is even.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::engine::random::RngStream;
use inkling::engine::{Dataset, Network, Trainer, evaluate};
use inkling::{Head, ModelSpec, Optimizer, layers};
use inkling_data::Sources;

/// Trains the network, and says how good each head is.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    let (train, test) = (set.train.take(6000), set.test.take(2000));
    let even = |labels: &[u8]| labels.iter().map(|label| label % 2).collect::<Vec<u8>>();
    let (train_even, test_even) = (even(&train.labels), even(&test.labels));
    let head = |name: &str, classes| Head::new(name, vec![layers::dense(classes)]);
    let spec = ModelSpec {
        input: [28, 28, 1],
        trunk: vec![layers::flatten(), layers::dense(200), layers::relu()],
        heads: vec![head("digit", 10), head("even", 2)],
    };

    let adam = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
    // Each head's loss counts for a half.
    let mut trainer = Trainer::new(Network::new(&spec, 1)?, adam, 50, &[0.5, 0.5]);
    let labels = [&train.labels[..], &train_even];
    let images = Dataset::new(&train.images.pixels, &labels);
    let (mut order, mut shuffle): (Vec<u32>, _) =
        ((0..images.len() as u32).collect(), RngStream::new(1, "order"));
    for _ in 0..3 {
        shuffle.shuffle(&mut order);
        for batch in order.chunks(50) {
            trainer.step(images, batch, 0.001);
        }
    }
    let labels = [&test.labels[..], &test_even];
    let mut workspace = trainer.network().workspace(250, false);
    let found = evaluate(
        trainer.network_mut(),
        &mut workspace,
        Dataset::new(&test.images.pixels, &labels),
        |_, _| {},
    );
    for (head, metrics) in spec.heads.iter().zip(found) {
        println!("{}: {:.2} % right", head.name, 100.0 * metrics.correct as f64 / test.len() as f64);
    }
    Ok(())
}
