//! Data of one's own, made in memory: `cargo run --release -p inkling --example 5_own_data`.
//!
//! Two spirals wind round each other; a point is an "image" of one row, two columns and one channel.
#![expect(clippy::print_stdout, reason = "an example says what it finds")]

use inkling::{Fit, Model, Pixels, Sequential, layers};

/// Trains a small network on the spirals, and draws what it makes of the plane.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut points, mut classes) = (Vec::new(), Vec::new());
    for i in 0..1000_u16 {
        let (class, t) = (i % 2, f32::from(i / 2) / 500.0);
        let turn = 4.5 * t + std::f32::consts::PI * f32::from(class);
        points.extend([(0.1 + t) * turn.cos(), (0.1 + t) * turn.sin()]);
        classes.push(class as u8);
    }
    let network = Sequential::new([1, 2, 1]).flatten().dense(64).layer(layers::tanh());
    let network = network.dense(64).layer(layers::tanh()).dense(2).build();
    let mut model = Model::new(&network, 1)?;
    let how = Fit { epochs: 200, learning_rate: 0.005, ..Fit::default() };
    let history = model.fit(Pixels::Floats(&points), &classes, &how)?;
    println!("{:.1} % of the points are classified correctly", 100.0 * history[199].accuracy());

    let grid: Vec<f32> = (0..22)
        .flat_map(|row| (0..44).flat_map(move |column| [column as f32 / 20.0 - 1.1, 1.1 - row as f32 / 10.0]))
        .collect();
    let answers = model.predict(Pixels::Floats(&grid))?;
    for row in answers.chunks(44) {
        println!("{}", row.iter().map(|&class| if class == 0 { '·' } else { '#' }).collect::<String>());
    }
    Ok(())
}
