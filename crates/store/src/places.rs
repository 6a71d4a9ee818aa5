//! Which places of an output folder are the store's own: where it cleans up, and where no other store can be.

use std::fs;
use std::path::{Component, Path, PathBuf};

use inkling_files::atomic::{is_real_folder, remove_leftovers};

use crate::error::is_run_id;
use crate::run::RunDir;
use crate::{files, lock};

/// The folder of the runs.
pub(crate) const RUNS: &str = "runs";
/// The folders that files are published in, besides the output folder itself.
pub(crate) const PUBLISHED: [&str; 2] = ["figures", "tables"];
/// A study's record, and members that it has in every version.
const STUDY: &str = "study.json";
const MEMBERS: [&str; 3] = ["version", "study", "runs"];
/// The files that a study writes into the output folder itself.
const FILES: [&str; 6] = [STUDY, "study.toml", "checks.json", "summary.json", "report.pdf", "report.html"];

/// Removes what killed processes left in the output folder `out`, whose lock is held. Looks only where a store writes:
/// in `out` itself, `figures`, `tables`, `runs`, and the folders of `runs` that have a run's name. Neither a link nor a
/// store of its own in one of these places is looked into.
pub(crate) fn clean_up(out: &Path) {
    // The output folder itself may be a link: a person named it.
    let Ok(out) = fs::canonicalize(out) else { return };
    remove_leftovers(&out);
    for place in PUBLISHED.map(|name| out.join(name)) {
        if is_own(&place) {
            remove_leftovers(&place);
        }
    }
    let runs = out.join(RUNS);
    if !is_own(&runs) {
        return;
    }
    remove_leftovers(&runs);
    for entry in fs::read_dir(&runs).into_iter().flatten().flatten() {
        let run = entry.path();
        if is_run_id(entry.file_name().as_encoded_bytes()) && is_own(&run) {
            remove_leftovers(&run);
            RunDir::at(&run).remove_leftovers();
        }
    }
}

/// The output folder that has `folder` among its own files, if there is one: by the path that was given, or by where it
/// leads.
pub(crate) fn enclosing(folder: &Path) -> Option<PathBuf> {
    let given = std::path::absolute(folder).ok()?;
    [resolved(&given), given].iter().flat_map(|path| path.ancestors()).find_map(|place| {
        let (name, parent) = (place.file_name()?, place.parent()?);
        let own = name == RUNS || PUBLISHED.iter().any(|published| name == *published);
        (own && is_store(parent)).then(|| parent.to_owned())
    })
}

/// What stands in a folder that is no store and that a study would write over, if there is anything: a person's own report,
/// say, or figures.
pub(crate) fn taken(folder: &Path) -> Option<String> {
    if is_store(folder) || holds_runs(folder) || holds_study(folder) {
        return None;
    }
    let is_there = |name: &&str| fs::symlink_metadata(folder.join(name)).is_ok();
    let holds_files =
        |name: &&str| fs::read_dir(folder.join(name)).is_ok_and(|mut entries| entries.next().is_some());
    let file = FILES.into_iter().find(is_there).map(str::to_owned);
    file.or_else(|| PUBLISHED.into_iter().find(holds_files).map(|name| format!("{name}/")))
}

/// Whether there is a folder of runs with a run in it, as in a copy of a store without its hidden files.
fn holds_runs(folder: &Path) -> bool {
    let entries = fs::read_dir(folder.join(RUNS)).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| is_run_id(name.as_encoded_bytes()))
}

/// Whether there is a study's own record, as where the runs were removed, or a kill came before the first of them.
fn holds_study(folder: &Path) -> bool {
    let record = files::read_json::<serde_json::Value>(&folder.join(STUDY));
    record
        .is_ok_and(|record| record.is_some_and(|record| MEMBERS.iter().all(|key| record.get(key).is_some())))
}

/// Where an absolute path leads that need not exist yet, once the links in it are followed.
fn resolved(path: &Path) -> PathBuf {
    let real = |ancestor: &Path| fs::canonicalize(ancestor).ok().zip(path.strip_prefix(ancestor).ok());
    let Some((mut real, rest)) = path.ancestors().find_map(real) else { return path.to_owned() };
    // What does not exist has no links, so that `..` is the folder before it.
    for part in rest.components() {
        match part {
            Component::ParentDir => drop(real.pop()),
            part => real.push(part),
        }
    }
    real
}

/// Whether a folder in one of the store's places is nothing else.
fn is_own(folder: &Path) -> bool {
    is_real_folder(folder) && !is_store(folder)
}

/// Whether `folder` is somebody's output folder.
fn is_store(folder: &Path) -> bool {
    folder.join(RUNS).is_dir() && [lock::FILE, STUDY].iter().any(|name| folder.join(name).is_file())
}
