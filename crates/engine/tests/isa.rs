//! Every instruction set gives the same numbers; those with fused multiply-add the same bits. One test, because which
//! path is forced is the whole program's affair.

mod support;
#[path = "support/training.rs"]
mod training;

use inkling_engine::{HeadTargets, Isa, NamedTensor, Network, StateKind, Targets, Trainer, Workspace};
use inkling_schema::TrainingPrecision;
use support::{ADAM, BATCH, Noise, everything};
use training::{state, train};

struct Found {
    isa: Isa,
    logits: Vec<f32>,
    gradients: Vec<NamedTensor>,
    dx: Vec<f32>,
    /// What comes out of every layer, and the gradient of its squares, under names.
    looked: Vec<(String, Vec<f32>)>,
    /// After steps in f32, and after steps with products of bfloat16 numbers.
    trained: [Vec<Vec<NamedTensor>>; 2],
}

/// Every layer's output for these images, and the gradient of half the sum of its squares.
fn look(network: &mut Network, x: &[f32], workspace: &mut Workspace) -> Vec<(String, Vec<f32>)> {
    network.forward(x, false, workspace);
    let mut looked = Vec::new();
    for layer in network.layer_handles() {
        let output = network.output(&layer, x, workspace).to_vec();
        let mut dx = vec![f32::NAN; x.len()];
        network.input_gradient(x, &layer, workspace, &mut dx, |y, dy| dy.copy_from_slice(y));
        looked.extend([(format!("{} output", layer.name), output), (format!("{} gradient", layer.name), dx)]);
    }
    looked
}

fn compute(isa: Isa, noise: &Noise) -> Found {
    isa.set_default();
    let mut network = Network::new(&everything(), 5).expect("a network");
    let x: Vec<f32> = (0..BATCH * network.input_len()).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
    let labels = [0, 1].map(|head| HeadTargets::Classes((0..BATCH as u32).map(|i| (head + i) % 3).collect()));
    let targets = Targets { labels: &labels, loss_weights: &[0.6, 0.4], class_weights: &[] };
    let mut workspace = network.workspace(BATCH, true);
    network.gradients(&x, targets, &mut workspace);
    let gradients = network.state_dict(StateKind::Gradients);
    let logits = [0, 1].map(|head| workspace.logits(head).to_vec()).concat();
    let mut dx = vec![f32::NAN; x.len()];
    network.image_gradients(&x, targets, &mut workspace, &mut dx);
    let looked = look(&mut network, &x, &mut workspace);
    let image = network.input_len();
    for ((name, all), (_, alone)) in looked.iter().zip(look(&mut network, &x[..image], &mut workspace)) {
        assert!(all[..alone.len()] == alone, "{}: {name} of an image alone", isa.name());
    }

    let trained = [TrainingPrecision::Float32, TrainingPrecision::Bfloat16].map(|precision| {
        let network = Network::new(&everything(), 5).expect("a network");
        let mut trainer = Trainer::new(network, ADAM, BATCH, &[0.6, 0.4]);
        trainer.set_precision(precision);
        train(&mut trainer, noise, 0, 5);
        state(&trainer)
    });
    assert!(trained[0] != trained[1], "rounded factors train to other weights");
    Found { isa, logits, gradients, dx, looked, trained }
}

fn compare(what: &str, found: &[f32], exact: &[f32]) {
    let largest = exact.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    for (i, (found, exact)) in found.iter().zip(exact).enumerate() {
        assert!((found - exact).abs() <= 1e-5 * largest, "{what}: number {i} is {found}, not {exact}");
    }
}

#[test]
fn all_paths_agree() {
    let noise = Noise::new(&everything(), 40);
    let paths = Isa::ALL.into_iter().filter(|isa| isa.is_available());
    let found: Vec<Found> = paths.map(|isa| compute(isa, &noise)).collect();
    let portable = found.iter().find(|found| found.isa == Isa::Portable).expect("always there");
    for other in &found {
        let name = other.isa.name();
        compare(&format!("{name}: logits"), &other.logits, &portable.logits);
        compare(&format!("{name}: images"), &other.dx, &portable.dx);
        for ((what, found), (_, exact)) in other.looked.iter().zip(&portable.looked) {
            compare(&format!("{name}: {what}"), found, exact);
        }
        for (found, exact) in other.gradients.iter().zip(&portable.gradients) {
            compare(&format!("{name}: {}", found.name), &found.values, &exact.values);
        }
    }
    let fused: Vec<&Found> = found.iter().filter(|found| found.isa != Isa::Portable).collect();
    for pair in fused.windows(2) {
        let names = format!("{} and {}", pair[0].isa.name(), pair[1].isa.name());
        assert!(pair[0].logits == pair[1].logits, "{names} give the same logits");
        assert!(pair[0].dx == pair[1].dx, "{names} give the same gradient of the images");
        assert!(pair[0].looked == pair[1].looked, "{names} see the same inside");
        assert!(pair[0].gradients == pair[1].gradients, "{names} give the same gradients");
        assert!(pair[0].trained == pair[1].trained, "{names} train to the same bits");
    }
}
