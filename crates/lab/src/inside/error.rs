//! What can be asked of a trained network that cannot be answered.

use std::path::PathBuf;

use inkling_schema::ModelError;
use miette::Diagnostic;
use thiserror::Error;

/// Why a network cannot be looked into as asked.
#[derive(Debug, Error, Diagnostic)]
pub enum LookError {
    /// A tensor file that holds no network.
    #[error("`{}` holds no trained network: {reason}", .path.display())]
    #[diagnostic(help(
        "give the folder of a study that trained networks, or the file of one: OUT/runs/*/model.safetensors. Networks of \
         other programs are not converted"
    ))]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },

    /// A model file without a tensor that its network needs, or with another one in its place.
    #[error("`{}` does not hold the tensor `{name}` as expected: {reason}", .path.display())]
    #[diagnostic(help(
        "the file was changed, or made by another program. Weights are f32 tensors under their layers' names, as in \
         OUT/runs/*/model.safetensors of a study"
    ))]
    WrongTensor {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        name: String,
        /// What was expected and what is there.
        reason: String,
    },

    /// A head of which it is not known what it says.
    #[error(
        "it is not known which test images belong to the classes of the head `{head}`, so no image is typical of a class"
    )]
    #[diagnostic(help(
        "give the network in its study's folder, which says what each head was trained on, or name an image by its \
         number with --index"
    ))]
    NoLabels {
        /// The head.
        head: String,
    },

    /// A network whose layers do not fit each other.
    #[error("the network in `{}` cannot be built: {problem}", .path.display())]
    #[diagnostic(help("the file was damaged, or made by another program"))]
    CannotBeBuilt {
        /// The file.
        path: PathBuf,
        /// Its first layer that does not fit, and why.
        problem: Box<ModelError>,
    },

    /// The best weights of a network that was trained without validation images.
    #[error("`{}` holds no best weights", .path.display())]
    #[diagnostic(help(
        "the best epoch is chosen by validation images: give the task of the study a [….training.validation] with \
         `images`, or use the last weights (`--weights last`)"
    ))]
    NoBestWeights {
        /// The file.
        path: PathBuf,
    },

    /// A judge that is not independent of the network that it judges.
    #[error(
        "the judge of task 5 starts from the seed {seed}, as does the network `{network}`, which it is to judge"
    )]
    #[diagnostic(help(
        "the judge must be an independently trained network: give `inside.judge.seed` another number than the study's `seed`"
    ))]
    JudgeIsTheNetwork {
        /// The seed of both.
        seed: u64,
        /// The network's name.
        network: String,
    },

    /// A class that is looked at and is not among the test images.
    #[error("none of the {images} test images shows class {class} ({name}), which task 5 uses")]
    #[diagnostic(help(
        "raise `data.test_images`, or choose other `inside.classes`: the test images show {known}"
    ))]
    NoTestImage {
        /// The class.
        class: u8,
        /// Its name.
        name: String,
        /// The test images used.
        images: usize,
        /// The classes that there are images of.
        known: String,
    },

    /// Filters of a network that has none.
    #[error("the network has no convolutions, so it has no filters to show")]
    #[diagnostic(help("its layers are {layers}; `activations` and `dream` work with any network"))]
    NoConvolutions {
        /// Names of the layers that there are.
        layers: String,
    },

    /// A layer that does not exist.
    #[error("the network has no layer `{layer}`")]
    #[diagnostic(help("its layers are {known}"))]
    NoLayer {
        /// What was asked for.
        layer: String,
        /// Names and shapes of the layers that there are.
        known: String,
    },

    /// A head that does not exist.
    #[error("the network has no head `{head}`")]
    #[diagnostic(help("its heads are {known}"))]
    NoHead {
        /// What was asked for.
        head: String,
        /// Names of the heads that there are.
        known: String,
    },

    /// A class that does not exist.
    #[error("the network has no class {class}")]
    #[diagnostic(help("its head `{head}` has the classes 0 to {last}{names}"))]
    NoClass {
        /// What was asked for.
        class: usize,
        /// The head.
        head: String,
        /// The last class.
        last: usize,
        /// Their names, where they are known.
        names: String,
    },

    /// A channel or a place that a layer does not have.
    #[error("the layer `{layer}` has no {what}")]
    #[diagnostic(help("its output is {shape}{hint}"))]
    NoUnit {
        /// The layer.
        layer: String,
        /// What was asked for.
        what: String,
        /// Its output's shape.
        shape: String,
        /// How a place is given.
        hint: &'static str,
    },

    /// Pictures of one run whose objectives look at several layers.
    #[error("the dreams of one run look at one layer, not at `{one}` and `{other}`")]
    #[diagnostic(help("make them in two runs"))]
    SeveralLayers {
        /// The first picture's layer.
        one: String,
        /// Another's.
        other: String,
    },

    /// An image of a size that the network does not take.
    #[error("{image} has {found} (height × width × channels), the network takes {expected}")]
    #[diagnostic(help("{}", if *.of_set { "name the set that the network was trained on, or give pictures of that size" } else { "cut or scale it to that size" }))]
    ImageSize {
        /// What the image is called.
        image: String,
        /// Its size.
        found: String,
        /// The network's.
        expected: String,
        /// Whether it is of a data set, whose images nobody cuts.
        of_set: bool,
    },

    /// A test image that does not exist.
    #[error("there is no test image {index}")]
    #[diagnostic(help("the set has the test images 0 to {last}"))]
    NoImage {
        /// What was asked for.
        index: usize,
        /// The last one.
        last: usize,
    },

    /// No image stands for a class.
    #[error("there is no test image of class {class}, so no image is typical of it")]
    #[diagnostic(help("name an image by its number, or choose another class"))]
    NoTypicalImage {
        /// The class.
        class: usize,
    },

    /// An image of a set, and no set.
    #[error("it is not known which data set the network was trained on")]
    #[diagnostic(help("name an image file instead of a test image, or start a dream from noise"))]
    NoDataSet,
}
