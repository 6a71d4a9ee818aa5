//! Tasks 3 and 4: the trained networks, read from their runs.

use std::collections::BTreeMap;

use inkling_schema::outcome::{
    DataSetFacts, EpochOutcome, Evaluation, PlannedRun, RunResult, StepsLine, StudyRecord, TrainOutcome,
    TrainingLine,
};
use inkling_schema::{RunSpec, Task, TrainRun};
use inkling_store::{Reader, RunDir, StoreError, TensorFile, Tensors};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::outcome;
use crate::ReportError;

/// Networks whose numbers of parameters differ by no more than this factor count as of one budget.
pub(crate) const ONE_BUDGET: f64 = 1.1;

/// Task 3 or 4: networks of one kind, in the order of the study.
#[derive(Debug, Clone)]
pub struct NetworksResults {
    /// The data set.
    pub data: DataSetFacts,
    /// The networks; there is one at least.
    pub networks: Vec<NetworkResults>,
}

/// One trained network.
#[derive(Debug, Clone)]
pub struct NetworkResults {
    /// What figures and tables call it.
    pub name: String,
    /// What it is there to show.
    pub why: String,
    /// Units of each hidden layer, or filters of each convolution.
    pub widths: Vec<usize>,
    /// The convolutions' kernels and strides; `None` for a multilayer perceptron.
    pub convolutions: Option<Convolutions>,
    /// The run's spec.
    pub spec: TrainRun,
    /// What came of it.
    pub outcome: TrainOutcome,
    /// Loss and accuracy within the epochs.
    pub curve: Vec<StepsLine>,
    /// Classes of the n test images, shape `[n]`.
    pub labels: Vec<u8>,
    /// The network's answers to them, shape `[n]`.
    pub predictions: Vec<u8>,
    /// The most confidently wrong test images, the most confident first.
    pub wrong: Vec<WrongImage>,
    /// Seconds of the whole run.
    pub seconds: f64,
}

/// What convolutions have beside their filters, an entry for each convolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convolutions {
    /// Sides of the kernels.
    pub kernels: Vec<usize>,
    /// Steps down and to the right.
    pub strides: Vec<usize>,
}

/// A test image that a network got wrong.
#[derive(Debug, Clone)]
pub struct WrongImage {
    /// Its number among the test images, from 0.
    pub index: usize,
    /// Its class.
    pub class: u8,
    /// What the network took it for.
    pub predicted: u8,
    /// The network's probability of what it took it for, by the softmax of its scores.
    pub probability: f64,
    /// The image as bytes, shape [height, width, channels].
    pub pixels: Vec<u8>,
}

/// What a network was chosen by, to be looked at more closely. Never the test images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// The lowest loss on the validation images after the last epoch.
    Validation,
    /// The lowest loss on the images trained on after the last epoch, there being no validation images.
    Training,
}

impl NetworkResults {
    /// Hidden layers of a multilayer perceptron, convolutions of a convolutional network.
    pub fn depth(&self) -> usize {
        self.widths.len()
    }

    /// Its name, its seed, and the name of its head.
    pub(crate) fn head(&self) -> (&str, u64, &str) {
        let head = self.spec.model.heads.first().map_or("", |head| head.name.as_str());
        (&self.name, self.spec.seed, head)
    }

    /// The network after its last epoch; `None` where training diverged, whatever came before.
    pub fn last(&self) -> Option<&EpochOutcome> {
        self.outcome.epochs.last().filter(|_| self.outcome.diverged.is_none())
    }

    /// Test images of each class (rows) by what the network took them for (columns), shape [classes, classes].
    pub fn confusion(&self, classes: usize) -> Vec<Vec<usize>> {
        confusion(classes, &self.labels, &self.predictions)
    }

    /// The class that it gives to every test image, where it gives one to all and there are several.
    pub fn only_answer(&self) -> Option<u8> {
        only_answer(&self.labels, &self.predictions)
    }
}

/// The one answer to all images; `None` where there are several, or where all images have one class.
pub(super) fn only_answer(labels: &[u8], predictions: &[u8]) -> Option<u8> {
    let first = *predictions.first()?;
    let alike = predictions.iter().all(|&answer| answer == first);
    (alike && labels.iter().any(|&label| label != labels[0])).then_some(first)
}

/// Images of each class (rows) by the answers to them (columns), shape [classes, classes].
pub(super) fn confusion(classes: usize, labels: &[u8], predictions: &[u8]) -> Vec<Vec<usize>> {
    let mut counts = vec![vec![0; classes]; classes];
    for (&label, &predicted) in labels.iter().zip(predictions) {
        counts[usize::from(label)][usize::from(predicted)] += 1;
    }
    counts
}

impl NetworksResults {
    /// The networks whose training did not diverge, with their numbers among all and their last epochs.
    pub fn finished(&self) -> impl Iterator<Item = (usize, &NetworkResults, &EpochOutcome)> {
        self.networks.iter().enumerate().filter_map(|(i, network)| Some((i, network, network.last()?)))
    }

    /// The network to look at more closely: of those that did not diverge, the one with the lowest loss on the
    /// validation images where each has some, else on the images trained on. `None` where all diverged.
    pub fn chosen(&self) -> Option<(&NetworkResults, ChosenBy)> {
        let validated = self.finished().all(|(_, _, last)| last.validation.is_some());
        let by = if validated { ChosenBy::Validation } else { ChosenBy::Training };
        let loss = |last: &EpochOutcome| match (by, &last.validation) {
            (ChosenBy::Validation, Some(validation)) => validation.loss,
            _ => last.train.loss,
        };
        let lowest = self.finished().min_by(|p, q| loss(p.2).total_cmp(&loss(q.2)));
        lowest.map(|(_, network, _)| (network, by))
    }

    /// Share of the commonest class among the test images: what always naming it is right for.
    pub fn majority(&self) -> Option<f64> {
        let labels = &self.networks.first()?.labels;
        let mut counts = vec![0_usize; self.data.classes.len()];
        labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        (!labels.is_empty()).then(|| counts.into_iter().max().unwrap_or(0) as f64 / labels.len() as f64)
    }

    /// The evaluations of every finished network after its last epoch, on the test images.
    pub fn test(&self) -> impl Iterator<Item = (&NetworkResults, &Evaluation)> {
        self.finished().map(|(_, network, last)| (network, &last.test))
    }
}

/// How the study describes a network: name, purpose, widths, and what convolutions have beside them.
struct Described {
    why: String,
    widths: Vec<usize>,
    convolutions: Option<Convolutions>,
}

/// Reads the networks of a task; `None` where the study has no run of it.
pub(super) fn read(
    store: &Reader,
    record: &StudyRecord,
    task: Task,
) -> Result<Option<NetworksResults>, ReportError> {
    let runs = record.runs.iter().filter(|run| run.task == task);
    let runs: Vec<(&PlannedRun, &TrainRun)> = runs
        .filter_map(|run| match &run.spec {
            RunSpec::Train(spec) => Some((run, spec)),
            _ => None,
        })
        .collect();
    let Some((_, first)) = runs.first() else { return Ok(None) };
    let mut described = describe(record, task);
    let Some(data) = record.data.get(&first.data.set) else {
        let reason = format!("it does not describe the data set `{}`", first.data.set);
        return Err(damaged_record(store, reason).into());
    };
    let networks = runs.into_iter().map(|(run, spec)| {
        let Some(described) = described.remove(run.title.as_str()) else {
            let reason = format!("task `{}` has a run `{}` and no such network", task.name(), run.title);
            return Err(damaged_record(store, reason).into());
        };
        network(store, run, spec, data, described)
    });
    Ok(Some(NetworksResults { data: data.clone(), networks: networks.collect::<Result<_, _>>()? }))
}

/// What `study.json` has wrong.
pub(super) fn damaged_record(store: &Reader, reason: String) -> StoreError {
    StoreError::Damaged { path: store.path().join("study.json"), reason }
}

/// By the networks' names, of which there are no two alike.
fn describe(record: &StudyRecord, task: Task) -> BTreeMap<&str, Described> {
    let mlps = record.study.mlp.iter().filter(|_| task == Task::Mlp).flat_map(|task| &task.networks);
    let cnns = record.study.cnn.iter().filter(|_| task == Task::Cnn).flat_map(|task| &task.networks);
    let mlps = mlps.map(|network| {
        let (why, widths) = (network.why.clone(), network.hidden.clone());
        (network.name.as_str(), Described { why, widths, convolutions: None })
    });
    let cnns = cnns.map(|network| {
        let (why, widths) = (network.why.clone(), network.filters.clone());
        let (kernels, strides) = (network.kernels.clone(), network.strides.clone());
        let convolutions = Some(Convolutions { kernels, strides });
        (network.name.as_str(), Described { why, widths, convolutions })
    });
    mlps.chain(cnns).collect()
}

fn network(
    store: &Reader,
    run: &PlannedRun,
    spec: &TrainRun,
    data: &DataSetFacts,
    described: Described,
) -> Result<NetworkResults, ReportError> {
    let folder = store.run(run.id.as_ref());
    let result: RunResult<TrainOutcome> = outcome(store, run)?;
    if !result.outcome.epochs.iter().all(proportions) {
        let reason = "it counts more correct answers than images, or no images".to_owned();
        return Err(StoreError::Damaged { path: folder.path().join("result.json"), reason }.into());
    }
    let curve = curve(&folder)?;
    let arrays = folder.tensors(TensorFile::Arrays)?;
    let damaged =
        |reason: String| StoreError::Damaged { path: folder.path().join(TensorFile::Arrays.name()), reason };
    let (images, classes) = (spec.data.test_images, data.classes.len());
    let labels: Vec<u8> = arrays.values("test_labels", &[images])?;
    let predictions: Vec<u8> = arrays.values("test_predictions", &[images])?;
    if labels.iter().chain(&predictions).any(|&class| usize::from(class) >= classes) {
        return Err(damaged(format!("a class is out of range: there are {classes}")).into());
    }
    let wrong = wrong_images(&arrays, spec, classes, &labels, &predictions)?.map_err(damaged)?;
    Ok(NetworkResults {
        name: run.title.clone(),
        why: described.why,
        widths: described.widths,
        convolutions: described.convolutions,
        spec: spec.clone(),
        outcome: result.outcome,
        curve,
        labels,
        predictions,
        wrong,
        seconds: result.seconds,
    })
}

/// Whether all that an epoch counts are parts of something.
pub(super) fn proportions(epoch: &EpochOutcome) -> bool {
    let further = epoch.further.iter().flat_map(|head| [Some(head.train), head.validation, Some(head.test)]);
    let parts = [Some(epoch.train), epoch.validation, Some(epoch.test)].into_iter().chain(further);
    parts.flatten().all(|found| found.images > 0 && found.correct <= found.images)
}

/// The lines of a run, which has none where it diverged before the first. Where there were some, its result knows of them.
pub(super) fn metrics<T: DeserializeOwned>(folder: &RunDir) -> Result<Vec<T>, StoreError> {
    if folder.path().join("metrics.jsonl").exists() { folder.metrics() } else { Ok(Vec::new()) }
}

/// The lines of a run's metrics. A number that is not finite is `null` in a file, and a line within epochs whose loss or
/// gradients are such is left out.
pub(super) fn lines(folder: &RunDir) -> Result<Vec<TrainingLine>, StoreError> {
    let finite = |line: &Value| match line["kind"].as_str() {
        Some("steps") => !line["loss"].is_null(),
        Some("gradients") => !line["norms"].as_array().is_some_and(|norms| norms.contains(&Value::Null)),
        _ => true,
    };
    let lines: Vec<Value> = metrics(folder)?;
    let parse = |(line, number): (Value, usize)| {
        serde_json::from_value(line).map_err(|error| {
            let path = folder.path().join("metrics.jsonl");
            StoreError::Damaged { path, reason: format!("line {number}: {error}") }
        })
    };
    lines.into_iter().zip(1..).filter(|(line, _)| finite(line)).map(parse).collect()
}

fn curve(folder: &RunDir) -> Result<Vec<StepsLine>, StoreError> {
    let steps = |line| match line {
        TrainingLine::Steps(steps) => Some(steps),
        _ => None,
    };
    Ok(lines(folder)?.into_iter().filter_map(steps).collect())
}

/// The most confidently wrong test images; the inner error says what is wrong with the file.
fn wrong_images(
    arrays: &Tensors,
    spec: &TrainRun,
    classes: usize,
    labels: &[u8],
    predictions: &[u8],
) -> Result<Result<Vec<WrongImage>, String>, StoreError> {
    let logits: Vec<f32> = arrays.values("test_logits", &[labels.len(), classes])?;
    if !arrays.names().iter().any(|name| name == "wrong_index") {
        return Ok(Ok(Vec::new()));
    }
    let count = arrays.shape("wrong_index")?.first().copied().unwrap_or(0);
    let indices: Vec<u32> = arrays.values("wrong_index", &[count])?;
    let [height, width, channels] = spec.model.input;
    let pixels: Vec<u8> = arrays.values("wrong_images", &[count, height, width, channels])?;
    let image = |(index, pixels): (u32, &[u8])| {
        let index = index as usize;
        let (Some(&class), Some(&predicted)) = (labels.get(index), predictions.get(index)) else {
            return Err(format!(
                "wrong image {index} is out of range: there are {} test images",
                labels.len()
            ));
        };
        let probability = softmax(&logits[index * classes..][..classes], usize::from(predicted));
        Ok(WrongImage { index, class, predicted, probability, pixels: pixels.to_vec() })
    };
    let size = height * width * channels;
    Ok(indices.into_iter().zip(pixels.chunks_exact(size.max(1))).map(image).collect())
}

/// The probability of a class by the softmax of the scores.
fn softmax(logits: &[f32], class: usize) -> f64 {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let exponential = |score: f32| (f64::from(score) - f64::from(largest)).exp();
    exponential(logits[class]) / logits.iter().map(|&score| exponential(score)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_of_known_scores_and_of_large_ones() {
        // e² / (e² + e¹ + e⁰), by hand.
        assert!((softmax(&[2.0, 1.0, 0.0], 0) - 0.665_240_955_774_821_9).abs() < 1e-15);
        assert_eq!(softmax(&[3e38, -3e38], 0), 1.0);
        assert_eq!(softmax(&[5.0, 5.0], 1), 0.5);
    }
}
