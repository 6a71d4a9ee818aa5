//! Training steps and evaluation of the brief's MLP and CNN, and what each of their layers reaches of the machine's peak.

use std::time::Instant;

use inkling_data::DataSet;
use inkling_engine::{Judged, Labelled, LayerTime, Network, Path, Trainer, evaluate, peak_flops};
use inkling_spec::{MODELS, ModelSpec, Optimizer, Plan};

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
    let labels = labels(&set.train.labels, trainer.network().classes().len());
    let labels: Vec<&[u8]> = labels.iter().map(Vec::as_slice).collect();
    let images = Labelled { pixels: &set.train.images.pixels, labels: &labels };
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
            layers.push(trainer.times());
        }
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3 / steps as f64);
    }
    let (parameters, times) = (plan.parameters, spread(milliseconds, 1.0));
    output::line(&format!(
        "inkling {name} after={after} batch={batch} params={parameters} ms_per_step {times}"
    ));
    let peak = peak_flops(Path::current());
    for i in 0..layers[0].len() {
        output::line(&layer(plan, batch, &layers, i, peak));
    }
    let (path, threads) = (Path::current().name(), rayon::current_num_threads());
    output::line(&format!("  peak with {path} on {threads} threads: {:.0} GFLOP/s", peak / 1e9));
}

/// Median times of a layer over all steps, its arithmetic a second, and the share of the peak that this is.
fn layer(plan: &Plan, batch: usize, steps: &[Vec<LayerTime>], i: usize, peak: f64) -> String {
    let name = &steps[0][i].name;
    let planned = plan.layers.iter().find(|layer| layer.place.replace(' ', ".") == *name);
    let planned = planned.expect("a layer of the plan");
    // A multiplication and an addition; backward once for the weights and once, but for the first layer, for the input.
    let forward = 2.0 * (batch * planned.multiply_adds) as f64;
    let backward = if i == 0 { forward } else { 2.0 * forward };
    let describe = |what: &str, flops: f64, seconds: &dyn Fn(&LayerTime) -> f64| {
        let mut seconds: Vec<f64> = steps.iter().map(|step| seconds(&step[i])).collect();
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        let rate = flops / median;
        format!("{what} {:.3} ms {:.0} GFLOP/s {:.0} %", median * 1e3, rate / 1e9, 100.0 * rate / peak)
    };
    let forward = describe("forward", forward, &|time| time.forward.as_secs_f64());
    let backward = describe("backward and update", backward, &|time| time.backward.as_secs_f64());
    format!("  {name} {}: {forward}, {backward}", planned.layer.kind())
}

fn judge(set: &DataSet, name: &str, network: &mut Network, rounds: usize) {
    let labels = labels(&set.test.labels, network.classes().len());
    let labels: Vec<&[u8]> = labels.iter().map(Vec::as_slice).collect();
    let images = Labelled { pixels: &set.test.images.pixels, labels: &labels };
    let mut workspace = network.workspace(inkling_lab::EVALUATION_BATCH, false);
    let mut judged = Judged::default();
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
