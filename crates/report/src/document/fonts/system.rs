//! Fonts of the system, looked for only where a text has characters that the report's own fonts lack.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use typst::foundations::Bytes;
use typst::text::{Font, FontStyle};

/// Where Windows, macOS and Linux keep fonts for all users.
const FOLDERS: [&str; 6] = [
    "C:/Windows/Fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/opt/homebrew/share/fonts",
];
/// Where they keep those of one user, below that user's folder.
const OWN_FOLDERS: [&str; 3] = ["Library/Fonts", ".local/share/fonts", ".fonts"];
/// Folders within folders are looked into this deep.
const DEPTH: usize = 6;
/// Larger files are left alone; the largest fonts of all Chinese characters have some 40 MB.
const LARGEST: u64 = 128 << 20;

/// The fonts that hold these characters between them, as far as the system has any. The folders are gone through in one
/// order, and of each font the first upright, regular face that helps is taken, so that one system always gives the same.
pub(super) fn covering(wanted: &BTreeSet<char>) -> Vec<Font> {
    let mut missing = wanted.clone();
    let mut found = Vec::new();
    let own = std::env::home_dir().into_iter().flat_map(|home| OWN_FOLDERS.map(|folder| home.join(folder)));
    for folder in FOLDERS.map(PathBuf::from).into_iter().chain(own) {
        for path in files(&folder, DEPTH) {
            if missing.is_empty() {
                return found;
            }
            found.extend(fs::read(&path).ok().and_then(|data| helping(data, &mut missing)));
        }
    }
    found
}

/// The first face of a file that holds one of the characters, which are then no longer missing.
fn helping(data: Vec<u8>, missing: &mut BTreeSet<char>) -> Option<Font> {
    let font = Font::iter(Bytes::new(data)).find(|font| {
        let info = font.info();
        let plain =
            info.variant.style == FontStyle::Normal && (350..=500).contains(&info.variant.weight.to_number());
        plain && missing.iter().any(|&c| info.coverage.contains(c.into()))
    })?;
    missing.retain(|&c| !font.info().coverage.contains(c.into()));
    Some(font)
}

/// The font files of a folder and the folders in it, in the order of their names.
fn files(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let is_font = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        let known = ending.is_some_and(|ending| ["ttf", "otf", "ttc", "otc"].contains(&ending.as_str()));
        known && fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= LARGEST)
    };
    let within =
        |path: PathBuf| if path.is_dir() && depth > 0 { files(&path, depth - 1) } else { vec![path] };
    paths.into_iter().flat_map(within).filter(is_font).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_font_helps_nobody_and_nothing_is_looked_for_in_vain() {
        let mut missing = BTreeSet::from(['日']);
        assert!(helping(b"no font".to_vec(), &mut missing).is_none() && missing.len() == 1);
        assert!(covering(&BTreeSet::new()).is_empty());
        assert!(files(Path::new("/nowhere/at/all"), DEPTH).is_empty());
        let sans = super::super::LIBERATION_SANS[0].to_vec();
        let mut missing = BTreeSet::from(['日', 'é']);
        assert!(helping(sans, &mut missing).is_some() && missing == BTreeSet::from(['日']));
    }

    #[test]
    fn font_files_are_found_in_folders_within_folders_in_one_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("b/c")).unwrap();
        for name in ["b/c/z.TTF", "a.otf", "b/notes.txt", "d.ttc"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let found = files(folder.path(), DEPTH);
        assert_eq!(found, ["a.otf", "b/c/z.TTF", "d.ttc"].map(|name| folder.path().join(name)));
    }
}
