//! Finding a set's files in a folder: under the names that people and other programs give them, and, where they are not
//! there, what lies in their place.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;

use crate::catalogue::SetInfo;
use crate::idx;
use crate::kind::{ENOUGH, kind};
use crate::looked::Looked;

/// Files that are named where a set's own are missing.
const MOST_NAMED: usize = 6;

/// The folders within `place` that may hold a set, most specific first: `NAME/`, as this program lays sets out;
/// `NAME/raw/`, as torchvision does (`MNIST/raw`, `FashionMNIST/raw`); in both, NAME in any case and with or without
/// hyphens.
pub(crate) fn folders_of(info: &SetInfo, place: &Path) -> Vec<PathBuf> {
    let own = place.join(info.name);
    let named = |name: &str| letters(name) == letters(info.name);
    let others = entries(place, named).unwrap_or_default().into_iter();
    let others = others.filter(|path| *path != own && path.is_dir());
    let named: Vec<PathBuf> = std::iter::once(own.clone()).chain(others).collect();
    named.into_iter().flat_map(|folder| [folder.clone(), folder.join("raw")]).collect()
}

/// The path of the set's file of this name in a folder: `NAME.gz` or `NAME`, else a name that differs in its case or has
/// other signs in the place of hyphens, such as `train-images.idx3-ubyte`.
///
/// Fetched files end in `.gz`, so that form goes first: a file that was fetched again must win over a damaged one.
pub(crate) fn on_disk(folder: &Path, name: &str) -> Option<PathBuf> {
    let exact = [folder.join(format!("{name}.gz")), folder.join(name)];
    exact.into_iter().find(|path| path.is_file()).or_else(|| {
        entries(folder, |found| plain(found) == name).ok()?.into_iter().find(|path| path.is_file())
    })
}

/// The names of a set's files that are not in a folder.
pub(crate) fn missing(info: &SetInfo, folder: &Path) -> Vec<&'static str> {
    info.files.iter().map(|file| file.name).filter(|name| on_disk(folder, name).is_none()).collect()
}

/// Whether a folder holds anything under the names of a set's files, or keeps to itself what it holds.
pub(crate) fn begun(info: &SetInfo, folder: &Path) -> bool {
    match entries(folder, |name| own(info, name)) {
        Ok(entries) => !entries.is_empty(),
        Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}

/// Whether a folder bears the name of a set, in any case and with or without hyphens.
pub(crate) fn is_named(info: &SetInfo, folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| letters(&lossy(name)) == letters(info.name))
}

/// Whether a file's name is one of a set's, however it is spelt.
fn own(info: &SetInfo, name: &str) -> bool {
    info.files.iter().any(|file| file.name == plain(name))
}

/// What is to be told of a folder that lacks files of a set.
pub(crate) fn looked(info: &SetInfo, folder: &Path) -> Looked {
    let (obstacle, closed, instead) = match entries(folder, |_| true) {
        Ok(entries) => (None, false, instead(info, &entries)),
        Err(error) => {
            let (obstacle, closed) = match error.kind() {
                io::ErrorKind::NotFound => ("there is no such folder".to_owned(), false),
                io::ErrorKind::NotADirectory => ("this is a file, not a folder".to_owned(), false),
                _ => (format!("it cannot be read: {error}"), true),
            };
            (Some(obstacle), closed, Vec::new())
        }
    };
    Looked { folder: folder.to_owned(), obstacle, closed, instead }
}

/// Entries of a folder that may have been meant as a set's files.
fn instead(info: &SetInfo, entries: &[PathBuf]) -> Vec<String> {
    let own = |name: &str| own(info, name);
    let found = entries.iter().filter_map(|path| {
        let name = lossy(path.file_name()?);
        let what = match fs::metadata(path) {
            Err(error) if own(&name) && error.kind() == io::ErrorKind::NotFound => {
                "a link to nothing".to_owned()
            }
            Err(error) if own(&name) => format!("closed: {error}"),
            Err(_) => return None,
            Ok(about) if about.is_dir() && own(&name) => "a folder".to_owned(),
            Ok(about) if about.is_file() && !own(&name) => describe(path)?,
            Ok(about) if !about.is_file() && !about.is_dir() && own(&name) => "no regular file".to_owned(),
            Ok(_) => return None,
        };
        // A name may hold what a terminal obeys.
        let shown: String = name
            .chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
            .collect();
        Some(format!("{shown}, which is {what}"))
    });
    let mut found: Vec<String> = found.take(MOST_NAMED + 1).collect();
    if found.len() > MOST_NAMED {
        found.truncate(MOST_NAMED);
        found.push("other files".into());
    }
    found
}

/// What a file is that may hold images, uncompressed where it is a gzip stream; nothing where it cannot be told, or is a
/// text.
fn describe(path: &Path) -> Option<String> {
    let mut start = Vec::new();
    let mut file = BufReader::new(File::open(path).ok()?);
    (&mut file).take(ENOUGH as u64).read_to_end(&mut start).ok()?;
    if start.starts_with(&[0x1f, 0x8b]) {
        let mut content = Vec::new();
        // What a damaged stream gives up to the damage says enough.
        let _ = GzDecoder::new(start.as_slice()).take(ENOUGH as u64).read_to_end(&mut content);
        if !content.is_empty() {
            start = content;
        }
    }
    if let Some((shape, element)) = idx::announced(&start) {
        return Some(format!("an IDX file of {element}, {}", array(&shape)));
    }
    kind(&start).filter(|kind| !kind.contains("text")).map(str::to_owned)
}

/// An array of images or labels in words.
pub(crate) fn array(shape: &[usize]) -> String {
    match shape {
        [count] => format!("{count} labels"),
        [count, height, width] => format!("{count} images of {height}×{width}"),
        shape => format!("of shape {shape:?}"),
    }
}

/// The paths in a folder whose names are asked for, in the order of these names. A folder may hold a set's pictures one by
/// one beside its files.
pub(crate) fn entries(folder: &Path, asked: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if asked(&lossy(&entry.file_name())) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// A file's name as the catalogue would write it: in lower case, without `.gz`, with hyphens.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let bare = lower.strip_suffix(".gz").unwrap_or(&lower);
    bare.chars().map(|c| if matches!(c, '.' | '_' | ' ') { '-' } else { c }).collect()
}

/// The letters and digits of a name, in lower case.
pub(crate) fn letters(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

fn lossy(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn a_file_goes_by_many_names_and_the_usual_ones_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let name = "train-images-idx3-ubyte";
        assert_eq!(on_disk(folder.path(), name), None);
        // Each of these wins over those before it.
        for other in [
            "train_images_idx3_ubyte",
            "train-images.idx3-ubyte",
            "train-images-idx3-ubyte.GZ",
            "TRAIN-IMAGES-IDX3-UBYTE",
            "train-images-idx3-ubyte",
            "train-images-idx3-ubyte.gz",
        ] {
            let path = folder.path().join(other);
            fs::write(&path, "").unwrap();
            assert_eq!(on_disk(folder.path(), name), Some(path));
        }
        assert_eq!(on_disk(folder.path(), "train-labels-idx1-ubyte"), None);
        fs::create_dir(folder.path().join("train-labels-idx1-ubyte")).unwrap();
        assert_eq!(on_disk(folder.path(), "train-labels-idx1-ubyte"), None, "a folder is no file");
    }

    #[test]
    fn a_set_is_found_among_any_number_of_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let name = "train-images.idx3-ubyte";
        for number in 0..12_000 {
            fs::write(folder.path().join(format!("img_{number}.png")), "").unwrap();
            if number == 6_000 {
                fs::write(folder.path().join(name), "").unwrap();
                fs::create_dir(folder.path().join("MNIST")).unwrap();
            }
        }
        assert_eq!(on_disk(folder.path(), "train-images-idx3-ubyte"), Some(folder.path().join(name)));
        let mnist = catalogue::find("mnist").unwrap();
        assert!(begun(mnist, folder.path()));
        assert!(folders_of(mnist, folder.path()).contains(&folder.path().join("MNIST")));
    }

    #[test]
    fn the_folders_of_other_programs_are_known() {
        let place = tempfile::tempdir().unwrap();
        for folder in ["FashionMNIST/raw", "MNIST/raw", "other"] {
            fs::create_dir_all(place.path().join(folder)).unwrap();
        }
        let folders = |set| {
            let found = folders_of(catalogue::find(set).unwrap(), place.path());
            found
                .iter()
                .map(|path| path.strip_prefix(place.path()).unwrap().display().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(folders("mnist"), ["mnist", "mnist/raw", "MNIST", "MNIST/raw"]);
        assert_eq!(folders("fashion-mnist")[2..], ["FashionMNIST", "FashionMNIST/raw"]);
    }

    #[test]
    fn what_lies_in_the_place_of_a_set_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        put(
            "emnist-letters-train-images-idx3-ubyte",
            &[0, 0, 8, 3, 0, 1, 0xe7, 0x80, 0, 0, 0, 28, 0, 0, 0, 28],
        );
        put("mnist.npz", b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0b\0\0\0x_train.npy");
        put("mnist_test.csv", b"label,1x1,1x2\n7,0,0\n");
        put("notes.txt", b"mine");
        put("\u{1b}[2J.png", b"\x89PNG\r\n\x1a\n");
        fs::create_dir(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
        let told = looked(catalogue::find("mnist").unwrap(), folder.path()).to_string();
        for words in [
            "emnist-letters-train-images-idx3-ubyte, which is an IDX file of u8, 124800 images of 28×28",
            "mnist.npz, which is a NumPy archive (NPZ)",
            "mnist_test.csv, which is a table of comma-separated values (CSV)",
            "t10k-labels-idx1-ubyte, which is a folder",
            "\\u{1b}[2J.png, which is a PNG picture",
        ] {
            assert!(told.contains(words), "no {words:?} in {told}");
        }
        assert!(!told.contains("notes"), "{told}");
        let nowhere = looked(catalogue::find("mnist").unwrap(), &folder.path().join("nowhere")).to_string();
        assert!(nowhere.ends_with("nowhere (there is no such folder)"), "{nowhere}");
        let file = looked(catalogue::find("mnist").unwrap(), &folder.path().join("notes.txt")).to_string();
        assert!(file.ends_with("notes.txt (this is a file, not a folder)"), "{file}");
    }
}
