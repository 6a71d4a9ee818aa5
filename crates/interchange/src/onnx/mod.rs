//! ONNX, the format in which inference engines read networks (github.com/onnx/onnx): networks as its files, and back.
//!
//! A graph reads one array of images and has outputs for each head. Within the graph images have their channels first, as ONNX
//! defines convolutions, and they are transposed where a layer needs the channels last: before `flatten`, whose order then is
//! the engine's, so that a dense weight is the same matrix in the file as in the engine, and for layer normalisation.
//!
//! What is read is the graph: layers come from its nodes, whoever wrote it. The metadata only adds what a graph cannot say, such as
//! initialisers and the model card, and only if it describes the network that the graph is.

mod export;
mod import;
mod limits;
mod messages;
#[cfg(test)]
mod tests;

pub use export::export;
pub use import::import;

/// The version of the operators that files are written with. It is the first that has `LayerNormalization`, so that every program
/// reads the files that reads files of 2022; `Gelu`, which came with 20, is written with `Erf` instead.
pub const OPSET: i64 = 17;

/// The versions of operators that are read. The definitions of those that networks are made of do not differ between them
/// but for the places of settings.
pub const OPSETS_READ: std::ops::RangeInclusive<i64> = 9..=28;

/// The version of the format's messages that belongs to [`OPSET`].
const IR_VERSION: i64 = 8;

/// Where in `metadata_props` files of Inkling keep what they say beside the graph.
mod key {
    /// The network, as JSON.
    pub(super) const MODEL: &str = "inkling.model";
    /// The model card, as JSON.
    pub(super) const CARD: &str = "inkling.card";
    /// The names of the classes by head, as JSON.
    pub(super) const CLASSES: &str = "inkling.classes";
    /// Of which size the numbers of the graph's input are: [`BYTES`] or [`SHARES`].
    pub(super) const INPUT: &str = "inkling.input";
    pub(super) const BYTES: &str = "0 to 255";
    pub(super) const SHARES: &str = "0 to 1";
    /// The program that trained the network, with its version.
    pub(super) const PROGRAM: &str = "inkling.program";
}

/// The endings of the names of a head's outputs.
mod ending {
    pub(super) const LOGITS: &str = "_logits";
    pub(super) const PROBABILITIES: &str = "_probabilities";
}

/// What the dimensions of an image are, in the words of ONNX.
mod denotation {
    pub(super) const BATCH: &str = "DATA_BATCH";
    pub(super) const CHANNEL: &str = "DATA_CHANNEL";
    pub(super) const FEATURE: &str = "DATA_FEATURE";
}

/// The number by which bytes are divided to be a network's input.
const LARGEST_BYTE: f32 = 255.0;

/// The order of the axes of images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// Batch, channels, height, width: that of PyTorch and of ONNX's own operators.
    #[default]
    Nchw,
    /// Batch, height, width, channels: that of TensorFlow and of Inkling.
    Nhwc,
}

impl Layout {
    /// The axes of an image of height, width and channels in this order.
    fn arrange<T>(self, [height, width, channels]: [T; 3]) -> [T; 3] {
        match self {
            Layout::Nchw => [channels, height, width],
            Layout::Nhwc => [height, width, channels],
        }
    }

    /// The axes of an image in the other order, by which `Transpose` brings one into this order.
    fn permutation(self) -> [usize; 4] {
        match self {
            Layout::Nchw => [0, 3, 1, 2],
            Layout::Nhwc => [0, 2, 3, 1],
        }
    }
}

/// How a network is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The layout of the images that the graph takes.
    pub layout: Layout,
    /// Whether the graph takes the bytes of images, 0 to 255, as floating-point numbers and divides them by 255; else it
    /// takes what the engine takes, which is divided already.
    pub preparation: bool,
}

/// The zeros before and after an image along one side that make a window have `outputs` places, the odd one after, as TensorFlow
/// computes it.
fn same_padding(size: usize, kernel: usize, stride: usize, outputs: usize) -> [usize; 2] {
    let reach = (outputs - 1).saturating_mul(stride).saturating_add(kernel);
    let missing = reach.saturating_sub(size);
    [missing / 2, missing - missing / 2]
}
