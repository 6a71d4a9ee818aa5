//! `inkling plan`: the runs of a study, what each needs, and how long it may take.

use std::cell::RefCell;

use inkling_data::{FetchEvent, Sources};
use inkling_lab::{
    Estimate, Estimator, Job, JobState, LabError, Observer, StudyOptions, jobs, plan_study, states,
};
use inkling_schema::RunId;
use inkling_schema::format::duration;
use inkling_store::Store;
use serde::Serialize;

use crate::args::PlanArgs;
use crate::failure::Failure;
use crate::interrupt::{self, STOP};
use crate::printable::check_printable;
use crate::progress::Progress;
use crate::study::{resolve, take_seeds, tasks_of};
use crate::{output, own, start_computing};

/// The plan as JSON.
#[derive(Serialize)]
struct PlanReport<'a> {
    /// Name of the preset or study file.
    preset: &'a str,
    /// What the estimates rest on.
    rate: &'a str,
    runs: Vec<Planned<'a>>,
}

#[derive(Serialize)]
struct Planned<'a> {
    /// For `inkling run --index`.
    index: usize,
    id: &'a RunId,
    task: &'static str,
    /// The run's name within its task.
    title: String,
    needs: &'a [RunId],
    done: bool,
    /// Seconds that a finished run took.
    took: Option<f64>,
    /// What a training may take; null for other runs.
    estimate: Option<Estimate>,
}

pub(crate) fn plan(args: &PlanArgs) -> Result<(), Failure> {
    let (name, mut study) = resolve(&args.study)?;
    take_seeds(&mut study, args.seed, args.seeds);
    let only = args.only.iter().map(|&task| task.into()).collect();
    let options = StudyOptions { only, mix_instructions: args.mix_instructions, keep_file: false };
    tasks_of(&study, &options.only)?;
    start_computing(&args.compute)?;
    let ready = own::adapt(&mut study, &options.only, args.data.folder.as_deref())?;
    check_printable(&study)?;
    let store = Store::open(&args.out)?;
    let progress = Progress::new(&STOP);
    progress.notes(&store);
    let fetching = |event: FetchEvent| progress.fetching(&event);
    let interrupted = || progress.interrupted();
    let sources = Sources {
        progress: &fetching,
        interrupted: &interrupted,
        ready: RefCell::new(ready.into_iter().collect()),
        ..Sources::new(args.data.folder.clone())
    };
    let record = match plan_study(&study, &name, &store, &sources, &options, &progress) {
        Err(LabError::Interrupted) => return Err(interrupt::interrupted().into()),
        other => other?,
    };
    let jobs = jobs(&record);
    let states = states(&jobs, store.reader())?;
    let mut estimator = Estimator::new(args.rate);
    let runs: Vec<Planned> = jobs
        .iter()
        .zip(&states)
        .enumerate()
        .map(|(index, (job, state))| {
            let Job { run, needs } = job;
            let (done, took) = match state {
                JobState::Done { seconds } => (true, *seconds),
                _ => (false, None),
            };
            let estimate = if done { None } else { estimator.estimate(run) };
            let (id, task, title) = (&run.id, run.task.name(), run.name());
            Planned { index, id, task, title, needs, done, took, estimate }
        })
        .collect();
    let rate = match args.rate {
        Some(rate) => format!("{rate:e} multiply-adds a second, as given with --rate"),
        None => "steps of each network, measured on this machine".to_owned(),
    };
    let report = PlanReport { preset: &record.preset, rate: &rate, runs };
    if args.json {
        output::line(&serde_json::to_string_pretty(&report).expect("a plan is plain data"));
    } else {
        tell(&report);
    }
    Ok(())
}

fn tell(report: &PlanReport) {
    let heads = ["run", "id", "what", "needs", "estimate", "memory"].map(str::to_owned).to_vec();
    let runs = report.runs.iter().map(|run| {
        let needs = run.needs.iter().filter_map(|id| report.runs.iter().find(|other| other.id == id));
        let needs = needs.map(|needed| needed.index.to_string()).collect::<Vec<_>>().join(", ");
        let time = match (run.done, run.took, run.estimate) {
            (true, Some(took), _) => format!("done in {}", duration(took)),
            (true, None, _) => "done".into(),
            (false, _, Some(estimate)) => duration(estimate.seconds),
            (false, _, None) => "–".into(),
        };
        let memory = run.estimate.map_or_else(String::new, |estimate| {
            format!("{:.0} MiB", (estimate.bytes as f64 / f64::from(1 << 20)).ceil())
        });
        let what = format!("{} {}", run.task, run.title);
        vec![run.index.to_string(), run.id.to_string(), what, needs, time, memory]
    });
    output::table(&std::iter::once(heads).chain(runs).collect::<Vec<_>>(), 4);
    let estimates = || report.runs.iter().filter_map(|run| run.estimate);
    let left = report.runs.iter().filter(|run| !run.done).count();
    output::line(&format!("{left} of {} runs are left to do", report.runs.len()));
    if estimates().next().is_some() {
        let seconds = estimates().map(|estimate| estimate.seconds).sum();
        output::line(&format!(
            "The trainings among them may take {} one after the other, an estimate from {}; other runs are not estimated",
            duration(seconds),
            report.rate,
        ));
    }
}
