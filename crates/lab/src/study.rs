//! A whole study: load, plan, run what is not done yet.

use std::time::Instant;

use inkling_data::Sources;
use inkling_schema::outcome::{Origin, PlannedRun, RunResult, StudyRecord};
use inkling_schema::{RunId, RunSpec, Study, Task};
use inkling_store::{Store, StoreError};
use rayon::prelude::*;
use serde::de::IgnoredAny;

use crate::error::LabError;
use crate::folder::Unfinished;
use crate::inside::run_inside;
use crate::machine::origin;
use crate::multitask::run_multitask;
use crate::observer::{Event, Observer};
use crate::options::{STUDY, StudyOptions};
use crate::plan::DataSets;
use crate::runs::{RunContext, run_once};
use crate::sweep::run_sweep;
use crate::train::train_in;
use crate::{folder, page, pca, perceptron, plan, separability};

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
    options: &StudyOptions,
    observer: &dyn Observer,
) -> Result<(), LabError> {
    let start = Instant::now();
    let Prepared { sets, runs, is_to_do, mut record } =
        prepare(study, preset, store, sources, options, observer)?;
    let before = record.seconds;
    let to_do = runs.iter().zip(is_to_do).filter_map(|(run, is_to_do)| is_to_do.then_some(run));
    let (of_page, of_tasks): (Vec<&PlannedRun>, Vec<&PlannedRun>) =
        to_do.partition(|run| run.spec.is_for_the_page());

    let of = |task: Task| of_tasks.iter().copied().filter(|run| run.task == task).collect::<Vec<_>>();
    let groups = record.study.multitask.iter().flat_map(|task| &task.groups);
    let groups: Vec<String> = groups.map(|group| group.name.clone()).collect();
    let context = |run: &PlannedRun| {
        let set = run.spec.data().map(|data| &sets[data.set.as_str()]);
        let mixes_instructions = options.mix_instructions;
        RunContext { store, set, groups: &groups, observer, waits: true, mixes_instructions }
    };
    let tasks: Vec<(Task, Vec<&PlannedRun>)> =
        Task::ALL.into_iter().map(|task| (task, of(task))).filter(|(_, runs)| !runs.is_empty()).collect();
    for (number, (task, runs)) in tasks.iter().enumerate() {
        let was_done = folder::are_finished(runs.iter().copied(), store);
        let result = match task {
            Task::Pca => run_pca(runs, store, observer, &context),
            Task::Perceptron => run_perceptrons(runs, observer, &context),
            // One network after the other: each takes all threads.
            Task::Mlp | Task::Cnn | Task::Network => {
                runs.iter().try_for_each(|run| train_in(&context(run), run))
            }
            Task::Inside => {
                // The filters of a network have no images.
                let with_images = runs.iter().find(|run| run.spec.data().is_some());
                run_inside(&context(with_images.unwrap_or(&runs[0])), runs)
            }
            Task::Multitask => run_multitask(&context(runs[0]), runs),
            Task::Sweep => run_sweep(runs, context),
        };
        // Also of a task that failed or was interrupted.
        record.seconds = before + start.elapsed().as_secs_f64();
        store.publish_json(STUDY, &record)?;
        result?;
        if !was_done {
            observer.event(Event::TaskEnded { task: *task, more: number + 1 < tasks.len() });
        }
    }
    let result = page::run_page(&of_page, context);
    record.seconds = before + start.elapsed().as_secs_f64();
    store.publish_json(STUDY, &record)?;
    result
}

/// What a study does in its folder, before it is done: `study.json` has been written.
struct Prepared {
    sets: DataSets,
    runs: Vec<PlannedRun>,
    /// Which of the runs are to be done, finished or not.
    is_to_do: Vec<bool>,
    record: StudyRecord,
}

/// Plans the runs of a study and leaves `study.json`, so that any process can do them ([`Worker`](crate::Worker)). `preset` is
/// the name that the study goes by.
///
/// # Errors
/// The first thing in the study that cannot be done.
pub fn plan_study(
    study: &Study,
    preset: &str,
    store: &Store,
    sources: &Sources,
    options: &StudyOptions,
    observer: &dyn Observer,
) -> Result<StudyRecord, LabError> {
    Ok(prepare(study, preset, store, sources, options, observer)?.record)
}

fn prepare(
    study: &Study,
    preset: &str,
    store: &Store,
    sources: &Sources,
    options: &StudyOptions,
    observer: &dyn Observer,
) -> Result<Prepared, LabError> {
    let start = Instant::now();
    let held = folder::held(store)?;
    let (study, preset) = folder::merged(study, preset, options, held.as_ref(), store, observer)?;
    let sets = plan::load(&study, sources, observer)?;
    for (set, part, asked, there) in plan::smaller_sets(&study, &sets) {
        observer.event(Event::Smaller { set, part, asked, there });
    }
    let images = sets.values().map(|set| set.train.len() + set.test.len()).sum();
    observer.event(Event::Loaded { images, seconds: start.elapsed().as_secs_f64() });
    let runs = plan::expand(&study, &sets)?;
    for set in sets.values().filter(|set| plan::is_paired(&study, &set.about.name)) {
        let (compared, all) = (plan::compared(set).len(), set.about.classes.len());
        if compared < all {
            let note = format!(
                "Of its {all} classes, tasks 1 and 2 compare the {compared} with the most training images in pairs."
            );
            observer.event(Event::OwnData { set: &set.about.title, note: &note });
        }
    }
    plan::warn_of_holes(&runs, observer);
    let is_asked = |run: &PlannedRun| !run.spec.is_for_the_page() && is_to_do(run, &study, options);
    // What the page has of networks that were trained earlier is to do whatever is asked.
    let is_there = |id: &RunId| {
        runs.iter().any(|run| run.id == *id && is_asked(run))
            || matches!(store.run(id.as_ref()).result::<IgnoredAny>(), Ok(Some(_)))
    };
    let is_ready = |run: &PlannedRun| match &run.spec {
        RunSpec::PageNetwork(spec) => is_there(&spec.of),
        spec => spec.is_for_the_page() || is_asked(run),
    };
    let is_to_do: Vec<bool> = runs.iter().map(is_ready).collect();
    let to_do = || runs.iter().zip(&is_to_do).filter_map(|(run, &is_to_do)| is_to_do.then_some(run));
    folder::check_instructions(to_do(), store, options, Unfinished::Too)?;
    match &held {
        Some(held) => folder::say_what_leaves(held, &runs, observer),
        None => folder::say_what_is_unlisted(&runs, store, observer),
    }

    let Origin { version, machine, .. } = origin();
    let mut record = StudyRecord {
        preset,
        version,
        machine,
        seconds: 0.0,
        data: plan::facts(&sets),
        runs: runs.clone(),
        study,
    };
    // A start that does nothing is nobody's work.
    if let Some(held) = held.as_ref().filter(|_| folder::are_finished(to_do(), store)) {
        record.version.clone_from(&held.version);
        record.machine.clone_from(&held.machine);
    }
    record.seconds = seconds_before(store, &record, held.as_ref())?;
    store.publish_json(STUDY, &record)?;
    if options.keep_file {
        store.publish(&record.preset, record.study.to_toml().as_bytes())?;
    }
    Ok(Prepared { sets, runs, is_to_do, record })
}

/// Whether a run is of a task that is to be done. Task 5 needs the network that it looks into, and a sweep is shown beside the
/// network as the study has it.
fn is_to_do(run: &PlannedRun, study: &Study, options: &StudyOptions) -> bool {
    let is_asked = |task: Task| options.only.is_empty() || options.only.contains(&task);
    let is_looked_into = || {
        let looked_into = study.inside.as_ref().map(|inside| &inside.network);
        matches!(run.task, Task::Cnn | Task::Network)
            && is_asked(Task::Inside)
            && looked_into == Some(&run.title)
    };
    let is_swept = || {
        // Task 6 is a comparison of its networks, and planned whole.
        let is_it =
            |(task, name): (Task, String)| task == run.task && (task == Task::Multitask || name == run.title);
        is_asked(Task::Sweep) && study.swept().is_some_and(is_it)
    };
    is_asked(run.task) || is_looked_into() || is_swept()
}

/// Seconds that earlier sittings of the same study took; of another one, those of the runs that this one keeps, each by
/// its own clock.
fn seconds_before(
    store: &Store,
    record: &StudyRecord,
    held: Option<&StudyRecord>,
) -> Result<f64, StoreError> {
    // A plan that other processes carried out took none itself.
    if let Some(held) = held.filter(|held| held.runs == record.runs && held.seconds > 0.0) {
        return Ok(held.seconds);
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
    context: &impl Fn(&PlannedRun) -> RunContext<'a>,
) -> Result<(), LabError> {
    let mut embedding = None;
    for run in runs {
        let context = context(run);
        match &run.spec {
            RunSpec::Pca(spec) => {
                observer.event(Event::Stage { title: "principal components", steps: 1 });
                run_once(&context, run, |writer| pca::run(&context, spec, writer))?;
                embedding = Some(store.run(run.id.as_ref()));
            }
            RunSpec::Separability(spec) => {
                let pca = embedding.as_ref().expect("the components are planned first");
                let classes = separability::compared(spec, context.set().about.classes.len()).len();
                let steps = classes * (classes - 1) / 2;
                observer.event(Event::Stage { title: "separability", steps });
                run_once(&context, run, |writer| separability::run(&context, spec, pca, writer))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn run_perceptrons<'a>(
    runs: &[&PlannedRun],
    observer: &dyn Observer,
    context: &(impl Fn(&PlannedRun) -> RunContext<'a> + Sync),
) -> Result<(), LabError> {
    if runs.is_empty() {
        return Ok(());
    }
    observer.event(Event::Stage { title: "perceptrons", steps: runs.len() });
    // Pairs differ a thousandfold in how long they train: each is handed out for itself.
    let done: Vec<Result<(), LabError>> = runs
        .par_iter()
        .with_max_len(1)
        .map(|run| {
            let RunSpec::Perceptron(spec) = &run.spec else { return Ok(()) };
            let context = context(run);
            run_once(&context, run, |writer| perceptron::run(&context, spec, writer))
        })
        .collect();
    done.into_iter().collect()
}
