//! Ctrl-C, SIGTERM and SIGHUP: what the person reads, when the program ends, and the exit code.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Done, done, inkling};

const TRAINING: [&str; 8] =
    ["study", "brief", "--only", "perceptron", "--threads", "1", "--out", "my folder"];

fn start(command: &mut Command, folder: &Path) -> Child {
    command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
}

fn wait_until(mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(60), "what is waited for does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn end(child: Child) -> Done {
    done(&child.wait_with_output().unwrap())
}

/// A study that computes, in `folder`.
fn computing(folder: &Path) -> Child {
    let child = start(inkling().args(TRAINING), folder);
    let runs = folder.join("my folder/runs");
    let finished = |run: fs::DirEntry| run.path().join("result.json").exists();
    wait_until(|| fs::read_dir(&runs).is_ok_and(|mut runs| runs.any(|run| finished(run.unwrap()))));
    child
}

#[test]
fn every_signal_that_ends_a_program_stops_it_cleanly_with_its_own_code() {
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let folder = tempfile::tempdir().unwrap();
        let child = computing(folder.path());
        signal(&child, name);
        let stopped = end(child);
        let again = format!(
            "{} {}'my folder'",
            env!("CARGO_BIN_EXE_inkling"),
            "study brief --only perceptron --threads 1 --out "
        );
        stopped.says(code, &["stopping: the current step is finished first", "again to stop at once"]);
        stopped.says(code, &["interrupted", "finished work is kept; to continue from there:", &again]);
    }
}

#[test]
fn signals_that_come_together_are_one_wish() {
    let folder = tempfile::tempdir().unwrap();
    let child = computing(folder.path());
    // From one shell, so that a busy machine does not draw them apart.
    let pid = child.id();
    let kills = format!("kill -TERM {pid}; kill -HUP {pid}; kill -TERM {pid}");
    assert!(Command::new("sh").args(["-c", &kills]).status().unwrap().success());
    let stopped = end(child);
    // The system hands over signals that come together in an order of its own.
    let code = stopped.code.filter(|code| [129, 143].contains(code)).expect("one of the signals' codes");
    stopped.says(code, &["stopping:", "interrupted", "to continue from there"]);
}

#[test]
fn a_program_that_waits_ends_at_once_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    // The command waits for a reader of the file, as it would for a network or for another program.
    assert!(Command::new("mkfifo").arg(folder.path().join("slow.toml")).status().unwrap().success());
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let child = start(inkling().args(["study", "slow.toml"]), folder.path());
        listening(&child);
        signal(&child, name);
        end(child).says(code, &["interrupted", "to continue from there:", "study slow.toml"]);
    }
    let child = start(inkling().args(["model", "slow.toml"]), folder.path());
    listening(&child);
    signal(&child, "INT");
    end(child).says(130, &["interrupted", "to start it again:", "model slow.toml"]);
}

/// Waits until the program listens to signals: the system says so.
fn listening(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    if cfg!(target_os = "linux") {
        wait_until(|| {
            let status = fs::read_to_string(&status).unwrap_or_default();
            let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
            u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask >> 14 & 1 == 1)
        });
    }
    std::thread::sleep(Duration::from_millis(100));
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_under_nohup_goes_on_when_its_terminal_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("slow.toml")).status().unwrap().success());
    let mut command = Command::new("nohup");
    command.arg(env!("CARGO_BIN_EXE_inkling")).args(["model", "slow.toml"]).arg0("nohup");
    let mut child = start(&mut command, folder.path());
    listening(&child);
    signal(&child, "HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it still waits");
    signal(&child, "TERM");
    end(child).says(143, &["interrupted"]);
}

#[test]
fn a_program_ends_although_nobody_reads_its_messages() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("slow.toml")).status().unwrap().success());
    let (reader, mut writer) = std::io::pipe().unwrap();
    // As much as a pipe holds.
    writer.write_all(&[b' '; 65_536]).unwrap();
    let mut command = inkling();
    command.args(["study", "slow.toml"]).current_dir(folder.path()).stderr(writer);
    let mut child = command.spawn().unwrap();
    listening(&child);
    signal(&child, "INT");
    let start = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(5));
    drop(reader);
}
