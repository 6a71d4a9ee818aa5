//! `inkling plan`: the runs of a study, what each needs, and how long it may take.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::path::Path;

use inkling_data::{FetchEvent, Sources};
use inkling_lab::{
    Estimate, Estimator, Job, JobState, LabError, Observer, Piece, StudyOptions, jobs, makespan, plan_study,
    states,
};
use inkling_schema::format::duration;
use inkling_schema::outcome::StudyRecord;
use inkling_schema::{RunId, Study};
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
    /// How long the whole study may take on several nodes, where that was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    makespans: Vec<Makespan>,
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
    /// What a run may take that is not finished.
    estimate: Option<Estimate>,
}

#[derive(Serialize)]
struct Makespan {
    nodes: usize,
    /// From the first start to the last end.
    seconds: f64,
}

pub(crate) fn plan(args: &PlanArgs) -> Result<(), Failure> {
    let (name, mut study) = resolve(&args.study)?;
    take_seeds(&mut study, args.seed, args.seeds);
    let only = args.only.iter().map(|&task| task.into()).collect();
    let options = StudyOptions { only, mix_instructions: args.mix_instructions, keep_file: false };
    tasks_of(&study, &options.only)?;
    start_computing(&args.compute)?;
    let Made { store, record, .. } = make(study, &name, &args.out, args.data.folder.as_deref(), &options)?;
    let jobs = jobs(&record);
    let states = states(&jobs, store.reader())?;
    let estimates = estimates(&record, &jobs, &states, args.rate);
    let makespans = makespans(&args.nodes, &record, &jobs, &states, &estimates, args.rate);
    let runs: Vec<Planned> = jobs
        .iter()
        .zip(states.iter().zip(estimates))
        .enumerate()
        .map(|(index, (job, (state, estimate)))| {
            let Job { run, needs } = job;
            let (done, took) = match state {
                JobState::Done { seconds } => (true, *seconds),
                _ => (false, None),
            };
            let (id, task, title) = (&run.id, run.task.name(), run.name());
            Planned { index, id, task, title, needs, done, took, estimate }
        })
        .collect();
    let rate = match args.rate {
        Some(rate) => format!("{rate:e} multiply-adds a second, as given with --rate"),
        None => "steps of each network, measured on this machine".to_owned(),
    };
    let report = PlanReport { preset: &record.preset, rate: &rate, runs, makespans };
    if args.json {
        output::line(&serde_json::to_string_pretty(&report).expect("a plan is plain data"));
    } else {
        tell(&report);
    }
    Ok(())
}

/// A study that was planned in its folder.
pub(crate) struct Made {
    pub(crate) store: Store,
    pub(crate) record: StudyRecord,
    /// Whether the folder of data that was given is a person's own images, which the plan names by now.
    pub(crate) is_own: bool,
}

/// Plans a study: writes `study.json`.
pub(crate) fn make(
    mut study: Study,
    name: &str,
    out: &Path,
    folder: Option<&Path>,
    options: &StudyOptions,
) -> Result<Made, Failure> {
    let ready = own::adapt(&mut study, &options.only, folder)?;
    let is_own = ready.is_some();
    check_printable(&study)?;
    let store = Store::open(out)?;
    let progress = Progress::new(&STOP);
    progress.notes(&store);
    let fetching = |event: FetchEvent| progress.fetching(&event);
    let interrupted = || progress.interrupted();
    let sources = Sources {
        progress: &fetching,
        interrupted: &interrupted,
        ready: RefCell::new(ready.into_iter().collect()),
        ..Sources::new(folder.map(Path::to_owned))
    };
    let record = match plan_study(&study, name, &store, &sources, options, &progress) {
        Err(LabError::Interrupted) => return Err(interrupt::interrupted().into()),
        other => other?,
    };
    Ok(Made { store, record, is_own })
}

/// What each job may take that is not done.
pub(crate) fn estimates(
    record: &StudyRecord,
    jobs: &[Job],
    states: &[JobState],
    rate: Option<f64>,
) -> Vec<Option<Estimate>> {
    let mut estimator = Estimator::new(rate);
    let of = |(job, state): (&Job, &JobState)| match state {
        JobState::Done { .. } => None,
        _ => estimator.estimate(&job.run, &record.runs),
    };
    jobs.iter().zip(states).map(of).collect()
}

/// How long the whole study may take on so many nodes: of finished runs what they took, of others their estimates.
fn makespans(
    nodes: &[NonZeroUsize],
    record: &StudyRecord,
    jobs: &[Job],
    states: &[JobState],
    estimates: &[Option<Estimate>],
    rate: Option<f64>,
) -> Vec<Makespan> {
    if nodes.is_empty() {
        return Vec::new();
    }
    let place = |id: &RunId| jobs.iter().position(|job| job.run.id == *id);
    let mut again = Estimator::new(rate);
    let pieces: Vec<Piece> = jobs
        .iter()
        .zip(states.iter().zip(estimates))
        .map(|(job, (state, estimate))| {
            let seconds = match state {
                JobState::Done { seconds: Some(took) } => Some(*took),
                // What it took cannot be read.
                JobState::Done { .. } => again.estimate(&job.run, &record.runs).map(|found| found.seconds),
                _ => estimate.map(|found| found.seconds),
            };
            Piece { seconds: seconds.unwrap_or(0.0), needs: job.needs.iter().filter_map(place).collect() }
        })
        .collect();
    nodes
        .iter()
        .map(|&nodes| Makespan { nodes: nodes.get(), seconds: makespan(&pieces, nodes.get()) })
        .collect()
}

fn tell(report: &PlanReport) {
    let heads = ["run", "id", "what", "needs", "estimate", "memory"].map(str::to_owned).to_vec();
    let runs = report.runs.iter().map(|run| {
        let needs = run.needs.iter().filter_map(|id| report.runs.iter().find(|other| other.id == id));
        let needs = needs.map(|needed| needed.index.to_string()).collect::<Vec<_>>().join(", ");
        let time = match (run.done, run.took, run.estimate) {
            (true, Some(took), _) => format!("done in {}", duration(took)),
            (true, None, _) => "done".into(),
            (false, _, Some(estimate)) if estimate.is_rough => {
                format!("about {}", duration(estimate.seconds))
            }
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
            "They may take {} one after the other. Trainings are estimated from {}; other runs (about) only roughly",
            duration(seconds),
            report.rate,
        ));
    }
    if !report.makespans.is_empty() {
        let heads = ["nodes", "the whole study takes", "busy"].map(str::to_owned).to_vec();
        let work: f64 = report.runs.iter().map(seconds).sum();
        let rows = report.makespans.iter().map(|of| {
            let busy = 100.0 * work / (of.seconds * of.nodes as f64).max(f64::MIN_POSITIVE);
            vec![of.nodes.to_string(), duration(of.seconds), format!("{busy:.0} %")]
        });
        output::table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>(), 0);
        output::line(
            "Each node does one run at a time, in the best order that the estimates show; finished runs count with what they took",
        );
    }
}

/// What a run took or may take.
fn seconds(run: &Planned) -> f64 {
    run.took.or(run.estimate.map(|estimate| estimate.seconds)).unwrap_or(0.0)
}
