//! Progress on terminals of all kinds: legible, without escape codes where the terminal has none.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::run;

/// What a small study shows on a terminal of this kind and width; nothing where no terminal can be made.
fn on_a_terminal(kind: &str, columns: usize, extra: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let program = env!("CARGO_BIN_EXE_inkling");
    let command = format!("stty cols {columns} rows 24; {extra} '{program}' study small.toml; echo ended $?");
    let output = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(folder.path())
        .env("TERM", kind)
        .env_remove("NO_COLOR")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("ended 0"), "{text}");
    Some(text)
}

fn small(folder: &Path) {
    let text = run(folder, &["study", "smoke", "--only", "pca,mlp", "--print-spec"]).stdout;
    let second = text.match_indices("[[mlp.networks]]").nth(1).expect("there are several").0;
    fs::write(folder.join("small.toml"), &text[..second]).unwrap();
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let Some(text) = on_a_terminal("dumb", 80, "") else { return };
    assert!(!text.contains('\u{1b}'), "{text:?}");
    for words in ["images loaded", "principal components: done in", "mlp 2 hidden: done in"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_narrow_terminal_gets_lines_that_it_has_room_for() {
    for columns in [20, 40, 80, 120] {
        let Some(text) = on_a_terminal("xterm", columns, "NO_COLOR=1") else { return };
        // What is drawn over and over again fits, so that it is wiped away whole.
        for drawn in text.split(['\r', '\n']).filter(|drawn| drawn.contains("/45 ")) {
            let plain = drawn
                .split('\u{1b}')
                .map(|part| part.split_once(['K', 'A', 'B']).map_or(part, |(_, rest)| rest));
            let width: usize = plain.map(|part| part.trim_end().chars().count()).max().unwrap_or(0);
            assert!(width <= columns, "{columns}: {drawn:?}");
        }
        assert!(text.contains("mlp 2 hidden: done in"), "{text}");
    }
}
