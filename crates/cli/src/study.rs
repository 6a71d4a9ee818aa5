//! `inkling study` and `inkling report`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use inkling_data::import::Imported;
use inkling_data::{FetchEvent, Sources};
use inkling_lab::{LabError, Observer, StudyOptions, run_study};
use inkling_report::{WORDS, Written};
use inkling_schema::{PRESETS, Study, Task, preset, quoted_path, text_from_bytes};
use inkling_store::{Reader, Store, StoreError};

use crate::args::{Engine, ReportArgs, StudyArgs};
use crate::export::{self, Live};
use crate::failure::{Failure, UsageError};
use crate::interrupt::{self, STOP};
use crate::printable::{check_printable, warn_of_length};
use crate::progress::Progress;
use crate::so_far::SoFar;
use crate::{init, message, output, own, slurm, start_computing};

pub(crate) fn study(args: &StudyArgs) -> Result<(), Failure> {
    let start = Instant::now();
    let (name, mut study) = resolve(&args.study)?;
    take_seeds(&mut study, args.seed, args.seeds);
    if let Some(source) = &args.init {
        return init::init(study, source);
    }
    let options = StudyOptions {
        only: args.only.iter().map(|&task| task.into()).collect(),
        mix_instructions: args.mix_instructions,
        keep_file: false,
    };
    let asked = tasks_of(&study, &options.only)?;
    if args.print_spec {
        study = asked;
    }
    if args.print_spec {
        own::adapt(&mut study, &options.only, args.data.folder.as_deref())?;
        output::bytes(study.to_toml().as_bytes());
        return Ok(());
    }
    if cfg!(debug_assertions) && name != "smoke" {
        message::note("this is a debug build; a release build (cargo run --release) is many times faster");
    }
    if let Some(Engine::Slurm) = args.on {
        return slurm::study(args, study, &name, options);
    }
    start_computing(&args.compute)?;
    // In the pool's threads, and so after it was made.
    let ready = own::adapt(&mut study, &options.only, args.data.folder.as_deref())?;
    let asked = Asked {
        study: &study,
        name: &name,
        out: &args.out,
        folder: args.data.folder.clone(),
        ready: ready.into_iter().collect(),
        options,
        board: args.tensorboard.as_deref(),
        json: args.json,
        start,
    };
    perform(asked, |_| Ok(()))
}

/// Gives a study the seeds that the command line names.
pub(crate) fn take_seeds(study: &mut Study, seed: Option<u64>, seeds: Option<u32>) {
    if seed.is_none() && seeds.is_none() {
        return;
    }
    let first = seed.unwrap_or_else(|| study.first_seed());
    let seeds: Vec<u64> = (0..u64::from(seeds.unwrap_or(1))).map(|more| first.wrapping_add(more)).collect();
    study.set_seeds(&seeds);
}

/// The tasks of a study that are asked for, all where none are named.
pub(crate) fn tasks_of(study: &Study, only: &[Task]) -> Result<Study, UsageError> {
    let mut asked = study.clone();
    if only.is_empty() {
        return Ok(asked);
    }
    asked.keep_only(only);
    if asked.tasks().is_empty() {
        let tasks = study.tasks().iter().map(|task| task.name()).collect::<Vec<_>>().join(", ");
        return Err(UsageError::NothingToDo { tasks });
    }
    Ok(asked)
}

/// A study that is to be done.
pub(crate) struct Asked<'a> {
    pub(crate) study: &'a Study,
    /// The name that it goes by.
    pub(crate) name: &'a str,
    /// Its folder.
    pub(crate) out: &'a Path,
    /// The folder that a person named for the sets that the program knows.
    pub(crate) folder: Option<PathBuf>,
    /// Sets of a person's own that were read already, by name.
    pub(crate) ready: BTreeMap<String, Imported>,
    pub(crate) options: StudyOptions,
    /// The folder in which TensorBoard looks, if it is asked for.
    pub(crate) board: Option<&'a Path>,
    /// Whether the results are printed as JSON.
    pub(crate) json: bool,
    /// When the command was given.
    pub(crate) start: Instant,
}

/// Does a study, reports on it and says what was found, after what `first` says.
pub(crate) fn perform(
    asked: Asked,
    first: impl FnOnce(&Store) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Asked { study, name, out, folder, ready, options, board, json, start } = asked;
    check_printable(study)?;
    if study.network.is_none() {
        warn_of_length(study);
    }
    // Before anything is trained.
    board.map_or(Ok(()), inkling_store::atomic::writable_folder)?;
    let store = Store::open(out)?;
    let progress = Progress::new(&STOP);
    progress.notes(&store);
    let fetching = |event: FetchEvent| progress.fetching(&event);
    let interrupted = || progress.interrupted();
    let sources = Sources {
        progress: &fetching,
        interrupted: &interrupted,
        ready: RefCell::new(ready),
        ..Sources::new(folder)
    };
    let live = board.map(|dir| Live::new(dir, &store));
    let hears = SoFar::new(&progress, &store, live);
    let result = run_study(study, name, &store, &sources, &options, &hears);
    progress.close(result.is_ok());
    match result {
        Err(LabError::Interrupted) => return Err(interrupt::interrupted().into()),
        other => other?,
    }
    interrupt::check()?;
    let reporting = interrupt::finish_first("the report is finished first");
    let reported = inkling_report::write(&store).map_err(Failure::from);
    let reported = reported.and_then(|written| {
        first(&store)?;
        if let Some(dir) = board {
            export::study_for_tensorboard(dir, store.reader(), &sources)?;
        }
        tell(written, out, json, start)
    });
    // The study is whole, so this is no failure of the program; but it should not scroll away.
    let diverged = progress.diverged();
    if !diverged.is_empty() {
        let (first, more) = diverged.split_at(diverged.len().min(NAMED));
        let more = if more.is_empty() { String::new() } else { format!("; and {} more", more.len()) };
        let places = format!("{}{more}", first.join("; "));
        message::note(&format!("some runs diverged, which the report says: {places}"));
    }
    reported?;
    drop(reporting);
    interrupt::check()
}

pub(crate) fn report(args: &ReportArgs) -> Result<(), Failure> {
    let start = Instant::now();
    // Asked before the folder is opened for writing, which would make one that does not exist.
    Reader::open(&args.out)?;
    let store = Store::open(&args.out).map_err(|error| match error {
        source @ StoreError::CannotWrite { .. } => {
            Failure::from(UsageError::ReportFolder { path: args.out.clone(), source: Box::new(source) })
        }
        other => other.into(),
    })?;
    Progress::new(&STOP).notes(&store);
    tell(inkling_report::write(&store)?, &args.out, args.json, start)
}

/// Runs that diverged which are named one by one.
const NAMED: usize = 5;

/// The study that a word on the command line names, and the name it goes by.
pub(crate) fn resolve(word: &OsStr) -> Result<(String, Study), Failure> {
    let text = word.to_string_lossy();
    if let Some(study) = preset(&text) {
        return Ok((text.into_owned(), study));
    }
    let path = Path::new(word);
    let is_file =
        path.extension() == Some(OsStr::new("toml")) || path.components().count() > 1 || path.is_file();
    if !is_file {
        let nearest = PRESETS
            .iter()
            .map(|(name, _)| (strsim::damerau_levenshtein(&text, name), *name))
            .filter(|(distance, _)| *distance <= 2)
            .min();
        let presets = PRESETS.map(|(name, _)| name).join(", ");
        let nearest = nearest.map(|(_, name)| name);
        return Err(UsageError::UnknownPreset { name: text.into(), nearest, presets }.into());
    }
    let contents = read_text(path, |path, source| UsageError::StudyFile { path, source })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut study = Study::from_toml(&text, &contents)?;
    own::resolve(&mut study, path.parent().unwrap_or(Path::new("")));
    Ok((name, study))
}

/// Reads a text file that a person wrote; `unreadable` is the error where the system does not give it. A file larger than
/// any such file is refused before it fills the memory.
pub(crate) fn read_text(
    path: &Path,
    unreadable: impl FnOnce(PathBuf, io::Error) -> UsageError,
) -> Result<String, UsageError> {
    const LARGEST: u64 = 16 << 20;
    message::of_pipe(path);
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    let read = match read {
        Ok(read) if read as u64 > LARGEST => Err(ErrorKind::FileTooLarge.into()),
        other => other,
    };
    read.map_err(|source| unreadable(path.to_owned(), source))?;
    text_from_bytes(&bytes).map_err(|source| {
        let path = path.to_owned();
        // A text in another encoding may begin with the same letters as some kind of file; zeros it has none.
        match inkling_data::kind::kind(&bytes).filter(|_| bytes.contains(&0)) {
            Some(kind) => UsageError::AnotherKind { path, kind },
            None => UsageError::NotText { path, source },
        }
    })
}

/// Says what was found and where it lies; the error is that of a report of which something is missing.
fn tell(written: Written, out: &Path, json: bool, start: Instant) -> Result<(), Failure> {
    let Written { summary, words, page, laboratory, disbelieved, failed } = written;
    if json {
        let text = serde_json::to_string_pretty(&summary).expect("a summary is plain data");
        output::line(&text);
    } else {
        for line in summary.in_words() {
            output::line(&line);
        }
        let at = |name: &str| quoted_path(out.join(name));
        let (pdf, html) = (at("report.pdf"), at("report.html"));
        match (words.is_some(), page) {
            (true, true) if laboratory => output::line(&format!("Report: {pdf} and {html}")),
            (true, true) => output::line(&format!("Report: {pdf}, and {html} to explore")),
            (true, false) => output::line(&format!("Report: {pdf}")),
            (false, true) => output::line(&format!("Report: {html}")),
            (false, false) => {}
        }
        if laboratory {
            output::line(&format!(
                "Open {html} in a browser to try the networks on your own drawings and to look into them"
            ));
        }
        output::line(&format!(
            "Figures in {}, tables in {}, numbers in {}",
            at("figures"),
            at("tables"),
            at("summary.json")
        ));
        message::say(&format!("finished in {:.1} s", start.elapsed().as_secs_f64()));
    }
    if let Some(reason) = disbelieved {
        message::warning(&format!(
            "{} is not taken up in the report: {reason}.\n\
             Remove it, or let reproduce.py of `inkling export {} --peers DIR` write it anew.",
            quoted_path(out.join("peers.json")),
            quoted_path(out),
        ));
    }
    if let Some(words) = words.filter(|&words| words > WORDS) {
        message::warning(&format!(
            "the main part of the report has {words} words, {} more than the {WORDS} that may be handed in; \
             with fewer networks, weightings or tasks, it gets shorter",
            words - WORDS,
        ));
    }
    failed.map_or(Ok(()), |failed| Err(failed.into()))
}
