//! File systems without locks, holders that cannot be seen, folders that cannot be written: what the person reads.
#![cfg(target_os = "linux")]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use inkling_schema::{Task, preset};

use crate::common::{Done, copy_of_mnist, done, hold, inkling, run};

/// A library that stands before the system's and answers as a file system without locks does.
fn without_locks() -> &'static Path {
    static LIBRARY: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, library) = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let (source, library) = (folder.path().join("none.c"), folder.path().join("none.so"));
        let text = "#include <errno.h>\n#include <stdlib.h>\n\
                    int flock(int file, int operation) { errno = atoi(getenv(\"NO_LOCKS\")); return -1; }\n";
        fs::write(&source, text).unwrap();
        // The compiler that links Rust programs.
        let cc = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
        assert!(cc.unwrap().success());
        (folder, library)
    });
    library
}

const ENOSYS: i32 = 38;
const ENOLCK: i32 = 37;
const EOPNOTSUPP: i32 = 95;

fn run_without_locks(folder: &Path, error: i32, arguments: &[&str]) -> Done {
    let output = inkling()
        .current_dir(folder)
        .args(arguments)
        .env("LD_PRELOAD", without_locks())
        .env("NO_LOCKS", error.to_string())
        .output();
    done(&output.unwrap())
}

#[test]
fn a_file_system_without_locks_is_worked_on_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let note = "note: the file system of `out` has no locks";
    let study = ["study", "smoke", "--only", "pca"];
    run_without_locks(folder.path(), ENOLCK, &study).says(0, &[note, "finished in"]);
    run_without_locks(folder.path(), ENOSYS, &study).says(0, &[note, "not repeated", "finished in"]);
    run_without_locks(folder.path(), EOPNOTSUPP, &["report", "out"]).says(0, &[note, "finished in"]);
}

#[test]
fn without_locks_a_live_holder_is_respected_and_a_dead_one_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let error = OsString::from(ENOLCK.to_string());
    let environment = [("LD_PRELOAD", without_locks().as_os_str()), ("NO_LOCKS", &error)];
    let mut holder = hold(folder.path(), &environment);
    let pid = format!("process {}", holder.id());
    let mut smoke = preset("smoke").unwrap();
    smoke.keep_only(&[Task::Pca]);
    fs::write(folder.path().join("pca.toml"), smoke.to_toml()).unwrap();
    let study = ["study", "pca.toml"];
    run_without_locks(folder.path(), ENOLCK, &study).says(73, &["`out` is in use by", &pid, "help"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    run_without_locks(folder.path(), ENOLCK, &study)
        .says(0, &[&pid, "was stopped before its work", "has no locks", "finished in"]);
}

#[test]
fn a_holder_on_another_computer_is_never_called_dead() {
    let folder = tempfile::tempdir().unwrap();
    let study = ["study", "smoke", "--only", "pca"];
    let text = r#"{"pid": 7, "host": "elsewhere", "version": "0.1.0", "since": "2026-01-01T00:00:00Z"}"#;
    let lock = folder.path().join("out/.lock");
    fs::create_dir(folder.path().join("out")).unwrap();
    fs::write(&lock, text).unwrap();
    let refused = run_without_locks(folder.path(), ENOLCK, &study);
    refused.says(73, &["`out` may be in use: process 7 on elsewhere", "may still be running on elsewhere"]);
    refused.says(73, &["help", "Make sure that the process has ended", "remove `out/.lock`"]);
    assert_eq!(fs::read_to_string(&lock).unwrap(), text);
    // Where there are locks, nobody on this computer has it.
    let done = run(folder.path(), &study);
    done.says(
        0,
        &["note: process 7 on elsewhere", "has not said that it ended", "still running on elsewhere"],
    );
    assert!(!done.stderr.contains("was stopped"), "{}", done.stderr);
    assert_eq!(fs::read(&lock).unwrap(), b"");
}

#[test]
fn an_output_folder_among_anothers_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("out/runs")).unwrap();
    fs::write(folder.path().join("out/.lock"), "").unwrap();
    for out in ["out/runs", "out/runs/0123456789abcdef", "out/figures"] {
        run(folder.path(), &["study", "smoke", "--out", out]).says(
            73,
            &[&format!("`{out}` lies among the files of"), "help", "choose an output folder outside"],
        );
    }
    assert_eq!(fs::read_dir(folder.path().join("out/runs")).unwrap().count(), 0);
}

/// Runs the program in `folder` as somebody whom permissions keep out, which the superuser is not.
fn as_another_person(folder: &Path, arguments: &[&str]) -> Done {
    // The program may lie where nobody else can look.
    let program = folder.join("inkling");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_inkling"), &program).unwrap();
    }
    protect(folder, 0o755);
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(arguments)
        .env("NO_COLOR", "1")
        .env("INKLING_CACHE", folder.join("cache"));
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        const NOBODY: u32 = 65_534;
        command.uid(NOBODY).gid(NOBODY);
    }
    done(&command.output().unwrap())
}

fn protect(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_complete_cache_that_cannot_be_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let mnist = copy_of_mnist(&cache);
    let fetch = || {
        protect(&mnist, 0o555);
        let done = as_another_person(folder.path(), &["data", "fetch", "mnist"]);
        protect(&mnist, 0o755);
        done
    };
    let whole = fetch();
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    assert!(whole.stdout.contains("MNIST is in"), "{}", whole.stdout);
    assert!(!mnist.join(".lock").exists(), "there was nothing to lock for");

    fs::write(mnist.join("train-labels-idx1-ubyte.gz"), "damaged").unwrap();
    fs::remove_file(mnist.join("t10k-labels-idx1-ubyte.gz")).unwrap();
    let words =
        ["the cache", "no correct copy of MNIST's train-labels", ", t10k-labels", "cannot be written to"];
    fetch().says(73, &words);
    fetch().says(
        73,
        &["help", "set INKLING_CACHE to a folder of your own", "point --data at a folder that holds MNIST"],
    );
}

#[test]
fn a_wait_for_the_cache_is_said_and_can_be_ended() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    fs::create_dir_all(cache.join("mnist")).unwrap();
    let lock = fs::File::create(cache.join("mnist/.lock")).unwrap();
    lock.lock().unwrap();
    let mut child = inkling()
        .current_dir(folder.path())
        .args(["data", "fetch", "mnist"])
        .env("INKLING_CACHE", &cache)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.map_while(Result::ok).find(|line| line.starts_with("waiting for"));
    let words = said.expect("it waits");
    assert!(words.contains("another process, which is fetching into the same folder"), "{words}");
    assert!(words.contains("cache/mnist/.lock"), "{words}");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
}

#[test]
fn a_report_on_a_folder_that_cannot_be_written_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["study", "smoke", "--only", "pca"]).says(0, &["finished in"]);
    let out = folder.path().join("out");
    let report = fs::read(out.join("report.pdf")).unwrap();
    protect(&out, 0o555);
    let done = as_another_person(folder.path(), &["report", "out"]);
    protect(&out, 0o755);
    done.says(73, &["cannot write `out", "help", "copy the folder to a place that you may write to"]);
    assert!(fs::read(out.join("report.pdf")).unwrap() == report);
}

#[test]
fn a_huge_file_that_is_no_network_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::create(folder.path().join("x.safetensors")).unwrap();
    file.set_len(1 << 42).unwrap();
    let begun = std::time::Instant::now();
    run(folder.path(), &["look", "filters", "x.safetensors"])
        .says(65, &["`x.safetensors` is damaged: its header", "help", "get it again"]);
    // To read it would take the better part of an hour.
    assert!(begun.elapsed() < std::time::Duration::from_secs(60));
}
