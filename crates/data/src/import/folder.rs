//! A folder with a sub-folder of images for each class, with or without folders for its parts above them.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::cache::{Kept, Place};
use super::decode;
use super::error::ImportError;
use super::{Labelled, Part, Progress, Request};
use crate::set::Images;

/// The most files of a set, and how deep its folders may go.
pub(super) const MAX_FILES: usize = 2_000_000;
const MAX_DEPTH: usize = 8;
/// The most bytes of all images together.
pub(super) const MAX_TOTAL: usize = 32 << 30;

/// A file of a class.
struct Entry {
    path: PathBuf,
    part: Part,
    class: usize,
}

impl Entry {
    /// Its path, and what else decides what becomes of it.
    fn fact(&self) -> (&Path, String) {
        (&self.path, format!("{} {}", self.part.name(), self.class))
    }
}

/// What lies in a source folder.
struct Listing {
    root: PathBuf,
    classes: Vec<String>,
    files: Vec<Entry>,
    /// Files that are no images by their names.
    others: Vec<PathBuf>,
}

/// Reads the images of a folder.
pub(super) fn read(
    source: &Path,
    request: &Request,
    shape: Option<[usize; 3]>,
    notes: &mut Vec<String>,
    progress: Progress,
) -> Result<Vec<Labelled>, ImportError> {
    let listing = list(source)?;
    if let Some(other) = listing.others.first() {
        let more = listing.others.len() - 1;
        let which =
            if more == 0 { "is no image".to_owned() } else { format!("and {more} more are no images") };
        notes.push(format!("`{}` {which} by the name, and left out.", other.display()));
    }
    note_alike(&listing, notes);
    let place = Place::of((source, &listing.root), &listing.files, Entry::fact, request, shape);
    let Listing { classes, files, .. } = listing;
    let count = files.len();
    let parts = by_part(files);
    if let Some((shape, pixels)) = place.as_ref().and_then(|place| kept(place, &parts, notes)) {
        let all = parts.into_iter().zip(pixels);
        return Ok(all.map(|(part, pixels)| labelled(part, &classes, shape, pixels)).collect());
    }
    let mut said = Vec::new();
    let shape = match shape {
        Some(shape) => shape,
        None => {
            let all: Vec<&Entry> = parts.values().flatten().collect();
            let headers = || all.par_iter().map(|entry| decode::header(&entry.path)).collect();
            request.shape_of(headers, &mut said)?
        }
    };
    notes.extend(said.iter().cloned());
    if count * shape.iter().product::<usize>() > MAX_TOTAL {
        let problem = format!("has {count} images, which take more than 32 GiB");
        return Err(ImportError::new(source, problem, "read it with a smaller size"));
    }
    let done = AtomicUsize::new(0);
    let read = |(part, entries): (Part, Vec<Entry>)| {
        let dim = shape.iter().product::<usize>();
        let mut pixels = vec![0; entries.len() * dim];
        pixels.par_chunks_exact_mut(dim).zip(&entries).try_for_each(|(place, entry)| {
            place.copy_from_slice(&decode::pixels(&entry.path, shape, request.fit)?);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(done, count);
            Ok(())
        })?;
        Ok(labelled((part, entries), &classes, shape, pixels))
    };
    let parts: Vec<Labelled> = parts.into_iter().map(read).collect::<Result<_, _>>()?;
    if let Some(place) = place {
        let pixels: Vec<&[u8]> = parts.iter().map(|part| part.images.pixels.as_slice()).collect();
        place.write(shape, &said, &pixels);
    }
    Ok(parts)
}

/// The files of each part.
fn by_part(files: Vec<Entry>) -> BTreeMap<Part, Vec<Entry>> {
    let mut parts: BTreeMap<Part, Vec<Entry>> = BTreeMap::new();
    for entry in files {
        parts.entry(entry.part).or_default().push(entry);
    }
    parts
}

fn labelled(
    (part, entries): (Part, Vec<Entry>),
    classes: &[String],
    [height, width, channels]: [usize; 3],
    pixels: Vec<u8>,
) -> Labelled {
    Labelled {
        part,
        names: classes.to_vec(),
        labels: entries.iter().map(|entry| entry.class).collect(),
        images: Images { count: entries.len(), height, width, channels, pixels },
        files: entries.into_iter().map(|entry| entry.path).collect(),
        prepared: None,
    }
}

/// The shape and the images of each part as an earlier command left them.
fn kept(
    place: &Place,
    parts: &BTreeMap<Part, Vec<Entry>>,
    notes: &mut Vec<String>,
) -> Option<([usize; 3], Vec<Vec<u8>>)> {
    let counts: Vec<usize> = parts.values().map(Vec::len).collect();
    let Kept { shape, notes: said, parts: pixels } = place.read(&counts)?;
    notes.extend(said);
    Some((shape, pixels))
}

/// Whether a folder has folders of classes, of which the first holds an image.
pub(super) fn has_images(folder: &Path) -> bool {
    list(folder).is_ok_and(|found| found.files.first().is_some_and(|file| decode::header(&file.path).is_ok()))
}

/// Says that some files have one name on systems that do not tell cases apart.
fn note_alike(listing: &Listing, notes: &mut Vec<String>) {
    let inside = |number: u32| {
        let path = &listing.files[number as usize].path;
        path.strip_prefix(&listing.root).unwrap_or(path)
    };
    let lower = |number: u32| inside(number).to_string_lossy().to_lowercase();
    // Names are long and mostly differ: what is kept of each is a number by which equal ones are found.
    let hashed = |number: u32| {
        let mut hasher = DefaultHasher::new();
        lower(number).hash(&mut hasher);
        (hasher.finish(), number)
    };
    let mut hashes: Vec<(u64, u32)> = (0..listing.files.len() as u32).into_par_iter().map(hashed).collect();
    hashes.sort_unstable();
    let alike =
        hashes.windows(2).filter(|pair| pair[0].0 == pair[1].0 && lower(pair[0].1) == lower(pair[1].1));
    if let Some(pair) = alike.min_by_key(|pair| pair[1].1) {
        notes.push(format!(
            "`{}` and `{}` differ by case alone: some systems take them for one file.",
            inside(pair[0].1).display(),
            inside(pair[1].1).display()
        ));
    }
}

/// Lists the files of each class.
fn list(source: &Path) -> Result<Listing, ImportError> {
    let root = fs::canonicalize(source).map_err(|error| ImportError::read(source, error))?;
    let folders = sub_folders(source)?;
    let mut listing = Listing { root, classes: Vec::new(), files: Vec::new(), others: Vec::new() };
    let parts: Vec<(Option<Part>, &(String, PathBuf))> =
        folders.iter().map(|folder| (Part::named(&folder.0), folder)).collect();
    // A class may be called `test`: folders are parts where there is one to train on and nothing but parts.
    let has_train = parts.iter().any(|(part, _)| *part == Some(Part::Train));
    if has_train && parts.iter().all(|(part, _)| part.is_some()) {
        for (part, (_, folder)) in parts {
            let classes = sub_folders(folder)?;
            if classes.is_empty() {
                return Err(no_classes(folder));
            }
            for class in &classes {
                listing.add(part.unwrap_or(Part::Whole), class)?;
            }
        }
    } else {
        for class in &folders {
            listing.add(Part::Whole, class)?;
        }
    }
    if listing.classes.is_empty() {
        return Err(no_classes(source));
    }
    Ok(listing)
}

fn no_classes(folder: &Path) -> ImportError {
    ImportError::new(folder, "has no sub-folder, and so no class", super::HELP)
}

/// The folders in a folder that are no program's own, by their names.
fn sub_folders(folder: &Path) -> Result<Vec<(String, PathBuf)>, ImportError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| ImportError::read(folder, error))? {
        let entry = entry.map_err(|error| ImportError::read(folder, error))?;
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            let problem = "has a name that is not UTF-8, and so no name for a class";
            return Err(ImportError::new(&path, problem, "rename it"));
        };
        if path.is_dir() && !is_a_programs_own(&name) {
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file or folder is one that systems and programs leave.
pub(super) fn is_a_programs_own(name: &str) -> bool {
    name.starts_with('.')
        || ["__macosx", "thumbs.db", "desktop.ini", "$recycle.bin"].contains(&name.to_lowercase().as_str())
}

impl Listing {
    fn add(&mut self, part: Part, (name, folder): &(String, PathBuf)) -> Result<(), ImportError> {
        let class = match self.classes.iter().position(|class| class == name) {
            Some(class) => class,
            None => {
                self.classes.push(name.clone());
                self.classes.len() - 1
            }
        };
        let before = self.files.len();
        self.add_files(folder, (part, class), 0)?;
        if self.files.len() == before {
            let help = "put the images of the class into it, or take the folder away";
            return Err(ImportError::new(folder, "is the folder of a class and holds no image", help));
        }
        Ok(())
    }

    fn add_files(&mut self, folder: &Path, of: (Part, usize), depth: usize) -> Result<(), ImportError> {
        if depth > MAX_DEPTH {
            let problem = format!("lies more than {MAX_DEPTH} folders deep");
            return Err(ImportError::new(folder, problem, "put the images of a class into its folder"));
        }
        let read = |error| ImportError::read(folder, error);
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(read)? {
            let entry = entry.map_err(read)?;
            // Of most file systems the folder says it, so that no file has to be asked.
            paths.push((entry.path(), entry.file_type().map_err(read)?));
        }
        paths.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, kind) in paths {
            if is_a_programs_own(&path.file_name().unwrap_or_default().to_string_lossy()) {
                continue;
            }
            if kind.is_symlink() {
                self.refuse_link_out(&path)?;
            }
            if kind.is_dir() || (kind.is_symlink() && path.is_dir()) {
                self.add_files(&path, of, depth + 1)?;
            } else if is_no_image(&path) {
                self.others.push(path);
            } else {
                self.files.push(Entry { path, part: of.0, class: of.1 });
            }
            if self.files.len() > MAX_FILES {
                let problem = format!("has more than {MAX_FILES} files");
                return Err(ImportError::new(&self.root, problem, "split the set into several"));
            }
        }
        Ok(())
    }

    /// Refuses a link that leads out of the folder.
    fn refuse_link_out(&self, path: &Path) -> Result<(), ImportError> {
        let target = fs::canonicalize(path).map_err(|error| ImportError::read(path, error))?;
        if target.starts_with(&self.root) {
            return Ok(());
        }
        let problem = format!("is a link out of the folder, to `{}`", target.display());
        Err(ImportError::new(path, problem, "copy the file into the folder, or take the link away"))
    }
}

/// Whether a file says by its ending that it is no image. What it really is, its bytes say.
fn is_no_image(path: &Path) -> bool {
    const OTHERS: [&str; 14] =
        ["txt", "md", "csv", "tsv", "json", "xml", "yaml", "yml", "html", "pdf", "py", "zip", "npy", "log"];
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_lowercase();
    OTHERS.contains(&ending.as_str())
}
