//! A study of several seeds on the real images: its runs are those of studies of one seed each, and what they learnt is
//! compared.

use std::collections::BTreeSet;
use std::path::Path;

use inkling_data::Sources;
use inkling_lab::{Event, Observer, StudyOptions, jobs, run_study};
use inkling_schema::outcome::{LikenessOutcome, PlannedRun, RunResult, StudyRecord};
use inkling_schema::{RunSpec, Study, Task, preset};
use inkling_store::{Reader, Store};

struct Deaf;

impl Observer for Deaf {
    fn event(&self, _event: Event) {}

    fn interrupted(&self) -> bool {
        false
    }
}

fn small(seeds: &[u64]) -> Study {
    let mut study = preset("smoke").unwrap();
    study.keep_only(&[Task::Perceptron, Task::Mlp, Task::Inside, Task::Multitask]);
    study.set_seeds(seeds);
    (study.data.train_images, study.data.test_images) = (400, 200);
    study.mlp.as_mut().unwrap().networks.truncate(1);
    study.multitask.as_mut().unwrap().lambdas = vec![0.5, 1.0];
    study
}

fn done(study: &Study, out: &Path) -> (Reader, StudyRecord) {
    let store = Store::open(out).unwrap();
    run_study(study, "test", &store, &Sources::new(None), &StudyOptions::default(), &Deaf).unwrap();
    let reader = Reader::open(out).unwrap();
    let record = reader.json("study.json").unwrap().unwrap();
    (reader, record)
}

fn ids<'a>(record: &'a StudyRecord, is_meant: impl Fn(&PlannedRun) -> bool + 'a) -> BTreeSet<&'a str> {
    record.runs.iter().filter(|run| is_meant(run)).map(|run| run.id.as_ref()).collect()
}

#[test]
fn several_seeds_have_the_runs_of_one_each_and_what_they_learnt_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = small(&[1, 4]);
    study.inside.as_mut().unwrap().all_seeds = true;
    let (reader, record) = done(&study, folder.path());
    // No run is planned twice.
    assert_eq!(ids(&record, |_| true).len(), record.runs.len());
    let trained: Vec<&PlannedRun> =
        record.runs.iter().filter(|run| matches!(run.spec, RunSpec::Train(_))).collect();
    let names: BTreeSet<String> = trained.iter().map(|run| run.full_title()).collect();
    assert_eq!(names.len(), trained.len(), "{names:?}");
    let of_networks = |run: &PlannedRun| matches!(run.task, Task::Mlp | Task::Cnn | Task::Multitask);
    let is_network = |run: &PlannedRun| of_networks(run) && matches!(run.spec, RunSpec::Train(_));
    let first = ids(&record, |run| is_network(run) && run.seed.is_none());
    let second = ids(&record, |run| is_network(run) && run.seed == Some(4));
    assert_eq!((first.len(), second.len()), (1 + 1 + 4, 1 + 1 + 4));
    // Perceptrons are trained from the first seed alone unless the study says otherwise.
    assert!(record.runs.iter().filter(|run| run.task == Task::Perceptron).all(|run| run.seed.is_none()));
    // A study of the other seed finds its networks here.
    let (_, alone) = done(&small(&[4]), folder.path());
    assert_eq!(ids(&alone, is_network), second);

    let likeness = record.runs.iter().find(|run| matches!(run.spec, RunSpec::Likeness(_))).unwrap();
    let found: RunResult<LikenessOutcome> = reader.run(likeness.id.as_ref()).finished().unwrap().unwrap();
    let (filters, dreams) = (found.outcome.filters.unwrap(), found.outcome.dreams.unwrap());
    assert_eq!((filters.layer.as_str(), filters.filters, dreams.classes), ("trunk.1", 8, 10));
    for pair in filters.pairs.iter().chain(&dreams.pairs) {
        assert_eq!((pair.a, pair.b), (0, 1));
        assert!(pair.p > 0.0 && pair.p <= 1.0 && pair.observed.abs() <= 1.0, "{pair:?}");
    }
    // Filters are matched, and so more alike than filters are on average.
    assert!(filters.pairs[0].observed > 0.0 && filters.pairs[0].by_chance > 0.0, "{filters:?}");
    let job = jobs(&record).into_iter().find(|job| job.run.id == likeness.id).unwrap();
    assert_eq!(job.needs.len(), 4, "two networks, and the dreams of both");
}

#[test]
fn perceptrons_are_trained_from_every_seed_where_the_study_says_so() {
    let mut study = small(&[1, 2, 3]);
    study.keep_only(&[Task::Perceptron]);
    study.perceptron.as_mut().unwrap().all_seeds = true;
    let folder = tempfile::tempdir().unwrap();
    let (_, record) = done(&study, folder.path());
    assert_eq!(record.runs.len(), 3 * 45);
    let of_third = record.runs.iter().filter(|run| run.seed == Some(3));
    assert!(of_third.clone().all(|run| matches!(&run.spec, RunSpec::Perceptron(spec) if spec.seed == 3)));
    assert_eq!(of_third.count(), 45);
}
