//! Every gradient against differences of the plain reference network in f64.

mod reference;

use inkling_engine::random::RngStream;
use inkling_engine::{Network, StateKind, Targets};
use inkling_schema::ModelSpec;
use reference::Reference;
use reference::networks::{self, disturb, uniform};

/// Step of the central differences: far below what separates two numbers of a window or a ReLU from its bend.
const STEP: f64 = 1e-6;
/// Error allowed, as a share of the largest gradient of an array.
const TOLERANCE: f64 = 1e-4;
/// Error allowed where an array's gradients cancel, as a share of the largest gradient of all.
const CANCELLED: f64 = 1e-6;

/// Σ over heads of weight times mean cross-entropy; labels are [heads, batch].
fn loss(reference: &Reference, x: &[f64], labels: &[u8], weights: &[f32]) -> f64 {
    let parts = reference.outputs(x, true);
    let scores = parts[1..].iter().map(|head| &head.last().expect("a layer").1);
    let batch = labels.len() / weights.len();
    let mut loss = 0.0;
    for ((scores, labels), &weight) in scores.zip(labels.chunks_exact(batch)).zip(weights) {
        for (z, &label) in scores.iter().zip(labels) {
            let sum: f64 = z.iter().map(|z| z.exp()).sum();
            loss += f64::from(weight) * (sum.ln() - z[usize::from(label)]) / batch as f64;
        }
    }
    loss
}

/// Compares the loss, every parameter's gradient and the images' with the reference.
fn check(spec: &ModelSpec, batch: usize, seed: u64) {
    let mut stream = RngStream::new(seed, "test/gradients");
    let mut network = Network::new(spec, seed).expect("a network");
    let x = uniform(&mut stream, batch * network.input_len(), 1.0);
    disturb(&mut network, &mut stream);
    let labels: Vec<u8> = network
        .num_classes()
        .iter()
        .flat_map(|&classes| {
            (0..batch).map(|_| stream.random_range(classes as u32) as u8).collect::<Vec<u8>>()
        })
        .collect();
    let weights: Vec<f32> = spec.heads.iter().map(|_| 0.25 + stream.uniform()).collect();
    let targets = Targets { labels: &labels, loss_weights: &weights };

    let mut reference = Reference::of(&network);
    let mut workspace = network.workspace(batch, true);
    let found = network.gradients(&x, targets, &mut workspace);
    let mut wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let exact = loss(&reference, &wide, &labels, &weights);
    assert!((found - exact).abs() <= 1e-5 * exact, "the loss is {found}, not {exact}: {spec:?}");

    let mut compared = Vec::new();
    for array in network.state_dict(StateKind::Gradients) {
        let numerical: Vec<f64> = (0..array.values.len())
            .map(|i| {
                let mut moved = |by: f64| {
                    let values = reference.parameters.get_mut(&array.name).expect("the same parameters");
                    let before = values[i];
                    values[i] += by;
                    let loss = loss(&reference, &wide, &labels, &weights);
                    reference.parameters.get_mut(&array.name).expect("as before")[i] = before;
                    loss
                };
                (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
            })
            .collect();
        compared.push((array.name, array.values, numerical));
    }
    let mut dx = vec![f32::NAN; x.len()];
    network.image_gradients(&x, targets, &mut workspace, &mut dx);
    let numerical = (0..x.len()).map(|i| {
        let mut moved = |by: f64| {
            let before = wide[i];
            wide[i] += by;
            let loss = loss(&reference, &wide, &labels, &weights);
            wide[i] = before;
            loss
        };
        (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
    });
    compared.push(("the images".into(), dx, numerical.collect()));

    let largest =
        |numerical: &[f64]| numerical.iter().fold(0.0_f64, |largest, slope| largest.max(slope.abs()));
    let of_all = compared.iter().map(|(_, _, numerical)| largest(numerical)).fold(0.0, f64::max);
    for (name, found, numerical) in &compared {
        let bound = TOLERANCE * largest(numerical) + CANCELLED * of_all;
        for (i, (&found, slope)) in found.iter().zip(numerical).enumerate() {
            let difference = (f64::from(found) - slope).abs();
            assert!(difference <= bound, "gradient {i} of {name} is {found}, not {slope}: {spec:?}");
        }
    }
}

#[test]
fn of_each_layer_are_differences() {
    for (seed, spec) in networks::of_each_layer().iter().enumerate() {
        check(spec, 4, seed as u64);
    }
}

#[test]
fn of_two_heads_are_differences() {
    for (seed, spec) in (1..).zip(&networks::of_two_heads()) {
        check(spec, 3, seed);
    }
}

/// Networks of layers drawn at random. The seeds are fixed: a number that lies within a step of a bend would fail.
#[test]
fn of_random_networks_are_differences() {
    for seed in 0..60 {
        let (spec, batch) = networks::random(seed);
        check(&spec, batch, seed);
    }
}
