//! What a network reads of its image, against the definition: every output's pixels, one by one.

use inkling_schema::{Head, Initializer, LayerSpec, MODELS, ModelSpec, Padding, Plan, PlannedLayer, Shape};
use proptest::prelude::*;

const INITIAL: Initializer = Initializer::HeUniform;

fn network(input: [usize; 3], trunk: Vec<LayerSpec>, heads: Vec<Vec<LayerSpec>>) -> ModelSpec {
    let heads = heads.into_iter().enumerate().map(|(i, layers)| Head::new(format!("head {i}"), layers));
    ModelSpec { input, trunk, heads: heads.collect() }
}

/// A set of pixels of an image of at most 128.
type Pixels = u128;

/// What each place of an image depends on, row by row.
type Places = Vec<Vec<Pixels>>;

/// The places after a layer, each from the places that it reads before, and what is read of those at all.
fn after(layer: &LayerSpec, output: Shape, before: &Places) -> (Places, Vec<Vec<bool>>) {
    let [height, width] = [before.len(), before[0].len()];
    let mut read = vec![vec![false; width]; height];
    let (kernel, stride, same) = match layer {
        LayerSpec::Conv2d { kernel_size: kernel, stride, padding, .. } => {
            (*kernel, *stride, *padding == Padding::Same)
        }
        LayerSpec::MaxPool { pool_size: size, stride } => (*size, *stride, false),
        _ => return (before.clone(), vec![vec![true; width]; height]),
    };
    let Shape::Image { height: rows, width: columns, .. } = output else { panic!("an image comes out") };
    // The zeros before the first pixel: half of those that are needed, the smaller half.
    let zeros = |count: usize, side: usize, size: usize| {
        if same { ((count - 1) * stride[side] + kernel[side]).saturating_sub(size) / 2 } else { 0 }
    };
    let zeros = [zeros(rows, 0, height), zeros(columns, 1, width)];
    let place = |row: usize, column: usize, read: &mut Vec<Vec<bool>>| {
        let mut pixels = 0;
        for down in 0..kernel[0] {
            for right in 0..kernel[1] {
                let y = (row * stride[0] + down).checked_sub(zeros[0]).filter(|&y| y < height);
                let x = (column * stride[1] + right).checked_sub(zeros[1]).filter(|&x| x < width);
                if let (Some(y), Some(x)) = (y, x) {
                    pixels |= before[y][x];
                    read[y][x] = true;
                }
            }
        }
        pixels
    };
    let places =
        (0..rows).map(|row| (0..columns).map(|column| place(row, column, &mut read)).collect()).collect();
    (places, read)
}

/// As [`after`], of a residual block too: what its layers or its shortcut depend on.
fn after_any(planned: &PlannedLayer, before: &Places) -> (Places, Vec<Vec<bool>>) {
    let LayerSpec::Residual { layers, .. } = &planned.layer else {
        return after(&planned.layer, planned.output, before);
    };
    // The block's own pixels, numbered, so that it is seen which of them come through.
    let [height, width] = [before.len(), before[0].len()];
    let own: Places =
        (0..height).map(|row| (0..width).map(|column| 1 << (row * width + column)).collect()).collect();
    let (inner, projection) = planned.inner.split_at(layers.len());
    let through = |layers: &[PlannedLayer], start: &Places| {
        layers.iter().fold(start.clone(), |places, layer| after_any(layer, &places).0)
    };
    let union = |start: &Places| -> Places {
        let (a, b) = (through(inner, start), through(projection, start));
        a.iter().zip(&b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a | b).collect()).collect()
    };
    let reached = union(&own).iter().flatten().fold(0, |all, pixels| all | pixels);
    let bit = |pixel: usize| reached >> pixel & 1 == 1;
    let read = (0..height).map(|row| (0..width).map(|column| bit(row * width + column)).collect()).collect();
    (union(before), read)
}

/// The share of each layer's input that is not read, and of the image's pixels.
fn by_definition(model: &ModelSpec, plan: &Plan) -> (Vec<f64>, f64) {
    let [height, width, _] = model.input;
    let image: Places =
        (0..height).map(|row| (0..width).map(|column| 1 << (row * width + column)).collect()).collect();
    let (mut shares, mut planned) = (Vec::new(), plan.layers.iter());
    let mut follow = |layers: &[LayerSpec], mut places: Places| {
        for _ in layers {
            let planned = planned.next().unwrap();
            if let Shape::Vector(_) = planned.output {
                shares.push(0.0);
                continue;
            }
            let (next, read) = after_any(planned, &places);
            let unread = read.iter().flatten().filter(|read| !**read).count();
            shares.push(unread as f64 / (read.len() * read[0].len()) as f64);
            places = next;
        }
        places
    };
    let trunk = follow(&model.trunk, image);
    let mut reached: Pixels = 0;
    for head in &model.heads {
        let places = follow(&head.layers, trunk.clone());
        reached |= places.iter().flatten().fold(0, |all, place| all | place);
    }
    (shares, 1.0 - f64::from(reached.count_ones()) / (height * width) as f64)
}

fn layers(most: usize) -> impl Strategy<Value = Vec<LayerSpec>> {
    let pair = |most: usize| [1..most, 1..most];
    let convolution =
        (pair(4), pair(6), any::<bool>()).prop_map(|(kernel, stride, same)| LayerSpec::Conv2d {
            filters: 2,
            kernel_size: kernel,
            stride,
            padding: if same { Padding::Same } else { Padding::Valid },
            initializer: INITIAL,
        });
    let pool = (pair(4), pair(5)).prop_map(|(size, stride)| LayerSpec::MaxPool { pool_size: size, stride });
    let plain = prop_oneof![3 => convolution, 1 => pool, 1 => Just(LayerSpec::Relu)];
    let block = (prop::collection::vec(plain.clone(), 1..3), any::<bool>()).prop_map(|(layers, projects)| {
        LayerSpec::Residual { layers, projection: projects.then_some(INITIAL) }
    });
    prop::collection::vec(prop_oneof![3 => plain, 1 => block], 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn what_is_never_read_is_what_no_output_depends_on(
        [height, width] in [1_usize..12, 1_usize..11],
        trunk in layers(4),
        one in layers(3),
        other in layers(3),
    ) {
        let end = [LayerSpec::Flatten, LayerSpec::Dense { units: 2, initializer: INITIAL }];
        let heads = [one, other].map(|layers| [&layers[..], &end].concat()).to_vec();
        let model = network([height, width, 2], trunk, heads);
        let Ok(plan) = model.plan() else { return Ok(()) };
        let (shares, pixels) = by_definition(&model, &plan);
        for (layer, share) in plan.layers.iter().zip(shares) {
            prop_assert!((layer.unread - share).abs() < 1e-12, "{}: {} is not {share}", layer.place, layer.unread);
        }
        let found = plan.unread_pixels.unwrap();
        prop_assert!((found - pixels).abs() < 1e-12, "{found} is not {pixels}");
    }
}

fn convolution(kernel: usize, stride: usize, padding: Padding) -> LayerSpec {
    LayerSpec::Conv2d {
        filters: 4,
        kernel_size: [kernel; 2],
        stride: [stride; 2],
        padding,
        initializer: INITIAL,
    }
}

#[test]
fn a_network_with_holes_is_warned_of_and_the_briefs_networks_are_not() {
    let pool = LayerSpec::MaxPool { pool_size: [2; 2], stride: [3; 2] };
    let trunk = vec![convolution(2, 5, Padding::Valid), LayerSpec::Relu, pool, LayerSpec::Flatten];
    let head = vec![LayerSpec::Dense { units: 10, initializer: INITIAL }];
    let plan = network([28, 28, 1], trunk, vec![head]).plan().unwrap();
    // Six places of 2 of 28 pixels a side; of them 4, in two windows, are read by the pooling.
    assert!((plan.layers[0].unread - (1.0 - (12.0_f64 / 28.0).powi(2))).abs() < 1e-12);
    assert!((plan.unread_pixels.unwrap() - (1.0 - (8.0_f64 / 28.0).powi(2))).abs() < 1e-12);
    let warning = plan.unread_warning().unwrap();
    for words in [
        "91.8 % of the image's pixels are read by nothing",
        "trunk 1 (conv2d) never reads 81.6 % of its input",
        "trunk 3 (max-pool) never reads 55.6 % of its input",
    ] {
        assert!(warning.contains(words), "no {words:?} in {warning}");
    }
    for (name, text) in MODELS {
        let plan = ModelSpec::from_toml(name, text).unwrap().plan().unwrap();
        assert_eq!((plan.unread_warning(), plan.unread_pixels), (None, Some(0.0)), "{name}");
    }
}

#[test]
fn a_tenth_may_be_lost_at_the_edge_without_a_warning() {
    let head = || vec![LayerSpec::Dense { units: 10, initializer: INITIAL }];
    let of = |side: usize, stride: usize| {
        let trunk = vec![convolution(stride, stride, Padding::Valid), LayerSpec::Flatten];
        network([side, side, 1], trunk, vec![head()]).plan().unwrap()
    };
    // 28 = 9 · 3 + 1 loses one row and column: 7 %. 7 = 3 · 2 + 1 loses 27 %.
    let (little, much) = (of(28, 3), of(7, 2));
    assert!((little.layers[0].unread - (1.0 - (27.0_f64 / 28.0).powi(2))).abs() < 1e-12);
    assert_eq!(little.unread_warning(), None);
    assert!(much.unread_warning().unwrap().contains("26.5 % of the image's pixels"));
}

#[test]
fn images_longer_than_any_cost_nothing_to_plan() {
    let trunk = vec![convolution(2, 5, Padding::Valid), LayerSpec::Flatten];
    let head = vec![LayerSpec::Dense { units: 1, initializer: INITIAL }];
    let plan = network([1_000_000_000, 1, 1], vec![LayerSpec::Flatten], vec![head.clone()]).plan().unwrap();
    assert_eq!(plan.unread_pixels, None);
    let long = network([100_000_000, 2, 1], trunk, vec![head]).plan().unwrap();
    assert!((long.layers[0].unread - 0.6).abs() < 1e-6, "{}", long.layers[0].unread);
}
