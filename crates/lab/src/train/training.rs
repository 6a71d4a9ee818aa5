//! The training loop: shuffle, step by step through the images, judge, keep.

use std::time::Instant;

use inkling_data::Samples;
use inkling_engine::random::Stream;
use inkling_engine::{Array, Judged, Labelled, Network, Part, Path, Trainer, Workspace};
use inkling_spec::found::{Divergence, EpochOutcome, StepsLine, TrainOutcome, TrainingLine};
use inkling_spec::{ModelError, TrainRun};
use inkling_store::RunWriter;

use super::checkpoint::{self, Standing};
use super::judge::{EVALUATION_BATCH, judge};
use super::split::{Split, identity};
use crate::error::LabError;
use crate::runs::Bench;
use crate::study::{Event, Observer};

/// A network on its way, between two epochs.
pub(crate) struct Training<'a> {
    run: &'a TrainRun,
    observer: &'a dyn Observer,
    pub(crate) test: &'a Samples,
    split: Split<'a>,
    pub(crate) trainer: Trainer,
    /// For judging; its batches are larger than the trainer's.
    pub(crate) workspace: Workspace,
    pub(crate) shuffle: Stream,
    standing: Standing,
    /// The weights of the last epoch, or those at the start: finite ones.
    pub(crate) kept: Vec<Array>,
    /// The weights of the best epoch by the validation images, where there are any.
    pub(crate) best: Vec<Array>,
    /// When this sitting began.
    start: Instant,
}

/// How an attempt to train a whole epoch ended.
enum Epoch {
    Whole,
    Diverged(Divergence),
    Interrupted,
}

/// Why training ended.
pub(crate) enum Ending {
    /// As it should: here is what was found.
    Done(TrainOutcome),
    /// The observer asked for it.
    Interrupted,
}

/// Sums over the steps since the last line.
#[derive(Default)]
struct Since {
    steps: usize,
    images: usize,
    correct: usize,
    loss: f64,
    /// Number and learning rate of the last of them.
    step: usize,
    learning_rate: f64,
}

impl<'a> Training<'a> {
    /// A network before its first step.
    pub(crate) fn new(bench: &Bench<'a>, run: &'a TrainRun) -> Result<Training<'a>, ModelError> {
        let network = Network::new(&run.model, run.seed)?;
        let set = bench.set();
        Ok(Training {
            run,
            observer: bench.observer,
            test: &set.test,
            split: Split::new(&set.train, run),
            workspace: network.workspace(EVALUATION_BATCH, false),
            kept: network.arrays(Part::Values),
            trainer: Trainer::new(network, run.training.optimizer, run.training.batch, &[1.0]),
            best: Vec::new(),
            shuffle: Stream::new(run.seed, "shuffle"),
            standing: Standing::default(),
            start: Instant::now(),
        })
    }

    /// Where the run stands.
    pub(crate) fn standing(&mut self) -> Standing {
        Standing {
            shuffle: self.shuffle.position(),
            streams: self.trainer.positions(),
            seconds: self.seconds(),
            instructions: Path::current().name().into(),
            ..self.standing.clone()
        }
    }

    /// Takes over from an earlier sitting.
    pub(crate) fn go_on_from(&mut self, standing: Standing) {
        self.standing = standing;
    }

    /// Epochs that ended.
    pub(crate) fn epochs(&self) -> usize {
        self.standing.epochs.len()
    }

    /// Steps taken.
    pub(crate) fn steps(&self) -> usize {
        self.standing.steps
    }

    /// Seconds over all sittings.
    pub(crate) fn seconds(&self) -> f64 {
        self.standing.seconds + self.start.elapsed().as_secs_f64()
    }

    /// Trains until the last epoch, until the validation loss falls no more, or until the loss is not finite.
    pub(crate) fn train(&mut self, writer: &mut RunWriter) -> Result<Ending, LabError> {
        let mut diverged = None;
        while self.epochs() < self.run.training.epochs && !self.stalls() {
            match self.epoch(writer)? {
                Epoch::Whole => checkpoint::write(self, writer)?,
                Epoch::Interrupted => return Ok(Ending::Interrupted),
                Epoch::Diverged(place) => {
                    diverged = Some(place);
                    break;
                }
            }
        }
        Ok(Ending::Done(self.outcome(diverged)))
    }

    fn outcome(&self, diverged: Option<Divergence>) -> TrainOutcome {
        let Standing { steps, epochs, train_seconds, test_seconds, .. } = self.standing.clone();
        TrainOutcome {
            parameters: self.trainer.network().parameters(),
            steps,
            train_seconds,
            test_seconds: median(test_seconds),
            diverged,
            best_epoch: best_epoch(&epochs),
            stopped_early: diverged.is_none() && epochs.len() < self.run.training.epochs,
            epochs,
        }
    }

    /// Whether the validation loss has fallen no more for as many epochs as the run has patience for.
    fn stalls(&self) -> bool {
        let patience = self.run.training.validation.as_ref().and_then(|validation| validation.patience);
        let best = best_epoch(&self.standing.epochs);
        patience.zip(best).is_some_and(|(patience, best)| self.epochs() - best >= patience)
    }

    fn epoch(&mut self, writer: &mut RunWriter) -> Result<Epoch, LabError> {
        let (training, observer, epoch) = (&self.run.training, self.observer, self.epochs() + 1);
        // Shuffled from the set's own order each time, so that the stream's position says it all.
        let mut order = identity(self.split.train.len());
        self.shuffle.shuffle(&mut order);
        let per_epoch = order.len().div_ceil(training.batch);
        let train = &self.split.train;
        let images = Labelled { pixels: &train.images.pixels, labels: &[&train.labels] };
        let mut since = Since::default();
        for batch in order.chunks(training.batch) {
            if observer.interrupted() {
                return Ok(Epoch::Interrupted);
            }
            let factor =
                training.schedule.factor(self.standing.steps, training.epochs * per_epoch, per_epoch);
            let learning_rate = training.learning_rate * factor;
            let start = Instant::now();
            let judged = self.trainer.step(images, batch, learning_rate)[0];
            self.standing.train_seconds += start.elapsed().as_secs_f64();
            self.standing.steps += 1;
            if !judged.loss.is_finite() {
                since.write(observer, writer)?;
                return Ok(Epoch::Diverged(Divergence { epoch, step: self.standing.steps }));
            }
            since.add(judged, batch.len(), self.standing.steps, learning_rate);
            if since.steps == training.log_every {
                std::mem::take(&mut since).write(observer, writer)?;
            }
            observer.event(Event::Advanced);
        }
        since.write(observer, writer)?;
        self.close(epoch, writer)
    }

    /// Judges the network on all images after an epoch, and keeps it if every loss is finite.
    fn close(&mut self, epoch: usize, writer: &mut RunWriter) -> Result<Epoch, LabError> {
        let Training { trainer, workspace, split, observer, .. } = self;
        let mut on = |samples: &Samples| {
            judge(trainer.network_mut(), workspace, samples, || !observer.interrupted(), |_| {})
        };
        let Some(train) = on(&split.train) else { return Ok(Epoch::Interrupted) };
        let validation = split.validation.as_ref().map(&mut on);
        let start = Instant::now();
        let Some(test) = on(self.test) else { return Ok(Epoch::Interrupted) };
        let test_seconds = start.elapsed().as_secs_f64();
        let Some(validation) = validation.map_or(Some(None), |judged| judged.map(Some)) else {
            return Ok(Epoch::Interrupted);
        };

        let step = self.standing.steps;
        let outcome = EpochOutcome { epoch, step, train, validation, test };
        if [Some(train), validation, Some(test)].into_iter().flatten().any(|judged| !judged.loss.is_finite())
        {
            return Ok(Epoch::Diverged(Divergence { epoch, step }));
        }
        writer.append_metrics(&TrainingLine::Epoch(outcome.clone()))?;
        self.standing.epochs.push(outcome.clone());
        self.standing.test_seconds.push(test_seconds);
        self.kept = self.trainer.network().arrays(Part::Values);
        if best_epoch(&self.standing.epochs) == Some(epoch) {
            self.best = self.kept.clone();
        }
        self.observer.event(Event::Epoch { epochs: self.run.training.epochs, outcome: &outcome });
        Ok(Epoch::Whole)
    }
}

impl Since {
    fn add(&mut self, judged: Judged, images: usize, step: usize, learning_rate: f64) {
        self.steps += 1;
        self.images += images;
        self.correct += judged.correct;
        self.loss += judged.loss;
        (self.step, self.learning_rate) = (step, learning_rate);
    }

    /// Writes the line of these steps, where there are any.
    fn write(self, observer: &dyn Observer, writer: &mut RunWriter) -> Result<(), LabError> {
        if self.steps == 0 {
            return Ok(());
        }
        let images = self.images as f64;
        let line = StepsLine {
            step: self.step,
            loss: self.loss / images,
            accuracy: self.correct as f64 / images,
            learning_rate: self.learning_rate,
        };
        writer.append_metrics(&TrainingLine::Steps(line))?;
        writer.flush_metrics()?;
        observer.event(Event::Steps(&line));
        Ok(())
    }
}

/// The epoch with the lowest loss on the validation images; of equal ones the first.
fn best_epoch(epochs: &[EpochOutcome]) -> Option<usize> {
    let losses = epochs.iter().filter_map(|epoch| Some((epoch.epoch, epoch.validation?.loss)));
    losses.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(epoch, _)| epoch)
}

/// The median; 0 of no values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    f64::midpoint(values[last / 2], values[last.div_ceil(2)])
}
