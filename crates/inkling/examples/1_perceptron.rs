//! A perceptron tells fours from nines: `cargo run --release -p inkling --example 1_perceptron`.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::engine::perceptron::{PerceptronConfig, misclassified, online};
use inkling::engine::{Affine, ByteMatrix};
use inkling_data::Sources;

/// Trains it, and says how often it is wrong.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    // Labels are −1 for fours and 1 for nines; pixels go from −1 to 1.
    let [(x, y), (test_x, test_y)] = [&set.train, &set.test].map(|samples| samples.pair(4, 9));
    let matrix = |pixels| ByteMatrix::new(pixels, set.train.images.dim(), Affine::SIGNED_UNIT);

    let config = PerceptronConfig { learning_rate: 0.1, max_iterations: 10, tolerance: 0.0, seed: 1 };
    let fit = online(&matrix(&x), &y, &config, &|iteration, error| {
        println!("pass {iteration}: {:.2} % of the training images misclassified", 100.0 * error);
        true
    });
    let wrong = misclassified(&matrix(&test_x), &test_y, &fit.w, fit.b);
    println!("{wrong} of {} test images misclassified", test_y.len());
    Ok(())
}
