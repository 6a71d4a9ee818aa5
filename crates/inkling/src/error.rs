//! What can go wrong at the edge of the library.

use std::path::PathBuf;

use inkling_schema::{Loss, ModelError};
use thiserror::Error;

/// What can be wrong with what a model is given.
#[derive(Debug, Error)]
pub enum Error {
    /// The layers do not fit each other.
    #[error("{0}")]
    Layers(#[from] ModelError),

    /// There are not labels for each head.
    #[error("the network has {heads} {}, but there are labels for {given}", if *.heads == 1 { "head" } else { "heads" })]
    Heads {
        /// Heads of the network.
        heads: usize,
        /// Heads that there are labels for.
        given: usize,
    },

    /// No head has this name.
    #[error("no head is called `{head}`; there are {known}")]
    NoHead {
        /// The name.
        head: String,
        /// Names of the heads that there are.
        known: String,
    },

    /// There is no image.
    #[error("there are no images")]
    Empty,

    /// The numbers are not those of whole images.
    #[error(
        "{numbers} numbers are not whole images of {input:?} (height, width, channels), which have {each} each"
    )]
    Shape {
        /// Numbers that were given.
        numbers: usize,
        /// Height, width and channels of an image.
        input: [usize; 3],
        /// Numbers of an image.
        each: usize,
    },

    /// There are not as many labels as images.
    #[error("there are {labels} labels for {images} images")]
    Labels {
        /// Labels.
        labels: usize,
        /// Images.
        images: usize,
    },

    /// A label is beyond the classes.
    #[error("label {index} is {label}, but the network has {classes} classes, 0 to {}", classes - 1)]
    Class {
        /// Number of the label, from 0.
        index: usize,
        /// The label.
        label: u32,
        /// Classes of the network.
        classes: usize,
    },

    /// The labels are not of the kind that the loss of the head needs.
    #[error("the loss of the head `{head}` is {}, which needs {}", .loss.name(), .loss.labels())]
    LabelKind {
        /// Name of the head.
        head: String,
        /// Its loss.
        loss: Loss,
    },

    /// A number that an output should be is not finite, or not from 0 to 1 where the output answers yes or no.
    #[error("number {index} of the labels is {value}: {expected}")]
    Target {
        /// Its place, from 0.
        index: usize,
        /// The number.
        value: f32,
        /// What it should be.
        expected: &'static str,
    },

    /// A number of the images is not finite.
    #[error("number {index} of the images is {value}: only finite numbers can be trained on")]
    NotFinite {
        /// Its place, from 0.
        index: usize,
        /// The number.
        value: f32,
    },

    /// A setting makes no sense.
    #[error("{0}")]
    Setting(String),

    /// The loss is no finite number any more.
    #[error(
        "the training diverged in epoch {epoch}: a smaller learning rate may help. The weights are unusable"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
    },

    /// A file cannot be read or written.
    #[error("cannot {what} `{}`: {source}", .path.display())]
    Io {
        /// "read" or "write".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A file holds no model that this version reads.
    #[error("`{}` holds no model: {reason}", .path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}
