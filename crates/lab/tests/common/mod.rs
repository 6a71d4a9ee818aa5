//! What the tests of training share: a small set of made-up images, a small network of every kind of layer, and ears.
#![allow(dead_code, reason = "no test uses all of it")]

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use inkling_data::{DataSet, Images, Samples, catalogue};
use inkling_engine::random::RngStream;
use inkling_lab::{Event, LabError, Observer, train};
use inkling_schema::outcome::{PlannedRun, RunResult, TrainOutcome};
use inkling_schema::{
    DataSlice, Head, Initializer, Labels, LayerSpec, ModelSpec, Optimizer, Padding, RunSpec, Schedule, Task,
    TrainRun, TrainingPrecision, TrainingSpec, ValidationSpec, Weighting,
};
use inkling_store::{RunDir, Store};

const SIDE: usize = 8;
const CLASSES: u8 = 4;

/// Made-up images of four classes: noise, brighter in a quarter of the image that tells the class.
pub(crate) fn set(train: usize, test: usize) -> DataSet {
    let mut stream = RngStream::new(5, "images");
    let mut samples = |count: usize| {
        let labels: Vec<u8> = (0..count).map(|_| stream.random_range(u32::from(CLASSES)) as u8).collect();
        let mut pixels = Vec::new();
        for label in &labels {
            for place in 0..SIDE * SIDE {
                let quarter = place / SIDE / 4 * 2 + place % SIDE / 4;
                let light = if quarter == usize::from(*label) { 60 } else { 0 };
                pixels.push((stream.random_range(196) + light) as u8);
            }
        }
        Samples { images: Images { count, height: SIDE, width: SIDE, channels: 1, pixels }, labels }
    };
    let (train, test) = (samples(train), samples(test));
    DataSet {
        about: catalogue::find("mnist").unwrap().into(),
        train,
        test,
        validation: None,
        checksum: "made up".into(),
    }
}

/// The same with training labels of chance: all that can be learnt is the images by heart, and the validation loss rises.
pub(crate) fn chance_set(train: usize, test: usize) -> DataSet {
    let mut set = set(train, test);
    let mut stream = RngStream::new(1, "chance");
    set.train.labels.iter_mut().for_each(|label| *label = stream.random_range(u32::from(CLASSES)) as u8);
    set
}

/// A network with every kind of layer, two of which keep something of their own: random streams and running means.
pub(crate) fn model() -> ModelSpec {
    let initializer = Initializer::HeUniform;
    let convolution = LayerSpec::Conv2d {
        filters: 4,
        kernel_size: [3, 3],
        stride: [1, 1],
        padding: Padding::Same,
        initializer,
    };
    let trunk = vec![
        convolution,
        LayerSpec::BatchNorm { epsilon: 1e-5, momentum: 0.1 },
        LayerSpec::Relu,
        LayerSpec::MaxPool { pool_size: [2, 2], stride: [2, 2] },
        LayerSpec::Flatten,
        LayerSpec::Dense { units: 16, initializer },
        LayerSpec::Relu,
        LayerSpec::Dropout { rate: 0.3 },
    ];
    let output = LayerSpec::Dense { units: usize::from(CLASSES), initializer: Initializer::GlorotUniform };
    ModelSpec { input: [SIDE, SIDE, 1], trunk, heads: vec![Head::new("class", vec![output])] }
}

/// Adam under a cosine, seven steps and a short one in an epoch of 150 images.
pub(crate) fn training(epochs: usize) -> TrainingSpec {
    TrainingSpec {
        epochs,
        batch_size: 20,
        learning_rate: 0.01,
        schedule: Schedule::Cosine { last: 0.1 },
        optimizer: Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
        log_every: 3,
        warmup_steps: None,
        clip_norm: None,
        validation: None,
        augmentation: None,
        class_weights: None,
        precision: TrainingPrecision::Float32,
    }
}

/// The training of [`model`] on a set.
pub(crate) fn planned(set: &DataSet, training: TrainingSpec) -> PlannedRun {
    let data = DataSlice { set: "mnist".into(), train_images: set.train.len(), test_images: set.test.len() };
    let spec = RunSpec::Train(TrainRun::of_classes(data, model(), training, 3));
    PlannedRun::new(spec.id(&set.checksum), Task::Cnn, "small", spec)
}

/// A run with validation, so that there are best weights to lose.
pub(crate) fn with_validation(set: &DataSet, epochs: usize, patience: Option<usize>) -> PlannedRun {
    let validation = Some(ValidationSpec { images: 30, own: false, patience });
    planned(set, TrainingSpec { validation, ..training(epochs) })
}

/// The training of [`model`] with a second head that says which half of the classes an image is of, under a weighting.
pub(crate) fn two_headed(set: &DataSet, training: TrainingSpec, weighting: Weighting) -> PlannedRun {
    let RunSpec::Train(mut spec) = planned(set, training).spec else { unreachable!("a training") };
    let layers = vec![LayerSpec::Dense { units: 2, initializer: Initializer::GlorotUniform }];
    spec.model.heads.push(Head::new("half", layers));
    // Of the ten classes that the catalogue knows, the made-up images are of the first four.
    spec.labels = vec![Labels::Classes, Labels::Groups(vec![0, 0, 1, 1, 0, 0, 0, 0, 0, 0])];
    (spec.weighting, spec.gradients_every) = (weighting, Some(5));
    let spec = RunSpec::Train(spec);
    PlannedRun::new(spec.id(&set.checksum), Task::Multitask, "two", spec)
}

/// A weighting of every kind.
pub(crate) fn weightings() -> Vec<Weighting> {
    vec![
        Weighting::Fixed { weights: vec![0.25, 0.75] },
        Weighting::Fixed { weights: vec![1.0, 0.0] },
        Weighting::Uncertainty { learning_rate: 0.01 },
        Weighting::GradNorm { alpha: 1.5, learning_rate: 0.01 },
        Weighting::PcGrad,
    ]
}

/// Remembers what it hears, and asks for the end after so many steps.
pub(crate) struct Ear {
    heard: Mutex<Vec<String>>,
    left: AtomicUsize,
    /// Whether a checkpoint follows every step.
    keeps_all: bool,
    /// Whether it wants weights and gradients after each epoch.
    wants_weights: bool,
}

impl Ear {
    pub(crate) fn new() -> Self {
        Ear::until(usize::MAX)
    }

    pub(crate) fn until(steps: usize) -> Self {
        Ear {
            heard: Mutex::new(Vec::new()),
            left: AtomicUsize::new(steps),
            keeps_all: false,
            wants_weights: false,
        }
    }

    /// The same, but with a checkpoint after every step.
    pub(crate) fn that_keeps_all(self) -> Self {
        Ear { keeps_all: true, ..self }
    }

    /// The same, but with weights and gradients after each epoch.
    pub(crate) fn that_wants_weights(self) -> Self {
        Ear { wants_weights: true, ..self }
    }

    /// The events that begin with this word.
    pub(crate) fn all(&self, word: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|event| event.starts_with(word)).cloned().collect()
    }

    pub(crate) fn count(&self, word: &str) -> usize {
        self.all(word).len()
    }
}

impl Observer for Ear {
    fn event(&self, event: Event) {
        if event == Event::Advanced {
            let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        }
        self.heard.lock().unwrap().push(format!("{event:?}"));
    }

    fn interrupted(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    fn wants_weights(&self) -> bool {
        self.wants_weights
    }

    fn checkpoint_is_due(&self, _: Duration) -> bool {
        self.keeps_all
    }
}

/// Trains into the folder `out`.
pub(crate) fn train_in(out: &Path, run: &PlannedRun, set: &DataSet, ear: &Ear) -> Result<(), LabError> {
    train(run, set, &Store::open(out).unwrap(), ear)
}

/// The run's folder in `out`.
pub(crate) fn dir(out: &Path, run: &PlannedRun) -> RunDir {
    Store::open(out).unwrap().run(run.id.as_ref())
}

/// What a run found, without its times, which differ, and without its machine.
pub(crate) fn outcome(dir: &RunDir) -> TrainOutcome {
    let result: RunResult<TrainOutcome> = dir.finished().unwrap().expect("a finished run");
    TrainOutcome { train_seconds: 0.0, test_seconds: 0.0, ..result.outcome }
}

/// Everything of a finished run that must be the same whenever it is done again.
#[derive(Debug, PartialEq)]
pub(crate) struct Finished {
    pub(crate) outcome: TrainOutcome,
    pub(crate) model: Vec<u8>,
    pub(crate) arrays: Vec<u8>,
    pub(crate) metrics: String,
}

pub(crate) fn finished(dir: &RunDir) -> Finished {
    let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
    Finished {
        outcome: outcome(dir),
        model: read("model.safetensors"),
        arrays: read("arrays.safetensors"),
        metrics: String::from_utf8(read("metrics.jsonl")).unwrap(),
    }
}

/// Trains without interruption in a folder of its own.
pub(crate) fn uninterrupted(run: &PlannedRun, set: &DataSet) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    train_in(folder.path(), run, set, &Ear::new()).unwrap();
    finished(&dir(folder.path(), run))
}

/// The weights in a model's file, without what it says of them.
pub(crate) fn weights(model: &[u8]) -> &[u8] {
    let header = u64::from_le_bytes(model[..8].try_into().unwrap()) as usize;
    &model[8 + header..]
}
