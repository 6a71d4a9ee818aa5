//! What the report's page has of a study: its networks, in a form that is small enough, and images to try them on.

mod images;
mod network;
mod plan;

use inkling_schema::RunSpec;
use inkling_schema::outcome::PlannedRun;

pub(crate) use plan::expand;

use crate::error::LabError;
use crate::observer::Event;
use crate::runs::{RunContext, run_once};

/// Does those of these runs for the page that the store does not hold yet; the networks are trained.
pub(crate) fn run_page<'a>(
    runs: &[&PlannedRun],
    context: impl Fn(&PlannedRun) -> RunContext<'a>,
) -> Result<(), LabError> {
    let Some(first) = runs.first() else { return Ok(()) };
    let observer = context(first).observer;
    observer.event(Event::Stage { title: "networks for the page", steps: runs.len() });
    for run in runs {
        run_in(&context(run), run)?;
    }
    Ok(())
}

/// Does one run for the page unless the store holds it; the network is trained.
pub(crate) fn run_in(context: &RunContext, run: &PlannedRun) -> Result<(), LabError> {
    // On a thread of the pool: entering it from outside would cost every operation some microseconds.
    rayon::scope(|_| match &run.spec {
        RunSpec::PageNetwork(spec) => {
            run_once(context, run, |writer| network::run(spec, context, writer).map(Some))
        }
        RunSpec::PageImages(spec) => {
            run_once(context, run, |writer| images::run(spec, context.set(), writer).map(Some))
        }
        _ => unreachable!("a run for the page"),
    })
}
