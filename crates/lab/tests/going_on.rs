//! Training runs that go on: within an epoch, from a shorter training, from what damage left.

mod common;

use std::fs;

use common::{
    Ear, chance_set, dir, finished, planned, set, train_in, training, uninterrupted, with_validation,
};
use inkling_data::DataSet;
use inkling_schema::outcome::PlannedRun;
use inkling_schema::{Schedule, TrainingSpec};

const NEWEST: &str = "checkpoint.safetensors";

/// A training whose schedule does not depend on its length.
fn constant(set: &DataSet, epochs: usize) -> PlannedRun {
    planned(set, TrainingSpec { schedule: Schedule::Constant, ..training(epochs) })
}

#[test]
fn a_checkpoint_within_an_epoch_goes_on_to_the_same_bits() {
    let (plain, chance) = (set(150, 100), chance_set(150, 100));
    let (four, nine) = (planned(&plain, training(4)), with_validation(&chance, 9, None));
    for (run, set) in [(four, plain), (nine, chance)] {
        let whole = uninterrupted(&run, &set);
        let folder = tempfile::tempdir().unwrap();
        // Three steps a sitting: most end within an epoch, some between two.
        let mut steps = 0;
        for sitting in 0.. {
            let ear = Ear::until(3).that_keeps_all();
            let done = train_in(folder.path(), &run, &set, &ear);
            assert_eq!((ear.count("UnfitCheckpoint"), ear.count("BegunAnew")), (0, 0));
            let resumed = ear.all("Resumed");
            // An interrupted training goes on until no weight waits, from the 24th step on for a few steps.
            let goes_on = |more: usize| resumed[0].contains(&format!("steps: {},", steps + more));
            let more = if sitting == 0 { 0 } else { (3..=6).find(|&more| goes_on(more)).expect("steps") };
            assert!(more < 4 || steps > 20, "{steps}: {resumed:?}");
            steps += more;
            if done.is_ok() {
                break;
            }
        }
        assert!(finished(&dir(folder.path(), &run)) == whole);
    }
}

#[test]
fn an_interruption_while_an_epoch_is_judged_costs_none_of_its_steps() {
    let set = set(150, 100);
    let run = planned(&set, training(2));
    let folder = tempfile::tempdir().unwrap();
    assert!(train_in(folder.path(), &run, &set, &Ear::until(8)).is_err());
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    assert!(ear.all("Resumed")[0].contains("epochs: 0, steps: 8, within_an_epoch: true"));
    assert!(finished(&dir(folder.path(), &run)) == uninterrupted(&run, &set));
}

#[test]
fn a_damaged_checkpoint_within_an_epoch_falls_back_to_the_last_whole_epoch() {
    let set = set(150, 100);
    let run = planned(&set, training(3));
    let folder = tempfile::tempdir().unwrap();
    train_in(folder.path(), &run, &set, &Ear::until(13).that_keeps_all()).unwrap_err();
    let path = dir(folder.path(), &run).path().join(NEWEST);
    fs::write(&path, "torn").unwrap();
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    assert_eq!(ear.count("UnfitCheckpoint"), 1);
    assert!(ear.all("Resumed")[0].contains("epochs: 1, steps: 8, within_an_epoch: false"));
    assert!(finished(&dir(folder.path(), &run)) == uninterrupted(&run, &set));
}

#[test]
fn more_epochs_go_on_from_the_finished_run_to_the_same_bits() {
    let set = set(150, 100);
    let folder = tempfile::tempdir().unwrap();
    let (two, three, five) = (constant(&set, 2), constant(&set, 3), constant(&set, 5));
    train_in(folder.path(), &two, &set, &Ear::new()).unwrap();
    train_in(folder.path(), &three, &set, &Ear::new()).unwrap();
    let short = finished(&dir(folder.path(), &three));
    let ear = Ear::new();
    train_in(folder.path(), &five, &set, &ear).unwrap();
    // From the longer of the two, and the shorter runs stay what they were.
    assert_eq!(ear.all("Continued"), ["Continued { title: \"cnn small\", epochs: 3, steps: 24 }"]);
    assert_eq!(ear.count("Advanced"), 2 * 8);
    assert!(finished(&dir(folder.path(), &five)) == uninterrupted(&five, &set));
    assert!(finished(&dir(folder.path(), &three)) == short);
    assert!(short == uninterrupted(&three, &set));

    // Stopped right after it took over, it is resumed like any other.
    let six = constant(&set, 6);
    train_in(folder.path(), &six, &set, &Ear::until(1)).unwrap_err();
    train_in(folder.path(), &six, &set, &Ear::new()).unwrap();
    assert!(finished(&dir(folder.path(), &six)) == uninterrupted(&six, &set));
}

#[test]
fn a_finished_run_that_is_damaged_is_mended_from_its_last_checkpoint() {
    let set = set(150, 100);
    let run = constant(&set, 3);
    let whole = uninterrupted(&run, &set);
    for (name, is_trained_again) in
        [("model.safetensors", false), ("arrays.safetensors", false), ("metrics.jsonl", true)]
    {
        let folder = tempfile::tempdir().unwrap();
        train_in(folder.path(), &run, &set, &Ear::new()).unwrap();
        let path = dir(folder.path(), &run).path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let ear = Ear::new();
        train_in(folder.path(), &run, &set, &ear).unwrap();
        assert_eq!((ear.count("Damaged"), ear.count("Advanced") > 0), (1, is_trained_again), "{name}");
        assert!(finished(&dir(folder.path(), &run)) == whole, "{name}");
    }
}

#[test]
fn the_result_of_another_run_is_not_taken_for_ones_own() {
    let set = set(150, 100);
    let folder = tempfile::tempdir().unwrap();
    let (one, other) =
        (constant(&set, 1), planned(&set, TrainingSpec { learning_rate: 0.02, ..training(1) }));
    for run in [&one, &other] {
        train_in(folder.path(), run, &set, &Ear::new()).unwrap();
    }
    let [from, to] = [&one, &other].map(|run| dir(folder.path(), run).path().to_owned());
    for file in fs::read_dir(&from).unwrap() {
        let name = file.unwrap().file_name();
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
    let ear = Ear::new();
    train_in(folder.path(), &other, &set, &ear).unwrap();
    assert!(ear.all("Damaged")[0].contains("holds the result of another run"), "{:?}", ear.all("Damaged"));
    assert!(finished(&dir(folder.path(), &other)) == uninterrupted(&other, &set));
}

#[test]
fn more_epochs_begin_anew_and_say_why_where_they_cannot_go_on() {
    let set = set(150, 100);
    let folder = tempfile::tempdir().unwrap();
    let says = |run: &PlannedRun, words: &str| {
        let ear = Ear::new();
        train_in(folder.path(), run, &set, &ear).unwrap();
        let found = ear.all("NotContinued");
        assert!(found.len() == 1 && found[0].contains(words), "{found:?}");
        assert_eq!(ear.count("Continued"), 0);
        assert!(finished(&dir(folder.path(), run)) == uninterrupted(run, &set));
    };
    train_in(folder.path(), &planned(&set, training(2)), &set, &Ear::new()).unwrap();
    says(&planned(&set, training(3)), "depends on the number of epochs");

    let two = constant(&set, 2);
    train_in(folder.path(), &two, &set, &Ear::new()).unwrap();
    fs::remove_file(dir(folder.path(), &two).path().join(NEWEST)).unwrap();
    says(&constant(&set, 3), "gone or damaged");
    // Fewer epochs are none of more, and other data is another run.
    let ear = Ear::new();
    train_in(folder.path(), &constant(&set, 1), &set, &ear).unwrap();
    let other = DataSet { checksum: "another".into(), ..common::set(150, 100) };
    train_in(folder.path(), &constant(&other, 4), &other, &ear).unwrap();
    assert_eq!(ear.count("Continued") + ear.count("NotContinued"), 0);
}
