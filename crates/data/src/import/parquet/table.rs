//! One file: its footer, and the images and labels of its rows.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::columns::Columns;
use super::footer::{Chunk, Footer, Group, Kind, Leaf, encrypted};
use super::pages::Column;
use super::{Problem, unfit, unread};
use crate::import::arrays::label_name;
use crate::import::decode::MAX_BYTES;
use crate::import::error::ImportError;
use crate::kind::{ENOUGH, kind};

/// What a file begins with, and ends with behind its footer and the footer's length.
const MAGIC: &[u8; 4] = b"PAR1";
/// The same where the footer is encrypted.
const ENCRYPTED: &[u8; 4] = b"PARE";
/// The footer's length and what the file ends with.
const TAIL: u64 = 8;
/// The most bytes of a footer.
const MAX_FOOTER: u64 = 64 << 20;

pub(super) struct Table {
    path: PathBuf,
    footer: Footer,
    columns: Columns,
}

impl Table {
    pub(super) fn open(path: PathBuf, notes: &mut Vec<String>) -> Result<Table, ImportError> {
        let footer = footer_of(&path)?;
        let columns = Columns::choose(&footer).map_err(|problem| error(&path, problem))?;
        let table = Table { path, footer, columns };
        if !table.columns.others.is_empty() {
            let (taken, others) = (&table.label().path[0], table.columns.others.join("`, `"));
            let note = format!("The classes are those of the column `{taken}`, not of `{others}`.");
            // The files of a set have the same columns.
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        Ok(table)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn rows(&self) -> usize {
        self.footer.groups.iter().fold(0, |sum, group| sum.saturating_add(group.rows))
    }

    fn label(&self) -> &Leaf {
        &self.footer.leaves[self.columns.labels]
    }

    /// What is wrong with the image of a row, which is counted from 0 here and from 1 in the message.
    pub(super) fn bad_image(&self, row: usize, problem: &str) -> ImportError {
        let help = "write the file again with this image as PNG or JPEG, or without the row";
        ImportError::new(&self.path, format!("has in row {} an image that {problem}", row + 1), help)
    }

    fn bad_label(&self, row: usize, problem: &str) -> ImportError {
        let help = "write the file again with the number or the name of a class in every row";
        ImportError::new(&self.path, format!("has in row {} a label that {problem}", row + 1), help)
    }

    /// The name of each row's class.
    pub(super) fn labels(&self) -> Result<Vec<String>, ImportError> {
        let kind = self.label().kind;
        let mut labels = Vec::new();
        for group in &self.footer.groups {
            self.column(group, self.columns.labels, |column| {
                let mut push = |label: Result<String, String>| {
                    labels.push(label.map_err(|problem| self.bad_label(labels.len(), &problem))?);
                    Ok(())
                };
                match kind {
                    Kind::Int32 | Kind::Int64 => {
                        Ok(column.integers()?.into_iter().try_for_each(|label| push(self.class(label))))
                    }
                    Kind::Bytes => Ok(column.bytes()?.into_iter().try_for_each(|label| push(text(label)))),
                    Kind::Other(_) => {
                        let what = format!("holds {}, and labels are whole numbers or names", kind.name());
                        Err(unfit(what))
                    }
                }
            })?;
        }
        Ok(labels)
    }

    /// The name of the class that a number stands for.
    fn class(&self, label: Option<i64>) -> Result<String, String> {
        let label = label.ok_or("is missing")?;
        let name = label_name(label as f64).map_err(|problem| format!("is wrong: {problem}"))?;
        let Some(names) = &self.columns.names else { return Ok(name) };
        let found = usize::try_from(label).ok().and_then(|place| names.get(place)).cloned();
        found.ok_or_else(|| format!("is {label}, and there are names for {} classes", names.len()))
    }

    /// Shows the images of a row group after another, with the number of the first row.
    pub(super) fn images(
        &self,
        mut see: impl FnMut(usize, &[&[u8]]) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let mut first = 0;
        for group in &self.footer.groups {
            self.column(group, self.columns.images, |column| {
                let mut images = Vec::new();
                for (place, image) in column.bytes()?.into_iter().enumerate() {
                    match image {
                        None | Some([]) => return Ok(Err(self.bad_image(first + place, "is missing"))),
                        Some(image) if image.len() as u64 > MAX_BYTES => {
                            return Ok(Err(self.bad_image(first + place, "is larger than 256 MiB")));
                        }
                        Some(image) => images.push(image),
                    }
                }
                Ok(see(first, &images))
            })?;
            first += group.rows;
        }
        Ok(())
    }

    /// Reads and unpacks a column's values of a row group. A problem is the column's, an error the caller's own.
    fn column(
        &self,
        group: &Group,
        place: usize,
        see: impl FnOnce(Column) -> Result<Result<(), ImportError>, Problem>,
    ) -> Result<(), ImportError> {
        let (chunk, leaf) = (&group.chunks[place], &self.footer.leaves[place]);
        let bytes = self.read(chunk)?;
        let seen = Column::parse(&bytes, (chunk, leaf), group.rows).and_then(see);
        seen.map_err(|Problem { what, help }| {
            let what = format!("has a column `{}` that {what}", leaf.path.join("."));
            error(&self.path, Problem { what, help })
        })?
    }

    fn read(&self, chunk: &Chunk) -> Result<Vec<u8>, ImportError> {
        let read = |error| ImportError::read(&self.path, error);
        let mut file = File::open(&self.path).map_err(read)?;
        let length = file.metadata().map_err(read)?.len();
        if chunk.start.checked_add(chunk.length).is_none_or(|end| end > length) {
            return Err(error(&self.path, "is damaged: it says that it has values behind its end".into()));
        }
        piece(&mut file, chunk.start, chunk.length).map_err(read)
    }
}

fn error(path: &Path, Problem { what, help }: Problem) -> ImportError {
    ImportError::new(path, what, help)
}

fn text(label: Option<&[u8]>) -> Result<String, String> {
    let label = label.filter(|label| !label.is_empty()).ok_or("is missing")?;
    str::from_utf8(label).map(str::to_owned).map_err(|_| "is no text (UTF-8)".into())
}

fn piece(file: &mut File, start: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn footer_of(path: &Path) -> Result<Footer, ImportError> {
    let read = |error| ImportError::read(path, error);
    let wrong = |problem: Problem| Err(error(path, problem));
    let mut file = File::open(path).map_err(read)?;
    let length = file.metadata().map_err(read)?.len();
    let start = piece(&mut file, 0, length.min(ENOUGH as u64)).map_err(read)?;
    if start.starts_with(ENCRYPTED) {
        return wrong(encrypted("is encrypted"));
    }
    if !start.starts_with(MAGIC) {
        let kind = kind(&start).unwrap_or("a file of another kind");
        return wrong(format!("is {kind}, and no Parquet file").into());
    }
    let around = MAGIC.len() as u64 + TAIL;
    let tail =
        if length < around { Vec::new() } else { piece(&mut file, length - TAIL, TAIL).map_err(read)? };
    let Some(size) = tail.strip_suffix(MAGIC).and_then(<[u8]>::first_chunk::<4>) else {
        return wrong("is cut short: a Parquet file ends with its footer".into());
    };
    let size = u64::from(u32::from_le_bytes(*size));
    if size > length - around {
        return wrong("is damaged: its footer is said to be larger than the file".into());
    }
    if size > MAX_FOOTER {
        return wrong(unread("has a footer of more than 64 MiB"));
    }
    let bytes = piece(&mut file, length - TAIL - size, size).map_err(read)?;
    Footer::parse(&bytes).map_err(|problem| error(path, problem))
}
