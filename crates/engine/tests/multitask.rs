//! Several heads on one trunk: heads of weight zero cost and change nothing, and gradients on shared layers are compared
//! as they are.

use inkling_engine::random::RngStream;
use inkling_engine::{Dataset, HeadTargets, NamedTensor, Network, StateKind, Targets, Trainer, TrunkScope};
use inkling_schema::{ModelSpec, Optimizer};

const ADAM: Optimizer = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
const BATCH: usize = 6;
const CLASSES: [u32; 2] = [5, 3];

/// The network with heads of these names; each has its own number of classes.
fn spec(heads: &[&str]) -> ModelSpec {
    let head = |name: &&str| {
        let classes = CLASSES[usize::from(*name == "group")];
        format!(
            r#"{{ name = "{name}", layers = [
                {{ layer = "dense", units = 9, initializer = "he-uniform" }}, {{ layer = "relu" }},
                {{ layer = "dense", units = {classes}, initializer = "glorot-uniform" }},
            ] }}"#
        )
    };
    let heads = heads.iter().map(head).collect::<Vec<_>>().join(", ");
    let text = format!(
        r#"input = [8, 8, 1]
        trunk = [
            {{ layer = "conv2d", filters = 6, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" }},
            {{ layer = "relu" }},
            {{ layer = "max-pool", pool_size = [2, 2], stride = [2, 2] }},
            {{ layer = "flatten" }},
            {{ layer = "dense", units = 40, initializer = "he-uniform" }},
            {{ layer = "relu" }},
            {{ layer = "dropout", rate = 0.2 }},
        ]
        heads = [{heads}]"#
    );
    ModelSpec::from_toml("network", &text).expect("a network")
}

struct Images {
    pixels: Vec<u8>,
    labels: [Vec<u8>; 2],
}

impl Images {
    fn new(count: usize) -> Images {
        let mut stream = RngStream::new(2, "images");
        Images {
            pixels: (0..count * 64).map(|_| stream.random_range(256) as u8).collect(),
            labels: CLASSES.map(|classes| (0..count).map(|_| stream.random_range(classes) as u8).collect()),
        }
    }

    fn order(step: usize) -> Vec<u32> {
        (0..BATCH as u32).map(|i| (i * 7 + step as u32 * 5) % 40).collect()
    }
}

fn trainer(heads: &[&str], weights: &[f32]) -> Trainer {
    Trainer::new(Network::new(&spec(heads), 3).expect("a network"), ADAM, BATCH, weights)
}

/// Bits of the arrays whose names begin so.
fn bits(network: &Network, part: StateKind, prefixes: &[&str]) -> Vec<(String, Vec<u32>)> {
    let wanted = |array: &NamedTensor| prefixes.iter().any(|prefix| array.name.starts_with(prefix));
    let bits = |array: NamedTensor| (array.name, array.values.iter().map(|value| value.to_bits()).collect());
    network.state_dict(part).into_iter().filter(wanted).map(bits).collect()
}

const PARTS: [StateKind; 3] = [StateKind::Values, StateKind::FirstMoments, StateKind::SecondMoments];

#[test]
fn a_head_of_weight_zero_leaves_the_others_as_if_alone_and_is_left_untouched() {
    let images = Images::new(40);
    for (weights, name, other) in [([1.0, 0.0], "item", "group"), ([0.0, 1.0], "group", "item")] {
        let mut both = trainer(&["item", "group"], &weights);
        let mut single = trainer(&[name], &[1.0]);
        let before = PARTS.map(|part| bits(both.network(), part, &[other]));
        let labels: Vec<&[u8]> = images.labels.iter().map(Vec::as_slice).collect();
        let own = &labels[usize::from(name == "group")..][..1];
        for step in 0..20 {
            let order = Images::order(step);
            let metrics = both.step(Dataset::new(&images.pixels, &labels), &order, 0.01).to_vec();
            let alone = single.step(Dataset::new(&images.pixels, own), &order, 0.01).to_vec();
            let (mine, others) = if name == "item" { (0, 1) } else { (1, 0) };
            assert_eq!((metrics[mine], metrics[others]), (alone[0], Default::default()), "step {step}");
        }
        for (part, before) in PARTS.into_iter().zip(before) {
            assert_eq!(bits(both.network(), part, &[other]), before, "{other} is untouched");
            let trained = ["trunk", name];
            assert!(
                bits(both.network(), part, &trained) == bits(single.network(), part, &trained),
                "{part:?}"
            );
        }
    }
}

#[test]
fn products_are_those_of_the_heads_own_gradients() {
    let images = Images::new(40);
    let labels: Vec<&[u8]> = images.labels.iter().map(Vec::as_slice).collect();
    let batch = Dataset::new(&images.pixels, &labels);
    // A batch that is thinner than the dense layer, and one that is not.
    let orders = [Images::order(3), (0..40).collect()];
    let layers = [(TrunkScope::All, "trunk."), (TrunkScope::Last, "trunk.5")];
    for (order, (over, layers)) in orders.iter().flat_map(|order| layers.map(|layers| (order, layers))) {
        // The gradients of each head alone, as the network gives them whole.
        let gradients = [0, 1].map(|head| {
            let mut network = Network::new(&spec(&["item", "group"]), 3).expect("a network");
            let mut workspace = network.workspace(order.len(), true);
            let mut x = vec![0.0; order.len() * 64];
            let pixels: Vec<u8> =
                order.iter().flat_map(|&i| &images.pixels[i as usize * 64..][..64]).copied().collect();
            inkling_engine::normalize_pixels(&pixels, &mut x);
            let of_head = |labels: &&[u8]| {
                HeadTargets::Classes(order.iter().map(|&i| u32::from(labels[i as usize])).collect())
            };
            let targets: Vec<HeadTargets> = labels.iter().map(of_head).collect();
            let mut weights = [0.0, 0.0];
            weights[head] = 1.0;
            network.gradients(
                &x,
                Targets { labels: &targets, loss_weights: &weights, class_weights: &[] },
                &mut workspace,
            );
            let state_dict = network.state_dict(StateKind::Gradients).into_iter();
            let wanted = state_dict.filter(|array| array.name.starts_with(layers));
            wanted.flat_map(|array| array.values).map(f64::from).collect::<Vec<f64>>()
        });
        let dot =
            |a: usize, b: usize| gradients[a].iter().zip(&gradients[b]).map(|(a, b)| a * b).sum::<f64>();
        let network = Network::new(&spec(&["item", "group"]), 3).expect("a network");
        let mut trainer = Trainer::new(network, ADAM, order.len(), &[0.3, 0.7]);
        trainer.step_with_gradient_surgery(batch, order, 0.01, over, |metrics, products| {
            assert!(metrics.iter().all(|metrics| metrics.loss_sum > 0.0));
            for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let (found, exact) = (products.product(a, b), dot(a, b));
                assert!(
                    (found - exact).abs() <= 1e-6 * products.norm(a) * products.norm(b),
                    "{found} {exact}"
                );
            }
            let cosine = products.cosine(0, 1).expect("both heads are trained");
            assert!((cosine - dot(0, 1) / (dot(0, 0) * dot(1, 1)).sqrt()).abs() < 1e-6);
            None
        });
    }
}

#[test]
fn looking_at_gradients_changes_no_bit_and_shares_replace_weights_on_the_trunk() {
    let images = Images::new(40);
    let labels: Vec<&[u8]> = images.labels.iter().map(Vec::as_slice).collect();
    let batch = Dataset::new(&images.pixels, &labels);
    let train = |weights: [f32; 2], looks: bool, shares: Option<[f32; 2]>| {
        let mut trainer = trainer(&["item", "group"], &weights);
        for step in 0..10 {
            let order = Images::order(step);
            if looks {
                let shares = shares.map(Vec::from);
                trainer.step_with_gradient_surgery(batch, &order, 0.01, TrunkScope::All, |_, _| shares);
            } else {
                trainer.step(batch, &order, 0.01);
            }
        }
        trainer
    };
    let (plain, looked) = (train([0.25, 0.5], false, None), train([0.25, 0.5], true, None));
    let all = ["trunk", "item", "group"];
    for part in PARTS {
        assert!(bits(plain.network(), part, &all) == bits(looked.network(), part, &all), "{part:?}");
    }
    // Powers of two scale without rounding, so the trunk goes where those weights would take it.
    let (shared, weighted) = (train([1.0, 1.0], true, Some([0.25, 0.5])), train([0.25, 0.5], false, None));
    let first_moments = |trainer: &Trainer| bits(trainer.network(), StateKind::FirstMoments, &["trunk"]);
    let one = |weights: [f32; 2], looks: bool, shares: Option<Vec<f32>>| {
        let mut trainer = trainer(&["item", "group"], &weights);
        let order = Images::order(0);
        if looks {
            trainer.step_with_gradient_surgery(batch, &order, 0.01, TrunkScope::All, |_, _| shares);
        } else {
            trainer.step(batch, &order, 0.01);
        }
        first_moments(&trainer)
    };
    assert!(one([1.0, 1.0], true, Some(vec![0.25, 0.5])) == one([0.25, 0.5], false, None));
    assert!(first_moments(&shared) != first_moments(&weighted), "the heads themselves go other ways");
}

#[test]
fn weights_can_change_between_steps() {
    let images = Images::new(40);
    let labels: Vec<&[u8]> = images.labels.iter().map(Vec::as_slice).collect();
    let batch = Dataset::new(&images.pixels, &labels);
    let mut trainer = trainer(&["item", "group"], &[1.0, 0.0]);
    trainer.step(batch, &Images::order(0), 0.01);
    let before = bits(trainer.network(), StateKind::Values, &["group"]);
    trainer.set_weights(&[0.5, 0.5]);
    trainer.step(batch, &Images::order(1), 0.01);
    assert!(bits(trainer.network(), StateKind::Values, &["group"]) != before);
}
