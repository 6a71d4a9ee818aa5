//! CSV: a line for each image, with its label and its pixels.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use ::csv::{ByteRecord, ReaderBuilder};

use super::arrays::{index, label_name, note_of_range, square, to_bytes};
use super::classes::natural;
use super::error::ImportError;
use super::{Labelled, Part, Request};
use crate::set::Images;

/// What the column of labels is called.
const LABELS: [&str; 6] = ["label", "labels", "class", "target", "y", "digit"];

const HELP: &str = "a line holds a label and the pixels of an image, with or without a first line of names such as \
                    `label,pixel0,pixel1,…`";

/// Reads a folder with a table for each part, such as `train.csv` and `test.csv`; `None` of a folder without.
pub(super) fn read_folder(
    folder: &Path,
    request: &Request,
    notes: &mut Vec<String>,
) -> Result<Option<Vec<Labelled>>, ImportError> {
    let files = tables(folder)?;
    if !files.iter().any(|(part, _)| *part == Part::Train) {
        return Ok(None);
    }
    if let Some(two) = files.windows(2).find(|two| two[0].0 == two[1].0) {
        let problem = format!("and `{}` are both for the {} images", two[1].1.display(), two[0].0.name());
        return Err(ImportError::new(&two[0].1, problem, "leave one of the two, or name the one file"));
    }
    files
        .into_iter()
        .map(|(part, path)| read(&path, part, request, notes))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Whether a folder has a table to train on.
pub(super) fn has_tables(folder: &Path) -> bool {
    tables(folder).is_ok_and(|files| files.iter().any(|(part, _)| *part == Part::Train))
}

/// The tables of a folder that say by their names which part they are.
fn tables(folder: &Path) -> Result<Vec<(Part, PathBuf)>, ImportError> {
    let mut files: Vec<(Part, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| ImportError::read(folder, error))? {
        let path = entry.map_err(|error| ImportError::read(folder, error))?.path();
        let [stem, ending] = [path.file_stem(), path.extension()]
            .map(|part| part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default());
        let part = Part::named(stem.rsplit(['_', '-', '.']).next().unwrap_or(""));
        if let (true, Some(part), true) =
            (["csv", "tsv"].contains(&ending.to_lowercase().as_str()), part, path.is_file())
        {
            files.push((part, path));
        }
    }
    files.sort();
    Ok(files)
}

/// Pixels as they are read: as bytes until a number comes that is none.
enum Values {
    Bytes(Vec<u8>),
    Numbers(Vec<f64>),
}

impl Values {
    fn push(&mut self, cell: &[u8]) -> Result<(), String> {
        if let (Values::Bytes(bytes), Some(byte)) = (&mut *self, byte(cell)) {
            bytes.push(byte);
            return Ok(());
        }
        let number = number(cell)?;
        if let Values::Bytes(bytes) = self {
            *self = Values::Numbers(bytes.iter().map(|&byte| byte.into()).collect());
        }
        if let Values::Numbers(numbers) = self {
            numbers.push(number);
        }
        Ok(())
    }
}

/// A whole number from 0 to 255.
fn byte(cell: &[u8]) -> Option<u8> {
    if cell.is_empty() || cell.len() > 3 {
        return None;
    }
    let mut value = 0_u16;
    for &digit in cell {
        value = 10 * value + u16::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    u8::try_from(value).ok()
}

fn number(cell: &[u8]) -> Result<f64, String> {
    let text = str::from_utf8(cell).unwrap_or("").trim();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(format!("`{text}` is no finite number")),
        Err(_) if text.is_empty() => Err("a pixel is missing".into()),
        Err(_) if text.replacen(',', ".", 1).parse::<f64>().is_ok() => {
            Err(format!("`{text}` has a decimal comma: write numbers with a point"))
        }
        Err(_) => Err(format!("`{}` is no number", text.chars().take(30).collect::<String>())),
    }
}

/// The sign between cells: the most frequent of the usual ones in the first line.
fn delimiter(path: &Path) -> Result<u8, ImportError> {
    let mut start = Vec::new();
    let file = fs::File::open(path).map_err(|error| ImportError::read(path, error))?;
    file.take(1 << 16).read_to_end(&mut start).map_err(|error| ImportError::read(path, error))?;
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
    let count = |sign: &u8| line.iter().filter(|byte| *byte == sign).count();
    Ok(*[b',', b';', b'\t'].iter().rev().max_by_key(|sign| count(sign)).expect("three signs"))
}

/// Reads a table.
pub(super) fn read(
    path: &Path,
    part: Part,
    request: &Request,
    notes: &mut Vec<String>,
) -> Result<Labelled, ImportError> {
    let at = |line: u64, problem: String| {
        ImportError::new(path, format!("cannot be read in line {line}: {problem}"), HELP)
    };
    let delimiter = delimiter(path)?;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_path(path)
        .map_err(|error| unreadable(path, error))?;
    let mut record = ByteRecord::new();
    let (mut columns, mut labels, mut values) = (None::<Columns>, Vec::new(), Values::Bytes(Vec::new()));
    while reader.read_byte_record(&mut record).map_err(|error| unreadable(path, error))? {
        let line = record.position().map_or(0, ::csv::Position::line);
        let columns = match &columns {
            Some(columns) => columns,
            None => {
                let (found, is_header) = Columns::new(&record);
                if found.pixels.is_empty() {
                    return Err(ImportError::new(
                        path,
                        "has one column, and so no pixels beside a label",
                        HELP,
                    ));
                }
                let found = columns.insert(found);
                if is_header {
                    continue;
                }
                found
            }
        };
        if record.len() != columns.pixels.len() + 1 {
            let problem =
                format!("it has {} cells, and the first line {}", record.len(), columns.pixels.len() + 1);
            return Err(at(line, problem));
        }
        labels.push(label(&record[columns.label]).map_err(|problem| at(line, problem))?);
        for &column in &columns.pixels {
            values.push(&record[column]).map_err(|problem| at(line, problem))?;
        }
    }
    let Some(columns) = columns.filter(|_| !labels.is_empty()) else {
        return Err(ImportError::new(path, "holds no image", HELP));
    };
    if let Some(names) = columns.without_label {
        notes.push(format!(
            "`{}` names no column {}: the first one, `{names}`, is taken for the labels.",
            path.display(),
            LABELS.map(|name| format!("`{name}`")).join(" or ")
        ));
    }
    let pixels = columns.pixels.len();
    let shape = match request.size {
        Some([height, width]) if height * width == pixels => Some([height, width, 1]),
        Some([height, width]) if 3 * height * width == pixels => Some([height, width, 3]),
        _ => square(pixels),
    };
    let [height, width, channels] = shape.ok_or_else(|| {
        let problem = format!("has {pixels} pixels in a line, which is no square image");
        ImportError::new(path, problem, "say the size of the images")
    })?;
    let numbers = match values {
        // Numbers that stop at 1 or at 16 are no bytes.
        Values::Bytes(bytes) if bytes.iter().any(|&byte| byte > 16) => Ok((bytes, None)),
        Values::Bytes(bytes) => to_bytes(&bytes.iter().map(|&byte| byte.into()).collect::<Vec<f64>>()),
        Values::Numbers(numbers) => to_bytes(&numbers),
    };
    let (pixels, top) = numbers.map_err(|problem| ImportError::new(path, problem, HELP))?;
    notes.extend(top.map(|top| note_of_range(path, top)));
    let (names, labels) = index(labels.into_iter());
    let images = Images { count: labels.len(), height, width, channels, pixels };
    Ok(Labelled { part, names, labels, images, files: Vec::new(), prepared: None })
}

fn unreadable(path: &Path, error: ::csv::Error) -> ImportError {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => ImportError::read(path, error),
        kind => ImportError::new(path, format!("is no table that can be read: {kind:?}"), HELP),
    }
}

/// A number or a name.
fn label(cell: &[u8]) -> Result<String, String> {
    let text = str::from_utf8(cell).map_err(|_| "a label is no UTF-8".to_owned())?.trim();
    match text.parse::<f64>() {
        Ok(number) => label_name(number),
        Err(_) if text.is_empty() => Err("the label is missing".into()),
        Err(_) => Ok(text.to_owned()),
    }
}

/// Which column holds the labels, and which the pixels, in their order.
struct Columns {
    label: usize,
    pixels: Vec<usize>,
    /// The name of the first column, where none has the name of labels.
    without_label: Option<String>,
}

impl Columns {
    /// By the first line, and whether that is one of names.
    fn new(record: &ByteRecord) -> (Columns, bool) {
        let cells: Vec<String> = record
            .iter()
            .map(|cell| String::from_utf8_lossy(cell).trim_start_matches('\u{feff}').trim().to_owned())
            .collect();
        let names = cells.iter().filter(|cell| cell.replace(',', ".").parse::<f64>().is_err()).count();
        // A label may be a name in a line of numbers, and a column may have a number for its name.
        let is_header = 2 * names > cells.len();
        let known = cells.iter().position(|cell| LABELS.contains(&cell.to_lowercase().as_str()));
        let label = known.filter(|_| is_header).unwrap_or(0);
        let mut pixels: Vec<usize> = (0..cells.len()).filter(|&column| column != label).collect();
        if is_header {
            pixels.sort_by(|&a, &b| natural(&cells[a], &cells[b]));
        }
        let without_label = (is_header && known.is_none()).then(|| cells[0].clone());
        (Columns { label, pixels, without_label }, is_header)
    }
}
