//! One file: its footer, and the images and labels of its rows.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::columns::Columns;
use super::footer::{Chunk, Footer, Group, Kind, Leaf};
use super::pages::Column;
use super::{HELP, Problem};
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
        let columns = Columns::choose(&footer).map_err(|problem| ImportError::new(&path, problem, HELP))?;
        let table = Table { path, footer, columns };
        if !table.columns.others.is_empty() {
            let [taken, others] = [[table.label().path[0].clone()].to_vec(), table.columns.others.clone()];
            let note = format!(
                "The classes are those of the column `{}`, not of `{}`.",
                taken[0],
                others.join("`, `")
            );
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

    fn error(&self, problem: impl Into<String>) -> ImportError {
        ImportError::new(&self.path, problem, HELP)
    }

    /// What is wrong with the image of a row, which is counted from 0 here and from 1 in the message.
    pub(super) fn bad_image(&self, row: usize, problem: &str) -> ImportError {
        let problem = format!("has in row {} an image that {problem}", row + 1);
        ImportError::new(
            &self.path,
            problem,
            "write the file again with this image as PNG or JPEG, or without the row",
        )
    }

    /// The name of each row's class.
    pub(super) fn labels(&self) -> Result<Vec<String>, ImportError> {
        let leaf = self.label();
        let mut labels = Vec::new();
        for group in &self.footer.groups {
            self.column(group, self.columns.labels, |column| {
                match leaf.kind {
                    Kind::Int32 | Kind::Int64 => {
                        for label in column.integers()? {
                            labels.push(self.class(label).map_err(|problem| at(labels.len(), &problem))?);
                        }
                    }
                    Kind::Bytes => {
                        for label in column.bytes()? {
                            labels.push(text(label).map_err(|problem| at(labels.len(), &problem))?);
                        }
                    }
                    Kind::Other(_) => {
                        return Err(format!(
                            "holds {}, and labels are whole numbers or names",
                            leaf.kind.name()
                        ));
                    }
                }
                Ok(Ok(()))
            })?;
        }
        Ok(labels)
    }

    /// The name of the class that a number stands for.
    fn class(&self, label: Option<i64>) -> Result<String, Problem> {
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
        seen.map_err(|problem| self.error(format!("has a column `{}` that {problem}", leaf.path.join("."))))?
    }

    fn read(&self, chunk: &Chunk) -> Result<Vec<u8>, ImportError> {
        let error = |error| ImportError::read(&self.path, error);
        let mut file = File::open(&self.path).map_err(error)?;
        let length = file.metadata().map_err(error)?.len();
        if chunk.start.checked_add(chunk.length).is_none_or(|end| end > length) {
            return Err(self.error("is damaged: it says that it has values behind its end"));
        }
        piece(&mut file, chunk.start, chunk.length).map_err(error)
    }
}

fn at(row: usize, problem: &str) -> Problem {
    format!("cannot be read in row {}: the label {problem}", row + 1)
}

fn text(label: Option<&[u8]>) -> Result<String, Problem> {
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
    let wrong = |problem: String, help: &str| Err(ImportError::new(path, problem, help));
    const AGAIN: &str = "download or write the file again";
    const OPEN: &str = "write the file without encryption";
    let mut file = File::open(path).map_err(read)?;
    let length = file.metadata().map_err(read)?.len();
    let start = piece(&mut file, 0, length.min(ENOUGH as u64)).map_err(read)?;
    if start.starts_with(ENCRYPTED) {
        return wrong("is encrypted".into(), OPEN);
    }
    if !start.starts_with(MAGIC) {
        return wrong(
            format!("is {}, and no Parquet file", kind(&start).unwrap_or("a file of another kind")),
            AGAIN,
        );
    }
    let behind = (MAGIC.len() as u64) + TAIL;
    let tail =
        if length < behind { Vec::new() } else { piece(&mut file, length - TAIL, TAIL).map_err(read)? };
    let Some((size, MAGIC)) =
        tail.split_first_chunk::<4>().and_then(|(size, end)| Some((size, end.first_chunk()?)))
    else {
        return wrong("is cut short: a Parquet file ends with its footer".into(), AGAIN);
    };
    let size = u64::from(u32::from_le_bytes(*size));
    if size > length - behind {
        return wrong("is damaged: its footer is said to be larger than the file".into(), AGAIN);
    }
    if size > MAX_FOOTER {
        return wrong("has a footer of more than 64 MiB".into(), "write the file with larger row groups");
    }
    let bytes = piece(&mut file, length - TAIL - size, size).map_err(read)?;
    Footer::parse(&bytes).map_err(|problem| {
        let help = if problem.contains("encrypted") { OPEN } else { AGAIN };
        ImportError::new(path, problem, help)
    })
}
