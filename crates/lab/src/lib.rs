//! Experiments: expands a study into runs, does those that are not done yet, and writes what they find to the store.
//!
//! This crate draws nothing and prints nothing. What it has to say while it works goes to an [`Observer`].

mod error;
mod machine;
mod pca;
mod perceptron;
mod plan;
mod runs;
mod separability;
mod study;

pub use error::LabError;
pub use machine::machine;
pub use study::{Event, Observer, run_study};

use inkling_engine::Affine;

/// Pixels of tasks 1 and 2: x = p/127.5 − 1.
const SIGNED_UNIT: Affine = Affine { factor: 1.0 / 127.5, shift: -1.0 };
