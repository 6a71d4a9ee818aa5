//! What can be asked of `inkling train`, `evaluate` and `predict`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use inkling_schema::{AugmentationSpec, Interval, Optimizer, TrainingPrecision};

use super::source::{FitName, PreparationArgs, SOURCES};
use super::{ComputeArgs, values};

/// What `inkling train` is told beside its options.
fn after_help() -> String {
    format!(
        "\
Examples:
  inkling train cnn --data photos                     the assignment's CNN on a folder of images
  inkling train mine.toml --data photos --epochs 30   a network of your own
  inkling train lenet-5 --data mnist --patience 3     until the validation loss stops falling
  inkling train --resume model                        where it was interrupted
  inkling predict model drawing.png                   what it makes of a picture

NETWORK is a network that ships with the program (`inkling models` lists them) or a TOML file \
(`inkling model cnn --toml` prints one to start from). A network file may leave out `input`, and `units` of the last layer: \
they are taken from the data, as they always are for networks that ship with the program.

--data names mnist, fashion-mnist, or images of your own. {SOURCES}

DIR gets report.pdf and report.html (data, layers, curves, accuracy, classes, mistakes, a look inside), figures, tables, \
summary.json, the study file study.toml, and runs/*/model.safetensors. Training the same again for more --epochs continues \
from where the earlier training ended. With --patience, the weights of the epoch with the lowest validation loss are kept, \
else those after the last epoch."
    )
}

#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(crate) struct TrainArgs {
    /// A network that ships with the program, or a network file.
    #[arg(value_name = "NETWORK", required_unless_present = "resume")]
    pub(crate) network: Option<String>,

    /// Images to train on: mnist, fashion-mnist, or a source of your own.
    #[arg(long, value_name = "SOURCE", required_unless_present = "resume")]
    pub(crate) data: Option<PathBuf>,

    /// Folder for model, figures, tables and report; created if missing.
    #[arg(long, value_name = "DIR", default_value = "model")]
    pub(crate) out: PathBuf,

    /// Write metrics for TensorBoard while networks are trained, and at the end also weights, hyperparameters and figures.
    #[arg(long, value_name = "DIR")]
    pub(crate) tensorboard: Option<PathBuf>,

    /// Continue a training that was interrupted, in its folder.
    #[arg(long, value_name = "DIR", conflicts_with_all = [
        "network", "data", "out", "epochs", "batch_size", "learning_rate", "optimizer", "validation", "patience", "seed", "seeds",
        "size", "channels", "fit", "test", "transposed", "shift", "rotation", "scale", "flip", "noise", "balanced",
    ])]
    pub(crate) resume: Option<PathBuf>,

    /// Passes over the training images.
    #[arg(long, value_name = "N", default_value = "10", value_parser = values::steps, allow_negative_numbers = true)]
    pub(crate) epochs: NonZeroUsize,

    /// Images of a step; at most a tenth of the training images are taken.
    #[arg(long, value_name = "N", default_value = "50", value_parser = values::steps, allow_negative_numbers = true)]
    pub(crate) batch_size: NonZeroUsize,

    /// Step size.
    #[arg(long, value_name = "RATE", default_value = "1e-3", value_parser = positive, allow_negative_numbers = true)]
    pub(crate) learning_rate: f64,

    /// How a gradient becomes a step.
    #[arg(long, value_name = "NAME", default_value = "adam", value_parser = optimizers())]
    pub(crate) optimizer: Optimizer,

    /// What the factors of large products in dense layers and convolutions are rounded to in training steps; everything else, and every
    /// evaluation, is in float32.
    #[arg(long, value_name = "NAME", default_value = "float32", value_parser = values::precisions())]
    pub(crate) precision: TrainingPrecision,

    /// Share of the training images that is held out for validation; 0 for none [default: 0.1, or the source's own validation
    /// images if it has some].
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub(crate) validation: Option<f64>,

    /// Stop when the validation loss has not fallen for so many epochs, and keep the weights of the best epoch.
    #[arg(long, value_name = "EPOCHS", value_parser = values::steps, allow_negative_numbers = true)]
    pub(crate) patience: Option<NonZeroUsize>,

    /// Seed of all random streams.
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::seed, allow_negative_numbers = true)]
    pub(crate) seed: u64,

    /// Train the network with so many seeds, from 1 to 100: the first is that of --seed, each further one the next number. Looks
    /// inside are into the network of the first.
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::between::<1, 100>, allow_negative_numbers = true)]
    pub(crate) seeds: u32,

    /// Augmentation: move each training image by up to so many pixels along each side.
    #[arg(long, value_name = "PIXELS", default_value = "0", value_parser = not_negative, allow_negative_numbers = true)]
    pub(crate) shift: f64,

    /// Augmentation: turn each training image by up to so many degrees.
    #[arg(long, value_name = "DEGREES", default_value = "0", value_parser = not_negative, allow_negative_numbers = true)]
    pub(crate) rotation: f64,

    /// Augmentation: scale each training image by a factor that differs from 1 by up to this share.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share, allow_negative_numbers = true)]
    pub(crate) scale: f64,

    /// Augmentation: exchange left and right in half of the training images.
    #[arg(long)]
    pub(crate) flip: bool,

    /// Augmentation: add Gaussian noise of this standard deviation, as a share of the range of a pixel.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share, allow_negative_numbers = true)]
    pub(crate) noise: f64,

    /// Let images of rare classes count more: each by n / (k · n_c), of n images, k classes and n_c images of its class.
    #[arg(long)]
    pub(crate) balanced: bool,

    #[command(flatten)]
    pub(crate) preparation: PreparationArgs,

    #[command(flatten)]
    pub(crate) compute: ComputeArgs,

    /// Continue in a folder whose network was computed with instructions (--cpu) that give other last digits: an unfinished
    /// training starts again.
    #[arg(long = "mixed", alias = "mix-instructions")]
    pub(crate) mix_instructions: bool,

    /// Print the results (summary.json) instead of a few lines about them.
    #[arg(long)]
    pub(crate) json: bool,
}

impl TrainArgs {
    /// How training images are changed.
    pub(crate) fn augmentation(&self) -> AugmentationSpec {
        let Self { shift, rotation, scale, flip, noise, .. } = *self;
        AugmentationSpec { shift, rotation, scale, flip, noise }
    }
}

/// Takes the names of optimisers, and gives them with their usual settings.
fn optimizers() -> impl TypedValueParser<Value = Optimizer> {
    let named = Optimizer::USUAL.map(|(name, settings, _)| PossibleValue::new(name).help(settings));
    PossibleValuesParser::new(named).map(|word| {
        let usual = Optimizer::USUAL.into_iter().find(|(name, _, _)| *name == word);
        usual.expect("one of the names").2
    })
}

#[derive(Debug, Args)]
#[command(after_help = "\
Without --data, these are the test images of the set that the network was trained on. With it, they are the test images of \
the source if it has some, else all of its images. They are prepared as the model's own were, and classes are matched by \
their names.")]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) model: ModelChoice,

    /// Images to evaluate it on: mnist, fashion-mnist, or a source of your own.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) data: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) compute: ComputeArgs,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A trained network.
#[derive(Debug, Args)]
pub(crate) struct ModelChoice {
    /// A folder of `inkling train` or of a study, a run's folder, or a model.safetensors.
    #[arg(value_name = "MODEL")]
    pub(crate) path: PathBuf,

    /// Network of a study's folder [default: the one that the study looks inside].
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) network: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A picture is a PNG, JPEG, GIF, BMP, WebP or TIFF file of any size; it gets the size and the channels of the images that the \
network was trained on, in the way that they did. Of a folder, every picture in it is read; - is standard input. A note \
says if a picture looks inverted, blank, faint or small beside the images that the network knows.

--fit digit prepares a drawing as MNIST's digits were: what is drawn, light on dark, is scaled into a box of 20 of 28 pixels \
and laid with its centre of mass in the middle. A pen on paper needs --invert too.")]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    pub(crate) model: ModelChoice,

    /// Pictures, folders of pictures, or - for standard input.
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<PathBuf>,

    /// Exchange dark and light, for drawings in black on white or on a transparent background.
    #[arg(long)]
    pub(crate) invert: bool,

    /// How a picture gets the size of the network's images [default: as they did].
    #[arg(long, value_enum)]
    pub(crate) fit: Option<PictureFitName>,

    /// How many classes are listed for each picture, the most probable first.
    #[arg(long, value_name = "N", default_value = "3", value_parser = values::steps, allow_negative_numbers = true)]
    pub(crate) top: NonZeroUsize,

    /// Head that classifies, if the network has several [default: the first].
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) head: Option<String>,

    #[command(flatten)]
    pub(crate) compute: ComputeArgs,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a picture gets the size of a network's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PictureFitName {
    /// Scale each side for itself.
    Stretch,
    /// Scale until the size is covered, and cut what is over.
    Crop,
    /// Scale until it fits, on black.
    Pad,
    /// Cut out what is drawn, and lay it in the middle, as MNIST's digits are.
    Digit,
}

impl From<PictureFitName> for inkling_data::PictureFit {
    fn from(name: PictureFitName) -> Self {
        match name {
            PictureFitName::Stretch => Self::Whole(FitName::Stretch.into()),
            PictureFitName::Crop => Self::Whole(FitName::Crop.into()),
            PictureFitName::Pad => Self::Whole(FitName::Pad.into()),
            PictureFitName::Digit => Self::Digit,
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    Interval::POSITIVE.parse(text)
}

fn not_negative(text: &str) -> Result<f64, String> {
    Interval::NOT_NEGATIVE.parse(text)
}

fn share(text: &str) -> Result<f64, String> {
    Interval::SHARE.parse(text)
}
