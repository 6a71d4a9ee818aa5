//! One training step with any loss weighting, and the sums over steps that become lines of metrics.

use inkling_engine::weighting::LossWeighting;
use inkling_engine::{ActivityStats, Dataset, GradientGram, Metrics, Trainer, TrunkScope};
use inkling_schema::outcome::{GradientsLine, HeadPair, HeadSteps, IdleLine, StepsLine};
use serde::{Deserialize, Serialize};

/// What one training step reports.
pub(crate) struct StepOutput {
    /// Each head's loss and accuracy on the batch, before the step; zeros for a head that is not trained.
    pub(crate) metrics: Vec<Metrics>,
    /// The weight of each head's loss in the step.
    pub(crate) weights: Vec<f64>,
    /// Inner products of the heads' gradients on all shared layers, if they were asked for.
    pub(crate) products: Option<GradientGram>,
}

/// One step. With `look`, the heads' gradients on all shared layers are compared, unless the weighting itself compares
/// those of other layers in this step. Comparing them changes no bit of the weights.
pub(crate) fn step(
    trainer: &mut Trainer,
    weighting: &mut dyn LossWeighting,
    images: Dataset,
    batch: &[u32],
    learning_rate: f64,
    look: bool,
) -> StepOutput {
    let weights = weighting.weights().to_vec();
    trainer.set_weights(&weights.iter().map(|&weight| weight as f32).collect::<Vec<f32>>());
    let gradient_scope = weighting.gradient_scope();
    let mut found = None;
    let metrics = match gradient_scope.or(look.then_some(TrunkScope::All)) {
        None => trainer.step(images, batch, learning_rate),
        Some(over) => {
            trainer.step_with_gradient_surgery(images, batch, learning_rate, over, |_, products| {
                found = Some(products.clone());
                gradient_scope.and_then(|_| weighting.gradient_weights(&|a, b| products.product(a, b)))
            })
        }
    };
    let metrics = metrics.to_vec();
    let losses: Vec<f64> = metrics.iter().map(|metrics| metrics.loss_sum / batch.len() as f64).collect();
    match found.as_ref().filter(|_| gradient_scope.is_some()) {
        None => weighting.update(&losses, None),
        Some(products) => weighting.update(&losses, Some(&|a, b| products.product(a, b))),
    }
    let products = found.filter(|_| look && gradient_scope != Some(TrunkScope::Last));
    StepOutput { metrics, weights, products }
}

/// The metrics of the heads' gradients at a step; none if a gradient is not finite. `trained` says which heads are
/// trained.
pub(crate) fn gradients_line(
    products: &GradientGram,
    trained: &[bool],
    step: usize,
) -> Option<GradientsLine> {
    let heads = trained.len();
    let norms: Vec<f64> = (0..heads).map(|head| products.norm(head)).collect();
    let pair = |a: usize, b: usize| HeadPair { a, b, cosine: products.cosine(a, b) };
    let pairs = (0..heads).flat_map(|a| (a + 1..heads).map(move |b| (a, b)));
    let pairs = pairs.filter(|&(a, b)| heads > 2 && trained[a] && trained[b]).map(|(a, b)| pair(a, b));
    let finite = norms.iter().all(|norm| norm.is_finite());
    finite.then(|| GradientsLine { step, norms, cosine: products.cosine(0, 1), pairs: pairs.collect() })
}

/// The metrics of idle weights in the largest dense layer at a step; none if there is no dense layer.
pub(crate) fn idle_line(layers: &[ActivityStats], step: usize) -> Option<IdleLine> {
    // The first of several that are equally large.
    let ActivityStats { name, inputs, silent, units, dead, row_panels, idle } =
        layers.iter().rev().max_by_key(|layer| layer.inputs * layer.units)?;
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    Some(IdleLine {
        step,
        layer: name.clone(),
        idle_panels: share(*idle, *row_panels),
        dead_units: share(*dead, *units),
        silent_inputs: share(*silent, *inputs),
    })
}

/// Sums over the steps since the last line of metrics. A checkpoint within an epoch holds them, so that a resumed run
/// writes the same next line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricAccumulator {
    pub(crate) steps: usize,
    images: usize,
    /// Σ of each image's weighted loss.
    loss: f64,
    heads: Vec<HeadMetrics>,
    /// Number and learning rate of the last of them.
    step: usize,
    learning_rate: f64,
}

/// The sums of one head.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadMetrics {
    /// Σ of each image's loss.
    loss: f64,
    /// Images classified correctly.
    correct: usize,
    first_weight: f64,
    /// Σ of the differences of its weight from that of the first step: exactly zero for a constant weight.
    drift: f64,
}

impl MetricAccumulator {
    pub(crate) fn add(&mut self, output: &StepOutput, images: usize, step: usize, learning_rate: f64) {
        self.heads.resize(output.metrics.len(), HeadMetrics::default());
        for ((head, &metrics), &weight) in self.heads.iter_mut().zip(&output.metrics).zip(&output.weights) {
            if self.steps == 0 {
                head.first_weight = weight;
            }
            head.loss += metrics.loss_sum;
            head.correct += metrics.correct;
            head.drift += weight - head.first_weight;
            self.loss += weight * metrics.loss_sum;
        }
        self.steps += 1;
        self.images += images;
        (self.step, self.learning_rate) = (step, learning_rate);
    }

    /// The line of metrics of these steps, if there are any; `trained` says which heads are trained.
    pub(crate) fn line(&self, trained: &[bool]) -> Option<StepsLine> {
        let (steps, images) = (self.steps as f64, self.images as f64);
        let accuracy = |head: &HeadMetrics| head.correct as f64 / images;
        let of_head = |(head, &trained): (&HeadMetrics, &bool)| HeadSteps {
            loss: trained.then_some(head.loss / images),
            accuracy: trained.then(|| accuracy(head)),
            weight: head.first_weight + head.drift / steps,
        };
        let heads = if self.heads.len() > 1 {
            self.heads.iter().zip(trained).map(of_head).collect()
        } else {
            Vec::new()
        };
        (self.steps > 0).then(|| StepsLine {
            step: self.step,
            loss: self.loss / images,
            // Of the first head that is trained: the accuracy of another is that of its initial weights.
            accuracy: accuracy(&self.heads[trained.iter().position(|&trained| trained).unwrap_or(0)]),
            learning_rate: self.learning_rate,
            heads,
        })
    }
}
