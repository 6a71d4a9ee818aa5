//! Run folders on disk: atomic writes, locks, checksums, reading back.
//!
//! The store knows formats and not meanings: specs, metrics and results are any serde types, models and
//! arrays are named tensors. A study's output folder looks like this:
//!
//! ```text
//! OUT/.lock
//! OUT/runs/<id>/{spec.json, metrics.jsonl, model.safetensors, arrays.safetensors, result.json}
//! OUT/runs/.<id>.work/claim-<n>                                     until the run is finished: who does it
//! OUT/runs/.<id>.work/attempt-<n>-<token>/{the same, checkpoint.safetensors, checkpoint.previous.safetensors}
//! OUT/{study.json, summary.json, report.pdf, report.html, figures/*.{svg,png}, tables/*.csv}
//! ```
//!
//! Every JSON document is sealed: its members `format` and `checksum` let whoever reads it know whether it is what was
//! written ([`inkling_files::sealed`]).
//!
//! Six promises hold whatever kills the program, at whatever instant:
//!
//! - every file but `metrics.jsonl` is its old version or its new one, never a mixture ([`atomic`]);
//!   `metrics.jsonl` only grows, and a torn last line is ignored;
//! - a run is finished exactly when its `result.json` is there, its own checksum is right, and so is the SHA-256 of
//!   every file that it names;
//! - once a run has written a checkpoint, there is always a whole one to go on from, and a damaged one is known by
//!   its checksum;
//! - a finished run is never replaced: it is worked on beside its place, and a rename, which the file system does for one
//!   process only, brings it there;
//! - one process does a run, and others go on with it when its claim is not renewed any more ([`ClaimRule`]);
//! - one process at a time writes what there is once in the folder: it holds a lock that the operating system gives back when
//!   the process dies. Where the file system has no locks, the name in `.lock` stands in for it, and [`Store::notes`] says so.
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
//! let id = "5f3a17c09b2e4d68";
//! if store.run(id).finished::<Outcome>()?.is_none() {
//!     let mut run = store.begin(id, &"any serializable spec")?;
//!     run.append_metrics(&("epoch", 1))?;
//!     let weights = [0.5_f32, 2.0];
//!     run.write_tensors(TensorFile::Model, &[Tensor::new("w", &[1, 2], &weights)], &Metadata::new())?;
//!     run.finish(&Outcome { accuracy: 0.98 })?;
//! }
//! let model = store.run(id).tensors(TensorFile::Model)?;
//! assert_eq!(model.values::<f32>("w", &[1, 2])?, [0.5, 2.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod atomic;
mod checkpoint;
mod claim;
mod error;
mod files;
mod lock;
mod metrics;
mod places;
mod run;
mod store;
mod tensors;
mod workplace;

pub use checkpoint::Checkpoint;
pub use claim::{ClaimRule, ClaimSeen, Claimant, Pulse, Watch};
pub use error::{ErrorClass, StoreError};
pub use files::{read, read_json, sha256};
pub use inkling_files::machine::host;
pub use inkling_files::sealed::to_json as sealed_json;
pub use inkling_files::{Holder, clock};
pub use run::{RunDir, RunWriter, TensorFile};
pub use store::{Reader, Store};
pub use tensors::{Element, Metadata, Tensor, Tensors};
