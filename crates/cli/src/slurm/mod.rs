//! `inkling study --on slurm`: plans a study, submits its runs as jobs and returns; the last job makes the report.

mod arrays;
mod sbatch;
mod script;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use inkling_lab::{Estimate, Job, JobState, StudyOptions, jobs, states};
use inkling_schema::format::counted;
use inkling_schema::{RunId, SlurmSettings, Study, quoted, quoted_path};
use inkling_store::atomic;
use serde::{Deserialize, Serialize};

use crate::args::{ComputeArgs, StudyArgs};
use crate::failure::{Failure, UsageError};
use crate::jobs::{Made, estimates, make};
use crate::study::read_text;
use crate::{message, output, start_computing};
use arrays::{Array, ToDo, arrays};
use script::Script;

/// The folder of scripts and logs within that of the study.
const FOLDER: &str = "slurm";
/// The numbers of the jobs that were submitted last, in that folder.
const SUBMITTED: &str = "submitted.json";
/// The settings that are taken where none are named, in the current folder.
const SETTINGS: &str = "slurm.toml";
/// Names another file of settings.
const VARIABLE: &str = "INKLING_SLURM";

/// What was submitted, for whoever submits again.
#[derive(Serialize, Deserialize)]
struct Submitted {
    jobs: Vec<String>,
}

pub(crate) fn study(
    args: &StudyArgs,
    study: Study,
    name: &str,
    options: StudyOptions,
) -> Result<(), Failure> {
    sbatch::check()?;
    let mut settings = settings(args.slurm.as_deref())?;
    if let Some(threads) = args.compute.threads {
        settings.cpus = threads.get();
    }
    // Rates are measured with as many threads as the jobs have, if this host has so many.
    let here = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    start_computing(&ComputeArgs {
        threads: NonZeroUsize::new(settings.cpus.min(here)),
        cpu: args.compute.cpu,
    })?;
    // What this host computes with says nothing about the nodes, which compare their instructions with those of finished runs.
    let of_plan = StudyOptions { mix_instructions: true, ..options };
    let folder = args.data.folder.as_deref();
    let Made { store, record, is_own } = make(study, name, &args.out, folder, &of_plan)?;
    let jobs = jobs(&record);
    let states = states(&jobs, store.reader())?;
    let estimates = estimates(&record, &jobs, &states, settings.rate);
    let to_do = to_do(&jobs, &states, &estimates);
    // The last job takes the folder, and may be fast.
    drop(store);
    let arrays = arrays(&to_do, &settings);

    let out = absolute(&args.out);
    let place = out.join(FOLDER);
    atomic::writable_folder(&place)?;
    // The study as it is now, under its own name: its file may change before the last job starts.
    let file = place.join(&record.preset);
    atomic::write(&file, record.study.to_toml().as_bytes())?;
    say_what_was_submitted(&place);

    let program = std::env::current_exe().map_err(|source| UsageError::Sbatch {
        said: format!("the program's own path is not known: {source}"),
        earlier: Vec::new(),
    })?;
    let (program, shell_out) = (quoted(&program), quoted(&out));
    let options = node_options(args, &settings, folder.filter(|_| !is_own));
    let mut numbers: Vec<String> = Vec::new();
    let mut rows = vec![["job", "runs", "of", "time limit", "memory", "after"].map(str::to_owned).to_vec()];
    let log = |pattern: &str| log(&place, pattern);
    for (number, array) in arrays.iter().enumerate() {
        let tasks = tasks(array, &to_do);
        let script = Script {
            name: &if tasks.len() < 3 {
                format!("inkling-{}", tasks.join("-"))
            } else {
                "inkling".to_owned()
            },
            settings: &settings,
            minutes: array.minutes,
            memory: array.memory,
            program: &program,
            out: &shell_out,
            options: &options,
        };
        let ids = |job: &Vec<usize>| job.iter().map(|&run| &to_do[run].id).collect::<Vec<&RunId>>();
        let text = script.of_runs(&array.jobs.iter().map(ids).collect::<Vec<_>>());
        let path = place.join(format!("{number}.sh"));
        atomic::write(&path, text.as_bytes())?;
        let after: Vec<String> =
            array.after.iter().map(|&(array, job)| format!("{}_{job}", numbers[array])).collect();
        let job = sbatch::submit(&path, &log("%x-%A_%a.log"), &after, &numbers)?;
        let runs: usize = array.jobs.iter().map(Vec::len).sum();
        let jobs = counted(array.jobs.len(), "job");
        rows.push(row(&job, &format!("{runs} in {jobs}"), &tasks.join(", "), &script, &after.join(", ")));
        numbers.push(job);
    }
    let script = Script {
        name: "inkling-report",
        settings: &settings,
        minutes: REPORT_MINUTES.max(settings.least_minutes as u64),
        memory: arrays.iter().map(|array| array.memory).max().unwrap_or(0).max(settings.least_memory as u64),
        program: &program,
        out: &shell_out,
        options: &options,
    };
    let path = place.join("report.sh");
    atomic::write(&path, script.of_report(&quoted(&file)).as_bytes())?;
    let job = sbatch::submit(&path, &log("%x-%j.log"), &numbers, &numbers)?;
    rows.push(row(&job, "", "the report", &script, if numbers.is_empty() { "" } else { "all others" }));
    numbers.push(job);
    atomic::write(&place.join(SUBMITTED), &inkling_store::sealed_json(&Submitted { jobs: numbers.clone() }))?;
    tell(&rows, &numbers, jobs.len(), to_do.len(), &args.out);
    Ok(())
}

/// The time limit of the job that makes the report; what it cannot finish by then, it goes on with.
const REPORT_MINUTES: u64 = 30;

/// The settings in the file that was named, or in one of the places where there may be some.
fn settings(named: Option<&Path>) -> Result<SlurmSettings, Failure> {
    let of_environment = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let usual = || Some(PathBuf::from(SETTINGS)).filter(|path| path.exists());
    let Some(path) = named.map(Path::to_owned).or(of_environment).or_else(usual) else {
        return Ok(SlurmSettings::default());
    };
    let text = read_text(&path, |path, source| UsageError::SlurmFile { path, source })?;
    Ok(SlurmSettings::from_toml(&path.to_string_lossy(), &text)?)
}

/// The runs that are to be done: those that are not finished. What failed is tried again.
fn to_do(jobs: &[Job], states: &[JobState], estimates: &[Option<Estimate>]) -> Vec<ToDo> {
    let mut places: BTreeMap<&RunId, usize> = BTreeMap::new();
    let mut to_do = Vec::new();
    for (job, (state, estimate)) in jobs.iter().zip(states.iter().zip(estimates)) {
        // The program that needs a result which cannot be read finds out.
        if matches!(state, JobState::Done { seconds: Some(_) }) {
            continue;
        }
        places.insert(&job.run.id, to_do.len());
        to_do.push(ToDo {
            id: job.run.id.clone(),
            task: job.run.task.name(),
            seconds: estimate.map_or(0.0, |found| found.seconds),
            bytes: estimate.map_or(0, |found| found.bytes),
            needs: job.needs.iter().filter_map(|id| places.get(id).copied()).collect(),
        });
    }
    to_do
}

/// The options that both `inkling run` and `inkling study` get on the nodes.
fn node_options(args: &StudyArgs, settings: &SlurmSettings, data: Option<&Path>) -> String {
    let mut options = format!(" --threads {}", settings.cpus);
    let named = args.compute.cpu.map(inkling_engine::Isa::name);
    if let Some(instructions) = named.or(settings.instructions.as_deref()) {
        options.push_str(&format!(" --cpu {instructions}"));
    }
    if args.mix_instructions {
        options.push_str(" --mixed");
    }
    if let Some(data) = data {
        options.push_str(&format!(" --data {}", quoted(absolute(data))));
    }
    options
}

/// The tasks of an array's runs, each once.
fn tasks(array: &Array, to_do: &[ToDo]) -> Vec<&'static str> {
    let mut tasks: Vec<&str> = Vec::new();
    for &run in array.jobs.iter().flatten() {
        if !tasks.contains(&to_do[run].task) {
            tasks.push(to_do[run].task);
        }
    }
    tasks
}

fn row(job: &str, runs: &str, of: &str, script: &Script, after: &str) -> Vec<String> {
    let (minutes, memory) = (format!("{} min", script.minutes), format!("{} MiB", script.memory));
    [job, runs, of, &minutes, &memory, after].map(str::to_owned).to_vec()
}

/// Says that there may be jobs of an earlier submission, which only do again what is not done.
fn say_what_was_submitted(place: &Path) {
    let Ok(Some(value)) = inkling_store::read_json(&place.join(SUBMITTED)) else { return };
    if let Ok(Submitted { jobs }) = serde_json::from_value(value) {
        message::note(&format!(
            "this study was submitted before. If its jobs are still in the queue, cancel them; no run is done twice:\n    scancel {}",
            jobs.join(" ")
        ));
    }
}

fn tell(rows: &[Vec<String>], numbers: &[String], runs: usize, left: usize, out: &Path) {
    output::line(&format!("{left} of {runs} runs are left to do; submitted to Slurm:"));
    output::table(rows, 6);
    let folder = quoted_path(out);
    output::line(&format!(
        "Watch them:      inkling status {folder} --watch\n\
         Messages are in: {}\n\
         Cancel them:     scancel {}\n\
         Give the same command again to submit what is not done then; it goes on from checkpoints.",
        quoted_path(out.join(FOLDER)),
        numbers.join(" "),
    ));
}

/// The place of a job's messages, in which Slurm replaces what follows a percent sign.
fn log(place: &Path, pattern: &str) -> PathBuf {
    let place = place.to_str().map_or_else(|| place.to_owned(), |text| text.replace('%', "%%").into());
    place.join(pattern)
}

/// A path from the root on, as other hosts see it too.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_in_the_documentation_are_read_and_name_every_key_but_one() {
        let document = include_str!("../../../../docs/machines.md");
        let text = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let settings = SlurmSettings::from_toml("slurm.toml", text).unwrap();
        assert!(settings.partition.is_some() && settings.rate.is_some() && settings.extra.len() == 2);
        let keys = text.lines().filter(|line| line.contains(" = ")).count();
        let value = serde_json::to_value(SlurmSettings { qos: Some("q".into()), ..settings }).unwrap();
        assert_eq!(value.as_object().unwrap().len(), keys + 1, "qos is named beside partition");
    }

    #[test]
    fn slurm_replaces_nothing_in_the_place_of_messages() {
        assert_eq!(log(Path::new("/50 %/x"), "%x.log"), Path::new("/50 %%/x/%x.log"));
    }
}
