//! A whole study: load, plan, run what is not done yet.

use std::time::Instant;

use inkling_data::Sources;
use inkling_engine::perceptron::every_pair;
use inkling_spec::found::{EpochOutcome, PlannedRun, RunResult, StepsLine, StudyRecord};
use inkling_spec::{Head, RunSpec, Study, Task};
use inkling_store::{Store, StoreError};
use serde::de::IgnoredAny;

use crate::error::LabError;
use crate::inside::run_inside;
use crate::machine::machine;
use crate::multitask::run_multitask;
use crate::runs::{Bench, run_once};
use crate::train::train;
use crate::{pca, perceptron, plan, separability};

/// Hears how a study goes, and can end it.
pub trait Observer: Sync {
    /// Something happened. Called from any thread.
    fn event(&self, event: Event);

    /// Whether the study should stop as soon as it can. What is finished is kept.
    fn interrupted(&self) -> bool;
}

/// What happens in a study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// The data is in memory.
    Loaded {
        /// Training and test images of all sets.
        images: usize,
        /// Seconds it took.
        seconds: f64,
    },
    /// A stage of a task begins: several small runs, or a large one.
    Stage {
        /// What is done, as a person reads it.
        title: &'a str,
        /// Steps that [`Event::Advanced`] will count, or else [`Event::Finished`] and [`Event::Skipped`].
        steps: usize,
    },
    /// A step within a run is done.
    Advanced,
    /// What the last steps of training made of their images.
    Steps(&'a StepsLine),
    /// An epoch of training ended.
    Epoch {
        /// All epochs of the run.
        epochs: usize,
        /// What the network makes of all images now.
        outcome: &'a EpochOutcome,
        /// Its heads.
        heads: &'a [Head],
    },
    /// A training run goes on from a checkpoint.
    Resumed {
        /// What it is.
        title: &'a str,
        /// Epochs that an earlier sitting did.
        epochs: usize,
        /// Steps of the stage that an earlier sitting did.
        steps: usize,
    },
    /// A checkpoint cannot be gone on from. What is done instead, another event says.
    UnfitCheckpoint {
        /// The training run.
        title: &'a str,
        /// What is wrong with which file.
        problem: &'a str,
    },
    /// No checkpoint of a training run was fit to go on from: it begins anew.
    BegunAnew {
        /// What it is.
        title: &'a str,
    },
    /// Something in a run stopped being finite, now or in an earlier sitting. The run is done, with the last numbers that
    /// were finite.
    Diverged {
        /// What it is.
        title: &'a str,
        /// Where: "at step 12, in epoch 1".
        place: &'a str,
        /// The hyperparameters of which smaller values may help, in words: "`learning_rate`".
        suspects: &'a str,
    },
    /// A run is done.
    Finished,
    /// A run was done already.
    Skipped,
    /// A run was done already, but its files are not what it wrote: it is done again.
    Damaged {
        /// What it is.
        title: &'a str,
        /// What is wrong.
        problem: &'a str,
    },
}

/// Name of the file that says which runs belong to a study.
const STUDY: &str = "study.json";

/// Does every run of `study` that `store` does not hold yet, and leaves `study.json` for whoever reads the results.
/// `preset` is the name that the study goes by.
///
/// # Errors
/// The first thing that goes wrong. What was finished before stays finished.
pub fn run_study(
    study: &Study,
    preset: &str,
    store: &Store,
    sources: &Sources,
    observer: &dyn Observer,
) -> Result<(), LabError> {
    let start = Instant::now();
    let sets = plan::load(study, sources)?;
    let images = sets.values().map(|set| set.train.len() + set.test.len()).sum();
    observer.event(Event::Loaded { images, seconds: start.elapsed().as_secs_f64() });
    let runs = plan::expand(study, &sets)?;

    let mut record = StudyRecord {
        preset: preset.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        machine: machine(),
        seconds: 0.0,
        study: study.clone(),
        data: plan::facts(&sets),
        runs: runs.clone(),
    };
    record.seconds = seconds_before(store, &record)?;
    let before = record.seconds;
    store.publish_json(STUDY, &record)?;

    let of = |task: Task| runs.iter().filter(move |run| run.task == task).collect::<Vec<_>>();
    let set = |run: &PlannedRun| {
        let data = run.spec.data().expect("every run of these tasks has images");
        &sets[data.set.as_str()]
    };
    let bench = |run: &PlannedRun| Bench { store, set: Some(set(run)), observer };
    let train_network = |run: &PlannedRun| train(run, set(run), store, observer);
    let result = run_pca(&of(Task::Pca), store, observer, &bench)
        .and_then(|()| run_perceptrons(&of(Task::Perceptron), observer, &bench))
        // One network after the other: each takes all threads.
        .and_then(|()| [Task::Mlp, Task::Cnn].into_iter().flat_map(of).try_for_each(train_network))
        .and_then(|()| match &of(Task::Inside)[..] {
            [] => Ok(()),
            [first, ..] => run_inside(&of(Task::Inside), set(first), store, observer),
        })
        .and_then(|()| match &of(Task::Multitask)[..] {
            [] => Ok(()),
            [first, ..] => run_multitask(&of(Task::Multitask), set(first), store, observer),
        });

    record.seconds = before + start.elapsed().as_secs_f64();
    store.publish_json(STUDY, &record)?;
    result
}

/// Seconds that earlier sittings of the same study took; of another one, those of the runs that this one keeps, each by its
/// own clock.
fn seconds_before(store: &Store, record: &StudyRecord) -> Result<f64, StoreError> {
    match store.reader().json::<StudyRecord>(STUDY) {
        Ok(Some(before)) if before.runs == record.runs => return Ok(before.seconds),
        // A record that cannot be read is written anew like one that is not there.
        Ok(_) | Err(StoreError::Damaged { .. }) => {}
        Err(other) => return Err(other),
    }
    let mut seconds = 0.0;
    for run in &record.runs {
        match store.run(run.id.as_ref()).finished::<RunResult<IgnoredAny>>() {
            Ok(kept) => seconds += kept.map_or(0.0, |result| result.seconds),
            // It will be done again.
            Err(StoreError::Damaged { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(seconds)
}

fn run_pca<'a>(
    runs: &[&'a PlannedRun],
    store: &'a Store,
    observer: &'a dyn Observer,
    bench: &impl Fn(&PlannedRun) -> Bench<'a>,
) -> Result<(), LabError> {
    let mut embedding = None;
    for run in runs {
        let bench = bench(run);
        match &run.spec {
            RunSpec::Pca(spec) => {
                observer.event(Event::Stage { title: "principal components", steps: 1 });
                run_once(&bench, run, |writer| pca::run(&bench, spec, writer))?;
                embedding = Some(store.run(run.id.as_ref()));
            }
            RunSpec::Separability(spec) => {
                let pca = embedding.as_ref().expect("the components are planned first");
                let classes = bench.set().info.classes.len();
                let steps = classes * (classes - 1) / 2;
                observer.event(Event::Stage { title: "separability", steps });
                run_once(&bench, run, |writer| separability::run(&bench, spec, pca, writer))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn run_perceptrons<'a>(
    runs: &[&PlannedRun],
    observer: &dyn Observer,
    bench: &(impl Fn(&PlannedRun) -> Bench<'a> + Sync),
) -> Result<(), LabError> {
    if runs.is_empty() {
        return Ok(());
    }
    observer.event(Event::Stage { title: "perceptrons", steps: runs.len() });
    let classes = bench(runs[0]).set().info.classes;
    let done = every_pair(classes.len(), |a, b| {
        let (run, spec) = runs
            .iter()
            .find_map(|run| match &run.spec {
                RunSpec::Perceptron(spec) if (spec.a, spec.b) == (a, b) => Some((run, spec)),
                _ => None,
            })
            .expect("every pair is planned");
        let bench = bench(run);
        run_once(&bench, run, |writer| perceptron::run(&bench, spec, writer))
    });
    done.into_iter().collect()
}
