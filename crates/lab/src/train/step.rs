//! One step under a weighting, whatever the method, and the sums over steps that become lines.

use inkling_engine::{ActivityStats, Dataset, GradientGram, Metrics, Trainer, TrunkScope};
use inkling_schema::found::{GradientsLine, HeadSteps, IdleLine, StepsLine};
use serde::{Deserialize, Serialize};

use crate::weighting::Weigh;

/// What a step showed.
pub(crate) struct Stepped {
    /// What each head made of the batch before the step; nothing of a head that is not trained.
    pub(crate) judged: Vec<Metrics>,
    /// The weight of each head in it.
    pub(crate) weights: Vec<f64>,
    /// How the heads' gradients on all shared layers lay to each other, where that was asked for.
    pub(crate) products: Option<GradientGram>,
}

/// One step. With `look`, the heads' gradients on all shared layers are compared, unless the weighting itself compares
/// them on others in this step; that changes no bit of what is trained.
pub(crate) fn step(
    trainer: &mut Trainer,
    weighting: &mut dyn Weigh,
    images: Dataset,
    batch: &[u32],
    learning_rate: f64,
    look: bool,
) -> Stepped {
    let weights = weighting.weights().to_vec();
    trainer.set_weights(&weights.iter().map(|&weight| weight as f32).collect::<Vec<f32>>());
    let compares = weighting.compares();
    let mut found = None;
    let judged = match compares.or(look.then_some(TrunkScope::All)) {
        None => trainer.step(images, batch, learning_rate),
        Some(over) => {
            trainer.step_with_gradient_surgery(images, batch, learning_rate, over, |_, products| {
                found = Some(products.clone());
                compares.and_then(|_| weighting.shares(&|a, b| products.product(a, b)))
            })
        }
    };
    let judged = judged.to_vec();
    let losses: Vec<f64> = judged.iter().map(|judged| judged.loss_sum / batch.len() as f64).collect();
    match found.as_ref().filter(|_| compares.is_some()) {
        None => weighting.learn(&losses, None),
        Some(products) => weighting.learn(&losses, Some(&|a, b| products.product(a, b))),
    }
    let products = found.filter(|_| look && compares != Some(TrunkScope::Last));
    Stepped { judged, weights, products }
}

/// The line of the gradients at a step; none where they are not finite.
pub(crate) fn gradients_line(products: &GradientGram, heads: usize, step: usize) -> Option<GradientsLine> {
    let norms: Vec<f64> = (0..heads).map(|head| products.norm(head)).collect();
    let finite = norms.iter().all(|norm| norm.is_finite());
    finite.then(|| GradientsLine { step, norms, cosine: products.cosine(0, 1) })
}

/// The line of what stands still in the largest dense layer at a step; none where there is no dense layer.
pub(crate) fn idle_line(layers: &[ActivityStats], step: usize) -> Option<IdleLine> {
    // Of equal ones the first.
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

/// Sums over the steps since the last line. A checkpoint within an epoch holds them, so that the next line is the same.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    pub(crate) steps: usize,
    images: usize,
    /// Σ of each image's weighted loss.
    loss: f64,
    heads: Vec<HeadSince>,
    /// Number and learning rate of the last of them.
    step: usize,
    learning_rate: f64,
}

/// A head's part of the sums.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadSince {
    /// Σ of each image's loss.
    loss: f64,
    /// Images classified correctly.
    correct: usize,
    first_weight: f64,
    /// Σ of how far its weight is from the first step's: exactly zero for a weight that stays.
    drift: f64,
}

impl Since {
    pub(crate) fn add(&mut self, stepped: &Stepped, images: usize, step: usize, learning_rate: f64) {
        self.heads.resize(stepped.judged.len(), HeadSince::default());
        for ((head, &judged), &weight) in self.heads.iter_mut().zip(&stepped.judged).zip(&stepped.weights) {
            if self.steps == 0 {
                head.first_weight = weight;
            }
            head.loss += judged.loss_sum;
            head.correct += judged.correct;
            head.drift += weight - head.first_weight;
            self.loss += weight * judged.loss_sum;
        }
        self.steps += 1;
        self.images += images;
        (self.step, self.learning_rate) = (step, learning_rate);
    }

    /// The line of these steps, where there are any; `trained` says which heads are.
    pub(crate) fn line(&self, trained: &[bool]) -> Option<StepsLine> {
        let (steps, images) = (self.steps as f64, self.images as f64);
        let accuracy = |head: &HeadSince| head.correct as f64 / images;
        let of_head = |(head, &trained): (&HeadSince, &bool)| HeadSteps {
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
            // Of the first head that is trained: another's is what its weights at the start make of the images.
            accuracy: accuracy(&self.heads[trained.iter().position(|&trained| trained).unwrap_or(0)]),
            learning_rate: self.learning_rate,
            heads,
        })
    }
}
