//! Task 5: looking inside a trained network. Filters, activations and saliency, dreams; each kind of look is a run.

mod activations;
mod check;
mod dream;
pub(crate) mod error;
mod filters;
mod images;
mod inputs;
mod likeness;
mod plan;
mod study;
mod trained;

use inkling_schema::RunSpec;
use inkling_schema::outcome::PlannedRun;
use inkling_store::Store;

pub use check::check;
pub use error::LookError;
pub use images::UserImage;
pub use inputs::LookInputs;
pub(crate) use likeness::run_in as run_likeness;
pub(crate) use plan::{expand, expand_again, likeness};
pub(crate) use study::run_inside;
pub use trained::Trained;

use crate::error::LabError;
use crate::observer::Observer;
use crate::runs::{RunContext, run_once};

/// Does one look, a run of filters, activations or dreams, unless `store` holds it already.
///
/// # Errors
/// [`LookError`] where the network cannot be looked into so, [`LabError::Interrupted`], and those of the store.
///
/// # Panics
/// If the run is of another kind.
pub fn look(
    run: &PlannedRun,
    inputs: LookInputs,
    store: &Store,
    observer: &dyn Observer,
) -> Result<(), LabError> {
    let set = inputs.set;
    let context = RunContext { store, set, groups: &[], observer, waits: true, mixes_instructions: false };
    look_in(&context, run, inputs)
}

/// As [`look`], in a context whose data set is that of the inputs.
pub(crate) fn look_in(
    context: &RunContext,
    run: &PlannedRun,
    mut inputs: LookInputs,
) -> Result<(), LabError> {
    check(&run.spec, &inputs)?;
    let observer = context.observer;
    // On a thread of the pool: entering it from outside would cost every operation of every step some microseconds.
    rayon::scope(|_| match &run.spec {
        RunSpec::Filters(spec) => {
            run_once(context, run, |writer| Ok(Some(filters::run(&spec.patterns, inputs.network, writer)?)))
        }
        RunSpec::Activations(spec) => {
            run_once(context, run, |writer| activations::run(spec, &mut inputs, observer, writer))
        }
        RunSpec::Dream(spec) => {
            run_once(context, run, |writer| dream::run(&run.title, spec, &mut inputs, observer, writer))
        }
        _ => panic!("a {:?} run is no look", run.task),
    })
}
