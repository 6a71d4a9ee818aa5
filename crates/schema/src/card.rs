//! What the file of a trained network says of it beside layers and weights: a model card (Mitchell et al. 2019).

use serde::{Deserialize, Serialize};

use crate::outcome::Evaluation;
use crate::own::FitSpec;
use crate::run::TrainRun;

/// A model card, as JSON under the key `card` in the metadata of a model's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The program that wrote it, with its version.
    pub program: String,
    /// The images that the network was trained on.
    pub data: CardData,
    /// How an image becomes the network's input.
    pub preparation: Preparation,
    /// What each head says, in the order of the heads.
    pub heads: Vec<CardHead>,
    /// What the tensors under the layers' own names are.
    #[serde(default)]
    pub weights: Weights,
    /// The training, with every hyperparameter.
    pub run: TrainRun,
}

/// The images that a network was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CardData {
    /// The name that studies use.
    pub name: String,
    /// The name to print.
    pub title: String,
    /// Identifies every byte of the set.
    pub checksum: String,
}

/// How an image becomes the network's input: it gets this size and number of channels, and its bytes are divided by 255.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Height and width.
    pub size: [usize; 2],
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// How an image of another shape gets the size.
    pub fit: FitSpec,
    /// Mean brightness, from 0 to 1, of the training images' outermost pixels and of all of them.
    pub brightness: [f64; 2],
}

/// What a head says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CardHead {
    /// Name of the head.
    pub name: String,
    /// Names of its classes, by score.
    pub classes: Vec<String>,
    /// How it does on the test images; none where its training diverged before its first epoch ended.
    pub test: Option<Evaluation>,
}

/// Weights of a training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// Those after the last epoch.
    #[default]
    Last,
    /// Those of the epoch with the lowest loss on the validation images.
    Best,
}

impl Weights {
    pub(crate) fn are_last(&self) -> bool {
        *self == Weights::Last
    }
}
