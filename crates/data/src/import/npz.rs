//! NPZ: a ZIP archive of NumPy's arrays, with images and labels under the names that Keras, MedMNIST and scikit-learn use.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::arrays::{image_shape, index, label_name, note_of_range, to_bytes};
use super::error::ImportError;
use super::npy::{self, Array, Elements};
use super::stored::{self, Stored};
use super::{Labelled, Part};
use crate::set::{DataSet, Images, Samples};

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

/// Name of the array with the checksum of a set that this program prepared.
const CHECKSUM: &str = "inkling_checksum";

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
        let members = stored::zip(path, "NPZ", |name| name.ends_with(".npy"), HELP)?;
        let array = |(name, member): (String, Stored)| {
            Some((name.strip_suffix(".npy")?.to_owned(), member.into_bytes()?))
        };
        let arrays = members.into_iter().filter_map(array).collect();
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

    /// The only text of an array, where there is such an array.
    fn text(&self, name: &str) -> Result<Option<String>, ImportError> {
        match self.find(&[name])? {
            Some((_, Array { elements: Elements::Texts(texts), .. })) => Ok(texts.into_iter().next()),
            _ => Ok(None),
        }
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
        Ok(Labelled { part, names, labels, images, files: Vec::new(), prepared: self.text(CHECKSUM)? })
    }
}

/// The bytes of a `.npz` file with the prepared images of a set, as Keras names them, the names of its classes, and its checksum:
/// where this is found to be right, the file is read as the same set, each part in its order.
pub fn write_npz(set: &DataSet) -> Vec<u8> {
    let mut archive = NpzWriter::default();
    let parts = [("train", Some(&set.train)), ("val", set.validation.as_ref()), ("test", Some(&set.test))];
    for (name, part) in parts {
        let Some(Samples { images, labels }) = part else { continue };
        let (height, width) = (images.height, images.width);
        let shape = match images.channels {
            1 => vec![images.count, height, width],
            channels => vec![images.count, height, width, channels],
        };
        archive.add(&format!("x_{name}"), "|u1", &shape, &images.pixels);
        archive.add(&format!("y_{name}"), "|u1", &[labels.len()], labels);
    }
    archive.add_texts("class_names", &set.about.classes);
    archive.add_texts(CHECKSUM, std::slice::from_ref(&set.checksum));
    archive.finish()
}

/// An NPZ file that grows array by array. The same arrays give the same bytes.
#[derive(Debug)]
pub struct NpzWriter(ZipArchiveWriter<Vec<u8>>);

const WRITABLE: &str = "memory can be written";

impl Default for NpzWriter {
    fn default() -> NpzWriter {
        NpzWriter(ZipArchiveWriter::new(Vec::new()))
    }
}

impl NpzWriter {
    /// Adds an array of elements that NumPy writes as `kind`, such as `<f4`.
    ///
    /// # Panics
    /// When the name is longer than the format allows.
    pub fn add(&mut self, name: &str, kind: &str, shape: &[usize], data: &[u8]) {
        let file = self.0.new_file(format!("{name}.npy")).compression_method(CompressionMethod::DEFLATE);
        let (mut entry, config) = file.start().expect(WRITABLE);
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(&npy::write(shape, kind, data)).expect(WRITABLE);
        let (encoder, descriptor) = writer.finish().expect(WRITABLE);
        encoder.finish().expect(WRITABLE);
        entry.finish(descriptor).expect(WRITABLE);
    }

    /// Adds an array of texts.
    ///
    /// # Panics
    /// As [`NpzWriter::add`].
    pub fn add_texts(&mut self, name: &str, texts: &[String]) {
        let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(1).max(1);
        let letters = |text: &String| {
            let codes = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest);
            codes.flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
        };
        let letters: Vec<u8> = texts.iter().flat_map(letters).collect();
        self.add(name, &format!("<U{longest}"), &[texts.len()], &letters);
    }

    /// The bytes of the file.
    ///
    /// # Panics
    /// Never: memory takes every write.
    pub fn finish(self) -> Vec<u8> {
        self.0.finish().expect(WRITABLE)
    }
}
