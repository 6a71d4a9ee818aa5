//! Feature visualisation of small random networks: objectives rise, and images are the same each time and each alone.

use inkling_schema::{ModelSpec, Optimizer, Parametrisation, Regulariser, Transform};

use super::*;
use crate::interpret::parameters_of_grey;

const NETWORK: &str = r#"
    input = [9, 8, 2]
    trunk = [
        { layer = "conv2d", filters = 6, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" },
        { layer = "relu" },
        { layer = "conv2d", filters = 5, kernel_size = [2, 2], stride = [2, 2], padding = "valid", initializer = "he-uniform" },
        { layer = "relu" },
        { layer = "flatten" },
    ]
    heads = [{ name = "class", layers = [{ layer = "dense", units = 4, initializer = "glorot-uniform" }] }]
"#;

fn network() -> Network {
    let spec = ModelSpec::from_toml("network", NETWORK).unwrap();
    Network::new(&spec, 5).unwrap()
}

fn layer(network: &Network, name: &str) -> LayerHandle {
    network.layer_handles().into_iter().find(|layer| layer.name == name).unwrap()
}

fn spec() -> AscentSpec {
    AscentSpec {
        steps: 60,
        learning_rate: 0.05,
        optimizer: Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
        parametrisation: Parametrisation::Fourier { decay: 1.0 },
        transforms: vec![
            Transform::Jitter { pixels: 1 },
            Transform::Rotation { degrees: 5.0 },
            Transform::Scale { share: 0.05 },
        ],
        regularisers: vec![Regulariser::L2 { weight: 0.1 }, Regulariser::TotalVariation { weight: 0.1 }],
        frames: 2,
    }
}

/// Every kind of objective that the network has, with its layer.
fn objectives() -> Vec<(&'static str, ResolvedObjective)> {
    vec![
        ("class.1", ResolvedObjective::Number(1)),
        ("class.1", ResolvedObjective::LogProbability(2)),
        // Row 1, column 2, channel 3 of [4, 4, 5].
        ("trunk.3", ResolvedObjective::Number((4 + 2) * 5 + 3)),
        ("trunk.3", ResolvedObjective::Channel { channel: 2, channels: 5 }),
        ("trunk.3", ResolvedObjective::MeanSquare),
    ]
}

/// The images after the ascent, and the objective's value before and after.
fn climb(
    spec: &AscentSpec,
    (name, objective): &(&str, ResolvedObjective),
    numbers: &[u32],
) -> (Vec<f32>, Vec<[f64; 2]>) {
    let mut network = network();
    let size = ImageSize::new(network.spec().input);
    let basis = ImageBasis::new(spec.parametrisation, size);
    let layer = layer(&network, name);
    let image = |&number: &u32| {
        let stream = |purpose: &str| RngStream::new(7, &format!("{purpose}/{number}"));
        let parameters = parameters_of_grey(&basis, 0.5, 0.3, &mut stream("start"));
        InitialImage { objective: objective.clone(), parameters, stream: stream("transforms") }
    };
    let images = numbers.iter().map(image).collect();
    let mut ascent = FeatureVisualization::new(spec, size, layer.clone(), images);
    let mut workspace = network.workspace(numbers.len(), true);
    let values = |ascent: &FeatureVisualization, network: &mut Network, workspace: &mut Workspace| {
        let x = ascent.images();
        network.forward(&x, false, workspace);
        let y = network.output(&layer, &x, workspace);
        y.chunks_exact(layer.shape.len()).map(|y| objective.value(y)).collect::<Vec<f64>>()
    };
    let before = values(&ascent, &mut network, &mut workspace);
    for _ in 0..spec.steps {
        ascent.step(1, &mut network, &mut workspace);
    }
    let after = values(&ascent, &mut network, &mut workspace);
    (ascent.images(), before.into_iter().zip(after).map(|(before, after)| [before, after]).collect())
}

#[test]
fn objectives_rise_with_all_parts_and_with_none() {
    let bare = AscentSpec {
        parametrisation: Parametrisation::Pixels,
        transforms: Vec::new(),
        regularisers: Vec::new(),
        ..spec()
    };
    for spec in [spec(), bare] {
        for objective in objectives() {
            let (images, values) = climb(&spec, &objective, &[0, 1, 2]);
            assert!(images.iter().all(|x| (0.0..=1.0).contains(x)));
            for [before, after] in values {
                assert!(after > before + 0.05 * before.abs(), "{objective:?}: {before} to {after}");
            }
        }
    }
}

#[test]
fn an_image_is_the_same_again_alone_and_on_any_threads() {
    for objective in objectives() {
        let on = |threads: usize, numbers: &[u32]| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| climb(&spec(), &objective, numbers).0)
        };
        let all = on(1, &[0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(all == on(1, &[0, 1, 2, 3, 4, 5, 6, 7]), "again");
        assert!(all == on(3, &[0, 1, 2, 3, 4, 5, 6, 7]), "on three threads");
        let dim = all.len() / 8;
        assert!(all[3 * dim..4 * dim] == on(2, &[3]), "{objective:?} alone");
        assert!(all[..dim] != all[dim..2 * dim], "another number leads to another image");
    }
}

/// The gradient that the parameters get, through basis, transforms and network, against differences of the objective.
#[test]
fn a_step_goes_along_the_gradient_of_the_whole_objective() {
    let spec = AscentSpec {
        optimizer: Optimizer::Sgd { momentum: 0.0, nesterov: false },
        learning_rate: 1.0,
        transforms: vec![Transform::Rotation { degrees: 10.0 }, Transform::Jitter { pixels: 1 }],
        regularisers: Vec::new(),
        ..spec()
    };
    let mut network = network();
    let size = ImageSize::new(network.spec().input);
    let basis = ImageBasis::new(spec.parametrisation, size);
    for (name, objective) in &objectives()[..2] {
        let layer = layer(&network, name);
        let stream = || RngStream::new(3, "test/whole");
        let z = parameters_of_grey(&basis, 0.4, 0.3, &mut stream());
        let image = InitialImage { objective: objective.clone(), parameters: z.clone(), stream: stream() };
        let mut ascent = FeatureVisualization::new(&spec, size, layer.clone(), vec![image]);
        let mut workspace = network.workspace(1, true);
        ascent.step(1, &mut network, &mut workspace);
        let moved: Vec<f32> =
            ascent.parameters(0).iter().zip(&z).map(|(after, before)| after - before).collect();

        let mut value = |z: &[f32]| {
            let (mut x, mut y) = (vec![0.0; z.len()], vec![0.0; z.len()]);
            basis.image(z, &mut x);
            let mut stream = stream();
            for transform in &spec.transforms {
                SampledTransform::new(transform, size, &mut stream).apply(size, &x, &mut y);
                x.copy_from_slice(&y);
            }
            network.forward(&x, false, &mut workspace);
            objective.value(network.output(&layer, &x, &workspace))
        };
        let largest = moved.iter().fold(0.0_f32, |largest, step| largest.max(step.abs()));
        for i in (0..z.len()).step_by(7) {
            let mut at = |by: f32| {
                let mut z = z.clone();
                z[i] += by;
                value(&z)
            };
            let grad = ((at(3e-3) - at(-3e-3)) / 6e-3) as f32;
            assert!((moved[i] - grad).abs() <= 0.02 * largest, "{objective:?}, {i}: {} for {grad}", moved[i]);
        }
    }
}
