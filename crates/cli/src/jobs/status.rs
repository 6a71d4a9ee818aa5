//! `inkling status`: how the runs of a study stand, from its folder alone.

use std::thread;
use std::time::Duration;

use inkling_lab::{Job, JobState, jobs, planned, states};
use inkling_schema::RunId;
use inkling_schema::format::duration;
use inkling_schema::outcome::{RunFailure, StudyRecord};
use inkling_store::{ClaimSeen, Pulse, Reader, Watch};
use serde::Serialize;

use crate::args::StatusArgs;
use crate::failure::Failure;
use crate::output;

/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// How a study stands, as JSON.
#[derive(Serialize)]
struct Status<'a> {
    preset: &'a str,
    runs: Vec<RunStatus<'a>>,
}

#[derive(Serialize)]
struct RunStatus<'a> {
    index: usize,
    id: &'a RunId,
    task: &'static str,
    /// The run's name within its task.
    title: String,
    /// "done", "running", "silent", "waiting", "ready", "failed" or "blocked".
    state: &'static str,
    /// Seconds that a finished run took.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// Who does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<By>,
    /// Runs that it needs and that are not finished, or have failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    on: Vec<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<RunFailure>,
}

/// The process that does a run.
#[derive(Serialize)]
struct By {
    host: String,
    pid: u32,
    /// By its host's clock.
    since: String,
    renewed: Option<String>,
    /// How often the run was begun or gone on with.
    attempt: u64,
}

pub(crate) fn status(args: &StatusArgs) -> Result<(), Failure> {
    let reader = Reader::open(&args.out)?;
    let watch = Watch::default();
    let mut before = Vec::new();
    loop {
        let record = planned(&reader)?;
        let jobs = jobs(&record);
        let status = look(&record, &jobs, &reader, &watch)?;
        let lines = lines(&status);
        if args.json {
            let text = if args.watch {
                serde_json::to_string(&status)
            } else {
                serde_json::to_string_pretty(&status)
            };
            output::line(&text.expect("a status is plain data"));
        } else {
            lines.iter().filter(|line| !before.contains(*line)).for_each(|line| output::line(line));
        }
        before = lines;
        let is_open = |run: &RunStatus| !matches!(run.state, "done" | "failed" | "blocked");
        if !args.watch || output::is_lost() || !status.runs.iter().any(is_open) {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
}

fn look<'a>(
    record: &'a StudyRecord,
    jobs: &'a [Job],
    reader: &Reader,
    watch: &Watch,
) -> Result<Status<'a>, Failure> {
    let states = states(jobs, reader)?;
    let runs = jobs.iter().zip(states).enumerate().map(|(index, (job, state))| {
        let run = &job.run;
        let mut status = RunStatus {
            index,
            id: &run.id,
            task: run.task.name(),
            title: run.name(),
            state: "ready",
            seconds: None,
            by: None,
            on: Vec::new(),
            failure: None,
        };
        match state {
            JobState::Done { seconds } => (status.state, status.seconds) = ("done", seconds),
            JobState::Claimed(seen) => {
                let is_silent = reader.pulse(run.id.as_ref(), &seen, watch) == Pulse::Gone;
                status.state = if is_silent { "silent" } else { "running" };
                status.by = by(&seen);
            }
            JobState::Failed(failure) => (status.state, status.failure) = ("failed", Some(failure)),
            JobState::Waiting(on) => (status.state, status.on) = ("waiting", on),
            JobState::Blocked(by) => (status.state, status.on) = ("blocked", by),
            JobState::Ready => {}
        }
        status
    });
    Ok(Status { preset: &record.preset, runs: runs.collect() })
}

fn by(seen: &ClaimSeen) -> Option<By> {
    let holder = &seen.claimant.as_ref()?.holder;
    Some(By {
        host: holder.host.clone(),
        pid: holder.pid,
        since: holder.since.clone(),
        renewed: seen.renewed.clone(),
        attempt: seen.number,
    })
}

/// The status as a person reads it: every run about which there is something to say, and counts.
fn lines(status: &Status) -> Vec<String> {
    let title = |run: &RunStatus| format!("run {}, {} {} ({})", run.index, run.task, run.title, run.id);
    let titles = |ids: &[RunId]| {
        let runs = status.runs.iter().filter(|run| ids.contains(run.id));
        runs.map(|run| format!("run {}", run.index)).collect::<Vec<_>>().join(", ")
    };
    let mut lines = Vec::new();
    for run in &status.runs {
        match run.state {
            "running" | "silent" => {
                let by = run.by.as_ref().map_or_else(String::new, |by| {
                    let renewed =
                        by.renewed.as_ref().map_or_else(String::new, |time| format!(", renewed {time}"));
                    let attempt =
                        if by.attempt > 1 { format!(", attempt {}", by.attempt) } else { String::new() };
                    format!(" on {} (process {}) since {}{renewed}{attempt}", by.host, by.pid, by.since)
                });
                let silent = if run.state == "silent" { "; its claim is not renewed any more" } else { "" };
                lines.push(format!("{}: running{by}{silent}", title(run)));
            }
            "failed" => {
                let Some(failure) = &run.failure else { continue };
                lines.push(format!("{}: failed on {} at {}", title(run), failure.host, failure.time));
                lines.extend(failure.lines.iter().map(|line| format!("    {line}")));
            }
            "blocked" => lines.push(format!("{}: cannot be done, as {} failed", title(run), titles(&run.on))),
            _ => {}
        }
    }
    let count = |state: &str| status.runs.iter().filter(|run| run.state == state).count();
    let counts = ["done", "running", "silent", "ready", "waiting", "failed", "blocked"]
        .map(|state| (state, count(state)));
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts = counts.map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ");
    let seconds: f64 = status.runs.iter().filter_map(|run| run.seconds).sum();
    let took =
        if seconds > 0.0 { format!("; finished runs took {}", duration(seconds)) } else { String::new() };
    lines.push(format!("{}: {} runs, {counts}{took}", status.preset, status.runs.len()));
    lines
}
