//! Sets that are known by name, such as `kmnist`, `emnist-letters`, `cifar-10` and `bloodmnist`: found where their files lie, and
//! compared with the checksums that were published.

mod sets;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use super::error::ImportError;
use super::{Labelled, cifar, idx, npz, stored};
use crate::find;

/// A set with the files in which it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedSet {
    /// The name in the place of a source.
    pub name: String,
    /// The name to print.
    pub title: String,
    /// What its files are.
    form: Form,
    /// Names and MD5 checksums of the files, as they are published.
    files: Vec<(String, &'static str)>,
    /// Letters and digits of the folders that may hold them.
    folders: &'static [&'static str],
    /// Names of the classes by label, where the files do not name them.
    classes: &'static [&'static str],
    /// Where it was published.
    pub origin: &'static str,
    /// The licence that it is under.
    pub licence: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Four IDX files, compressed.
    Idx,
    /// An archive of all splits of EMNIST.
    Emnist,
    /// An archive of CIFAR's binary files.
    Cifar,
    /// Arrays of NumPy.
    Npz,
}

/// Every set, in the order in which to list them.
pub fn published() -> Vec<PublishedSet> {
    sets::all()
}

/// The set that a word in the place of a source names, if it is no path.
pub fn published_set(source: &Path) -> Option<PublishedSet> {
    let word = source.to_str()?;
    sets::all().into_iter().find(|set| set.name == word && !source.exists())
}

impl PublishedSet {
    /// The folder of these places that holds the set, as published or unpacked. Bytes are not looked at.
    pub fn locate(&self, places: &[PathBuf]) -> Option<PathBuf> {
        let folders = self.folders(places);
        let whole = folders.iter().find(|folder| self.is_whole(folder));
        whole.or_else(|| folders.iter().find(|folder| self.is_unpacked(folder))).cloned()
    }

    /// Whether its rows and columns are exchanged.
    pub(super) fn is_transposed(&self) -> bool {
        self.form == Form::Emnist
    }

    /// The folders of these places that may hold its files.
    fn folders(&self, places: &[PathBuf]) -> Vec<PathBuf> {
        let named = |place: &PathBuf| {
            let mut folders =
                find::entries(place, |name| self.folders.contains(&find::letters(name).as_str()))
                    .unwrap_or_default();
            // The files of KMNIST are called as those of MNIST.
            folders.extend((self.form != Form::Idx).then(|| place.clone()));
            folders
        };
        let inner = |folder: PathBuf| [folder.join("raw"), folder.join("gzip"), folder];
        places.iter().flat_map(named).flat_map(inner).filter(|folder| folder.is_dir()).collect()
    }

    fn is_whole(&self, folder: &Path) -> bool {
        self.files.iter().all(|(name, _)| folder.join(name).is_file())
    }

    fn is_unpacked(&self, folder: &Path) -> bool {
        match self.form {
            Form::Idx => idx::has_pairs(folder),
            Form::Emnist => self.split_files(folder).is_ok_and(|files| !files.is_empty()),
            Form::Cifar => cifar::find(folder).is_some_and(|(_, kind)| kind.title == self.title),
            Form::Npz => false,
        }
    }

    /// The files of a split of EMNIST in a folder.
    fn split_files(&self, folder: &Path) -> Result<stored::Files, ImportError> {
        let mut files = stored::folder(folder)?;
        files.retain(|name, _| self.is_of_split(name));
        Ok(files)
    }

    fn is_of_split(&self, name: &str) -> bool {
        name.strip_prefix(self.name.as_str()).is_some_and(|rest| rest.starts_with('-'))
    }

    /// Reads the set from the first of these places that holds it, and says whether its bytes are those that were published.
    pub(super) fn read(
        &self,
        places: &[PathBuf],
        notes: &mut Vec<String>,
    ) -> Result<Vec<Labelled>, ImportError> {
        let folder = self.locate(places).ok_or_else(|| self.missing(places))?;
        if self.is_whole(&folder) {
            for (name, md5) in &self.files {
                let path = folder.join(name);
                let found = checksum(&path)?;
                if found != *md5 {
                    let problem = format!(
                        "is not the file that was published of {}: its MD5 checksum is {found}, not {md5}",
                        self.title
                    );
                    let help = format!(
                        "fetch it again ({}), or name the file or folder itself, to read it as it is",
                        self.origin
                    );
                    return Err(ImportError::new(&path, problem, help));
                }
            }
            notes.push(self.told());
        } else {
            notes.push(format!(
                "No checksum was published for the unpacked files of {}, so they are taken as they are.",
                self.title
            ));
        }
        let first = folder.join(&self.files[0].0);
        let mut parts = match self.form {
            Form::Idx => idx::read(&folder)?.unwrap_or_default(),
            Form::Emnist if first.is_file() => {
                idx::parts(&stored::zip(&first, "ZIP", |name| self.is_of_split(name), "fetch it again")?)?
            }
            Form::Emnist => idx::parts(&self.split_files(&folder)?)?,
            Form::Cifar if first.is_file() => cifar::archive(&first)?,
            Form::Cifar => cifar::read(&folder)?.unwrap_or_default(),
            Form::Npz => npz::read(&first, notes)?,
        };
        self.name_classes(&mut parts);
        Ok(parts)
    }

    fn told(&self) -> String {
        let (title, licence, origin) = (&self.title, self.licence, self.origin);
        format!("These are the files of {title} as published (MD5 checksums; licence: {licence}; {origin}).")
    }

    fn missing(&self, places: &[PathBuf]) -> ImportError {
        let looked: Vec<String> = places.iter().map(|place| format!("`{}`", place.display())).collect();
        let files: Vec<&str> = self.files.iter().map(|(name, _)| name.as_str()).collect();
        let problem = format!("({}) lies in none of these folders: {}", self.title, looked.join(", "));
        let help = format!(
            "fetch {} from {} into `data/{}`, or name the folder that holds the files",
            files.join(", "),
            self.origin,
            self.folders[0]
        );
        ImportError::new(Path::new(&self.name), problem, help)
    }

    /// Gives labels that are numbers the names of their classes.
    fn name_classes(&self, parts: &mut [Labelled]) {
        for name in parts.iter_mut().flat_map(|part| &mut part.names) {
            if let Some(class) = name.parse().ok().and_then(|label: usize| self.classes.get(label)) {
                (*class).clone_into(name);
            }
        }
    }
}

/// Gives the classes of a source that a person named by its path their names, where its files are those of a set as published,
/// and notes it.
pub(super) fn recognise(
    source: &Path,
    parts: &mut [Labelled],
    notes: &mut Vec<String>,
) -> Result<(), ImportError> {
    let file = source.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    for set in sets::all() {
        let folders = if source.is_dir() {
            vec![source.to_owned(), source.join("raw")]
        } else if set.files.iter().any(|(name, _)| name == file) {
            vec![source.parent().unwrap_or(Path::new("")).to_owned()]
        } else {
            continue;
        };
        // A folder of archives is no source by itself.
        if source.is_dir() && set.form != Form::Idx {
            continue;
        }
        for folder in folders.iter().filter(|folder| set.is_whole(folder)) {
            let mut same = true;
            for (name, md5) in &set.files {
                same = same && checksum(&folder.join(name))? == *md5;
            }
            if same {
                notes.push(set.told());
                set.name_classes(parts);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The MD5 of a file's bytes, in lower-case hexadecimal.
fn checksum(path: &Path) -> Result<String, ImportError> {
    let read = || -> io::Result<String> {
        let (mut file, mut hasher, mut buffer) = (File::open(path)?, Md5::new(), vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                length => hasher.update(&buffer[..length]),
            }
        }
        Ok(hasher.finalize().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a text takes everything");
            text
        }))
    };
    read().map_err(|error| ImportError::read(path, error))
}
