//! The binary files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of a label, or a coarse and a fine one, and 32 × 32 pixels,
//! first all red values, then green, then blue.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::arrays::index;
use super::error::ImportError;
use super::stored::{self, Files, Stored};
use super::{Labelled, Part};
use crate::set::Images;

const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;
const CHANNELS: usize = 3;
/// The most bytes of a file.
const MAX_BYTES: u64 = 2 << 30;
const HELP: &str = "take the binary version of the set as it is unpacked: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, or `train.bin` and `test.bin`";

/// The two sets, in which a record has so many labels, the last of which is the class.
pub(super) struct Kind {
    pub(super) title: &'static str,
    labels: usize,
    names: &'static str,
    train: &'static [&'static str],
    test: &'static str,
}

impl Kind {
    /// Whether a file is one of the set's.
    fn has(&self, name: &str) -> bool {
        self.train.contains(&name) || [self.test, self.names].contains(&name)
    }
}

const KINDS: [Kind; 2] = [
    Kind {
        title: "CIFAR-10",
        labels: 1,
        names: "batches.meta.txt",
        train: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
        ],
        test: "test_batch.bin",
    },
    Kind {
        title: "CIFAR-100",
        labels: 2,
        names: "fine_label_names.txt",
        train: &["train.bin"],
        test: "test.bin",
    },
];

/// The set that lies in a folder, or in the folder in it that its archive makes.
pub(super) fn find(folder: &Path) -> Option<(PathBuf, &'static Kind)> {
    let places = ["", "cifar-10-batches-bin", "cifar-100-binary"].map(|inner| folder.join(inner));
    places.into_iter().find_map(|place| {
        let kind = KINDS.iter().find(|kind| place.join(kind.train[0]).is_file())?;
        Some((place, kind))
    })
}

/// Whether a folder holds the files of one of the sets.
pub(super) fn is_there(folder: &Path) -> bool {
    find(folder).is_some()
}

/// Reads the files of a folder; `None` of a folder without.
pub(super) fn read(folder: &Path) -> Result<Option<Vec<Labelled>>, ImportError> {
    match find(folder) {
        Some((place, kind)) => parts(&stored::folder(&place)?, kind).map(Some),
        None => Ok(None),
    }
}

/// Reads the members of an archive as the sets' authors publish it.
pub(super) fn archive(path: &Path) -> Result<Vec<Labelled>, ImportError> {
    let files = stored::tar(path, |name| KINDS.iter().any(|kind| kind.has(name)), HELP)?;
    match KINDS.iter().find(|kind| files.contains_key(kind.train[0])) {
        Some(kind) => parts(&files, kind),
        None => Err(ImportError::new(path, "has no file of CIFAR's in it", HELP)),
    }
}

fn parts(files: &Files, kind: &Kind) -> Result<Vec<Labelled>, ImportError> {
    let names = files.get(kind.names).map(names).transpose()?.unwrap_or_default();
    let train: Vec<&Stored> = kind.train.iter().filter_map(|&name| files.get(name)).collect();
    let mut parts = vec![part(kind, Part::Train, &train, &names)?];
    if let Some(test) = files.get(kind.test) {
        parts.push(part(kind, Part::Test, &[test], &names)?);
    }
    Ok(parts)
}

/// The names of the classes, a line each.
fn names(file: &Stored) -> Result<Vec<String>, ImportError> {
    let text = file.text()?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn part(kind: &Kind, part: Part, files: &[&Stored], names: &[String]) -> Result<Labelled, ImportError> {
    let record = kind.labels + CHANNELS * PIXELS;
    let (mut labels, mut pixels) = (Vec::new(), Vec::new());
    for file in files {
        let (path, mut bytes) = (&file.path, Vec::new());
        let read = file.open()?.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| ImportError::read(path, error))?;
        if bytes.is_empty() || !bytes.len().is_multiple_of(record) || bytes.len() as u64 > MAX_BYTES {
            let problem =
                format!("has {} bytes, and no whole number of images of {record} bytes", bytes.len());
            return Err(ImportError::new(path, problem, HELP));
        }
        for image in bytes.chunks_exact(record) {
            let (of_image, planes) = image.split_at(kind.labels);
            labels.push(of_image[kind.labels - 1]);
            pixels
                .extend((0..PIXELS).flat_map(|pixel| (0..CHANNELS).map(move |c| planes[c * PIXELS + pixel])));
        }
    }
    if let Some(label) = labels.iter().find(|&&label| !names.is_empty() && usize::from(label) >= names.len())
    {
        let problem = format!("has the label {label}, and names for {} classes", names.len());
        return Err(ImportError::new(&files[0].path, problem, HELP));
    }
    let name = |label: u8| names.get(usize::from(label)).cloned().unwrap_or_else(|| label.to_string());
    let count = labels.len();
    let (names, labels) = index(labels.into_iter().map(name));
    let images = Images { count, height: SIDE, width: SIDE, channels: CHANNELS, pixels };
    Ok(Labelled { part, names, labels, images, files: Vec::new(), prepared: None })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A record whose pixels are all of one colour but the second of the first row, which is white.
    fn record(labels: &[u8], colour: [u8; 3]) -> Vec<u8> {
        let mut bytes = labels.to_vec();
        for value in colour {
            let mut plane = vec![value; PIXELS];
            plane[1] = 255;
            bytes.extend(plane);
        }
        bytes
    }

    #[test]
    fn batches_become_images_in_colour_with_the_names_of_their_classes() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("cifar-10-batches-bin");
        fs::create_dir(&place).unwrap();
        fs::write(place.join("data_batch_1.bin"), record(&[1], [10, 20, 30])).unwrap();
        fs::write(place.join("data_batch_2.bin"), record(&[0], [1, 2, 3])).unwrap();
        fs::write(place.join("test_batch.bin"), record(&[1], [4, 5, 6])).unwrap();
        fs::write(place.join("batches.meta.txt"), "airplane\nautomobile\n\n").unwrap();
        let parts = read(folder.path()).unwrap().unwrap();
        assert_eq!(parts.iter().map(|part| part.part).collect::<Vec<_>>(), [Part::Train, Part::Test]);
        let train = &parts[0];
        assert_eq!(train.images.pixels[..9], [10, 20, 30, 255, 255, 255, 10, 20, 30]);
        let class = |image: usize| train.names[train.labels[image]].as_str();
        assert_eq!((class(0), class(1)), ("automobile", "airplane"));
        assert!(is_there(folder.path()) && read(&folder.path().join("..")).unwrap().is_none());
        // The fine label is the class of the larger set.
        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join("train.bin"), record(&[9, 7], [0; 3])).unwrap();
        assert_eq!(read(other.path()).unwrap().unwrap()[0].names, ["7"]);
        // What is cut short, and a label without a name.
        fs::write(place.join("test_batch.bin"), &record(&[1], [4, 5, 6])[..3000]).unwrap();
        assert!(read(folder.path()).err().unwrap().to_string().contains("no whole number of images"));
        fs::write(place.join("test_batch.bin"), record(&[2], [4, 5, 6])).unwrap();
        assert!(read(folder.path()).err().unwrap().to_string().contains("has the label 2"));
    }
}
