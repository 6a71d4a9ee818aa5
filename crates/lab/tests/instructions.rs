//! A run that was begun with other instructions does not go on from where they left: it would end with bits of neither.
//! A test executable of its own, because the choice of instructions is the whole process's.

mod common;

use std::io::Write;

use common::{Ear, dir, planned, set, train_in, training};
use inkling_engine::Path;
use inkling_lab::LabError;
use inkling_spec::found::{RunResult, TrainOutcome};

#[test]
fn other_instructions_begin_anew_and_say_so() {
    let Some(fast) = Path::ALL.into_iter().find(|path| *path != Path::Portable && path.is_available()) else {
        let why = "skipped: this processor has no instructions but the portable ones\n";
        std::io::stderr().write_all(why.as_bytes()).unwrap();
        return;
    };
    let set = set(150, 60);
    let run = planned(&set, training(4));
    let folder = tempfile::tempdir().unwrap();
    fast.force();
    let interrupted = train_in(folder.path(), &run, &set, &Ear::until(26));
    assert!(matches!(interrupted, Err(LabError::Interrupted)));

    Path::Portable.force();
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    let unfit = ear.all("UnfitCheckpoint");
    let words = format!("it was made with {}, and this run computes with portable", fast.name());
    assert!(unfit.len() == 2 && unfit.iter().all(|event| event.contains(&words)), "{unfit:?}");
    assert_eq!(ear.count("BegunAnew"), 1);
    let result: RunResult<TrainOutcome> = dir(folder.path(), &run).finished().unwrap().unwrap();
    assert_eq!((result.machine.instructions.as_str(), result.outcome.epochs.len()), ("portable", 4));
}
