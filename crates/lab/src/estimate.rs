//! How long a run may take, and how much memory, before it is done.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use inkling_engine::{Dataset, Network, Trainer};
use inkling_schema::outcome::PlannedRun;
use inkling_schema::{DataSlice, ModelSpec, Precision, RunId, RunSpec, TrainRun};
use serde::Serialize;

/// What a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Multiply-adds of all its steps and evaluations: forward once, and backward twice as many.
    pub multiply_adds: f64,
    /// Seconds at the rate that was given or measured.
    pub seconds: f64,
    /// Bytes of memory: parameters with their moments, the outputs of all layers of a batch, and the images.
    pub bytes: u64,
    /// Whether it is no more than an order of magnitude: of all runs but trainings, which end early, or do other things than
    /// multiply.
    pub is_rough: bool,
}

/// Estimates what runs take: trainings at a rate of multiply-adds a second that was given, or that is measured for each network
/// with some of its steps on this machine; other runs, which take much less, at one rate for all.
#[derive(Debug, Default)]
pub struct Estimator {
    /// The rate that was given.
    rate: Option<f64>,
    /// The rates of networks: by the JSON of a network and of the precision of its training, and by the batch size.
    measured: BTreeMap<(String, usize), f64>,
}

/// How long the steps of one network are timed.
const TIMING: Duration = Duration::from_millis(150);
/// Multiply-adds a second of runs that are no trainings, of which most use one thread.
const ROUGH_RATE: f64 = 5e9;
/// Seconds that the shortest run takes.
const LEAST: f64 = 0.01;

impl Estimator {
    /// With a rate in multiply-adds a second, or measuring.
    pub fn new(rate: Option<f64>) -> Self {
        Self { rate, measured: BTreeMap::new() }
    }

    /// What the run may take, among the runs of its study; none where its network cannot be built.
    pub fn estimate(&mut self, run: &PlannedRun, runs: &[PlannedRun]) -> Option<Estimate> {
        let (RunSpec::Train(spec) | RunSpec::Trial(spec)) = &run.spec else { return rough(&run.spec, runs) };
        let plan = spec.model.plan().ok()?;
        let forward = forward(&spec.model)?;
        let held = spec.training.validation.as_ref().map_or(0, |held| held.images);
        let trained = (spec.data.train_images - held) as f64;
        let judged = (spec.data.test_images + held) as f64;
        let multiply_adds = forward * (3.0 * trained + judged) * spec.training.epochs as f64;
        let rate = match self.rate {
            Some(rate) => rate,
            None => self.measure(spec, 3.0 * forward)?,
        };
        let bytes = plan
            .training_bytes(spec.training.batch_size)
            .saturating_add(bytes(&spec.data, pixels(&spec.model)));
        Some(Estimate { multiply_adds, seconds: multiply_adds / rate, bytes, is_rough: false })
    }

    /// Multiply-adds a second of steps that take so many for each image.
    fn measure(&mut self, spec: &TrainRun, of_image: f64) -> Option<f64> {
        let batch = spec.training.batch_size;
        let precision = spec.training.precision;
        let key = serde_json::to_string(&(&spec.model, precision)).expect("a network is plain data");
        let key = (key, batch);
        if let Some(&rate) = self.measured.get(&key) {
            return Some(rate);
        }
        let network = Network::new(&spec.model, spec.seed).ok()?;
        let heads = spec.model.heads.len();
        // Grey noise: what the images show makes little difference to a step.
        let pixels: Vec<u8> =
            (0..network.input_len() * batch).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let labels = vec![0_u8; batch];
        let labels: Vec<&[u8]> = vec![&labels; heads];
        let order: Vec<u32> = (0..batch as u32).collect();
        let weights = vec![1.0 / heads as f32; heads];
        let optimizer = spec.training.optimizer;
        let steps_a_second = rayon::scope(|_| {
            let mut trainer = Trainer::new(network, optimizer, batch, &weights);
            trainer.set_precision(precision);
            let mut step = || {
                trainer.step(Dataset::new(&pixels, &labels), &order, 1e-6);
            };
            (0..3).for_each(|_| step());
            let (start, mut steps) = (Instant::now(), 0_u32);
            while start.elapsed() < TIMING || steps == 0 {
                step();
                steps += 1;
            }
            f64::from(steps) / start.elapsed().as_secs_f64()
        });
        let rate = steps_a_second * batch as f64 * of_image;
        self.measured.insert(key, rate);
        Some(rate)
    }
}

/// Multiply-adds of a network's forward pass for one image.
fn forward(model: &ModelSpec) -> Option<f64> {
    Some(model.plan().ok()?.layers.iter().map(|layer| layer.multiply_adds as f64).sum())
}

/// Numbers of an image.
fn pixels(model: &ModelSpec) -> usize {
    model.input.iter().product()
}

/// Bytes of the images of a set that has so many numbers in each.
fn bytes(data: &DataSlice, pixels: usize) -> u64 {
    (pixels * (data.train_images + data.test_images)) as u64
}

/// The estimate of a run that is no training.
fn rough(spec: &RunSpec, runs: &[PlannedRun]) -> Option<Estimate> {
    let network = |id: &RunId| {
        runs.iter().find_map(|run| match &run.spec {
            RunSpec::Train(spec) | RunSpec::Trial(spec) if run.id == *id => Some(&spec.model),
            _ => None,
        })
    };
    let of = match spec {
        RunSpec::Filters(run) => Some(&run.of),
        RunSpec::Activations(run) => Some(&run.of),
        RunSpec::Dream(run) => Some(&run.of),
        RunSpec::PageNetwork(run) => Some(&run.of),
        RunSpec::Likeness(run) => run.of.first(),
        RunSpec::Choice(run) => run.points.first().and_then(|seeds| seeds.first()),
        _ => None,
    };
    let model = of.and_then(network);
    let forward = model.and_then(forward).unwrap_or(0.0);
    let data = spec.data();
    // The numbers of an image that no network looks at are not known here; those of the usual sets are.
    let pixels = model.map_or(PIXELS, pixels);
    let (d, n) = (pixels as f64, data.map_or(0.0, |data| data.train_images as f64));
    let tested = data.map_or(0.0, |data| data.test_images as f64);
    let multiply_adds = match spec {
        RunSpec::Pca(_) => n * d * d / 2.0 + 2.0 * d.powi(3),
        RunSpec::Separability(run) => {
            // Every pair has a share of the images; sorting them along a direction takes as much as some products for each.
            let classes = if run.classes.is_empty() { CLASSES } else { run.classes.len() as f64 };
            let images = (classes - 1.0) * n;
            images * (SORTING * run.directions as f64 + PASSES.min(run.max_passes as f64) * d)
        }
        RunSpec::Perceptron(run) => 2.0 * n / CLASSES * d * PASSES.min(run.max_iterations as f64),
        RunSpec::Filters(_) | RunSpec::PageImages(_) => 0.0,
        RunSpec::Activations(run) => {
            forward * (tested + 3.0 * (run.images.len() * run.integration_steps) as f64)
        }
        RunSpec::Dream(run) => 3.0 * forward * (run.pictures.len() * run.ascent.steps) as f64,
        RunSpec::Likeness(run) => {
            let pairs = run.of.len() * run.of.len().saturating_sub(1) / 2;
            MATCHING * (pairs * run.shuffles) as f64
        }
        // Answers are compared only where weights were rounded.
        RunSpec::PageNetwork(run) => {
            if run.precision == Precision::F16 {
                forward * tested
            } else {
                0.0
            }
        }
        RunSpec::Choice(run) => forward * tested * run.points.first().map_or(0, Vec::len) as f64,
        RunSpec::Train(_) | RunSpec::Trial(_) => return None,
    };
    let parameters = model.and_then(|model| model.plan().ok()).map_or(0, |plan| plan.training_bytes(1));
    let bytes = data
        .map_or(0, |data| bytes(data, pixels))
        .saturating_add(parameters)
        .saturating_add((8 * pixels * pixels) as u64);
    Some(Estimate { multiply_adds, seconds: multiply_adds / ROUGH_RATE + LEAST, bytes, is_rough: true })
}

/// Numbers of an image, and classes, of MNIST.
const PIXELS: usize = 784;
const CLASSES: f64 = 10.0;
/// What matching the filters of two networks takes, in multiply-adds.
const MATCHING: f64 = 1e6;
/// What sorting takes for each image, in multiply-adds.
const SORTING: f64 = 100.0;
/// Passes that searches and perceptrons take, of the many that they may take.
const PASSES: f64 = 200.0;

#[cfg(test)]
mod tests {
    use inkling_schema::{Optimizer, Schedule, TrainingPrecision, TrainingSpec};

    use super::*;

    fn run(batch_size: usize, precision: TrainingPrecision, seed: u64) -> TrainRun {
        let model = r#"
            input = [4, 4, 1]
            trunk = [{ layer = "flatten" }]
            heads = [{ name = "class", layers = [{ layer = "dense", units = 40, initializer = "glorot-uniform" }] }]
        "#;
        let training = TrainingSpec {
            augmentation: None,
            class_weights: None,
            precision,
            epochs: 1,
            batch_size,
            learning_rate: 0.1,
            schedule: Schedule::Constant,
            optimizer: Optimizer::Sgd { momentum: 0.0, nesterov: false },
            log_every: 1,
            warmup_steps: None,
            clip_norm: None,
            validation: None,
        };
        let data = DataSlice { set: "mnist".into(), train_images: 40, test_images: 10 };
        TrainRun::of_classes(data, ModelSpec::from_toml("network", model).unwrap(), training, seed)
    }

    #[test]
    fn a_network_is_timed_once_for_each_batch_size_and_precision() {
        use TrainingPrecision::{Bfloat16, Float32};

        let mut estimator = Estimator::new(None);
        let mut rate = |batch_size: usize, precision: TrainingPrecision, seed: u64| {
            let rate = estimator.measure(&run(batch_size, precision, seed), 1.0).unwrap();
            (rate, estimator.measured.len())
        };
        let (first, _) = rate(4, Float32, 1);
        assert_eq!(rate(4, Float32, 2), (first, 1), "a seed makes no difference");
        assert_eq!(rate(4, Bfloat16, 1).1, 2);
        assert_eq!(rate(8, Bfloat16, 1).1, 3);
    }
}
