//! A folder of IDX files under whatever names unpackers leave: `train-images-idx3-ubyte`, `train-images.idx3-ubyte`,
//! `emnist-letters-train-labels-idx1-ubyte.gz`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::arrays::{image_shape, index};
use super::error::ImportError;
use super::stored::{self, Files, Stored};
use super::{Labelled, Part};
use crate::idx::{self, Elements};
use crate::set::Images;

/// The most bytes of a file, uncompressed.
const MAX_BYTES: u64 = 8 << 30;
const HELP: &str = "a set is a file of images and a file of labels for each part, such as `train-images-idx3-ubyte.gz` and \
                    `train-labels-idx1-ubyte.gz`";

/// Reads the files of a folder, or of the folders in it where torchvision puts them; `None` of a folder without.
pub(super) fn read(folder: &Path) -> Result<Option<Vec<Labelled>>, ImportError> {
    for place in places(folder) {
        let files = stored::folder(&place)?;
        if !pairs(&files)?.is_empty() {
            return parts(&files).map(Some);
        }
    }
    Ok(None)
}

/// Whether a folder holds files of images with files of labels.
pub(super) fn has_pairs(folder: &Path) -> bool {
    places(folder).iter().any(|place| {
        stored::folder(place).is_ok_and(|files| pairs(&files).is_ok_and(|pairs| !pairs.is_empty()))
    })
}

fn places(folder: &Path) -> [PathBuf; 3] {
    [folder.to_owned(), folder.join("raw"), folder.join("MNIST/raw")]
}

/// Reads the parts of one set from its files.
pub(super) fn parts(files: &Files) -> Result<Vec<Labelled>, ImportError> {
    let pairs = pairs(files)?;
    if let Some(two) = pairs.windows(2).find(|two| two[0].part == two[1].part) {
        let [one, other] = [&two[0].images.path, &two[1].images.path];
        let problem = format!("and `{}` are both for the {} images", other.display(), two[0].part.name());
        let help = "put each set into a folder of its own, or name one of EMNIST's, such as `emnist-letters`";
        return Err(ImportError::new(one, problem, help));
    }
    pairs.iter().map(|pair| pair.read(files)).collect()
}

/// The images and the labels of a part.
struct Pair<'a> {
    part: Part,
    images: &'a Stored,
    labels: &'a Stored,
}

/// The pairs of files, by part.
fn pairs(files: &Files) -> Result<Vec<Pair<'_>>, ImportError> {
    // The same file may lie there packed and unpacked.
    let plain = |name: &str| name.trim_end_matches(".gz").to_lowercase();
    let mut pairs: Vec<Pair> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (name, images) in files {
        let name = plain(name);
        if !name.contains("images") || !name.contains("idx3") || seen.contains(&name) {
            continue;
        }
        let wanted = name.replace("images", "labels").replace("idx3", "idx1");
        let Some(labels) = files.iter().find(|(other, _)| plain(other) == wanted) else {
            let problem = format!("has no labels beside it: there is no `{wanted}`");
            return Err(ImportError::new(&images.path, problem, HELP));
        };
        let part = match name.as_str() {
            name if name.contains("train") => Part::Train,
            name if name.contains("t10k") || name.contains("test") => Part::Test,
            name if name.contains("val") => Part::Validation,
            _ => Part::Whole,
        };
        pairs.push(Pair { part, images, labels: labels.1 });
        seen.push(name);
    }
    pairs.sort_by_key(|pair| pair.part);
    Ok(pairs)
}

/// The shape and the bytes of a file.
fn bytes(file: &Stored) -> Result<(Vec<usize>, Vec<u8>), ImportError> {
    let unsound = |problem| ImportError::new(&file.path, format!("is no sound IDX file: {problem}"), HELP);
    let content = idx::content(file.open()?, MAX_BYTES).map_err(unsound)?;
    let array = idx::parse(content).map_err(unsound)?;
    match array.elements {
        Elements::U8(bytes) => Ok((array.shape, bytes)),
        other => {
            let problem =
                format!("holds numbers of the type {}, and images and labels are bytes", other.type_name());
            Err(ImportError::new(&file.path, problem, HELP))
        }
    }
}

/// What the labels of a file of images stand for, where a list beside it says so: `emnist-balanced-mapping.txt`, with a label and
/// the codes of its letters in each line, or `kmnist_classmap.csv`, with a label, a code and a letter.
fn names(images: &Path, files: &Files) -> Result<BTreeMap<u8, String>, ImportError> {
    let file = images.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let set = ["-train-", "-test-"].iter().find_map(|part| file.split_once(part)).map_or("", |(set, _)| set);
    for list in [format!("{set}-mapping.txt"), "kmnist_classmap.csv".to_owned()] {
        if let Some(list) = files.get(&list) {
            return Ok(list.text()?.lines().filter_map(name).collect());
        }
    }
    Ok(BTreeMap::new())
}

/// The label and the name in a line of such a list. Small letters are said to be so: some systems do not tell them from large ones.
fn name(line: &str) -> Option<(u8, String)> {
    let mut fields = line.split([' ', ',']).map(str::trim);
    let label = fields.next()?.parse().ok()?;
    let code = fields.next()?;
    let letter = match code.strip_prefix("U+") {
        Some(code) => char::from_u32(u32::from_str_radix(code, 16).ok()?)?,
        None => char::from_u32(code.parse().ok()?)?,
    };
    let small = letter.is_ascii_lowercase();
    Some((label, if small { format!("small {letter}") } else { letter.to_string() }))
}

impl Pair<'_> {
    fn read(&self, files: &Files) -> Result<Labelled, ImportError> {
        let (shape, pixels) = bytes(self.images)?;
        let [height, width, channels] =
            image_shape(&shape).map_err(|problem| ImportError::new(&self.images.path, problem, HELP))?;
        let (labels_shape, labels) = bytes(self.labels)?;
        if labels_shape != [shape[0]] {
            let problem = format!("has labels of the shape {labels_shape:?} for {} images", shape[0]);
            return Err(ImportError::new(&self.labels.path, problem, HELP));
        }
        let named = names(&self.images.path, files)?;
        let name = |label: u8| named.get(&label).cloned().unwrap_or_else(|| label.to_string());
        let (names, labels) = index(labels.into_iter().map(name));
        let images = Images { count: shape[0], height, width, channels, pixels };
        Ok(Labelled { part: self.part, names, labels, images, files: Vec::new(), prepared: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_beside_the_files_name_the_labels() {
        assert_eq!(name("10 65"), Some((10, "A".into())));
        assert_eq!(name("36 97"), Some((36, "small a".into())));
        assert_eq!(name("1 66 98"), Some((1, "B".into())));
        assert_eq!(name("0,U+304A,お"), Some((0, "お".into())));
        assert_eq!(name("index,codepoint,char"), None);
        let folder = tempfile::tempdir().unwrap();
        let images = |name: &str| folder.path().join(name);
        std::fs::write(images("emnist-balanced-mapping.txt"), "0 48\n10 65\n").unwrap();
        let files = stored::folder(folder.path()).unwrap();
        let names = |file| names(&images(file), &files).unwrap();
        let found = names("emnist-balanced-train-images-idx3-ubyte.gz");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [(0, "0".to_owned()), (10, "A".to_owned())]);
        assert!(names("train-images-idx3-ubyte").is_empty());
    }
}
