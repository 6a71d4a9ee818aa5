//! Looking inside networks: every layer's output and the gradient of several functions of it against the plain reference
//! network in f64, and what neither depends on or changes.

#[path = "support/functions.rs"]
mod functions;
mod reference;
mod support;
#[path = "support/training.rs"]
mod training;

use functions::{Function, gradient};
use inkling_engine::random::RngStream;
use inkling_engine::{
    HeadTargets, LayerHandle, NamedTensor, Network, StateKind, Targets, Trainer, Workspace,
};
use inkling_schema::{Loss, ModelSpec, Shape};
use reference::Reference;
use reference::networks::{self, disturb, uniform};
use support::{ADAM, BATCH, Noise, everything};
use training::{state, train};

/// Step of the central differences: far below what separates two numbers of a window or a ReLU from its bend.
const STEP: f64 = 1e-6;
/// Error allowed in a layer's output, as a share of its largest number.
const OUTPUT: f64 = 1e-5;
/// Error allowed in the gradient of an image, as a share of its largest number.
const GRADIENT: f64 = 1e-4;

impl Function {
    /// Those that a layer is asked for. `largest` is the number of its largest output, which no ReLU silences.
    fn of(layer: &LayerHandle, largest: usize, scores: bool) -> Vec<Function> {
        let channels = match layer.shape {
            Shape::Image { channels, .. } => channels,
            Shape::Vector(units) => units,
        };
        let mut functions = vec![
            Function::Number(largest),
            Function::ChannelMean(largest % channels, channels),
            Function::MeanSquare,
        ];
        if scores {
            functions.extend((0..layer.shape.len()).map(Function::LogProbability));
        }
        functions
    }

    fn value(self, y: &[f64]) -> f64 {
        match self {
            Function::Number(at) => y[at],
            Function::ChannelMean(first, step) => {
                let channel = y[first..].iter().step_by(step);
                channel.clone().sum::<f64>() / channel.count() as f64
            }
            Function::MeanSquare => y.iter().map(|y| y * y).sum::<f64>() / y.len() as f64,
            Function::LogProbability(class) => y[class] - y.iter().map(|y| y.exp()).sum::<f64>().ln(),
        }
    }
}

/// Fails if a number differs by more than `tolerance` times the largest.
fn assert_close(what: &str, found: &[f32], exact: &[f64], tolerance: f64) {
    assert_eq!(found.len(), exact.len(), "{what}");
    let largest = exact.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    for (i, (&found, &exact)) in found.iter().zip(exact).enumerate() {
        let difference = (f64::from(found) - exact).abs();
        assert!(difference <= tolerance * largest, "{what}: number {i} is {found}, not {exact}");
    }
}

/// Whether a layer is the last of a head, whose output are scores.
fn gives_scores(layers: &[LayerHandle], l: usize) -> bool {
    let part = |layer: &LayerHandle| layer.name.split('.').next().map(str::to_owned);
    part(&layers[l]).as_deref() != Some("trunk") && layers.get(l + 1).map(part) != Some(part(&layers[l]))
}

/// Compares every layer's output and, at every so many numbers of the images, the gradients of functions of it. Gives the
/// gradients that were compared, and how many of them were zero because every ReLU was silent.
fn check(spec: &ModelSpec, batch: usize, seed: u64, every: usize) -> [usize; 2] {
    let mut stream = RngStream::new(seed, "test/looking");
    let mut network = Network::new(spec, seed).expect("a network");
    disturb(&mut network, &mut stream);
    let dim = network.input_len();

    // More room than the batch needs, and what training with other images left there.
    let mut workspace = network.workspace(batch + 5, true);
    let other = uniform(&mut stream, (batch + 5) * dim, 1.0);
    let sizes = network.num_classes();
    let zeros = spec.heads.iter().zip(&sizes).map(|(head, &outputs)| match head.loss {
        Loss::CrossEntropy { .. } => HeadTargets::Classes(vec![0; batch + 5]),
        _ => HeadTargets::Values { values: vec![0.0; (batch + 5) * outputs], outputs },
    });
    let (labels, weights) = (zeros.collect::<Vec<HeadTargets>>(), vec![1.0; spec.heads.len()]);
    network.gradients(
        &other,
        Targets { labels: &labels, loss_weights: &weights, class_weights: &[] },
        &mut workspace,
    );

    let reference = Reference::of(&network);
    let outputs = |x: &[f64]| reference.outputs(x, false).into_iter().flatten().collect::<Vec<_>>();
    let x = uniform(&mut stream, batch * dim, 1.0);
    let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let exact = outputs(&wide);
    let layers = network.layer_handles();
    let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&mut layers.iter().map(|layer| &layer.name)),
        names(&mut exact.iter().map(|(name, _)| name))
    );

    network.forward(&x, false, &mut workspace);
    for (layer, (name, exact)) in layers.iter().zip(&exact) {
        let found = network.output(layer, &x, &workspace);
        assert_eq!(found.len(), batch * layer.shape.len(), "{name}: {spec:?}");
        assert_close(&format!("the output of {name} of {spec:?}"), found, &exact.concat(), OUTPUT);
    }

    let mut compared = [0, 0];
    let places: Vec<usize> = (0..dim).step_by(every).collect();
    // Images do not know of each other, so that one number of each can be moved at once.
    let moved: Vec<[Vec<reference::Output>; 2]> = places
        .iter()
        .map(|&place| {
            [STEP, -STEP].map(|by| {
                let mut x = wide.clone();
                x.iter_mut().skip(place).step_by(dim).for_each(|x| *x += by);
                outputs(&x)
            })
        })
        .collect();
    for (l, layer) in layers.iter().enumerate() {
        let size = |i: usize| exact[l].1.iter().map(|y| y[i].abs()).sum::<f64>();
        let largest = (0..layer.shape.len()).fold(0, |at, i| if size(i) > size(at) { i } else { at });
        for function in Function::of(layer, largest, gives_scores(&layers, l)) {
            let dx = gradient(&mut network, &x, layer, function, &mut workspace);
            for (image, dx) in dx.chunks_exact(dim).enumerate() {
                let slope = |[up, down]: &[Vec<reference::Output>; 2]| {
                    let value = |outputs: &[reference::Output]| function.value(&outputs[l].1[image]);
                    (value(up) - value(down)) / (2.0 * STEP)
                };
                let numerical_gradient: Vec<f64> = moved.iter().map(slope).collect();
                let found: Vec<f32> = places.iter().map(|&place| dx[place]).collect();
                let what = format!("{function:?} of {} for image {image} of {spec:?}", layer.name);
                assert_close(&what, &found, &numerical_gradient, GRADIENT);
                compared[0] += 1;
                compared[1] += usize::from(numerical_gradient.iter().all(|&slope| slope == 0.0));
            }
        }
    }
    compared
}

/// Fails if of many gradients more than a few were zero.
fn assert_heard(compared: impl Iterator<Item = [usize; 2]>) {
    let [all, silent] = compared.fold([0, 0], |[all, silent], [a, s]| [all + a, silent + s]);

    assert!(all > 0 && silent * 10 < all, "{silent} of {all} gradients are zero");
}

#[test]
fn of_each_layer_is_as_defined() {
    let networks = networks::of_each_layer();
    assert_heard((0..).zip(&networks).map(|(seed, spec)| check(spec, 4, seed, 1)));
}

#[test]
fn of_two_heads_is_as_defined() {
    let networks = networks::of_two_heads();
    assert_heard((1..).zip(&networks).map(|(seed, spec)| check(spec, 3, seed, 1)));
}

#[test]
fn of_a_network_of_everything_is_as_defined() {
    assert_heard(std::iter::once(check(&everything(), 2, 1, 7)));
}

/// Networks of layers drawn at random. The seeds are fixed: a number that lies within a step of a bend would fail.
#[test]
fn of_random_networks_is_as_defined() {
    let check = |seed| {
        let (spec, batch) = networks::random(seed);
        check(&spec, batch, seed, 1)
    };
    assert_heard((0..60).map(check));
}

/// The network of every layer, and as many images of noise.
fn network_and_images(batch: usize) -> (Network, Vec<f32>) {
    let mut stream = RngStream::new(3, "test/looking");
    let mut network = Network::new(&everything(), 3).expect("a network");
    disturb(&mut network, &mut stream);
    let x = uniform(&mut stream, batch * network.input_len(), 1.0);
    (network, x)
}

/// The bits of what every layer makes of each image, and of the gradients of two functions of it: by layer, by what was
/// looked at, by image.
fn look(network: &mut Network, x: &[f32], workspace: &mut Workspace) -> Vec<[Vec<Vec<u32>>; 3]> {
    let dim = network.input_len();
    network.forward(x, false, workspace);
    let bits = |numbers: &[f32], dim: usize| -> Vec<Vec<u32>> {
        numbers.chunks_exact(dim).map(|image| image.iter().map(|number| number.to_bits()).collect()).collect()
    };
    let layers = network.layer_handles();
    let look = |layer: &LayerHandle| {
        let output = bits(network.output(layer, x, workspace), layer.shape.len());
        let mut of = |function| bits(&gradient(network, x, layer, function, workspace), dim);
        [output, of(Function::MeanSquare), of(Function::LogProbability(0))]
    };
    layers.iter().map(look).collect()
}

#[test]
fn looking_gives_the_same_bits_on_any_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let (mut network, x) = network_and_images(BATCH);
            let mut workspace = network.workspace(BATCH, true);
            look(&mut network, &x, &mut workspace)
        })
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert!(on(threads) == one, "{threads} threads give other bits than one");
    }
}

#[test]
fn an_image_looks_the_same_alone_and_among_others() {
    for batch in [8, 30] {
        let (mut network, x) = network_and_images(batch);
        let mut workspace = network.workspace(batch, true);
        let all = look(&mut network, &x, &mut workspace);
        for room in [1, batch] {
            let mut workspace = network.workspace(room, true);
            for (image, x) in x.chunks_exact(network.input_len()).enumerate() {
                let alone = look(&mut network, x, &mut workspace);
                for ((layer, all), alone) in network.layer_handles().iter().zip(&all).zip(&alone) {
                    for (what, (all, alone)) in all.iter().zip(alone).enumerate() {
                        assert!(all[image] == alone[0], "{}: {what} of image {image}", layer.name);
                    }
                }
            }
        }
    }
}

#[test]
fn looking_again_finds_the_same() {
    let (mut network, x) = network_and_images(BATCH);
    let mut workspace = network.workspace(BATCH + 1, true);
    let first = look(&mut network, &x, &mut workspace);
    // The layers in the other order, without a pass forward between them.
    for (layer, first) in network.layer_handles().iter().zip(&first).rev() {
        let again = gradient(&mut network, &x, layer, Function::MeanSquare, &mut workspace);
        let bits = again.iter().map(|number| number.to_bits());
        assert!(bits.eq(first[1].iter().flatten().copied()), "{} a second time", layer.name);
    }
    assert!(look(&mut network, &x, &mut workspace) == first);
}

#[test]
fn looking_changes_nothing() {
    let noise = Noise::new(&everything(), 40);
    let network = Network::new(&everything(), 3).expect("a network");
    let mut trainer = Trainer::new(network, ADAM, BATCH, &[0.6, 0.4]);
    train(&mut trainer, &noise, 0, 3);
    let (_, x) = network_and_images(BATCH);
    let labels = [0, 1].map(|_| HeadTargets::Classes(vec![0; BATCH]));
    let targets = Targets { labels: &labels, loss_weights: &[0.6, 0.4], class_weights: &[] };
    let mut workspace = trainer.network().workspace(BATCH, true);
    trainer.network_mut().gradients(&x, targets, &mut workspace);
    let all = |trainer: &Trainer| {
        let state_dict = [state(trainer), vec![trainer.network().state_dict(StateKind::Gradients)]].concat();
        let bits =
            |array: &NamedTensor| array.values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
        state_dict.iter().flatten().map(bits).collect::<Vec<_>>()
    };
    let before = (all(&trainer), trainer.rng_state(), trainer.steps());
    look(trainer.network_mut(), &x, &mut workspace);
    assert!((all(&trainer), trainer.rng_state(), trainer.steps()) == before);
}

#[test]
#[should_panic(expected = "images that were seen without training")]
fn gradients_of_images_seen_in_training_are_refused() {
    let (mut network, x) = network_and_images(2);
    let mut workspace = network.workspace(2, true);
    network.forward(&x, true, &mut workspace);
    let layer = &network.layer_handles()[0];
    gradient(&mut network, &x, layer, Function::MeanSquare, &mut workspace);
}

#[test]
#[should_panic(expected = "the images that went forward")]
fn images_that_were_not_seen_are_refused() {
    let (mut network, x) = network_and_images(2);
    let mut workspace = network.workspace(2, true);
    network.forward(&x[..network.input_len()], false, &mut workspace);
    network.output(&network.layer_handles()[0], &x, &workspace);
}

#[test]
#[should_panic(expected = "a workspace that has room for gradients")]
fn a_workspace_without_room_for_gradients_is_refused() {
    let (mut network, x) = network_and_images(2);
    let mut workspace = network.workspace(2, false);
    network.forward(&x, false, &mut workspace);
    let layer = &network.layer_handles()[0];
    gradient(&mut network, &x, layer, Function::MeanSquare, &mut workspace);
}

/// A convolution, a dense layer and a max pool, each with a ReLU after it or without.
fn with_relus(relus: bool) -> ModelSpec {
    let relu = if relus { r#"{ layer = "relu" },"# } else { "" };
    let conv = r#"{ layer = "conv2d", filters = 5, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" },"#;
    let dense =
        |units: usize| format!(r#"{{ layer = "dense", units = {units}, initializer = "he-uniform" }},"#);
    let pool = r#"{ layer = "max-pool", pool_size = [2, 2], stride = [2, 2] },"#;
    let text = format!(
        r#"input = [6, 6, 1]
        trunk = [{conv} {relu} {pool} {relu} {{ layer = "flatten" }}, {} {relu}]
        heads = [{{ name = "class", layers = [{}] }}]"#,
        dense(9),
        dense(4),
    );
    ModelSpec::from_toml("relus", &text).expect("a network")
}

#[test]
fn the_gradient_of_a_response_is_that_without_the_layers_relu() {
    let (mut network, mut bare) =
        (Network::new(&with_relus(true), 3).unwrap(), Network::new(&with_relus(false), 3).unwrap());
    let mut stream = RngStream::new(8, "test/responses");
    let x = uniform(&mut stream, 3 * network.input_len(), 1.0);
    let (mut workspace, mut other) = (network.workspace(3, true), bare.workspace(3, true));
    network.forward(&x, false, &mut workspace);
    bare.forward(&x, false, &mut other);
    // Of the first layer every number, silent or not: above it, what the layers see is not the same.
    let (layer, same) = (&network.layer_handles()[0], &bare.layer_handles()[0]);
    assert_eq!((&layer.name, layer.shape), (&same.name, same.shape));
    let (mut dx, mut exact, mut own) = (vec![0.0; x.len()], vec![0.0; x.len()], vec![0.0; x.len()]);
    let mut woken = 0;
    for unit in 0..layer.shape.len() {
        let slope =
            |_: &[f32], dy: &mut [f32]| dy.iter_mut().skip(unit).step_by(6 * 6 * 5).for_each(|dy| *dy = 1.0);
        network.pre_activation_gradient(&x, layer, &mut workspace, &mut dx, slope);
        network.input_gradient(&x, layer, &mut workspace, &mut own, slope);
        bare.input_gradient(&x, same, &mut other, &mut exact, slope);
        assert_eq!(dx, exact, "unit {unit}");
        woken += usize::from(own.contains(&0.0) && dx != own);
    }
    assert!(woken > 20, "{woken} units are silent in some image");
    // A layer without a ReLU responds with its output.
    let scores = network.layer_handles().pop().expect("a head");
    let slope = |_: &[f32], dy: &mut [f32]| dy[1] = 1.0;
    network.pre_activation_gradient(&x, &scores, &mut workspace, &mut dx, slope);
    network.input_gradient(&x, &scores, &mut workspace, &mut own, slope);
    assert_eq!(dx, own);
}

#[test]
fn other_activations_than_relu_have_their_own_derivative() {
    for activation in ["tanh", "sigmoid", "silu", "gelu"] {
        let text = format!(
            r#"input = [3, 3, 1]
            trunk = [{{ layer = "flatten" }}, {{ layer = "dense", units = 6, initializer = "glorot-uniform" }}, {{ layer = "{activation}" }}]
            heads = [{{ name = "class", layers = [{{ layer = "dense", units = 2, initializer = "glorot-uniform" }}] }}]"#,
        );
        let mut network = Network::new(&ModelSpec::from_toml("curved", &text).unwrap(), 4).unwrap();
        let x = uniform(&mut RngStream::new(2, "test/curved"), 9, 1.0);
        let mut workspace = network.workspace(1, true);
        network.forward(&x, false, &mut workspace);
        let layer =
            network.layer_handles().into_iter().find(|layer| layer.name == "trunk.3").expect("it is there");
        let slope = |_: &[f32], dy: &mut [f32]| dy.fill(1.0);
        let (mut dx, mut own) = (vec![0.0; 9], vec![0.0; 9]);
        network.pre_activation_gradient(&x, &layer, &mut workspace, &mut dx, slope);
        network.input_gradient(&x, &layer, &mut workspace, &mut own, slope);
        assert!(dx == own && dx.iter().any(|dx| *dx != 0.0), "{activation}: {dx:?} {own:?}");
    }
}
