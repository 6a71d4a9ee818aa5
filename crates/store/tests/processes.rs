//! Other processes: locks that they hold, kills at any instant, folders that refuse.
//!
//! Each test starts this same executable again with [`child`] as its only test and a role in the environment.
#![cfg(unix)]

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use inkling_store::{
    Checkpoint, ErrorClass, Metadata, Reader, RunDir, Store, StoreError, Tensor, TensorFile, atomic,
};

const ROLE: &str = "INKLING_STORE_TEST_ROLE";
const FOLDER: &str = "INKLING_STORE_TEST_FOLDER";
const READY: &str = "the child is ready";
const SIGKILL: i32 = 9;

#[test]
#[ignore = "the other tests run it as a child process"]
fn child() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    match env::var(ROLE).as_deref() {
        Ok("hold") => {
            let _store = Store::open(&folder).unwrap();
            ready();
            thread::sleep(Duration::from_secs(60));
        }
        Ok("replace") => replace_for_ever(&folder.join("file")),
        Ok("train") => train_for_ever(&folder),
        Ok("refused") => refused(&folder),
        Ok("full") => full(&folder),
        role => panic!("no such role: {role:?}"),
    }
}

fn ready() {
    io::stdout().write_all(format!("\n{READY}\n").as_bytes()).unwrap();
}

/// The command that runs the child, after `wrapper` if it is not empty.
fn command(wrapper: &[&str], role: &str, folder: &Path) -> Command {
    let executable = env::current_exe().unwrap();
    let arguments = ["--exact", "child", "--ignored", "--nocapture"];
    let mut command = match wrapper {
        [] => Command::new(&executable),
        [program, rest @ ..] => {
            let mut command = Command::new(program);
            command.args(rest).arg(&executable);
            command
        }
    };
    command.args(arguments).env(ROLE, role).env(FOLDER, folder).stdout(Stdio::piped());
    command
}

fn start(role: &str, folder: &Path) -> Child {
    let mut child = command(&[], role, folder).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_ready = lines.map_while(Result::ok).any(|line| line == READY);
    assert!(is_ready, "the child ended early");
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(SIGKILL), "the child ended before it was killed");
}

/// Instants spread over the first milliseconds of a child's life, the same in each test run.
fn instants(count: u64) -> impl Iterator<Item = Duration> {
    // Multiples of the golden ratio fill an interval evenly and never hit a period of the child's.
    (0..count).map(|index| Duration::from_micros(index * 61_803 % 20_000))
}

#[test]
fn a_live_holder_is_named_and_a_dead_one_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let child = start("hold", folder.path());
    let pid = child.id();

    let error = Store::open(folder.path()).unwrap_err();
    assert_eq!(error.class(), ErrorClass::CannotWrite);
    let message = error.to_string();
    assert!(message.contains(&format!("in use by process {pid} on ")), "{message}");
    assert!(message.contains(" since 2"), "{message}");
    Reader::open(folder.path()).unwrap();

    kill(child);
    let store = Store::open(folder.path()).unwrap();
    let notes = store.notes();
    assert!(notes.len() == 1 && notes[0].starts_with(&format!("process {pid} ")), "{notes:?}");
    drop(store);
    assert!(Store::open(folder.path()).unwrap().notes().is_empty());
}

/// A file whose every byte tells its version, and whose length does so too.
fn version(number: u8) -> Vec<u8> {
    vec![number; 40_000 + usize::from(number)]
}

fn replace_for_ever(path: &Path) {
    ready();
    for number in (0..=u8::MAX).cycle() {
        atomic::write(path, &version(number)).unwrap();
    }
}

#[test]
fn a_kill_at_any_instant_leaves_the_old_file_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    atomic::write(&path, &version(0)).unwrap();
    let whole = || {
        let bytes = fs::read(&path).unwrap();
        assert!(bytes == version(bytes[0]), "a mixture of {} bytes", bytes.len());
    };
    for instant in instants(40) {
        let child = start("replace", folder.path());
        let started = Instant::now();
        while started.elapsed() < instant {
            whole();
        }
        kill(child);
        whole();
    }
    Store::open(folder.path()).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(!name.to_string_lossy().ends_with(".tmp"), "{} was left", name.display());
    }
}

const ID: &str = "run";
const WEIGHTS: usize = 5_000;

/// Trains as far as the newest checkpoint knows, and on: a line of metrics a step, a checkpoint every third step.
fn train_for_ever(out: &Path) {
    ready();
    let store = Store::open(out).unwrap();
    let (mut run, first) = match store.resume(ID, "spec").unwrap() {
        Some(mut run) => {
            let newest = newest(&run.dir().clone());
            run.go_on_from(&newest).unwrap();
            (run, steps(&newest))
        }
        None => (store.begin(ID, "spec").unwrap(), 0),
    };
    for step in first.. {
        run.append_metrics(&step).unwrap();
        if step % 3 == 2 {
            let steps = step + 1;
            let weights = vec![steps as f32; WEIGHTS];
            let metadata = Metadata::from([("steps".to_owned(), steps.to_string())]);
            run.write_checkpoint(&[Tensor::new("w", &[WEIGHTS], &weights)], &metadata).unwrap();
        }
    }
}

/// The newest checkpoint; every one that is there must be whole.
fn newest(run: &RunDir) -> Checkpoint {
    let checkpoints: Vec<Checkpoint> = run.checkpoints().map(Result::unwrap).collect();
    checkpoints.into_iter().next().unwrap()
}

/// The steps that a checkpoint knows of, once all its parts have been found to agree.
fn steps(checkpoint: &Checkpoint) -> usize {
    let steps = checkpoint.tensors().metadata("steps").unwrap().parse().unwrap();
    assert_eq!(checkpoint.tensors().values::<f32>("w", &[WEIGHTS]).unwrap(), vec![steps as f32; WEIGHTS]);
    steps
}

#[test]
fn a_killed_run_resumes_with_its_checkpoint_and_metrics_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut reached = 0;
    for instant in instants(30) {
        let child = start("train", folder.path());
        thread::sleep(instant);
        kill(child);

        let store = Store::open(folder.path()).unwrap();
        let metrics = store.run(ID).metrics::<usize>().unwrap();
        assert!(metrics.iter().copied().eq(0..metrics.len()), "{metrics:?}");
        let Some(mut run) = store.resume(ID, "spec").unwrap() else { continue };
        let checkpoint = newest(&run.dir().clone());
        let steps = steps(&checkpoint);
        assert!(steps >= reached && steps <= metrics.len(), "{reached} {steps} {}", metrics.len());
        run.go_on_from(&checkpoint).unwrap();
        reached = steps;
    }
    assert!(reached > 0, "no child lived to write a checkpoint");
}

/// Mounts a small file system of its own over `folder`, and runs the child in it; `None` where that is not
/// allowed.
fn in_small_file_system(options: &str, role: &str, folder: &Path) -> Option<bool> {
    let allowed = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs"])
        .arg(folder)
        .stderr(Stdio::null())
        .status();
    if !allowed.is_ok_and(|status| status.success()) {
        // Continuous integration insists.
        assert!(env::var_os("INKLING_MUST_MOUNT").is_none(), "this machine lets no test mount a file system");
        io::stderr().write_all(b"skipped: this machine does not let a test mount a file system\n").unwrap();
        return None;
    }
    let script = format!(r#"mount -t tmpfs -o {options} tmpfs "${FOLDER}" && exec "$@""#);
    let unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"];
    Some(command(&unshare, role, folder).status().unwrap().success())
}

#[test]
fn a_read_only_folder_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(success) = in_small_file_system("ro", "refused", folder.path()) {
        assert!(success, "see the child's message above");
    }
}

fn refused(out: &Path) {
    for out in [out.to_owned(), out.join("new folder")] {
        let error = Store::open(&out).unwrap_err();
        assert_eq!(error.class(), ErrorClass::CannotWrite);
        let StoreError::CannotWrite { path, source } = &error else { panic!("{error:?}") };
        assert!(path.starts_with(&out));
        assert_eq!(source.kind(), io::ErrorKind::ReadOnlyFilesystem);
    }
}

#[test]
fn a_full_disk_loses_nothing_that_was_finished_and_the_same_calls_go_on() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(success) = in_small_file_system("size=512k", "full", folder.path()) {
        assert!(success, "see the child's message above");
    }
}

fn full(out: &Path) {
    let ballast = out.join("ballast");
    let store = Store::open(out).unwrap();
    store.begin("first", "spec").unwrap().finish(&Metadata::new()).unwrap();
    fs::write(&ballast, vec![0; 300_000]).unwrap();

    let weights = vec![1.5_f32; 60_000];
    let second = |store: &Store| {
        let run = store.begin("second", "spec")?;
        run.write_tensors(TensorFile::Model, &[Tensor::new("w", &[60_000], &weights)], &Metadata::new())?;
        run.finish(&Metadata::new())
    };
    let error = second(&store).unwrap_err();
    assert!(
        matches!(&error, StoreError::DiskFull { path, .. } if path.ends_with("model.safetensors")),
        "{error:?}"
    );
    assert_eq!(error.class(), ErrorClass::CannotWrite);
    drop(store);

    let store = Store::open(out).unwrap();
    assert!(store.run("first").finished::<Metadata>().unwrap().is_some());
    assert!(store.run("second").finished::<Metadata>().unwrap().is_none());
    let names = fs::read_dir(store.run("second").path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["spec.json"]);
    fs::remove_file(ballast).unwrap();
    second(&store).unwrap();
    assert!(store.run("second").finished::<Metadata>().unwrap().is_some());
}
