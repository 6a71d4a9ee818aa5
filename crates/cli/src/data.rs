//! `inkling data`.

mod own;

use std::path::PathBuf;
use std::time::Instant;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use inkling_data::catalogue::{self, SETS};
use inkling_data::import::published;
use inkling_data::{DataError, DataSet, FetchEvent, SetInfo, Sources, usual_places};
use serde_json::json;

use crate::args::DataCommand;
use crate::failure::Failure;
use crate::progress::of_the_cache;
use crate::{message, output};

pub(crate) fn run(command: &DataCommand) -> Result<(), Failure> {
    match command {
        DataCommand::List { data, json } => list(&Sources::new(data.folder.clone()), *json),
        DataCommand::Verify { name, data, json } => {
            verify(name.as_deref(), &Sources::new(data.folder.clone()), *json)
        }
        DataCommand::Describe { source, out, json } => own::tell(source, out.as_deref(), *json),
        DataCommand::Import { source, out } => own::keep(source, out),
        DataCommand::Fetch { name } => fetch(catalogue::find(name)?),
    }
}

fn list(sources: &Sources, as_json: bool) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for info in &SETS {
        let (found, place) = match sources.survey(info) {
            Ok(Some(found)) => {
                let folder = found.folder.display();
                let place = match found.holds {
                    Some(other) => format!("wrong: {folder} holds files of {}", other.title),
                    None => folder.to_string(),
                };
                (Some(found), place)
            }
            Ok(None) => (None, absent(sources)),
            Err(DataError::Missing { files, looked, .. }) => {
                let closed = looked.iter().find(|looked| looked.closed);
                let place = match closed {
                    Some(closed) => format!("unknown: {closed}"),
                    None => format!("incomplete: {} missing", files.join(", ")),
                };
                (None, place)
            }
            Err(error) => return Err(error.into()),
        };
        let [height, width, _] = info.shape;
        if !as_json {
            output::line(&format!(
                "{:14} {:14} {} + {} images of {height}×{width}, {} classes   {place}",
                info.name,
                info.title,
                info.train_count,
                info.test_count,
                info.classes.len(),
            ));
        }
        rows.push(json!({
            "name": info.name, "title": info.title, "shape": info.shape, "classes": info.classes,
            "train_images": info.train_count, "test_images": info.test_count,
            "checksum": info.checksum(), "licence": info.licence, "origin": info.origin,
            "folder": found.as_ref().map(|found| found.folder.display().to_string()),
            "holds_files_of": found.as_ref().and_then(|found| found.holds).map(|other| other.name),
        }));
    }
    let places = match &sources.given {
        Some(given) => vec![given.clone()],
        None => usual_places(),
    };
    for set in published() {
        let Some(folder) = set.locate(&places) else { continue };
        if !as_json {
            output::line(&format!("{:14} {:14} {}", set.name, set.title, folder.display()));
        }
        rows.push(json!({
            "name": set.name, "title": set.title, "licence": set.licence, "origin": set.origin,
            "folder": folder.display().to_string(),
        }));
    }
    if as_json {
        output::line(&serde_json::to_string_pretty(&rows).expect("plain data"));
    }
    Ok(())
}

/// What to say of a set that is not there.
fn absent(sources: &Sources) -> String {
    match (&sources.given, &sources.cache) {
        // Nothing is fetched for a person who says where to look.
        (Some(given), _) => format!("not in {}", given.display()),
        (None, Some(_)) => "not on disk; fetched when needed".into(),
        (None, None) => "not on disk, and there is no folder to fetch it into".into(),
    }
}

/// Checks the set that is named, which must be on disk, or all that are, of which there must be one. All are looked at
/// before the first that is wrong ends it.
fn verify(name: Option<&str>, sources: &Sources, as_json: bool) -> Result<(), Failure> {
    let named = name.map(catalogue::find).transpose()?;
    let (mut rows, mut wrong, mut there) = (Vec::new(), None, false);
    for info in SETS.iter().filter(|info| named.is_none_or(|named| named.name == info.name)) {
        let start = Instant::now();
        let set = match check(info, named.is_some(), sources) {
            Ok(Some(set)) => set,
            Ok(None) => {
                say(as_json, &format!("{:14} {}", info.name, absent(sources)));
                rows.push(json!({ "name": info.name, "folder": null, "checksum": null }));
                continue;
            }
            Err(error @ DataError::NoFolder { .. }) => return Err(error.into()),
            Err(error) => {
                there = true;
                say(as_json, &format!("{:14} wrong; the error is given below", info.name));
                // Of two the first comes last, with its help; the second is named at least.
                match &wrong {
                    None => wrong = Some(error),
                    Some(_) => message::say(&error.to_string()),
                }
                continue;
            }
        };
        there = true;
        let (folder, set) = set;
        let (train, test) = (set.train.len(), set.test.len());
        let (seconds, place) = (start.elapsed().as_secs_f64(), folder.display().to_string());
        let found = format!("checksums match: {train} + {test} images in {place} ({seconds:.1} s)");
        say(as_json, &format!("{:14} {found}", info.name));
        rows.push(json!({ "name": info.name, "folder": place, "checksum": set.checksum }));
    }
    match wrong {
        Some(error) => Err(error.into()),
        None if !there => Err(sources.none().into()),
        None => {
            if as_json {
                output::line(&serde_json::to_string_pretty(&rows).expect("plain data"));
            }
            Ok(())
        }
    }
}

/// A set with its folder, every byte compared; nothing where it is not on disk and need not be.
fn check(
    info: &'static SetInfo,
    named: bool,
    sources: &Sources,
) -> Result<Option<(PathBuf, DataSet)>, DataError> {
    // Where a person says which set it is and where it lies, no other set's files are in question.
    let folder = match &sources.given {
        Some(_) if named => sources.locate(info)?,
        _ => sources.survey(info)?.map(|found| found.folder),
    };
    match folder {
        Some(folder) => inkling_data::read_folder(info, &folder).map(|set| Some((folder, set))),
        None if named => Err(DataError::NotOnDisk { names: info.title.into(), name: info.name }),
        None => Ok(None),
    }
}

/// Writes a line for a person, where none wants JSON.
fn say(as_json: bool, line: &str) {
    if !as_json {
        output::line(line);
    }
}

fn fetch(info: &SetInfo) -> Result<(), Failure> {
    let bar = ProgressBar::no_length();
    let style =
        ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}, {eta} left");
    bar.set_style(style.expect("the template is fixed"));
    let progress = |event: FetchEvent| match event {
        FetchEvent::Started { url, resumed_at, total } => {
            bar.set_message(url.rsplit('/').next().unwrap_or(url).to_owned());
            bar.set_length(total.unwrap_or(0));
            bar.set_position(resumed_at);
            if bar.is_hidden() {
                message::say(&format!("fetching {url}"));
            }
        }
        FetchEvent::Received { bytes, .. } => bar.set_position(bytes),
        FetchEvent::Failed { url, problem, .. } => bar.suspend(|| message::say(&format!("{url}: {problem}"))),
        FetchEvent::Waiting { .. } | FetchEvent::NoLocks { .. } | FetchEvent::Replacing { .. } => {
            bar.suspend(|| message::say(&of_the_cache(&event)));
        }
        FetchEvent::Finished { .. } => {
            if bar.is_hidden() {
                message::say(&format!("got {}", HumanBytes(bar.position())));
            }
        }
    };
    let sources = Sources { progress: &progress, ..Sources::new(None) };
    let folder = sources.fetch(info)?;
    bar.finish_and_clear();
    output::line(&format!("{} is in {}", info.title, folder.display()));
    Ok(())
}
