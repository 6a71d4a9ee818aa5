//! A study's runs as jobs of many processes: `inkling plan`, `inkling run` and `inkling status`.

mod plan;
mod point;
mod run;
mod status;

pub(crate) use plan::{Made, estimates, make, plan};
pub(crate) use run::run;
pub(crate) use status::status;
