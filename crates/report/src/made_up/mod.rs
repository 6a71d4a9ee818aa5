//! Made-up networks for tests: plausible curves and answers, the same every time.

pub(crate) mod dreams;
pub(crate) mod inside;
pub(crate) mod multitask;

use inkling_schema::found::{
    DataSetFacts, Diverged, Divergence, EpochOutcome, Evaluation, Machine, StepsLine, TrainOutcome,
};
use inkling_schema::{CnnTask, DataSlice, MlpTask, ModelSpec, Padding, TrainRun, TrainingSpec, preset};

use crate::{Convolutions, NetworkResults, NetworksResults, Origins, Program, Share, WrongImage};

/// The names of all figures of Tasks 1 to 4, in the order in which a reader meets them.
pub(crate) const FIGURES: [&str; 22] = [
    "pca_scatter",
    "pca_scatter_classes",
    "pca_scree",
    "pca_components",
    "pca_reconstructions",
    "separability",
    "perceptron_weights",
    "perceptron_errors",
    "perceptron_errors_five",
    "perceptron_accuracy",
    "mlp_curves",
    "mlp_parameters",
    "mlp_mcnemar",
    "mlp_confusion",
    "mlp_wrong",
    "cnn_curves",
    "cnn_parameters",
    "cnn_mcnemar",
    "cnn_confusion",
    "cnn_wrong",
    "networks_times",
    "networks_mcnemar",
];

/// One machine and one program that made all runs.
pub(crate) fn origins() -> Origins {
    let machine = Machine { cpu: "A CPU with 100 % *cores*".into(), threads: 1, instructions: "avx2".into() };
    let program = Program { version: "0.0.0".into(), sources: Some("0123456789ab".into()) };
    Origins {
        machines: vec![Share { of: machine, runs: 1 }],
        programs: vec![Share { of: program, runs: 1 }],
        shared: 0,
    }
}

/// What the tests vary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) networks: usize,
    pub(crate) epochs: usize,
    pub(crate) train_images: usize,
    pub(crate) test_images: usize,
}

impl Shape {
    /// Five networks on a few images.
    pub(crate) const SMALL: Shape = Shape { networks: 5, epochs: 10, train_images: 3000, test_images: 1000 };
}

/// A number from 0 to 1 that looks drawn by chance.
fn chance(seed: usize) -> f64 {
    let mut bits = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Multilayer perceptrons as in the preset `brief`.
pub(crate) fn mlps(data: &DataSetFacts, shape: Shape) -> NetworksResults {
    let task: MlpTask = preset("brief").and_then(|study| study.mlp).expect("the brief has MLPs");
    let input = [data.height, data.width, 1];
    let networks = task.networks.iter().take(shape.networks).enumerate().map(|(i, network)| {
        let model = network.model(input, data.classes.len(), task.initializer);
        let errors = [0.020, 0.021, 0.019, 0.0205, 0.024][i % 5];
        let mut made = made(data, shape, (model, &task.training, i), errors);
        (made.name, made.why) = (network.name.clone(), network.why.clone());
        made.widths = network.hidden.clone();
        made
    });
    NetworksResults { data: data.clone(), networks: networks.collect() }
}

/// Convolutional networks as in the preset `brief`.
pub(crate) fn cnns(data: &DataSetFacts, shape: Shape) -> NetworksResults {
    let task: CnnTask = preset("brief").and_then(|study| study.cnn).expect("the brief has CNNs");
    let input = [data.height, data.width, 1];
    let networks = task.networks.iter().take(shape.networks).enumerate().map(|(i, network)| {
        let model = network.model(input, data.classes.len(), Padding::Same, task.initializer);
        let errors = [0.019, 0.0105, 0.009, 0.0085, 0.0095][i % 5];
        let mut made = made(data, shape, (model, &task.training, i + 50), errors);
        (made.name, made.why) = (network.name.clone(), network.why.clone());
        made.widths = network.filters.clone();
        let (kernels, strides) = (network.kernels.clone(), network.strides.clone());
        made.convolutions = Some(Convolutions { kernels, strides });
        made
    });
    NetworksResults { data: data.clone(), networks: networks.collect() }
}

/// The same network, its training stopped by a loss that is no number: within the first epoch, or in a later one.
pub(crate) fn diverge(network: &mut NetworkResults, epoch: usize) {
    let per_epoch = network.outcome.epochs.first().map_or(60, |epoch| epoch.step);
    let step = (epoch - 1) * per_epoch + per_epoch / 3 + 1;
    network.outcome.diverged = Some(Divergence { epoch, step, what: Diverged::Network });
    network.outcome.steps = step;
    network.outcome.epochs.truncate(epoch - 1);
    network.curve.retain(|line| line.step < step);
}

fn made(
    data: &DataSetFacts,
    shape: Shape,
    (model, training, seed): (ModelSpec, &TrainingSpec, usize),
    errors: f64,
) -> NetworkResults {
    let parameters = model.plan().expect("the brief's networks can be built").parameters;
    let classes = data.classes.len();
    let labels: Vec<u8> = (0..shape.test_images).map(|i| (i * 7 % classes) as u8).collect();
    // Most of what makes an image hard is common to all networks.
    let hard = |i: usize| 0.75 * chance(i) + 0.25 * chance(i * 64 + seed + 900_000);
    let mut order: Vec<usize> = (0..shape.test_images).collect();
    order.sort_by(|&i, &j| hard(j).total_cmp(&hard(i)));
    let mut predictions = labels.clone();
    let wrong = (errors * shape.test_images as f64) as usize;
    for &i in &order[..wrong] {
        let away = 1 + (chance(i + 77).powi(2) * (classes - 1) as f64) as usize;
        predictions[i] = ((usize::from(labels[i]) + away) % classes) as u8;
    }
    let side = data.height * data.width;
    let wrong_images = order[..wrong.min(24)].iter().enumerate().map(|(rank, &index)| WrongImage {
        index,
        class: labels[index],
        predicted: predictions[index],
        probability: 1.0 - 0.000_01 * (rank as f64 * 1.5).exp2().min(40_000.0),
        pixels: picture(data, index, side),
    });
    let per_epoch = shape.train_images.div_ceil(training.batch_size);
    let epochs = (1..=shape.epochs).map(|epoch| {
        let end = 0.004 + 0.22 * (-(epoch as f64) / 2.2).exp() + 0.006 * chance(seed * 100 + epoch);
        let gone = 0.02 + 0.15 * (-(epoch as f64) / 1.6).exp() + 0.004 * epoch as f64;
        let rate = if epoch == shape.epochs { errors } else { errors * (1.0 + 1.8 / epoch as f64) };
        let correct = |images: usize, rate: f64| images - (rate.min(0.9) * images as f64) as usize;
        EpochOutcome {
            epoch,
            step: epoch * per_epoch,
            train: Evaluation {
                images: shape.train_images,
                correct: correct(shape.train_images, end / 4.0),
                loss: end,
            },
            validation: None,
            test: Evaluation {
                images: shape.test_images,
                correct: shape.test_images - (rate * shape.test_images as f64) as usize,
                loss: gone + errors,
            },
            further: Vec::new(),
        }
    });
    let steps =
        (1..=shape.epochs * per_epoch).filter(|step| step % training.log_every.min(per_epoch / 4) == 0);
    let curve = steps.map(|step| {
        let epoch = step as f64 / per_epoch as f64;
        let loss = 0.004
            + 2.0 * (-epoch * 6.0).exp()
            + 0.3 * (-epoch / 1.9).exp() * (0.7 + 0.6 * chance(step + seed));
        StepsLine {
            step,
            loss,
            accuracy: 1.0 - (loss / 4.0).min(0.9),
            learning_rate: 0.001,
            heads: Vec::new(),
        }
    });
    NetworkResults {
        name: String::new(),
        why: String::new(),
        widths: Vec::new(),
        convolutions: None,
        wrong: wrong_images.collect(),
        labels,
        predictions,
        curve: curve.collect(),
        outcome: TrainOutcome {
            parameters,
            steps: shape.epochs * per_epoch,
            epochs: epochs.collect(),
            train_seconds: 3.0 + parameters as f64 / 40_000.0 + 10.0 * chance(seed),
            test_seconds: 0.01 + parameters as f64 / 2e7,
            diverged: None,
            best_epoch: None,
            stopped_early: false,
        },
        spec: TrainRun::of_classes(
            DataSlice {
                set: "mnist".into(),
                train_images: shape.train_images,
                test_images: shape.test_images,
            },
            model,
            TrainingSpec { epochs: shape.epochs, ..training.clone() },
            1,
        ),
        seconds: 10.0,
    }
}

/// A bright ring and a stroke, different in each image.
fn picture(data: &DataSetFacts, seed: usize, side: usize) -> Vec<u8> {
    let (height, width) = (data.height as f64, data.width as f64);
    let (x0, y0) = (width * (0.35 + 0.3 * chance(seed)), height * (0.35 + 0.3 * chance(seed + 1)));
    let radius = height * (0.15 + 0.15 * chance(seed + 2));
    let pixel = |i: usize| {
        let (x, y) = ((i % data.width) as f64, (i / data.width) as f64);
        let off = ((x - x0).hypot(y - y0) - radius).abs();
        (255.0 * (1.6 - off).clamp(0.0, 1.0)) as u8
    };
    (0..side).map(pixel).collect()
}
