//! Small networks of every kind of layer, for the engine and the reference to agree on.

use inkling_engine::random::RngStream;
use inkling_engine::{Network, StateKind};
use inkling_schema::{Head, Initializer, LayerSpec, Loss, ModelSpec, Padding};

fn dense(units: usize) -> LayerSpec {
    LayerSpec::Dense { units, initializer: Initializer::HeUniform }
}

fn conv(filters: usize, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> LayerSpec {
    LayerSpec::Conv2d { filters, kernel_size: kernel, stride, padding, initializer: Initializer::HeUniform }
}

fn pool(size: [usize; 2], stride: [usize; 2]) -> LayerSpec {
    LayerSpec::MaxPool { pool_size: size, stride }
}

fn norm() -> LayerSpec {
    LayerSpec::BatchNorm { epsilon: 1e-2, momentum: 0.1 }
}

fn avg_pool(size: [usize; 2], stride: [usize; 2]) -> LayerSpec {
    LayerSpec::AvgPool { pool_size: size, stride }
}

fn layer_norm() -> LayerSpec {
    LayerSpec::LayerNorm { epsilon: 1e-2 }
}

/// A network of one head.
fn network(input: [usize; 3], trunk: Vec<LayerSpec>, head: Vec<LayerSpec>) -> ModelSpec {
    ModelSpec { input, trunk, heads: vec![Head::new("class", head)] }
}

const PROJECTED: Option<Initializer> = Some(Initializer::HeUniform);

fn residual(layers: Vec<LayerSpec>, projection: Option<Initializer>) -> LayerSpec {
    LayerSpec::Residual { layers, projection }
}

/// A case for each kind of layer, at the borders of its shapes.
pub(crate) fn of_each_layer() -> Vec<ModelSpec> {
    use LayerSpec::{Flatten, Relu};
    use Padding::{Same, Valid};
    vec![
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
            [6, 7, 3],
            vec![conv(5, [3, 3], [1, 1], Same), LayerSpec::Gelu, avg_pool([2, 3], [2, 1]), layer_norm()],
            vec![Flatten, dense(3)],
        ),
        network(
            [5, 4, 2],
            vec![conv(6, [2, 2], [1, 1], Valid), LayerSpec::Silu, LayerSpec::GlobalAvgPool],
            vec![dense(4), LayerSpec::Tanh, dense(3)],
        ),
        network(
            [1, 1, 12],
            vec![Flatten, dense(20), LayerSpec::Elu { alpha: 1.25 }, layer_norm(), dense(17)],
            vec![LayerSpec::LeakyRelu { slope: 0.25 }, dense(9), LayerSpec::Sigmoid, dense(3)],
        ),
        network(
            [1, 1, 12],
            vec![Flatten, dense(18), norm(), Relu, LayerSpec::Dropout { rate: 0.0 }],
            vec![dense(3)],
        ),
        // A block right after the image, whose gradient goes along the shortcut alone where the layers are silent.
        network(
            [5, 4, 3],
            vec![residual(
                vec![conv(4, [3, 3], [1, 1], Same), Relu, conv(3, [1, 1], [1, 1], Same), Relu],
                None,
            )],
            vec![Flatten, dense(3)],
        ),
        network(
            [7, 5, 2],
            vec![
                conv(3, [2, 2], [1, 1], Valid),
                residual(
                    vec![conv(5, [3, 3], [2, 2], Same), norm(), Relu, conv(5, [3, 2], [1, 1], Same)],
                    PROJECTED,
                ),
                Relu,
                residual(
                    vec![norm(), residual(vec![conv(5, [2, 2], [1, 1], Same), LayerSpec::Tanh], None)],
                    PROJECTED,
                ),
                LayerSpec::GlobalAvgPool,
            ],
            vec![dense(3)],
        ),
        network(
            [1, 1, 9],
            vec![Flatten, dense(6), Relu, residual(vec![dense(8), Relu, dense(6)], None), Relu],
            vec![residual(vec![dense(7), LayerSpec::Sigmoid, layer_norm()], PROJECTED), dense(3)],
        ),
    ]
}

/// Networks of two heads: one with a trunk, and one whose heads share nothing but the images.
pub(crate) fn of_two_heads() -> [ModelSpec; 2] {
    let head = |name: &str, layers| Head::new(name, layers);
    let trunk = vec![conv(3, [3, 3], [2, 2], Padding::Same), LayerSpec::Relu, LayerSpec::Flatten];
    let heads = vec![head("item", vec![dense(7), LayerSpec::Relu, dense(5)]), head("group", vec![dense(3)])];
    [
        ModelSpec { input: [5, 5, 2], trunk, heads: heads.clone() },
        ModelSpec { input: [1, 1, 6], trunk: vec![LayerSpec::Flatten], heads },
    ]
}

/// A network of layers drawn at random, and the images of a batch.
pub(crate) fn random(seed: u64) -> (ModelSpec, usize) {
    let mut stream = RngStream::new(seed, "test/networks");
    let mut choose = |from: usize, to: usize| from + stream.random_range((to - from + 1) as u32) as usize;
    let mut image = [choose(4, 8), choose(4, 8), choose(1, 4)];
    let mut trunk = Vec::new();
    let input = image;
    for _ in 0..choose(1, 4) {
        let fits = |size: [usize; 2]| size[0] <= image[0] && size[1] <= image[1];
        let (size, stride) = ([choose(1, 4), choose(1, 4)], [choose(1, 3), choose(1, 3)]);
        let valid = [0, 1].map(|side| image[side].saturating_sub(size[side]) / stride[side] + 1);
        let same = [0, 1].map(|side| image[side].div_ceil(stride[side]));
        let output = match choose(0, 9) {
            8 => {
                let filters = choose(1, 6);
                let projection = (filters != image[2] || choose(0, 1) == 1 || same != [image[0], image[1]])
                    .then_some(Initializer::HeUniform);
                let first = conv(choose(1, 5), size, stride, Padding::Same);
                let last = conv(filters, [choose(1, 3), choose(1, 3)], [1, 1], Padding::Same);
                trunk.push(residual(vec![first, LayerSpec::Relu, last], projection));
                image[2] = filters;
                same
            }
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
            5 if fits(size) => {
                trunk.push(avg_pool(size, stride));
                valid
            }
            // Of one or two channels nothing is left but a sign.
            6 if image[2] > 2 => {
                trunk.push(layer_norm());
                [image[0], image[1]]
            }
            7 => {
                let all = [
                    LayerSpec::LeakyRelu { slope: 0.25 },
                    LayerSpec::Elu { alpha: 1.25 },
                    LayerSpec::Gelu,
                    LayerSpec::Silu,
                    LayerSpec::Sigmoid,
                    LayerSpec::Tanh,
                ];
                trunk.push(all[choose(0, all.len() - 1)].clone());
                [image[0], image[1]]
            }
            _ => {
                trunk.push(LayerSpec::Relu);
                [image[0], image[1]]
            }
        };
        image = [output[0], output[1], image[2]];
    }
    trunk.push(LayerSpec::Flatten);
    let mut heads = Vec::new();
    for name in ["item", "group"].into_iter().take(choose(1, 2)) {
        let mut layers = Vec::new();
        if choose(0, 1) == 1 {
            layers.extend([dense(choose(1, 10)), LayerSpec::Relu]);
        }
        layers.push(dense(choose(2, 5)));
        let mut head = Head::new(name, layers);
        head.loss = match choose(0, 5) {
            0 => Loss::MeanSquaredError,
            1 => Loss::BinaryCrossEntropy,
            2 => Loss::CrossEntropy { label_smoothing: 0.25 },
            _ => Loss::default(),
        };
        heads.push(head);
    }
    (ModelSpec { input, trunk, heads }, choose(2, 5))
}

/// Uniform in ± `bound`.
pub(crate) fn uniform(stream: &mut RngStream, count: usize, bound: f32) -> Vec<f32> {
    (0..count).map(|_| (2.0 * stream.uniform() - 1.0) * bound).collect()
}

/// Moves biases, scales, shifts and running statistics, which start where some gradients would be zero by symmetry.
pub(crate) fn disturb(network: &mut Network, stream: &mut RngStream) {
    let mut drawn = network.state_dict(StateKind::Values).into_iter().map(|array| {
        let bound = if array.name.ends_with("weight") { 0.0 } else { 0.3 };
        let by = uniform(stream, array.values.len(), bound);
        array.values.iter().zip(by).map(|(value, by)| value + by).collect()
    });
    network.load_state_dict(StateKind::Values, |_, _| drawn.next().ok_or("one each")).expect("as many");
}
