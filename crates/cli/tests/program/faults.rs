//! Faults of the program itself, provoked: the message, the exit code, and the file to send, which holds nothing of the
//! person's. Only a build with debug assertions (`cargo verify`) can be provoked.
#![cfg(debug_assertions)]

use std::fs;
use std::path::Path;

use crate::common::{Done, done, inkling};

/// Provokes a fault in `folder`, and gives what was said and the file's text.
fn provoked(folder: &Path, fault: &str) -> (Done, String) {
    let output = inkling()
        .current_dir(folder)
        .env("INKLING_TEST_FAULT", fault)
        .args(["study", "secret.toml", "--only", "pca", "--out", "my secret"])
        .output();
    let done = done(&output.unwrap());
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.filter(|path| path.to_str().unwrap().contains("inkling-fault-20")).max();
    (done, file.map(|file| fs::read_to_string(file).unwrap()).unwrap_or_default())
}

#[test]
fn a_panic_is_told_as_a_fault_of_the_program_with_a_file_to_send() {
    for (fault, place) in
        [("panic", "crates/cli/src/fault.rs:"), ("thread", "crates/cli/src/fault.rs:"), ("error", "")]
    {
        let folder = tempfile::tempdir().unwrap();
        let (said, file) = provoked(folder.path(), fault);
        said.says(70, &["please send the file `inkling-fault-20", "neither your data nor any of your names"]);
        if fault != "error" {
            said.says(70, &["internal error of Inkling", "not your mistake", "finished work is kept"]);
        }
        for words in
            ["version: 0.", "command: inkling study … --only … --out …", "message: ", "backtrace:", place]
        {
            assert!(file.contains(words), "{fault}: no {words:?} in {file}");
        }
        let home = std::env::var("HOME").unwrap_or("/home/me".into());
        for secret in ["secret", "/home/me", home.as_str(), folder.path().to_str().unwrap()] {
            assert!(!file.contains(secret), "{fault}: {secret:?} is in {file}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_sends_the_file_elsewhere() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let gone = folder.path().join("gone");
    fs::create_dir(&gone).unwrap();
    let script = "rmdir \"$1\" && exec \"$0\" data list";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_inkling")])
        .arg(&gone)
        .current_dir(&gone)
        .env("INKLING_TEST_FAULT", "panic")
        .env("TMPDIR", elsewhere.path())
        .output();
    done(&output.unwrap()).says(70, &["please send the file `", elsewhere.path().to_str().unwrap()]);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
}
