//! Where a set is looked for, and how its four files become samples.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, choose_base_strategy};

use crate::catalogue::{self, SetFile, SetInfo};
use crate::error::DataError;
use crate::fetch::{self, FetchEvent, Policy};
use crate::find;
use crate::idx::{self, Elements, IdxError};
use crate::import::Imported;
use crate::kind::kind;
use crate::set::{DataSet, Images, Samples};
use crate::sha256_hex;

/// The places where sets are looked for.
pub struct Sources<'a> {
    /// A folder that a person named: with it, no other place counts. It holds a set in `NAME/` or directly.
    pub given: Option<PathBuf>,
    /// Folders that hold sets in `NAME/`, in the order in which they are searched.
    pub folders: Vec<PathBuf>,
    /// The folder that fetched sets are kept in, in `NAME/`; none where the user has no home folder.
    pub cache: Option<PathBuf>,
    /// Sets of a person's own that were read already, by the name that a study gives them; each is taken once.
    pub ready: RefCell<BTreeMap<String, Imported>>,
    /// How patiently to fetch.
    pub policy: Policy,
    /// Hears how fetching goes.
    pub progress: &'a dyn Fn(FetchEvent),
    /// Asked now and then while sets are fetched: whether to stop.
    pub interrupted: &'a dyn Fn() -> bool,
}

impl Sources<'_> {
    /// The folder named with `--data`, if any; else `data/` of the working directory, `data/` of the project
    /// that the program was built in if it is still there, and the user's cache, which `INKLING_CACHE`
    /// overrides.
    pub fn new(given: Option<PathBuf>) -> Self {
        Self {
            given,
            folders: folders(),
            cache: cache_folder(),
            ready: RefCell::default(),
            policy: Policy::default(),
            progress: &|_| {},
            interrupted: &|| false,
        }
    }

    /// The folder on disk that holds all of a set's files, if there is one. Their bytes are not looked at.
    ///
    /// # Errors
    /// [`DataError::Missing`] if a folder was given and it does not hold the set.
    pub fn locate(&self, info: &SetInfo) -> Result<Option<PathBuf>, DataError> {
        let whole = |folder: &PathBuf| find::missing(info, folder).is_empty();
        let Some(given) = &self.given else {
            return Ok(self.named(info).find(whole));
        };
        let (named, direct) = (find::folders_of(info, given), direct(given));
        if let Some(folder) = named.iter().find(|folder| whole(folder)) {
            return Ok(Some(folder.clone()));
        }
        // A part of the set in a folder of its name is what a person means, whatever lies beside that folder.
        let begun = named.iter().any(|folder| find::begun(info, folder));
        match direct.iter().find(|folder| !begun && whole(folder)) {
            Some(folder) => Ok(Some(folder.clone())),
            None => Err(self.missing(info, named.iter().chain(&direct))),
        }
    }

    /// As [`locate`](Self::locate), for a person who names no set: where nothing lies under a set's name, or only another
    /// set's files under names that both use, nothing of it is there. To tell, the files are read.
    ///
    /// # Errors
    /// [`DataError::NoFolder`] if a folder was given and is none; [`DataError::Missing`] if a part of the set is there.
    pub fn survey(&self, info: &SetInfo) -> Result<Option<Found>, DataError> {
        let found = |folder: PathBuf| Found { holds: owner(info, &folder), folder };
        let begun = |folder: &PathBuf| find::begun(info, folder);
        let Some(given) = &self.given else {
            return match self.locate(info)? {
                Some(folder) => Ok(Some(found(folder))),
                None if self.named(info).any(|folder| begun(&folder)) => {
                    Err(self.missing(info, &self.named(info).filter(begun).collect::<Vec<_>>()))
                }
                None => Ok(None),
            };
        };
        std::fs::read_dir(given).map_err(|source| DataError::NoFolder { folder: given.clone(), source })?;
        let meant = find::is_named(info, given);
        let anothers =
            |folder: &PathBuf| !meant && direct(given).contains(folder) && owner(info, folder).is_some();
        match self.locate(info) {
            Ok(Some(folder)) if anothers(&folder) => Ok(None),
            Ok(folder) => Ok(folder.map(found)),
            Err(error) => {
                let candidates = find::folders_of(info, given).into_iter().chain(direct(given));
                let part = candidates.filter(begun).any(|folder| !anothers(&folder));
                if part { Err(error) } else { Ok(None) }
            }
        }
    }

    /// The folders of the usual places that may hold a set.
    fn named(&self, info: &SetInfo) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().chain(&self.cache).flat_map(|place| find::folders_of(info, place))
    }

    /// The error for a person whose folder, or whose disk, holds no set at all.
    pub fn none(&self) -> DataError {
        let known = |last: &str| catalogue::SETS.each_ref().map(|set| set.name).join(last);
        match &self.given {
            Some(folder) => {
                let looked = vec![find::looked(&catalogue::SETS[0], folder)];
                DataError::NoSet { folder: folder.clone(), known: known(" or "), looked }
            }
            None => DataError::NotOnDisk { names: known(" or "), name: catalogue::SETS[0].name },
        }
    }

    /// The error for a set that is in none of these folders.
    fn missing<'a>(
        &self,
        info: &SetInfo,
        candidates: impl IntoIterator<Item = &'a PathBuf, IntoIter: Clone>,
    ) -> DataError {
        let candidates = candidates.into_iter();
        // The folder that was meant is the first that holds a part of the set, else the one that lacks least.
        let lacks = |folder: &PathBuf| find::missing(info, folder);
        let meant = candidates.clone().find(|folder| find::begun(info, folder)).map(lacks);
        let files = meant.or_else(|| candidates.clone().map(lacks).min_by_key(Vec::len)).unwrap_or_default();
        // Of the folders of other programs only those that are there are worth a line.
        let own = |folder: &&PathBuf| {
            folder.is_dir()
                || self
                    .given
                    .as_ref()
                    .is_some_and(|given| **folder == *given || **folder == given.join(info.name))
        };
        let looked = candidates.filter(own).map(|folder| find::looked(info, folder)).collect();
        DataError::Missing { title: info.title, files, looked }
    }

    /// Fetches into the cache those files of a set that are not there already, whole and right. Returns the
    /// folder that holds them.
    ///
    /// # Errors
    /// [`DataError::NoCache`], and those of [`fetch::fetch`].
    pub fn fetch(&self, info: &SetInfo) -> Result<PathBuf, DataError> {
        let folder = self.cache.as_ref().ok_or(DataError::NoCache { title: info.title })?.join(info.name);
        fetch::fetch(info, &folder, &self.policy, self.progress, self.interrupted)?;
        Ok(folder)
    }

    /// Loads a set from the first place that holds it, fetching it where none does.
    ///
    /// Every file's checksum is compared with the catalogue's. A damaged file in the cache, which nobody put
    /// there by hand, is fetched again; anywhere else it is an error.
    ///
    /// # Errors
    /// [`DataError`]: the set cannot be found or fetched, or its bytes are not what they should be.
    pub fn load(&self, info: &'static SetInfo) -> Result<DataSet, DataError> {
        let Some(folder) = self.locate(info)? else {
            return read_folder(info, &self.fetch(info)?);
        };
        let cached =
            self.given.is_none() && self.cache.as_ref().is_some_and(|cache| folder == cache.join(info.name));
        match read_folder(info, &folder) {
            Err(error) if cached && !error.is_io() => read_folder(info, &self.fetch(info)?),
            result => result,
        }
    }
}

/// A folder that holds files under all names of a set's.
pub struct Found {
    /// The folder.
    pub folder: PathBuf,
    /// The other set whose files they really are, where one of them is.
    pub holds: Option<&'static SetInfo>,
}

/// The folders that hold a set directly, where a person names one.
fn direct(given: &Path) -> [PathBuf; 2] {
    [given.to_owned(), given.join("raw")]
}

/// The other set to which one of the files belongs that a folder holds under this set's names. The smallest are read first.
fn owner(info: &SetInfo, folder: &Path) -> Option<&'static SetInfo> {
    let mut files: Vec<&SetFile> = info.files.iter().collect();
    files.sort_by_key(|file| file.bytes);
    files.into_iter().find_map(|file| {
        let opened = File::open(find::on_disk(folder, file.name)?).ok()?;
        let bytes = idx::content(BufReader::new(opened), file.bytes).ok()?;
        let (owner, _) = catalogue::owner(&sha256_hex(&bytes))?;
        (owner.name != info.name).then_some(owner)
    })
}

/// The folders that hold sets in `NAME/`: `data/` of the working directory, and of the project that the program was built in if
/// it is still there.
fn folders() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("data")];
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(|root| root.join("data"));
    folders.extend(project.filter(|folder| folder.is_dir()));
    folders
}

/// The folders in which sets are looked for by their names: those of the working directory and of the project, the user's cache,
/// and the folder into which the Python package of MedMNIST fetches.
pub fn usual_places() -> Vec<PathBuf> {
    let mut places = folders();
    places.extend(cache_folder());
    places.extend(choose_base_strategy().ok().map(|user| user.home_dir().join(".medmnist")));
    places
}

/// The folder for fetched sets and prepared images: what `INKLING_CACHE` says, or `inkling` in the user's cache folder; none where
/// the user has no home folder.
pub fn cache_folder() -> Option<PathBuf> {
    chosen_cache(std::env::var_os("INKLING_CACHE"))
}

fn chosen_cache(chosen: Option<OsString>) -> Option<PathBuf> {
    match chosen {
        Some(folder) if !folder.is_empty() => Some(PathBuf::from(folder)),
        _ => choose_base_strategy().ok().map(|user| user.cache_dir().join("inkling")),
    }
}

/// Loads the set called `name`; see [`Sources::load`].
///
/// # Errors
/// [`DataError`]: the name is unknown, the set cannot be found or fetched, or its bytes are not what they
/// should be.
pub fn load(name: &str, sources: &Sources) -> Result<DataSet, DataError> {
    sources.load(catalogue::find(name)?)
}

/// Reads a set from the folder that holds its four files, raw or gzip-compressed, and checks every byte of
/// it.
///
/// # Errors
/// [`DataError`]: a file is missing or unreadable, is another set's, is not sound IDX, does not fit the
/// others, or does not have the catalogue's checksum; the first of these that is true.
pub fn read_folder(info: &'static SetInfo, folder: &Path) -> Result<DataSet, DataError> {
    let [train_images, train_labels, test_images, test_labels] = &info.files;
    let read = |images, labels| -> Result<[Content; 2], DataError> {
        let (images, labels) =
            rayon::join(|| Content::read(info, images, folder), || Content::read(info, labels, folder));
        Ok([images?, labels?])
    };
    let (train, test) = rayon::join(|| read(train_images, train_labels), || read(test_images, test_labels));
    let (train, test) = (train?, test?);
    for content in train.iter().chain(&test) {
        content.refuse_other_set(info)?;
    }
    // The structure is judged before the checksum because it says more: "label 3 is 12", not "some byte
    // differs".
    let wrong_bytes = train.iter().chain(&test).find_map(|content| content.wrong_bytes(info));
    let (train, test) = (to_samples(info, train)?, to_samples(info, test)?);
    match wrong_bytes {
        Some(error) => Err(error),
        None => Ok(DataSet { about: info.into(), train, test, validation: None, checksum: info.checksum() }),
    }
}

/// The paths of a set's files in the folder that holds them, each with `.gz` or as it is. Their bytes are not looked at.
///
/// # Errors
/// [`DataError::Missing`] if one of them is not there.
pub fn set_files(info: &SetInfo, folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    info.files.iter().map(|file| path_of(info, file, folder)).collect()
}

fn path_of(info: &SetInfo, file: &SetFile, folder: &Path) -> Result<PathBuf, DataError> {
    find::on_disk(folder, file.name).ok_or_else(|| DataError::Missing {
        title: info.title,
        files: vec![file.name],
        looked: vec![find::looked(info, folder)],
    })
}

/// What one file of a set holds, uncompressed.
struct Content {
    file: &'static SetFile,
    path: PathBuf,
    bytes: Vec<u8>,
    sha256: String,
}

impl Content {
    fn read(info: &SetInfo, file: &'static SetFile, folder: &Path) -> Result<Self, DataError> {
        let path = path_of(info, file, folder)?;
        let bytes = File::open(&path)
            .map_err(IdxError::Io)
            .and_then(|opened| idx::content(BufReader::new(opened), file.bytes))
            .map_err(|problem| unreadable(info, file, &path, problem))?;
        let sha256 = sha256_hex(&bytes);
        Ok(Self { file, path, bytes, sha256 })
    }

    /// An error if these are, byte for byte, the contents of another file of the catalogue.
    fn refuse_other_set(&self, info: &SetInfo) -> Result<(), DataError> {
        match catalogue::owner(&self.sha256) {
            Some((found, found_file)) if self.sha256 != self.file.sha256 => Err(DataError::WrongSet {
                path: self.path.clone(),
                title: info.title,
                file: self.file.name,
                found_title: found.title,
                found_file: found_file.name,
            }),
            _ => Ok(()),
        }
    }

    fn wrong_bytes(&self, info: &SetInfo) -> Option<DataError> {
        if self.sha256 == self.file.sha256 {
            return None;
        }
        let (path, title, file) = (self.path.clone(), info.title, self.file.name);
        Some(if self.bytes.len() as u64 == self.file.bytes {
            let (expected, found) = (self.file.sha256, self.sha256.clone());
            DataError::WrongBytes { path, title, name: info.name, file, expected, found }
        } else {
            other_set(info, self.file, path, &self.bytes)
        })
    }

    /// The content as an array of `u8` in so many dimensions.
    fn parse<const DIMENSIONS: usize>(
        self,
        info: &SetInfo,
    ) -> Result<([usize; DIMENSIONS], Vec<u8>), DataError> {
        let array = match idx::parse(self.bytes) {
            Ok(array) => array,
            Err(problem) => return Err(not_idx(info, self.path, problem)),
        };
        match (<[usize; DIMENSIONS]>::try_from(array.shape.as_slice()), array.elements) {
            (Ok(shape), Elements::U8(elements)) => Ok((shape, elements)),
            (_, elements) => Err(DataError::Array {
                path: self.path,
                expected: format!("u8 in {DIMENSIONS} dimension{}", if DIMENSIONS == 1 { "" } else { "s" }),
                found: format!("{} of shape {:?}", elements.type_name(), array.shape),
            }),
        }
    }
}

/// The error for a file whose content cannot be had.
fn unreadable(info: &SetInfo, file: &'static SetFile, path: &Path, problem: IdxError) -> DataError {
    let path = path.to_owned();
    match problem {
        IdxError::Io(source) => DataError::Read { path, source },
        // What is too long for this set may be sound all the same.
        IdxError::TooLong { limit, start } => match (idx::announced(&start), kind(&start)) {
            // What says that it is the set's own has something after it.
            (Some((shape, _)), _) if find::array(&shape) != find::array(&shape_of(info, file)) => {
                other_set(info, file, path, &start)
            }
            (Some(_), _) => not_idx(info, path, IdxError::TooLong { limit, start }),
            (None, Some(kind)) => not_idx(info, path, IdxError::OtherKind(kind)),
            (None, None) => not_idx(info, path, IdxError::TooLong { limit, start }),
        },
        problem => not_idx(info, path, problem),
    }
}

fn not_idx(info: &SetInfo, path: PathBuf, problem: IdxError) -> DataError {
    DataError::Idx { path, name: info.name, problem }
}

/// The error for an IDX file that is another set's, or a part of this one; `start` is what it begins with.
fn other_set(info: &SetInfo, file: &'static SetFile, path: PathBuf, start: &[u8]) -> DataError {
    let expected = find::array(&shape_of(info, file));
    let found = idx::announced(start).map_or_else(|| "no array".to_owned(), |(shape, _)| find::array(&shape));
    DataError::OtherSet { path, title: info.title, name: info.name, file: file.name, expected, found }
}

/// The shape of the array in one of a set's files.
fn shape_of(info: &SetInfo, file: &SetFile) -> Vec<usize> {
    let [height, width, channels] = info.shape;
    let place = info.files.iter().position(|known| known.name == file.name).expect("a file of the set");
    let count = if place < 2 { info.train_count } else { info.test_count };
    if place % 2 == 0 { vec![count, height, width * channels] } else { vec![count] }
}

/// The samples in a pair of files, which must fit each other and the set's shape and classes.
fn to_samples(info: &SetInfo, [images, labels]: [Content; 2]) -> Result<Samples, DataError> {
    let (images_path, labels_path) = (images.path.clone(), labels.path.clone());
    let ([count, rows, columns], pixels) = images.parse(info)?;
    let ([label_count], labels) = labels.parse(info)?;

    let [height, width, channels] = info.shape;
    if [rows, columns] != [height, width * channels] {
        return Err(DataError::Array {
            path: images_path,
            expected: format!("images of {height}×{width}"),
            found: format!("images of {rows}×{columns}"),
        });
    }
    if count != label_count {
        return Err(DataError::Counts { images_path, images: count, labels_path, labels: label_count });
    }
    let classes = info.classes.len();
    if let Some(index) = labels.iter().position(|&label| usize::from(label) >= classes) {
        return Err(DataError::Label { path: labels_path, index, label: labels[index], classes });
    }
    Ok(Samples { images: Images { count, height, width, channels, pixels }, labels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_folder_can_be_chosen() {
        assert_eq!(chosen_cache(Some("/elsewhere".into())), Some(PathBuf::from("/elsewhere")));
        assert_eq!(chosen_cache(Some(OsString::new())), chosen_cache(None));
    }
}
