//! The Parquet files of a folder, which say by their names, or by those of their folders, which part they belong to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::import::Part;
use crate::import::classes::natural;
use crate::import::error::ImportError;
use crate::import::folder::is_a_programs_own;

/// The files of a folder, or of the one folder in it that has some, as the Hugging Face Hub lays them out; `None` where there is
/// none to train on.
pub(super) fn find(
    folder: &Path,
    notes: &mut Vec<String>,
) -> Result<Option<Vec<(Part, PathBuf)>>, ImportError> {
    let mut found: Vec<(PathBuf, Files)> = Vec::new();
    let here = Files::of(folder)?;
    if here.has_train() {
        found.push((folder.to_owned(), here));
    } else {
        for inner in inner(folder)? {
            let files = Files::of(&inner)?;
            if files.has_train() {
                found.push((inner, files));
            }
        }
    }
    if let [(first, _), (second, _), ..] = &found[..] {
        let problem =
            format!("has Parquet files of a set in `{}` and in `{}`", first.display(), second.display());
        return Err(ImportError::new(folder, problem, "name the one folder that is meant"));
    }
    let Some((_, files)) = found.pop() else { return Ok(None) };
    files.refuse_gaps()?;
    if let Some(other) = files.others.first() {
        notes.push(format!("`{}` says no part of a set by its name, and was left out.", other.display()));
    }
    Ok(Some(files.parts))
}

/// Parquet files, in natural order.
struct Files {
    parts: Vec<(Part, PathBuf)>,
    /// Files of no part.
    others: Vec<PathBuf>,
}

impl Files {
    /// The files in a folder and in folders in it that are called as parts are.
    fn of(folder: &Path) -> Result<Files, ImportError> {
        let mut files = Files { parts: Vec::new(), others: Vec::new() };
        for path in entries(folder)? {
            if is_table(&path) {
                match part(&path) {
                    Some(part) => files.parts.push((part, path)),
                    None => files.others.push(path),
                }
            } else if let Some(part) = path.file_name().and_then(|name| Part::named(&name.to_string_lossy()))
                && path.is_dir()
            {
                let inside = entries(&path)?.into_iter().filter(|path| is_table(path));
                files.parts.extend(inside.map(|path| (part, path)));
            }
        }
        // A folder of pictures has tens of thousands of entries: only what is a table is put in order.
        files.parts.sort_by(|a, b| natural(&a.1.to_string_lossy(), &b.1.to_string_lossy()));
        files.others.sort();
        Ok(files)
    }

    fn has_train(&self) -> bool {
        self.parts.iter().any(|(part, _)| *part == Part::Train)
    }

    /// Refuses files of which there are others that are not there, as when a download was broken off.
    fn refuse_gaps(&self) -> Result<(), ImportError> {
        let mut shards: BTreeMap<(String, usize), Vec<usize>> = BTreeMap::new();
        for (_, path) in &self.parts {
            if let Some((of, place)) = shard(path) {
                shards.entry(of).or_default().push(place);
            }
        }
        for ((name, count), places) in shards {
            if let Some(missing) = (0..count).find(|place| !places.contains(place)) {
                let problem = format!("is one of {count}, and the one with the number {missing} is missing");
                let any = self.parts.iter().find(|(_, path)| shard(path).is_some_and(|(of, _)| of.0 == name));
                let path = any.map_or(Path::new(&name), |(_, path)| path);
                return Err(ImportError::new(path, problem, "download the set again, with all of its files"));
            }
        }
        Ok(())
    }
}

/// What lies in a folder and is no program's own.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let read = |error| ImportError::read(folder, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        if !is_a_programs_own(&entry.file_name().to_string_lossy()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn inner(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let mut folders: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

/// Whether a path is a Parquet file by its ending. Links are followed: the cache of the Hugging Face Hub consists of them.
fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) && path.is_file()
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The part that a word of a file's name says.
fn part(path: &Path) -> Option<Part> {
    stem(path).split(['-', '_', '.']).find_map(Part::named)
}

/// What a file is a piece of, with the number of pieces, and which one it is: `train-00000-of-00002`.
fn shard(path: &Path) -> Option<((String, usize), usize)> {
    let stem = stem(path);
    let (start, count) = stem.rsplit_once("-of-")?;
    let (name, place) = start.rsplit_once('-')?;
    Some(((name.to_owned(), count.parse().ok()?), place.parse().ok()?))
}
