//! The training loop: shuffle the images, step through their batches, evaluate, write a checkpoint.

use std::borrow::Cow;
use std::time::Instant;

use inkling_engine::random::RngStream;
use inkling_engine::weighting::{self, LossWeighting};
use inkling_engine::{Dataset, Isa, Network, StateKind, Trainer, Workspace};
use inkling_schema::outcome::{Diverged, Divergence, Origin, TrainOutcome, TrainingLine, TrialOutcome};
use inkling_schema::{ModelError, TrainRun, Weights};
use inkling_store::{Checkpoint, RunWriter, StoreError};

use super::augment::Augmenter;
use super::checkpoint::{self, TrainState, Within};
use super::ended::{Ended, EpochEnd};
use super::evaluate::evaluate;
use super::labelled_dataset::LabelledDataset;
use super::shown::weights_and_gradients;
use super::split::{Split, arange};
use super::step::{MetricAccumulator, gradients_line, idle_line, step};
use crate::batch::EVALUATION_BATCH;
use crate::error::LabError;
use crate::machine::origin;
use crate::observer::{Event, Observer};
use crate::runs::RunContext;

/// A network in training, with everything that its next step depends on.
pub(crate) struct Training<'a> {
    run: &'a TrainRun,
    observer: &'a dyn Observer,
    /// The test images; none for a training of a sweep.
    pub(crate) test: Option<LabelledDataset<'a>>,
    pub(crate) train: LabelledDataset<'a>,
    validation: Option<LabelledDataset<'a>>,
    pub(crate) trainer: Trainer,
    pub(crate) augmenter: Option<Augmenter>,
    weighting: Box<dyn LossWeighting>,
    /// Which heads are trained at all.
    trained: Vec<bool>,
    /// For evaluation, whose batches are larger than the trainer's.
    pub(crate) workspace: Workspace,
    shuffle: RngStream,
    pub(crate) state: TrainState,
    /// Whether the newest checkpoint was written within an epoch.
    pub(crate) newest_is_within_an_epoch: bool,
    /// When the newest checkpoint was written or, before the first, when this process began the run.
    kept: Instant,
    /// When this process began the run.
    start: Instant,
}

/// How an attempt to train a whole epoch ended.
enum Epoch {
    Whole,
    Diverged(Divergence),
    Interrupted,
}

/// How an attempt to train to the end has ended.
pub(crate) enum FitOutcome {
    /// Training is complete.
    Done(Ended),
    /// The observer asked for an interruption.
    Interrupted,
}

impl<'a> Training<'a> {
    /// A network before its first step.
    pub(crate) fn new(
        context: &RunContext<'a>,
        run: &'a TrainRun,
        is_tested: bool,
    ) -> Result<Training<'a>, ModelError> {
        let network = Network::new(&run.model, run.seed)?;
        let set = context.set();
        let weighting = weighting::loss_weighting(&run.weighting, run.model.heads.len(), run.seed);
        let weights: Vec<f32> = weighting.weights().iter().map(|&weight| weight as f32).collect();
        let Split { train, validation } = Split::new(&set.train, set.validation.as_ref(), run);
        let workspace = network.workspace(EVALUATION_BATCH, false);
        let mut trainer = Trainer::new(network, run.training.optimizer, run.training.batch_size, &weights);
        trainer.set_clip_norm(run.training.clip_norm);
        trainer.set_precision(run.training.precision);
        let train = LabelledDataset::new(train, &run.labels);
        if let Some(weights) = run.training.class_weights {
            let classes = trainer.network().num_classes()[0];
            trainer.set_class_weights(&weights.of(&train.labels[0], classes));
        }
        Ok(Training {
            run,
            observer: context.observer,
            test: is_tested.then(|| LabelledDataset::new(Cow::Borrowed(&set.test), &run.labels)),
            train,
            augmenter: run
                .training
                .augmentation
                .filter(|spec| !spec.is_none())
                .map(|spec| Augmenter::new(spec, run.seed)),
            validation: validation.map(|samples| LabelledDataset::new(samples, &run.labels)),
            trained: (0..weights.len()).map(|head| run.weighting.trains(head)).collect(),
            weighting,
            workspace,
            trainer,
            shuffle: RngStream::new(run.seed, "shuffle"),
            state: TrainState::default(),
            newest_is_within_an_epoch: false,
            kept: Instant::now(),
            start: Instant::now(),
        })
    }

    /// The state of the run, to be written with its tensors.
    pub(crate) fn snapshot(&mut self) -> TrainState {
        let shuffle = if self.is_within_an_epoch() { self.state.shuffle } else { self.shuffle.position() };
        let mut origins = self.state.origins.clone();
        if !origins.contains(&origin()) {
            origins.push(origin());
        }
        TrainState {
            shuffle,
            origins,
            streams: self.trainer.rng_state(),
            weighting: self.weighting.state(),
            seconds: self.seconds(),
            instructions: Isa::current().name().into(),
            ..self.state.clone()
        }
    }

    /// Loads `checkpoint` into a fresh training.
    ///
    /// # Errors
    /// [`StoreError::WrongTensor`] and [`StoreError::Damaged`] where it is not of this run. Some of the training is
    /// then set and some not.
    pub(crate) fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let state = checkpoint::read_state(checkpoint)?;
        checkpoint::restore(&mut self.trainer, &state, checkpoint)?;
        let weighting = self.weighting.restore(&state.weighting);
        weighting.map_err(|error| {
            checkpoint::damaged(checkpoint, format!("its weighting of the heads: {error}"))
        })?;
        self.shuffle.seek(state.shuffle);
        self.newest_is_within_an_epoch = state.within.is_some();
        self.load_state(state);
        Ok(())
    }

    /// Continues from the state that an earlier process left.
    pub(crate) fn load_state(&mut self, state: TrainState) {
        self.state = state;
    }

    /// Whether an epoch has begun and not ended, as far as a checkpoint is concerned.
    pub(crate) fn is_within_an_epoch(&self) -> bool {
        self.state.within.is_some()
    }

    /// Other programs and machines that did earlier parts of the run.
    pub(crate) fn earlier(&self) -> Vec<Origin> {
        let this = origin();
        self.state.origins.iter().filter(|other| **other != this).cloned().collect()
    }

    /// Epochs that ended.
    pub(crate) fn epochs(&self) -> usize {
        self.state.epochs.len()
    }

    /// Steps taken.
    pub(crate) fn steps(&self) -> usize {
        self.state.steps
    }

    /// Seconds that the run took in all processes.
    pub(crate) fn seconds(&self) -> f64 {
        self.state.seconds + self.start.elapsed().as_secs_f64()
    }

    /// Trains until the last epoch, until early stopping, or until the loss is not finite, which makes the weights
    /// unusable.
    pub(crate) fn train(&mut self, writer: &mut RunWriter) -> Result<FitOutcome, LabError> {
        let mut diverged = None;
        while self.epochs() < self.run.training.epochs && !self.should_stop_early() {
            match self.epoch(writer)? {
                Epoch::Whole => self.write_checkpoint(writer)?,
                Epoch::Interrupted => return Ok(FitOutcome::Interrupted),
                Epoch::Diverged(place) => {
                    diverged = Some(place);
                    break;
                }
            }
        }
        Ok(FitOutcome::Done(self.outcome(diverged)))
    }

    fn outcome(&self, diverged: Option<Divergence>) -> Ended {
        let TrainState { steps, epochs, train_seconds, test_seconds, .. } = self.state.clone();
        let may_stop_early =
            self.run.training.validation.as_ref().is_some_and(|validation| validation.patience.is_some());
        let (parameters, best_epoch) = (self.trainer.network().num_parameters(), self.best_epoch());
        let stopped_early = diverged.is_none() && epochs.len() < self.run.training.epochs;
        let weights = if may_stop_early && diverged.is_none() { Weights::Best } else { Weights::Last };
        if self.test.is_none() {
            let trial = |end: EpochEnd| match end {
                EpochEnd::Trial(outcome) => Some(outcome),
                EpochEnd::Tested(_) => None,
            };
            let epochs = epochs.into_iter().filter_map(trial).collect();
            return Ended::Trial(TrialOutcome {
                parameters,
                steps,
                epochs,
                train_seconds,
                diverged,
                best_epoch,
                stopped_early,
                weights,
            });
        }
        let tested = |end: EpochEnd| match end {
            EpochEnd::Tested(outcome) => Some(outcome),
            EpochEnd::Trial(_) => None,
        };
        Ended::Tested(TrainOutcome {
            parameters,
            steps,
            epochs: epochs.into_iter().filter_map(tested).collect(),
            train_seconds,
            test_seconds: median(test_seconds),
            diverged,
            best_epoch,
            stopped_early,
            weights,
        })
    }

    /// Whether the validation loss has not fallen for as many epochs as the run has patience for.
    fn should_stop_early(&self) -> bool {
        let patience = self.run.training.validation.as_ref().and_then(|validation| validation.patience);
        let best = self.best_epoch();
        patience.zip(best).is_some_and(|(patience, best)| self.epochs() - best >= patience)
    }

    /// Trains the rest of an epoch.
    fn epoch(&mut self, writer: &mut RunWriter) -> Result<Epoch, LabError> {
        let Within { batches, mut accumulator } = self.state.within.take().unwrap_or_default();
        // Shuffled from the set's own order each time, so that the stream's position says it all.
        self.state.shuffle = self.shuffle.position();
        let mut order = arange(self.train.len());
        self.shuffle.shuffle(&mut order);
        let whole = order.len().div_ceil(self.run.training.batch_size);
        let done_before = batches;
        for (done, batch) in order.chunks(self.run.training.batch_size).enumerate().skip(batches) {
            // A checkpoint needs weights that have taken all their steps, which is so every few steps: an interruption
            // waits until then.
            let settled = self.trainer.is_settled();
            let interrupted = settled && self.observer.interrupted();
            if settled
                && done > done_before
                && (interrupted || self.observer.checkpoint_is_due(self.kept.elapsed()))
            {
                self.write_checkpoint_within(done, &accumulator, writer)?;
            }
            if interrupted {
                return Ok(Epoch::Interrupted);
            }
            if let Some(divergence) = self.step(batch, (done, whole), &mut accumulator, writer)? {
                self.write_line(&accumulator, writer)?;
                return Ok(Epoch::Diverged(divergence));
            }
            self.observer.event(Event::Advanced);
        }
        self.write_line(&accumulator, writer)?;
        match self.end_epoch(writer)? {
            Epoch::Interrupted => {
                if whole > done_before {
                    self.write_checkpoint_within(whole, &MetricAccumulator::default(), writer)?;
                }
                Ok(Epoch::Interrupted)
            }
            ended => Ok(ended),
        }
    }

    /// One step on a batch, the one of this number of an epoch of so many. If its loss is not finite, the weights are unusable.
    fn step(
        &mut self,
        batch: &[u32],
        (number, per_epoch): (usize, usize),
        accumulator: &mut MetricAccumulator,
        writer: &mut RunWriter,
    ) -> Result<Option<Divergence>, LabError> {
        let training = &self.run.training;
        let batch_labels: Vec<Vec<u8>>;
        let whole_batch: Vec<u32>;
        let (pixels, labels, batch) = match &mut self.augmenter {
            None => (&self.train.samples.images.pixels, self.train.by_head(), batch),
            Some(augmenter) => {
                let first = self.state.epochs.len() * self.train.len() + number * training.batch_size;
                augmenter.change(&self.train.samples.images, batch, first);
                let of_batch = |labels: &Vec<u8>| batch.iter().map(|&image| labels[image as usize]).collect();
                batch_labels = self.train.labels.iter().map(of_batch).collect();
                whole_batch = arange(batch.len());
                (&augmenter.pixels, batch_labels.iter().map(Vec::as_slice).collect(), &whole_batch[..])
            }
        };
        let images = Dataset::new(pixels, &labels);
        // With fewer than two trained heads there are no gradients to compare.
        let is_comparable = self.trained.iter().filter(|trained| **trained).count() > 1;
        let learning_rate =
            training.learning_rate_at(self.state.steps, training.epochs * per_epoch, per_epoch);
        let epoch = self.state.epochs.len() + 1;
        let diverged = |step, what| Ok(Some(Divergence { epoch, step, what }));
        if !(learning_rate as f32).is_finite() {
            return diverged(self.state.steps + 1, Diverged::Network);
        }
        let look = self.run.gradients_every.is_some_and(|every| self.state.steps.is_multiple_of(every));
        let start = Instant::now();
        let (trainer, weighting) = (&mut self.trainer, &mut *self.weighting);
        let output = step(trainer, weighting, images, batch, learning_rate, look && is_comparable);
        self.state.train_seconds += start.elapsed().as_secs_f64();
        self.state.steps += 1;
        let mut trained = output.metrics.iter().zip(&self.trained).filter(|(_, trained)| **trained);
        if trained.any(|(metrics, _)| !metrics.loss_sum.is_finite()) {
            return diverged(self.state.steps, Diverged::Network);
        }
        let compared = output.products.as_ref();
        let line = compared.and_then(|found| gradients_line(found, &self.trained, self.state.steps));
        if let Some(line) = line {
            writer.append_metrics(&TrainingLine::Gradients(line))?;
        }
        let idleness = if look { self.trainer.network().idleness() } else { Vec::new() };
        if let Some(line) = idle_line(&idleness, self.state.steps) {
            writer.append_metrics(&TrainingLine::Idle(line))?;
        }
        accumulator.add(&output, batch.len(), self.state.steps, learning_rate);
        if !weighting::are_usable(self.weighting.weights(), &self.trained) {
            return diverged(self.state.steps, Diverged::Weighting);
        }
        if accumulator.steps == training.log_every {
            self.write_line(accumulator, writer)?;
            *accumulator = MetricAccumulator::default();
        }
        Ok(None)
    }

    /// Writes the metrics of the steps since the last line, if there are any.
    fn write_line(&self, accumulator: &MetricAccumulator, writer: &mut RunWriter) -> Result<(), LabError> {
        let Some(line) = accumulator.line(&self.trained) else { return Ok(()) };
        writer.append_metrics(&TrainingLine::Steps(line.clone()))?;
        writer.flush_metrics()?;
        self.observer.event(Event::Steps(&line));
        Ok(())
    }

    /// Writes a checkpoint after so many batches of an epoch.
    fn write_checkpoint_within(
        &mut self,
        batches: usize,
        accumulator: &MetricAccumulator,
        writer: &mut RunWriter,
    ) -> Result<(), LabError> {
        self.state.within = Some(Within { batches, accumulator: accumulator.clone() });
        let written = self.write_checkpoint(writer);
        self.state.within = None;
        written
    }

    fn write_checkpoint(&mut self, writer: &mut RunWriter) -> Result<(), LabError> {
        let (state, best_epoch) = (self.snapshot(), self.best_epoch());
        checkpoint::write(&self.trainer, &state, best_epoch, self.newest_is_within_an_epoch, writer)?;
        self.newest_is_within_an_epoch = state.within.is_some();
        self.kept = Instant::now();
        Ok(())
    }

    /// Evaluates the network on all images after an epoch. The epoch counts if every weight and every loss is finite,
    /// because files hold finite numbers only; a weight that is not finite may hide behind a silent unit.
    fn end_epoch(&mut self, writer: &mut RunWriter) -> Result<Epoch, LabError> {
        let epoch = self.epochs() + 1;
        let Training { trainer, workspace, train, validation, test, observer, .. } = self;
        let mut on = |dataset: &LabelledDataset| {
            evaluate(trainer.network_mut(), workspace, dataset, || !observer.interrupted(), |_, _| {})
        };
        let Some(train) = on(train) else { return Ok(Epoch::Interrupted) };
        let validation = validation.as_ref().map(&mut on);
        let start = Instant::now();
        let test = test.as_ref().map(&mut on);
        let test_seconds = start.elapsed().as_secs_f64();
        let Some(test) = test.map_or(Some(None), |metrics| metrics.map(Some)) else {
            return Ok(Epoch::Interrupted);
        };
        let Some(validation) = validation.map_or(Some(None), |metrics| metrics.map(Some)) else {
            return Ok(Epoch::Interrupted);
        };

        let step = self.state.steps;
        let all = [Some(&train), validation.as_ref(), test.as_ref()].into_iter().flatten().flatten();
        let finite = all.into_iter().all(|metrics| metrics.loss.is_finite()) && finite(trainer.network());
        if !finite {
            return Ok(Epoch::Diverged(Divergence { epoch, step, what: Diverged::Network }));
        }
        let end = EpochEnd::new((epoch, step), &self.trained, &train, validation.as_deref(), test.as_deref());
        writer.append_metrics(&end.line())?;
        self.state.epochs.push(end.clone());
        let (epochs, heads) = (self.run.training.epochs, &self.run.model.heads[..]);
        match &end {
            EpochEnd::Tested(outcome) => {
                self.state.test_seconds.push(test_seconds);
                self.observer.event(Event::Epoch { epochs, outcome, heads });
            }
            EpochEnd::Trial(outcome) => self.observer.event(Event::Trial { epochs, outcome, heads }),
        }
        if self.observer.wants_weights() {
            let loss_weights: Vec<f32> =
                self.weighting.weights().iter().map(|&weight| weight as f32).collect();
            let network = self.trainer.network();
            let [values, gradients] = weights_and_gradients(network, self.run, &self.train, &loss_weights);
            self.observer.event(Event::Weights { step, values: &values, gradients: &gradients });
        }
        Ok(Epoch::Whole)
    }

    /// The epoch with the lowest weighted sum of the heads' validation losses; the first of several that are equal.
    pub(crate) fn best_epoch(&self) -> Option<usize> {
        let weights = self.weighting.validation_weights();
        let loss = |end: &EpochEnd| {
            let heads = end.validation_losses().into_iter().zip(&weights);
            heads.map(|(loss, weight)| loss.map(|loss| weight * loss)).sum::<Option<f64>>()
        };
        let losses = self.state.epochs.iter().filter_map(|end| Some((end.epoch(), loss(end)?)));
        losses.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(epoch, _)| epoch)
    }
}

/// Whether every weight and every moment of the optimiser is finite: a weight whose moment is not finite would never
/// change again.
fn finite(network: &Network) -> bool {
    /// Numbers at a time, in whole rows.
    const SOME: usize = 1 << 12;
    let mut values = Vec::new();
    let parts = [StateKind::Values, StateKind::FirstMoments, StateKind::SecondMoments];
    parts.into_iter().flat_map(|part| network.tensor_views(part)).all(|view| {
        let all = view.shape().iter().product::<usize>();
        let row = view.shape().last().copied().unwrap_or(1).max(1);
        let some = row * (SOME / row).max(1);
        (0..all).step_by(some).all(|first| {
            values.resize(some.min(all - first), 0.0);
            view.read(first, &mut values);
            values.iter().all(|value: &f32| value.is_finite())
        })
    })
}

/// The median; 0 of no values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    f64::midpoint(values[last / 2], values[last.div_ceil(2)])
}
