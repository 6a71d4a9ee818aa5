//! Which pixels a network's answer depends on: `cargo run --release -p inkling --example 6_looking_inside`.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::{Fit, Model, Pixels, Sequential};
use inkling_data::Sources;

/// Trains a network, and draws the gradient of its answer with respect to an image (Simonyan, Vedaldi and Zisserman 2014).
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    let train = set.train.take(6000);
    let network = Sequential::new([28, 28, 1]).conv2d(16, 3).relu().max_pool(2).flatten().dense(10).build();
    let mut model = Model::new(&network, 1)?;
    model.fit(&train.images.pixels, &train.labels, &Fit { epochs: 2, ..Fit::default() })?;
    let answer = model.predict(set.test.images.image(0))?[0];

    let mut x = vec![0.0; 784];
    Pixels::Bytes(set.test.images.image(0)).read(0, &mut x);
    let network = model.network_mut();
    let scores = network.layer_handles().pop().ok_or("a network has layers")?;
    let mut workspace = network.workspace(1, true);
    let mut gradient = vec![0.0; x.len()];
    network.forward(&x, false, &mut workspace);
    network.input_gradient(&x, &scores, &mut workspace, &mut gradient, |_, dy| dy[answer] = 1.0);

    let largest = gradient.iter().fold(0.0_f32, |largest, slope| largest.max(slope.abs()));
    println!("the network says {answer}; # are the pixels that its score depends on most");
    for row in gradient.chunks(28) {
        let shade = |slope: &f32| [' ', '·', '+', '#'][(3.99 * slope.abs() / largest) as usize];
        println!("{}", row.iter().map(shade).collect::<String>());
    }
    Ok(())
}
