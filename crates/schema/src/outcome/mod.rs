//! What runs report: the outcome of each kind of run, and the record that every run leaves beside it.

mod inside;
mod jobs;
mod page;
mod peers;
mod sweep;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{RunId, RunSpec, Study, Task, Weights};

pub use inside::{
    ActivationLayer, ActivationsOutcome, DreamFound, DreamLikeness, DreamOutcome, FilterKinds, FilterLayer,
    FilterLikeness, FiltersOutcome, LikenessOutcome, LookedAt, PairLikeness, Seen,
};
pub use jobs::RunFailure;
pub use page::{PageImagesOutcome, PageNetworkOutcome};
pub use peers::{PEERS_FILE, PeerCount, PeerCounts, PeerHead, PeerLibrary, PeerNetwork};
pub use sweep::{ChoiceOutcome, ChoiceTest, HeadValidated, Score, TrialEpoch, TrialOutcome, best};

/// The contents of a finished run's `result.json`, but for the checksums of its neighbours, which the store adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult<O> {
    /// The whole SHA-256 of the spec and the data, of which the run's id is the beginning.
    pub spec_hash: String,
    /// Checksum of the data set.
    pub data_checksum: String,
    /// The program that made the run.
    pub version: String,
    /// Digest of the program's sources that compute (the first 12 hexadecimal digits of a SHA-256); absent in what older
    /// programs made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<String>,
    /// The machine that made the run.
    pub machine: Machine,
    /// Other programs and machines, which did parts of the run before those above ended it. Empty where one did it all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Origin>,
    /// Wall-clock seconds from the run's start to its end.
    pub seconds: f64,
    /// When it ended, in UTC, as RFC 3339 writes it; absent in what older programs made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<String>,
    /// What was found.
    pub outcome: O,
}

impl<O> RunResult<O> {
    /// Every program and machine that did a part of the run, the one that ended it last.
    pub fn origins(&self) -> Vec<Origin> {
        let (version, sources, machine) = (self.version.clone(), self.sources.clone(), self.machine.clone());
        self.earlier.iter().cloned().chain([Origin { version, sources, machine }]).collect()
    }
}

/// What a result comes from: a program and the machine that it ran on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The program's version.
    pub version: String,
    /// Digest of its sources that compute; absent in what older programs made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<String>,
    /// The machine.
    pub machine: Machine,
}

/// A machine, as far as results and times depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's own name.
    pub cpu: String,
    /// Threads that computed.
    pub threads: usize,
    /// Instructions that networks were computed with: "avx512", "avx2" or "portable".
    pub instructions: String,
}

/// Outcome of a PCA run; the model and the embedding lie beside it as tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PcaOutcome {
    /// Images the model was fitted on.
    pub samples: usize,
    /// Pixels in an image.
    pub features: usize,
    /// Sum of the variances of all pixels.
    pub total_variance: f64,
    /// Share of the total variance of each component kept, largest first.
    pub explained_variance_ratio: Vec<f64>,
    /// Seconds to fit the model and to project the training images.
    pub fit_seconds: f64,
}

/// Outcome of a separability run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeparabilityOutcome {
    /// Every pair of classes a < b, in lexicographic order.
    pub pairs: Vec<PairSeparability>,
}

/// Whether two classes can be separated by a line in the plane of the first two principal components, and by a
/// hyperplane in all pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairSeparability {
    /// The smaller class.
    pub a: u8,
    /// The larger class.
    pub b: u8,
    /// Training images of the two classes.
    pub images: usize,
    /// Whether the convex hulls of the two classes are disjoint in the plane (exact).
    pub separable_in_plane: bool,
    /// Share of the training images on the right side of the best line found in the plane.
    pub plane_accuracy: f64,
    /// Whether a hyperplane without an error on the training images was found. `false` is no proof that none exists.
    pub separable_in_full_space: bool,
    /// The fewest training images on the wrong side of a hyperplane that was found.
    pub full_space_errors: usize,
    /// Passes over the training images until that hyperplane was found.
    pub full_space_passes: usize,
}

/// Outcome of a perceptron run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PerceptronOutcome {
    /// Passes over the training images.
    pub iterations: usize,
    /// Whether training stopped because the error had come down to the tolerance.
    pub converged: bool,
    /// Training images.
    pub train_images: usize,
    /// Training images classified rightly.
    pub train_correct: usize,
    /// Test images.
    pub test_images: usize,
    /// Test images classified rightly.
    pub test_correct: usize,
    /// The pass, from 1, in which the weights stopped being finite, and training with it: what stands above is of the pass
    /// before, or of the weights at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverged: Option<usize>,
}

/// One line of a perceptron run's `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PerceptronPass {
    /// Passes over the training images so far.
    pub iteration: usize,
    /// Share of the training images misclassified after this pass.
    pub train_error: f64,
}

/// Outcome of training a network. `model.safetensors` holds the last weights that were finite, and the best ones where
/// there is a validation split; `arrays.safetensors` the scores on the test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainOutcome {
    /// Trainable parameters of the network.
    pub parameters: usize,
    /// Steps taken.
    pub steps: usize,
    /// Each epoch that ended, in order.
    pub epochs: Vec<EpochOutcome>,
    /// Seconds of training steps, over all epochs and sittings.
    pub train_seconds: f64,
    /// Seconds to classify the test images once: the median over the epochs.
    pub test_seconds: f64,
    /// Where the loss stopped being finite, and training with it.
    pub diverged: Option<Divergence>,
    /// The epoch with the lowest loss on the validation images, where there are any.
    pub best_epoch: Option<usize>,
    /// Whether training ended before its last epoch because the validation loss fell no more.
    pub stopped_early: bool,
    /// The weights that are the network's: where training may stop early, those of the best epoch, as `restore_best_weights`
    /// of Keras keeps them; else those after the last.
    #[serde(default, skip_serializing_if = "Weights::are_last")]
    pub weights: Weights,
}

impl TrainOutcome {
    /// The epoch after which the network had the weights that are kept; `None` where none ended or training diverged,
    /// whatever came before.
    pub fn kept(&self) -> Option<&EpochOutcome> {
        if self.diverged.is_some() {
            return None;
        }
        let best = self.best_epoch.filter(|_| self.weights == Weights::Best);
        match best {
            Some(best) => self.epochs.iter().find(|epoch| epoch.epoch == best),
            None => self.epochs.last(),
        }
    }
}

/// The first step whose loss was NaN or infinite, or after which nothing finite could follow, counted from 1 over all epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step, from 1.
    pub step: usize,
    /// What stopped being finite.
    #[serde(default, skip_serializing_if = "Diverged::is_network")]
    pub what: Diverged,
}

/// What stopped being finite in a training run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Diverged {
    /// The network: its loss, its weights or its learning rate.
    #[default]
    Network,
    /// The weights of the heads' losses, which are trained apart from it.
    Weighting,
}

impl Diverged {
    fn is_network(&self) -> bool {
        *self == Diverged::Network
    }
}

/// The network after an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochOutcome {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Steps so far.
    pub step: usize,
    /// On all images trained on.
    pub train: Evaluation,
    /// On all validation images, where there are any.
    pub validation: Option<Evaluation>,
    /// On all test images.
    pub test: Evaluation,
    /// The same of each further head, in order; what stands above is the first one's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<HeadOutcome>,
}

/// A further head after an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeadOutcome {
    /// On all images trained on.
    pub train: Evaluation,
    /// On all validation images, where there are any.
    pub validation: Option<Evaluation>,
    /// On all test images.
    pub test: Evaluation,
}

/// How a network does on some images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Images.
    pub images: usize,
    /// Images classified rightly.
    pub correct: usize,
    /// Mean cross-entropy.
    pub loss: f64,
}

impl Evaluation {
    /// Share of the images classified rightly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }
}

/// One line of a training run's `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TrainingLine {
    /// The steps since the last such line.
    Steps(StepsLine),
    /// An epoch ended.
    Epoch(EpochOutcome),
    /// An epoch ended of a training that sees no test image.
    Trial(TrialEpoch),
    /// How the heads' gradients on the shared layers lay to each other at a step.
    Gradients(GradientsLine),
    /// How much of the network stood still at a step.
    Idle(IdleLine),
}

/// The heads' gradients on the parameters of the shared layers, each of its own mean cross-entropy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GradientsLine {
    /// Steps so far.
    pub step: usize,
    /// Euclidean norm of each head's gradient; zero for a head that is not trained.
    pub norms: Vec<f64>,
    /// Cosine of the angle between the first two heads' gradients; absent where either is zero.
    pub cosine: Option<f64>,
    /// The same for every pair of trained heads, where there are more than two heads; empty where there are two, of which
    /// `cosine` says all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<HeadPair>,
}

/// How the gradients of two heads lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeadPair {
    /// Number of the first head.
    pub a: usize,
    /// Number of the second head, which is larger.
    pub b: usize,
    /// Cosine of the angle between their gradients; absent where either is zero.
    pub cosine: Option<f64>,
}

/// What stands still in the largest dense layer: weights whose first moment, under an optimiser with momentum, has come
/// down to exactly zero because nothing has moved them for some hundreds of steps. A panel is 32 of its units together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdleLine {
    /// Steps so far.
    pub step: usize,
    /// Name of the layer.
    pub layer: String,
    /// Share of the row-panels (an input's weights to a panel of units) whose weights the optimiser leaves as they are.
    pub idle_panels: f64,
    /// Share of the units of which that holds for every weight: no image has woken them.
    pub dead_units: f64,
    /// Share of the inputs of which it does: they were zero in every image.
    pub silent_inputs: f64,
}

/// Loss and accuracy over some steps, each batch judged before its own step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepsLine {
    /// Steps so far, over all epochs.
    pub step: usize,
    /// Mean cross-entropy: of several heads the sum, each times its weight. What a weighting adds to it for its own weights
    /// (uncertainty adds half the sum of its logarithms) is left out.
    pub loss: f64,
    /// Share of the images classified rightly, by the first head that is trained.
    pub accuracy: f64,
    /// The learning rate of the last of the steps.
    pub learning_rate: f64,
    /// With several heads, each one's own, of which what stands above is: the weighted sum of the losses, and the first
    /// head's accuracy. Empty with one head.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<HeadSteps>,
}

/// A head over some steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeadSteps {
    /// Mean cross-entropy; absent for a head that is not trained.
    pub loss: Option<f64>,
    /// Share of the images classified rightly; absent for a head that is not trained.
    pub accuracy: Option<f64>,
    /// The mean of its weights in the loss.
    pub weight: f64,
}

/// What a reader of results needs to know of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSetFacts {
    /// Title as a person writes it.
    pub title: String,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Numbers of a pixel: 1 in grey, 3 in colour.
    #[serde(default = "grey", skip_serializing_if = "is_grey")]
    pub channels: usize,
    /// Names of the classes, by label.
    pub classes: Vec<String>,
    /// Checksum of the data set.
    pub checksum: String,
    /// Training and test images that the whole set has, of which a study may use fewer; absent where an older program made
    /// the study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<[usize; 2]>,
}

fn grey() -> usize {
    1
}

fn is_grey(channels: &usize) -> bool {
    *channels == grey()
}

impl DataSetFacts {
    /// The shape of an image in a file: height, width, and the channels after these where there are several.
    pub fn image_shape(&self) -> Vec<usize> {
        let mut shape = vec![self.height, self.width];
        shape.extend((self.channels > 1).then_some(self.channels));
        shape
    }
}

/// The contents of `study.json`: what was asked, and which runs answer it. Whatever reads a finished study starts here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyRecord {
    /// Name of the preset, or of the study file with its ending.
    pub preset: String,
    /// The program that made it.
    pub version: String,
    /// The machine that made it.
    pub machine: Machine,
    /// Wall-clock seconds of computing, over all runs and sittings.
    pub seconds: f64,
    /// The study, resolved.
    pub study: Study,
    /// The data sets used, by name.
    pub data: BTreeMap<String, DataSetFacts>,
    /// The runs, in the order in which a reader meets them.
    pub runs: Vec<PlannedRun>,
}

/// The contents of `checks.json`: what must hold between finished runs, and whether it does. There where a study has task 6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// Each two-headed network with all the weight on one head, beside the single-task network of that head.
    pub same_bits: Vec<SameBits>,
}

/// Two networks that were trained from the same start on the same batches for the same loss, so that what they share must
/// end alike to the bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SameBits {
    /// The run of the single-task network.
    pub single: RunId,
    /// The run of the two-headed one.
    pub two_headed: RunId,
    /// Numbers in the single-task network's model, all of which were compared.
    pub numbers: usize,
    /// Tensors that differ, or that the two-headed network lacks; none where all is well.
    pub differing: Vec<String>,
}

/// A run of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedRun {
    /// Name of its folder.
    pub id: RunId,
    /// The task that it belongs to.
    pub task: Task,
    /// What it is called: a network's name, a pair of classes.
    pub title: String,
    /// What it does.
    pub spec: RunSpec,
    /// The seed of the study that it belongs to, where that is another one than the first. The runs of one seed have the same
    /// titles as those of another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl PlannedRun {
    /// A run of this id, for the first seed of its study.
    pub fn new(id: RunId, task: Task, title: impl Into<String>, spec: RunSpec) -> PlannedRun {
        PlannedRun { id, task, title: title.into(), spec, seed: None }
    }

    /// Its title after its task and, where the study has several, with its seed, which tells all runs apart: `cnn 3 conv`,
    /// `cnn 3 conv, seed 2`.
    pub fn full_title(&self) -> String {
        format!("{} {}", self.task.name(), self.name())
    }

    /// Its title and, where it is not of the first seed of its study, its seed, which tells the runs of a task apart: `3 conv`,
    /// `3 conv, seed 2`.
    pub fn name(&self) -> String {
        self.seed.map_or_else(|| self.title.clone(), |seed| format!("{}, seed {seed}", self.title))
    }
}
