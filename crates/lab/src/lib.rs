//! Experiments: expands a study into runs, does those that are not done yet, and writes what they find to the store.
//!
//! This crate draws nothing and prints nothing. What it has to say while it works goes to an [`Observer`].

mod batch;
mod error;
mod estimate;
mod folder;
mod inside;
mod jobs;
mod machine;
mod makespan;
mod model_file;
mod multitask;
mod observer;
mod options;
mod page;
mod pca;
mod perceptron;
mod plan;
mod runs;
mod separability;
mod study;
mod sweep;
mod train;
mod worker;

pub use batch::EVALUATION_BATCH;
pub use error::LabError;
pub use estimate::{Estimate, Estimator};
pub use inside::{LookError, LookInputs, Trained, UserImage, check, look};
pub use jobs::{Job, JobState, jobs, planned, states};
pub use machine::{SOURCES, machine};
pub use makespan::{Piece, makespan};
pub use observer::{Event, Observer};
pub use options::StudyOptions;
pub use plan::{fit, fit_spec, read_own};
pub use study::{plan_study, run_study};
pub use train::train;
pub use worker::Worker;
