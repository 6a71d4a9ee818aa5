//! What the tests of PyTorch's, Keras' and weights' files share: networks at random, and texts that a person has accepted.

use std::fs;
use std::path::Path;

use inkling_schema::{
    CardData, CardHead, DataSlice, FitSpec, Head, Initializer, Labels, LayerSpec, MODELS, ModelCard,
    ModelSpec, Optimizer, Padding, Preparation, Schedule, TrainRun, TrainingPrecision, TrainingSpec,
    Weighting, Weights, outcome::Evaluation,
};
use proptest::prelude::*;

use crate::tensors::{NamedLayer, NamedLayers};
use crate::{File, Portable, Tensor};

/// A network that ships with the program.
pub(crate) fn shipped(name: &str) -> ModelSpec {
    let (_, text) = MODELS.iter().find(|(known, _)| *known == name).expect("a network that ships");
    ModelSpec::from_toml(name, text).unwrap()
}

/// The network with numbers of which no two are equal, as far as 32 bits can tell.
pub(crate) fn portable(model: &ModelSpec) -> Portable {
    let plan = model.plan().unwrap();
    let mut number = 0.0;
    let mut next = || {
        number += 1.0;
        number
    };
    let named = NamedLayers::new(model, &plan);
    let specs = named.all().into_iter().flat_map(NamedLayer::tensors);
    let tensors = specs.map(|spec| Tensor {
        values: (0..spec.shape.iter().product::<usize>()).map(|_| next()).collect(),
        name: spec.name,
        shape: spec.shape,
    });
    Portable { model: model.clone(), tensors: tensors.collect(), card: None, classes: Vec::new() }
}

/// A card of Fashion-MNIST's for a network, whose second head says groups.
pub(crate) fn card(model: &ModelSpec, set: &str) -> ModelCard {
    let groups = vec![2, 2, 2, 1, 2, 0, 1, 0, 1, 0];
    let labels = (0..model.heads.len()).map(|head| match head {
        0 => Labels::Classes,
        _ => Labels::Groups(groups.clone()),
    });
    let labels: Vec<Labels> = labels.collect();
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    let heads = model.heads.iter().enumerate().map(|(number, head)| CardHead {
        name: head.name.clone(),
        classes: match number {
            0 => names(&[
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ]),
            _ => names(&["shoes", "gendered", "unisex"]),
        },
        test: Some(Evaluation { images: 1000, correct: 600 + number, loss: 0.5 }),
    });
    let training = TrainingSpec {
        epochs: 2,
        batch_size: 50,
        learning_rate: 0.001,
        schedule: Schedule::Constant,
        optimizer: Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
        warmup_steps: None,
        clip_norm: None,
        log_every: 10,
        validation: None,
        augmentation: None,
        class_weights: None,
        precision: TrainingPrecision::Float32,
    };
    let data = DataSlice { set: set.into(), train_images: 3000, test_images: 1000 };
    let weights = vec![1.0 / model.heads.len() as f64; model.heads.len()];
    ModelCard {
        program: "Inkling 0.2.0".into(),
        data: CardData { name: set.into(), title: "Fashion-MNIST".into(), checksum: "0".into() },
        preparation: Preparation {
            size: [model.input[0], model.input[1]],
            channels: model.input[2],
            fit: FitSpec::Pad,
            brightness: [0.0, 0.3],
        },
        heads: heads.collect(),
        weights: Weights::Last,
        run: TrainRun {
            labels,
            weighting: Weighting::Fixed { weights },
            ..TrainRun::of_classes(data, model.clone(), training, 1)
        },
    }
}

/// A file by its name.
pub(crate) fn file<'f>(files: &'f [File], name: &str) -> &'f File {
    files.iter().find(|file| file.name == name).unwrap_or_else(|| panic!("no file {name}"))
}

/// The text of a file.
pub(crate) fn text<'f>(files: &'f [File], name: &str) -> &'f str {
    std::str::from_utf8(&file(files, name).bytes).unwrap()
}

/// Compares a text with the one that a person accepted: `INKLING_ACCEPT=1 cargo test -p inkling-interchange accepted` writes them
/// anew, and the difference is read before it is committed.
pub(crate) fn accepted(name: &str, found: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reference").join(name);
    if std::env::var("INKLING_ACCEPT").is_ok_and(|value| value == "1") {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, found).unwrap();
        return;
    }
    let accepted = fs::read_to_string(&file).unwrap();
    assert!(found == accepted, "{name} is not the accepted text; it is now:\n{found}");
}

fn conv(filters: usize, kernel_size: [usize; 2], stride: [usize; 2], padding: Padding) -> LayerSpec {
    LayerSpec::Conv2d { filters, kernel_size, stride, padding, initializer: Initializer::HeUniform }
}

fn dense(units: usize) -> LayerSpec {
    LayerSpec::Dense { units, initializer: Initializer::GlorotUniform }
}

/// The layers that networks are drawn from, with two numbers from 1 to 3.
fn candidate(kind: usize, a: usize, b: usize) -> LayerSpec {
    let block = |layers, projection| LayerSpec::Residual { layers, projection };
    match kind {
        0 => conv(a + b, [a, b], [b, a], Padding::Same),
        1 => conv(a, [b, a], [1, b], Padding::Valid),
        2 => LayerSpec::MaxPool { pool_size: [a, b], stride: [b, a] },
        3 => LayerSpec::AvgPool { pool_size: [a, a], stride: [b, b] },
        4 => LayerSpec::BatchNorm { epsilon: 1e-3, momentum: 0.1 * a as f64 },
        5 => LayerSpec::LayerNorm { epsilon: 1e-5 },
        6 => block(vec![conv(a, [b, b], [a, b], Padding::Same)], Some(Initializer::HeUniform)),
        7 => block(vec![dense(a + b), candidate(4, a, b), LayerSpec::Relu], Some(Initializer::HeUniform)),
        8 => block(vec![candidate(5, a, b), block(vec![LayerSpec::Gelu], None)], None),
        9 => LayerSpec::Flatten,
        10 => LayerSpec::GlobalAvgPool,
        11 => dense(a * b),
        12 => LayerSpec::Elu { alpha: a as f64 },
        13 => LayerSpec::Dropout { rate: 0.25 },
        14 => LayerSpec::Relu,
        _ => LayerSpec::Silu,
    }
}

/// Number of kinds of [`candidate`].
const KINDS: usize = 16;

/// Whether an image of this shape can go through these layers and then through the last.
fn fits(input: [usize; 3], layers: &[LayerSpec], last: LayerSpec) -> bool {
    let (trunk, heads) = (layers.to_vec(), vec![Head::new("class", vec![last])]);
    ModelSpec { input, trunk, heads }.plan().is_ok()
}

/// What is drawn of a layer: its kind, and two numbers.
type Drawn = (usize, usize, usize);

/// The layers, and after them those that were drawn, as far as they fit.
fn grown(input: [usize; 3], layers: &[LayerSpec], drawn: Vec<Drawn>) -> Vec<LayerSpec> {
    let mut layers = layers.to_vec();
    for (kind, a, b) in drawn {
        layers.push(candidate(kind, a, b));
        if !fits(input, &layers, LayerSpec::Flatten) && !fits(input, &layers, LayerSpec::Relu) {
            layers.pop();
        }
    }
    layers
}

/// A valid network with one head or two.
pub(crate) fn networks() -> impl Strategy<Value = ModelSpec> {
    let layers = || prop::collection::vec((0..KINDS, 1..4_usize, 1..4_usize), 0..8);
    let heads = prop::collection::vec((layers(), any::<bool>()), 1..3);
    let input = [4..9_usize, 4..9_usize, 1..4_usize];
    (input, layers(), heads).prop_map(|(input, trunk, heads)| {
        let trunk = grown(input, &[], trunk);
        let head = |(name, (drawn, is_dense)): (&str, (Vec<Drawn>, bool))| {
            let mut layers = grown(input, &trunk, drawn);
            if fits(input, &layers, LayerSpec::Flatten) {
                layers.push(LayerSpec::Flatten);
            }
            if is_dense || layers.len() == trunk.len() {
                layers.push(dense(3));
            }
            Head::new(name, layers.split_off(trunk.len()))
        };
        let heads = ["item", "the other"].into_iter().zip(heads).map(head).collect();
        ModelSpec { input, trunk, heads }
    })
}
