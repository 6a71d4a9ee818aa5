//! A run: one fit, or one look into what was fitted, with every hyperparameter resolved, and the id that names it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::outcome::Diverged;
use crate::{
    AscentSpec, DreamPicture, ModelSpec, PatternSpec, PerceptronRule, Precision, Schedule, TrainingSpec,
    Weighting,
};

/// The images a run is fitted and tested on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSlice {
    /// Name of the data set in the catalogue.
    pub set: String,
    /// The first so many training images.
    pub train_images: usize,
    /// The first so many test images.
    pub test_images: usize,
}

/// One fit or look, everything that decides its outcome written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RunSpec {
    /// Principal components of the training images.
    Pca(PcaRun),
    /// Lines and hyperplanes between every two classes.
    Separability(SeparabilityRun),
    /// One perceptron between two classes.
    Perceptron(PerceptronRun),
    /// A network trained by gradient descent.
    Train(TrainRun),
    /// The same for a point of a sweep: it is judged on its validation images, and sees no test image.
    Trial(TrainRun),
    /// The best point of a sweep, on the test images.
    Choice(ChoiceRun),
    /// The filters of a trained network.
    Filters(FiltersRun),
    /// What a trained network makes of some images.
    Activations(ActivationsRun),
    /// Pictures that a trained network is made to see.
    Dream(DreamRun),
    /// Whether what several seeds of one network learnt looks alike.
    Likeness(LikenessRun),
    /// A trained network as the report's page has it.
    PageNetwork(PageNetworkRun),
    /// Images as the report's page has them.
    PageImages(PageImagesRun),
}

/// A PCA fit: exact, so nothing in it is random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PcaRun {
    /// The images.
    pub data: DataSlice,
    /// Components kept.
    pub components: usize,
    /// Numbers of components from which some images are rebuilt.
    pub reconstructions: Vec<usize>,
    /// The first so many training images, kept beside the embedding as pictures.
    pub pictures: usize,
}

/// The search for separating lines (in the plane of the first two components) and hyperplanes (in all pixels).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeparabilityRun {
    /// The images.
    pub data: DataSlice,
    /// Directions tried in the plane before the best is refined.
    pub directions: usize,
    /// Passes after which the search for a hyperplane is given up.
    pub max_passes: usize,
    /// The classes that are compared with each other, in rising order; all where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<u8>,
}

/// One perceptron: class `a` is −1, class `b` is 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerceptronRun {
    /// The images.
    pub data: DataSlice,
    /// The class labelled −1.
    pub a: u8,
    /// The class labelled 1.
    pub b: u8,
    /// The optimise function.
    pub rule: PerceptronRule,
    /// Step size of an update.
    pub learning_rate: f64,
    /// Passes after which training stops.
    pub max_iterations: usize,
    /// Share of misclassified training images at which training stops.
    pub tolerance: f64,
    /// Seed of the initial weights and of the order of the images.
    pub seed: u64,
}

/// A network trained on images with pixels scaled to x/255.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainRun {
    /// The images.
    pub data: DataSlice,
    /// The network.
    pub model: ModelSpec,
    /// How it is trained.
    pub training: TrainingSpec,
    /// Seed of the initial weights, of the order of the images, of dropout and of the validation split.
    pub seed: u64,
    /// What each head is to say, in the order of the heads.
    #[serde(default = "the_classes", skip_serializing_if = "are_the_classes")]
    pub labels: Vec<Labels>,
    /// How the heads' losses become one.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub weighting: Weighting,
    /// Steps between two looks at what stands still in the largest dense layer and at the heads' gradients on the shared
    /// layers, the first at the first step; none where not given. Gradients are left out where fewer than two heads are
    /// trained or the weighting itself compares them on the last shared layer in every step, as GradNorm does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradients_every: Option<usize>,
}

impl TrainRun {
    /// The training of a network whose one head says the class.
    pub fn of_classes(data: DataSlice, model: ModelSpec, training: TrainingSpec, seed: u64) -> TrainRun {
        let (labels, weighting, gradients_every) = (the_classes(), Weighting::default(), None);
        TrainRun { data, model, training, seed, labels, weighting, gradients_every }
    }
}

impl TrainRun {
    /// What may help a training that diverged, by the hyperparameters that it most likely owes it to, in words: "a smaller
    /// `learning_rate` may help".
    pub fn advice(&self, diverged: Diverged) -> String {
        let helps = match (diverged, &self.weighting) {
            (Diverged::Weighting, Weighting::Uncertainty { .. }) => {
                vec!["a smaller `learning_rate` of the weighting by uncertainty"]
            }
            (Diverged::Weighting, Weighting::GradNorm { .. }) => {
                vec!["a smaller `learning_rate` or `alpha` of GradNorm"]
            }
            (_, weighting) => {
                let mut helps = self.training.optimizer.unsteady();
                helps.push("a smaller `learning_rate`");
                if matches!(self.training.schedule, Schedule::Step { factor, .. } if factor > 1.0) {
                    helps.push("a smaller `factor` of its schedule");
                }
                if matches!(weighting, Weighting::Fixed { weights } if weights.iter().any(|&weight| weight > 1.0))
                {
                    helps.push("smaller weights of the losses");
                }
                helps
            }
        };
        format!("{} may help", helps.join(" or "))
    }
}

/// The choice of a point of a sweep by the validation images of its trainings, and the one look at the test images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceRun {
    /// The images.
    pub data: DataSlice,
    /// The trainings of each point, one for each seed of the study.
    pub points: Vec<Vec<RunId>>,
}

/// What a head is to say of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// Its class.
    Classes,
    /// The group of its class, by class.
    Groups(Vec<u8>),
}

fn the_classes() -> Vec<Labels> {
    vec![Labels::Classes]
}

fn are_the_classes(labels: &[Labels]) -> bool {
    labels == [Labels::Classes]
}

fn is_usual(weighting: &Weighting) -> bool {
    *weighting == Weighting::default()
}

impl Labels {
    /// The head's labels for images of these classes.
    ///
    /// # Panics
    /// If a class is beyond those that are grouped.
    pub fn of(&self, classes: &[u8]) -> Vec<u8> {
        match self {
            Labels::Classes => classes.to_vec(),
            Labels::Groups(groups) => classes.iter().map(|&class| groups[usize::from(class)]).collect(),
        }
    }
}

/// An image to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ImageChoice {
    /// Of the test images of this class that are classified rightly (where there are none, of all images of it), the one whose
    /// scores are nearest (Euclid) to the mean of the scores of all of these; of equally near ones the first.
    Typical {
        /// The class.
        class: u8,
    },
    /// The test image of this number, from 0.
    Index {
        /// The number.
        index: usize,
    },
    /// An image that a person brings.
    File {
        /// Its name, for captions.
        name: String,
        /// SHA-256 of the file, in hexadecimal.
        checksum: String,
        /// Whether its dark and light are exchanged.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        inverted: bool,
    },
}

/// The filters of a trained network, layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiltersRun {
    /// The network.
    pub of: RunId,
    /// How patterns are told apart.
    pub patterns: PatternSpec,
}

/// What a trained network makes of some images: the output of every convolution, what each pixel has to do with the
/// score, and, over all test images, how much of each layer is silent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationsRun {
    /// The network.
    pub of: RunId,
    /// The data set whose test images are looked at; without it, only images that a person brings.
    pub data: Option<DataSlice>,
    /// The images.
    pub images: Vec<ImageChoice>,
    /// Name of the head that says what the images are; the first where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// What that head should say of test images; where not given, the first one their classes, and of another one it is
    /// not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// Steps of the integrated gradients' path from black to the image.
    pub integration_steps: usize,
}

impl ActivationsRun {
    /// What the head that is asked should say of test images, where that is known.
    pub fn labels(&self) -> Option<&Labels> {
        match (&self.labels, &self.head) {
            (Some(labels), _) => Some(labels),
            (None, None) => Some(&Labels::Classes),
            (None, Some(_)) => None,
        }
    }
}

/// Some dreams, made together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DreamRun {
    /// The network that dreams.
    pub of: RunId,
    /// The independently trained network that is asked what it sees in them.
    pub judge: Option<RunId>,
    /// The data set whose test images dreams may begin with.
    pub data: Option<DataSlice>,
    /// What the dreams are there to show.
    pub purpose: DreamPurpose,
    /// The dreams. All look at one layer.
    pub pictures: Vec<DreamPicture>,
    /// How they are made.
    pub ascent: AscentSpec,
    /// Seed of their random streams.
    pub seed: u64,
}

/// Whether the filters of the first convolution, and the dreams of each class, of one network from several seeds look alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LikenessRun {
    /// The networks, one from each seed of the study.
    pub of: Vec<RunId>,
    /// The dreams of every class by each of these, in the same order; empty where not every seed dreams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dreams: Vec<RunId>,
    /// Comparisons by chance that each pair of networks is set beside.
    pub shuffles: usize,
    /// Seed of these.
    pub seed: u64,
}

/// A trained network in the form in which the report's page has it, and how many answers this form changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageNetworkRun {
    /// The network.
    pub of: RunId,
    /// The images; the answers are compared on those for testing.
    pub data: DataSlice,
    /// The precision of its weights.
    pub precision: Precision,
}

/// Images of a data set from which the report's page takes those that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageImagesRun {
    /// The images.
    pub data: DataSlice,
    /// The first so many test images.
    pub test: usize,
    /// So many training images, drawn at random, of each class as large a share as it has.
    pub train: usize,
    /// Seed of the draw.
    pub seed: u64,
}

/// What a dream run is there to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DreamPurpose {
    /// One class from several seeds.
    Seeds {
        /// The class.
        class: u8,
    },
    /// Every class once, from one seed.
    Classes,
    /// The two classes with some parts of the method left out.
    Ablation {
        /// The parts that are there, in words: "nothing", "total variation alone", "everything".
        with: String,
    },
    /// The two classes from another start.
    Start,
    /// The two images, changed to amplify what a layer sees in them.
    Amplify {
        /// The layer.
        layer: String,
    },
    /// What a person asked for.
    Asked,
}

/// Names a run's folder: the first 16 hexadecimal digits of the SHA-256 of the canonical spec and the data checksum. It
/// becomes a path, so nothing else is read as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl TryFrom<String> for RunId {
    type Error = String;

    fn try_from(text: String) -> Result<RunId, String> {
        let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 16 && text.bytes().all(is_digit) {
            Ok(RunId(text))
        } else {
            Err(format!("a run's id is 16 lower-case hexadecimal digits, and {text:?} is not"))
        }
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> String {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for RunId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl RunId {
    /// The id that stands for a file with this SHA-256, in hexadecimal: its first 16 digits.
    ///
    /// # Panics
    /// If it has fewer.
    pub fn of_file(sha256: &str) -> RunId {
        RunId::try_from(sha256[..16].to_owned()).expect("a SHA-256 is written in lower-case digits")
    }
}

impl RunSpec {
    /// Whether it is there for the report's page alone.
    pub fn is_for_the_page(&self) -> bool {
        matches!(self, RunSpec::PageNetwork(_) | RunSpec::PageImages(_))
    }

    /// The images of the run, if it has any to do with a data set.
    pub fn data(&self) -> Option<&DataSlice> {
        match self {
            RunSpec::Pca(run) => Some(&run.data),
            RunSpec::Separability(run) => Some(&run.data),
            RunSpec::Perceptron(run) => Some(&run.data),
            RunSpec::Train(run) | RunSpec::Trial(run) => Some(&run.data),
            RunSpec::Choice(run) => Some(&run.data),
            RunSpec::Filters(_) => None,
            RunSpec::Activations(run) => run.data.as_ref(),
            RunSpec::Dream(run) => run.data.as_ref(),
            RunSpec::Likeness(_) => None,
            RunSpec::PageNetwork(run) => Some(&run.data),
            RunSpec::PageImages(run) => Some(&run.data),
        }
    }

    /// SHA-256, in hexadecimal, of the canonical spec (JSON, keys sorted, shortest round-trip numbers) together with
    /// the checksum of the data set. Two runs with one hash have one outcome.
    pub fn hash(&self, data_checksum: &str) -> String {
        // `serde_json::Value` keeps its keys sorted, so the order of fields in the types above is free to change.
        let canonical = serde_json::to_value(self).expect("a run spec is plain data").to_string();
        let digest = Sha256::digest(format!("{canonical}\n{data_checksum}"));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The id of the run on a data set with this checksum.
    pub fn id(&self, data_checksum: &str) -> RunId {
        RunId(self.hash(data_checksum)[..16].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> PerceptronRun {
        PerceptronRun {
            data: DataSlice { set: "mnist".into(), train_images: 60_000, test_images: 10_000 },
            a: 3,
            b: 5,
            rule: PerceptronRule::Online,
            learning_rate: 0.1,
            max_iterations: 1000,
            tolerance: 1e-3,
            seed: 1,
        }
    }

    #[test]
    fn the_id_is_stable_between_versions_of_the_program() {
        assert_eq!(RunSpec::Perceptron(run()).id("abc").as_ref(), "9d9efc99d7f9531c");
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_id() {
        let read = |text: &str| serde_json::from_value::<RunId>(text.into());
        let id = RunSpec::Perceptron(run()).id("abc");
        assert_eq!(read(id.as_ref()).unwrap(), id);
        assert_eq!(serde_json::to_value(&id).unwrap(), "9d9efc99d7f9531c");
        for text in [
            "",
            ".",
            "../../0123456789",
            "/123456789abcdef",
            "0123456789abcde",
            "0123456789abcdef0",
            "0123456789ABCDEF",
            "0123456789abcde\0",
            "0123456789abcde ",
            "é123456789abcde",
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("16 lower-case hexadecimal digits"), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_id_changes_with_any_hyperparameter_and_with_the_data() {
        let base = RunSpec::Perceptron(run()).id("abc");
        let changed = [
            RunSpec::Perceptron(PerceptronRun { learning_rate: 0.2, ..run() }).id("abc"),
            RunSpec::Perceptron(PerceptronRun { seed: 2, ..run() }).id("abc"),
            RunSpec::Perceptron(run()).id("abd"),
        ];
        assert!(changed.iter().all(|id| *id != base));
    }
}
