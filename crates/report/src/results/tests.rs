//! Networks read back from runs, sound and damaged.

use std::collections::BTreeMap;
use std::fs;

use inkling_schema::outcome::{DataSetFacts, Machine, PlannedRun, RunResult, StudyRecord, TrainingLine};
use inkling_schema::{RunId, RunSpec, Task, preset};
use inkling_store::{Metadata, Store, Tensor, TensorFile, read_json, sealed_json};
use serde_json::json;

use super::*;
use crate::fixtures::{self, Shape};

const CLASSES: usize = 3;
const SIDE: usize = 8;

fn data() -> DataSetFacts {
    let classes = ["a", "b", "c"].map(str::to_owned).into();
    DataSetFacts {
        title: "Toy".into(),
        height: SIDE,
        width: SIDE,
        channels: 1,
        classes,
        checksum: "c".into(),
        images: None,
    }
}

/// What a run's arrays hold.
pub(crate) struct Arrays {
    labels: Vec<u8>,
    predictions: Vec<u8>,
    logits: Vec<f32>,
    index: Vec<u32>,
    images: Vec<u8>,
}

impl Arrays {
    fn of(network: &Network) -> Arrays {
        let score = |&predicted: &u8| {
            (0..CLASSES).map(move |class| if class == usize::from(predicted) { 4.0 } else { 0.0 })
        };
        Arrays {
            labels: network.heads[0].labels.clone(),
            predictions: network.heads[0].predictions.clone(),
            logits: network.heads[0].predictions.iter().flat_map(score).collect(),
            index: network.wrong.iter().map(|image| image.index as u32).collect(),
            images: network.wrong.iter().flat_map(|image| image.pixels.clone()).collect(),
        }
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        let n = self.labels.len();
        let mut tensors = vec![
            Tensor::new("test_labels", &[n], &self.labels),
            Tensor::new("test_predictions", &[self.predictions.len()], &self.predictions),
            Tensor::new("test_logits", &[n, CLASSES], &self.logits),
        ];
        if !self.index.is_empty() {
            let k = self.index.len();
            tensors.push(Tensor::new("wrong_index", &[k], &self.index));
            tensors.push(Tensor::new("wrong_images", &[k, SIDE, SIDE, 1], &self.images));
        }
        tensors
    }
}

/// Writes a study of one MLP whose arrays are changed, and reads it.
fn written_and_read(
    network: &Network,
    change: impl Fn(&mut Arrays),
) -> Result<Option<NetworksResults>, ReportError> {
    let (_folder, store, _) = written(network, change);
    let results = Results::read(store.reader())?;
    assert!(results.cnns.is_none());
    Ok(results.mlps)
}

/// Writes a study of one MLP whose arrays are changed.
pub(crate) fn written(
    network: &Network,
    change: impl Fn(&mut Arrays),
) -> (tempfile::TempDir, Store, StudyRecord) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut study = preset("brief").unwrap();
    study.keep_only(&[Task::Mlp]);
    study.mlp.as_mut().unwrap().networks.truncate(1);
    let spec = RunSpec::Train(network.spec.clone());
    let id: RunId = spec.id("c");
    let machine = Machine { cpu: "any".into(), threads: 1, instructions: "avx2".into() };
    let result = RunResult {
        spec_hash: spec.hash("c"),
        data_checksum: "c".into(),
        version: "0".into(),
        sources: None,
        earlier: Vec::new(),
        machine: machine.clone(),
        seconds: network.seconds,
        finished: Some("2026-02-03T04:05:06Z".into()),
        outcome: network.outcome.clone(),
    };
    let mut arrays = Arrays::of(network);
    change(&mut arrays);
    let mut run = store.begin(id.as_ref(), &spec).unwrap();
    for line in &network.curve {
        run.append_metrics(&TrainingLine::Steps(line.clone())).unwrap();
    }
    // What a loss that is not a number leaves behind.
    run.append_metrics(
        &json!({ "kind": "steps", "step": 9, "loss": null, "accuracy": 0.1, "learning_rate": 0.1 }),
    )
    .unwrap();
    for epoch in &network.outcome.epochs {
        run.append_metrics(&TrainingLine::Epoch(epoch.clone())).unwrap();
    }
    run.write_tensors(TensorFile::Arrays, &arrays.tensors(), &Metadata::new()).unwrap();
    run.finish(&result).unwrap();
    let planned = PlannedRun::new(id, Task::Mlp, network.name.clone(), spec);
    let record = StudyRecord {
        preset: "brief".into(),
        version: "0".into(),
        machine,
        seconds: 1.0,
        study,
        data: BTreeMap::from([("mnist".to_owned(), data())]),
        runs: vec![planned],
    };
    store.publish_json("study.json", &record).unwrap();
    (folder, store, record)
}

pub(crate) fn network() -> Network {
    let shape = Shape { networks: 1, epochs: 2, train_images: 300, test_images: 200 };
    fixtures::mlps(&data(), shape).networks.remove(0)
}

#[test]
fn a_network_comes_back_as_it_was_written() {
    let network = network();
    let found = written_and_read(&network, |_| ()).unwrap().unwrap();
    let read = &found.networks[0];
    assert_eq!((&read.name, read.why.as_str()), (&network.name, "the brief's network"));
    assert_eq!((read.widths.as_slice(), &read.convolutions), (&[1000, 1000][..], &None));
    assert_eq!((&read.outcome, &read.curve), (&network.outcome, &network.curve));
    assert_eq!(
        (&read.heads[0].labels, &read.heads[0].predictions),
        (&network.heads[0].labels, &network.heads[0].predictions)
    );
    assert_eq!(read.wrong.len(), 4);
    for (read, made) in read.wrong.iter().zip(&network.wrong) {
        assert_eq!((read.index, read.class, read.predicted), (made.index, made.class, made.predicted));
        assert_eq!(read.pixels, made.pixels);
        // Scores 4, 0 and 0.
        assert!((read.probability - 4.0_f64.exp() / (4.0_f64.exp() + 2.0)).abs() < 1e-12);
    }
}

#[test]
fn a_network_that_was_never_wrong_and_one_that_diverged_at_once() {
    let right = written_and_read(&network(), |arrays| {
        arrays.predictions.clone_from(&arrays.labels);
        (arrays.index, arrays.images) = (Vec::new(), Vec::new());
    });
    assert!(right.unwrap().unwrap().networks[0].wrong.is_empty());
    let mut diverged = network();
    fixtures::diverge(&mut diverged, 1);
    let task = written_and_read(&diverged, |_| ()).unwrap().unwrap();
    assert!(task.networks[0].kept().is_none() && task.chosen().is_none());
}

#[test]
fn arrays_that_do_not_fit_are_errors_that_name_the_file() {
    let message = |change: fn(&mut Arrays)| match written_and_read(&network(), change) {
        Err(error) => error.to_string(),
        Ok(_) => "no error".into(),
    };
    for (found, words) in [
        (message(|arrays| arrays.predictions.truncate(9)), "`test_predictions`"),
        (
            message(|arrays| arrays.predictions[3] = 3),
            "a class of the head `class` is out of range: there are 3",
        ),
        (
            message(|arrays| arrays.labels[0] = 200),
            "a class of the head `class` is out of range: there are 3",
        ),
        (message(|arrays| arrays.index[0] = 200), "wrong image 200 is out of range: there are 200"),
    ] {
        assert!(found.contains("arrays.safetensors") && found.contains(words), "{found}");
    }
}

#[test]
fn a_result_with_more_right_answers_than_images_is_damaged() {
    let mut network = network();
    network.outcome.epochs[0].test.correct = 201;
    let error = written_and_read(&network, |_| ()).unwrap_err().to_string();
    assert!(error.contains("result.json") && error.contains("more correct answers than images"), "{error}");
}

#[test]
fn the_network_to_look_at_is_chosen_by_losses_and_never_by_the_test_images() {
    let mut task = fixtures::mlps(&data(), Shape::SMALL);
    let losses = [0.3, 0.1, 0.2, 0.5, 0.4];
    for (network, loss) in task.networks.iter_mut().zip(losses) {
        let last = network.outcome.epochs.last_mut().unwrap();
        last.train.loss = loss;
        last.test.loss = 1.0 - loss;
    }
    let chosen = |task: &NetworksResults| task.chosen().map(|(network, by)| (network.name.clone(), by));
    assert_eq!(chosen(&task), Some(("3 hidden".into(), ChosenBy::Training)));
    // Where all have a validation loss, that decides; where one lacks it, the training loss.
    for (network, loss) in task.networks.iter_mut().zip([0.3, 0.3, 0.3, 0.2, 0.3]).take(4) {
        let last = network.outcome.epochs.last_mut().unwrap();
        last.validation = Some(last.train);
        last.validation.as_mut().unwrap().loss = loss;
    }
    assert_eq!(chosen(&task), Some(("3 hidden".into(), ChosenBy::Training)));
    fixtures::diverge(&mut task.networks[4], 2);
    assert_eq!(chosen(&task), Some(("5 hidden".into(), ChosenBy::Validation)));
}

#[test]
fn pairs_count_the_images_that_only_one_got_right() {
    let mut task = fixtures::mlps(&data(), Shape { networks: 2, ..Shape::SMALL });
    for network in &mut task.networks {
        let head = &mut network.heads[0];
        head.predictions.clone_from(&head.labels);
    }
    for (network, wrong) in [(0, 0..3), (1, 2..12)] {
        for image in wrong {
            let answer = &mut task.networks[network].heads[0].predictions[image];
            *answer = (*answer + 1) % 3;
        }
    }
    // Image 2 is wrong for both: 9 images only the first got right, 2 only the second.
    let Comparisons { mcnemar, verdicts, .. } = task.comparisons();
    assert_eq!((mcnemar.len(), verdicts.len()), (1, 1));
    assert_eq!((mcnemar[0].only_first, mcnemar[0].only_second, mcnemar[0].images), (9, 2, 1000));
    // 2 · (1 + 11 + 55) / 2¹¹.
    assert!((mcnemar[0].p - 134.0 / 2048.0).abs() < 1e-12 && mcnemar[0].p == mcnemar[0].adjusted);
    assert!((verdicts[0].difference - 0.007).abs() < 1e-12 && !verdicts[0].differs());
    assert_eq!(task.comparisons_beside(&task).mcnemar.len(), 4);
    task.networks[1].heads[0].labels[5] ^= 1;
    assert!(task.comparisons().mcnemar.is_empty(), "other images cannot be compared");
}

#[test]
fn of_a_study_that_is_not_finished_there_is_a_report_that_says_so_and_no_summary() {
    let (folder, store, mut record) = written(&network(), |_| {});
    let mut unfinished = record.runs[0].clone();
    let RunSpec::Train(spec) = &mut unfinished.spec else { unreachable!("an MLP is trained") };
    spec.seed += 1;
    unfinished.id = unfinished.spec.id("c");
    unfinished.title = "another".into();
    record.runs.insert(0, unfinished);
    store.publish_json("study.json", &record).unwrap();
    let results = Results::read(store.reader()).unwrap();
    assert_eq!(results.record.runs.len(), 1);
    assert_eq!(results.mlps.as_ref().map(|task| task.networks.len()), Some(1));
    assert_eq!(results.missing[0].title, "another");
    let error = crate::write(&store).unwrap_err().to_string();
    assert_eq!(error, "1 of the 2 runs of the study `brief` is not finished");
    assert!(folder.path().join("report.pdf").exists() && !folder.path().join("summary.json").exists());
    // While it goes on, that is no error.
    fs::remove_file(folder.path().join("report.html")).unwrap();
    let so_far = crate::write_so_far(&store).unwrap();
    assert!(so_far.in_words_of(Task::Mlp)[0].starts_with("Task 3: 1 MLP"), "{:?}", so_far.in_words());
    assert_eq!(so_far.in_words(), so_far.in_words_of(Task::Mlp));
    assert!(folder.path().join("report.html").exists() && !folder.path().join("summary.json").exists());
    // With nothing finished there is nothing to report.
    record.runs.truncate(1);
    store.publish_json("study.json", &record).unwrap();
    assert!(matches!(Results::read(store.reader()), Err(ReportError::Unfinished { missing: 1, all: 1, .. })));
}

#[test]
fn the_date_is_that_of_the_last_run_and_none_where_no_run_has_one() {
    let (folder, store, record) = written(&network(), |_| {});
    let read = || Results::read(store.reader());
    assert_eq!(read().unwrap().finished.map(|date| (date.year, date.second)), Some((2026, 6)));
    let path = folder.path().join(format!("runs/{}/result.json", record.runs[0].id));
    let mut result: serde_json::Value = read_json(&path).unwrap().unwrap();
    assert_eq!(result["finished"], "2026-02-03T04:05:06Z");
    result.as_object_mut().unwrap().remove("finished");
    fs::write(&path, sealed_json(&result)).unwrap();
    assert_eq!(read().unwrap().finished, None);
    result["finished"] = "yesterday at 04:05:06Z".into();
    fs::write(&path, sealed_json(&result)).unwrap();
    let error = read().unwrap_err().to_string();
    assert!(error.contains("result.json") && error.contains("which is not a date"), "{error}");
}

#[test]
fn a_run_of_a_network_that_the_study_does_not_know_is_damage() {
    let (_folder, store, mut record) = written(&network(), |_| {});
    record.runs[0].title = "another".into();
    store.publish_json("study.json", &record).unwrap();
    let error = Results::read(store.reader()).unwrap_err().to_string();
    assert!(error.contains("study.json") && error.contains("task `mlp` has a run `another`"), "{error}");
}
