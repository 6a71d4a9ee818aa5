//! Prepared images of a folder, kept from one command to the next: reading them back takes a hundredth of the time that decoding
//! takes. What was kept counts only where nothing that it depends on has changed, and its checksum is right.

use std::fs::{self, File, Metadata};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use inkling_files::atomic::{self, WriteError};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Fit, Request};

/// Changes with what decoding makes of a file.
const FORMAT: u32 = 1;
/// Files below which decoding takes no longer than it is worth.
const FEW: usize = 2000;
/// Bytes that all kept sets may take together; those that were used longest ago go first.
const MOST: u64 = 4 << 30;
/// A file that was changed just now may be changed again within the same tick of the system's clock.
const SETTLED: Duration = Duration::from_secs(2);
/// Files that are asked for their times at once.
const ASKED: usize = 4096;
/// The longest line that says what a file holds.
const LONGEST: u64 = 1 << 20;

/// Where the images of a folder are kept, as that folder is now.
pub(super) struct Place {
    folder: PathBuf,
    file: PathBuf,
    /// Whether nothing in the folder was changed in the last moments.
    settled: bool,
}

/// What is kept of a folder.
#[derive(Debug, PartialEq)]
pub(super) struct Kept {
    /// Height, width and channels.
    pub(super) shape: [usize; 3],
    /// What was said of how that was chosen.
    pub(super) notes: Vec<String>,
    /// The images of each part.
    pub(super) parts: Vec<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    shape: [usize; 3],
    notes: Vec<String>,
    bytes: usize,
    sha256: String,
}

impl Place {
    /// The place for these files of `source` in this order: `fact` gives the path of each and what else decides what becomes of it,
    /// as a folder may hold so many that these take as much memory as their images. `root` is the same folder by its one name. `None` where nothing is kept: there is no cache, there are few files, or one of them cannot be asked
    /// for its times.
    pub(super) fn of<F: Sync>(
        (source, root): (&Path, &Path),
        files: &[F],
        fact: impl Fn(&F) -> (&Path, String) + Sync,
        request: &Request,
        shape: Option<[usize; 3]>,
    ) -> Option<Place> {
        let folder = request.cache.as_ref().filter(|_| files.len() >= FEW)?.join("prepared");
        let mut hasher = Sha256::new();
        let Request { size, channels, fit, .. } = request;
        hasher.update(format!("{FORMAT} {size:?} {channels:?} {} {shape:?} ", fit_name(*fit)));
        hasher.update(root.as_os_str().as_encoded_bytes());
        let mut newest = SystemTime::UNIX_EPOCH;
        let asked = |file: &F| {
            let (path, what) = fact(file);
            let metadata = fs::metadata(path).ok()?;
            let (changed, times) = times(&metadata)?;
            Some((changed, format!("\0{what} {} {times}", metadata.len())))
        };
        for files in files.chunks(ASKED) {
            let all: Vec<_> = files.par_iter().map(asked).collect::<Option<_>>()?;
            for (file, (changed, said)) in files.iter().zip(all) {
                let path = fact(file).0;
                newest = newest.max(changed);
                hasher.update([0]);
                hasher.update(path.strip_prefix(source).unwrap_or(path).as_os_str().as_encoded_bytes());
                hasher.update(said);
            }
        }
        let key: String = hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let settled = SystemTime::now().duration_since(newest).is_ok_and(|age| age > SETTLED);
        Some(Place { file: folder.join(format!("{key}.images")), folder, settled })
    }

    /// What is kept here of parts with so many images, if it is whole.
    pub(super) fn read(&self, images: &[usize]) -> Option<Kept> {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(&self.file).ok()?);
        let mut line = String::new();
        reader.by_ref().take(LONGEST).read_line(&mut line).ok()?;
        let header: Header = serde_json::from_str(&line).ok()?;
        let dim = header.shape.iter().product::<usize>();
        if images.iter().sum::<usize>().checked_mul(dim)? != header.bytes {
            return None;
        }
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for count in images {
            let mut pixels = vec![0; count * dim];
            reader.read_exact(&mut pixels).ok()?;
            parts.push(pixels);
        }
        let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        if reader.read(&mut [0]).ok()? > 0 || checksum(&slices) != header.sha256 {
            return None;
        }
        // What is used stays longest. Where that cannot be noted, it only goes sooner.
        if let Ok(file) = File::options().append(true).open(&self.file) {
            let _ = file.set_modified(SystemTime::now());
        }
        Some(Kept { shape: header.shape, notes: header.notes, parts })
    }

    /// Keeps images. Where that cannot be done, they are decoded again the next time.
    pub(super) fn write(&self, shape: [usize; 3], notes: &[String], parts: &[&[u8]]) {
        if !self.settled {
            return;
        }
        let header = Header {
            shape,
            notes: notes.to_vec(),
            bytes: parts.iter().map(|part| part.len()).sum(),
            sha256: checksum(parts),
        };
        let Ok(line) = serde_json::to_string(&header) else { return };
        if line.len() as u64 >= LONGEST
            || header.bytes as u64 > MOST
            || fs::create_dir_all(&self.folder).is_err()
        {
            return;
        }
        let fill = |file: &mut std::io::BufWriter<&File>| {
            let mut all = [line.as_bytes(), b"\n"].into_iter().chain(parts.iter().copied());
            let written = all.try_for_each(|bytes| file.write_all(bytes));
            written.map_err(|source| WriteError { path: self.file.clone(), source })
        };
        let written = atomic::write_after(&self.file, fill, || Ok(()));
        if written.is_ok() {
            prune(&self.folder, MOST);
        }
    }
}

fn checksum(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fit_name(fit: Fit) -> &'static str {
    match fit {
        Fit::Stretch => "stretch",
        Fit::Crop => "crop",
        Fit::Pad => "pad",
    }
}

/// When a file was changed last, and all that its entry says of that, as a text.
#[cfg(unix)]
fn times(metadata: &Metadata) -> Option<(SystemTime, String)> {
    use std::os::unix::fs::MetadataExt;
    let changed = SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(u64::try_from(metadata.ctime().max(metadata.mtime())).ok()?))?;
    let times = format!(
        "{} {} {} {} {}",
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
        metadata.ino()
    );
    Some((changed, times))
}

#[cfg(not(unix))]
fn times(metadata: &Metadata) -> Option<(SystemTime, String)> {
    let changed = metadata.modified().ok()?;
    Some((changed, format!("{changed:?}")))
}

/// Removes kept sets, those that were used longest ago first, until the others take no more than so many bytes.
fn prune(folder: &Path, most: u64) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut kept: Vec<(SystemTime, u64, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "images"))
        .filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            Some((metadata.modified().ok()?, metadata.len(), entry.path()))
        })
        .collect();
    kept.sort_by_key(|(used, _, _)| std::cmp::Reverse(*used));
    let mut sum = 0;
    for (_, bytes, path) in kept {
        sum += bytes;
        if sum > most {
            // Another process may have done it.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Many empty files, and what is asked of them.
    fn files(folder: &Path) -> Vec<PathBuf> {
        let paths: Vec<PathBuf> = (0..FEW).map(|number| folder.join(format!("{number}.png"))).collect();
        paths.iter().for_each(|path| fs::write(path, "").unwrap());
        paths
    }

    fn place(root: &Path, paths: &[PathBuf], request: &Request) -> Option<Place> {
        Place::of((root, root), paths, |path| (path, "0".to_owned()), request, None)
    }

    #[test]
    fn what_is_kept_comes_back_until_anything_changes() {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let paths = files(folder.path());
        let request = Request { cache: Some(cache.path().to_owned()), ..Request::default() };
        let fresh = place(folder.path(), &paths, &request).unwrap();
        // Files that were written just now are not relied on.
        fresh.write([1, 2, 1], &[], &[&[1, 2]]);
        assert!(!fresh.file.exists());
        let old = Place { settled: true, ..fresh };
        old.write([1, 2, 1], &["Small.".into()], &[&[1, 2], &[3, 4]]);
        let kept =
            Kept { shape: [1, 2, 1], notes: vec!["Small.".into()], parts: vec![vec![1, 2], vec![3, 4]] };
        assert_eq!(old.read(&[1, 1]), Some(kept));
        assert_eq!(old.read(&[1, 2]), None);
        let same = |request: &Request, paths: &[PathBuf]| {
            place(folder.path(), paths, request).is_some_and(|other| other.file == old.file)
        };
        assert!(same(&request, &paths));
        let grey = Request { channels: Some(1), ..request.clone() };
        assert!(!same(&grey, &paths) && !same(&request, &[&paths[1..], &paths[..1]].concat()));
        fs::write(&paths[7], "x").unwrap();
        assert!(!same(&request, &paths));
        // Few files, and no folder to keep anything in.
        assert!(!same(&request, &paths[1..]) && !same(&Request::default(), &paths));
    }

    #[test]
    fn what_is_damaged_is_not_read_and_what_is_unused_goes_first() {
        let cache = tempfile::tempdir().unwrap();
        let of = |name: &str| Place {
            folder: cache.path().into(),
            file: cache.path().join(format!("{name}.images")),
            settled: true,
        };
        for name in ["a", "b", "c"] {
            of(name).write([1, 1, 1], &[], &[&[9; 100]]);
        }
        let bytes = fs::read(of("a").file).unwrap();
        for changed in [&bytes[..bytes.len() - 1], &[&bytes[..], b"x"].concat(), b"", b"{}\n"] {
            fs::write(of("a").file, changed).unwrap();
            assert_eq!(of("a").read(&[100]), None);
        }
        let mut flipped = bytes.clone();
        *flipped.last_mut().unwrap() ^= 1;
        fs::write(of("a").file, flipped).unwrap();
        assert_eq!(of("a").read(&[100]), None);
        let at = |name: &str, seconds: u64| {
            let file = File::options().append(true).open(of(name).file).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        [("a", 3), ("b", 1), ("c", 2)].into_iter().for_each(|(name, seconds)| at(name, seconds));
        prune(cache.path(), 2 * bytes.len() as u64);
        assert_eq!(["a", "b", "c"].map(|name| of(name).file.exists()), [true, false, true]);
    }
}
