//! What ARCHITECTURE.md says is absent is absent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file under `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The crates of the workspace that each of them names in [dependencies].
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let mut arrows = BTreeMap::new();
    for entry in fs::read_dir(crates()).unwrap() {
        let folder = entry.unwrap().path();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let wanted = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
        let named = wanted
            .take_while(|line| !line.starts_with('['))
            .filter_map(|line| line.strip_prefix("inkling-"))
            .map(|line| line.split(['.', ' ', '=']).next().unwrap().to_owned())
            .collect();
        arrows.insert(folder.file_name().unwrap().to_str().unwrap().to_owned(), named);
    }
    arrows
}

fn reaches(from: &str, to: &str, arrows: &BTreeMap<String, BTreeSet<String>>) -> bool {
    arrows[from].iter().any(|next| next == to || reaches(next, to, arrows))
}

#[test]
fn no_forbidden_arrow() {
    let arrows = arrows();
    assert_eq!(arrows.len(), 12, "{arrows:?}");
    assert!(reaches("cli", "engine", &arrows), "the test sees arrows");
    for (from, to) in [
        ("report", "engine"),
        ("report", "lab"),
        ("report", "data"),
        ("engine", "data"),
        ("engine", "store"),
        ("engine", "files"),
        ("store", "schema"),
        ("store", "data"),
        ("data", "store"),
        ("data", "schema"),
        ("data", "engine"),
        ("inkling", "lab"),
        ("inkling", "store"),
        ("inkling", "data"),
        ("schema", "data"),
        ("interchange", "engine"),
        ("interchange", "store"),
        ("interchange", "data"),
        ("schema", "engine"),
    ] {
        assert!(!reaches(from, to, &arrows), "{from} reaches {to}");
    }
    for leaf in ["files", "schema", "statistics", "tensorboard"] {
        assert!(arrows[leaf].is_empty(), "{leaf}: {arrows:?}");
    }
}

/// The lines of a source file that are code.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn nothing_but_the_program_prints() {
    for path in sources(&crates()) {
        let in_program = path.starts_with(crates().join("cli"));
        let in_library = path.components().any(|part| part.as_os_str() == "src");
        if in_program || !in_library {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for word in ["print!(", "println!(", "dbg!(", "io::stdout", "io::stderr"] {
            assert!(code(&text).all(|line| !line.contains(word)), "{} has {word}", path.display());
        }
    }
}

#[test]
fn the_program_prints_in_two_places_that_survive_a_closed_pipe() {
    let cli = crates().join("cli/src");
    for path in sources(&cli) {
        let text = fs::read_to_string(&path).unwrap();
        let may = path == cli.join("output.rs") || path == cli.join("message.rs");
        for word in ["print!(", "println!(", "dbg!(", "stdout()", "stderr()"] {
            let may = may && word.starts_with("std");
            // Asking about a terminal, or of clap what kind of message it has, prints nothing.
            let mut lines =
                code(&text).filter(|line| !line.contains("Term::") && !line.contains("use_stderr()"));
            assert!(may || lines.all(|line| !line.contains(word)), "{} has {word}", path.display());
        }
    }
}

#[test]
fn every_source_file_says_what_it_holds() {
    for path in sources(&crates()) {
        assert!(fs::read_to_string(&path).unwrap().starts_with("//! "), "{}", path.display());
    }
}

#[test]
fn the_engine_opens_no_files_and_knows_no_data_set() {
    for path in sources(&crates().join("engine/src")) {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["std::fs", "std::path", "mnist", "MNIST"] {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}
