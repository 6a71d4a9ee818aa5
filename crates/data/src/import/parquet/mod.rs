//! Parquet: tables whose rows hold an image, as the bytes of a picture file, and its label, as the Hugging Face Hub has them.
//!
//! The format is read here and not by the crate `parquet`, which believes what a damaged file announces: it panics, or asks
//! for memory until the program ends. Pages that Arrow, `datasets`, pandas, Polars and DuckDB write are read; what others may
//! write is refused by its name.

mod columns;
mod files;
mod footer;
mod pages;
mod table;
#[cfg(test)]
mod tests;
mod thrift;
mod values;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use self::table::Table;
use super::arrays::index;
use super::decode::{self, Header};
use super::error::ImportError;
use super::folder::{MAX_FILES, MAX_TOTAL};
use super::{Labelled, Part, Progress, Request};
use crate::set::Images;

/// What is wrong, as the rest of a sentence that begins with the name of a file or a column, and what to do. What comes of a mere
/// text is damage.
#[derive(Debug, PartialEq)]
struct Problem {
    what: String,
    help: &'static str,
}

impl From<&str> for Problem {
    fn from(what: &str) -> Problem {
        String::from(what).into()
    }
}

impl From<String> for Problem {
    fn from(what: String) -> Problem {
        Problem { what, help: "download or write the file again" }
    }
}

/// A table that holds something else than a set of images.
fn unfit(what: impl Into<String>) -> Problem {
    Problem { what: what.into(), help: HELP }
}

/// Something sound that is not read, and how to write it otherwise.
fn unread(what: impl Into<String>) -> Problem {
    Problem {
        what: what.into(),
        help: "write the file again as `pyarrow.parquet.write_table` does by itself",
    }
}

/// The most rows of a set.
const MAX_ROWS: usize = MAX_FILES;

/// What a table should be.
const HELP: &str = "a row holds the bytes of an image in a column `image` or `img` and its class in a column `label`, as \
                    `Dataset.to_parquet` of the library `datasets` writes it";

/// Whether a folder has files to train on.
pub(super) fn is_there(folder: &Path) -> bool {
    files::find(folder, &mut Vec::new()).is_ok_and(|found| found.is_some())
}

/// Reads a folder with files for its parts; `None` of a folder without.
pub(super) fn read_folder(
    folder: &Path,
    request: &Request,
    shape: Option<[usize; 3]>,
    notes: &mut Vec<String>,
    progress: Progress,
) -> Result<Option<Vec<Labelled>>, ImportError> {
    let Some(files) = files::find(folder, notes)? else { return Ok(None) };
    read(folder, files, request, shape, notes, progress).map(Some)
}

/// Reads files, each of a part.
pub(super) fn read(
    source: &Path,
    files: Vec<(Part, PathBuf)>,
    request: &Request,
    shape: Option<[usize; 3]>,
    notes: &mut Vec<String>,
    progress: Progress,
) -> Result<Vec<Labelled>, ImportError> {
    let mut tables = Vec::new();
    for (part, path) in files {
        tables.push((part, Table::open(path, notes)?));
    }
    tables.sort_by_key(|(part, _)| *part);
    let rows = tables.iter().fold(0_usize, |sum, (_, table)| sum.saturating_add(table.rows()));
    if rows > MAX_ROWS {
        let problem = format!("has {rows} rows, and a set may have {MAX_ROWS} images");
        return Err(ImportError::new(source, problem, "split the set into several"));
    }
    let shape = match shape {
        Some(shape) => shape,
        None => request.shape_of(|| headers(&tables), notes)?,
    };
    let dim = shape.iter().product::<usize>();
    if rows * dim > MAX_TOTAL {
        let problem = format!("has {rows} images, which take more than 32 GiB");
        return Err(ImportError::new(source, problem, "read it with a smaller size"));
    }
    let done = AtomicUsize::new(0);
    let count = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, rows);
    tables.chunk_by(|a, b| a.0 == b.0).map(|tables| part(tables, shape, request, &count)).collect()
}

/// What the headers of all images say.
fn headers(tables: &[(Part, Table)]) -> Result<Vec<Header>, ImportError> {
    let mut all = Vec::new();
    for (_, table) in tables {
        table.images(|first, images| {
            let header = |(place, &image): (usize, &&[u8])| {
                decode::header_of(image).map_err(|(problem, _)| table.bad_image(first + place, &problem))
            };
            let headers: Vec<Header> = images.par_iter().enumerate().map(header).collect::<Result<_, _>>()?;
            all.extend(headers);
            Ok(())
        })?;
    }
    Ok(all)
}

/// The images of tables of one part.
fn part(
    tables: &[(Part, Table)],
    shape: [usize; 3],
    request: &Request,
    count: &(impl Fn() + Sync),
) -> Result<Labelled, ImportError> {
    let [height, width, channels] = shape;
    let dim = height * width * channels;
    let mut labels = Vec::new();
    for (_, table) in tables {
        labels.extend(table.labels()?);
    }
    let mut pixels = Vec::new();
    if pixels.try_reserve_exact(labels.len() * dim).is_err() {
        let problem = format!("has {} images, for which there is not enough memory", labels.len());
        return Err(ImportError::new(tables[0].1.path(), problem, "read it with a smaller size"));
    }
    for (_, table) in tables {
        table.images(|first, images| {
            let start = pixels.len();
            pixels.resize(start + images.len() * dim, 0);
            let places = pixels[start..].par_chunks_exact_mut(dim).zip(images).enumerate();
            places.try_for_each(|(place, (into, image))| {
                let image = decode::pixels_of(image, shape, request.fit);
                into.copy_from_slice(
                    &image.map_err(|(problem, _)| table.bad_image(first + place, &problem))?,
                );
                count();
                Ok(())
            })
        })?;
    }
    let (names, labels) = index(labels.into_iter());
    let images = Images { count: labels.len(), height, width, channels, pixels };
    Ok(Labelled { part: tables[0].0, names, labels, images, files: Vec::new(), prepared: None })
}
