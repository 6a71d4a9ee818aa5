//! `--set` of `inkling run`: the validation result of one point, for whoever tries values of hyperparameters one after the other.

use inkling_lab::Worker;
use inkling_schema::format::percent;
use inkling_schema::outcome::{Divergence, RunResult, Score, StudyRecord, TrialOutcome};
use inkling_schema::{RunId, Setting, Sweep};
use inkling_store::Store;
use serde::Serialize;
use serde_json::Value;

use super::run::one;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::output;

/// What a point reaches on the validation images, as JSON.
#[derive(Serialize)]
struct PointReport<'a> {
    task: &'static str,
    network: &'a str,
    settings: Vec<Set>,
    /// One training for each seed of the study.
    runs: Vec<RunReport>,
    /// The mean over the seeds; null where a training diverged.
    validation: Option<Score>,
}

/// A value that was set.
#[derive(Serialize)]
struct Set {
    key: String,
    value: Value,
}

#[derive(Serialize)]
struct RunReport {
    id: RunId,
    seed: u64,
    /// The epoch whose weights are the network's.
    epoch: Option<usize>,
    /// Null where the training diverged.
    validation: Option<Score>,
    diverged: Option<Divergence>,
    seconds: f64,
}

/// The point that the command line asks for.
pub(super) fn asked(args: &RunArgs, record: &StudyRecord) -> Result<Sweep, Failure> {
    Ok(record.study.point(args.network.as_deref(), &args.set)?)
}

/// Trains the networks of a point, one with each seed of the study, and prints what they reach on the validation images.
pub(super) fn run(args: &RunArgs, sweep: &Sweep, worker: &mut Worker, store: &Store) -> Result<(), Failure> {
    let numbers = worker.add(sweep)?;
    numbers.iter().try_for_each(|&number| one(worker, number))?;
    let point = sweep.points.first().expect("a point was asked for");
    let runs = numbers.into_iter().zip(point.study.all_seeds()).map(|(number, seed)| {
        let id = worker.jobs()[number].run.id.clone();
        let result: RunResult<TrialOutcome> =
            store.run(id.as_ref()).finished()?.expect("a run that was done has a result");
        let (outcome, seconds) = (result.outcome, result.seconds);
        let epoch = outcome.kept().map(|kept| kept.epoch);
        let (validation, diverged) = (outcome.score(), outcome.diverged);
        Ok(RunReport { id, seed, epoch, validation, diverged, seconds })
    });
    let runs = runs.collect::<Result<Vec<_>, Failure>>()?;
    let scores: Option<Vec<Score>> = runs.iter().map(|run| run.validation).collect();
    let validation = scores.and_then(|scores| Score::mean(&scores));
    if args.json {
        let set = |Setting { key, value }: &Setting| {
            let value = serde_json::to_value(value).expect("a value of a study is plain data");
            Set { key: key.clone(), value }
        };
        let settings = point.settings.iter().map(set).collect();
        let (task, network) = (sweep.task.name(), sweep.network.as_str());
        let report = PointReport { task, network, settings, runs, validation };
        output::line(&serde_json::to_string_pretty(&report).expect("a report is plain data"));
        return Ok(());
    }
    let seeds = match runs.len() {
        1 => String::new(),
        seeds => format!(", the mean of {seeds} seeds"),
    };
    let name = format!("{} {} with {}", sweep.task.name(), sweep.network, point.title());
    output::line(&match validation {
        Some(Score { accuracy, loss }) => {
            format!("{name}: validation accuracy {}, loss {loss:.4}{seeds}", percent(accuracy, 2))
        }
        None => format!("{name}: a training diverged, so there is no result"),
    });
    Ok(())
}
