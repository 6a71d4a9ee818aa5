//! Task 5 within a study: the judge is trained, then the networks are read and looked into.

use inkling_schema::outcome::PlannedRun;
use inkling_schema::{RunId, RunSpec};
use inkling_store::TensorFile;

use super::inputs::LookInputs;
use super::trained::Trained;
use super::{look_in, run_likeness};
use crate::error::LabError;
use crate::observer::Event;
use crate::runs::RunContext;
use crate::train::train_in;

/// Does the runs of task 5 that `store` does not hold yet; the network they look into is trained.
pub(crate) fn run_inside(context: &RunContext, runs: &[&PlannedRun]) -> Result<(), LabError> {
    let observer = context.observer;
    let is_training = |run: &&&PlannedRun| matches!(run.spec, RunSpec::Train(_));
    for run in runs.iter().filter(is_training) {
        train_in(context, run)?;
    }
    let looks = || runs.iter().filter(|run| !is_training(run));
    observer.event(Event::Stage { title: "looking inside", steps: looks().count() });
    // Looks come network by network: one is in memory at a time, beside one judge.
    let (mut network, mut judge) = (Held::default(), Held::default());
    for run in looks() {
        let (of, asked) = match &run.spec {
            RunSpec::Filters(look) => (&look.of, None),
            RunSpec::Activations(look) => (&look.of, None),
            RunSpec::Dream(look) => (&look.of, look.judge.as_ref()),
            RunSpec::Likeness(_) => {
                run_likeness(context, run)?;
                continue;
            }
            _ => unreachable!("a look"),
        };
        let network = network.read(of, context)?;
        let judge = asked.map(|asked| judge.read(asked, context)).transpose()?;
        look_in(context, run, LookInputs { network, judge, set: context.set, user_images: &[] })?;
    }
    Ok(())
}

/// The network that was read last.
#[derive(Default)]
struct Held(Option<(RunId, Trained)>);

impl Held {
    fn read(&mut self, id: &RunId, context: &RunContext) -> Result<&mut Trained, LabError> {
        let held = self.0.take().filter(|(held, _)| held == id);
        let held = match held {
            Some(held) => held,
            None => {
                let path = context.store.run(id.as_ref()).path().join(TensorFile::Model.name());
                (id.clone(), Trained::read(&path)?)
            }
        };
        Ok(&mut self.0.insert(held).1)
    }
}
