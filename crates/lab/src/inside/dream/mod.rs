//! Dream runs: feature visualisation of a trained network, with the engine's [`interpret`](inkling_engine::interpret).

mod resolve;
mod run;

pub(crate) use run::{check, run};
