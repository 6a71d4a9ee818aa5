//! Lists the project's source files for the program to hold, so that it can bundle the very sources it was built from.
#![allow(clippy::print_stdout)]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// What belongs to the sources: files of the project's folder, and folders whole. What else lies there does not, such as
/// `target`, the data sets' files, and what a bundle adds.
const SOURCES: [&str; 23] = [
    ".cargo/config.toml",
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "crates",
    "data/README.md",
    "deny.toml",
    "docs",
    "fuzz/Cargo.lock",
    "fuzz/Cargo.toml",
    "fuzz/fuzz_targets",
    "notebook",
    "rustfmt.toml",
    "studies",
];

/// Folders that tools make.
const MADE: [&str; 3] = ["target", "__pycache__", "node_modules"];

/// Endings of files that tools and editors leave.
const LEFT: [&str; 6] = ["~", ".bak", ".orig", ".pyc", ".rej", ".tmp"];

fn main() {
    let manifest = std::env::var("CARGO_MANIFEST_DIR").expect("Cargo says where the crate is");
    let project = Path::new(&manifest).ancestors().nth(2).expect("the crate lies in crates/cli");
    let mut files = Vec::new();
    for name in SOURCES {
        println!("cargo:rerun-if-changed=../../{name}");
        collect(project, name, &mut files);
    }
    files.sort();

    // Paths start at the crate's folder, here and above: two copies of the project may share Cargo's target folder.
    let mut list = String::from("&[\n");
    for name in files {
        let path = format!("/../../{name}");
        writeln!(list, "    ({name:?}, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),")
            .expect("a string takes every write");
    }
    list.push_str("]\n");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("Cargo says where to write"));
    fs::write(out.join("sources.rs"), list).expect("Cargo's folder can be written");
}

/// Adds the file `name`, or the files under the folder `name`, a path in the project with `/` between its parts.
fn collect(project: &Path, name: &str, files: &mut Vec<String>) {
    let path = project.join(name);
    if path.is_file() {
        files.push(name.to_owned());
        return;
    }
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for entry in entries {
        let entry = entry.expect("a folder can be listed");
        let kind = entry.file_type().expect("the kind of a file is known");
        let inner = entry.file_name().into_string().expect("sources have plain names");
        let hidden = inner.starts_with('.') && inner != ".gitignore";
        let made = kind.is_dir() && MADE.contains(&inner.as_str());
        let left = kind.is_file() && LEFT.iter().any(|ending| inner.ends_with(ending));
        // A link may lead anywhere.
        if !(kind.is_symlink() || hidden || made || left) {
            collect(project, &format!("{name}/{inner}"), files);
        }
    }
}
