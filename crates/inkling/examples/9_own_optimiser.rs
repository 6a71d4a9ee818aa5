//! An optimiser of one's own: `cargo run --release -p inkling --example 9_own_optimiser`.
//!
//! AdaGrad (Duchi, Hazan and Singer 2011), which the library does not have: every weight has a step of its own, which becomes
//! shorter as its gradients add up.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::{Fit, Model, Sequential, UpdateRule};
use inkling_data::Sources;

#[derive(Debug)]
struct AdaGrad {
    learning_rate: f32,
}

impl UpdateRule for AdaGrad {
    fn moments(&self) -> usize {
        // The sum of the squared gradients.
        1
    }

    fn begin_step(&mut self, _step: u64, learning_rate: f64) {
        self.learning_rate = learning_rate as f32;
    }

    fn update(&self, values: &mut [f32], moments: [&mut [f32]; 2], gradient: &[f32], _decays: bool) {
        let [squares, _] = moments;
        for ((value, square), gradient) in values.iter_mut().zip(squares).zip(gradient) {
            *square += gradient * gradient;
            *value -= self.learning_rate * gradient / (square.sqrt() + 1e-8);
        }
    }
}

/// Trains a small network with it, and says how each epoch went.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    let (train, test) = (set.train.take(6000), set.test.take(2000));
    let network = Sequential::new([28, 28, 1]).flatten().dense(100).relu().dense(10).build();
    let mut model = Model::new(&network, 1)?;
    let told = |epoch: &inkling::Epoch| {
        println!("epoch {}: loss {:.3}, {:.1} % right", epoch.epoch, epoch.loss, 100.0 * epoch.accuracy());
        true
    };
    let how = Fit { epochs: 3, learning_rate: 0.02, on_epoch: Some(&told), ..Fit::default() };
    let rule = Box::new(AdaGrad { learning_rate: 0.0 });
    model.fit_with_update_rule(&train.images.pixels, &train.labels, rule, &how)?;
    let found = model.evaluate(&test.images.pixels, &test.labels)?;
    println!("{:.2} % of the test images are classified correctly", 100.0 * found[0].accuracy);
    Ok(())
}
