//! Task 5 in a study file: looking inside a network.

use serde::{Deserialize, Serialize};

use crate::dream::{AscentSpec, Start};
use crate::numbers::{count, exactly, integration_steps, positive, seed, share, side_by_side, some_exactly};

/// Task 5: filters, activations and dreams of one network of task 4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsideTask {
    /// Name of the network among those of task 4, or of the one that a study trains alone.
    pub network: String,
    /// The two classes that are looked at closely and compared.
    #[serde(deserialize_with = "exactly")]
    pub classes: [u8; 2],
    /// Numbers of the test images that stand for the two classes; where not given, the typical ones.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_exactly")]
    pub images: Option<[usize; 2]>,
    /// How the filters' patterns are told apart.
    pub filters: PatternSpec,
    /// Steps of the integrated gradients' path from black to the image.
    #[serde(deserialize_with = "integration_steps")]
    pub integration_steps: usize,
    /// The independently trained network that is asked what it sees in the dreams; none is where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<JudgeSpec>,
    /// What dreams are made for; everything where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dreams: Option<Vec<DreamKind>>,
    /// Dreams of one class that are set side by side, each from its own noise.
    #[serde(deserialize_with = "side_by_side")]
    pub seeds: usize,
    /// What dreams of a class begin with.
    pub start: Start,
    /// How dreams of a class are made.
    pub dream: AscentSpec,
    /// How the two images are changed to amplify what a layer sees in them.
    pub amplify: AscentSpec,
    /// Whether the network of every seed of the study dreams of each class, and not that of the first alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_seeds: bool,
}

impl InsideTask {
    /// Whether dreams of a kind are made.
    pub fn asks_for(&self, kind: DreamKind) -> bool {
        self.dreams.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }
}

/// What dreams are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DreamKind {
    /// The two classes, from several seeds each.
    Seeds,
    /// Every class once.
    Classes,
    /// The two classes with parts of the method left out.
    Ablation,
    /// The two classes from other starts.
    Starts,
    /// The two images, changed to amplify what each convolution sees in them.
    Amplified,
}

/// How the patterns of filters are told apart. A slice is what a filter does to one channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternSpec {
    /// A slice is near zero if its root mean square is below this share of its layer's.
    #[serde(deserialize_with = "share")]
    pub near_zero: f64,
    /// It is an edge if the larger eigenvalue of its structure tensor is at least so many times the smaller.
    #[serde(deserialize_with = "positive")]
    pub edge_ratio: f64,
    /// It is a blob if it is no edge and |Σ w| is at least this share of Σ |w|.
    #[serde(deserialize_with = "share")]
    pub blob_share: f64,
    /// Filters of each layer of which every slice is to be shown.
    #[serde(deserialize_with = "count")]
    pub whole: usize,
}

/// What the judge is called among the networks of task 5.
pub const JUDGE: &str = "judge";

/// A network like the one looked into, trained independently of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeSpec {
    /// Seed of its initial weights and of the order of its images.
    #[serde(with = "seed")]
    pub seed: u64,
    /// Passes over the training images.
    #[serde(deserialize_with = "count")]
    pub epochs: usize,
}

impl JudgeSpec {
    /// The seed of a judge of the network from this seed: its own, or the next where the two would be one network.
    pub fn seed_beside(&self, seed: u64) -> u64 {
        if self.seed == seed { seed.wrapping_add(1) } else { self.seed }
    }
}
