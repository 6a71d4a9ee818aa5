//! Image sets that a person brings: a folder with a sub-folder for each class, arrays of NumPy (NPZ, NPY), a CSV table, Parquet
//! tables with the bytes of images, a folder of IDX files, or the binary files of CIFAR.
//!
//! [`import`] reads a source whole or not at all. Classes are known by their names, never by their places, and stand in
//! natural order (1, 2, 10). Images become bytes of one size; the parts that the source has are kept, or a seeded, stratified
//! share becomes the test images; and each part lies in an order of which every beginning has the classes in their shares.

mod arrays;
mod cache;
mod cifar;
mod classes;
mod csv;
pub(crate) mod decode;
mod describe;
mod error;
mod folder;
mod idx;
mod npy;
mod npz;
mod parquet;
mod published;
mod split;
mod stored;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::set::Samples;

pub use self::decode::Fit;
pub use self::decode::Problem;
pub use self::describe::{Description, Duplicates, describe};
pub use self::error::ImportError;
pub use self::npz::{NpzWriter, write_npz};
pub use self::published::{PublishedSet, published, published_set};
pub use self::split::stratified;

/// Whether this looks like a source: the name of a set that was published, a file of a known ending, or a folder with folders of
/// images in it or with tables or arrays of a set.
pub fn is_source(path: &Path) -> bool {
    if path.is_file() {
        return ["npz", "csv", "tsv", "parquet"].contains(&ending(path).as_str()) || is_archive(path);
    }
    if !path.exists() {
        return published_set(path).is_some();
    }
    path.is_dir()
        && (folder::has_images(path)
            || idx::has_pairs(path)
            || cifar::is_there(path)
            || csv::has_tables(path)
            || parquet::is_there(path))
}

/// The ending of a file's name, in lower case.
fn ending(path: &Path) -> String {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_lowercase()
}

/// Whether a file is called like an archive of CIFAR's.
fn is_archive(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().to_lowercase().ends_with(".tar.gz"))
}

/// How a source is to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Height and width of the images. Left open, it is the size that all images have, if none is larger than 64 × 64, else
    /// 32 × 32.
    pub size: Option<[usize; 2]>,
    /// 1 for grey, 3 for colour. Left open, it is 1 if all images are grey, else 3.
    pub channels: Option<usize>,
    /// How an image of another shape gets this one.
    pub fit: Fit,
    /// A source of its own for the test images.
    pub test: Option<PathBuf>,
    /// The share of each class that becomes test images where there are none, above 0 and below 1.
    pub test_share: f64,
    /// The seed of that draw, and of the order of the images.
    pub seed: u64,
    /// Whether rows and columns are exchanged, as in EMNIST's files.
    pub transposed: bool,
    /// The folder in which prepared images of large folders are kept, as [`crate::cache_folder`] names it; nothing is kept without
    /// one.
    pub cache: Option<PathBuf>,
    /// The folders in which a set is looked for that is called by its name, as [`crate::usual_places`] lists them.
    pub places: Vec<PathBuf>,
}

impl Default for Request {
    fn default() -> Self {
        Request {
            size: None,
            channels: None,
            fit: Fit::Stretch,
            test: None,
            test_share: 0.2,
            seed: 1,
            transposed: false,
            cache: None,
            places: Vec::new(),
        }
    }
}

/// A set that was read from a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The name of the source, without its ending.
    pub name: String,
    /// Names of the classes; a label is an index into them.
    pub classes: Vec<String>,
    /// The images to fit a model on.
    pub train: Samples,
    /// The images to judge it by.
    pub test: Samples,
    /// The validation images that the source has of its own, if it has some.
    pub validation: Option<Samples>,
    /// Whether the test images were drawn from the others.
    pub drawn: bool,
    /// How images of other shapes got the one that all have.
    pub fit: Fit,
    /// The files of the training and of the test images, in their order; empty where one file holds them all.
    pub files: [Vec<PathBuf>; 2],
    /// What a person should know of how the source was read, in whole sentences.
    pub notes: Vec<String>,
}

impl Imported {
    /// Identifies sizes, classes, images and labels, whatever files they came from: SHA-256 in lower-case hexadecimal.
    pub fn checksum(&self) -> String {
        checksum(&self.classes, &self.train, &self.test, self.validation.as_ref())
    }
}

/// See [`Imported::checksum`].
fn checksum(classes: &[String], train: &Samples, test: &Samples, validation: Option<&Samples>) -> String {
    let mut hasher = Sha256::new();
    for class in classes {
        hasher.update((class.len() as u64).to_le_bytes());
        hasher.update(class);
    }
    for part in [Some(train), Some(test), validation].into_iter().flatten() {
        let images = &part.images;
        for size in [images.count, images.height, images.width, images.channels] {
            hasher.update((size as u64).to_le_bytes());
        }
        hasher.update(&images.pixels);
        hasher.update(&part.labels);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A part of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Train,
    Validation,
    Test,
    /// All images of a source that has no parts.
    Whole,
}

impl Part {
    /// The part that a folder's or a file's name says, however it is written.
    fn named(name: &str) -> Option<Part> {
        match name.to_lowercase().as_str() {
            "train" | "training" => Some(Part::Train),
            "val" | "valid" | "validation" | "dev" => Some(Part::Validation),
            "test" | "testing" => Some(Part::Test),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Part::Train => "training",
            Part::Validation => "validation",
            Part::Test => "test",
            Part::Whole => "all",
        }
    }
}

/// The images of a part, with the name of each one's class as an index into the names of the part.
struct Labelled {
    part: Part,
    names: Vec<String>,
    labels: Vec<usize>,
    images: crate::set::Images,
    files: Vec<PathBuf>,
    /// The checksum of the whole set, where this program prepared it.
    prepared: Option<String>,
}

/// Hears how many images of how many have been read, from any thread.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Reads a source.
///
/// # Errors
/// [`ImportError`], which names the file at fault and says what to do. Nothing is imported by half.
pub fn import(source: &Path, request: &Request, progress: Progress) -> Result<Imported, ImportError> {
    request.check(source)?;
    let mut notes = Vec::new();
    let mut parts = read(source, request, None, &mut notes, progress)?;
    if let Some(test) = &request.test {
        if parts.iter().any(|part| part.part == Part::Test) {
            return Err(ImportError::new(
                source,
                "has test images of its own, and another source was named for them",
                "leave one of the two out",
            ));
        }
        // Its images get the size of the others.
        let images = &parts[0].images;
        let shape = Some([images.height, images.width, images.channels]);
        parts.iter_mut().filter(|part| part.part == Part::Whole).for_each(|part| part.part = Part::Train);
        let mut own = read(test, request, shape, &mut notes, progress)?;
        own.retain(|part| [Part::Test, Part::Whole].contains(&part.part));
        own.iter_mut().for_each(|part| part.part = Part::Test);
        if own.is_empty() {
            return Err(ImportError::new(
                test,
                "has no test images",
                "name the folder or file that holds them",
            ));
        }
        parts.extend(own);
    }
    let stem = source.file_stem().map(|name| name.to_string_lossy().into_owned());
    let title = published_set(source).map(|set| set.title);
    let name = title.or(stem).unwrap_or_else(|| "images".into());
    split::assemble(source, name, parts, request, notes)
}

impl Request {
    fn check(&self, source: &Path) -> Result<(), ImportError> {
        let error = |problem: String, help: &str| Err(ImportError::new(source, problem, help));
        if !(self.test_share > 0.0 && self.test_share < 1.0) {
            return error(
                format!("cannot give {} of its images to the test", self.test_share),
                "a share is a number between 0 and 1, such as 0.2",
            );
        }
        if self.channels.is_some_and(|channels| ![1, 3].contains(&channels)) {
            return error("cannot have this number of channels".into(), "1 is grey, 3 is colour");
        }
        if self.size.is_some_and(|size| size.iter().any(|side| !(1..=MAX_SIDE).contains(side))) {
            return error(
                "cannot have images of this size".into(),
                &format!("each side may have 1 to {MAX_SIDE} pixels"),
            );
        }
        Ok(())
    }
}

/// The longest side that the images of a set may have.
const MAX_SIDE: usize = 1024;

impl Request {
    /// Height and width of the images: those that are asked for, else those that all images have, if no side is above 64,
    /// else 32 × 32, which is noted. `alike` is `None` where they differ.
    fn size_of(&self, alike: Option<[usize; 2]>, notes: &mut Vec<String>) -> [usize; 2] {
        const KEPT: usize = 64;
        const COMMON: usize = 32;
        if let Some(size) = self.size.or(alike.filter(|size| size.iter().all(|&side| side <= KEPT))) {
            return size;
        }
        let was = alike
            .map_or_else(|| "different sizes".into(), |[height, width]| format!("{height} × {width} pixels"));
        notes.push(format!(
            "The images have {was} and are read as {COMMON} × {COMMON}; another size can be asked for."
        ));
        [COMMON; 2]
    }

    /// The shape that images of these headers get: what is asked for, else what suits all of them.
    fn shape_of(
        &self,
        headers: impl FnOnce() -> Result<Vec<decode::Header>, ImportError>,
        notes: &mut Vec<String>,
    ) -> Result<[usize; 3], ImportError> {
        if let (Some([height, width]), Some(channels)) = (self.size, self.channels) {
            return Ok([height, width, channels]);
        }
        let headers = headers()?;
        let first = headers.first().map(|header| header.size);
        let alike = first.filter(|first| headers.iter().all(|header| header.size == *first));
        let [height, width] = self.size_of(alike, notes);
        let colour = headers.iter().any(|header| header.colour);
        Ok([height, width, self.channels.unwrap_or(if colour { 3 } else { 1 })])
    }
}

/// Reads all parts of a source. Images get this height, width and number of channels, where they are given, else those that
/// the request says.
fn read(
    source: &Path,
    request: &Request,
    shape: Option<[usize; 3]>,
    notes: &mut Vec<String>,
    progress: Progress,
) -> Result<Vec<Labelled>, ImportError> {
    if let Some(set) = published_set(source) {
        let parts = set.read(&request.places, notes)?;
        let request = Request { transposed: set.is_transposed() != request.transposed, ..request.clone() };
        return arrays::prepare(source, parts, &request, shape, notes);
    }
    let metadata = std::fs::metadata(source).map_err(|error| ImportError::read(source, error))?;
    let mut arrays = if metadata.is_dir() {
        match (idx::read(source)?, cifar::read(source)?) {
            (Some(parts), _) | (None, Some(parts)) => Some(parts),
            (None, None) => match csv::read_folder(source, request, notes)? {
                Some(parts) => Some(parts),
                None => parquet::read_folder(source, request, shape, notes, progress)?,
            },
        }
    } else if metadata.is_file() {
        match ending(source).as_str() {
            "npz" => Some(npz::read(source, notes)?),
            "csv" | "tsv" | "txt" => Some(vec![csv::read(source, Part::Whole, request, notes)?]),
            "parquet" => {
                let files = vec![(Part::Whole, source.to_owned())];
                Some(parquet::read(source, files, request, shape, notes, progress)?)
            }
            _ if is_archive(source) => Some(cifar::archive(source)?),
            _ => return Err(unknown(source)),
        }
    } else {
        let help = "name a folder, an .npz, a .csv or a .parquet file";
        return Err(ImportError::new(source, "is neither a file nor a folder", help));
    };
    if let Some(parts) = &mut arrays {
        published::recognise(source, parts, notes)?;
    }
    let parts = match arrays {
        Some(parts) => arrays::prepare(source, parts, request, shape, notes)?,
        None => folder::read(source, request, shape, notes, progress)?,
    };
    if parts.iter().all(|part| part.labels.is_empty()) {
        return Err(ImportError::new(source, "holds no image", HELP));
    }
    Ok(parts)
}

/// What a source may be.
const HELP: &str = "a data set is a folder with a sub-folder of images for each class, an .npz file with images and labels, a \
                    .csv file with a label and the pixels of an image in each line, a .parquet file with the bytes and the label of an \
                    image in each row, a folder of IDX files or of CIFAR's, or the name of a set such as `kmnist`";

fn unknown(source: &Path) -> ImportError {
    let kind = std::fs::File::open(source).ok().and_then(|file| {
        let mut start = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(file, crate::kind::ENOUGH as u64), &mut start)
            .ok()?;
        crate::kind::kind(&start)
    });
    ImportError::new(
        source,
        format!("is {}, and no data set", kind.unwrap_or("a file of another kind")),
        HELP,
    )
}
