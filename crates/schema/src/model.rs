//! Networks as data: a trunk of layers and one or more heads, every hyperparameter written down.

use serde::{Deserialize, Serialize};

use crate::names::check_names;
use crate::numbers::{count, epsilon_of_variance, positive, share, sides, some_share};
use crate::parse::SpecError;

/// A network: images go through the trunk, and what comes out of it through each head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Shape of an image: height, width, channels; zeros where the network leaves it open.
    #[serde(default, skip_serializing_if = "is_open", deserialize_with = "sides")]
    pub input: [usize; 3],
    /// Layers that all heads share.
    pub trunk: Vec<LayerSpec>,
    /// Outputs; a network for one task has one.
    pub heads: Vec<Head>,
}

/// The shape of a network that leaves its images open.
const OPEN: [usize; 3] = [0; 3];

fn is_open(input: &[usize; 3]) -> bool {
    *input == OPEN
}

fn is_zero(units: &usize) -> bool {
    *units == 0
}

/// Layers that lead from the trunk to the scores of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Name of the task.
    pub name: String,
    /// Layers; the last gives a score (logit) for each class, or another number for each output.
    pub layers: Vec<LayerSpec>,
    /// What is made smaller; where not given, the cross-entropy of classes.
    #[serde(default, skip_serializing_if = "Loss::is_default")]
    pub loss: Loss,
}

impl Head {
    /// A head that tells classes apart by cross-entropy.
    pub fn new(name: impl Into<String>, layers: Vec<LayerSpec>) -> Head {
        Head { name: name.into(), layers, loss: Loss::default() }
    }
}

/// What a head is trained to make small, of a batch as the mean over its samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Loss {
    /// Of classes: the cross-entropy of the softmax of the scores (Goodfellow, Bengio and Courville 2016, section 6.2.2.3).
    CrossEntropy {
        /// Share of a target that is spread evenly over all classes (Szegedy et al. 2016).
        #[serde(default, deserialize_with = "share")]
        label_smoothing: f64,
    },
    /// Of numbers: the mean over the outputs of the squared differences.
    MeanSquaredError,
    /// Of outputs that each say yes or no: the mean over them of the cross-entropy of their sigmoid.
    BinaryCrossEntropy,
}

impl Default for Loss {
    fn default() -> Self {
        Loss::CrossEntropy { label_smoothing: 0.0 }
    }
}

impl Loss {
    /// Whether it is what a head has that says nothing of it.
    fn is_default(&self) -> bool {
        *self == Loss::default()
    }

    /// Whether the head's outputs are scores of classes.
    pub fn is_of_classes(&self) -> bool {
        matches!(self, Loss::CrossEntropy { .. })
    }

    /// Its name in prose.
    pub fn name(&self) -> &'static str {
        match self {
            Loss::CrossEntropy { .. } => "cross-entropy",
            Loss::MeanSquaredError => "mean squared error",
            Loss::BinaryCrossEntropy => "binary cross-entropy",
        }
    }

    /// What labels it needs, in prose.
    pub fn labels(&self) -> &'static str {
        match self {
            Loss::CrossEntropy { .. } => "a class for each image",
            Loss::MeanSquaredError => "a number for each output",
            Loss::BinaryCrossEntropy => "a number from 0 to 1 for each output",
        }
    }
}

/// A layer. Aliases are the keys of version 0.1, which model files of that version hold; network files with them are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerSpec {
    /// y = W·x + b on vectors.
    Dense {
        /// Length of y; 0 where the network leaves it open.
        #[serde(default, skip_serializing_if = "is_zero", deserialize_with = "count")]
        units: usize,
        /// How W starts; b starts at zero.
        #[serde(alias = "initial")]
        initializer: Initializer,
    },
    /// Cross-correlation of an image with filters, and a bias for each.
    Conv2d {
        /// Channels of the output; 0 where the network leaves them open.
        #[serde(default, skip_serializing_if = "is_zero", deserialize_with = "count")]
        filters: usize,
        /// Height and width of a filter.
        #[serde(alias = "kernel", deserialize_with = "sides")]
        kernel_size: [usize; 2],
        /// Steps down and to the right between two places of a filter.
        #[serde(deserialize_with = "sides")]
        stride: [usize; 2],
        /// What happens at the border.
        padding: Padding,
        /// How the filters start; biases start at zero.
        #[serde(alias = "initial")]
        initializer: Initializer,
    },
    /// The largest value of each window, channel by channel, without padding.
    MaxPool {
        /// Height and width of a window.
        #[serde(alias = "size", deserialize_with = "sides")]
        pool_size: [usize; 2],
        /// Steps down and to the right between two windows.
        #[serde(deserialize_with = "sides")]
        stride: [usize; 2],
    },
    /// The mean of each window, channel by channel, without padding (LeCun et al. 1998).
    AvgPool {
        /// Height and width of a window.
        #[serde(deserialize_with = "sides")]
        pool_size: [usize; 2],
        /// Steps down and to the right between two windows.
        #[serde(deserialize_with = "sides")]
        stride: [usize; 2],
    },
    /// The mean of each channel of an image, as a vector (Lin, Chen and Yan 2014).
    GlobalAvgPool,
    /// An image as a vector, channels fastest.
    Flatten,
    /// max(0, x) (Nair and Hinton 2010).
    Relu,
    /// x where it is positive, else slope · x (Maas, Hannun and Ng 2013).
    LeakyRelu {
        /// Slope below zero.
        #[serde(deserialize_with = "share")]
        slope: f64,
    },
    /// x where it is positive, else alpha · (eˣ − 1) (Clevert, Unterthiner and Hochreiter 2016).
    Elu {
        /// What large negative numbers become, with a minus before it.
        #[serde(deserialize_with = "positive")]
        alpha: f64,
    },
    /// x · Φ(x) (Hendrycks and Gimpel 2016).
    Gelu,
    /// x · σ(x), also called Swish (Hendrycks and Gimpel 2016; Ramachandran, Zoph and Le 2017).
    Silu,
    /// σ(x) = 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// Sets values to zero at random while training and scales the others up (Srivastava et al. 2014).
    Dropout {
        /// Share of values set to zero.
        #[serde(deserialize_with = "share")]
        rate: f64,
    },
    /// Normalises each channel over the batch, then scales and shifts it (Ioffe and Szegedy 2015).
    BatchNorm {
        /// What is added to the variance.
        #[serde(deserialize_with = "epsilon_of_variance")]
        epsilon: f64,
        /// Share of a batch's mean and variance in the running ones that evaluation uses.
        #[serde(deserialize_with = "some_share")]
        momentum: f64,
    },
    /// Normalises each vector, or the channels of each pixel, then scales and shifts it (Ba, Kiros and Hinton 2016).
    LayerNorm {
        /// What is added to the variance.
        #[serde(deserialize_with = "epsilon_of_variance")]
        epsilon: f64,
    },
    /// A residual block (He et al. 2016): what its layers make of x, plus x.
    Residual {
        /// The layers that x also goes through.
        layers: Vec<LayerSpec>,
        /// Where given, x is added through a linear projection of its own, which brings it into the shape of what the layers
        /// give: a convolution of single pixels or a dense layer, whose weights start so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        projection: Option<Initializer>,
    },
    /// An activation of a program's own: whoever builds the network brings it under this name.
    Custom {
        /// The name.
        activation: String,
    },
}

impl LayerSpec {
    /// The kind's name, as files write it.
    pub fn kind(&self) -> &'static str {
        match self {
            LayerSpec::Dense { .. } => "dense",
            LayerSpec::Conv2d { .. } => "conv2d",
            LayerSpec::MaxPool { .. } => "max-pool",
            LayerSpec::AvgPool { .. } => "avg-pool",
            LayerSpec::GlobalAvgPool => "global-avg-pool",
            LayerSpec::Flatten => "flatten",
            LayerSpec::Relu => "relu",
            LayerSpec::LeakyRelu { .. } => "leaky-relu",
            LayerSpec::Elu { .. } => "elu",
            LayerSpec::Gelu => "gelu",
            LayerSpec::Silu => "silu",
            LayerSpec::Sigmoid => "sigmoid",
            LayerSpec::Tanh => "tanh",
            LayerSpec::Dropout { .. } => "dropout",
            LayerSpec::BatchNorm { .. } => "batch-norm",
            LayerSpec::LayerNorm { .. } => "layer-norm",
            LayerSpec::Residual { .. } => "residual",
            LayerSpec::Custom { .. } => "custom",
        }
    }

    /// Height and width of its windows, and the steps between two, if it pools windows of an image.
    pub(crate) fn pooling(&self) -> Option<([usize; 2], [usize; 2])> {
        match *self {
            LayerSpec::MaxPool { pool_size, stride } | LayerSpec::AvgPool { pool_size, stride } => {
                Some((pool_size, stride))
            }
            _ => None,
        }
    }

    /// Whether it is a function of each number by itself that changes no shape.
    pub fn is_activation(&self) -> bool {
        use LayerSpec::{Custom, Elu, Gelu, LeakyRelu, Relu, Sigmoid, Silu, Tanh};
        matches!(self, Relu | LeakyRelu { .. } | Elu { .. } | Gelu | Silu | Sigmoid | Tanh | Custom { .. })
    }
}

/// How weights start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initializer {
    /// Uniform in ±√(6 / inputs), for layers followed by ReLU (He et al. 2015).
    HeUniform,
    /// Uniform in ±√(6 / (inputs + outputs)), for output layers (Glorot and Bengio 2010).
    GlorotUniform,
}

/// What a convolution does at the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// Zeros around the image so that the output has ⌈size / stride⌉ pixels a side, the odd one at the end, as
    /// TensorFlow computes it.
    Same,
    /// Filters stay inside the image.
    Valid,
}

impl ModelSpec {
    /// Reads a network from TOML text; `file` is the name that errors show.
    ///
    /// # Errors
    /// The first thing wrong in the text, with line, key, what was expected and the nearest valid key. Whether the
    /// layers fit each other is the question of [`ModelSpec::plan`].
    pub fn from_toml(file: &str, text: &str) -> Result<ModelSpec, SpecError> {
        let spec: ModelSpec = crate::parse::from_toml(file, text)?;
        // Tensors, figures and tables are called after the heads.
        let names = spec.heads.iter().map(|head| head.name.as_str());
        check_names("a head", names).map_err(|(number, message, help)| {
            let path = ["heads".to_owned(), number.to_string(), "name".to_owned()];
            SpecError::at_key(file, text, &path, &message, help)
        })?;
        Ok(spec)
    }

    /// Fills in what the network leaves open: the shape of its images, and the scores of its heads.
    pub fn fill_in(&mut self, input: [usize; 3], classes: usize) {
        if is_open(&self.input) {
            self.input = input;
        }
        self.scores().filter(|scores| is_zero(scores)).for_each(|scores| *scores = classes);
    }

    /// The same network with its images and the scores of its heads left open.
    #[must_use]
    pub fn left_open(mut self) -> ModelSpec {
        self.input = OPEN;
        self.scores().for_each(|scores| *scores = 0);
        self
    }

    /// The number of scores of each head, which its last dense layer or convolution gives.
    fn scores(&mut self) -> impl Iterator<Item = &mut usize> {
        self.heads.iter_mut().filter_map(|head| {
            head.layers.iter_mut().rev().find_map(|layer| match layer {
                LayerSpec::Dense { units, .. } => Some(units),
                LayerSpec::Conv2d { filters, .. } => Some(filters),
                _ => None,
            })
        })
    }
}
