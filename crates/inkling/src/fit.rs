//! How a model is trained, and what its epochs come to.

use inkling_engine::random::RngStream;
use inkling_engine::{Dataset, Labels, Network, Pixels, Trainer, Workspace, evaluate};
use inkling_schema::{Loss, Optimizer, Schedule};

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
    /// Gradients whose norm is larger are shortened to it.
    pub clip_norm: Option<f64>,
    /// Images and labels that are not trained on: their loss tells how it goes.
    pub validation: Option<(Pixels<'a>, Labels<'a>)>,
    /// Epochs without a lower validation loss after which training stops.
    pub patience: Option<usize>,
    /// Seed of the order of the images.
    pub seed: u64,
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
            .field("clip_norm", &self.clip_norm)
            .field("validation", &self.validation.map(|(images, labels)| (images.len(), labels.len())))
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
            clip_norm: None,
            validation: None,
            patience: None,
            seed: 1,
            on_epoch: None,
        }
    }
}

/// What an epoch came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean loss of the images, each before its step.
    pub loss: f64,
    /// Share of them that were right, as in [`Evaluation::accuracy`].
    pub accuracy: f64,
    /// The same of the validation images after the epoch, where there are some.
    pub validation: Option<Evaluation>,
}

/// What a model makes of images whose labels are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Mean loss.
    pub loss: f64,
    /// Share of the images that are right: of classes, those whose largest score is that of their class; of outputs that answer
    /// yes or no, those of which each is right. Not a number where the network gives numbers.
    pub accuracy: f64,
}

impl Fit<'_> {
    /// Refuses settings that make no sense.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |words: &str| Err(Error::Setting(words.to_owned()));
        match self {
            Fit { epochs: 0, .. } => wrong("`epochs` is zero"),
            Fit { batch_size: 0, .. } => wrong("`batch_size` is zero"),
            Fit { learning_rate, .. } if !(learning_rate.is_finite() && *learning_rate > 0.0) => {
                wrong("`learning_rate` is no finite number above zero")
            }
            Fit { clip_norm: Some(norm), .. } if !(norm.is_finite() && *norm > 0.0) => {
                wrong("`clip_norm` is no finite number above zero")
            }
            Fit { patience: Some(_), validation: None, .. } => wrong("`patience` needs `validation` images"),
            _ => Ok(()),
        }
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
    let is_numbers = trainer.network().spec().heads[0].loss == Loss::MeanSquaredError;
    let mut order: Vec<u32> = (0..n as u32).collect();
    let mut shuffle = RngStream::new(how.seed, "shuffle");
    let steps_per_epoch = n.div_ceil(batch);
    let (mut epochs, mut step, mut lowest) = (Vec::new(), 0, (f64::INFINITY, 0));
    for epoch in 1..=how.epochs {
        shuffle.shuffle(&mut order);
        let (mut loss, mut correct) = (0.0, 0);
        for batch in order.chunks(batch) {
            let factor = how.schedule.factor(step, how.epochs * steps_per_epoch, steps_per_epoch);
            let metrics = trainer.step(images, batch, how.learning_rate * factor)[0];
            loss += metrics.loss_sum;
            correct += metrics.correct;
            step += 1;
        }
        if !loss.is_finite() {
            return Err(Error::Diverged { epoch });
        }
        let validation = how
            .validation
            .map(|(images, labels)| evaluation(trainer.network_mut(), workspace, images, labels));
        let accuracy = if is_numbers { f64::NAN } else { correct as f64 / n as f64 };
        let done = Epoch { epoch, loss: loss / n as f64, accuracy, validation };
        let goes_on = how.on_epoch.is_none_or(|tell| tell(&done));
        if let Some(found) = validation.filter(|found| found.loss < lowest.0) {
            lowest = (found.loss, epoch);
        }
        epochs.push(done);
        let stalls = how.patience.is_some_and(|patience| epoch - lowest.1 >= patience);
        if !goes_on || stalls {
            break;
        }
    }
    Ok(epochs)
}

/// What a network makes of images, batch by batch of the workspace.
pub(crate) fn evaluation(
    network: &mut Network,
    workspace: &mut Workspace,
    images: Pixels,
    labels: Labels,
) -> Evaluation {
    let is_numbers = network.spec().heads[0].loss == Loss::MeanSquaredError;
    let metrics = evaluate(network, workspace, Dataset::with_labels(images, &[labels]), |_, _| {})[0];
    let n = labels.len() as f64;
    let accuracy = if is_numbers { f64::NAN } else { metrics.correct as f64 / n };
    Evaluation { loss: metrics.loss_sum / n, accuracy }
}
