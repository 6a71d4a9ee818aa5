//! Thousands of steps leave no denormal number behind, on which many processors compute a hundred times slower.

mod support;

use inkling_engine::{Dataset, Network, StateKind, Trainer};
use inkling_schema::{ModelSpec, Optimizer};
use support::{ADAM, BATCH, Noise, everything};

/// Steps until a first moment that decays by a tenth each time is denormal, and far beyond.
const STEPS: usize = 2400;

fn assert_none(numbers: &[f32], what: &str) {
    let denormal = numbers.iter().filter(|number| number.is_subnormal()).count();
    assert_eq!(denormal, 0, "denormal numbers of {} in {what}", numbers.len());
}

/// Learns nine images by heart, so that losses and their gradients come to nothing; then images of which half the pixels are
/// zero, so that inputs and units die.
fn train(spec: &ModelSpec, optimizer: Optimizer) {
    let noise = Noise::new(spec, BATCH);
    let labels = noise.labels();
    let order = noise.order(0);
    let half: Vec<u8> =
        noise.pixels.iter().enumerate().map(|(i, &pixel)| if i % 2 == 0 { pixel } else { 0 }).collect();
    let network = Network::new(spec, 3).expect("a network");
    let weights = vec![1.0; network.num_classes().len()];
    let mut trainer = Trainer::new(network, optimizer, BATCH, &weights);
    for step in 0..STEPS {
        let pixels = if step < STEPS / 3 { &noise.pixels } else { &half };
        trainer.step(Dataset::with_labels(pixels, &labels), &order, 1e-2);
        if step % 300 != 299 {
            continue;
        }
        let case = |what: &str| format!("{what} after {step} steps with {optimizer:?}");
        for part in [StateKind::Values, StateKind::FirstMoments, StateKind::SecondMoments] {
            for array in trainer.network().state_dict(part) {
                assert_none(&array.values, &case(&format!("{part:?} of {}", array.name)));
            }
        }
        let x: Vec<f32> = half.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        let network = trainer.network_mut();
        let mut workspace = network.workspace(BATCH, true);
        network.forward(&x, false, &mut workspace);
        for layer in network.layer_handles() {
            assert_none(network.output(&layer, &x, &workspace), &case("outputs"));
        }
    }
    let moments = trainer.network().state_dict(StateKind::FirstMoments);
    let is_dense = |name: &str| name == "trunk.2.weight";
    let first = moments.iter().find(|array| is_dense(&array.name));
    let gone = |values: &[f32]| values.iter().filter(|moment| **moment == 0.0).count();
    assert!(first.is_none_or(|array| gone(&array.values) > 0), "momentum that came to nothing");
}

#[test]
fn no_denormal_number_is_left_by_thousands_of_steps() {
    let mlp = r#"
        input = [7, 7, 1]
        trunk = [
            { layer = "flatten" },
            { layer = "dense", units = 130, initializer = "he-uniform" },
            { layer = "relu" },
            { layer = "dense", units = 70, initializer = "he-uniform" },
            { layer = "relu" },
        ]
        [[heads]]
        name = "class"
        layers = [{ layer = "dense", units = 10, initializer = "glorot-uniform" }]
    "#;
    let mlp = ModelSpec::from_toml("mlp", mlp).expect("a network");
    let (beta_1, beta_2, epsilon) = (0.9, 0.99, 1e-8);
    let decaying = Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay: 5.0 };
    for optimizer in [ADAM, decaying, Optimizer::Sgd { momentum: 0.9, nesterov: false }] {
        train(&mlp, optimizer);
        train(&everything(), optimizer);
    }
}
