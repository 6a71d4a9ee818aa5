//! Event files that TensorBoard reads: scalars, histograms, images, texts, hyperparameters, graphs and embeddings.
//!
//! An [`EventWriter`] writes one file into the folder of one run. TensorBoard shows every folder below its `--logdir` that
//! holds such a file as a run of its own. [`projector::write`] lays embeddings beside it.

mod error;
mod graph;
mod histogram;
mod hparams;
mod messages;
pub mod projector;
mod record;
mod writer;

pub use error::BoardError;
pub use graph::Node;
pub use hparams::{Domain, Experiment, Hyperparameter, Metric, Status, Value};
pub use writer::EventWriter;
