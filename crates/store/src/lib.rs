//! Run folders on disk: atomic writes, locks, checksums, reading back.
//!
//! The store knows formats and not meanings: specs, metrics and results are any serde types, models and
//! arrays are named tensors. A study's output folder looks like this:
//!
//! ```text
//! OUT/.lock
//! OUT/runs/<id>/{spec.json, metrics.jsonl, model.safetensors, arrays.safetensors, result.json}
//! OUT/runs/<id>/{checkpoint.safetensors, checkpoint.previous.safetensors}   until the run is finished
//! OUT/{study.json, summary.json, report.pdf, report.html, figures/*.{svg,png}, tables/*.csv}
//! ```
//!
//! Three promises hold whatever kills the program, at whatever instant:
//!
//! - every file but `metrics.jsonl` is its old version or its new one, never a mixture ([`atomic`]);
//!   `metrics.jsonl` only grows, and a torn last line is ignored;
//! - a run is finished exactly when its `result.json` is there and the SHA-256 of every file that it names is
//!   right;
//! - once a run has written a checkpoint, there is always a whole one to go on from, and a damaged one is known by
//!   its checksum;
//! - one process writes at a time: a [`Store`] holds a lock that the operating system gives back when the
//!   process dies.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let out = folder.path();
//! use inkling_store::{Metadata, Store, Tensor, TensorFile};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Outcome {
//!     accuracy: f64,
//! }
//!
//! let store = Store::open(out)?;
//! if store.run("5f3a").finished::<Outcome>()?.is_none() {
//!     let mut run = store.begin("5f3a", &"any serializable spec")?;
//!     run.append_metrics(&("epoch", 1))?;
//!     let weights = [0.5_f32, 2.0];
//!     run.write_tensors(TensorFile::Model, &[Tensor::new("w", &[1, 2], &weights)], &Metadata::new())?;
//!     run.finish(&Outcome { accuracy: 0.98 })?;
//! }
//! let model = store.run("5f3a").tensors(TensorFile::Model)?;
//! assert_eq!(model.values::<f32>("w", &[1, 2])?, [0.5, 2.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod atomic;
mod checkpoint;
pub mod clock;
mod error;
mod files;
mod lock;
mod metrics;
mod run;
mod store;
mod tensors;

pub use checkpoint::Checkpoint;
pub use error::{ErrorClass, StoreError};
pub use lock::Holder;
pub use run::{RunDir, RunWriter, TensorFile};
pub use store::{Reader, Store};
pub use tensors::{Element, Metadata, Tensor, Tensors};
