//! Claims: processes that race for runs, are killed or suspended at any instant, or are gone with their host.
//!
//! Each test starts this same executable again with [`child`] as its only test and a role in the environment. `INKLING_RACES`
//! and `INKLING_KILLS` ask for more of either.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use inkling_store::{
    ClaimRule, ErrorClass, Metadata, Pulse, Reader, RunDir, RunWriter, Store, StoreError, Tensor, TensorFile,
    Watch,
};
use serde::{Deserialize, Serialize};

const ROLE: &str = "INKLING_STORE_TEST_ROLE";
const FOLDER: &str = "INKLING_STORE_TEST_FOLDER";
/// Hours by which the child's clock is wrong.
const CLOCK: &str = "INKLING_STORE_TEST_CLOCK";
const RUNS: &str = "INKLING_STORE_TEST_RUNS";
const PROCESSES: usize = 8;
const SPEC: &str = "spec";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Outcome {
    sum: u64,
}

/// What a child noted of what it did: one file for all, to which each line is appended at once.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Note {
    /// It did all the work of a run.
    Worked,
    /// It published a run.
    Published,
}

#[test]
#[ignore = "the other tests run it as a child process"]
fn child() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let runs = env::var(RUNS).unwrap().parse().unwrap();
    match env::var(ROLE).as_deref() {
        Ok("race") => do_all(&folder, runs, &quick),
        Ok("train") => do_all(&folder, runs, &train),
        role => panic!("no such role: {role:?}"),
    }
}

/// The time of day, wrong by as many hours as the environment says.
fn clock() -> String {
    let hours: i64 = env::var(CLOCK).ok().and_then(|hours| hours.parse().ok()).unwrap_or(0);
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 + 3600 * hours;
    let of_day = seconds.rem_euclid(86_400);
    format!("2026-01-01T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// A rule for the impatient.
fn rule() -> ClaimRule {
    ClaimRule { renew_every: Duration::from_millis(50), stale_after: Duration::from_millis(400), clock }
}

fn join(folder: &Path) -> Store {
    Store::join(folder).unwrap().with_claims(rule())
}

fn id(number: usize) -> String {
    format!("{number:016x}")
}

fn start(role: &str, folder: &Path, runs: usize, hours: i64) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--ignored", "--nocapture"]).env(ROLE, role).env(FOLDER, folder);
    command.env(RUNS, runs.to_string()).env(CLOCK, hours.to_string());
    command.stdout(Stdio::null()).spawn().unwrap()
}

fn note(folder: &Path, note: Note, id: &str) {
    let mut log = OpenOptions::new().append(true).create(true).open(folder.join("log")).unwrap();
    log.write_all(format!("{note:?} {id} {}\n", process::id()).as_bytes()).unwrap();
}

/// How often each run was worked on to its end, or published.
fn noted(folder: &Path, wanted: &Note) -> BTreeMap<String, usize> {
    let log = fs::read_to_string(folder.join("log")).unwrap();
    let mut counts = BTreeMap::new();
    for line in log.lines().filter(|line| line.starts_with(&format!("{wanted:?} "))) {
        *counts.entry(line.split(' ').nth(1).unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// Does a run of this id, unless another process does.
type Work<'a> = &'a dyn Fn(&Store, &str) -> Result<Option<()>, StoreError>;

/// Does every run that nobody else does, until all are finished.
fn do_all(folder: &Path, runs: usize, work: Work) {
    let store = join(folder);
    loop {
        let mut left = 0;
        for number in 0..runs {
            let id = id(number);
            if matches!(store.run(&id).result::<Outcome>(), Ok(Some(_))) {
                continue;
            }
            left += 1;
            match work(&store, &id) {
                Ok(Some(())) => note(folder, Note::Published, &id),
                Ok(None) => {}
                Err(
                    StoreError::Claimed { .. }
                    | StoreError::ClaimLost { .. }
                    | StoreError::AlreadyFinished { .. },
                ) => {}
                // Another process took the run over, and with it the folder of this attempt.
                Err(StoreError::CannotWrite { source, .. } | StoreError::Io { source, .. })
                    if source.kind() == ErrorKind::NotFound => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        if left == 0 {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// A run of which nothing is left but its end.
fn quick(store: &Store, id: &str) -> Result<Option<()>, StoreError> {
    let run = store.begin(id, SPEC)?;
    run.write_tensors(TensorFile::Model, &[Tensor::new("w", &[1], &[1.0_f32])], &Metadata::new())?;
    note(store.reader().path(), Note::Worked, id);
    run.finish(&Outcome { sum: u64::from(process::id()) })?;
    Ok(Some(()))
}

const STEPS: u64 = 30;

/// A run whose end depends on every step, with a checkpoint after each.
fn train(store: &Store, id: &str) -> Result<Option<()>, StoreError> {
    let (mut run, mut step, mut sum) = match store.resume(id, SPEC)? {
        Some(mut run) => match gone_on(&mut run)? {
            Some((step, sum)) => (run, step, sum),
            None => return Ok(None),
        },
        None => (store.begin(id, SPEC)?, 0, u64::from_str_radix(id, 16).unwrap()),
    };
    while step < STEPS {
        step += 1;
        sum = next_sum(sum, step);
        run.append_metrics(&(step, sum))?;
        let state = Metadata::from([("step".into(), step.to_string()), ("sum".into(), sum.to_string())]);
        run.write_checkpoint(&[], &state)?;
        thread::sleep(Duration::from_millis(2));
    }
    run.finish(&Outcome { sum })?;
    Ok(Some(()))
}

fn next_sum(sum: u64, step: u64) -> u64 {
    sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step)
}

/// The state to go on from; none where another process has taken the attempt's files.
fn gone_on(run: &mut RunWriter) -> Result<Option<(u64, u64)>, StoreError> {
    let dir: RunDir = run.dir().clone();
    let Some(checkpoint) = dir.checkpoints().next() else { return Ok(None) };
    let checkpoint = checkpoint?;
    run.go_on_from(&checkpoint)?;
    let number = |key: &str| checkpoint.tensors().metadata(key).unwrap().parse::<u64>().unwrap();
    Ok(Some((number("step"), number("sum"))))
}

fn asked(variable: &str, usual: usize) -> usize {
    env::var(variable).map_or(usual, |count| count.parse().unwrap())
}

#[test]
fn of_processes_that_race_for_a_run_one_does_it_whatever_their_clocks_say() {
    let races = asked("INKLING_RACES", 100);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    drop(Store::open(out).unwrap());
    let children: Vec<Child> =
        (0..PROCESSES).map(|process| start("race", out, races, [-1, 1][process % 2])).collect();
    // A finished run stays as it was when it was seen first.
    let mut seen: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut look = || {
        for number in 0..races {
            let id = id(number);
            if let Ok(bytes) = fs::read(out.join("runs").join(&id).join("result.json")) {
                let first = seen.entry(id).or_insert_with(|| bytes.clone());
                assert!(*first == bytes, "a finished run was overwritten");
            }
        }
        seen.len()
    };
    for mut child in children {
        while child.try_wait().unwrap().is_none() {
            look();
            thread::sleep(Duration::from_millis(5));
        }
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(look(), races);
    for what in [Note::Worked, Note::Published] {
        let counts = noted(out, &what);
        assert_eq!(counts.len(), races, "{what:?}");
        assert!(counts.values().all(|&count| count == 1), "{what:?}: {counts:?}");
    }
    // Nothing is left of the work.
    let names = fs::read_dir(out.join("runs")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn workers_that_are_killed_or_suspended_at_any_instant_end_with_the_bits_of_one() {
    let kills = asked("INKLING_KILLS", 24);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    drop(Store::open(out).unwrap());
    // Runs enough to be killed in.
    let runs = kills * 3;
    let signal = |child: &Child, name: &str| {
        let _ = Command::new("kill").args([name, &child.id().to_string()]).status();
    };
    let mut children: Vec<Child> = Vec::new();
    let mut random = 1_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let (mut killed, mut suspended) = (0, 0);
    while killed < kills {
        while children.len() < 4 {
            children.push(start("train", out, runs, next(3) as i64 - 1));
        }
        thread::sleep(Duration::from_millis(next(120)));
        let mut child = children.swap_remove(next(4) as usize);
        if killed % 4 == 3 {
            // Longer than its claim holds, as a computer that sleeps.
            signal(&child, "-STOP");
            suspended += 1;
            thread::sleep(Duration::from_millis(700));
            signal(&child, "-CONT");
            children.push(child);
        } else {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        killed += 1;
    }
    assert!(children.iter_mut().any(|child| child.try_wait().unwrap().is_none()), "all was done too soon");
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    do_all(out, runs, &train);

    let reader = Reader::open(out).unwrap();
    for number in 0..runs {
        let run = reader.run(&id(number));
        let lines: Vec<(u64, u64)> = (1..=STEPS)
            .scan(number as u64, |sum, step| {
                *sum = next_sum(*sum, step);
                Some((step, *sum))
            })
            .collect();
        let sum = lines.last().unwrap().1;
        assert_eq!(run.finished::<Outcome>().unwrap(), Some(Outcome { sum }), "run {number}");
        assert_eq!(run.metrics::<(u64, u64)>().unwrap(), lines, "run {number}");
    }
    let published = noted(out, &Note::Published);
    assert!(published.values().all(|&count| count == 1), "{published:?}");
    let text = format!("{killed} kills and suspensions ({suspended}), {runs} runs ended as alone\n");
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// A claim as another host would write it.
fn claim_of_elsewhere(out: &Path, id: &str, stale_after: f64, renewals: u64) -> PathBuf {
    let work = out.join("runs").join(format!(".{id}.work"));
    fs::create_dir_all(&work).unwrap();
    let claimant = serde_json::json!({
        "pid": process::id(), "host": "elsewhere", "version": "0", "since": "2031-01-01T00:00:00Z", "boot": "another",
        "token": "0123456789abcdef", "namespace": "pid:[1]", "stale_after": stale_after,
    });
    let path = work.join("claim-1");
    fs::write(&path, format!("{claimant}\nrenewal {renewals:010} 2031-01-01T00:00:00Z\n")).unwrap();
    path
}

#[test]
fn a_claim_of_a_host_that_is_gone_is_taken_over_once_it_was_watched_for_as_long_as_it_states() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    drop(Store::open(out).unwrap());
    claim_of_elsewhere(out, &id(1), 0.5, 7);
    let store = join(out);
    let start = Instant::now();
    let run = loop {
        match store.begin(&id(1), SPEC) {
            Ok(run) => break run,
            Err(error @ StoreError::Claimed { lives: false, .. }) => {
                assert_eq!(error.class(), ErrorClass::TryAgain);
                assert!(error.to_string().contains("on elsewhere (version 0) since 2031"), "{error}");
                thread::sleep(Duration::from_millis(10));
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    assert!(start.elapsed() >= Duration::from_millis(500));
    assert_eq!(run.attempt(), 2);
    run.finish(&Outcome { sum: 1 }).unwrap();
}

#[test]
fn a_claim_that_is_renewed_on_another_host_is_never_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    drop(Store::open(out).unwrap());
    let store = join(out);
    let start = Instant::now();
    let (mut renewals, mut lived) = (0, false);
    while start.elapsed() < Duration::from_millis(1500) {
        renewals += 1;
        // Its clock stands still.
        claim_of_elsewhere(out, &id(1), 0.4, renewals);
        match store.begin(&id(1), SPEC) {
            Err(StoreError::Claimed { lives, .. }) => lived |= lives,
            other => panic!("{other:?}"),
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert!(lived);
    // What a reader says of it.
    let (reader, watch) = (Reader::open(out).unwrap(), Watch::default());
    let look = || reader.pulse(&id(1), &reader.claim(&id(1)).unwrap().unwrap(), &watch);
    assert_eq!(look(), Pulse::Unknown);
    claim_of_elsewhere(out, &id(1), 0.4, renewals + 1);
    assert_eq!(look(), Pulse::Lives);
    thread::sleep(Duration::from_millis(450));
    assert_eq!(look(), Pulse::Gone);
}

#[test]
fn a_run_is_one_writers_and_given_back_when_it_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let (store, other) = (Store::open(folder.path()).unwrap(), join(folder.path()));
    let run = store.begin(&id(1), SPEC).unwrap();
    assert!(matches!(other.begin(&id(1), SPEC), Err(StoreError::Claimed { .. })));
    drop(run);
    let run = other.begin(&id(1), SPEC).unwrap();
    run.finish(&Outcome { sum: 1 }).unwrap();
    assert!(matches!(store.begin(&id(1), SPEC), Err(StoreError::AlreadyFinished { .. })));
    assert!(store.run(&id(1)).finished::<Outcome>().unwrap().is_some());
}

#[test]
fn what_was_finished_right_before_a_kill_is_published_and_not_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.begin(&id(1), SPEC).unwrap().finish(&Outcome { sum: 5 }).unwrap();
    let home = store.run(&id(1)).path();
    let work = folder.path().join("runs").join(format!(".{}.work", id(1)));
    fs::create_dir(&work).unwrap();
    fs::rename(&home, work.join("attempt-3-0123456789abcdef")).unwrap();
    assert_eq!(store.run(&id(1)).finished::<Outcome>().unwrap(), None);
    assert!(matches!(store.begin(&id(1), SPEC), Err(StoreError::AlreadyFinished { .. })));
    assert_eq!(store.run(&id(1)).finished::<Outcome>().unwrap(), Some(Outcome { sum: 5 }));
    assert!(home.join("result.json").exists() && !work.exists());
}

#[test]
fn a_run_that_an_older_program_left_unfinished_in_its_place_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut run = store.begin(&id(1), SPEC).unwrap();
    run.append_metrics(&1).unwrap();
    run.write_checkpoint(&[], &Metadata::new()).unwrap();
    drop(run);
    let home = folder.path().join("runs").join(id(1));
    fs::rename(store.run(&id(1)).path(), &home).unwrap();
    fs::remove_dir_all(folder.path().join("runs").join(format!(".{}.work", id(1)))).unwrap();
    fs::write(home.join("notes.txt"), "a person's").unwrap();

    let mut run = store.resume(&id(1), SPEC).unwrap().unwrap();
    let checkpoint = run.dir().checkpoints().next().unwrap().unwrap();
    run.go_on_from(&checkpoint).unwrap();
    run.append_metrics(&2).unwrap();
    run.finish(&Outcome { sum: 1 }).unwrap();
    assert_eq!(store.run(&id(1)).metrics::<u32>().unwrap(), [1, 2]);
    assert!(home.join("notes.txt").exists());
}

#[test]
fn a_failure_is_noted_until_the_next_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let failure = || store.reader().failure::<String>(&id(1)).unwrap();
    assert_eq!(failure(), None);
    drop(store.begin(&id(1), SPEC).unwrap());
    store.note_failure(&id(1), "no such layer").unwrap();
    assert_eq!(failure().as_deref(), Some("no such layer"));
    let run = store.begin(&id(1), SPEC).unwrap();
    assert_eq!(failure(), None);
    drop(run);
}
