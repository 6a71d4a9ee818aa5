//! Trainings of a sweep: the bits of any training, and no test image seen.

mod common;

use std::fs;
use std::path::Path;

use common::{Ear, dir, finished, planned, set, train_in, training, two_headed, weights, with_validation};
use inkling_data::DataSet;
use inkling_schema::outcome::{PlannedRun, RunResult, TrialOutcome};
use inkling_schema::{DataSlice, RunSpec, Schedule, TrainRun, TrainingSpec, ValidationSpec, Weighting};

/// The same network as a training of a sweep.
fn trial(run: &PlannedRun, set: &DataSet) -> PlannedRun {
    let RunSpec::Train(spec) = &run.spec else { unreachable!("a training") };
    let data = DataSlice { test_images: 0, ..spec.data.clone() };
    let spec = RunSpec::Trial(TrainRun { data, ..spec.clone() });
    PlannedRun::new(spec.id(&set.checksum), run.task, "trial", spec)
}

fn outcome(out: &Path, run: &PlannedRun) -> TrialOutcome {
    let result: RunResult<TrialOutcome> = dir(out, run).finished().unwrap().unwrap();
    TrialOutcome { train_seconds: 0.0, ..result.outcome }
}

fn model(out: &Path, run: &PlannedRun) -> Vec<u8> {
    fs::read(dir(out, run).path().join("model.safetensors")).unwrap()
}

#[test]
fn a_trial_ends_with_the_weights_of_the_training_and_knows_of_no_test_image() {
    let (set, folder) = (set(150, 300), tempfile::tempdir().unwrap());
    for patience in [None, Some(1)] {
        let run = with_validation(&set, 4, patience);
        let trial = trial(&run, &set);
        assert_ne!(run.id, trial.id);
        let ear = Ear::new();
        train_in(folder.path(), &run, &set, &Ear::new()).unwrap();
        train_in(folder.path(), &trial, &set, &ear).unwrap();
        let (tested, tried) = (finished(&dir(folder.path(), &run)), outcome(folder.path(), &trial));
        assert_eq!((ear.count("Epoch"), ear.count("Trial")), (0, tried.epochs.len()));
        assert_eq!(weights(&tested.model), weights(&model(folder.path(), &trial)));
        assert_eq!((tested.outcome.best_epoch, tested.outcome.weights), (tried.best_epoch, tried.weights));
        for (tested, tried) in tested.outcome.epochs.iter().zip(&tried.epochs) {
            let [head] = tried.heads.as_slice() else { panic!("one head") };
            assert_eq!((tested.train, tested.validation), (head.train, Some(head.validation)));
        }
        let kept = tested.outcome.kept().unwrap().validation.unwrap();
        assert_eq!(tried.score().unwrap().accuracy, kept.accuracy());
        let place = dir(folder.path(), &trial).path();
        assert!(!place.join("arrays.safetensors").exists());
        for file in ["result.json", "metrics.jsonl"] {
            let text = fs::read_to_string(place.join(file)).unwrap();
            assert!(!text.contains("test"), "{file}: {text}");
        }
    }
}

#[test]
fn other_test_images_change_nothing_and_an_interrupted_trial_ends_with_the_same_bits() {
    let with = |test: usize| set(150, test);
    let run = trial(&with_validation(&with(300), 3, None), &with(300));
    let [whole, other, parts] = [0; 3].map(|_| tempfile::tempdir().unwrap());
    train_in(whole.path(), &run, &with(300), &Ear::new()).unwrap();
    train_in(other.path(), &run, &with(10), &Ear::new()).unwrap();
    for steps in [1, 4, 7, 3] {
        let ear = Ear::until(steps).that_keeps_all();
        assert!(train_in(parts.path(), &run, &with(300), &ear).is_err());
    }
    train_in(parts.path(), &run, &with(300), &Ear::new()).unwrap();
    for folder in [other.path(), parts.path()] {
        assert_eq!(outcome(whole.path(), &run), outcome(folder, &run));
        assert_eq!(model(whole.path(), &run), model(folder, &run));
    }
}

#[test]
fn a_longer_trial_continues_a_shorter_one_and_no_training() {
    let (set, folder) = (set(150, 30), tempfile::tempdir().unwrap());
    let of = |epochs: usize| {
        let validation = Some(ValidationSpec { images: 30, own: false, patience: None });
        planned(&set, TrainingSpec { schedule: Schedule::Constant, validation, ..training(epochs) })
    };
    train_in(folder.path(), &of(2), &set, &Ear::new()).unwrap();
    let (ear, again) = (Ear::new(), Ear::new());
    train_in(folder.path(), &trial(&of(3), &set), &set, &ear).unwrap();
    train_in(folder.path(), &trial(&of(4), &set), &set, &again).unwrap();
    assert_eq!((ear.count("Continued"), again.count("Continued")), (0, 1));
}

#[test]
fn every_head_of_a_trial_is_judged_and_only_trained_ones_count() {
    let (set, folder) = (set(150, 30), tempfile::tempdir().unwrap());
    let validation = Some(ValidationSpec { images: 30, own: false, patience: None });
    for (weights, trained) in [(vec![0.5, 0.5], [true, true]), (vec![1.0, 0.0], [true, false])] {
        let training = TrainingSpec { validation: validation.clone(), ..training(2) };
        let run = trial(&two_headed(&set, training, Weighting::Fixed { weights }), &set);
        train_in(folder.path(), &run, &set, &Ear::new()).unwrap();
        let found = outcome(folder.path(), &run);
        let heads = &found.kept().unwrap().heads;
        assert_eq!([heads[0].trained, heads[1].trained], trained);
        let accuracies = heads.iter().filter(|head| head.trained).map(|head| head.validation.accuracy());
        let (sum, count) =
            accuracies.fold((0.0, 0.0), |(sum, count), accuracy| (sum + accuracy, count + 1.0));
        assert!((found.score().unwrap().accuracy - sum / count).abs() < 1e-12);
    }
}

#[test]
fn a_trial_without_validation_images_is_refused() {
    let (set, folder) = (set(150, 30), tempfile::tempdir().unwrap());
    let error = train_in(folder.path(), &trial(&planned(&set, training(1)), &set), &set, &Ear::new());
    assert!(error.unwrap_err().to_string().contains("validation images, and it has none"));
}
