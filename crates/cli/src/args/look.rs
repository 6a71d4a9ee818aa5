//! What can be asked of `inkling look`.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use inkling_report::AnimationFormat;
use inkling_schema::{Interval, Weights};

use super::{ComputeArgs, DataArgs, values};

const AFTER_HELP: &str = "\
Examples:
  inkling look filters out
  inkling look activations out --network '2 conv' --class 2 --index 7
  inkling look dream out --class 9 --seeds 8 --animation nine.gif
  inkling look dream out/runs/0123456789abcdef --layer trunk.3 --image mine.png

MODEL is a model.safetensors, a run's folder that holds one, or a study's folder. Figures are written to DIR/figures, the \
numbers behind them to DIR/runs; finished work is not repeated.";

/// Objectives that no class and no head goes with. (clap drops what an option requires where that is in conflict.)
const NOT_OF_A_CLASS: [&str; 3] = ["neuron", "channel", "layer"];

#[derive(Debug, Subcommand)]
#[command(after_help = AFTER_HELP)]
pub(crate) enum LookCommand {
    /// Show the filters of each convolution, and how many of their slices are edges, blobs or near zero.
    Filters(FiltersArgs),
    /// Show the output of each layer for some images, how each pixel affects the answer, and what is always zero.
    Activations(ActivationsArgs),
    /// Make pictures to which a class, a neuron, a channel or a whole layer responds most (feature visualisation).
    Dream(Box<DreamArgs>),
}

impl LookCommand {
    /// What all of them are told.
    pub(crate) fn common(&self) -> &LookArgs {
        match self {
            LookCommand::Filters(args) => &args.look,
            LookCommand::Activations(args) => &args.look,
            LookCommand::Dream(args) => &args.look,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    /// A model.safetensors, a run's folder that holds one, or a study's folder.
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,

    /// Network of the study's folder [default: the one that the study looks inside].
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) network: Option<String>,

    /// Weights of the network: those after the last epoch, or those of the best epoch by its validation images [default:
    /// those that its results are from, the last unless training may stop early].
    #[arg(long, value_name = "WHICH")]
    pub(crate) weights: Option<WeightsName>,

    /// Folder for figures and runs; created if missing.
    #[arg(long, value_name = "DIR", default_value = "look")]
    pub(crate) out: PathBuf,

    /// Data set of the test images and classes [default: the one that the network was trained on].
    #[arg(long, value_name = "NAME")]
    pub(crate) set: Option<String>,

    #[command(flatten)]
    pub(crate) data: DataArgs,

    #[command(flatten)]
    pub(crate) compute: ComputeArgs,

    /// Print the results as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FiltersArgs {
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
--class, --index and --image may be given several times and together; the images are shown in this order. By default, \
they are the typical images of classes 2 and 9, or of the first two classes if there are fewer.

A picture must be as large as the network's images and should look like them: MNIST's digits are white on black. Colours \
become grey if the network takes one channel; transparent parts are laid on black, or on white with --invert. A note says \
if a picture looks inverted, blank, faint or small, or is drawn in the background's colour.")]
pub(crate) struct ActivationsArgs {
    #[command(flatten)]
    pub(crate) look: LookArgs,

    /// Typical image of a class, by its number or name: of the images that the network classifies correctly, the one whose
    /// scores are nearest to their mean.
    #[arg(long = "class", value_name = "CLASS", allow_hyphen_values = true)]
    pub(crate) classes: Vec<String>,

    /// Test image with this number, counted from 0.
    #[arg(long = "index", value_name = "N", value_parser = values::whole, allow_negative_numbers = true)]
    pub(crate) indices: Vec<usize>,

    /// A picture of your own.
    #[arg(long = "image", value_name = "FILE.png")]
    pub(crate) images: Vec<PathBuf>,

    /// Exchange dark and light in your pictures, for drawings in black on white or on a transparent background.
    #[arg(long, requires = "images")]
    pub(crate) invert: bool,

    /// Head that classifies the images, if the network has several [default: the first].
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) head: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Layers have the names that they have in the model's file, such as trunk.1 or class.1; the error for an unknown name lists \
the known ones. Settings that are not given are those of the preset `brief` (`inkling study brief --print-spec`): its \
[inside.dream], or its [inside.amplify] if a layer or an image is to be amplified.")]
pub(crate) struct DreamArgs {
    #[command(flatten)]
    pub(crate) look: LookArgs,

    #[command(flatten)]
    pub(crate) objective: ObjectiveArgs,

    /// Raise the logarithm of the class's probability instead of its score.
    #[arg(long, conflicts_with_all = NOT_OF_A_CLASS)]
    pub(crate) probability: bool,

    /// Head whose class is raised, if the network has several [default: the first].
    #[arg(long, value_name = "NAME", allow_hyphen_values = true, conflicts_with_all = NOT_OF_A_CLASS)]
    pub(crate) head: Option<String>,

    /// Start of the dream.
    #[arg(long, value_name = "START", default_value = "noise", conflicts_with_all = ["image", "index"])]
    pub(crate) from: StartName,

    /// Start from a picture of your own.
    #[arg(long, value_name = "FILE.png", conflicts_with = "index")]
    pub(crate) image: Option<PathBuf>,

    /// Exchange dark and light in your picture, for a drawing in black on white or on a transparent background.
    #[arg(long, requires = "image")]
    pub(crate) invert: bool,

    /// Start from the test image with this number, counted from 0.
    #[arg(long, value_name = "N", value_parser = values::whole, allow_negative_numbers = true)]
    pub(crate) index: Option<usize>,

    /// Steps of the ascent.
    #[arg(long, value_name = "N", value_parser = values::steps, allow_negative_numbers = true)]
    pub(crate) steps: Option<NonZeroUsize>,

    /// Step size of the ascent.
    #[arg(long, value_name = "RATE", value_parser = positive, allow_negative_numbers = true)]
    pub(crate) learning_rate: Option<f64>,

    /// Number of pictures, each made with its own random numbers.
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::between::<1, 64>, allow_negative_numbers = true)]
    pub(crate) seeds: u32,

    /// Seed of the random numbers.
    #[arg(long, value_name = "N", value_parser = values::seed, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,

    /// Penalty on brightness: this times the mean square of the pixels is subtracted [default: 15 for the score of a class,
    /// otherwise 0].
    #[arg(long, value_name = "WEIGHT", value_parser = not_negative, allow_negative_numbers = true)]
    pub(crate) l2: Option<f64>,

    /// Penalty on edges: this times the total variation per pixel is subtracted [default: 10 for the score of a class,
    /// otherwise 0].
    #[arg(long, value_name = "WEIGHT", value_parser = not_negative, allow_negative_numbers = true)]
    pub(crate) total_variation: Option<f64>,

    /// Optimise the pixels directly: no Fourier basis, no transforms, no regularisers.
    #[arg(long, conflicts_with_all = ["l2", "total_variation"])]
    pub(crate) plain: bool,

    /// Write the ascent of the first picture as an animation: an animated PNG or a GIF, by the file's ending.
    #[arg(long, value_name = "FILE.png|FILE.gif")]
    pub(crate) animation: Option<AnimationFile>,

    /// Number of frames of the animation [default: 33].
    #[arg(long, value_name = "N", requires = "animation", value_parser = values::between::<2, 1000>, allow_negative_numbers = true)]
    pub(crate) frames: Option<u32>,
}

/// What a dream raises: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ObjectiveArgs {
    /// Raise a class, by its number or name.
    #[arg(long, value_name = "CLASS", allow_hyphen_values = true)]
    pub(crate) class: Option<String>,

    /// Raise one number of a layer's output: LAYER:ROW,COLUMN,CHANNEL in an image, LAYER:UNIT in a vector.
    #[arg(long, value_name = "LAYER:PLACE")]
    pub(crate) neuron: Option<Neuron>,

    /// Raise the mean of a layer's channel, by its number from 0.
    #[arg(long, value_name = "LAYER:N")]
    pub(crate) channel: Option<Channel>,

    /// Raise all of a layer's output (its mean square): the original DeepDream, best started from an image.
    #[arg(long, value_name = "LAYER")]
    pub(crate) layer: Option<String>,
}

/// Weights of a trained network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WeightsName {
    /// Those after the last epoch.
    Last,
    /// Those of the epoch with the lowest loss on the validation images.
    Best,
}

impl From<WeightsName> for Weights {
    fn from(name: WeightsName) -> Weights {
        match name {
            WeightsName::Last => Weights::Last,
            WeightsName::Best => Weights::Best,
        }
    }
}

/// What a dream begins with, when not with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StartName {
    /// Grey with Gaussian noise.
    Noise,
    /// Grey alone.
    Grey,
}

/// "trunk.1:3,5,0" or "class.1:7".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Neuron {
    pub(crate) layer: String,
    pub(crate) position: Vec<usize>,
}

impl FromStr for Neuron {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let place = text.rsplit_once(':').and_then(|(layer, place)| {
            let position: Vec<usize> =
                place.split(',').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?;
            ([1, 3].contains(&position.len()) && !layer.is_empty()).then(|| (layer.to_owned(), position))
        });
        let (layer, position) =
            place.ok_or("expected a layer and a place in it, such as trunk.1:3,5,0 or class.1:7")?;
        Ok(Neuron { layer, position })
    }
}

/// "trunk.1:3".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Channel {
    pub(crate) layer: String,
    pub(crate) channel: usize,
}

impl FromStr for Channel {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.rsplit_once(':').filter(|(layer, _)| !layer.is_empty());
        let channel = parts.and_then(|(layer, number)| Some((layer, number.parse().ok()?)));
        let (layer, channel) = channel.ok_or("expected a layer and a channel of it, such as trunk.1:3")?;
        Ok(Channel { layer: layer.into(), channel })
    }
}

/// A file whose ending says what kind of animation it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnimationFile {
    pub(crate) path: PathBuf,
    pub(crate) format: AnimationFormat,
}

impl FromStr for AnimationFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = PathBuf::from(text);
        let ending = path.extension().map(OsStr::to_ascii_lowercase);
        let format = match ending.as_deref().and_then(OsStr::to_str) {
            Some("png" | "apng") => AnimationFormat::Png,
            Some("gif") => AnimationFormat::Gif,
            _ => return Err("expected a file name that ends in .png or .gif"),
        };
        Ok(AnimationFile { path, format })
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    Interval::NOT_NEGATIVE.parse(text)
}

fn positive(text: &str) -> Result<f64, String> {
    Interval::POSITIVE.parse(text)
}
