//! Task 5: looking inside a trained network. Filters, activations and saliency, dreams; each kind of look is a run.

mod activations;
mod check;
mod dream;
mod error;
mod filters;
mod images;
mod plan;
mod study;
mod trained;

use inkling_data::DataSet;
use inkling_schema::RunSpec;
use inkling_schema::found::PlannedRun;
use inkling_store::Store;

pub use check::check;
pub use error::LookError;
pub use images::UserImage;
pub(crate) use plan::expand;
pub(crate) use study::run_inside;
pub(crate) use trained::BEST;
pub use trained::{Trained, Weights};

use crate::error::LabError;
use crate::runs::{RunContext, run_once};
use crate::study::Observer;

/// What a look takes beside its run's spec.
#[derive(Debug)]
pub struct LookInputs<'a> {
    /// The network that is looked into.
    pub network: &'a mut Trained,
    /// An independently trained network that is asked about dreams, if there is one.
    pub judge: Option<&'a mut Trained>,
    /// The data set of the run, with as many images as it says.
    pub set: Option<&'a DataSet>,
    /// The images that a person brings and the run names.
    pub user_images: &'a [UserImage],
}

impl LookInputs<'_> {
    /// The classes' names, where they are known.
    pub(crate) fn names(&self) -> &[&str] {
        self.set.map_or(&[], |set| set.info.classes)
    }
}

/// Does one look, a run of filters, activations or dreams, unless `store` holds it already.
///
/// # Errors
/// [`LookError`] where the network cannot be looked into so, [`LabError::Interrupted`], and those of the store.
///
/// # Panics
/// If the run is of another kind.
pub fn look(
    run: &PlannedRun,
    mut inputs: LookInputs,
    store: &Store,
    observer: &dyn Observer,
) -> Result<(), LabError> {
    check(&run.spec, &inputs)?;
    let context = RunContext { store, set: inputs.set, observer, mixes_instructions: false };
    // On a thread of the pool: entering it from outside would cost every operation of every step some microseconds.
    rayon::scope(|_| match &run.spec {
        RunSpec::Filters(spec) => {
            run_once(&context, run, |writer| Ok(Some(filters::run(&spec.patterns, inputs.network, writer)?)))
        }
        RunSpec::Activations(spec) => {
            run_once(&context, run, |writer| activations::run(spec, &mut inputs, observer, writer))
        }
        RunSpec::Dream(spec) => {
            run_once(&context, run, |writer| dream::run(&run.title, spec, &mut inputs, observer, writer))
        }
        _ => panic!("a {:?} run is no look", run.task),
    })
}
