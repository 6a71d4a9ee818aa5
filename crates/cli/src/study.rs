//! `inkling study` and `inkling report`.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::Instant;

use inkling_data::{FetchEvent, Sources};
use inkling_lab::{LabError, run_study};
use inkling_report::Summary;
use inkling_spec::{PRESETS, Study, Task, preset, text_from_bytes};
use inkling_store::{Reader, Store};

use crate::args::{ReportArgs, StudyArgs};
use crate::failure::{Failure, UsageError};
use crate::interrupt::{STOP, again, stop_on_ctrl_c};
use crate::progress::Progress;
use crate::{output, start_computing};

pub(crate) fn study(args: &StudyArgs) -> Result<(), Failure> {
    let start = Instant::now();
    let (name, mut study) = resolve(&args.study)?;
    if let Some(seed) = args.seed {
        study.set_seed(seed);
    }
    if !args.only.is_empty() {
        let tasks = study.tasks().iter().map(|task| task.name()).collect::<Vec<_>>().join(", ");
        study.keep_only(&args.only.iter().map(|&task| task.into()).collect::<Vec<Task>>());
        if study.tasks().is_empty() {
            return Err(UsageError::NothingToDo { tasks }.into());
        }
    }
    if args.print_spec {
        output::bytes(study.to_toml().as_bytes());
        return Ok(());
    }
    if cfg!(debug_assertions) && name != "smoke" {
        eprintln!("note: this is a debug build; a release build (cargo run --release) is many times faster");
    }
    start_computing(&args.compute)?;
    stop_on_ctrl_c();

    let store = Store::open(&args.out)?;
    if let Some(holder) = store.taken_over_from() {
        eprintln!("note: {holder} was writing to this folder and died; going on from what it finished");
    }
    let progress = Progress::new(&STOP);
    let fetching = |event: FetchEvent| progress.fetching(&event);
    let sources = Sources { progress: &fetching, ..Sources::new(args.data.folder.clone()) };
    let result = run_study(&study, &name, &store, &sources, &progress);
    progress.close(result.is_ok());
    match result {
        Err(LabError::Interrupted) => return Err(UsageError::Interrupted { again: again() }.into()),
        other => other?,
    }
    let reported = inkling_report::write(&store).map(|summary| tell(&summary, &args.out, args.json, start));
    // The study is whole, so this is no failure of the program; but it should not scroll away.
    let diverged = progress.diverged();
    if !diverged.is_empty() {
        let (first, more) = diverged.split_at(diverged.len().min(NAMED));
        let more = if more.is_empty() { String::new() } else { format!("; and {} more", more.len()) };
        let places = format!("{}{more}", first.join("; "));
        eprintln!("note: some runs diverged, which the report says: {places}");
    }
    Ok(reported?)
}

pub(crate) fn report(args: &ReportArgs) -> Result<(), Failure> {
    let start = Instant::now();
    // Asked before the folder is opened for writing, which would make one that does not exist.
    Reader::open(&args.out)?;
    let store = Store::open(&args.out)?;
    let summary = inkling_report::write(&store)?;
    tell(&summary, &args.out, args.json, start);
    Ok(())
}

/// Runs that diverged which are named one by one.
const NAMED: usize = 5;

/// The study that a word on the command line names, and the name it goes by.
fn resolve(word: &str) -> Result<(String, Study), Failure> {
    if let Some(study) = preset(word) {
        return Ok((word.to_owned(), study));
    }
    let path = Path::new(word);
    let is_file =
        path.extension() == Some(OsStr::new("toml")) || path.components().count() > 1 || path.is_file();
    if !is_file {
        let nearest = PRESETS
            .iter()
            .map(|(name, _)| (strsim::damerau_levenshtein(word, name), *name))
            .filter(|(distance, _)| *distance <= 2)
            .min();
        let presets = PRESETS.map(|(name, _)| name).join(", ");
        let nearest = nearest.map(|(_, name)| name);
        return Err(UsageError::UnknownPreset { name: word.into(), nearest, presets }.into());
    }
    let bytes = fs::read(path).map_err(|source| UsageError::StudyFile { path: path.to_owned(), source })?;
    let text =
        text_from_bytes(&bytes).map_err(|source| UsageError::NotText { path: path.to_owned(), source })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((name, Study::from_toml(word, &text)?))
}

fn tell(summary: &Summary, out: &Path, json: bool, start: Instant) {
    if json {
        let text = serde_json::to_string_pretty(summary).expect("a summary is plain data");
        output::line(&text);
        return;
    }
    for line in summary.in_words() {
        output::line(&line);
    }
    let place = out.display();
    output::line(&format!("Report: {place}/report.pdf, and {place}/report.html to explore"));
    output::line(&format!(
        "Figures in {place}/figures, tables in {place}/tables, numbers in {place}/summary.json"
    ));
    eprintln!("finished in {:.1} s", start.elapsed().as_secs_f64());
}
