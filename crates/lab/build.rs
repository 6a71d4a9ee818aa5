//! Gives the program a digest of the sources that compute, so that each result can say which ones it came from.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The crates whose sources decide what a run finds.
const CRATES: [&str; 4] = ["data", "engine", "lab", "schema"];

/// Hexadecimal digits of the digest: enough to tell builds apart, few enough for a title page.
const DIGITS: usize = 12;

fn main() {
    let mut hasher = Sha256::new();
    for name in CRATES {
        let sources = PathBuf::from(format!("../{name}/src"));
        println!("cargo:rerun-if-changed={}", sources.display());
        for path in files(&sources) {
            // Paths are relative and have forward slashes, so that the digest is the same wherever the project lies.
            let path_in_project = path.components().skip(1).map(|part| part.as_os_str().to_string_lossy());
            let path_in_project = path_in_project.collect::<Vec<_>>().join("/");
            let text =
                fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            hasher.update(format!("{path_in_project} {}\n", text.len()));
            hasher.update(text);
        }
    }
    let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo:rustc-env=INKLING_SOURCES={}", &digest[..DIGITS]);
}

/// The source files in a folder and below, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    const ENDINGS: [&str; 2] = ["rs", "toml"];
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    entries.sort();
    let is_source =
        |path: &Path| path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
    entries
        .into_iter()
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| is_source(path))
        .collect()
}
