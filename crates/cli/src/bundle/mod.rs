//! `inkling bundle`: what a group hands in, as one archive.
//!
//! It is the program's part and not the report's because it needs the data sets and the program's own sources; of the
//! study it reads what is on disk and makes nothing anew.

mod archive;
mod error;
mod notebook;
mod peers;
mod repeat;
pub(crate) mod sources;

use std::fs;
use std::io;
use std::path::Path;

use indicatif::DecimalBytes;
use inkling_data::import::write_npz;
use inkling_data::{Sources, catalogue, read_folder, set_files};
use inkling_lab::SOURCES as SOURCES_DIGEST;
use inkling_report::{Origins, Program, ReportError, Stale, WORDS};
use inkling_schema::outcome::{DataSetFacts, StudyRecord};
use inkling_schema::{DataSetSpec, quoted_path};
use inkling_store::{Reader, atomic};
use serde_json::Value;

use crate::args::BundleArgs;
use crate::failure::Failure;
use crate::interrupt::STOP;
use crate::progress::Progress;
use crate::{interrupt, message, output, replace};
use archive::Files;
use error::BundleError;
use sources::SOURCES;

/// What the names of all that is handed in begin with; the group's number follows.
const STEM: &str = "Assignment2_Group_";

pub(crate) fn bundle(args: &BundleArgs) -> Result<(), Failure> {
    let folder = args.study.as_path();
    let reader = Reader::open(folder)?;
    let record: StudyRecord =
        reader.json("study.json")?.ok_or_else(|| ReportError::NoStudy { folder: folder.to_owned() })?;
    let group = group(args.group, folder, &record)?;
    check_finished(&reader, &record)?;
    let name = format!("{STEM}{group}");
    let path = args.out.clone().unwrap_or_else(|| folder.join(format!("{name}.zip")));
    let is_bundle = |start: &[u8]| {
        start.starts_with(b"PK") && start.windows(STEM.len()).any(|window| window == STEM.as_bytes())
    };
    replace::check(&path, "an earlier bundle", is_bundle)?;
    let mut rows = Vec::new();
    let mut row = |what: String, bytes: usize, words: String| {
        rows.push(vec![format!("  {what}"), words, DecimalBytes(bytes as u64).to_string()]);
    };

    check_data(&record, args.without_data)?;
    let (report, summary) = report(&reader)?;
    let origins = Origins::read(&reader, &record.runs)?;
    row(format!("{name}.pdf"), report.len(), "the report".into());
    let (notebook, cells) = executed_notebook(folder, &name, group)?;
    row(
        format!("{name}.ipynb"),
        notebook.len(),
        format!("the notebook, {cells} {} executed", if cells == 1 { "cell" } else { "cells" }),
    );

    let mut files = Files::default();
    files.add(format!("{name}.pdf"), report);
    files.add(format!("{name}.ipynb"), notebook);
    let code = |path: &str| format!("{name}.code/{path}");
    for &(path, bytes) in SOURCES {
        files.add(code(path), bytes);
    }
    let total = SOURCES.iter().map(|(_, bytes)| bytes.len()).sum();
    row(code(""), total, format!("{} source files of Inkling {}", SOURCES.len(), env!("CARGO_PKG_VERSION")));
    let peers = peers::packed(&reader, &record)?;
    for (path, bytes, words) in [
        ("study.toml", repeat::study_file(&record, !args.without_data).into_bytes(), "the study"),
        ("summary.json", summary, "its numbers"),
        (
            "REPEAT.md",
            repeat::instructions(&record, &origins, group, !args.without_data, peers.is_some()).into_bytes(),
            "how to repeat it",
        ),
    ] {
        row(format!("  {path}"), bytes.len(), words.into());
        files.add(code(path), bytes);
    }
    if let Some(peers) = peers {
        let total = peers.files.iter().map(|file| file.bytes.len()).sum();
        let left_out = match peers.without_weights {
            0 => String::new(),
            count => format!(", {count} without weights"),
        };
        let networks =
            format!("{} {}", peers.networks, if peers.networks == 1 { "network" } else { "networks" });
        row("  peers/".into(), total, format!("{networks} in PyTorch and Keras{left_out}"));
        for file in peers.files {
            files.add(code(&format!("peers/{}", file.name)), file.bytes);
        }
    }
    if !args.without_data {
        let sources = Sources::new(args.data.folder.clone());
        for (set, facts) in &record.data {
            if let Some(own) = own(&record, set) {
                let (path, bytes) = (repeat::prepared(own), prepared(own, facts)?);
                row(format!("  {path}"), bytes.len(), "the images as prepared".into());
                files.add(code(&path), bytes);
                continue;
            }
            let found = data_files(set, &sources)?;
            let total = found.iter().map(|(_, bytes)| bytes.len()).sum();
            row(format!("  data/{set}/"), total, format!("{}, as published", facts.title));
            for (file, bytes) in found {
                files.add(code(&format!("data/{set}/{file}")), bytes);
            }
        }
    }

    let archive = files.zip();
    let writing = interrupt::finish_first("the archive is written first");
    atomic::write(&path, &archive)?;
    drop(writing);
    interrupt::check()?;
    output::line(&format!(
        "{}: {}, {} files",
        path.display(),
        DecimalBytes(archive.len() as u64),
        files.len()
    ));
    output::table(&rows, 2);
    warn(folder, &record, &origins);
    Ok(())
}

/// The group that hands the study in: the one that the command line or the study names, or both do.
fn group(asked: Option<u32>, study: &Path, record: &StudyRecord) -> Result<u32, BundleError> {
    let written = record.study.report.as_ref().and_then(|report| report.group);
    match (asked, written) {
        (Some(asked), Some(written)) if asked != written => {
            Err(BundleError::OtherGroup { study: study.to_owned(), asked, written })
        }
        _ => asked.or(written).ok_or_else(|| BundleError::NoGroup { study: study.to_owned() }),
    }
}

/// Checks that every run is finished and every file of it the one that it wrote.
fn check_finished(reader: &Reader, record: &StudyRecord) -> Result<(), Failure> {
    /// Runs that a message names.
    const NAMED: usize = 5;
    let mut missing = Vec::new();
    for run in &record.runs {
        if reader.run(run.id.as_ref()).finished::<Value>()?.is_none() {
            missing.push(format!("{}: {}", run.task.name(), run.title));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut names = missing.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if missing.len() > NAMED {
        names.push_str(&format!(" and {} more", missing.len() - NAMED));
    }
    let (missing, all, preset) = (missing.len(), record.runs.len(), record.preset.clone());
    Err(BundleError::Unfinished { missing, all, preset, names }.into())
}

/// The report and the summary that was written with it, which must be those of the study as it is now.
fn report(reader: &Reader) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let make = format!("inkling report {}", quoted_path(reader.path()));
    let [report, summary] = ["report.pdf", "summary.json"].map(|name| reader.path().join(name));
    if let Some(path) = [&report, &summary].into_iter().find(|path| !path.exists()) {
        return Err(BundleError::NoReport { path: path.clone(), make }.into());
    }
    let pdf = read(&report)?;
    if !(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF")) {
        return Err(BundleError::NotAPdf { path: report, make }.into());
    }
    let current = match inkling_report::current(reader)? {
        Ok(current) => current,
        Err(Stale::Missing { path }) => return Err(BundleError::NoReport { path, make }.into()),
        Err(Stale::Unknown { path }) => return Err(BundleError::UnknownReport { path, make }.into()),
        Err(Stale::Old { path }) => return Err(BundleError::OldReport { path, make }.into()),
        Err(Stale::Foreign { path }) => return Err(BundleError::ForeignReport { path, make }.into()),
    };
    if let Some(words) = current.words.filter(|&words| words > WORDS) {
        return Err(BundleError::TooLong { words, limit: WORDS }.into());
    }
    Ok((current.pdf, current.summary))
}

/// The notebook, and how many cells of code it has.
fn executed_notebook(folder: &Path, name: &str, group: u32) -> Result<(Vec<u8>, usize), BundleError> {
    let path = folder.join(format!("{name}.ipynb"));
    // The command is given in another folder than this one.
    let elsewhere = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let make = format!("notebook/make {} --group {group}", quoted_path(&elsewhere));
    if !path.exists() {
        let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let names = names.filter_map(|name| name.into_string().ok()).filter(|name| name.ends_with(".ipynb"));
        let mut others: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        others.sort();
        return Err(BundleError::NoNotebook { path, others: others.join(", "), make });
    }
    let bytes = read(&path)?;
    match notebook::executed_cells(&bytes, STEM, group) {
        Ok(cells) => Ok((bytes, cells)),
        Err(flaw) => Err(BundleError::Notebook { path, flaw, make }),
    }
}

/// Checks, before anything is read, that the data that the study used is what this program packs.
fn check_data(record: &StudyRecord, without_data: bool) -> Result<(), Failure> {
    if without_data {
        return Ok(());
    }
    for (set, facts) in &record.data {
        if own(record, set).is_some() {
            continue;
        }
        let info = catalogue::find(set)?;
        if info.checksum() != facts.checksum {
            return Err(BundleError::OtherData { title: info.title }.into());
        }
    }
    Ok(())
}

/// What a study says of a set, if it is of a person's own images.
fn own<'a>(record: &'a StudyRecord, set: &str) -> Option<&'a DataSetSpec> {
    record.study.data_set.iter().find(|own| own.name == set)
}

/// A person's own images as the study used them, read again from where they were.
fn prepared(own: &DataSetSpec, facts: &DataSetFacts) -> Result<Vec<u8>, Failure> {
    let progress = Progress::new(&STOP);
    let set = inkling_lab::read_own(own, &Sources::new(None), &progress)?;
    if set.checksum != facts.checksum {
        return Err(BundleError::OwnData { name: own.name.clone(), from: own.source.clone().into() }.into());
    }
    Ok(write_npz(&set))
}

/// The files of a set, by name, after every byte of them was compared with the catalogue.
fn data_files(name: &str, sources: &Sources) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let info = catalogue::find(name)?;
    let folder = sources.locate(info)?.ok_or(BundleError::NoData { title: info.title, name: info.name })?;
    read_folder(info, &folder)?;
    let mut found = Vec::new();
    for path in set_files(info, &folder)? {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.push((file, read(&path)?));
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, BundleError> {
    // A pipe might never end.
    let bytes = fs::metadata(path).and_then(|found| match found.is_file() || found.is_dir() {
        true => fs::read(path),
        false => Err(io::Error::other("it is not a regular file")),
    });
    bytes.map_err(|source| BundleError::Unreadable { path: path.to_owned(), source })
}

/// Says what a person should not hand in unawares.
fn warn(folder: &Path, record: &StudyRecord, origins: &Origins) {
    let signed = record.study.report.clone().unwrap_or_default();
    let silent = signed.authors.iter().any(|author| author.contribution.is_none());
    let placeholders = [
        ("GROUP NUMBER MISSING", signed.group.is_none()),
        ("AUTHORS MISSING", signed.authors.is_empty()),
        ("CONTRIBUTION MISSING", signed.authors.is_empty() || silent),
    ];
    let said: Vec<&str> =
        placeholders.into_iter().filter(|(_, there)| *there).map(|(words, _)| words).collect();
    if !said.is_empty() {
        message::warning(&format!(
            "the report is not ready to be handed in. It says {}.\n\
             Write the group, the authors and their contributions under [report] in the study file, run the study again\n\
             with --out {} (finished runs are kept), and bundle it again.",
            said.join(", "),
            quoted_path(folder),
        ));
    }
    let this = Program { version: env!("CARGO_PKG_VERSION").into(), sources: Some(SOURCES_DIGEST.into()) };
    let others: Vec<String> = origins
        .programs
        .iter()
        .filter(|program| program.of != this)
        .map(|program| format!("{} of {} runs by {}", program.runs, record.runs.len(), program.of))
        .collect();
    if !others.is_empty() {
        message::warning(&format!(
            "the study was run by another program than the one whose sources are in the bundle, which is {this}:\n\
             {}.",
            others.join(", and "),
        ));
    }
}
