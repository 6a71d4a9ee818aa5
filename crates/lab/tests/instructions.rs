//! A run that was begun with some instructions goes on with others only where both end with the same bits, or where that
//! was asked for. A test executable of its own, because the choice of instructions is the whole process's.
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod common;

use std::fs;

use common::{Ear, dir, finished, planned, set, train_in, training, uninterrupted};
use inkling_data::Sources;
use inkling_engine::Isa;
use inkling_lab::{LabError, StudyOptions, run_study};
use inkling_schema::outcome::{RunResult, StudyRecord, TrainOutcome};
use inkling_schema::{Study, Task, preset};
use inkling_store::Store;

/// The choice of instructions is the process's, so the cases come one after the other.
#[test]
fn instructions_are_never_mixed_unasked() {
    let Some(fast) = Isa::ALL.into_iter().find(|path| *path != Isa::Portable && path.is_available()) else {
        eprintln!("skipped: this processor has the portable instructions alone");
        return;
    };
    an_unfinished_run_is_refused_and_kept(fast);
    instructions_with_the_same_bits_go_on();
    a_study_with_finished_runs_is_refused_until_it_is_asked_for(fast);
}

fn an_unfinished_run_is_refused_and_kept(fast: Isa) {
    let set = set(150, 60);
    let run = planned(&set, training(4));
    let folder = tempfile::tempdir().unwrap();
    fast.set_default();
    let interrupted = train_in(folder.path(), &run, &set, &Ear::until(26));
    assert!(matches!(interrupted, Err(LabError::Interrupted)));
    let checkpoint = || fs::read(dir(folder.path(), &run).path().join("checkpoint.safetensors")).unwrap();
    let before = checkpoint();

    Isa::Portable.set_default();
    let refused = train_in(folder.path(), &run, &set, &Ear::new()).unwrap_err();
    let words = format!("cnn small was computed with {} instructions", fast.name());
    assert!(refused.to_string().starts_with(&words), "{refused}");
    assert!(checkpoint() == before);

    fast.set_default();
    train_in(folder.path(), &run, &set, &Ear::new()).unwrap();
    let result: RunResult<TrainOutcome> = dir(folder.path(), &run).finished().unwrap().unwrap();
    assert_eq!((result.machine.instructions.as_str(), result.outcome.epochs.len()), (fast.name(), 4));
    assert!(finished(&dir(folder.path(), &run)) == uninterrupted(&run, &set));
}

fn instructions_with_the_same_bits_go_on() {
    if !(Isa::Avx512.is_available() && Isa::Avx2.is_available()) {
        eprintln!("skipped in part: this processor has one kind of vector instructions");
        return;
    }
    let set = set(150, 60);
    let run = planned(&set, training(4));
    let folder = tempfile::tempdir().unwrap();
    Isa::Avx512.set_default();
    train_in(folder.path(), &run, &set, &Ear::until(21)).unwrap_err();
    Isa::Avx2.set_default();
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    assert_eq!((ear.count("Resumed"), ear.count("UnfitCheckpoint")), (1, 0));
    let result: RunResult<TrainOutcome> = dir(folder.path(), &run).finished().unwrap().unwrap();
    // Both are named, the one that ended the run last.
    let origins = result.origins();
    let names: Vec<&str> = origins.iter().map(|origin| origin.machine.instructions.as_str()).collect();
    assert_eq!(names, ["avx512", "avx2"]);
    assert!(finished(&dir(folder.path(), &run)) == uninterrupted(&run, &set));
}

/// Two small networks.
fn study() -> Study {
    let mut study = preset("smoke").unwrap();
    (study.data.train_images, study.data.test_images) = (300, 100);
    study.keep_only(&[Task::Mlp]);
    let mlp = study.mlp.as_mut().unwrap();
    mlp.networks.truncate(2);
    mlp.training.epochs = 1;
    study
}

fn a_study_with_finished_runs_is_refused_until_it_is_asked_for(fast: Isa) {
    let folder = tempfile::tempdir().unwrap();
    let start = |study: &Study, options: &StudyOptions, ear: &Ear| {
        let store = Store::open(folder.path()).unwrap();
        let done = run_study(study, "test", &store, &Sources::new(None), options, ear);
        let record = store.reader().json::<StudyRecord>("study.json").unwrap().unwrap();
        (done, record.machine.instructions)
    };
    let (unasked, mixing) =
        (StudyOptions::default(), StudyOptions { mix_instructions: true, ..StudyOptions::default() });
    let mut first = study();
    first.mlp.as_mut().unwrap().networks.truncate(1);
    fast.set_default();
    start(&first, &unasked, &Ear::new()).0.unwrap();

    Isa::Portable.set_default();
    // Nothing is left to compute, so nothing can mix, and nothing is relabelled.
    let (done, instructions) = start(&first, &unasked, &Ear::new());
    assert_eq!((done.is_ok(), instructions.as_str()), (true, fast.name()));
    let (refused, instructions) = start(&study(), &unasked, &Ear::new());
    assert!(matches!(refused, Err(LabError::OtherInstructions { .. })), "{refused:?}");
    assert_eq!(instructions, fast.name());
    let ear = Ear::new();
    let (done, instructions) = start(&study(), &mixing, &ear);
    assert_eq!((done.is_ok(), instructions.as_str()), (true, "portable"));
    assert_eq!((ear.count("Skipped"), ear.count("Finished")), (3, 2));
}
