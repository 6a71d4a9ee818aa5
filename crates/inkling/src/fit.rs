//! How a model is trained, and what its epochs come to.

use std::time::Instant;

use inkling_engine::random::RngStream;
use inkling_engine::{Dataset, Labels, Metrics, Network, Pixels, Trainer, Workspace, evaluate};
use inkling_schema::{Head, Loss, Optimizer, Schedule, TrainingPrecision};

use crate::error::Error;

/// How a model is trained; [`Fit::default`] has ten epochs of batches of 50 with Adam at a learning rate of 0.001.
///
/// ```
/// use inkling::{Fit, Optimizer};
///
/// let sgd = Optimizer::Sgd { momentum: 0.9, nesterov: true };
/// let how = Fit { epochs: 3, optimizer: sgd, learning_rate: 0.05, ..Fit::default() };
/// assert_eq!(how.batch_size, 50);
/// ```
#[derive(Clone)]
pub struct Fit<'a> {
    /// Passes over the images.
    pub epochs: usize,
    /// Images of a step.
    pub batch_size: usize,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// Step size at the start.
    pub learning_rate: f64,
    /// How the step size changes.
    pub schedule: Schedule,
    /// Steps in which the step size grows evenly from none to what the schedule says.
    pub warmup_steps: usize,
    /// Gradients whose norm is larger are shortened to it.
    pub clip_norm: Option<f64>,
    /// What the factors of the products of dense layers and convolutions are rounded to in training steps.
    pub precision: TrainingPrecision,
    /// What the mean loss of each head counts in the whole; empty if all count 1. A head of weight zero is not trained.
    pub loss_weights: Vec<f32>,
    /// Images, with labels for each head, that are not trained on: their loss tells how it goes.
    pub validation: Option<(Pixels<'a>, Vec<Labels<'a>>)>,
    /// Epochs without a lower validation loss after which training stops.
    pub patience: Option<usize>,
    /// Seed of the order of the images.
    pub seed: u64,
    /// Called after each step.
    pub on_step: Option<&'a dyn Fn(&Step)>,
    /// Called after each epoch; training stops where it says `false`.
    pub on_epoch: Option<&'a dyn Fn(&Epoch) -> bool>,
}

impl std::fmt::Debug for Fit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fit")
            .field("epochs", &self.epochs)
            .field("batch_size", &self.batch_size)
            .field("optimizer", &self.optimizer)
            .field("learning_rate", &self.learning_rate)
            .field("schedule", &self.schedule)
            .field("warmup_steps", &self.warmup_steps)
            .field("clip_norm", &self.clip_norm)
            .field("precision", &self.precision)
            .field("loss_weights", &self.loss_weights)
            .field("validation", &self.validation.as_ref().map(|(images, _)| images.len()))
            .field("patience", &self.patience)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl Default for Fit<'_> {
    fn default() -> Self {
        Fit {
            epochs: 10,
            batch_size: 50,
            optimizer: Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
            learning_rate: 0.001,
            schedule: Schedule::Constant,
            warmup_steps: 0,
            clip_norm: None,
            precision: TrainingPrecision::Float32,
            loss_weights: Vec::new(),
            validation: None,
            patience: None,
            seed: 1,
            on_step: None,
            on_epoch: None,
        }
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Its number, from 1.
    pub step: usize,
    /// Mean loss of the batch before the step: of several heads the sum, each times its weight.
    pub loss: f64,
}

/// What an epoch came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean loss of the images, each before its step: of several heads the sum, each times its weight.
    pub loss: f64,
    /// What each head made of the images, each before its step.
    pub heads: Vec<Evaluation>,
    /// What each head makes of the validation images after the epoch, where there are some.
    pub validation: Option<Vec<Evaluation>>,
    /// How long the steps took.
    pub seconds: f64,
}

impl Epoch {
    /// Share of the images that the first head had right, each before its step.
    pub fn accuracy(&self) -> f64 {
        self.heads[0].accuracy
    }
}

/// What a head makes of images whose labels are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Mean loss.
    pub loss: f64,
    /// Share of the images that are right: of classes, those whose largest score is that of their class; of outputs that answer
    /// yes or no, those of which each is right. Not a number where the network gives numbers.
    pub accuracy: f64,
}

impl Fit<'_> {
    /// Refuses settings that make no sense for a network of so many heads.
    pub(crate) fn check(&self, heads: usize) -> Result<(), Error> {
        let wrong = |words: &str| Err(Error::Setting(words.to_owned()));
        match self {
            Fit { epochs: 0, .. } => wrong("`epochs` is zero"),
            Fit { batch_size: 0, .. } => wrong("`batch_size` is zero"),
            Fit { learning_rate, .. } if !(learning_rate.is_finite() && *learning_rate > 0.0) => {
                wrong("`learning_rate` is not a finite number above zero")
            }
            Fit { clip_norm: Some(norm), .. } if !(norm.is_finite() && *norm > 0.0) => {
                wrong("`clip_norm` is not a finite number above zero")
            }
            Fit { loss_weights, .. } if !loss_weights.is_empty() && loss_weights.len() != heads => {
                wrong(&format!("there are {} `loss_weights` for {heads} heads", loss_weights.len()))
            }
            Fit { loss_weights, .. }
                if !loss_weights.iter().all(|&weight| weight.is_finite() && weight >= 0.0)
                    || !loss_weights.is_empty() && loss_weights.iter().all(|&weight| weight == 0.0) =>
            {
                wrong(
                    "`loss_weights` are finite numbers of zero or more, of which one at least is above zero",
                )
            }
            Fit { patience: Some(_), validation: None, .. } => wrong("`patience` needs `validation` images"),
            _ => Ok(()),
        }
    }

    /// The weight of each of so many heads.
    pub(crate) fn weights(&self, heads: usize) -> Vec<f32> {
        if self.loss_weights.is_empty() { vec![1.0; heads] } else { self.loss_weights.clone() }
    }

    /// The learning rate of a step, counted from 0, of so many.
    fn learning_rate_at(&self, step: usize, steps: usize, steps_per_epoch: usize) -> f64 {
        let warm = if step < self.warmup_steps { (step + 1) as f64 / self.warmup_steps as f64 } else { 1.0 };
        self.learning_rate * self.schedule.factor(step, steps, steps_per_epoch) * warm
    }
}

/// Trains epoch by epoch.
pub(crate) fn train(
    trainer: &mut Trainer,
    images: Dataset,
    how: &Fit,
    batch: usize,
    workspace: &mut Workspace,
) -> Result<Vec<Epoch>, Error> {
    let n = images.len();
    let heads = trainer.network().spec().heads.clone();
    let weights = how.weights(heads.len());
    let whole = |found: &[Evaluation]| -> f64 {
        let parts = found.iter().zip(&weights).filter(|(_, weight)| **weight != 0.0);
        parts.map(|(found, &weight)| f64::from(weight) * found.loss).sum()
    };
    let mut order: Vec<u32> = (0..n as u32).collect();
    let mut shuffle = RngStream::new(how.seed, "shuffle");
    let steps_per_epoch = n.div_ceil(batch);
    let (mut epochs, mut step, mut lowest) = (Vec::new(), 0, (f64::INFINITY, 0));
    for epoch in 1..=how.epochs {
        shuffle.shuffle(&mut order);
        let start = Instant::now();
        let mut sums = vec![Metrics::default(); heads.len()];
        for batch in order.chunks(batch) {
            let rate = how.learning_rate_at(step, how.epochs * steps_per_epoch, steps_per_epoch);
            let found = trainer.step(images, batch, rate);
            sums.iter_mut().zip(found).for_each(|(sum, found)| *sum += *found);
            step += 1;
            if let Some(tell) = how.on_step {
                let found: Vec<Evaluation> = evaluations(&heads, found, batch.len());
                tell(&Step { step, loss: whole(&found) });
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let found = evaluations(&heads, &sums, n);
        let loss = whole(&found);
        if !loss.is_finite() {
            return Err(Error::Diverged { epoch });
        }
        let validation = how
            .validation
            .as_ref()
            .map(|(images, labels)| evaluation(trainer.network_mut(), workspace, *images, labels));
        if let Some(loss) = validation.as_deref().map(whole).filter(|&loss| loss < lowest.0) {
            lowest = (loss, epoch);
        }
        let done = Epoch { epoch, loss, heads: found, validation, seconds };
        let goes_on = how.on_epoch.is_none_or(|tell| tell(&done));
        epochs.push(done);
        let stalls = how.patience.is_some_and(|patience| epoch - lowest.1 >= patience);
        if !goes_on || stalls {
            break;
        }
    }
    Ok(epochs)
}

/// What each head of a network makes of images, batch by batch of the workspace.
pub(crate) fn evaluation(
    network: &mut Network,
    workspace: &mut Workspace,
    images: Pixels,
    labels: &[Labels],
) -> Vec<Evaluation> {
    let heads = network.spec().heads.clone();
    let found = evaluate(network, workspace, Dataset::with_labels(images, labels), |_, _| {});
    evaluations(&heads, &found, labels[0].len())
}

/// Sums over so many images as means.
fn evaluations(heads: &[Head], sums: &[Metrics], n: usize) -> Vec<Evaluation> {
    let mean = |(head, sum): (&Head, &Metrics)| {
        let is_numbers = head.loss == Loss::MeanSquaredError;
        let accuracy = if is_numbers { f64::NAN } else { sum.correct as f64 / n as f64 };
        Evaluation { loss: sum.loss_sum / n as f64, accuracy }
    };
    heads.iter().zip(sums).map(mean).collect()
}
