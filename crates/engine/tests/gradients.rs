//! Every gradient against differences of the plain reference network in f64.

mod reference;

use inkling_engine::random::Stream;
use inkling_engine::{Network, Part, Targets};
use inkling_spec::{Head, Initial, Layer, ModelSpec, Padding};
use reference::Reference;

/// Step of the central differences: far below what separates two numbers of a window or a ReLU from its bend.
const STEP: f64 = 1e-6;
/// Error allowed, as a share of the largest gradient of an array.
const TOLERANCE: f64 = 1e-4;
/// Error allowed where an array's gradients cancel, as a share of the largest gradient of all.
const CANCELLED: f64 = 1e-6;

fn dense(units: usize) -> Layer {
    Layer::Dense { units, initial: Initial::HeUniform }
}

fn conv(filters: usize, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Layer {
    Layer::Conv2d { filters, kernel, stride, padding, initial: Initial::HeUniform }
}

fn pool(size: [usize; 2], stride: [usize; 2]) -> Layer {
    Layer::MaxPool { size, stride }
}

fn norm() -> Layer {
    Layer::BatchNorm { epsilon: 1e-2, momentum: 0.1 }
}

/// A network of one head.
fn network(input: [usize; 3], trunk: Vec<Layer>, head: Vec<Layer>) -> ModelSpec {
    ModelSpec { input, trunk, heads: vec![Head { name: "class".into(), layers: head }] }
}

/// Compares the loss, every parameter's gradient and the images' with the reference.
fn check(spec: &ModelSpec, batch: usize, seed: u64) {
    let mut stream = Stream::new(seed, "test/gradients");
    let mut uniform = |count: usize, bound: f32| -> Vec<f32> {
        (0..count).map(|_| (2.0 * stream.uniform() - 1.0) * bound).collect()
    };
    let mut network = Network::new(spec, seed).expect("a network");
    let x = uniform(batch * network.inputs(), 1.0);
    // Biases, scales and shifts start where some gradients would be zero by symmetry.
    let mut drawn = network.arrays(Part::Values).into_iter().map(|array| {
        let bound = if array.name.ends_with("weight") { 0.0 } else { 0.3 };
        let by = uniform(array.values.len(), bound);
        array.values.iter().zip(by).map(|(value, by)| value + by).collect()
    });
    network.set_arrays(Part::Values, |_, _| drawn.next().ok_or("one each")).expect("as many");
    let labels: Vec<u8> = network
        .classes()
        .iter()
        .flat_map(|&classes| (0..batch).map(|_| stream.below(classes as u32) as u8).collect::<Vec<u8>>())
        .collect();
    let weights: Vec<f32> = spec.heads.iter().map(|_| 0.25 + stream.uniform()).collect();
    let targets = Targets { labels: &labels, weights: &weights };

    let mut reference = Reference::of(&network);
    let mut workspace = network.workspace(batch, true);
    let loss = network.gradients(&x, targets, &mut workspace);
    let mut wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let exact = reference.loss(&wide, &labels, &weights);
    assert!((loss - exact).abs() <= 1e-5 * exact, "the loss is {loss}, not {exact}: {spec:?}");

    let mut compared = Vec::new();
    for array in network.arrays(Part::Gradients) {
        let slopes: Vec<f64> = (0..array.values.len())
            .map(|i| {
                let mut moved = |by: f64| {
                    let values = reference.parameters.get_mut(&array.name).expect("the same parameters");
                    let before = values[i];
                    values[i] += by;
                    let loss = reference.loss(&wide, &labels, &weights);
                    reference.parameters.get_mut(&array.name).expect("as before")[i] = before;
                    loss
                };
                (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
            })
            .collect();
        compared.push((array.name, array.values, slopes));
    }
    let mut dx = vec![f32::NAN; x.len()];
    network.image_gradients(&x, targets, &mut workspace, &mut dx);
    let slopes = (0..x.len()).map(|i| {
        let mut moved = |by: f64| {
            let before = wide[i];
            wide[i] += by;
            let loss = reference.loss(&wide, &labels, &weights);
            wide[i] = before;
            loss
        };
        (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
    });
    compared.push(("the images".into(), dx, slopes.collect()));

    let largest = |slopes: &[f64]| slopes.iter().fold(0.0_f64, |largest, slope| largest.max(slope.abs()));
    let of_all = compared.iter().map(|(_, _, slopes)| largest(slopes)).fold(0.0, f64::max);
    for (name, found, slopes) in &compared {
        let bound = TOLERANCE * largest(slopes) + CANCELLED * of_all;
        for (i, (&found, slope)) in found.iter().zip(slopes).enumerate() {
            let difference = (f64::from(found) - slope).abs();
            assert!(difference <= bound, "gradient {i} of {name} is {found}, not {slope}: {spec:?}");
        }
    }
}

#[test]
fn of_each_layer_are_differences() {
    use Layer::{Flatten, Relu};
    use Padding::{Same, Valid};
    let shapes = [
        network([1, 1, 9], vec![], vec![Flatten, dense(5)]),
        network([1, 1, 40], vec![Flatten, dense(35), Relu], vec![dense(3)]),
        network([3, 3, 1], vec![Flatten, Relu], vec![dense(3), Relu, Relu]),
        network([6, 5, 2], vec![conv(4, [4, 4], [1, 1], Same), Relu, Flatten], vec![dense(3)]),
        network([7, 6, 2], vec![conv(5, [4, 4], [2, 2], Same), Relu, Flatten], vec![dense(3)]),
        network([6, 5, 3], vec![conv(3, [3, 2], [2, 1], Valid), Flatten], vec![dense(4)]),
        network(
            [5, 8, 1],
            vec![conv(2, [2, 2], [3, 4], Same), conv(3, [1, 2], [1, 1], Valid)],
            vec![Flatten],
        ),
        network(
            [5, 5, 2],
            vec![pool([2, 2], [2, 2]), Relu, conv(3, [3, 3], [1, 1], Same)],
            vec![Flatten, dense(3)],
        ),
        network(
            [6, 5, 2],
            vec![conv(3, [3, 3], [1, 1], Same), pool([3, 2], [1, 2]), Relu, Flatten],
            vec![dense(3)],
        ),
        network(
            [4, 4, 3],
            vec![norm(), conv(4, [2, 2], [1, 1], Valid), Relu, norm()],
            vec![Flatten, dense(3)],
        ),
        network(
            [1, 1, 12],
            vec![Flatten, dense(18), norm(), Relu, Layer::Dropout { rate: 0.0 }],
            vec![dense(3)],
        ),
    ];
    for (seed, spec) in shapes.iter().enumerate() {
        check(spec, 4, seed as u64);
    }
}

#[test]
fn of_two_heads_are_differences() {
    let head = |name: &str, layers| Head { name: name.into(), layers };
    let trunk = vec![conv(3, [3, 3], [2, 2], Padding::Same), Layer::Relu, Layer::Flatten];
    let heads = vec![head("item", vec![dense(7), Layer::Relu, dense(5)]), head("group", vec![dense(3)])];
    check(&ModelSpec { input: [5, 5, 2], trunk, heads: heads.clone() }, 3, 1);
    // Heads that share nothing but the images.
    check(&ModelSpec { input: [1, 1, 6], trunk: vec![Layer::Flatten], heads }, 3, 2);
}

/// Networks of layers drawn at random. The seeds are fixed: a number that lies within a step of a bend would fail.
#[test]
fn of_random_networks_are_differences() {
    for seed in 0..60 {
        let mut stream = Stream::new(seed, "test/networks");
        let mut choose = |from: usize, to: usize| from + stream.below((to - from + 1) as u32) as usize;
        let mut image = [choose(4, 8), choose(4, 8), choose(1, 4)];
        let mut trunk = Vec::new();
        let input = image;
        for _ in 0..choose(1, 4) {
            let fits = |size: [usize; 2]| size[0] <= image[0] && size[1] <= image[1];
            let (size, stride) = ([choose(1, 4), choose(1, 4)], [choose(1, 3), choose(1, 3)]);
            let valid = [0, 1].map(|side| image[side].saturating_sub(size[side]) / stride[side] + 1);
            let same = [0, 1].map(|side| image[side].div_ceil(stride[side]));
            let output = match choose(0, 5) {
                0 | 1 => {
                    image[2] = choose(1, 6);
                    trunk.push(conv(image[2], size, stride, Padding::Same));
                    same
                }
                2 if fits(size) => {
                    image[2] = choose(1, 6);
                    trunk.push(conv(image[2], size, stride, Padding::Valid));
                    valid
                }
                3 if fits(size) => {
                    trunk.push(pool(size, stride));
                    valid
                }
                4 => {
                    trunk.push(norm());
                    [image[0], image[1]]
                }
                _ => {
                    trunk.push(Layer::Relu);
                    [image[0], image[1]]
                }
            };
            image = [output[0], output[1], image[2]];
        }
        trunk.push(Layer::Flatten);
        let mut heads = Vec::new();
        for name in ["item", "group"].into_iter().take(choose(1, 2)) {
            let mut layers = Vec::new();
            if choose(0, 1) == 1 {
                layers.extend([dense(choose(1, 10)), Layer::Relu]);
            }
            layers.push(dense(choose(2, 5)));
            heads.push(Head { name: name.into(), layers });
        }
        let batch = choose(2, 5);
        check(&ModelSpec { input, trunk, heads }, batch, seed);
    }
}
