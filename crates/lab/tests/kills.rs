//! A run killed with SIGKILL at any instant and resumed ends with the same bits as one never interrupted.
//!
//! The test starts this same executable again with [`child`] as its only test, kills it, and starts it again, until
//! the run is done; some of the kills wait for a checkpoint to be in writing.
#![cfg(unix)]

mod common;

use std::env;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Ear, chance_set, dir, finished, train_in, training, two_headed, uninterrupted};
use inkling_data::DataSet;
use inkling_engine::random::RngStream;
use inkling_schema::outcome::PlannedRun;
use inkling_schema::{TrainingSpec, ValidationSpec, Weighting};
use inkling_store::RunDir;

const FOLDER: &str = "INKLING_LAB_TEST_FOLDER";
const SIGKILL: i32 = 9;
/// Kills at instants of chance, and kills while a file is in writing.
const KILLS: [usize; 2] = [130, 70];

/// Dropout, batch normalisation, a cosine, the weights of an early best epoch, trained weights of two losses: all that a
/// checkpoint has to carry.
fn run() -> (DataSet, PlannedRun) {
    let set = chance_set(150, 50);
    let validation = Some(ValidationSpec { images: 30, own: false, patience: None });
    let weighting = Weighting::Uncertainty { learning_rate: 0.01 };
    let run = two_headed(&set, TrainingSpec { validation, ..training(150) }, weighting);
    (set, run)
}

#[test]
#[ignore = "the other test runs it as a child process"]
fn child() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let (set, run) = run();
    // A checkpoint after every step, so that most kills come within an epoch.
    train_in(&folder, &run, &set, &Ear::new().that_keeps_all()).unwrap();
}

fn start(folder: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--ignored", "--nocapture"]).env(FOLDER, folder);
    command.env("RAYON_NUM_THREADS", "2").stdout(Stdio::null()).spawn().unwrap()
}

/// Kills a child; whether it lived until then.
fn kill(mut child: Child) -> bool {
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(status.success() || status.signal() == Some(SIGKILL), "the child failed: {status}");
    !status.success()
}

/// The temporary files in a folder.
fn in_writing(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "tmp"))
        .collect()
}

/// Waits until a file is in writing in a run's folder, or until the child has ended.
fn wait_for_writing(child: &mut Child, dir: &RunDir) {
    while in_writing(&dir.path()).is_empty() && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
}

/// Whether a kill left a checkpoint half written: a temporary file that is not yet any other file of the run.
fn left_a_checkpoint(folder: &Path) -> bool {
    let begun = folder.join("spec.json").exists() && !folder.join("model.safetensors").exists();
    let is_checkpoint = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.is_empty() || bytes.windows(8).any(|window| window == b"standing")
    };
    begun && in_writing(folder).iter().any(is_checkpoint)
}

#[test]
fn a_run_killed_at_any_instant_ends_with_the_same_bits() {
    let (set, run) = run();
    let whole = uninterrupted(&run, &set);
    let mut stream = RngStream::new(1, "kills");
    let (mut left, mut sittings, mut runs, mut torn) = (KILLS, 0, 0, 0);
    while left.iter().any(|&kills| kills > 0) {
        let folder = tempfile::tempdir().unwrap();
        let place = dir(folder.path(), &run);
        loop {
            sittings += 1;
            let mut child = start(folder.path());
            let in_checkpoint = left[0] == 0 || left[1] > 0 && stream.random_range(2) == 0;
            let instant = Duration::from_micros(u64::from(stream.random_range(if in_checkpoint {
                30_000
            } else {
                60_000
            })));
            let started = Instant::now();
            while started.elapsed() < instant && child.try_wait().unwrap().is_none() {
                thread::sleep(Duration::from_micros(200));
            }
            if in_checkpoint {
                wait_for_writing(&mut child, &place);
            }
            let killed = kill(child);
            if !killed {
                break;
            }
            let kind = usize::from(in_checkpoint);
            left[kind] = left[kind].saturating_sub(1);
            torn += usize::from(left_a_checkpoint(&place.path()));
            if left == [0; 2] {
                train_in(folder.path(), &run, &set, &Ear::new()).unwrap();
                break;
            }
        }
        runs += 1;
        assert!(finished(&dir(folder.path(), &run)) == whole, "run {runs}, {left:?} kills left");
    }
    let kills: usize = KILLS.iter().sum();
    assert!(
        torn >= 10,
        "{torn} of {kills} kills left a checkpoint half written, in {sittings} sittings of {runs} runs"
    );
    // Said even where the test passes: how many kills hit a checkpoint in writing depends on the machine.
    let _ = std::io::Write::write_all(
        &mut std::io::stdout(),
        format!("{kills} kills, {torn} within a checkpoint's writing, {runs} runs ended alike\n").as_bytes(),
    );
}
