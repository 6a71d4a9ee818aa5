//! What can be asked of a trained network that cannot be answered.

use std::path::PathBuf;

use inkling_spec::ModelError;
use miette::Diagnostic;
use thiserror::Error;

/// Why a network cannot be looked into as asked.
#[derive(Debug, Error, Diagnostic)]
pub enum LookError {
    /// A tensor file that holds no network.
    #[error("`{}` holds no trained network: {reason}", .path.display())]
    #[diagnostic(help("trained networks lie in OUT/runs/*/model.safetensors of a study that trained some"))]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: String,
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
    #[error("the network knows no class {class}")]
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
    #[diagnostic(help("cut or scale it to that size"))]
    ImageSize {
        /// What the image is called.
        image: String,
        /// Its size.
        found: String,
        /// The network's.
        expected: String,
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
    #[error("no test image of class {class} is classified rightly, so none is typical")]
    #[diagnostic(help("name an image by its number, or train the network longer"))]
    NoTypicalImage {
        /// The class.
        class: usize,
    },

    /// An image of a set, and no set.
    #[error("it is not known which data set the network was trained on")]
    #[diagnostic(help("name an image file instead of a test image, or start a dream from noise"))]
    NoDataSet,
}
