//! How many source files name a layer, an activation, an optimiser, a loss, a figure or a table: as many as CONTRIBUTING.md states, or fewer.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A line of the table: the name of an example, and the most source files that may name it.
fn limits(contributing: &str) -> Vec<(String, usize)> {
    let rows = contributing.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, _, name, limit, _] = cells[..] else { return None };
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        Some((name.to_owned(), limit.parse().ok()?))
    });
    rows.collect()
}

/// The source files below a folder, without files of tests and definitions.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if ["tests", "reference"].contains(&stem) {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether a source names it as a word, in code that is not a comment or a test.
fn names(source: &str, name: &str) -> bool {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let in_line = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        code.split(|c| !is_part(c)).any(|word| word == name)
    };
    code.lines().any(in_line)
}

/// The most files of the formats of other programs that may name an example, as CONTRIBUTING.md states.
const IN_FORMATS: usize = 9;

/// Whether a file is of the crate that writes and reads the formats of other programs, each of which has its own names.
fn is_of_formats(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "interchange")
}

#[test]
fn a_new_thing_has_few_places() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Ok(contributing) = fs::read_to_string(root.join("CONTRIBUTING.md")) else {
        let skipped = b"skipped: there is no CONTRIBUTING.md, as outside of the project\n";
        std::io::stderr().write_all(skipped).expect("standard error");
        return;
    };
    let limits = limits(&contributing);
    assert!(limits.len() >= 5, "CONTRIBUTING.md has a table of examples");
    let mut crates: Vec<PathBuf> = Vec::new();
    for member in fs::read_dir(root.join("crates")).expect("the project's crates") {
        let folder = member.expect("an entry").path().join("src");
        if folder.is_dir() {
            sources(&folder, &mut crates);
        }
    }
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a source file");
    let texts: Vec<(&PathBuf, String)> = crates.iter().map(|path| (path, read(path))).collect();
    for (name, limit) in limits {
        let in_formats =
            texts.iter().filter(|(path, text)| is_of_formats(path) && names(text, &name)).count();
        assert!(
            in_formats <= IN_FORMATS,
            "{in_formats} files of the formats of other programs name `{name}`"
        );
        let naming: Vec<String> = texts
            .iter()
            .filter(|(path, text)| !is_of_formats(path) && names(text, &name))
            .map(|(path, _)| path.strip_prefix(&root).unwrap_or(path).display().to_string())
            .collect();
        assert!(!naming.is_empty(), "no source file names `{name}`, an example of CONTRIBUTING.md");
        assert!(
            naming.len() <= limit,
            "{} source files name `{name}`, where CONTRIBUTING.md says at most {limit}:\n{}",
            naming.len(),
            naming.join("\n")
        );
    }
}
