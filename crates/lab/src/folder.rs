//! What the folder of a study holds already, and what a new start there may do to it.

use std::collections::BTreeMap;

use inkling_engine::Isa;
use inkling_schema::outcome::{PlannedRun, RunResult, StudyRecord};
use inkling_schema::{RunSpec, Study, Task};
use inkling_store::{Store, StoreError};
use serde::de::IgnoredAny;

use crate::error::LabError;
use crate::observer::{Event, Observer};
use crate::options::{STUDY, StudyOptions};
use crate::train::instructions_of_checkpoint;

/// Name of the file that holds a study which no preset and no file of the person's is.
const MERGED: &str = "study.toml";

/// The study that this folder holds, if any. A record that cannot be read is written anew like one that is not there.
pub(crate) fn held(store: &Store) -> Result<Option<StudyRecord>, StoreError> {
    match store.reader().json::<StudyRecord>(STUDY) {
        Err(StoreError::Damaged { .. }) => Ok(None),
        other => other,
    }
}

/// The study to do, and the name that it goes by. Where only some tasks were asked for, the others stay that the folder
/// holds.
pub(crate) fn merged(
    study: &Study,
    preset: &str,
    options: &StudyOptions,
    held: Option<&StudyRecord>,
    store: &Store,
    observer: &dyn Observer,
) -> Result<(Study, String), LabError> {
    let mut alone = study.clone();
    if !options.only.is_empty() {
        alone.keep_only(&options.only);
    }
    // Of a study of which nothing else is finished there is nothing to keep.
    let others = |held: &&StudyRecord| {
        let mut others = held.runs.iter().filter(|run| !options.only.contains(&run.task));
        others.any(|run| are_finished(std::iter::once(run), store))
    };
    let Some(held) = held.filter(|_| !options.only.is_empty()).filter(others) else {
        return Ok((alone, preset.to_owned()));
    };
    let words = |tasks: &mut dyn Iterator<Item = &'static str>| tasks.collect::<Vec<_>>().join(", ");
    let merged = held.study.with_tasks_of(study, &options.only).map_err(|differs| LabError::OtherStudy {
        tasks: words(&mut options.only.iter().copied().map(Task::name)),
        differs,
    })?;
    let asked = alone.tasks();
    let kept =
        merged.tasks().into_iter().filter(|task| !options.only.contains(task) && !asked.contains(task));
    let kept = words(&mut kept.map(Task::name));
    if !kept.is_empty() {
        observer.event(Event::Keeps { tasks: &kept, preset: &held.preset });
    }
    let mut of_this = study.clone();
    of_this.keep_only(&merged.tasks());
    of_this.report.clone_from(&merged.report);
    let mut of_held = held.study.clone();
    of_held.report.clone_from(&merged.report);
    let name = if merged == of_this {
        preset.to_owned()
    } else if merged == of_held {
        held.preset.clone()
    } else {
        let text =
            format!("# What this folder holds, every hyperparameter written down.\n\n{}", merged.to_toml());
        store.publish(MERGED, text.as_bytes())?;
        MERGED.to_owned()
    };
    Ok((merged, name))
}

/// Says which runs of another study leave the report.
pub(crate) fn say_what_leaves(held: &StudyRecord, runs: &[PlannedRun], observer: &dyn Observer) {
    let leaves = |run: &&PlannedRun| !runs.iter().any(|other| other.id == run.id);
    let count = held.runs.iter().filter(leaves).count();
    if count > 0 {
        observer.event(Event::Replaces { preset: &held.preset, runs: count });
    }
}

/// Says that there are finished runs of which no record tells any more, if there are.
pub(crate) fn say_what_is_unlisted(runs: &[PlannedRun], store: &Store, observer: &dyn Observer) {
    let others = store.reader().runs().filter(|dir| !runs.iter().any(|run| run.id.as_ref() == dir.id()));
    let runs = others.filter(|dir| matches!(dir.result::<IgnoredAny>(), Ok(Some(_)))).count();
    if runs > 0 {
        observer.event(Event::Unlisted { runs });
    }
}

/// Whether every one of these runs is finished, as far as its result says.
pub(crate) fn are_finished<'a>(mut runs: impl Iterator<Item = &'a PlannedRun>, store: &Store) -> bool {
    runs.all(|run| matches!(store.run(run.id.as_ref()).result::<IgnoredAny>(), Ok(Some(_))))
}

/// Whether runs are looked at that are not finished.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfinished {
    Too,
    /// Other processes may be at work on them, and whoever goes on with one looks at its checkpoints anyway.
    Apart,
}

/// Refuses to go on with a study some of whose networks were computed with instructions that end with other bits, where
/// that was not asked for.
pub(crate) fn check_instructions<'a>(
    runs: impl Iterator<Item = &'a PlannedRun> + Clone,
    store: &Store,
    options: &StudyOptions,
    unfinished: Unfinished,
) -> Result<(), LabError> {
    let is_of_a_network = |run: &&PlannedRun| {
        matches!(
            run.spec,
            RunSpec::Train(_)
                | RunSpec::Trial(_)
                | RunSpec::Choice(_)
                | RunSpec::Filters(_)
                | RunSpec::Activations(_)
                | RunSpec::Dream(_)
                | RunSpec::PageNetwork(_)
        )
    };
    let networks = runs.filter(is_of_a_network);
    if options.mix_instructions || are_finished(networks.clone(), store) {
        return Ok(());
    }
    let ours = Isa::current();
    let mut others: BTreeMap<String, Vec<&PlannedRun>> = BTreeMap::new();
    for run in networks {
        let dir = store.run(run.id.as_ref());
        let theirs = match dir.result::<RunResult<IgnoredAny>>() {
            Ok(Some(result)) => Some(result.machine.instructions),
            Ok(None) => match unfinished {
                Unfinished::Too => instructions_of_checkpoint(&dir),
                Unfinished::Apart => None,
            },
            // It is done again.
            Err(_) => None,
        };
        if let Some(theirs) = theirs.filter(|theirs| !ours.has_the_bits_of(theirs)) {
            others.entry(theirs).or_default().push(run);
        }
    }
    let Some((theirs, runs)) = others.into_iter().next() else { return Ok(()) };
    let first = runs[0].full_title();
    let run = match runs.len() {
        1 => first,
        2 => format!("{first} and another run"),
        more => format!("{first} and {} other runs", more - 1),
    };
    let were = if runs.len() == 1 { "was" } else { "were" };
    Err(LabError::OtherInstructions { run: format!("{run} {were}"), theirs, ours: ours.name() })
}
