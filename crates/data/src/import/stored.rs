//! Files of a set where they lie: each by itself in a folder, or together in an archive as it was published.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::{DeflateDecoder, GzDecoder};
use rawzip::{CompressionMethod, ZipArchive};

use super::error::ImportError;

/// The most bytes of an archive of the ZIP format, and of a member of any archive.
const MAX_BYTES: u64 = 16 << 30;

/// A file, or a member of an archive that was read from it.
#[derive(Debug)]
pub(super) struct Stored {
    /// Where it lies; a member is called as if its archive were a folder.
    pub(super) path: PathBuf,
    member: Option<Vec<u8>>,
}

impl Stored {
    pub(super) fn file(path: PathBuf) -> Stored {
        Stored { path, member: None }
    }

    /// Its bytes, to be read from the beginning.
    pub(super) fn open(&self) -> Result<Box<dyn BufRead + '_>, ImportError> {
        match &self.member {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes))),
            None => match File::open(&self.path) {
                Ok(file) => Ok(Box::new(BufReader::new(file))),
                Err(error) => Err(ImportError::read(&self.path, error)),
            },
        }
    }

    /// Its bytes, where it was read from an archive.
    pub(super) fn into_bytes(self) -> Option<Vec<u8>> {
        self.member
    }

    /// Its text.
    pub(super) fn text(&self) -> Result<String, ImportError> {
        let mut text = String::new();
        self.open()?.read_to_string(&mut text).map_err(|error| ImportError::read(&self.path, error))?;
        Ok(text)
    }
}

/// Files by their names, without the folders that an archive has them in.
pub(super) type Files = BTreeMap<String, Stored>;

/// The files that lie in a folder; none where there is no such folder.
pub(super) fn folder(folder: &Path) -> Result<Files, ImportError> {
    let mut files = Files::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder).map_err(|error| ImportError::read(folder, error))? {
        let entry = entry.map_err(|error| ImportError::read(folder, error))?;
        if let (Some(name), true) = (entry.file_name().to_str(), entry.path().is_file()) {
            files.insert(name.to_owned(), Stored::file(entry.path()));
        }
    }
    Ok(files)
}

/// The last part of a member's path.
fn base(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// The members whose names are asked for of a ZIP archive of some kind; `help` says what to do where it is none.
pub(super) fn zip(
    path: &Path,
    kind: &str,
    asked: impl Fn(&str) -> bool,
    help: &str,
) -> Result<Files, ImportError> {
    let unfit = |problem: String| ImportError::new(path, problem, help);
    let unsound = |error| unfit(format!("is no sound {kind} archive: {error}"));
    let io = |error| ImportError::read(path, error);
    if fs::metadata(path).map_err(io)?.len() > MAX_BYTES {
        return Err(ImportError::new(path, "is larger than 16 GiB", "split it"));
    }
    let bytes = fs::read(path).map_err(io)?;
    let archive = ZipArchive::from_slice(&bytes).map_err(unsound)?;
    let mut files = Files::new();
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(unsound)? {
        let name = base(&String::from_utf8_lossy(entry.file_path().as_ref()));
        if !asked(&name) {
            continue;
        }
        let (method, said) = (entry.compression_method(), entry.uncompressed_size_hint());
        if said > MAX_BYTES {
            return Err(unfit(format!("has `{name}`, of more than 16 GiB")));
        }
        let found = archive.get_entry(entry.wayfinder()).map_err(unsound)?;
        let mut member = Vec::new();
        // One byte more shows that there is more than was said.
        let read = match method {
            CompressionMethod::STORE => {
                found.verifying_reader(found.data()).take(said + 1).read_to_end(&mut member)
            }
            CompressionMethod::DEFLATE => {
                let inflated = DeflateDecoder::new(found.data());
                found.verifying_reader(inflated).take(said + 1).read_to_end(&mut member)
            }
            _ => return Err(unfit(format!("has `{name}`, packed in a way that is not read"))),
        };
        read.map_err(|error| unfit(format!("has `{name}`, which is damaged: {error}")))?;
        if member.len() as u64 != said {
            return Err(unfit(format!("has `{name}`, of another size than the archive says")));
        }
        keep(path, &mut files, name, member, help)?;
    }
    Ok(files)
}

/// The members of a gzip-compressed tar archive whose names are asked for; `help` says what to do where it is none.
pub(super) fn tar(path: &Path, asked: impl Fn(&str) -> bool, help: &str) -> Result<Files, ImportError> {
    let unsound =
        |error: std::io::Error| ImportError::new(path, format!("is no sound .tar.gz archive: {error}"), help);
    let file = File::open(path).map_err(|error| ImportError::read(path, error))?;
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    let mut files = Files::new();
    for entry in archive.entries().map_err(unsound)? {
        let entry = entry.map_err(unsound)?;
        let name = base(&String::from_utf8_lossy(&entry.path_bytes()));
        if !entry.header().entry_type().is_file() || !asked(&name) {
            continue;
        }
        let mut member = Vec::new();
        entry.take(MAX_BYTES + 1).read_to_end(&mut member).map_err(unsound)?;
        if member.len() as u64 > MAX_BYTES {
            return Err(ImportError::new(path, format!("has `{name}`, of more than 16 GiB"), help));
        }
        keep(path, &mut files, name, member, help)?;
    }
    Ok(files)
}

fn keep(
    archive: &Path,
    files: &mut Files,
    name: String,
    member: Vec<u8>,
    help: &str,
) -> Result<(), ImportError> {
    let stored = Stored { path: archive.join(&name), member: Some(member) };
    if files.insert(name.clone(), stored).is_some() {
        return Err(ImportError::new(archive, format!("has two files `{name}`"), help));
    }
    Ok(())
}
