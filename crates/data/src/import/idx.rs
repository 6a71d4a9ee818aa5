//! A folder of IDX files under whatever names unpackers leave: `train-images-idx3-ubyte`, `train-images.idx3-ubyte`,
//! `emnist-letters-train-labels-idx1-ubyte.gz`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::arrays::{image_shape, index};
use super::error::ImportError;
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
        let pairs = pairs(&place)?;
        if pairs.is_empty() {
            continue;
        }
        if let Some(two) = pairs.windows(2).find(|two| two[0].part == two[1].part) {
            let [one, other] = [&two[0].images, &two[1].images];
            let problem = format!("and `{}` are both for the {} images", other.display(), two[0].part.name());
            return Err(ImportError::new(one, problem, "put each set into a folder of its own"));
        }
        return pairs.iter().map(Pair::read).collect::<Result<_, _>>().map(Some);
    }
    Ok(None)
}

/// Whether a folder holds files of images with files of labels.
pub(super) fn has_pairs(folder: &Path) -> bool {
    places(folder).iter().any(|place| pairs(place).is_ok_and(|pairs| !pairs.is_empty()))
}

fn places(folder: &Path) -> [PathBuf; 3] {
    [folder.to_owned(), folder.join("raw"), folder.join("MNIST/raw")]
}

/// The images and the labels of a part.
struct Pair {
    part: Part,
    images: PathBuf,
    labels: PathBuf,
}

/// The pairs of files in a folder, by part.
fn pairs(folder: &Path) -> Result<Vec<Pair>, ImportError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| ImportError::read(folder, error))? {
        let entry = entry.map_err(|error| ImportError::read(folder, error))?;
        if let (Some(name), true) = (entry.file_name().to_str(), entry.path().is_file()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    // The same file may lie there packed and unpacked.
    let plain = |name: &str| name.trim_end_matches(".gz").to_lowercase();
    let mut pairs: Vec<Pair> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for name in names.iter().filter(|name| plain(name).contains("images") && plain(name).contains("idx3")) {
        if seen.contains(&plain(name)) {
            continue;
        }
        seen.push(plain(name));
        let wanted = plain(name).replace("images", "labels").replace("idx3", "idx1");
        let Some(labels) = names.iter().find(|other| plain(other) == wanted) else {
            let problem = format!("has no labels beside it: there is no `{wanted}`");
            return Err(ImportError::new(&folder.join(name), problem, HELP));
        };
        let part = match plain(name) {
            name if name.contains("train") => Part::Train,
            name if name.contains("t10k") || name.contains("test") => Part::Test,
            name if name.contains("val") => Part::Validation,
            _ => Part::Whole,
        };
        pairs.push(Pair { part, images: folder.join(name), labels: folder.join(labels) });
    }
    pairs.sort_by_key(|pair| pair.part);
    Ok(pairs)
}

/// The shape and the bytes of a file.
fn bytes(path: &Path) -> Result<(Vec<usize>, Vec<u8>), ImportError> {
    let file = File::open(path).map_err(|error| ImportError::read(path, error))?;
    let unsound = |problem| ImportError::new(path, format!("is no sound IDX file: {problem}"), HELP);
    let content = idx::content(BufReader::new(file), MAX_BYTES).map_err(unsound)?;
    let array = idx::parse(content).map_err(unsound)?;
    match array.elements {
        Elements::U8(bytes) => Ok((array.shape, bytes)),
        other => {
            let problem =
                format!("holds numbers of the type {}, and images and labels are bytes", other.type_name());
            Err(ImportError::new(path, problem, HELP))
        }
    }
}

/// What the labels of a file of images stand for, where a list beside it says so: `emnist-balanced-mapping.txt`, with a label and
/// the codes of its letters in each line, or `kmnist_classmap.csv`, with a label, a code and a letter.
fn names(images: &Path) -> Result<BTreeMap<u8, String>, ImportError> {
    let folder = images.parent().unwrap_or(Path::new(""));
    let file = images.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let set = ["-train-", "-test-"].iter().find_map(|part| file.split_once(part)).map_or("", |(set, _)| set);
    for list in [format!("{set}-mapping.txt"), "kmnist_classmap.csv".to_owned()] {
        let path = folder.join(&list);
        if !path.is_file() {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| ImportError::read(&path, error))?;
        return Ok(text.lines().filter_map(name).collect());
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

impl Pair {
    fn read(&self) -> Result<Labelled, ImportError> {
        let (shape, pixels) = bytes(&self.images)?;
        let [height, width, channels] =
            image_shape(&shape).map_err(|problem| ImportError::new(&self.images, problem, HELP))?;
        let (labels_shape, labels) = bytes(&self.labels)?;
        if labels_shape != [shape[0]] {
            let problem = format!("has labels of the shape {labels_shape:?} for {} images", shape[0]);
            return Err(ImportError::new(&self.labels, problem, HELP));
        }
        let named = names(&self.images)?;
        let name = |label: u8| named.get(&label).cloned().unwrap_or_else(|| label.to_string());
        let (names, labels) = index(labels.into_iter().map(name));
        let images = Images { count: shape[0], height, width, channels, pixels };
        Ok(Labelled { part: self.part, names, labels, images, files: Vec::new() })
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
        fs::write(images("emnist-balanced-mapping.txt"), "0 48\n10 65\n").unwrap();
        let found = names(&images("emnist-balanced-train-images-idx3-ubyte.gz")).unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [(0, "0".to_owned()), (10, "A".to_owned())]);
        assert!(names(&images("train-images-idx3-ubyte")).unwrap().is_empty());
    }
}
