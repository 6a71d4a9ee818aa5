//! Tasks 3 and 4 in a study file: lists of networks in few words, each of which stands for a whole [`ModelSpec`].

use serde::{Deserialize, Serialize};

use crate::model::{Head, Initializer, LayerSpec, ModelSpec, Padding};
use crate::names::{check_names, check_sentence};
use crate::numbers::counts;
use crate::training::TrainingSpec;

/// Task 3: multilayer perceptrons of several depths, trained alike. Pixels are scaled to x/255.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpTask {
    /// Name of the data set in the catalogue.
    pub data: String,
    /// How weights start.
    pub initializer: InitializerPair,
    /// How every network is trained.
    pub training: TrainingSpec,
    /// The networks.
    pub networks: Vec<MlpSpec>,
}

/// Task 4: convolutional networks of several depths, trained alike. Pixels are scaled to x/255.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CnnTask {
    /// Name of the data set in the catalogue.
    pub data: String,
    /// What the convolutions do at the border.
    pub padding: Padding,
    /// How weights start.
    pub initializer: InitializerPair,
    /// How every network is trained.
    pub training: TrainingSpec,
    /// The networks.
    pub networks: Vec<CnnSpec>,
}

/// How the weights of hidden and of output layers start; biases start at zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitializerPair {
    /// Layers followed by ReLU.
    pub hidden: Initializer,
    /// The layer that gives the scores.
    pub output: Initializer,
}

/// A multilayer perceptron with ReLU between its layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpSpec {
    /// What figures and tables call it.
    pub name: String,
    /// What it is there to show.
    pub why: String,
    /// Units of each hidden layer.
    #[serde(deserialize_with = "counts")]
    pub hidden: Vec<usize>,
}

/// A convolutional network: convolutions with ReLU, then one dense layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CnnSpec {
    /// What figures and tables call it.
    pub name: String,
    /// What it is there to show.
    pub why: String,
    /// Filters of each convolution.
    #[serde(deserialize_with = "counts")]
    pub filters: Vec<usize>,
    /// Side of each convolution's kernels.
    #[serde(deserialize_with = "counts")]
    pub kernels: Vec<usize>,
    /// Step of each convolution, down and to the right.
    #[serde(deserialize_with = "counts")]
    pub strides: Vec<usize>,
}

/// Name of the only head of the networks of tasks 3 and 4.
const HEAD: &str = "class";

fn output(classes: usize, initializer: InitializerPair) -> Vec<Head> {
    vec![Head::new(HEAD, vec![LayerSpec::Dense { units: classes, initializer: initializer.output }])]
}

impl MlpSpec {
    /// The network for images of this shape [height, width, channels] and so many classes.
    pub fn model(&self, input: [usize; 3], classes: usize, initializer: InitializerPair) -> ModelSpec {
        let hidden =
            |&units: &usize| [LayerSpec::Dense { units, initializer: initializer.hidden }, LayerSpec::Relu];
        let trunk = std::iter::once(LayerSpec::Flatten).chain(self.hidden.iter().flat_map(hidden));
        ModelSpec { input, trunk: trunk.collect(), heads: output(classes, initializer) }
    }
}

impl CnnSpec {
    /// The network for images of this shape [height, width, channels] and so many classes.
    pub fn model(
        &self,
        input: [usize; 3],
        classes: usize,
        padding: Padding,
        initializer: InitializerPair,
    ) -> ModelSpec {
        let shapes = self.filters.iter().zip(&self.kernels).zip(&self.strides);
        let convolutions = shapes.flat_map(|((&filters, &kernel), &stride)| {
            let (kernel, stride) = ([kernel; 2], [stride; 2]);
            [
                LayerSpec::Conv2d {
                    filters,
                    kernel_size: kernel,
                    stride,
                    padding,
                    initializer: initializer.hidden,
                },
                LayerSpec::Relu,
            ]
        });
        let trunk = convolutions.chain([LayerSpec::Flatten]).collect();
        ModelSpec { input, trunk, heads: output(classes, initializer) }
    }
}

/// What is wrong with the networks of a task: (number of the network, its key, message, help).
type Wrong = (usize, &'static str, String, String);

/// Refuses what is no name, two networks that look alike by their names, and a reason that cannot be printed.
fn check_words<'a>(networks: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Result<(), Wrong> {
    let names = networks.clone().map(|(name, _)| name);
    check_names("a network", names).map_err(|(number, message, help)| (number, "name", message, help))?;
    for (number, (_, why)) in networks.enumerate() {
        check_sentence(why).map_err(|(message, help)| (number, "why", message, help))?;
    }
    Ok(())
}

impl MlpTask {
    /// What single keys cannot know of each other.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        check_words(self.networks.iter().map(|network| (network.name.as_str(), network.why.as_str())))
    }
}

impl CnnTask {
    /// What single keys cannot know of each other.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        check_words(self.networks.iter().map(|network| (network.name.as_str(), network.why.as_str())))?;
        for (number, network) in self.networks.iter().enumerate() {
            let depth = network.filters.len();
            for (key, length) in [("kernels", network.kernels.len()), ("strides", network.strides.len())] {
                if length != depth {
                    let message = format!("{length} {key} for {depth} convolutions");
                    let help = "`filters`, `kernels` and `strides` have an entry for each convolution".into();
                    return Err((number, key, message, help));
                }
            }
        }
        Ok(())
    }
}
