//! Task 5 within a study: the judge is trained, then the networks are read and looked into.

use inkling_schema::outcome::PlannedRun;
use inkling_schema::{RunId, RunSpec};
use inkling_store::TensorFile;

use super::inputs::LookInputs;
use super::look_in;
use super::trained::Trained;
use crate::error::LabError;
use crate::observer::Event;
use crate::runs::RunContext;
use crate::train::train_in;

/// Does the runs of task 5 that `store` does not hold yet; the network they look into is trained.
pub(crate) fn run_inside(context: &RunContext, runs: &[&PlannedRun]) -> Result<(), LabError> {
    let RunContext { store, observer, .. } = *context;
    let is_training = |run: &&&PlannedRun| matches!(run.spec, RunSpec::Train(_));
    for run in runs.iter().filter(is_training) {
        train_in(context, run)?;
    }
    let looks = || runs.iter().filter(|run| !is_training(run));
    observer.event(Event::Stage { title: "looking inside", steps: looks().count() });
    let read = |id: &RunId| Trained::read(&store.run(id.as_ref()).path().join(TensorFile::Model.name()));
    // All looks of a study are into one network, and ask one judge.
    let (mut network, mut judge) = (None, None);
    for run in looks() {
        let (of, asked) = match &run.spec {
            RunSpec::Filters(look) => (&look.of, None),
            RunSpec::Activations(look) => (&look.of, None),
            RunSpec::Dream(look) => (&look.of, look.judge.as_ref()),
            _ => unreachable!("a look"),
        };
        let network = match &mut network {
            Some(network) => network,
            none => none.insert(read(of)?),
        };
        if let (None, Some(asked)) = (&judge, asked) {
            judge = Some(read(asked)?);
        }
        let judge = judge.as_mut().filter(|_| asked.is_some());
        look_in(context, run, LookInputs { network, judge, set: context.set, user_images: &[] })?;
    }
    Ok(())
}
