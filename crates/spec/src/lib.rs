//! What is asked and what was found: the plain types that every other part of Inkling shares.
//!
//! A [`Study`] is read from a TOML file or a preset; [`RunSpec`]s are the single fits it expands into; the types
//! in [`found`] are what those fits report. Nothing here computes, opens a file or holds a tensor.

pub mod found;
mod parse;
mod presets;
mod run;
mod study;

pub use parse::SpecError;
pub use presets::{PRESETS, preset};
pub use run::{DataSlice, PcaRun, PerceptronRun, RunId, RunSpec, SeparabilityRun};
pub use study::{DataSpec, PcaSpec, PerceptronRule, PerceptronSpec, SeparabilitySpec, Study, Task};
