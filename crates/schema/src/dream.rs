//! Dreams: pictures that a trained network is made to see, composed of a start, a parametrisation, transforms, an
//! objective, regularisers and an ascent (Mordvintsev, Olah and Tyka 2015; Olah, Mordvintsev and Schubert 2017).

use serde::{Deserialize, Serialize};

use crate::numbers::{count, decay, degrees, deviation, frames, positive, share};
use crate::run::ImageChoice;
use crate::training::Optimizer;

/// What a dream raises. Layers go by their names in files ("trunk.3", "class.1"); a ReLU right after a dense or
/// convolutional layer is part of that layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Objective {
    /// The score (logit) of a class.
    ClassLogit {
        /// Name of the head.
        head: String,
        /// The class.
        class: usize,
    },
    /// The logarithm of the softmax probability of a class, whose gradient does not vanish where the probability does.
    ClassProbability {
        /// Name of the head.
        head: String,
        /// The class.
        class: usize,
    },
    /// One number of a layer's output.
    Neuron {
        /// Name of the layer.
        layer: String,
        /// Row, column and channel in an image; the unit's number in a vector.
        position: Vec<usize>,
    },
    /// The mean of a channel over its image, or a unit of a vector.
    Channel {
        /// Name of the layer.
        layer: String,
        /// The channel or unit.
        channel: usize,
    },
    /// The mean square of a layer's output: what the original deep dream amplifies.
    LayerMeanSquare {
        /// Name of the layer.
        layer: String,
    },
}

/// What a dream begins with. A level is a pixel's, from 0 (black) to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Start {
    /// One level everywhere.
    Grey {
        /// The level.
        #[serde(deserialize_with = "share")]
        level: f64,
    },
    /// One level, and normal noise on the parameters.
    Noise {
        /// The level.
        #[serde(deserialize_with = "share")]
        level: f64,
        /// Standard deviation of the noise.
        #[serde(deserialize_with = "deviation")]
        deviation: f64,
    },
    /// An image.
    Image {
        /// Which.
        image: ImageChoice,
    },
}

/// What the numbers are that the ascent changes. A pixel is always the logistic function of a sum of them, so that it
/// stays between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Parametrisation {
    /// A number for each pixel.
    Pixels,
    /// A number for each wave of the real Fourier basis, scaled by its frequency to the power of −decay, which moves the
    /// ascent's steps from fine grain to large shapes.
    Fourier {
        /// The power.
        #[serde(deserialize_with = "decay")]
        decay: f64,
    },
}

/// What is done to the picture before the network sees it, drawn anew in every step, so that what the network sees is
/// there wherever it looks. What comes in from outside the picture is black.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Transform {
    /// Rolls the picture by up to so many pixels along each side.
    Jitter {
        /// Pixels.
        #[serde(deserialize_with = "count")]
        pixels: usize,
    },
    /// Turns the picture by up to so many degrees, either way.
    Rotation {
        /// Degrees.
        #[serde(deserialize_with = "degrees")]
        degrees: f64,
    },
    /// Enlarges or shrinks the picture by up to this share.
    Scale {
        /// The share.
        #[serde(deserialize_with = "share")]
        share: f64,
    },
}

/// What is taken off the objective.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Regulariser {
    /// weight · mean of x² over all numbers of the picture: light costs.
    L2 {
        /// The weight.
        #[serde(deserialize_with = "positive")]
        weight: f64,
    },
    /// weight · mean over the pixels of √(|∇x|² + ε²), the total variation (Rudin, Osher and Fatemi 1992): edges cost.
    TotalVariation {
        /// The weight.
        #[serde(deserialize_with = "positive")]
        weight: f64,
    },
}

/// How pictures are made to raise their objectives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AscentSpec {
    /// Steps.
    #[serde(deserialize_with = "count")]
    pub steps: usize,
    /// Step size.
    #[serde(deserialize_with = "positive")]
    pub learning_rate: f64,
    /// How a gradient becomes a step.
    pub optimizer: Optimizer,
    /// What the ascent changes.
    pub parametrisation: Parametrisation,
    /// What is done to the picture before the network sees it, in this order.
    pub transforms: Vec<Transform>,
    /// What is taken off the objective.
    pub regularisers: Vec<Regulariser>,
    /// Pictures of the way that are kept, the first and the last among them.
    #[serde(deserialize_with = "frames")]
    pub frames: usize,
}

/// One picture of a dream run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DreamPicture {
    /// What it raises.
    pub objective: Objective,
    /// What it begins with.
    pub start: Start,
    /// Which of the random streams it draws from: pictures of one number draw alike.
    pub number: u32,
}
