//! A training for more epochs goes on from where a finished one ended that was the same but for its length.

use inkling_engine::Isa;
use inkling_schema::outcome::{PlannedRun, RunResult};
use inkling_schema::{RunSpec, TrainRun};
use inkling_store::{RunDir, RunWriter};
use serde::de::IgnoredAny;

use crate::error::LabError;
use crate::observer::Event;
use crate::runs::RunContext;

/// Begins the run with what the longest finished run left that did its first epochs, and says how many those were.
/// Where there is such a run and this one cannot go on from it, the observer hears why.
pub(super) fn begin<'a>(
    context: &RunContext<'a>,
    run: &PlannedRun,
    spec: &TrainRun,
    title: &str,
) -> Result<Option<(RunWriter<'a>, usize)>, LabError> {
    let Some((shorter, epochs)) = longest_shorter(context, run, spec) else { return Ok(None) };
    let cannot = |reason: &str| {
        context.observer.event(Event::NotContinued { title, epochs, reason });
        Ok(None)
    };
    if spec.training.schedule.depends_on_length() {
        return cannot("its learning rate depends on the number of epochs from the first step on");
    }
    // A result that is damaged says nothing; its checkpoint has a checksum of its own.
    let result = shorter.result::<RunResult<IgnoredAny>>().ok().flatten();
    if let Some(result) = result
        && !Isa::current().has_the_bits_of(&result.machine.instructions)
    {
        return cannot("it was computed with other instructions, which end with other last digits");
    }
    match context.store.begin_from(run.id.as_ref(), &run.spec, &shorter)? {
        Some(writer) => Ok(Some((writer, epochs))),
        None => cannot("its last checkpoint is gone or damaged"),
    }
}

/// The finished run that is `spec` with fewer epochs, of several the one with the most, and its epochs.
fn longest_shorter(context: &RunContext, run: &PlannedRun, spec: &TrainRun) -> Option<(RunDir, usize)> {
    let is_trial = matches!(run.spec, RunSpec::Trial(_));
    let found = context.store.reader().runs().filter_map(|dir| {
        let mut other = match dir.spec::<RunSpec>() {
            Ok(Some(RunSpec::Train(other))) if !is_trial => other,
            Ok(Some(RunSpec::Trial(other))) if is_trial => other,
            _ => return None,
        };
        let epochs = std::mem::replace(&mut other.training.epochs, spec.training.epochs);
        let training = inkling_schema::TrainingSpec { epochs, ..spec.training.clone() };
        let shorter = TrainRun { training, ..spec.clone() };
        let shorter = if is_trial { RunSpec::Trial(shorter) } else { RunSpec::Train(shorter) };
        // The id holds the checksum of the data, which the spec does not.
        let is_of_this_data = dir.id() == shorter.id(&context.set().checksum).as_ref();
        let is_finished = || matches!(dir.result::<serde_json::Value>(), Ok(Some(_)));
        let fits = epochs < spec.training.epochs && other == *spec && is_of_this_data && is_finished();
        fits.then_some((dir, epochs))
    });
    found.max_by_key(|(_, epochs)| *epochs)
}
