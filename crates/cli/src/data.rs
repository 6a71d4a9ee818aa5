//! `inkling data`.

use std::path::PathBuf;
use std::time::Instant;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use inkling_data::catalogue::{self, SETS};
use inkling_data::{FetchEvent, SetInfo, Sources};
use serde_json::json;

use crate::args::DataCommand;
use crate::failure::Failure;
use crate::output;
use crate::progress::sharing;

pub(crate) fn run(command: &DataCommand) -> Result<(), Failure> {
    match command {
        DataCommand::List { data, json } => list(&Sources::new(data.folder.clone()), *json),
        DataCommand::Verify { name, data, json } => {
            verify(name.as_deref(), &Sources::new(data.folder.clone()), *json)
        }
        DataCommand::Fetch { name } => fetch(catalogue::find(name)?),
    }
}

fn list(sources: &Sources, as_json: bool) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for info in &SETS {
        // A folder given with --data need not hold every set.
        let folder = sources.locate(info).unwrap_or_default();
        let [height, width, _] = info.shape;
        if !as_json {
            let place = folder
                .as_ref()
                .map_or("not on disk; fetched when needed".into(), |f| f.display().to_string());
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
            "checksum": info.checksum(), "licence": info.licence, "origin": info.origin, "folder": folder,
        }));
    }
    if as_json {
        output::line(&serde_json::to_string_pretty(&rows).expect("plain data"));
    }
    Ok(())
}

/// Checks the sets that are on disk (or the one that is named, which must be).
fn verify(name: Option<&str>, sources: &Sources, as_json: bool) -> Result<(), Failure> {
    let named = name.map(catalogue::find).transpose()?;
    let mut rows = Vec::new();
    for info in SETS.iter().filter(|info| named.is_none_or(|named| named.name == info.name)) {
        let folder: Option<PathBuf> = match named {
            Some(_) => sources.locate(info)?,
            None => sources.locate(info).unwrap_or_default(),
        };
        let Some(folder) = folder else {
            if !as_json {
                output::line(&format!("{:14} not on disk", info.name));
            }
            continue;
        };
        let start = Instant::now();
        let set = inkling_data::read_folder(info, &folder)?;
        let (train, test) = (set.train.len(), set.test.len());
        if !as_json {
            let seconds = start.elapsed().as_secs_f64();
            output::line(&format!(
                "{:14} right, every byte: {train} + {test} images in {} ({seconds:.1} s)",
                info.name,
                folder.display(),
            ));
        }
        rows.push(json!({ "name": info.name, "folder": folder, "checksum": set.checksum }));
    }
    if as_json {
        output::line(&serde_json::to_string_pretty(&rows).expect("plain data"));
    }
    Ok(())
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
                eprintln!("fetching {url}");
            }
        }
        FetchEvent::Received { bytes, .. } => bar.set_position(bytes),
        FetchEvent::Failed { url, problem, .. } => bar.suspend(|| eprintln!("{url}: {problem}")),
        FetchEvent::Waiting { .. } | FetchEvent::NoLocks { .. } => {
            bar.suspend(|| eprintln!("{}", sharing(&event)));
        }
        FetchEvent::Finished { .. } => {
            if bar.is_hidden() {
                eprintln!("got {}", HumanBytes(bar.position()));
            }
        }
    };
    let sources = Sources { progress: &progress, ..Sources::new(None) };
    let folder = sources.fetch(info)?;
    bar.finish_and_clear();
    output::line(&format!("{} is in {}", info.title, folder.display()));
    Ok(())
}
