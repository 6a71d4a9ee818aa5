//! Looking inside networks of a small study on the real images: what is found agrees with what is written down, and with
//! the network itself.

use std::path::Path;

use inkling_data::Sources;
use inkling_engine::{Dataset, StateKind, evaluate};
use inkling_lab::{Event, LabError, LookError, Observer, StudyOptions, Trained, run_study};
use inkling_schema::outcome::{
    ActivationsOutcome, DreamOutcome, FiltersOutcome, PlannedRun, RunResult, StudyRecord,
};
use inkling_schema::{DreamPurpose, RunSpec, Study, Task, preset};
use inkling_store::{Reader, RunDir, Store, TensorFile, Tensors};
use serde::de::DeserializeOwned;

struct Deaf;

impl Observer for Deaf {
    fn event(&self, _event: Event) {}

    fn interrupted(&self) -> bool {
        false
    }
}

fn small() -> Study {
    let mut study = preset("smoke").unwrap();
    study.keep_only(&[Task::Inside]);
    study.data.train_images = 1500;
    study.data.test_images = 300;
    study
}

fn run(study: &Study, out: &Path) -> Result<(), LabError> {
    run_study(study, "test", &Store::open(out).unwrap(), &Sources::new(None), &StudyOptions::default(), &Deaf)
}

/// A study that was done, to be read.
struct Done {
    _folder: tempfile::TempDir,
    reader: Reader,
    record: StudyRecord,
}

impl Done {
    fn new(study: &Study) -> Done {
        let folder = tempfile::tempdir().unwrap();
        run(study, folder.path()).unwrap();
        let reader = Reader::open(folder.path()).unwrap();
        let record = reader.json("study.json").unwrap().unwrap();
        Done { _folder: folder, reader, record }
    }

    fn inside(&self) -> impl Iterator<Item = &PlannedRun> {
        self.record.runs.iter().filter(|run| run.task == Task::Inside && !run.spec.is_for_the_page())
    }

    fn dir(&self, run: &PlannedRun) -> RunDir {
        self.reader.run(run.id.as_ref())
    }

    fn outcome<O: DeserializeOwned>(&self, run: &PlannedRun) -> (O, Tensors) {
        let result: RunResult<O> = self.dir(run).finished().unwrap().expect("a finished run");
        (result.outcome, self.dir(run).tensors(TensorFile::Arrays).unwrap())
    }

    /// The network that is looked into.
    fn network(&self) -> Trained {
        let run = self.record.runs.iter().find(|run| run.task == Task::Cnn).unwrap();
        Trained::read(&self.dir(run).path().join(TensorFile::Model.name())).unwrap()
    }
}

#[test]
fn what_is_found_inside_agrees_with_the_network() {
    let done = Done::new(&small());
    let mut trained = done.network();
    assert_eq!(trained.data.as_deref(), Some("mnist"));
    let set = inkling_data::load("mnist", &Sources::new(None)).unwrap();
    let test = set.test.take(300);
    for run in done.inside() {
        match &run.spec {
            RunSpec::Train(judge) => assert_eq!((run.title.as_str(), judge.seed), ("judge", 2)),
            RunSpec::Filters(_) => {
                let (found, arrays): (FiltersOutcome, _) = done.outcome(run);
                let names: Vec<&str> = found.layers.iter().map(|layer| layer.name.as_str()).collect();
                assert_eq!(names, ["trunk.1", "trunk.3", "trunk.5"]);
                let weights = trained.network.state_dict(StateKind::Values);
                for layer in &found.layers {
                    let kinds = [layer.kinds, layer.by_chance];
                    let slices = (layer.channels * layer.filters) as f64;
                    for kinds in kinds {
                        let all = kinds.near_zero + kinds.edges + kinds.blobs + kinds.others;
                        assert!((all - slices).abs() < 1e-6, "{kinds:?}");
                    }
                    let [height, width] = layer.kernel;
                    let shape = [height, width, layer.channels, layer.filters];
                    let weight: Vec<f32> = arrays.values(&format!("weight/{}", layer.name), &shape).unwrap();
                    let own = weights.iter().find(|array| array.name == format!("{}.weight", layer.name));
                    assert_eq!(weight, own.unwrap().values);
                }
            }
            RunSpec::Activations(_) => {
                let (found, arrays): (ActivationsOutcome, _) = done.outcome(run);
                assert_eq!(found.test_images, 300);
                for (i, image) in found.images.iter().enumerate() {
                    let class = [2, 9][i];
                    assert_eq!((image.class, image.predicted, image.target), (Some(class), class, class));
                    assert_eq!(usize::from(test.labels[image.index.unwrap()]), class);
                    let pixels: Vec<u8> = arrays.values("images", &[2, 28, 28, 1]).unwrap();
                    assert_eq!(&pixels[i * 784..][..784], test.images.image(image.index.unwrap()));
                    // Completeness of integrated gradients, but for the error of the sum over its path.
                    let whole = image.logit - image.black_logit;
                    let error = (image.integrated_sum - whole).abs();
                    assert!(error < 0.05 * whole.abs(), "{image:?}");
                }
                for layer in &found.layers {
                    let [height, width, channels] = layer.shape;
                    let y: Vec<f32> = arrays
                        .values(&format!("layer/{}", layer.name), &[2, height, width, channels])
                        .unwrap();
                    assert!(y.iter().all(|y| *y >= 0.0), "after its ReLU");
                    assert!(layer.dead.unwrap() <= channels && layer.differing.len() == channels);
                    // A dead channel is dead in these two images too, and silence is a share.
                    let alive = |channel: usize| y.iter().skip(channel).step_by(channels).any(|y| *y != 0.0);
                    let silent = (0..channels).filter(|&channel| !alive(channel)).count();
                    assert!(silent >= layer.dead.unwrap());
                    assert!(
                        layer.zeros_of.iter().chain(&layer.zeros).all(|zeros| (0.0..=1.0).contains(zeros))
                    );
                    let differences: Vec<f32> =
                        arrays.values(&format!("difference/{}", layer.name), &[channels]).unwrap();
                    assert!(layer.differing.windows(2).all(|w| differences[w[0]] >= differences[w[1]]));
                }
            }
            RunSpec::Dream(dream) => {
                let (found, arrays): (DreamOutcome, _) = done.outcome(run);
                let n = dream.pictures.len();
                assert_eq!(found.pictures.len(), n);
                let pictures: Vec<f32> = arrays.values("pictures", &[n, 28, 28, 1]).unwrap();
                assert!(pictures.iter().all(|x| (0.0..=1.0).contains(x)));
                let frames: Vec<f32> = arrays.values("frames", &[dream.ascent.frames, n, 28, 28, 1]).unwrap();
                assert_eq!(frames[frames.len() - pictures.len()..], pictures, "the last frame is the dream");
                let mut workspace = trained.network.workspace(n, false);
                trained.network.forward(&pictures, false, &mut workspace);
                let logits = workspace.logits(0).chunks_exact(10);
                for ((found, logits), picture) in found.pictures.iter().zip(logits).zip(&dream.pictures) {
                    assert!(found.after.objective > found.before.objective, "{}: {found:?}", run.title);
                    if let inkling_schema::Objective::ClassLogit { class, .. } = picture.objective {
                        assert_eq!(found.after.logit, Some(f64::from(logits[class])));
                        assert!(found.judge.is_some_and(|judge| judge.probability.is_some()));
                    }
                }
            }
            _ => panic!("{run:?} is no run of task 5"),
        }
    }
    let purposes: Vec<&DreamPurpose> = done
        .inside()
        .filter_map(|run| match &run.spec {
            RunSpec::Dream(dream) => Some(&dream.purpose),
            _ => None,
        })
        .collect();
    let first = [DreamPurpose::Seeds { class: 2 }, DreamPurpose::Seeds { class: 9 }, DreamPurpose::Classes];
    assert!(purposes.iter().zip(&first).all(|(found, expected)| *found == expected), "{purposes:?}");

    // The network that was read is the network that was trained.
    let mut workspace = trained.network.workspace(100, false);
    let labels = [&test.labels[..]];
    let images = Dataset::new(&test.images.pixels, &labels);
    let judged = evaluate(&mut trained.network, &mut workspace, images, |_, _| {})[0];
    let training = done.record.runs.iter().find(|run| run.task == Task::Cnn).unwrap();
    let (outcome, _) = done.outcome::<inkling_schema::outcome::TrainOutcome>(training);
    assert_eq!(judged.correct, outcome.epochs.last().unwrap().test.correct);
}

#[test]
fn classes_and_images_that_do_not_exist_are_named_before_anything_is_trained() {
    let refused = |change: &dyn Fn(&mut Study)| {
        let mut study = small();
        change(&mut study);
        let folder = tempfile::tempdir().unwrap();
        match run(&study, folder.path()) {
            Err(LabError::Look(error)) => {
                assert!(!folder.path().join("study.json").exists(), "nothing is begun");
                error
            }
            other => panic!("{other:?}"),
        }
    };
    let error = refused(&|study| study.inside.as_mut().unwrap().classes = [2, 10]);
    assert!(matches!(error, LookError::NoClass { class: 10, last: 9, .. }), "{error:?}");
    let error = refused(&|study| study.inside.as_mut().unwrap().images = Some([5, 300]));
    assert!(matches!(error, LookError::NoImage { index: 300, last: 299 }), "{error:?}");
}

#[test]
fn files_that_hold_no_network_are_told_from_networks() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let writer = store.begin("plain", &"nothing").unwrap();
    let model = |metadata: inkling_store::Metadata| {
        let numbers = [1.0_f32, 2.0];
        let tensor = inkling_store::Tensor::new("trunk.1.weight", &[2], &numbers);
        writer.write_tensors(TensorFile::Model, &[tensor], &metadata).unwrap();
        Trained::read(&store.run("plain").path().join(TensorFile::Model.name())).unwrap_err()
    };
    let none = model(inkling_store::Metadata::new());
    assert!(matches!(none, LabError::Look(LookError::NotAModel { .. })), "{none:?}");
    let text = |json: &str| inkling_store::Metadata::from([("model".into(), json.into())]);
    let nonsense = model(text("{}"));
    assert!(matches!(nonsense, LabError::Look(LookError::NotAModel { .. })), "{nonsense:?}");
    let nothing = model(text(r#"{"input": [0, 1, 1], "trunk": [], "heads": []}"#));
    assert!(matches!(nothing, LabError::Look(LookError::NotAModel { .. })), "{nothing:?}");
    let impossible = model(text(r#"{"input": [1, 1, 1], "trunk": [], "heads": []}"#));
    assert!(matches!(impossible, LabError::Look(LookError::CannotBeBuilt { .. })), "{impossible:?}");
    let dense = |units: u64| {
        text(&format!(
            r#"{{"input": [2, 1, 1], "trunk": [{{"layer": "flatten"}}], "heads": [{{"name": "class",
            "layers": [{{"layer": "dense", "units": {units}, "initializer": "he-uniform"}}]}}]}}"#
        ))
    };
    let huge = model(dense(1 << 30));
    assert!(matches!(huge, LabError::Look(LookError::NotAModel { .. })), "{huge:?}");
    let other = model(dense(3));
    assert!(matches!(other, LabError::Look(LookError::WrongTensor { .. })), "{other:?}");
}
