//! Messages and results that cannot be written: no work stops and nothing is lost.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, pipe};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{done, inkling, run};

/// The program with a small study of its own, into the folder `out`.
fn study(folder: &Path) -> Command {
    if !folder.join("small.toml").exists() {
        let text = run(folder, &["study", "smoke", "--only", "pca", "--print-spec"]).stdout;
        fs::write(folder.join("small.toml"), text).unwrap();
    }
    let mut command = inkling();
    command.current_dir(folder).args(["study", "small.toml"]);
    command
}

/// Where every write fails as on a full disk.
fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// A pipe that nobody reads.
fn unread() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

fn is_whole(folder: &Path) {
    for file in ["report.pdf", "report.html", "summary.json"] {
        assert!(folder.join("out").join(file).exists(), "{file}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_study_whose_messages_cannot_be_written_is_done_and_reported() {
    for stderr in [full().into(), unread()] {
        let folder = tempfile::tempdir().unwrap();
        let output = study(folder.path()).stderr(stderr).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stdout).contains("Report: "));
        is_whole(folder.path());
    }
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    let closed = "exec \"$0\" study small.toml >&- 2>&-";
    let mut shell = Command::new("sh");
    shell.args(["-c", closed, env!("CARGO_BIN_EXE_inkling")]).current_dir(folder.path());
    let status = shell.status().unwrap();
    assert_eq!(status.code(), Some(0));
    is_whole(folder.path());
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_told_at_the_end_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let words = [
        "finished in",
        "the results could not be written to standard output",
        "No space left",
        "the work itself is done",
    ];
    done(&study(folder.path()).stdout(full()).output().unwrap()).says(74, &words);
    is_whole(folder.path());
    done(&study(folder.path()).arg("--json").stdout(full()).output().unwrap()).says(74, &words[1..]);
    let both = study(folder.path()).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(both.code(), Some(74));
    for arguments in [
        &["data", "list"][..],
        &["model", "cnn"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
        &["help", "study"],
        &["study", "--print-spec"],
    ] {
        let output = inkling().args(arguments).stdout(full()).output().unwrap();
        done(&output).says(74, &["the results could not be written to standard output"]);
    }
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let both = study(folder.path()).stdout(unread()).stderr(unread()).status().unwrap();
    assert_eq!(both.code(), Some(0));
    is_whole(folder.path());
    for arguments in
        [&["data", "list"][..], &["model", "cnn"], &["completions", "zsh"], &["--help"], &["study", "--help"]]
    {
        let output = inkling().args(arguments).stdout(unread()).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.is_empty()), (Some(0), true), "{arguments:?}");
    }
    // Wrong usage stays wrong usage when nobody hears of it.
    assert_eq!(inkling().arg("--nonsense").stderr(unread()).status().unwrap().code(), Some(2));
    assert_eq!(inkling().args(["model", "gone.toml"]).stderr(unread()).status().unwrap().code(), Some(74));
}

#[cfg(unix)]
#[test]
fn a_result_is_whole_for_a_reader_that_takes_its_time() {
    let (mut reader, writer) = pipe().unwrap();
    let mut child = inkling().args(["completions", "zsh"]).stdout(writer).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(text, run(Path::new("."), &["completions", "zsh"]).stdout);
}
