//! Why runs of a study that are not finished cannot be done: they failed, or need runs that failed.

use inkling_schema::outcome::{PlannedRun, RunFailure};
use inkling_schema::{RunId, Task};
use inkling_store::{Reader, StoreError};

/// A run that cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unable {
    /// The run.
    pub id: RunId,
    /// Its task.
    pub task: Task,
    /// Its name within its task.
    pub title: String,
    /// Why.
    pub why: Why,
}

/// Why a run cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It was tried, and this went wrong.
    Failed(String),
    /// It needs these runs, which cannot be done.
    Needs(Vec<String>),
}

/// Those of the runs that are not finished of which the store says that they cannot be done; `runs` are all of the study.
pub(super) fn read(
    store: &Reader,
    missing: &[PlannedRun],
    runs: &[PlannedRun],
) -> Result<Vec<Unable>, StoreError> {
    let mut found: Vec<Unable> = Vec::new();
    // Each comes after those that it needs.
    for run in missing {
        let needed = run.needs(runs);
        let unable = needed.iter().filter_map(|id| found.iter().find(|unable| unable.id == *id));
        let titles: Vec<String> =
            unable.map(|unable| format!("{} {}", unable.task.name(), unable.title)).collect();
        let why = match failure(store, &run.id)? {
            Some(reason) => Why::Failed(reason),
            None if titles.is_empty() => continue,
            None => Why::Needs(titles),
        };
        found.push(Unable { id: run.id.clone(), task: run.task, title: run.name(), why });
    }
    Ok(found)
}

/// What went wrong with a run, unless a process is trying it again.
fn failure(store: &Reader, id: &RunId) -> Result<Option<String>, StoreError> {
    if store.claim(id.as_ref())?.is_some_and(|claim| !claim.is_over) {
        return Ok(None);
    }
    match store.failure::<RunFailure>(id.as_ref()) {
        Ok(failure) => Ok(failure.map(|failure| failure.lines.into_iter().next().unwrap_or_default())),
        // What cannot be read says nothing, and keeps nobody from trying again.
        Err(StoreError::Damaged { .. } | StoreError::NewerFormat { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::{DataSlice, PageImagesRun, PageNetworkRun, Precision, RunSpec};
    use inkling_store::Store;

    use super::*;

    #[test]
    fn runs_that_failed_are_named_with_their_reason_and_those_that_need_them_too() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let data = DataSlice { set: "mnist".into(), train_images: 10, test_images: 1 };
        let run = |title: &str, spec: RunSpec| PlannedRun::new(spec.id("c"), Task::Mlp, title, spec);
        let network = |seed| {
            let images = PageImagesRun { data: data.clone(), test: 1, train: 1, seed };
            run(&format!("network {seed}"), RunSpec::PageImages(images))
        };
        let look = |of: &PlannedRun| {
            let (of, precision) = (of.id.clone(), Precision::F32);
            run("look", RunSpec::PageNetwork(PageNetworkRun { of, data: data.clone(), precision }))
        };
        let (bad, good, other) = (network(1), network(2), network(3));
        let runs = [bad.clone(), good.clone(), other.clone(), look(&bad), look(&good)];
        let read = || read(store.reader(), &runs, &runs).unwrap();
        assert_eq!(read(), []);
        let lines = |first: &str| RunFailure {
            host: "n1".into(),
            time: "2026".into(),
            version: "1".into(),
            lines: vec![first.into(), "help".into()],
        };
        store.note_failure(bad.id.as_ref(), &lines("no room")).unwrap();
        let found = read();
        let told: Vec<_> = found.iter().map(|unable| (&unable.id, unable.why.clone())).collect();
        let needs = Why::Needs(vec!["mlp network 1".into()]);
        assert_eq!(told, [(&bad.id, Why::Failed("no room".into())), (&runs[3].id, needs)]);
        // Whoever tries it again may succeed.
        let writer = store.begin(bad.id.as_ref(), &bad.spec).unwrap();
        assert_eq!(read(), []);
        drop(writer);
        // A note that nobody can read says nothing.
        let note = folder.path().join(format!("runs/.{}.work/failed.json", bad.id));
        std::fs::write(note, "{").unwrap();
        assert_eq!(read(), []);
    }
}
