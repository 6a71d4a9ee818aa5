//! Training runs: tasks 3, 4 and 6, and those of a sweep, which see no test image. Trained epoch by epoch with a checkpoint after each, and within an epoch that takes
//! long, so that a run killed at any instant and resumed ends with the same bits as one never interrupted.

mod augment;
mod checkpoint;
mod continued;
mod ended;
mod evaluate;
mod labelled_dataset;
mod outputs;
mod shown;
mod split;
mod step;
mod training;

use inkling_data::DataSet;
use inkling_engine::Isa;
use inkling_schema::outcome::{Divergence, PlannedRun};
use inkling_schema::{RunSpec, TrainRun};
use inkling_store::{Checkpoint, RunDir, RunWriter, Store, StoreError};

use crate::error::LabError;
use crate::observer::{Event, Observer};
use crate::runs::{self, Claimed, RunContext};
use ended::Ended;
pub(crate) use evaluate::evaluate;
pub(crate) use labelled_dataset::{LabelledDataset, check};
use training::{FitOutcome, Training};

/// Does one training run, whatever its network's layers, unless `store` holds it already; from its newest whole
/// checkpoint where there is one. `set` holds as many images as the run's spec says.
///
/// # Errors
/// [`LabError::Network`], [`LabError::Labels`], [`LabError::OtherInstructions`], [`LabError::Interrupted`], and those
/// of the store.
///
/// # Panics
/// If the run is of another kind, or asks for more images than the set has.
pub fn train(
    run: &PlannedRun,
    set: &DataSet,
    store: &Store,
    observer: &dyn Observer,
) -> Result<(), LabError> {
    let context =
        RunContext { store, set: Some(set), groups: &[], observer, waits: true, mixes_instructions: false };
    train_in(&context, run)
}

/// As [`train`], in a context that holds the data set.
pub(crate) fn train_in(context: &RunContext, run: &PlannedRun) -> Result<(), LabError> {
    let (RunSpec::Train(spec) | RunSpec::Trial(spec)) = &run.spec else {
        panic!("a {:?} run is not trained", run.task)
    };
    let set = context.set();
    assert_eq!(spec.data.train_images, set.train.len(), "training images");
    // Of a sweep, no training sees test images, however many there are.
    let test_images = if matches!(run.spec, RunSpec::Trial(_)) { 0 } else { set.test.len() };
    assert_eq!(spec.data.test_images, test_images, "test images");
    check(run, spec, set)?;
    // On a thread of the pool: entering it from outside would cost every operation of every step some microseconds.
    rayon::scope(|_| run_once(context, run, spec))
}

fn run_once(context: &RunContext, run: &PlannedRun, spec: &TrainRun) -> Result<(), LabError> {
    let title = run.full_title();
    let trained = spec.data.train_images - spec.training.validation.as_ref().map_or(0, |held| held.images);
    let steps = spec.training.epochs * trained.div_ceil(spec.training.batch_size);
    context.observer.event(Event::Stage { title: &title, steps });
    let tell = |outcome: &Ended| {
        let Some(diverged @ Divergence { what, .. }) = outcome.diverged() else { return };
        let (place, kept, advice) = (place(diverged), kept(outcome.epochs()), spec.advice(what));
        context.observer.event(Event::Diverged {
            title: &title,
            place: &place,
            kept: &kept,
            advice: &advice,
        });
    };
    let (mut training, mut writer) = match runs::claim(context, run, || start(context, run, spec, &title))? {
        Claimed::Mine(begun) => begun,
        Claimed::Finished(outcome) => {
            tell(&outcome);
            return Ok(());
        }
    };
    let mut outcome = match training.train(&mut writer)? {
        FitOutcome::Done(outcome) => outcome,
        FitOutcome::Interrupted => return Err(LabError::Interrupted),
    };
    if outcome.diverged().is_some() {
        training = rollback(training, context, run, spec, writer.dir())?;
    }
    outputs::write(&mut training, context, spec, &mut outcome, &writer)?;
    tell(&outcome);
    let record = runs::record(context.set, &run.spec, training.seconds(), training.earlier(), outcome);
    if spec.training.schedule.depends_on_length() {
        writer.finish(&record)?;
    } else {
        writer.finish_for_more(&record)?;
    }
    context.observer.event(Event::Finished);
    Ok(())
}

/// Where a training diverged, in words.
fn place(Divergence { epoch, step, .. }: Divergence) -> String {
    format!("at step {step}, in epoch {epoch}")
}

/// What is kept of a training that diverged after so many whole epochs, as a clause.
fn kept(epochs: usize) -> String {
    match epochs {
        0 => "the weights that it began with are kept".into(),
        epochs => format!("the weights after epoch {epochs} are kept"),
    }
}

/// A training before its first step.
fn fresh<'a>(
    context: &RunContext<'a>,
    run: &PlannedRun,
    spec: &'a TrainRun,
) -> Result<Training<'a>, LabError> {
    let is_tested = matches!(run.spec, RunSpec::Train(_));
    Training::new(context, spec, is_tested).map_err(|error| LabError::network(run, error))
}

/// Returns a training that has diverged to the weights of its last whole epoch, or to its initial ones: both are
/// finite.
fn rollback<'a>(
    mut training: Training<'a>,
    context: &RunContext<'a>,
    run: &PlannedRun,
    spec: &'a TrainRun,
    dir: &RunDir,
) -> Result<Training<'a>, LabError> {
    let state = training.snapshot();
    // Never hold two networks in memory.
    drop(training);
    let mut training = fresh(context, run, spec)?;
    if !state.epochs.is_empty() {
        checkpoint::restore_weights(&mut training.trainer, &checkpoint::after_an_epoch(dir)?)?;
    }
    training.load_state(state);
    Ok(training)
}

/// The training and its writer, continued from the newest usable checkpoint if there is one.
fn start<'a>(
    context: &RunContext<'a>,
    run: &PlannedRun,
    spec: &'a TrainRun,
    title: &str,
) -> Result<(Training<'a>, RunWriter<'a>), LabError> {
    let fresh = || fresh(context, run, spec);
    let id = run.id.as_ref();
    if let Some(writer) = context.store.resume(id, &run.spec)? {
        match resume(writer, fresh, context, title)? {
            Some((training, writer)) => {
                context.observer.event(Event::Resumed {
                    title,
                    epochs: training.epochs(),
                    steps: training.steps(),
                    within_an_epoch: training.newest_is_within_an_epoch,
                });
                return Ok((training, writer));
            }
            None => context.observer.event(Event::BegunAnew { title }),
        }
    } else if let Some((writer, epochs)) = continued::begin(context, run, spec, title)?
        && let Some((training, writer)) = resume(writer, fresh, context, title)?
    {
        context.observer.event(Event::Continued { title, epochs, steps: training.steps() });
        return Ok((training, writer));
    }
    Ok((fresh()?, context.store.begin(id, &run.spec)?))
}

/// The training continued from the newest usable checkpoint; `None` if there is none.
fn resume<'a>(
    mut writer: RunWriter<'a>,
    fresh: impl Fn() -> Result<Training<'a>, LabError>,
    context: &RunContext,
    title: &str,
) -> Result<Option<(Training<'a>, RunWriter<'a>)>, LabError> {
    let dir = writer.dir().clone();
    for checkpoint in dir.checkpoints() {
        if let Ok(checkpoint) = &checkpoint
            && let Some(theirs) = other_instructions(checkpoint)
        {
            let ours = Isa::current().name();
            if !context.mixes_instructions {
                return Err(LabError::OtherInstructions { run: format!("{title} was"), theirs, ours });
            }
            let path = checkpoint.path().display();
            let problem = format!("`{path}` was computed with {theirs} instructions, not with {ours}");
            context.observer.event(Event::UnfitCheckpoint { title, problem: &problem });
            continue;
        }
        let mut training = fresh()?;
        let resumed = checkpoint.and_then(|checkpoint| {
            training.restore(&checkpoint)?;
            writer.go_on_from(&checkpoint)
        });
        match resumed {
            Ok(()) => return Ok(Some((training, writer))),
            Err(
                unfit @ (StoreError::Damaged { .. }
                | StoreError::ForeignCheckpoint { .. }
                | StoreError::WrongTensor { .. }),
            ) => {
                context.observer.event(Event::UnfitCheckpoint { title, problem: &unfit.to_string() });
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(None)
}

/// The instructions that a checkpoint was computed with, where they end with other bits than those of this process.
fn other_instructions(checkpoint: &Checkpoint) -> Option<String> {
    let theirs = checkpoint::read_state(checkpoint).ok()?.instructions;
    (!Isa::current().has_the_bits_of(&theirs)).then_some(theirs)
}

/// The instructions that an unfinished run was computed with, as far as a whole checkpoint says.
pub(crate) fn instructions_of_checkpoint(dir: &RunDir) -> Option<String> {
    let checkpoint = dir.checkpoints().find_map(Result::ok)?;
    checkpoint::read_state(&checkpoint).ok().map(|state| state.instructions)
}
