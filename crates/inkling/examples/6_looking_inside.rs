//! Which pixels a network's answer depends on: `cargo run --release -p inkling --example 6_looking_inside`.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::{Fit, Model, Sequential};
use inkling_data::Sources;

/// Trains a network, and draws the integrated gradients of its answer for an image (Sundararajan, Taly and Yan 2017).
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = inkling_data::load("mnist", &Sources::new(None))?;
    let train = set.train.take(6000);
    let network = Sequential::new([28, 28, 1]).conv2d(16, 3).relu().max_pool(2).flatten().dense(10).build();
    let mut model = Model::new(&network, 1)?;
    model.fit(&train.images.pixels, &train.labels, &Fit { epochs: 2, ..Fit::default() })?;

    let image = set.test.images.image(0);
    let answer = model.predict(image)?[0];
    let shares = model.integrated_gradients(image, answer, 64)?;
    let largest = shares.iter().fold(0.0_f32, |largest, share| largest.max(share.abs()));
    println!(
        "the network says {answer}; # are the pixels that speak for it most, - those that speak against it"
    );
    for row in shares.chunks(28) {
        let shade = |share: &f32| match (4.99 * share.signum() * (share.abs() / largest).sqrt()) as i32 {
            ..=-1 => '-',
            0 => ' ',
            1 => '·',
            2 => '+',
            _ => '#',
        };
        println!("{}", row.iter().map(shade).collect::<String>());
    }

    let maps = model.layer_output("trunk.1", image)?;
    let silent = maps.chunks(16).filter(|pixel| pixel.iter().all(|&activation| activation == 0.0)).count();
    println!("at {silent} of 784 pixels, no filter of the first layer responds");
    Ok(())
}
