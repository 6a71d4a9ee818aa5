//! Steps and judging of the brief's networks on random images, without the data: `cargo bench`.

use divan::{Bencher, black_box, counter::ItemsCount};
use inkling_engine::random::RngStream;
use inkling_engine::{Dataset, Network, Trainer, evaluate};
use inkling_schema::{MODELS, ModelSpec, Optimizer};

const ADAM: Optimizer = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
const IMAGES: usize = 1000;
const PIXELS: usize = 784;

fn main() {
    divan::main();
}

fn network(name: &str) -> Network {
    let text = MODELS.iter().find(|(known, _)| *known == name).expect("one of the brief's networks").1;
    Network::new(&ModelSpec::from_toml(name, text).expect("it is valid"), 1).expect("it can be built")
}

/// Images of which four pixels in five are zero, as in MNIST, and labels.
fn images() -> (Vec<u8>, Vec<u8>) {
    let mut stream = RngStream::new(1, "images");
    let mut pixel = || if stream.random_range(5) == 0 { stream.random_range(256) as u8 } else { 0 };
    let pixels = (0..IMAGES * PIXELS).map(|_| pixel()).collect();
    (pixels, (0..IMAGES).map(|i| (i % 10) as u8).collect())
}

#[divan::bench(args = ["mlp", "cnn"])]
fn step_of_50(bencher: Bencher, name: &str) {
    let (pixels, labels) = images();
    let mut trainer = Trainer::new(network(name), ADAM, 50, &[1.0]);
    let order: Vec<u32> = (0..50).collect();
    bencher.counter(ItemsCount::new(50_usize)).bench_local(|| {
        let labels: &[&[u8]] = &[&labels];
        black_box(trainer.step(Dataset::new(&pixels, labels), &order, 1e-3)[0])
    });
}

#[divan::bench(args = ["mlp", "cnn"])]
fn judge_1000(bencher: Bencher, name: &str) {
    let (pixels, labels) = images();
    let mut network = network(name);
    let mut workspace = network.workspace(250, false);
    bencher.counter(ItemsCount::new(IMAGES)).bench_local(|| {
        let labels: &[&[u8]] = &[&labels];
        evaluate(&mut network, &mut workspace, Dataset::new(&pixels, labels), |_, _| {})
    });
}
