//! Dreams of small random networks: they rise, draw the same each time, and are each as if alone.

use inkling_engine::Network;
use inkling_schema::{ModelSpec, Objective, Optimizer, Parametrisation, Regulariser, Transform};

use super::objective::resolve;
use super::*;
use crate::inside::trained::Trained;

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

fn trained() -> Trained {
    let spec = ModelSpec::from_toml("network", NETWORK).unwrap();
    Trained::new(Network::new(&spec, 5).unwrap(), None)
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

/// Every kind of objective that the network has.
fn objectives() -> Vec<Objective> {
    let (head, layer) = (String::from("class"), String::from("trunk.3"));
    vec![
        Objective::ClassLogit { head: head.clone(), class: 1 },
        Objective::ClassProbability { head, class: 2 },
        Objective::Neuron { layer: layer.clone(), position: vec![1, 2, 3] },
        Objective::Channel { layer: layer.clone(), channel: 2 },
        Objective::LayerMeanSquare { layer },
    ]
}

/// The pictures after the ascent, and the objective's value before and after.
fn climb(spec: &AscentSpec, objective: &Objective, numbers: &[u32]) -> (Vec<f32>, Vec<[f64; 2]>) {
    let mut trained = trained();
    let size = Size::new(trained.input());
    let basis = Basis::new(spec.parametrisation, size);
    let (layer, resolved) = resolve(objective, &trained, &[]).unwrap();
    let picture = |&number: &u32| {
        let stream = |purpose: &str| RngStream::new(7, &format!("{purpose}/{number}"));
        (resolved.clone(), init::grey(&basis, size, 0.5, 0.3, &mut stream("start")), stream("transforms"))
    };
    let mut ascent = Ascent::new(spec, size, layer.clone(), numbers.iter().map(picture).collect());
    let mut workspace = trained.network.workspace(numbers.len(), true);
    let values = |ascent: &Ascent, trained: &mut Trained, workspace: &mut inkling_engine::Workspace| {
        let x = ascent.pictures();
        trained.network.forward(&x, false, workspace);
        let y = trained.network.output(&layer, &x, workspace);
        y.chunks_exact(layer.shape.len()).map(|y| resolved.value(y)).collect::<Vec<f64>>()
    };
    let before = values(&ascent, &mut trained, &mut workspace);
    for _ in 0..spec.steps {
        ascent.step(1, &mut trained, &mut workspace);
    }
    let after = values(&ascent, &mut trained, &mut workspace);
    (ascent.pictures(), before.into_iter().zip(after).map(|(before, after)| [before, after]).collect())
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
            let (pictures, values) = climb(&spec, &objective, &[0, 1, 2]);
            assert!(pictures.iter().all(|x| (0.0..=1.0).contains(x)));
            for [before, after] in values {
                assert!(after > before + 0.05 * before.abs(), "{objective:?}: {before} to {after}");
            }
        }
    }
}

#[test]
fn a_dream_is_the_same_again_alone_and_on_any_threads() {
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
        assert!(all[..dim] != all[dim..2 * dim], "another number draws another dream");
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
    let mut trained = trained();
    let size = Size::new(trained.input());
    let basis = Basis::new(spec.parametrisation, size);
    for objective in &objectives()[..2] {
        let (layer, resolved) = resolve(objective, &trained, &[]).unwrap();
        let stream = || RngStream::new(3, "test/whole");
        let z = init::grey(&basis, size, 0.4, 0.3, &mut stream());
        let mut ascent =
            Ascent::new(&spec, size, layer.clone(), vec![(resolved.clone(), z.clone(), stream())]);
        let mut workspace = trained.network.workspace(1, true);
        ascent.step(1, &mut trained, &mut workspace);
        let moved: Vec<f32> = ascent.states[0]
            .variables
            .values()
            .iter()
            .zip(&z)
            .map(|(after, before)| after - before)
            .collect();

        let mut value = |z: &[f32]| {
            let (mut x, mut y) = (vec![0.0; z.len()], vec![0.0; z.len()]);
            basis.picture(z, &mut x);
            let mut stream = stream();
            for transform in &spec.transforms {
                SampledTransform::new(transform, size, &mut stream).apply(size, &x, &mut y);
                x.copy_from_slice(&y);
            }
            trained.network.forward(&x, false, &mut workspace);
            resolved.value(trained.network.output(&layer, &x, &workspace))
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
