//! Whole small studies on the real images: what is done once is not done again, what is damaged is, the number of
//! threads does not show, and MNIST has the components it is known to have.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use inkling_data::Sources;
use inkling_lab::{Event, LabError, Observer, StudyOptions, run_study};
use inkling_schema::outcome::{PcaOutcome, PlannedRun, RunResult, StudyRecord, TrainOutcome};
use inkling_schema::{Optimizer, RunSpec, Study, Task, ValidationSpec, preset};
use inkling_store::{Reader, Store, TensorFile};

/// Remembers what it hears, and asks for the end once so many runs are done.
struct Ear {
    heard: Mutex<Vec<String>>,
    left: AtomicUsize,
}

impl Ear {
    fn new(runs: usize) -> Self {
        Ear { heard: Mutex::new(Vec::new()), left: AtomicUsize::new(runs) }
    }

    fn count(&self, word: &str) -> usize {
        self.all(word).len()
    }

    fn all(&self, word: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|event| event.starts_with(word)).cloned().collect()
    }
}

impl Observer for Ear {
    fn event(&self, event: Event) {
        if event == Event::Finished {
            let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        }
        self.heard.lock().unwrap().push(format!("{event:?}"));
    }

    fn interrupted(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

/// Every task; two networks each for tasks 3 and 4, the second of which is looked into.
fn small() -> Study {
    let mut study = preset("smoke").unwrap();
    study.data.train_images = 400;
    study.data.test_images = 200;
    study.mlp.as_mut().unwrap().networks.truncate(2);
    study.cnn.as_mut().unwrap().networks.truncate(2);
    study.inside.as_mut().unwrap().network = "2 conv".into();
    study
}

fn run(study: &Study, out: &Path, ear: &Ear) -> Result<(), LabError> {
    run_only(study, &[], out, ear)
}

fn run_only(study: &Study, only: &[Task], out: &Path, ear: &Ear) -> Result<(), LabError> {
    let store = Store::open(out).unwrap();
    let options = StudyOptions { only: only.to_vec(), ..StudyOptions::default() };
    run_study(study, "test", &store, &Sources::new(None), &options, ear)
}

fn record(out: &Path) -> StudyRecord {
    Reader::open(out).unwrap().json("study.json").unwrap().unwrap()
}

fn is_trained(run: &PlannedRun) -> bool {
    matches!(run.spec, RunSpec::Train(_))
}

/// The model and arrays of every run, by the run's place in the study.
fn results(out: &Path) -> Vec<[Option<Vec<u8>>; 3]> {
    let record: StudyRecord = Reader::open(out).unwrap().json("study.json").unwrap().unwrap();
    let read = |id: &str, name: &str| fs::read(out.join("runs").join(id).join(name)).ok();
    record
        .runs
        .iter()
        .map(|run| {
            ["model.safetensors", "arrays.safetensors", "metrics.jsonl"]
                .map(|name| read(run.id.as_ref(), name))
        })
        .collect()
}

#[test]
fn a_finished_run_is_never_done_again_and_a_damaged_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let first = Ear::new(usize::MAX);
    run(&small(), folder.path(), &first).unwrap();
    assert_eq!((first.count("Finished"), first.count("Skipped")), (91, 0));
    let before = results(folder.path());

    let second = Ear::new(usize::MAX);
    run(&small(), folder.path(), &second).unwrap();
    assert_eq!((second.count("Finished"), second.count("Skipped")), (0, 91));
    // Each task is said to have ended once it was done, and only then.
    let ended = first.all("TaskEnded");
    let said = |task: Task| format!("TaskEnded {{ task: {task:?}, more: {} }}", task != Task::Multitask);
    let tasks = Task::ALL.into_iter().filter(|task| !matches!(task, Task::Network | Task::Sweep));
    assert_eq!(ended, tasks.map(said).collect::<Vec<_>>());
    assert_eq!(second.count("TaskEnded"), 0);

    let record: StudyRecord = Reader::open(folder.path()).unwrap().json("study.json").unwrap().unwrap();
    let model = folder.path().join("runs").join(record.runs[7].id.as_ref()).join(TensorFile::Model.name());
    let mut bytes = fs::read(&model).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&model, bytes).unwrap();
    let third = Ear::new(usize::MAX);
    run(&small(), folder.path(), &third).unwrap();
    assert_eq!((third.count("Damaged"), third.count("Finished"), third.count("Skipped")), (1, 1, 90));
    assert_eq!(results(folder.path()), before);
}

#[test]
fn a_changed_line_does_again_only_what_it_touches() {
    let folder = tempfile::tempdir().unwrap();
    run(&small(), folder.path(), &Ear::new(usize::MAX)).unwrap();
    let mut study = small();
    study.perceptron.as_mut().unwrap().max_iterations += 1;
    let ear = Ear::new(usize::MAX);
    run(&study, folder.path(), &ear).unwrap();
    assert_eq!((ear.count("Finished"), ear.count("Skipped")), (45, 46));
    study.mlp.as_mut().unwrap().training.learning_rate = 0.003;
    study.cnn.as_mut().unwrap().networks[1].filters[0] += 1;
    let ear = Ear::new(usize::MAX);
    run(&study, folder.path(), &ear).unwrap();
    assert_eq!((ear.count("Finished"), ear.count("Skipped")), (26, 65));
}

#[test]
fn a_changed_study_counts_the_seconds_of_the_runs_that_it_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = small();
    study.keep_only(&[Task::Pca, Task::Mlp]);
    run(&study, folder.path(), &Ear::new(usize::MAX)).unwrap();
    study.keep_only(&[Task::Mlp]);
    run(&study, folder.path(), &Ear::new(usize::MAX)).unwrap();
    let store = Reader::open(folder.path()).unwrap();
    let record: StudyRecord = store.json("study.json").unwrap().unwrap();
    let result = |id: &str| store.run(id).finished::<RunResult<TrainOutcome>>().unwrap().unwrap();
    let networks: Vec<&PlannedRun> = record.runs.iter().filter(|run| is_trained(run)).collect();
    let kept: f64 = networks.iter().map(|run| result(run.id.as_ref()).seconds).sum();
    assert!(networks.len() == 2 && kept > 0.0);
    assert!(record.seconds > kept, "{} seconds, of which the networks took {kept}", record.seconds);
}

#[test]
fn a_network_that_diverges_does_not_stop_the_study() {
    let mut study = small();
    study.keep_only(&[Task::Mlp, Task::Cnn]);
    let training = &mut study.mlp.as_mut().unwrap().training;
    training.optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false };
    training.learning_rate = 1e6;
    let folder = tempfile::tempdir().unwrap();
    let ear = Ear::new(usize::MAX);
    run(&study, folder.path(), &ear).unwrap();
    assert_eq!((ear.count("Diverged"), ear.count("Finished")), (2, 9));
    let reader = Reader::open(folder.path()).unwrap();
    let record: StudyRecord = reader.json("study.json").unwrap().unwrap();
    let networks: Vec<&PlannedRun> = record.runs.iter().filter(|run| is_trained(run)).collect();
    assert_eq!(networks.len(), 4);
    for run in networks {
        let result: RunResult<TrainOutcome> = reader.run(run.id.as_ref()).finished().unwrap().unwrap();
        assert_eq!(result.outcome.diverged.is_some(), run.task == Task::Mlp, "{}", run.title);
        let model = reader.run(run.id.as_ref()).tensors(TensorFile::Model).unwrap();
        for name in model.names() {
            let values = model.values::<f32>(&name, model.shape(&name).unwrap()).unwrap();
            assert!(values.iter().all(|value| value.is_finite()), "{} {name}", run.title);
        }
    }
}

/// What the person reads of a study that cannot be done.
fn refusal(change: impl FnOnce(&mut Study)) -> String {
    let mut study = small();
    study.keep_only(&[Task::Mlp, Task::Cnn]);
    change(&mut study);
    let folder = tempfile::tempdir().unwrap();
    let ear = Ear::new(usize::MAX);
    let error = run(&study, folder.path(), &ear).unwrap_err();
    assert_eq!(ear.count("Stage"), 0, "nothing is trained before the whole study is known to be possible");
    error.to_string()
}

#[test]
fn networks_that_cannot_be_built_and_sets_that_are_too_small_are_refused_before_any_training() {
    let message = refusal(|study| study.cnn.as_mut().unwrap().networks[1].filters[1] = 0);
    assert_eq!(
        message,
        "the network `2 conv` of task cnn cannot be built: trunk 3 (conv2d): it has no filters"
    );
    let message = refusal(|study| study.mlp.as_mut().unwrap().networks[0].hidden[1] = 0);
    assert!(
        message.contains("`2 hidden` of task mlp") && message.contains("(dense): it has no units"),
        "{message}"
    );
    let message = refusal(|study| {
        study.data.train_images = 100_000;
        study.mlp.as_mut().unwrap().training.batch_size = 70_000;
    });
    assert!(message.contains("`mlp.training.batch_size` is 70000") && message.contains("60000"), "{message}");
    let message = refusal(|study| {
        study.data.train_images = 100_000;
        study.cnn.as_mut().unwrap().training.validation =
            Some(ValidationSpec { images: 60_000, own: false, patience: None });
    });
    assert!(message.contains("`cnn.training.validation.images` is 60000"), "{message}");
}

#[test]
fn interrupted_and_resumed_is_the_same_as_never_interrupted() {
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    run(&small(), whole.path(), &Ear::new(usize::MAX)).unwrap();
    let mut sittings = 0;
    loop {
        sittings += 1;
        match run(&small(), broken.path(), &Ear::new(10)) {
            Err(LabError::Interrupted) => {}
            other => break other.unwrap(),
        }
    }
    // Ninety-one runs, ten in a sitting and what was under way beside the tenth.
    assert!((6..=10).contains(&sittings), "{sittings}");
    assert_eq!(results(broken.path()), results(whole.path()));
}

#[test]
fn the_number_of_threads_does_not_show() {
    let study = small();
    let on = |threads: usize| {
        let folder = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&study, folder.path(), &Ear::new(usize::MAX)).unwrap());
        results(folder.path())
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert!(on(threads) == one, "{threads} threads");
    }
}

#[test]
fn a_class_without_images_is_named_where_classes_are_paired() {
    let mut study = small();
    study.data.train_images = 5;
    let folder = tempfile::tempdir().unwrap();
    let error = run(&study, folder.path(), &Ear::new(usize::MAX)).unwrap_err();
    assert_eq!(error.to_string(), "the first 5 train images of MNIST hold no image of class 2");
}

#[test]
fn mnist_has_its_known_components() {
    let mut study = preset("brief").unwrap();
    study.keep_only(&[Task::Pca]);
    study.pca.as_mut().unwrap().separability.max_passes = 1;
    study.pca.as_mut().unwrap().separability.directions = 1;
    let folder = tempfile::tempdir().unwrap();
    run(&study, folder.path(), &Ear::new(usize::MAX)).unwrap();
    let reader = Reader::open(folder.path()).unwrap();
    let record: StudyRecord = reader.json("study.json").unwrap().unwrap();
    let pca = record.runs.iter().find(|run| matches!(run.spec, RunSpec::Pca(_))).unwrap();
    let result: RunResult<PcaOutcome> = reader.run(pca.id.as_ref()).finished().unwrap().unwrap();
    let ratios = &result.outcome.explained_variance_ratio;
    // The eigenvalues of the covariance in f64 throughout, by an independent program.
    for (found, known) in ratios.iter().zip([0.097_046_64, 0.070_959_24]) {
        assert!((found - known).abs() < 5e-8, "{found}");
    }
    assert_eq!(result.outcome.samples, 60_000);
}

#[test]
fn some_tasks_in_the_folder_of_a_whole_study_leave_its_other_tasks_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = small();
    whole.keep_only(&[Task::Pca, Task::Mlp]);
    run(&whole, folder.path(), &Ear::new(usize::MAX)).unwrap();
    let before = record(folder.path());

    // A task of the same study, done already: nothing changes, least of all who computed it.
    let ear = Ear::new(usize::MAX);
    run_only(&small(), &[Task::Pca], folder.path(), &ear).unwrap();
    assert_eq!((ear.count("Finished"), ear.count("Keeps"), ear.count("Replaces")), (0, 1, 0));
    let after = record(folder.path());
    assert_eq!((after.runs, after.study, after.machine), (before.runs, before.study, before.machine));

    // A task that was not there joins the others, and a changed one takes the place of its own old runs alone.
    run_only(&small(), &[Task::Perceptron], folder.path(), &Ear::new(usize::MAX)).unwrap();
    assert_eq!(record(folder.path()).study.tasks(), [Task::Pca, Task::Perceptron, Task::Mlp]);
    let mut changed = small();
    changed.mlp.as_mut().unwrap().training.learning_rate = 0.003;
    let ear = Ear::new(usize::MAX);
    run_only(&changed, &[Task::Mlp], folder.path(), &ear).unwrap();
    assert_eq!((ear.count("Finished"), ear.all("Replaces").len()), (4, 1));
    assert!(ear.all("Replaces")[0].contains("runs: 4"), "{:?}", ear.all("Replaces"));
    assert_eq!(record(folder.path()).preset, "test");

    // Parts of two studies are a study of their own, and its file lies beside the runs.
    changed.pca.as_mut().unwrap().components = 60;
    changed.perceptron.as_mut().unwrap().max_iterations += 1;
    run_only(&changed, &[Task::Pca], folder.path(), &Ear::new(usize::MAX)).unwrap();
    let mixed = record(folder.path());
    let text = fs::read_to_string(folder.path().join("study.toml")).unwrap();
    assert_eq!(
        (mixed.preset.as_str(), Study::from_toml("study.toml", &text).unwrap()),
        ("study.toml", mixed.study)
    );

    let other_seed = Study { seed: Some(9), ..small() };
    let refused = run_only(&other_seed, &[Task::Pca], folder.path(), &Ear::new(usize::MAX));
    assert!(
        matches!(&refused, Err(LabError::OtherStudy { differs, .. }) if differs.contains("another seed"))
    );
    assert_eq!(record(folder.path()).runs, mixed.runs);
}
