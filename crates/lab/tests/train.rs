//! Training runs: what they leave, that nothing shows of threads and interruptions, divergence, validation, damage.

mod common;

use std::fs;
use std::path::Path;

use common::{
    Ear, chance_set, dir, finished, outcome, planned, set, train_in, training, two_headed, uninterrupted,
    with_validation,
};
use inkling_data::DataSet;
use inkling_engine::random::RngStream;
use inkling_lab::LabError;
use inkling_schema::outcome::{PlannedRun, StepsLine, TrainingLine};
use inkling_schema::{Optimizer, Schedule, TrainingSpec, Weighting, Weights};
use inkling_store::{Metadata, RunDir, Store, StoreError, TensorFile};
use sha2::{Digest, Sha256};

#[test]
fn a_run_leaves_what_readers_need_and_is_not_done_twice() {
    let (set, folder) = (set(150, 300), tempfile::tempdir().unwrap());
    let run = planned(&set, training(3));
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    assert_eq!((ear.count("Advanced"), ear.count("Epoch"), ear.count("Finished")), (24, 3, 1));
    let dir = dir(folder.path(), &run);
    let found = outcome(&dir);
    assert_eq!((found.steps, found.epochs.len(), found.best_epoch), (24, 3, None));
    assert!(found.diverged.is_none() && !found.stopped_early);
    let last = &found.epochs[2];
    assert_eq!((last.epoch, last.step, last.train.images, last.test.images), (3, 24, 150, 300));
    assert!(last.train.accuracy() > 0.6 && last.test.accuracy() > 0.6, "{last:?}");
    assert!(last.train.loss < found.epochs[0].train.loss);

    // Lines after three, six and, as the epoch ends, eight steps; then the epoch's own.
    let lines: Vec<TrainingLine> = dir.metrics().unwrap();
    let steps = |line: &TrainingLine| match line {
        TrainingLine::Steps(StepsLine { step, .. }) => *step,
        TrainingLine::Epoch(epoch) => 100 + epoch.epoch,
        other => panic!("{other:?}"),
    };
    let expected = [3, 6, 8, 101, 11, 14, 16, 102, 19, 22, 24, 103];
    assert_eq!(lines.iter().map(steps).collect::<Vec<_>>(), expected);
    let TrainingLine::Steps(first) = &lines[0] else { unreachable!() };
    // The third step of 24 along the cosine; four classes are guessed at first.
    assert!((first.learning_rate - 0.01 * (0.1 + 0.9 * 0.982_962_9)).abs() < 1e-7, "{first:?}");
    assert!(first.loss > 0.5 && first.loss < 4.0 && first.accuracy < 0.8, "{first:?}");

    let arrays = dir.tensors(TensorFile::Arrays).unwrap();
    let logits = arrays.values::<f32>("test_logits", &[300, 4]).unwrap();
    let labels = arrays.values::<u8>("test_labels", &[300]).unwrap();
    let predictions = arrays.values::<u8>("test_predictions", &[300]).unwrap();
    assert_eq!(labels, set.test.labels);
    let correct = predictions.iter().zip(&labels).filter(|(prediction, label)| prediction == label).count();
    assert_eq!(correct, last.test.correct);
    for (scores, &prediction) in logits.chunks_exact(4).zip(&predictions) {
        assert!(scores.iter().all(|score| *score <= scores[usize::from(prediction)]));
    }
    let wrong = (300 - correct).min(24);
    let index = arrays.values::<u32>("wrong_index", &[wrong]).unwrap();
    let images = arrays.values::<u8>("wrong_images", &[wrong, 8, 8, 1]).unwrap();
    for (&index, image) in index.iter().zip(images.chunks_exact(64)) {
        let index = index as usize;
        assert!(predictions[index] != labels[index] && image == set.test.images.image(index));
    }

    let model = dir.tensors(TensorFile::Model).unwrap();
    assert_eq!(model.shape("trunk.6.weight").unwrap(), [64, 16]);
    let held: usize =
        model.names().iter().map(|name| model.shape(name).unwrap().iter().product::<usize>()).sum();
    // The running mean and variance of four channels are no parameters.
    assert_eq!(held, found.parameters + 8);
    assert_eq!(
        serde_json::from_str::<inkling_schema::ModelSpec>(model.metadata("model").unwrap()).unwrap(),
        common::model()
    );
    // A cosine ends where it ends: there is nothing to go on from.
    assert_eq!(dir.checkpoints().count(), 0);

    let again = Ear::new();
    train_in(folder.path(), &run, &set, &again).unwrap();
    assert_eq!((again.count("Skipped"), again.count("Advanced")), (1, 0));
}

#[test]
fn the_number_of_threads_does_not_show() {
    let set = set(150, 300);
    let run = planned(&set, training(3));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| uninterrupted(&run, &set))
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert!(on(threads) == one, "{threads} threads");
    }
}

#[test]
fn interrupted_anywhere_and_resumed_is_the_same_as_never_interrupted() {
    let (plain, chance) = (set(150, 100), chance_set(150, 100));
    let (four, nine) = (planned(&plain, training(4)), with_validation(&chance, 9, None));
    for (run, set, steps) in
        [(four, plain, vec![1, 5, 7, 8, 9, 13, 17, 31]), (nine, chance, vec![6, 25, 44, 53])]
    {
        let whole = uninterrupted(&run, &set);
        // Else no interruption would come after the best epoch, whose weights must not be lost.
        assert!(whole.outcome.best_epoch.is_none_or(|best| best <= 7), "{:?}", whole.outcome.best_epoch);
        for steps in steps {
            let folder = tempfile::tempdir().unwrap();
            let ear = Ear::until(steps);
            assert!(matches!(train_in(folder.path(), &run, &set, &ear), Err(LabError::Interrupted)));
            let again = Ear::new();
            train_in(folder.path(), &run, &set, &again).unwrap();
            assert_eq!(again.count("UnfitCheckpoint") + again.count("BegunAnew"), 0);
            assert!(finished(&dir(folder.path(), &run)) == whole, "interrupted after {steps} steps");
        }
    }
}

#[test]
fn divergence_keeps_the_last_finite_weights_and_says_where() {
    let set = set(150, 100);
    // The second epoch's learning rate is a million million times the first one's.
    let schedule = Schedule::Step { every: 1, factor: 1e12 };
    let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: false };
    let steep = |epochs| planned(&set, TrainingSpec { schedule, optimizer, ..training(epochs) });
    let (run, folder) = (steep(5), tempfile::tempdir().unwrap());
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    let directory = dir(folder.path(), &run);
    let found = outcome(&directory);
    let divergence = found.diverged.unwrap();
    assert!(divergence.epoch == 2 && (9..=16).contains(&divergence.step), "{divergence:?}");
    assert_eq!((found.epochs.len(), found.steps, found.stopped_early), (1, divergence.step, false));
    let (place, advice) = (
        format!("at step {}, in epoch 2", divergence.step),
        "a smaller `learning_rate` or a smaller `factor` of its schedule may help",
    );
    let kept = "the weights after epoch 1 are kept";
    let expected = format!(
        "Diverged {{ title: \"cnn small\", place: \"{place}\", kept: \"{kept}\", advice: \"{advice}\" }}"
    );
    assert_eq!(ear.all("Diverged"), std::slice::from_ref(&expected));
    // What is kept is what one epoch alone gives.
    let one = uninterrupted(&steep(1), &set);
    let kept = finished(&directory);
    // Its file says in its header that this training diverged; the weights are the same.
    let weights = |model: &[u8]| {
        let header = u64::from_le_bytes(model[..8].try_into().unwrap()) as usize;
        model[8 + header..].to_vec()
    };
    assert!(weights(&kept.model) == weights(&one.model) && kept.arrays == one.arrays);
    let said = directory.tensors(TensorFile::Model).unwrap();
    let said = said.metadata("diverged").expect("the model says that it diverged");
    assert!(said.contains(&place) && said.ends_with("the weights after epoch 1 are kept"), "{said}");
    let lines: Vec<TrainingLine> = directory.metrics().unwrap();
    assert_eq!(kept.metrics.lines().count(), lines.len());

    let again = Ear::new();
    train_in(folder.path(), &run, &set, &again).unwrap();
    assert_eq!((again.count("Skipped"), again.all("Diverged")), (1, vec![expected]));

    // From the very first steps: the initial weights are kept.
    let wild = TrainingSpec { learning_rate: 1e12, optimizer, ..training(2) };
    let found = uninterrupted(&planned(&set, wild), &set).outcome;
    assert!(found.epochs.is_empty() && found.diverged.is_some_and(|place| place.epoch == 1), "{found:?}");
}

#[test]
fn validation_chooses_the_best_epoch_and_stops_early_and_test_images_choose_nothing() {
    let mut set = chance_set(150, 100);
    let run = with_validation(&set, 60, Some(3));
    let folder = tempfile::tempdir().unwrap();
    train_in(folder.path(), &run, &set, &Ear::new()).unwrap();
    let directory = dir(folder.path(), &run);
    let found = outcome(&directory);
    let best = found.best_epoch.unwrap();
    assert!(found.stopped_early && found.epochs.len() == best + 3, "{} {best}", found.epochs.len());
    let losses: Vec<f64> = found.epochs.iter().map(|epoch| epoch.validation.unwrap().loss).collect();
    assert!(losses.iter().all(|loss| *loss >= losses[best - 1]));
    assert_eq!((found.epochs[0].train.images, found.epochs[0].validation.unwrap().images), (120, 30));

    // Where training may stop early, the model is the best epoch's, and so are the answers that are kept.
    assert_eq!(found.weights, Weights::Best);
    let arrays = directory.tensors(TensorFile::Arrays).unwrap();
    let [labels, answers] =
        ["test_labels", "test_predictions"].map(|name| arrays.values::<u8>(name, &[100]).unwrap());
    let right = labels.iter().zip(&answers).filter(|(label, answer)| label == answer).count();
    assert_eq!(right, found.kept().unwrap().test.correct);
    assert_eq!(found.kept().unwrap().epoch, best);
    let model = directory.tensors(TensorFile::Model).unwrap();
    let weights = |name: &str| model.values::<f32>(name, &[64, 16]).unwrap();
    let ear = Ear::until(best * 6 + 1);
    let until = tempfile::tempdir().unwrap();
    assert!(train_in(until.path(), &run, &set, &ear).is_err());
    // The newest checkpoint is within the epoch after it.
    let checkpoint = dir(until.path(), &run).checkpoints().nth(1).unwrap().unwrap();
    let then = checkpoint.tensors().values::<f32>("value/trunk.6.weight", &[64, 16]).unwrap();
    assert_eq!(weights("trunk.6.weight"), then);
    assert_ne!(weights("last/trunk.6.weight"), then);

    let before = finished(&directory);
    set.test.labels.iter_mut().for_each(|label| *label = 3 - *label);
    let other = uninterrupted(&run, &set);
    assert!(common::weights(&other.model) == common::weights(&before.model) && other.arrays != before.arrays);
    assert_eq!(other.outcome.best_epoch, Some(best));
}

/// A run in a folder, interrupted with checkpoints after two and after three of four epochs.
fn interrupted(out: &Path, run: &PlannedRun, set: &DataSet) -> RunDir {
    // As the third epoch is judged: the newest checkpoint is within it, and the one before after the second.
    assert!(matches!(train_in(out, run, set, &Ear::until(24)), Err(LabError::Interrupted)));
    let dir = dir(out, run);
    assert_eq!(dir.checkpoints().count(), 2);
    dir
}

const NEWEST: &str = "checkpoint.safetensors";
const PREVIOUS: &str = "checkpoint.previous.safetensors";

#[test]
fn a_damaged_newest_checkpoint_falls_back_to_the_one_before_and_says_so() {
    let set = set(150, 50);
    let run = planned(&set, training(4));
    let whole = uninterrupted(&run, &set);
    let folder = tempfile::tempdir().unwrap();
    let mut stream = RngStream::new(1, "damage");
    for number in 0..40 {
        fs::remove_dir_all(folder.path()).unwrap();
        let dir = interrupted(folder.path(), &run, &set);
        let path = dir.path().join(NEWEST);
        let mut bytes = fs::read(&path).unwrap();
        if number < 8 {
            bytes.truncate(stream.random_range(bytes.len() as u32) as usize);
        } else {
            let bit = stream.random_range(bytes.len() as u32 * 8) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        fs::write(&path, bytes).unwrap();
        let ear = Ear::new();
        train_in(folder.path(), &run, &set, &ear).unwrap();
        let unfit = ear.all("UnfitCheckpoint");
        assert!(
            unfit.len() == 1 && unfit[0].contains(NEWEST) && unfit[0].contains("is damaged"),
            "{unfit:?}"
        );
        assert_eq!(
            ear.all("Resumed"),
            ["Resumed { title: \"cnn small\", epochs: 2, steps: 16, within_an_epoch: false }"]
        );
        assert!(finished(&dir) == whole, "damage {number}");
    }
}

#[test]
fn without_a_whole_checkpoint_training_begins_anew_and_says_so() {
    let set = set(150, 50);
    let run = planned(&set, training(4));
    let folder = tempfile::tempdir().unwrap();
    let dir = interrupted(folder.path(), &run, &set);
    fs::write(dir.path().join(NEWEST), "not a checkpoint").unwrap();
    fs::write(dir.path().join(PREVIOUS), "").unwrap();
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    assert_eq!((ear.count("UnfitCheckpoint"), ear.count("BegunAnew"), ear.count("Resumed")), (2, 1, 0));
    assert!(finished(&dir) == uninterrupted(&run, &set));
}

#[test]
fn a_sound_checkpoint_that_does_not_hold_what_training_needs_is_unfit_too() {
    let set = set(150, 50);
    let run = planned(&set, training(4));
    let whole = uninterrupted(&run, &set);
    for (state, words) in [(None, "no `standing`"), (Some("{}"), "missing field"), (Some("[1"), "column")] {
        let folder = tempfile::tempdir().unwrap();
        let metadata = state.map(|text| ("standing".to_owned(), text.to_owned())).into_iter().collect();
        let store = Store::open(folder.path()).unwrap();
        let mut writer = store.begin(run.id.as_ref(), &run.spec).unwrap();
        writer.write_checkpoint(&[], &metadata).unwrap();
        drop(writer);
        drop(store);
        let ear = Ear::new();
        train_in(folder.path(), &run, &set, &ear).unwrap();
        assert!(ear.all("UnfitCheckpoint")[0].contains(words), "{:?}", ear.all("UnfitCheckpoint"));
        assert_eq!(ear.count("BegunAnew"), 1);
        assert!(finished(&dir(folder.path(), &run)) == whole);
    }

    // All of it but for one array, as another version of the program might name it.
    let folder = tempfile::tempdir().unwrap();
    let dir = interrupted(folder.path(), &run, &set);
    let state = dir.checkpoints().next().unwrap().unwrap().tensors().metadata("standing").unwrap().to_owned();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = store.resume(run.id.as_ref(), &run.spec).unwrap().unwrap();
    writer.write_checkpoint(&[], &Metadata::from([("standing".to_owned(), state)])).unwrap();
    drop(writer);
    drop(store);
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    let unfit = ear.all("UnfitCheckpoint");
    assert!(unfit.len() == 1 && unfit[0].contains("value/trunk.1.weight"), "{unfit:?}");
    assert_eq!((ear.count("Resumed"), finished(&dir) == whole), (1, true));
}

#[test]
fn metrics_that_do_not_match_the_checkpoints_are_damage_too() {
    let set = set(150, 50);
    let run = planned(&set, training(4));
    let whole = uninterrupted(&run, &set);
    for (kept, epochs) in [(8, Some(2)), (5, None)] {
        let folder = tempfile::tempdir().unwrap();
        let dir = interrupted(folder.path(), &run, &set);
        let path = dir.path().join("metrics.jsonl");
        let text: String = fs::read_to_string(&path).unwrap().split_inclusive('\n').take(kept).collect();
        fs::write(&path, text).unwrap();
        let ear = Ear::new();
        train_in(folder.path(), &run, &set, &ear).unwrap();
        assert!(ear.all("UnfitCheckpoint")[0].contains("metrics.jsonl"));
        let resumed = epochs.map(|epochs| {
            format!("Resumed {{ title: \"cnn small\", epochs: {epochs}, steps: 16, within_an_epoch: false }}")
        });
        assert_eq!(ear.all("Resumed").first(), resumed.as_ref());
        assert!(finished(&dir) == whole);
    }
}

#[test]
fn a_checkpoint_of_another_network_is_refused_by_name() {
    let set = set(150, 50);
    let (run, other) = (planned(&set, training(4)), planned(&set, training(5)));
    let folder = tempfile::tempdir().unwrap();
    let theirs = interrupted(folder.path(), &other, &set);
    let mine = interrupted(folder.path(), &run, &set);
    fs::copy(theirs.path().join(NEWEST), mine.path().join(NEWEST)).unwrap();
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    let unfit = ear.all("UnfitCheckpoint");
    assert!(unfit.len() == 1 && unfit[0].contains(&format!("of the run {}", other.id)), "{unfit:?}");
    assert!(finished(&mine) == uninterrupted(&run, &set));
}

#[test]
fn a_checkpoint_of_a_newer_format_stops_the_run_and_stays() {
    let set = set(150, 50);
    let run = planned(&set, training(4));
    let folder = tempfile::tempdir().unwrap();
    let dir = interrupted(folder.path(), &run, &set);
    let path = dir.path().join(NEWEST);
    let newer = resealed(&fs::read(&path).unwrap(), "\"format\":\"1\"", "\"format\":\"2\"");
    fs::write(&path, &newer).unwrap();
    let error = train_in(folder.path(), &run, &set, &Ear::new()).unwrap_err();
    assert!(matches!(&error, LabError::Store(StoreError::NewerFormat { found: 2, .. })), "{error}");
    // In the folder of another attempt.
    let path = dir.path().join(NEWEST);
    assert!(fs::read(&path).unwrap() == newer);
    // Sealed again as it was, it is what it was.
    fs::write(&path, resealed(&newer, "\"format\":\"2\"", "\"format\":\"1\"")).unwrap();
    let ear = Ear::new();
    train_in(folder.path(), &run, &set, &ear).unwrap();
    assert_eq!((ear.count("UnfitCheckpoint"), ear.count("Resumed")), (0, 1));
}

/// A sealed file with one text replaced by another as long, under a new checksum.
fn resealed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let find = |bytes: &[u8], text: &str| {
        bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("it is there")
    };
    let mut bytes = bytes.to_vec();
    let place = find(&bytes, from);
    bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
    let key = "\"checksum\":\"";
    let seal = find(&bytes, key) + key.len();
    bytes[seal..seal + 64].fill(b'0');
    let checksum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    bytes[seal..seal + 64].copy_from_slice(checksum.as_bytes());
    bytes
}

/// What is shown of a training while it goes on is computed beside it.
#[test]
fn an_observer_that_wants_weights_changes_no_bit() {
    let set = set(150, 40);
    let fixed = Weighting::Fixed { weights: vec![1.0, 0.0] };
    let runs = [
        planned(&set, training(2)),
        two_headed(&set, training(2), fixed),
        two_headed(&set, training(2), Weighting::PcGrad),
    ];
    for (number, run) in runs.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let ear = Ear::new().that_wants_weights();
        train_in(folder.path(), run, &set, &ear).unwrap();
        assert!(finished(&dir(folder.path(), run)) == uninterrupted(run, &set), "run {number}");
        let events = ear.all("Weights");
        assert_eq!(events.len(), 2);
        let (values, gradients) = events[1].split_once("gradients: [").unwrap();
        for name in ["trunk.1.weight", "trunk.1.bias"] {
            assert!(values.contains(name) && gradients.contains(name), "{name}");
        }
        let names_last_head = |text: &str| text.contains("\"half.");
        // A head of weight zero has no gradient.
        assert_eq!(names_last_head(gradients), number == 2);
        assert!(events[0] != events[1] && !gradients.contains("NaN"));
    }
}
