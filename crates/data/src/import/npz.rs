//! NPZ: a ZIP archive of NumPy's arrays, with images and labels under the names that Keras, MedMNIST and scikit-learn use.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveWriter};

use super::arrays::{image_shape, index, label_name, note_of_range, to_bytes};
use super::error::ImportError;
use super::npy::{self, Array, Elements};
use super::{Imported, Labelled, Part};
use crate::set::{Images, Samples};

/// The most bytes of an archive, and of an array in it.
const MAX_BYTES: u64 = 16 << 30;

/// Names of a part's images and of its labels.
const NAMES: [(Part, &[&str], &[&str]); 4] = [
    (
        Part::Train,
        &["x_train", "train_images", "X_train", "train_x"],
        &["y_train", "train_labels", "train_y"],
    ),
    (
        Part::Validation,
        &["x_val", "val_images", "X_val", "x_valid", "validation_images"],
        &["y_val", "val_labels", "y_valid", "validation_labels"],
    ),
    (Part::Test, &["x_test", "test_images", "X_test", "test_x"], &["y_test", "test_labels", "test_y"]),
    (Part::Whole, &["X", "x", "images", "data", "arr_0"], &["y", "Y", "labels", "target", "arr_1"]),
];

/// Names of the array that names the classes.
const CLASSES: [&str; 4] = ["class_names", "classes", "target_names", "label_names"];

/// The arrays of an archive, with their names.
struct Archive<'a> {
    path: &'a Path,
    arrays: Vec<(String, Vec<u8>)>,
}

/// Reads a `.npz` file.
pub(super) fn read(path: &Path, notes: &mut Vec<String>) -> Result<Vec<Labelled>, ImportError> {
    let archive = Archive::read(path)?;
    let classes = match archive.find(&CLASSES)? {
        Some((_, Array { elements: Elements::Texts(names), .. })) => Some(names),
        _ => None,
    };
    let mut parts = Vec::new();
    for (part, images, labels) in NAMES {
        // Parts of their own count for more than all images together.
        if part == Part::Whole && !parts.is_empty() {
            break;
        }
        match (archive.find(images)?, archive.find(labels)?) {
            (Some(images), Some(labels)) => {
                parts.push(archive.part(part, images, labels, classes.as_deref(), notes)?);
            }
            (Some((name, _)), None) if part != Part::Whole => {
                return Err(archive.error(format!("has `{name}` and no labels for it")));
            }
            (None, Some((name, _))) if part != Part::Whole => {
                return Err(archive.error(format!("has `{name}` and no images for it")));
            }
            _ => {}
        }
    }
    if parts.is_empty() {
        let names: Vec<&str> = archive.arrays.iter().map(|(name, _)| name.as_str()).collect();
        return Err(archive.error(format!("has the arrays {}, and no images with labels", names.join(", "))));
    }
    Ok(parts)
}

const HELP: &str = "images and labels are `x_train`, `y_train`, `x_test`, `y_test` (as Keras writes them), `train_images`, \
                    `train_labels`, … (as MedMNIST has them), or `X` and `y`; save them with `numpy.savez`";

impl<'a> Archive<'a> {
    fn read(path: &'a Path) -> Result<Archive<'a>, ImportError> {
        let size = fs::metadata(path).map_err(|error| ImportError::read(path, error))?.len();
        if size > MAX_BYTES {
            return Err(ImportError::new(path, "is larger than 16 GiB", "split it"));
        }
        let bytes = fs::read(path).map_err(|error| ImportError::read(path, error))?;
        let damaged = |problem: String| ImportError::new(path, problem, HELP);
        let no_archive = |error| damaged(format!("is no sound NPZ archive: {error}"));
        let archive = ZipArchive::from_slice(&bytes).map_err(no_archive)?;
        let mut arrays = Vec::new();
        let mut entries = archive.entries();
        while let Some(entry) = entries.next_entry().map_err(no_archive)? {
            let name = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
            let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else { continue };
            let (method, said) = (entry.compression_method(), entry.uncompressed_size_hint());
            if said > MAX_BYTES {
                return Err(damaged(format!("has an array `{name}` of more than 16 GiB")));
            }
            let found = archive.get_entry(entry.wayfinder()).map_err(no_archive)?;
            let mut content = Vec::new();
            // One byte more shows that there is more than was said.
            let read = match method {
                CompressionMethod::STORE => {
                    found.verifying_reader(found.data()).take(said + 1).read_to_end(&mut content)
                }
                CompressionMethod::DEFLATE => {
                    let inflated = DeflateDecoder::new(found.data());
                    found.verifying_reader(inflated).take(said + 1).read_to_end(&mut content)
                }
                _ => {
                    return Err(damaged(format!(
                        "has an array `{name}` that is packed in a way that is not read"
                    )));
                }
            };
            read.map_err(|error| damaged(format!("has a damaged array `{name}`: {error}")))?;
            if content.len() as u64 != said {
                return Err(damaged(format!("has an array `{name}` of another size than its archive says")));
            }
            arrays.push((name, content));
        }
        Ok(Archive { path, arrays })
    }

    fn error(&self, problem: String) -> ImportError {
        ImportError::new(self.path, problem, HELP)
    }

    /// The array that has one of these names.
    fn find(&self, names: &[&str]) -> Result<Option<(String, Array)>, ImportError> {
        let found = names.iter().find_map(|name| self.arrays.iter().find(|(known, _)| known == name));
        let Some((name, bytes)) = found else { return Ok(None) };
        let array = npy::parse(bytes)
            .map_err(|problem| self.error(format!("has an array `{name}` that {problem}")))?;
        Ok(Some((name.clone(), array)))
    }

    fn part(
        &self,
        part: Part,
        (images_name, images): (String, Array),
        (labels_name, labels): (String, Array),
        classes: Option<&[String]>,
        notes: &mut Vec<String>,
    ) -> Result<Labelled, ImportError> {
        let of = |name: &str, problem: String| self.error(format!("has an array `{name}` that {problem}"));
        let [height, width, channels] =
            image_shape(&images.shape).map_err(|problem| of(&images_name, problem))?;
        let pixels = match images.elements {
            Elements::Bytes(bytes) => bytes,
            Elements::Numbers(numbers) => {
                let (bytes, top) = to_bytes(&numbers).map_err(|problem| of(&images_name, problem))?;
                notes.extend(top.map(|top| note_of_range(self.path, top)));
                bytes
            }
            Elements::Texts(_) => return Err(of(&images_name, "holds texts and no pixels".into())),
        };
        let count = images.shape[0];
        // MedMNIST's labels are a column.
        if !matches!(labels.shape[..], [_] | [_, 1]) {
            let problem = format!("has the shape {:?}, and labels are one for each image", labels.shape);
            return Err(of(&labels_name, problem));
        }
        let name = |value: f64| {
            let name = label_name(value)
                .map_err(|problem| of(&labels_name, format!("has a wrong label: {problem}")))?;
            Ok(classes.and_then(|classes| classes.get(value as usize).cloned()).unwrap_or(name))
        };
        let texts: Vec<String> = match labels.elements {
            Elements::Bytes(bytes) => {
                bytes.into_iter().map(|label| name(label.into())).collect::<Result<_, _>>()?
            }
            Elements::Numbers(numbers) => numbers.into_iter().map(name).collect::<Result<_, _>>()?,
            Elements::Texts(texts) => texts,
        };
        if texts.len() != count {
            return Err(self.error(format!(
                "has {count} images in `{images_name}` and {} labels in `{labels_name}`",
                texts.len()
            )));
        }
        let (names, labels) = index(texts.into_iter());
        let images = Images { count, height, width, channels, pixels };
        Ok(Labelled { part, names, labels, images, files: Vec::new() })
    }
}

/// The bytes of a `.npz` file with the prepared images of a set, as Keras names them, and the names of its classes.
pub fn write_npz(set: &Imported) -> Vec<u8> {
    const WRITABLE: &str = "memory can be written";
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    let mut add = |name: &str, content: Vec<u8>| {
        let (mut entry, config) = archive
            .new_file(format!("{name}.npy"))
            .compression_method(CompressionMethod::DEFLATE)
            .start()
            .expect(WRITABLE);
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(&content).expect(WRITABLE);
        let (encoder, descriptor) = writer.finish().expect(WRITABLE);
        encoder.finish().expect(WRITABLE);
        entry.finish(descriptor).expect(WRITABLE);
    };
    let parts = [("train", Some(&set.train)), ("val", set.validation.as_ref()), ("test", Some(&set.test))];
    for (name, part) in parts {
        let Some(Samples { images, labels }) = part else { continue };
        let (height, width) = (images.height, images.width);
        let shape = match images.channels {
            1 => vec![images.count, height, width],
            channels => vec![images.count, height, width, channels],
        };
        add(&format!("x_{name}"), npy::write(&shape, "|u1", &images.pixels));
        add(&format!("y_{name}"), npy::write(&[labels.len()], "|u1", labels));
    }
    let longest = set.classes.iter().map(|class| class.chars().count()).max().unwrap_or(1);
    let letters = |class: &String| {
        let codes = class.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest);
        codes.flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
    };
    let names: Vec<u8> = set.classes.iter().flat_map(letters).collect();
    add("class_names", npy::write(&[set.classes.len()], &format!("<U{longest}"), &names));
    archive.finish().expect(WRITABLE);
    bytes
}
