//! Which places of an output folder are the store's own: where it cleans up, and where no other store can be.

use std::fs;
use std::path::{Component, Path, PathBuf};

use inkling_files::atomic::{is_real_folder, remove_leftovers};

use serde_json::Value;

use crate::error::is_run_id;
use crate::run::RunDir;
use crate::workplace::{self, Workplace};
use crate::{files, lock};

/// The folder of the runs.
pub(crate) const RUNS: &str = "runs";
/// The folders that files are published in, besides the output folder itself.
pub(crate) const PUBLISHED: [&str; 2] = ["figures", "tables"];
/// A study's record, and members that it has in every version.
const STUDY: &str = "study.json";
const SUMMARY: &str = "summary.json";
const MEMBERS: [&str; 3] = ["version", "study", "runs"];
/// The files that a study writes into the output folder itself.
const FILES: [&str; 8] = [
    STUDY,
    "study.toml",
    "checks.json",
    SUMMARY,
    "report.pdf",
    "report.html",
    "report-outdated.pdf",
    "report-outdated.html",
];

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
    workplace::clean_up(&runs);
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

/// What stands in a folder that a study would write over and that no study is known to have written, if there is anything: a
/// person's own report, say, or figures.
///
/// A study's files are there only beside its record, which is written before them, or beside its summary, which names them. A
/// folder of runs shows nothing: other programs have such folders too, and `inkling look` writes runs without a study.
pub(crate) fn taken(folder: &Path) -> Option<String> {
    if holds_study(folder) {
        return None;
    }
    let is_there = |name: &&str| fs::symlink_metadata(folder.join(name)).is_ok();
    // Only files with names such as a study publishes: neither folders nor hidden files.
    let is_file = |entry: fs::DirEntry| {
        !entry.file_name().as_encoded_bytes().starts_with(b".") && entry.path().is_file()
    };
    let holds_files =
        |name: &&str| fs::read_dir(folder.join(name)).into_iter().flatten().flatten().any(is_file);
    let file = FILES.into_iter().find(is_there).map(str::to_owned);
    let published = || PUBLISHED.into_iter().find(holds_files).filter(|_| !holds_runs(folder));
    file.or_else(|| published().map(|name| format!("{name}/")))
}

/// Whether there is a folder of runs with one that this program wrote.
fn holds_runs(folder: &Path) -> bool {
    let entries = fs::read_dir(folder.join(RUNS)).into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| {
        let name = entry.file_name().to_str()?.to_owned();
        let id = workplace::run_of(&name).map_or(name.as_str(), |(id, _)| id);
        is_run_id(id.as_bytes()).then(|| id.to_owned())
    });
    let mut runs = ids.map(|id| RunDir::new(Workplace::new(folder.join(RUNS), &id)));
    runs.any(|run| run.is_own())
}

/// Whether there is a study's own record or summary, sound or damaged.
fn holds_study(folder: &Path) -> bool {
    [STUDY, SUMMARY].iter().any(|name| match files::read_json::<Value>(&folder.join(name)) {
        // Programs before version 0.1 did not seal it.
        Ok(Some(record)) => {
            files::begins_sealed(&folder.join(name)) || MEMBERS.iter().all(|key| record.get(key).is_some())
        }
        Ok(None) => false,
        // What a document was cannot be told from what is left of it, but where its runs are.
        Err(_) => files::begins_sealed(&folder.join(name)) || holds_runs(folder),
    })
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
