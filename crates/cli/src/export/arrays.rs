//! The arrays of a run for NumPy.

use std::path::Path;

use indicatif::DecimalBytes;
use inkling_data::import::NpzWriter;
use inkling_schema::RunSpec;
use inkling_schema::outcome::{PlannedRun, StudyRecord};
use inkling_store::{Reader, RunDir, StoreError, TensorFile, atomic};
use serde::de::IgnoredAny;

use super::ExchangeError;
use crate::args::{ExportArgs, ModelChoice};
use crate::failure::Failure;
use crate::{look, output, replace};

/// Checks what can be checked before anything is read.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    if path.extension().is_none_or(|ending| ending != "npz") {
        return Err(ExchangeError::NoArchive { path: path.to_owned() }.into());
    }
    Ok(replace::check(path, "an NPZ file", |start| start.starts_with(b"PK") && find(start, b".npy"))?)
}

fn find(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// Writes the arrays of the run that was chosen.
pub(super) fn export(args: &ExportArgs, path: &Path) -> Result<(), Failure> {
    let (dir, title) = run(&args.model, args.run.as_deref())?;
    if dir.finished::<IgnoredAny>()?.is_none() {
        return Err(ExchangeError::Unfinished { run: title }.into());
    }
    let spec: Option<RunSpec> = dir.spec()?;
    // The weights of a network have files of their own; what PCA and a perceptron found is arrays.
    let files = match spec {
        Some(RunSpec::Train(_)) => &[TensorFile::Arrays][..],
        _ => &[TensorFile::Model, TensorFile::Arrays],
    };
    let (mut archive, mut names) = (NpzWriter::default(), Vec::new());
    for &file in files.iter().filter(|file| dir.path().join(file.name()).exists()) {
        let tensors = dir.tensors(file)?;
        for name in tensors.names() {
            let (kind, shape, bytes) = tensors.raw(&name)?;
            let kind = numpy(&kind).ok_or_else(|| {
                let path = dir.path().join(file.name());
                StoreError::Damaged { path, reason: format!("`{name}` holds numbers of the type {kind}") }
            })?;
            archive.add(&name, kind, shape, &bytes);
            names.push(name);
        }
    }
    if names.is_empty() {
        return Err(ExchangeError::NoArrays { run: title }.into());
    }
    let bytes = archive.finish();
    atomic::write(path, &bytes)?;
    let size = DecimalBytes(bytes.len() as u64);
    output::line(&format!("{}: {title}: {}, {size}", path.display(), names.join(", ")));
    Ok(())
}

/// What NumPy calls a type of numbers.
fn numpy(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "U8" => "|u1",
        "U32" => "<u4",
        "I64" => "<i8",
        "F32" => "<f4",
        "F64" => "<f8",
        _ => return None,
    })
}

/// The run that is meant, with what it is called.
fn run(choice: &ModelChoice, word: Option<&str>) -> Result<(RunDir, String), Failure> {
    let folder = choice.path.as_path();
    if folder.join("spec.json").is_file() {
        return Ok((RunDir::at(folder), folder.display().to_string()));
    }
    let Some(word) = word else {
        let (file, name) = look::find(folder, choice.network.as_deref())?;
        let of_run = file.parent().filter(|parent| parent.join("spec.json").is_file());
        let none = || ExchangeError::NoRun { path: file.clone() };
        let dir = of_run.map(RunDir::at).ok_or_else(none)?;
        return Ok((dir, name.unwrap_or_else(|| file.display().to_string())));
    };
    let reader = Reader::open(folder)?;
    let none = || ExchangeError::NoStudy { path: folder.to_owned() };
    let record: StudyRecord = reader.json("study.json")?.ok_or_else(none)?;
    let of = |is_meant: &dyn Fn(&PlannedRun) -> bool| -> Vec<&PlannedRun> {
        record.runs.iter().filter(|run| is_meant(run)).collect()
    };
    let names: [&dyn Fn(&PlannedRun) -> bool; 3] =
        [&|run| run.id.as_ref() == word, &|run| run.full_title() == word, &|run| run.name() == word];
    let meant = names.iter().map(|name| of(name)).find(|runs| !runs.is_empty()).unwrap_or_default();
    match meant[..] {
        [run] => Ok((reader.run(run.id.as_ref()), run.full_title())),
        [] => Err(ExchangeError::UnknownRun {
            path: folder.to_owned(),
            word: word.to_owned(),
            near: near(word, &record),
        }
        .into()),
        _ => {
            let known = meant.iter().map(|run| format!("{} ({})", run.id.as_ref(), run.full_title()));
            let known = known.collect::<Vec<_>>().join(", ");
            Err(ExchangeError::SeveralRuns { word: word.to_owned(), known }.into())
        }
    }
}

/// The runs of a study whose names come nearest to a word.
fn near(word: &str, record: &StudyRecord) -> String {
    /// Runs that a message names.
    const NAMED: usize = 5;
    let likeness = |run: &PlannedRun| {
        let of = |name: &str| strsim::jaro_winkler(word, name);
        of(&run.name()).max(of(&run.full_title()))
    };
    let mut runs: Vec<&PlannedRun> = record.runs.iter().collect();
    runs.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    let mut names: Vec<String> = runs.into_iter().map(|run| format!("`{}`", run.full_title())).collect();
    names.dedup();
    names.truncate(NAMED);
    names.join(", ")
}
