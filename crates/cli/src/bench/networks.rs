//! Training steps and evaluation of the brief's networks, and what each of their layers reaches of the machine's peak, dense
//! ones also of its streaming rate.

use std::time::{Duration, Instant};

use inkling_data::DataSet;
use inkling_engine::{
    Dataset, Isa, LayerTime, Metrics, Network, Trainer, evaluate, peak_bandwidth, peak_flops,
};
use inkling_schema::{LayerSpec, MODELS, ModelSpec, Optimizer, Plan, TrainingPrecision};

use super::spread;
use crate::output;

const ADAM: Optimizer = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };

/// A network of the brief and how it is timed.
pub(super) struct Work {
    /// Its name in the lines.
    pub(super) name: &'static str,
    /// Its name among the brief's networks.
    pub(super) model: &'static str,
    pub(super) batch: usize,
    /// Steps of a round.
    pub(super) steps: usize,
    /// Steps before the first round.
    pub(super) after: usize,
    pub(super) precision: TrainingPrecision,
}

/// Bytes that a step moves for each parameter when no gradient reaches memory: weights are read forward, and backward they
/// and both moments are read and written. Fewer are moved where panels of weights stand still or a cache holds them: then the
/// rate that this gives is above the machine's.
const BYTES: usize = 28;

/// The machine's ceilings.
struct Peaks {
    /// Multiplications and additions a second.
    flops: f64,
    /// Bytes a second.
    stream: f64,
}

/// Groups of Fashion-MNIST's items in task 6.
const GROUPS: [u8; 10] = [2, 2, 2, 1, 2, 0, 1, 0, 1, 0];

/// Times the network on a set: `rounds` rounds of steps, then as many evaluations of all test images.
pub(super) fn bench(set: &DataSet, work: &Work, rounds: usize) {
    let text = MODELS.iter().find(|(known, _)| *known == work.model).expect("one of the brief's networks").1;
    let spec = ModelSpec::from_toml(work.model, text).expect("a test reads every network");
    let plan = spec.plan().expect("a test plans every network");
    let network = Network::new(&spec, 1).expect("it has been planned");
    let heads = spec.heads.len();
    // Inside the pool, as training is: entering it from outside costs microseconds for each layer.
    rayon::scope(|_| {
        let weights = vec![1.0 / heads as f32; heads];
        let mut trainer = Trainer::new(network, ADAM, work.batch, &weights);
        trainer.set_precision(work.precision);
        train(set, work, &plan, &mut trainer, rounds);
        judge(set, work.name, trainer.network_mut(), rounds);
    });
}

/// Labels of each head: the classes, then their groups.
fn labels(classes: &[u8], heads: usize) -> Vec<Vec<u8>> {
    let groups = || classes.iter().map(|&class| GROUPS[usize::from(class)]).collect();
    (0..heads).map(|head| if head == 0 { classes.to_vec() } else { groups() }).collect()
}

fn train(set: &DataSet, work: &Work, plan: &Plan, trainer: &mut Trainer, rounds: usize) {
    let labels = labels(&set.train.labels, trainer.network().num_classes().len());
    let labels: Vec<&[u8]> = labels.iter().map(Vec::as_slice).collect();
    let images = Dataset::new(&set.train.images.pixels, &labels);
    let order: Vec<u32> = (0..set.train.len() as u32).collect();
    let Work { name, batch, steps, after, .. } = *work;
    let mut batches = order.chunks_exact(batch).cycle();
    let mut step = |trainer: &mut Trainer| {
        let batch = batches.next().expect("the set has a batch");
        trainer.step(images, batch, 1e-3);
    };
    for _ in 0..after {
        step(trainer);
    }
    let (mut milliseconds, mut layers) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        for _ in 0..steps {
            step(trainer);
            layers.push(trainer.timings());
        }
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3 / steps as f64);
    }
    let step_seconds = median(milliseconds.clone()) / 1e3;
    let (parameters, times) = (plan.parameters, spread(milliseconds, 1.0));
    output::line(&format!(
        "inkling {name} after={after} batch={batch} params={parameters} ms_per_step {times}"
    ));
    let path = Isa::current();
    let peaks = Peaks { flops: peak_flops(path), stream: peak_bandwidth(path) };
    for i in 0..layers[0].len() {
        output::line(&layer(plan, batch, &layers, i, &peaks));
    }
    output::line(&format!("  step: {}", moved(parameters, step_seconds, &peaks)));
    output::line(&format!(
        "  peak with {} on {} threads: {:.0} GFLOP/s; streaming three arrays read and written {:.1} GB/s",
        path.name(),
        rayon::current_num_threads(),
        peaks.flops / 1e9,
        peaks.stream / 1e9,
    ));
}

/// The rate at which a step moves so many parameters, and the share of the streaming rate that this is.
fn moved(parameters: usize, seconds: f64, peaks: &Peaks) -> String {
    let rate = (BYTES * parameters) as f64 / seconds;
    format!("{BYTES} bytes a parameter {:.1} GB/s {:.0} %", rate / 1e9, 100.0 * rate / peaks.stream)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Median times of a layer over all steps, its arithmetic a second, and the share of the peak that this is; of a dense layer
/// also what it moves.
fn layer(plan: &Plan, batch: usize, steps: &[Vec<LayerTime>], i: usize, peaks: &Peaks) -> String {
    let name = &steps[0][i].name;
    let planned = plan.layers.iter().find(|layer| layer.place.replace(' ', ".") == *name);
    let planned = planned.expect("a layer of the plan");
    // A multiplication and an addition; backward once for the weights and once, but for the first layer, for the input.
    let forward = 2.0 * (batch * planned.multiply_adds) as f64;
    let backward = if i == 0 { forward } else { 2.0 * forward };
    let typical = |time: &dyn Fn(&LayerTime) -> Duration| {
        median(steps.iter().map(|step| time(&step[i]).as_secs_f64()).collect())
    };
    let describe = |what: &str, flops: f64, seconds: f64| {
        let (rate, share) = (flops / seconds, flops / seconds / peaks.flops);
        format!("{what} {:.3} ms {:.0} GFLOP/s {:.0} %", seconds * 1e3, rate / 1e9, 100.0 * share)
    };
    let times = [typical(&|time| time.forward), typical(&|time| time.backward)];
    let moved = match planned.layer {
        LayerSpec::Dense { .. } => format!(", {}", moved(planned.parameters, times.iter().sum(), peaks)),
        _ => String::new(),
    };
    let (forward, backward) =
        (describe("forward", forward, times[0]), describe("backward and update", backward, times[1]));
    format!("  {name} {}: {forward}, {backward}{moved}", planned.layer.kind())
}

fn judge(set: &DataSet, name: &str, network: &mut Network, rounds: usize) {
    let labels = labels(&set.test.labels, network.num_classes().len());
    let labels: Vec<&[u8]> = labels.iter().map(Vec::as_slice).collect();
    let images = Dataset::new(&set.test.images.pixels, &labels);
    let mut workspace = network.workspace(inkling_lab::EVALUATION_BATCH, false);
    let mut judged = Metrics::default();
    let milliseconds = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            judged = evaluate(network, &mut workspace, images, |_, _| {})[0];
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    output::line(&format!(
        "inkling {name} evaluate images={} ms {} test_accuracy={:.4}",
        set.test.len(),
        spread(milliseconds, 1.0),
        judged.correct as f64 / set.test.len() as f64,
    ));
}
