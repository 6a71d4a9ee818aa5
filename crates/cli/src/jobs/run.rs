//! `inkling run`: does runs of a planned study, beside any number of other processes.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use inkling_data::{FetchEvent, Sources};
use inkling_lab::{JobState, LabError, Observer, StudyOptions, Worker, planned};
use inkling_schema::{RunId, quoted_path};
use inkling_store::{Pulse, Store, StoreError};

use super::point;
use crate::args::RunArgs;
use crate::failure::{Failure, UsageError};
use crate::interrupt::{self, STOP};
use crate::progress::Progress;
use crate::{message, start_computing};

/// Time between two looks at what other processes do.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    interrupt::ends_with_try_again();
    let store = Store::join(&args.out)?;
    let record = planned(store.reader())?;
    // Before anything is loaded.
    let point = if args.set.is_empty() { None } else { Some(point::asked(args, &record)?) };
    start_computing(&args.compute)?;
    let progress = Progress::new(&STOP);
    let fetching = |event: FetchEvent| progress.fetching(&event);
    let interrupted = || progress.interrupted();
    let sources =
        Sources { progress: &fetching, interrupted: &interrupted, ..Sources::new(args.data.folder.clone()) };
    let options = StudyOptions { mix_instructions: args.mix_instructions, ..StudyOptions::default() };
    let mut worker = Worker::new(&record, &store, &sources, &options, &progress)?;
    let result = match &point {
        Some(point) => point::run(args, point, &mut worker, &store),
        None => perform(args, &mut worker, &store, &progress),
    };
    progress.close(result.is_ok());
    result
}

fn perform(args: &RunArgs, worker: &mut Worker, store: &Store, progress: &Progress) -> Result<(), Failure> {
    if let Some(index) = args.index {
        let runs = worker.jobs().len();
        if index >= runs {
            return Err(UsageError::NoSuchIndex { index, runs }.into());
        }
        return one(worker, index);
    }
    if args.next || args.all {
        return any(args, worker, store, progress);
    }
    // All are looked for before one is begun.
    let find = |id: &RunId| {
        let number = worker.jobs().iter().position(|job| job.run.id == *id);
        number.ok_or_else(|| UsageError::NoSuchRun { id: id.to_string(), folder: args.out.clone() })
    };
    let numbers = args.ids.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let mut first: Option<LabError> = None;
    for number in numbers {
        let Err(error) = worker.run(number) else { continue };
        if !is_of_one_run(&error) && !matches!(worker.states()?[number], JobState::Failed(_)) {
            return Err(interruption(error));
        }
        // The others are done all the same. What may succeed later decides on the exit code.
        let later = |error: &LabError| !matches!(error, LabError::Blocked { .. }) && is_of_one_run(error);
        match &mut first {
            Some(known) if later(&error) && !later(known) => message::error(&std::mem::replace(known, error)),
            Some(_) => message::error(&error),
            None => first = Some(error),
        }
    }
    first.map_or(Ok(()), |error| Err(error.into()))
}

/// Whether an error says that a run cannot be done now, and nothing about other runs.
fn is_of_one_run(error: &LabError) -> bool {
    matches!(
        error,
        LabError::NotReady { .. }
            | LabError::Blocked { .. }
            | LabError::Store(
                StoreError::Claimed { .. }
                    | StoreError::ClaimLost { .. }
                    | StoreError::AlreadyFinished { .. }
            )
    )
}

pub(super) fn one(worker: &mut Worker, number: usize) -> Result<(), Failure> {
    worker.run(number).map_err(interruption)
}

/// Tells how an interrupted run goes on.
fn interruption(error: LabError) -> Failure {
    match error {
        LabError::Interrupted => interrupt::interrupted().into(),
        other => other.into(),
    }
}

/// Does one run that can be done, or all.
fn any(args: &RunArgs, worker: &mut Worker, store: &Store, progress: &Progress) -> Result<(), Failure> {
    // What failed here is not tried again by this process.
    let mut failed: BTreeSet<usize> = BTreeSet::new();
    loop {
        if progress.interrupted() {
            return Err(interrupt::interrupted().into());
        }
        let states = worker.states()?;
        let mut unknown = false;
        let mut claimed = false;
        let mut can = None;
        for (number, state) in states.iter().enumerate().filter(|(number, _)| !failed.contains(number)) {
            match state {
                JobState::Ready => {}
                JobState::Claimed(seen) => match store.pulse(worker.jobs()[number].run.id.as_ref(), seen) {
                    Pulse::Gone => {}
                    pulse => {
                        claimed = true;
                        unknown |= pulse == Pulse::Unknown;
                        continue;
                    }
                },
                _ => continue,
            }
            can = Some(number);
            break;
        }
        let Some(number) = can else {
            if claimed && (args.all || unknown) {
                thread::sleep(PAUSE);
                continue;
            }
            return end(args, &states, &failed);
        };
        match worker.run(number) {
            Ok(()) if args.next => return Ok(()),
            Ok(()) => {}
            // Another process was faster, or is about to be.
            Err(error) if is_of_one_run(&error) => {}
            Err(LabError::Interrupted) => return Err(interrupt::interrupted().into()),
            Err(error) => {
                if args.next || !matches!(worker.states()?[number], JobState::Failed(_)) {
                    return Err(error.into());
                }
                // It is noted in the folder, and the rest goes on.
                failed.insert(number);
                message::error(&error);
            }
        }
    }
}

/// What is to be said where nothing can be done now.
fn end(args: &RunArgs, states: &[JobState], failed: &BTreeSet<usize>) -> Result<(), Failure> {
    let count = |is_it: &dyn Fn(&JobState) -> bool| states.iter().filter(|state| is_it(state)).count();
    let left = count(&|state| !matches!(state, JobState::Done { .. }));
    let bad = count(&|state| matches!(state, JobState::Failed(_) | JobState::Blocked(_))).max(failed.len());
    let folder = quoted_path(&args.out);
    match (left, left - bad.min(left)) {
        (0, _) => Ok(()),
        (_, 0) => Err(UsageError::RunsFailed { runs: bad, folder }.into()),
        (_, others) => Err(UsageError::RunsByOthers { runs: others, folder }.into()),
    }
}
