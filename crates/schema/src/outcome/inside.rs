//! What looking inside a network finds. Images lie in `arrays.safetensors`, rows first, channels last.

use serde::{Deserialize, Serialize};

/// Outcome of looking at filters. A slice is what a filter does to one channel. For each convolution, by its layer's name,
/// `arrays.safetensors` holds
/// - `weight/NAME` f32 [kernel height, kernel width, channels, filters],
/// - `norm/NAME` f32 [channels, filters], the Euclidean norm of each slice,
/// - `kind/NAME` u8 [channels, filters], each slice's kind: 0 near zero, 1 edge, 2 blob, 3 none of these,
/// - `coherence/NAME` f32 [channels, filters], (λ₁ − λ₂) / (λ₁ + λ₂) of each slice's structure tensor, 0 for a flat one,
/// - `largest/NAME` u32 `[filters]`, the channel of each filter's slice of largest norm,
/// - `whole/NAME` u32 `[k]`, the filters of which every slice is to be shown: those of largest norm, largest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FiltersOutcome {
    /// The convolutions, in order; there is one at least.
    pub layers: Vec<FilterLayer>,
}

/// The filters of a convolution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilterLayer {
    /// Name of the layer, such as "trunk.3".
    pub name: String,
    /// Height and width of a filter.
    pub kernel: [usize; 2],
    /// Channels that go in.
    pub channels: usize,
    /// Filters.
    pub filters: usize,
    /// The largest absolute weight.
    pub largest_weight: f64,
    /// How many slices are of each kind.
    pub kinds: FilterKinds,
    /// How many would be if the weights were uniform random numbers: expected from many slices drawn.
    pub by_chance: FilterKinds,
}

/// Slices of filters by kind, counted; a share where it is an expectation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct FilterKinds {
    /// With a root mean square far below the layer's.
    pub near_zero: f64,
    /// Oriented edges and bars: changing along one direction only, by the structure tensor's eigenvalues.
    pub edges: f64,
    /// Blobs: of one sign for the most part, and no edge.
    pub blobs: f64,
    /// None of these.
    pub others: f64,
}

/// Outcome of looking at images with a network. `arrays.safetensors` holds, for n images,
/// - `images` u8 [n, height, width, channels], and `logits` f32 [n, classes] of the head that was asked,
/// - `layer/NAME` f32 [n, height, width, channels] for each layer looked at: the output after its ReLU where it has one,
/// - `difference/NAME` f32 `[channels]` where there are two images: the root mean square over the places of the difference
///   between the two images' outputs,
/// - `gradient` f32 [n, height, width, channels]: the gradient of the target's logit with respect to the image (x/255),
/// - `integrated` f32 [n, height, width, channels]: integrated gradients from black (Sundararajan, Taly and Yan 2017).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivationsOutcome {
    /// The images, in the order asked for.
    pub images: Vec<LookedAt>,
    /// The layers, in order: every convolution; in a network without one, every layer of the trunk.
    pub layers: Vec<ActivationLayer>,
    /// Test images over which silence is measured; 0 without a data set.
    pub test_images: usize,
    /// What is to be known of the images that were looked at: that one looks inverted, or that none of a class is right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether some numbers were too large for 32-bit arithmetic: the largest that it holds stand in their place, and 0 where
    /// there was none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overflow: bool,
}

/// An image that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LookedAt {
    /// What it is called: "test image 1234", a file's name.
    pub name: String,
    /// Its number among the test images, if it is one.
    pub index: Option<usize>,
    /// Its class, as the head that was asked has it, where it is known.
    pub class: Option<usize>,
    /// The class whose logit is explained: the image's own where it is known, else what is predicted.
    pub target: usize,
    /// The target's logit.
    pub logit: f64,
    /// The target's softmax probability.
    pub probability: f64,
    /// What the network takes it for.
    pub predicted: usize,
    /// The target's logit for a black image, from which integrated gradients start.
    pub black_logit: f64,
    /// The sum of the integrated gradients, which should be the difference of the two logits.
    pub integrated_sum: f64,
}

/// A layer's output over images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivationLayer {
    /// Name of the layer, such as "trunk.3".
    pub name: String,
    /// Height, width and channels of the output; a vector is [1, 1, units].
    pub shape: [usize; 3],
    /// Channels that are zero everywhere in every test image; absent without a data set.
    pub dead: Option<usize>,
    /// Share of the output that is zero, over all test images; absent without a data set.
    pub zeros: Option<f64>,
    /// Share of the output that is zero, for each image looked at.
    pub zeros_of: Vec<f64>,
    /// All channels by how much they differ between two images, the most different first; empty unless there are two.
    pub differing: Vec<usize>,
}

/// Outcome of a dream run. `arrays.safetensors` holds, for n pictures of numbers from 0 to 1,
/// - `pictures` and `starts` f32 [n, height, width, channels],
/// - `frames` f32 [frames, n, height, width, channels] with `frame_steps` u32 `[frames]`,
/// - `path_steps` u32 `[t]`, the steps at which the way was measured, on the picture as it is, without transforms, and
///   `path_objective` f32 [t, n]; where the objective is of a class also `path_logit` and `path_probability` f32 [t, n].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DreamOutcome {
    /// The pictures, in the order asked for.
    pub pictures: Vec<DreamFound>,
    /// Seconds of the ascent.
    pub seconds: f64,
    /// What is to be known of the images that were looked at: that one looks inverted, or that none of a class is right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A dream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DreamFound {
    /// What the network makes of the start.
    pub before: Seen,
    /// What it makes of the dream.
    pub after: Seen,
    /// What the independently trained network makes of the dream, if there is one.
    pub judge: Option<Seen>,
    /// The step at which the picture or its objective stopped being finite, and its ascent with it: the dream is the last
    /// finite picture. At step 0 not even the objective of the start is finite, and zeros stand in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverged: Option<usize>,
}

/// What a network makes of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The objective, without regularisers.
    pub objective: f64,
    /// The logit of the objective's class, if it is of one.
    pub logit: Option<f64>,
    /// Its softmax probability.
    pub probability: Option<f64>,
    /// What the network takes the picture for, by the head that the objective is in; by the first where it is in none.
    pub predicted: usize,
}

/// Whether what several seeds of one network learnt looks alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LikenessOutcome {
    /// The filters of the first convolution; `None` without a convolution.
    pub filters: Option<FilterLikeness>,
    /// The dreams of every class; `None` where not every seed dreams, or with fewer than two classes.
    pub dreams: Option<DreamLikeness>,
}

/// How alike the filters of the first convolution are between every two networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilterLikeness {
    /// Name of the layer.
    pub layer: String,
    /// Filters of each network.
    pub filters: usize,
    /// Every two networks a < b.
    pub pairs: Vec<PairLikeness>,
}

/// How alike the dreams of a class are between every two networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DreamLikeness {
    /// Classes that are dreamt of.
    pub classes: usize,
    /// Every two networks a < b.
    pub pairs: Vec<PairLikeness>,
}

/// How alike two networks are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairLikeness {
    /// Place of the first network among those that are compared.
    pub a: usize,
    /// Place of the second.
    pub b: usize,
    /// Of filters, the mean cosine similarity after each filter of one network was matched with one of the other so that this
    /// mean is largest (Kuhn 1955; Li et al. 2016 match units likewise); of dreams, Pearson's correlation of the pixels of dreams
    /// of one class, the mean over the classes.
    pub observed: f64,
    /// The mean of the same by chance: of filters whose weights were put into a random order within each filter and channel;
    /// of dreams of different classes.
    pub by_chance: f64,
    /// One-sided p: the share of the comparisons by chance, with the one observed, in which the two are at least as alike.
    pub p: f64,
}
