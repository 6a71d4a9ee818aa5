//! The runs of a study as jobs that any process can do: what each needs, and how it stands.

use std::collections::BTreeMap;

use inkling_schema::RunId;
use inkling_schema::outcome::{PlannedRun, RunFailure, RunResult, StudyRecord};
use inkling_store::{ClaimSeen, Reader, StoreError};
use serde::de::IgnoredAny;

use crate::error::LabError;
use crate::options::STUDY;

/// A run of a study, once however many places of the report it is shown in.
#[derive(Debug, Clone)]
pub struct Job {
    /// The run.
    pub run: PlannedRun,
    /// The runs that must be finished before it can be done.
    pub needs: Vec<RunId>,
}

/// The jobs of a planned study, each after those that it needs.
pub fn jobs(record: &StudyRecord) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    // The report's order is one of dependencies too: networks are planned before what looks into them.
    for run in &record.runs {
        if !jobs.iter().any(|job| job.run.id == run.id) {
            jobs.push(Job { run: run.clone(), needs: run.needs(&record.runs) });
        }
    }
    jobs
}

/// Reads what a folder's study is and which runs it has.
///
/// # Errors
/// [`LabError::NotPlanned`] where no study was planned there, [`LabError::OtherVersion`] where another version of the program
/// did, whose runs may be others; [`LabError::Store`] where the record is damaged.
pub fn planned(reader: &Reader) -> Result<StudyRecord, LabError> {
    let folder = || reader.path().to_owned();
    let record: StudyRecord = reader.json(STUDY)?.ok_or_else(|| LabError::NotPlanned { folder: folder() })?;
    if record.version != env!("CARGO_PKG_VERSION") {
        return Err(LabError::OtherVersion { folder: folder(), theirs: record.version });
    }
    Ok(record)
}

/// How a run stands.
#[derive(Debug, Clone)]
pub enum JobState {
    /// It is finished.
    Done {
        /// Seconds that it took; none where its result cannot be read.
        seconds: Option<f64>,
    },
    /// A process has claimed it. Only who watches the claim for a while can tell whether that process still lives.
    Claimed(Box<ClaimSeen>),
    /// Its last attempt failed.
    Failed(RunFailure),
    /// It needs these runs, which are not finished.
    Waiting(Vec<RunId>),
    /// It cannot be done, because these runs that it needs have failed.
    Blocked(Vec<RunId>),
    /// It can be done, or gone on with where a process left it.
    Ready,
}

/// How each job stands, from the files of the folder alone.
///
/// # Errors
/// [`StoreError::Io`].
pub fn states(jobs: &[Job], reader: &Reader) -> Result<Vec<JobState>, StoreError> {
    let mut states: Vec<JobState> = Vec::with_capacity(jobs.len());
    let mut by_id: BTreeMap<&RunId, usize> = BTreeMap::new();
    for (place, job) in jobs.iter().enumerate() {
        let of = |id: &RunId| by_id.get(id).map(|&place| &states[place]);
        let needed = |is_it: &dyn Fn(&JobState) -> bool| -> Vec<RunId> {
            job.needs.iter().filter(|id| of(id).is_some_and(is_it)).cloned().collect()
        };
        let state = match own_state(&job.run, reader)? {
            JobState::Ready => {
                let failed = needed(&|state| matches!(state, JobState::Failed(_) | JobState::Blocked(_)));
                let open = needed(&|state| !matches!(state, JobState::Done { .. }));
                match (failed.is_empty(), open.is_empty()) {
                    (false, _) => JobState::Blocked(failed),
                    (true, false) => JobState::Waiting(open),
                    (true, true) => JobState::Ready,
                }
            }
            other => other,
        };
        states.push(state);
        by_id.insert(&job.run.id, place);
    }
    Ok(states)
}

/// How a run stands, whatever it needs.
fn own_state(run: &PlannedRun, reader: &Reader) -> Result<JobState, StoreError> {
    let id = run.id.as_ref();
    match reader.run(id).result::<RunResult<IgnoredAny>>() {
        Ok(Some(result)) => return Ok(JobState::Done { seconds: Some(result.seconds) }),
        Ok(None) => {}
        // It is there, and whoever needs it says what is wrong with it.
        Err(StoreError::Damaged { .. } | StoreError::NewerFormat { .. }) => {
            return Ok(JobState::Done { seconds: None });
        }
        Err(other) => return Err(other),
    }
    let claim = reader.claim(id)?.filter(|claim| !claim.is_over);
    if let Some(claim) = claim {
        return Ok(JobState::Claimed(Box::new(claim)));
    }
    match reader.failure::<RunFailure>(id) {
        Ok(Some(failure)) => Ok(JobState::Failed(failure)),
        // What cannot be read keeps nobody from trying again.
        Ok(None) | Err(StoreError::Damaged { .. } | StoreError::NewerFormat { .. }) => Ok(JobState::Ready),
        Err(other) => Err(other),
    }
}
