//! What all runs have in common: finished ones are skipped, and each leaves a record.

use std::time::Instant;

use inkling_data::DataSet;
use inkling_schema::RunSpec;
use inkling_schema::outcome::{Origin, PlannedRun, RunResult};
use inkling_store::{RunWriter, Store, StoreError};
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
    if finished::<O>(context, run)?.is_some() {
        return Ok(());
    }
    let start = Instant::now();
    let mut writer = context.store.begin(run.id.as_ref(), &run.spec)?;
    let Some(outcome) = work(&mut writer)? else { return Err(LabError::Interrupted) };
    let seconds = start.elapsed().as_secs_f64();
    writer.finish(&record(context.set, &run.spec, seconds, Vec::new(), outcome))?;
    context.observer.event(Event::Finished);
    Ok(())
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
        context.store.withdraw(run.id.as_ref())?;
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
