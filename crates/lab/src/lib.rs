//! Experiments: expands a study into runs, does those that are not done yet, and writes what they find to the store.
//!
//! This crate draws nothing and prints nothing. What it has to say while it works goes to an [`Observer`].

mod error;
mod folder;
mod inside;
mod machine;
mod multitask;
mod pca;
mod perceptron;
mod plan;
mod runs;
mod separability;
mod study;
mod train;

pub use error::LabError;
pub use inside::{LookError, LookInputs, Trained, UserImage, Weights, check, look};
pub use machine::machine;
pub use runs::SOURCES;
pub use study::{Event, Observer, StudyOptions, run_study};
pub use train::{EVALUATION_BATCH, train};
