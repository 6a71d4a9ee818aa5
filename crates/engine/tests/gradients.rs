//! Every gradient against differences of the plain reference network in f64.

#[path = "../src/losses/reference.rs"]
mod definition;
mod reference;

use std::sync::{Mutex, PoisonError};

use inkling_engine::random::RngStream;
use inkling_engine::{HeadTargets, Isa, Network, StateKind, Targets};
use inkling_schema::{Head, Loss, ModelSpec};
use reference::Reference;
use reference::networks::{self, disturb, uniform};

/// Step of the central differences: far below what separates two numbers of a window or a ReLU from its bend.
const STEP: f64 = 1e-6;
/// Error allowed, as a share of the largest gradient of an array.
const TOLERANCE: f64 = 1e-4;
/// Error allowed where an array's gradients cancel, as a share of the largest gradient of all.
const CANCELLED: f64 = 1e-6;

/// Σ over heads of weight times mean loss.
fn loss(reference: &Reference, spec: &ModelSpec, x: &[f64], labels: &[HeadTargets], weights: &[f32]) -> f64 {
    let parts = reference.outputs(x, true);
    let mut loss = 0.0;
    for (h, head) in spec.heads.iter().enumerate() {
        let outputs = &parts[1 + h].last().expect("a layer").1;
        for (sample, z) in outputs.iter().enumerate() {
            let targets: Vec<f64> = match &labels[h] {
                HeadTargets::Classes(classes) => vec![classes[sample].into()],
                HeadTargets::Values { values, outputs } => {
                    values[sample * outputs..(sample + 1) * outputs].iter().map(|&t| t.into()).collect()
                }
            };
            loss += f64::from(weights[h]) * definition::loss(head.loss, z, &targets) / outputs.len() as f64;
        }
    }
    loss
}

/// Which instruction set networks compute with is the whole program's affair: one check at a time.
static ISA: Mutex<()> = Mutex::new(());

/// Compares the loss, every parameter's gradient and the images' with the reference, on every instruction set.
fn check(spec: &ModelSpec, batch: usize, seed: u64) {
    let _one = ISA.lock().unwrap_or_else(PoisonError::into_inner);
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        isa.set_default();
        check_here(spec, batch, seed);
    }
}

fn check_here(spec: &ModelSpec, batch: usize, seed: u64) {
    let mut stream = RngStream::new(seed, "test/gradients");
    let mut network = Network::new(spec, seed).expect("a network");
    let x = uniform(&mut stream, batch * network.input_len(), 1.0);
    disturb(&mut network, &mut stream);
    let sizes = network.num_classes();
    let mut labels_of = |(head, &outputs): (&Head, &usize)| match head.loss {
        Loss::CrossEntropy { .. } => {
            HeadTargets::Classes((0..batch).map(|_| stream.random_range(outputs as u32)).collect())
        }
        _ => HeadTargets::Values { values: uniform(&mut stream, batch * outputs, 0.5), outputs },
    };
    let mut labels: Vec<HeadTargets> = spec.heads.iter().zip(&sizes).map(&mut labels_of).collect();
    // From 0 to 1, which suits answers of yes or no too.
    for targets in &mut labels {
        if let HeadTargets::Values { values, .. } = targets {
            values.iter_mut().for_each(|value| *value += 0.5);
        }
    }
    let weights: Vec<f32> = spec.heads.iter().map(|_| 0.25 + stream.uniform()).collect();
    let targets = Targets { labels: &labels, loss_weights: &weights, class_weights: &[] };

    let mut reference = Reference::of(&network);
    let mut workspace = network.workspace(batch, true);
    let found = network.gradients(&x, targets, &mut workspace);
    let mut wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let exact = loss(&reference, spec, &wide, &labels, &weights);
    assert!((found - exact).abs() <= 1e-5 * exact, "the loss is {found}, not {exact}: {spec:?}");

    let mut compared = Vec::new();
    for array in network.state_dict(StateKind::Gradients) {
        let numerical: Vec<f64> = (0..array.values.len())
            .map(|i| {
                let mut moved = |by: f64| {
                    let values = reference.parameters.get_mut(&array.name).expect("the same parameters");
                    let before = values[i];
                    values[i] += by;
                    let loss = loss(&reference, spec, &wide, &labels, &weights);
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
            let loss = loss(&reference, spec, &wide, &labels, &weights);
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
