//! What can go wrong in a study.

use inkling_data::DataError;
use inkling_engine::pca::PcaError;
use inkling_store::StoreError;
use miette::Diagnostic;
use thiserror::Error;

/// Why a study ended before its end.
#[derive(Debug, Error, Diagnostic)]
pub enum LabError {
    /// The data could not be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Data(#[from] DataError),

    /// The output folder could not be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),

    /// The principal components cannot be computed as asked.
    #[error("task 1 cannot be done: {0}")]
    #[diagnostic(help("change `pca.components` or `data.train_images` in the study"))]
    Pca(#[from] PcaError),

    /// A class of the set is not among the images used.
    #[error("the first {images} {part} images of {title} hold no image of class {class}")]
    #[diagnostic(help("raise `data.{part}_images` in the study: every pair of classes is compared"))]
    MissingClass {
        /// The class.
        class: String,
        /// "train" or "test".
        part: &'static str,
        /// The images used.
        images: usize,
        /// The set's title.
        title: &'static str,
    },

    /// The observer asked for the end. What is finished is kept.
    #[error("interrupted")]
    Interrupted,
}
