//! What all runs have in common: finished ones are skipped, and each leaves a record.

use std::thread;
use std::time::{Duration, Instant};

use inkling_data::DataSet;
use inkling_schema::RunSpec;
use inkling_schema::outcome::{Origin, PlannedRun, RunResult};
use inkling_store::{RunDir, RunWriter, Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::LabError;
use crate::machine::origin;
use crate::observer::{Event, Observer};

/// What every run works with: the store, its data set, the observer.
#[derive(Clone, Copy)]
pub(crate) struct RunContext<'a> {
    pub(crate) store: &'a Store,
    /// The data set, if the run uses one.
    pub(crate) set: Option<&'a DataSet>,
    /// Names of the groups of classes, of a task that has some.
    pub(crate) groups: &'a [String],
    pub(crate) observer: &'a dyn Observer,
    /// Whether to wait for another process that does a run, until it is finished or that process has ended.
    pub(crate) waits: bool,
    /// Whether a run whose checkpoint was computed with other instructions may start from the beginning.
    pub(crate) mixes_instructions: bool,
}

impl<'a> RunContext<'a> {
    /// The data set of a run that is fitted to one.
    pub(crate) fn set(&self) -> &'a DataSet {
        self.set.expect("a run that is fitted has images")
    }
}

/// Does a run unless it is finished: `work` fits, writes the run's files and returns the outcome, or none if it was
/// interrupted.
pub(crate) fn run_once<O: Serialize + DeserializeOwned>(
    context: &RunContext,
    run: &PlannedRun,
    work: impl FnOnce(&mut RunWriter) -> Result<Option<O>, LabError>,
) -> Result<(), LabError> {
    let claimed = claim::<O, _>(context, run, || Ok(context.store.begin(run.id.as_ref(), &run.spec)?))?;
    let Claimed::Mine(mut writer) = claimed else { return Ok(()) };
    let start = Instant::now();
    let Some(outcome) = work(&mut writer)? else { return Err(LabError::Interrupted) };
    let seconds = start.elapsed().as_secs_f64();
    writer.finish(&record(context.set, &run.spec, seconds, Vec::new(), outcome))?;
    context.observer.event(Event::Finished);
    Ok(())
}

/// After so long one says what is waited for, although it may be gone.
const SILENCE: Duration = Duration::from_secs(1);

/// A run that is to be done: this process's now, or finished.
pub(crate) enum Claimed<O, W> {
    /// What `begin` gave.
    Mine(W),
    Finished(O),
}

/// How often one looks whether a run that another process does is finished.
const PAUSE: Duration = Duration::from_millis(100);

/// Begins a run, or goes on with it, unless it is finished. While another process does it, waits for that process, or gives up
/// once it is seen to live, as the context says.
pub(crate) fn claim<O: DeserializeOwned, W>(
    context: &RunContext,
    run: &PlannedRun,
    begin: impl Fn() -> Result<W, LabError>,
) -> Result<Claimed<O, W>, LabError> {
    let (start, mut told) = (Instant::now(), false);
    loop {
        let begun = match finished(context, run) {
            Ok(Some(outcome)) => return Ok(Claimed::Finished(outcome)),
            Ok(None) => begin(),
            Err(error) => Err(error),
        };
        match begun {
            Ok(writer) => return Ok(Claimed::Mine(writer)),
            Err(LabError::Store(error @ StoreError::Claimed { lives, .. })) => {
                if lives && !context.waits {
                    return Err(error.into());
                }
                if !told && (lives || start.elapsed() >= SILENCE) {
                    context
                        .observer
                        .event(Event::Waits { title: &run.full_title(), problem: &error.to_string() });
                    told = true;
                }
                thread::sleep(PAUSE);
            }
            // Another process was faster: its result is looked at.
            Err(LabError::Store(StoreError::AlreadyFinished { .. })) => {}
            Err(other) => return Err(other),
        }
    }
}

/// The outcome of a run that is already finished; none if it is not.
///
/// A run whose files are damaged does not count as finished; the observer is told why.
pub(crate) fn finished<O: DeserializeOwned>(
    context: &RunContext,
    run: &PlannedRun,
) -> Result<Option<O>, LabError> {
    if context.observer.interrupted() {
        return Err(LabError::Interrupted);
    }
    let dir = context.store.run(run.id.as_ref());
    let again = |problem: &str| {
        context.observer.event(Event::Damaged { title: &run.title, problem });
        // Another process may have mended it meanwhile.
        let is_wrong = |dir: &RunDir| match dir.finished::<RunResult<O>>() {
            Ok(Some(result)) => result.spec_hash != run.spec.hash(checksum(context.set)),
            Ok(None) => true,
            Err(error) => matches!(error, StoreError::Damaged { .. }),
        };
        context.store.withdraw(run.id.as_ref(), is_wrong)?;
        Ok(None)
    };
    match dir.finished::<RunResult<O>>() {
        // Somebody copied it to this place.
        Ok(Some(result)) if result.spec_hash != run.spec.hash(checksum(context.set)) => {
            again(&format!("`{}` holds the result of another run", dir.path().display()))
        }
        Ok(Some(result)) => {
            context.observer.event(Event::Skipped);
            Ok(Some(result.outcome))
        }
        Ok(None) => Ok(None),
        Err(damage @ StoreError::Damaged { .. }) => again(&damage.to_string()),
        Err(other) => Err(other.into()),
    }
}

/// The checksum of the data set; empty for a run without one.
fn checksum(set: Option<&DataSet>) -> &str {
    set.map_or("", |set| &set.checksum)
}

/// The record of a run that took so many seconds, of which `earlier` programs and machines did parts.
pub(crate) fn record<O>(
    set: Option<&DataSet>,
    spec: &RunSpec,
    seconds: f64,
    earlier: Vec<Origin>,
    outcome: O,
) -> RunResult<O> {
    let checksum = checksum(set);
    let Origin { version, sources, machine } = origin();
    RunResult {
        spec_hash: spec.hash(checksum),
        data_checksum: checksum.into(),
        version,
        sources,
        machine,
        earlier,
        seconds,
        finished: Some(inkling_store::clock::now()),
        outcome,
    }
}
