//! What other libraries counted with the networks of a study, where the file `peers.json` tells of it.

use inkling_schema::outcome::{
    Evaluation, PEERS_FILE, PeerCounts, PeerHead, PeerLibrary, PlannedRun, RunResult, StudyRecord,
    TrainOutcome,
};
use inkling_schema::{RunSpec, Task, TrainRun};
use inkling_store::{Reader, StoreError, read};
use serde_json::Value;

use super::{Moment, network};

/// Counts of right answers in other libraries beside those of the study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerResults {
    /// When they were counted.
    pub date: Moment,
    /// The networks of the study that other libraries can be given.
    pub networks: usize,
    /// What each library found.
    pub libraries: Vec<PeerFound>,
}

/// What a library found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerFound {
    /// The library.
    pub library: PeerLibrary,
    /// Networks with which it counted.
    pub compared: usize,
    /// Those of which a count is another, but only by images whose two largest scores are equal but for rounding.
    pub tied: usize,
    /// Those of which a count is another.
    pub different: Vec<String>,
}

/// What the file tells; where it is damaged or of other networks, why it is not believed.
///
/// # Errors
/// The store's errors, but not those of this file.
pub(super) fn results(
    store: &Reader,
    record: &StudyRecord,
    missing: &[PlannedRun],
) -> Result<Option<Result<PeerResults, String>>, StoreError> {
    let counts = match counts(store) {
        None => return Ok(None),
        Some(Err(reason)) => return Ok(Some(Err(reason))),
        Some(Ok(counts)) => counts,
    };
    let runs = record.runs.iter().filter_map(|run| match &run.spec {
        RunSpec::Train(spec) if is_exported(run.task) => Some((run, spec)),
        _ => None,
    });
    let mut networks = Vec::new();
    for (run, spec) in runs {
        let result = store.run(run.id.as_ref()).result::<RunResult<TrainOutcome>>()?;
        networks.push((run, result.map_or_else(Vec::new, |result| tests(spec, &result.outcome))));
    }
    Ok(Some(compared(&counts, &networks, missing)))
}

/// Whether `inkling export --peers` writes the networks of a task.
fn is_exported(task: Task) -> bool {
    matches!(task, Task::Mlp | Task::Cnn | Task::Network | Task::Multitask)
}

/// The counts in the file, or why it cannot be read.
fn counts(store: &Reader) -> Option<Result<PeerCounts, String>> {
    let bytes = match read(&store.path().join(PEERS_FILE)) {
        Ok(bytes) => bytes?,
        Err(error) => return Some(Err(error.to_string())),
    };
    // Without a seal, nothing would tell a changed digit.
    let sealed = serde_json::from_slice::<Value>(&bytes).is_ok_and(|value| value.get("checksum").is_some());
    if !sealed {
        return Some(Err("it is no document with a checksum, as `reproduce.py` writes it".into()));
    }
    match store.json(PEERS_FILE) {
        Ok(counts) => counts.map(Ok),
        Err(StoreError::Damaged { reason, .. }) => Some(Err(reason)),
        Err(error) => Some(Err(error.to_string())),
    }
}

/// Each head's name and how it does on the test images with the weights that are kept.
fn tests(spec: &TrainRun, outcome: &TrainOutcome) -> Vec<(String, Evaluation)> {
    let Some(kept) = outcome.kept().or(outcome.epochs.last()) else { return Vec::new() };
    let tests = network::heads(kept).map(|head| head.test);
    spec.model.heads.iter().map(|head| head.name.clone()).zip(tests).collect()
}

/// The counts beside those of these networks; the error says why they are not theirs.
fn compared(
    counts: &PeerCounts,
    networks: &[(&PlannedRun, Vec<(String, Evaluation)>)],
    missing: &[PlannedRun],
) -> Result<PeerResults, String> {
    let date = Moment::read(&counts.finished)
        .ok_or_else(|| format!("`finished` is `{}`, which is not a date", counts.finished))?;
    if counts.libraries.is_empty() || counts.networks.is_empty() {
        return Err("it names no library or no network".into());
    }
    let found = |library: &PeerLibrary| PeerFound {
        library: library.clone(),
        compared: 0,
        tied: 0,
        different: Vec::new(),
    };
    let mut libraries: Vec<PeerFound> = counts.libraries.iter().map(found).collect();
    let mut seen = Vec::new();
    for network in &counts.networks {
        if seen.contains(&&network.run) {
            return Err(format!("it names the run {} twice", network.run));
        }
        seen.push(&network.run);
        if missing.iter().any(|run| run.id.as_ref() == network.run) {
            continue;
        }
        let Some((run, tests)) = networks.iter().find(|(run, _)| run.id.as_ref() == network.run) else {
            return Err(format!(
                "it tells of the run {}, which is none of this study's networks",
                network.run
            ));
        };
        let title = run.full_title();
        let is_of = |(head, (name, test)): (&PeerHead, &(String, Evaluation))| {
            head.name == *name && head.images == test.images && head.correct == test.correct
        };
        if network.heads.len() != tests.len() || !network.heads.iter().zip(tests).all(is_of) {
            return Err(format!("its counts of `{title}` are not those of this study"));
        }
        let is_whole = |head: &PeerHead| {
            let possible = |images: usize| images <= head.images;
            head.found.len() == libraries.len()
                && head.found.iter().all(|found| possible(found.correct) && possible(found.ties))
        };
        if network.heads.is_empty() || !network.heads.iter().all(is_whole) {
            return Err(format!("its counts of `{title}` are not whole"));
        }
        for (number, library) in libraries.iter_mut().enumerate() {
            let counts = || network.heads.iter().map(|head| (head.found[number], head.correct));
            library.compared += 1;
            if counts().any(|(found, correct)| found.correct.abs_diff(correct) > found.ties) {
                library.different.push(title.clone());
            } else if counts().any(|(found, correct)| found.correct != correct) {
                library.tied += 1;
            }
        }
    }
    if libraries[0].compared == 0 {
        return Err("the networks that it names are not finished".into());
    }
    Ok(PeerResults { date, networks: networks.len(), libraries })
}

#[cfg(test)]
mod tests;
