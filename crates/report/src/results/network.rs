//! A trained network with any number of heads, read from its run.

use inkling_schema::outcome::{
    EpochOutcome, Evaluation, GradientsLine, HeadOutcome, IdleLine, PlannedRun, RunResult, StepsLine,
    TrainOutcome, TrainingLine,
};
use inkling_schema::{LayerSpec, TrainRun};
use inkling_store::{Reader, RunDir, StoreError, TensorFile, Tensors};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{check_counts, damaged_arrays, damaged_result, outcome};
use crate::ReportError;

/// A trained network.
#[derive(Debug, Clone)]
pub struct Network {
    /// What the study calls it.
    pub name: String,
    /// Why the study has it; empty where it does not say.
    pub why: String,
    /// Units of each hidden dense layer, or filters of each convolution where it has some.
    pub widths: Vec<usize>,
    /// What its convolutions have beside filters; `None` without one.
    pub convolutions: Option<Convolutions>,
    /// The run's spec.
    pub spec: TrainRun,
    /// What came of it.
    pub outcome: TrainOutcome,
    /// Loss and accuracy within the epochs.
    pub curve: Vec<StepsLine>,
    /// How the heads' gradients are related to each other.
    pub gradients: Vec<GradientsLine>,
    /// What no longer changed; empty where it was not measured.
    pub idle: Vec<IdleLine>,
    /// The answers of each head, in the order of the spec's labels.
    pub heads: Vec<Answers>,
    /// The most confident wrong answers of the first head, the most confident one first.
    pub wrong: Vec<WrongImage>,
    /// Training images, each followed by copies that were changed as in training, shape [rows, columns, height, width, channels];
    /// empty where images are trained on as they are.
    pub augmented: Vec<u8>,
    /// Images in a row of these.
    pub augmented_columns: usize,
    /// Seconds of the whole run.
    pub seconds: f64,
    /// What the other seeds of the study made of it, in their order; all above is of the first seed.
    pub replicates: Vec<Replicate>,
}

/// A network trained once more, from another seed of the study.
#[derive(Debug, Clone)]
pub struct Replicate {
    /// The seed.
    pub seed: u64,
    /// What came of it.
    pub outcome: TrainOutcome,
    /// The answers of each head, in the order of the spec's labels.
    pub heads: Vec<Answers>,
}

/// One training of a network, from whichever seed.
#[derive(Debug, Clone, Copy)]
pub struct Trained<'a> {
    /// The seed.
    pub seed: u64,
    /// What came of it.
    pub outcome: &'a TrainOutcome,
    /// The answers of each head.
    pub heads: &'a [Answers],
}

/// The answers of a head to the n test images.
#[derive(Debug, Clone)]
pub struct Answers {
    /// What is right, shape `[n]`.
    pub labels: Vec<u8>,
    /// What it says, shape `[n]`.
    pub predictions: Vec<u8>,
    /// The groups that its probabilities give, summed, shape `[n]`; empty where classes have no groups.
    pub free: Vec<u8>,
    /// Mean cross-entropy of those sums; 0 where there are none.
    pub free_loss: f64,
}

/// Kernels and strides of convolutions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convolutions {
    /// Side of the kernels of each.
    pub kernels: Vec<usize>,
    /// Step of each.
    pub strides: Vec<usize>,
}

/// A test image that a network got wrong.
#[derive(Debug, Clone)]
pub struct WrongImage {
    /// Its number among the test images.
    pub index: usize,
    /// Its class.
    pub class: u8,
    /// What the network says.
    pub predicted: u8,
    /// The probability that the network gives its answer.
    pub probability: f64,
    /// The pixels, shape [height, width, channels].
    pub pixels: Vec<u8>,
}

impl Network {
    /// Its training from every seed of the study, the first one first.
    pub fn trainings(&self) -> impl Iterator<Item = Trained<'_>> {
        let first = Trained { seed: self.spec.seed, outcome: &self.outcome, heads: &self.heads };
        let again = self.replicates.iter();
        let again = again.map(|Replicate { seed, outcome, heads }| Trained { seed: *seed, outcome, heads });
        std::iter::once(first).chain(again)
    }

    /// Hidden layers.
    pub fn depth(&self) -> usize {
        self.widths.len()
    }

    /// The epoch whose weights are the network's, the last unless training may stop early; `None` where training diverged,
    /// whatever came before.
    pub fn kept(&self) -> Option<&EpochOutcome> {
        self.outcome.kept()
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        let ended = self.outcome.epochs.first().map(|epoch| epoch.step);
        let held_out = self.spec.training.validation.as_ref().map_or(0, |validation| validation.images);
        let images = self.spec.data.train_images.saturating_sub(held_out);
        ended.unwrap_or_else(|| images.div_ceil(self.spec.training.batch_size.max(1))).max(1)
    }

    /// How many epochs so many steps are.
    pub fn epochs_at(&self, step: usize) -> f64 {
        step as f64 / self.steps_per_epoch() as f64
    }

    /// What is right for each test image, as the first head is asked, shape `[n]`.
    pub fn labels(&self) -> &[u8] {
        &self.heads[0].labels
    }

    /// What the first head says of each test image, shape `[n]`.
    pub fn predictions(&self) -> &[u8] {
        &self.heads[0].predictions
    }

    /// Its name, its seed, and the name of its first head.
    pub(crate) fn head_of_classes(&self) -> (&str, u64, &str) {
        let head = self.spec.model.heads.first().map_or("", |head| head.name.as_str());
        (&self.name, self.spec.seed, head)
    }

    /// Test images of each class (rows) by the first head's answers (columns).
    pub fn confusion(&self, classes: usize) -> Vec<Vec<usize>> {
        self.heads[0].confusion(classes)
    }

    /// The one class that the first head predicts for every test image, where they have several.
    pub fn only_answer(&self) -> Option<u8> {
        self.heads[0].only_answer()
    }
}

impl Answers {
    /// Test images of each class (rows) by the answers (columns).
    pub fn confusion(&self, classes: usize) -> Vec<Vec<usize>> {
        let mut counts = vec![vec![0; classes]; classes];
        for (&label, &predicted) in self.labels.iter().zip(&self.predictions) {
            counts[usize::from(label)][usize::from(predicted)] += 1;
        }
        counts
    }

    /// The one class that is predicted for every image, where they have several.
    pub fn only_answer(&self) -> Option<u8> {
        let first = *self.predictions.first()?;
        let alike = self.predictions.iter().all(|&answer| answer == first);
        (alike && self.labels.iter().any(|&label| label != self.labels[0])).then_some(first)
    }
}

/// Units of hidden dense layers, or filters, and what convolutions have beside them.
fn hidden(spec: &TrainRun) -> (Vec<usize>, Option<Convolutions>) {
    let mut units = Vec::new();
    let (mut filters_of, mut kernels, mut strides) = (Vec::new(), Vec::new(), Vec::new());
    for layer in &spec.model.trunk {
        match layer {
            LayerSpec::Dense { units: of_layer, .. } => units.push(*of_layer),
            LayerSpec::Conv2d { filters, kernel_size, stride, .. } => {
                filters_of.push(*filters);
                kernels.push(kernel_size[0]);
                strides.push(stride[0]);
            }
            _ => {}
        }
    }
    if filters_of.is_empty() { (units, None) } else { (filters_of, Some(Convolutions { kernels, strides })) }
}

/// Reads a network whose heads tell so many classes apart, and the scores of each head, shape `[n, classes]`.
pub(super) fn read(
    store: &Reader,
    run: &PlannedRun,
    spec: &TrainRun,
    classes: &[usize],
) -> Result<(Network, Vec<Vec<f32>>), ReportError> {
    let folder = store.run(run.id.as_ref());
    let result: RunResult<TrainOutcome> = outcome(store, run)?;
    check_counts(&folder, result.outcome.epochs.iter().flat_map(evaluations))?;
    if result.outcome.epochs.iter().any(|epoch| epoch.further.len() + 1 != classes.len()) {
        return Err(damaged_result(&folder, "an epoch has not as many heads as the network"));
    }
    let arrays = folder.tensors(TensorFile::Arrays)?;
    let (mut heads, mut scores) = (Vec::new(), Vec::new());
    for (number, &classes) in classes.iter().enumerate() {
        let (answers, of_head) = answers(&folder, &arrays, spec, (number, classes))?;
        heads.push(answers);
        scores.push(of_head);
    }
    let (mut curve, mut gradients, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for line in training_lines(&folder)? {
        match line {
            TrainingLine::Steps(line) => curve.push(line),
            TrainingLine::Gradients(line) => gradients.push(line),
            TrainingLine::Idle(line) => idle.push(line),
            TrainingLine::Epoch(_) | TrainingLine::Trial(_) => {}
        }
    }
    let wrong = wrong_images((&folder, &arrays), spec, &heads[0], &scores[0])?;
    let (augmented, augmented_columns) = augmented(&arrays, spec)?;
    let (widths, convolutions) = hidden(spec);
    let network = Network {
        name: run.title.clone(),
        why: String::new(),
        widths,
        convolutions,
        spec: spec.clone(),
        outcome: result.outcome,
        curve,
        gradients,
        idle,
        heads,
        wrong,
        augmented,
        augmented_columns,
        seconds: result.seconds,
        replicates: Vec::new(),
    };
    Ok((network, scores))
}

impl Replicate {
    /// What is kept of a network that was read.
    pub(super) fn of(network: Network) -> Replicate {
        Replicate { seed: network.spec.seed, outcome: network.outcome, heads: network.heads }
    }
}

/// Training images beside changed copies, and how many there are in a row.
fn augmented(arrays: &Tensors, spec: &TrainRun) -> Result<(Vec<u8>, usize), StoreError> {
    const NAME: &str = "augmented";
    if !arrays.names().iter().any(|name| name == NAME) {
        return Ok((Vec::new(), 0));
    }
    let (rows, columns) = match arrays.shape(NAME)? {
        &[rows, columns, ..] => (rows, columns),
        _ => (0, 0),
    };
    let [height, width, channels] = spec.model.input;
    Ok((arrays.values(NAME, &[rows, columns, height, width, channels])?, columns))
}

/// The answers of the head of this number, which tells so many classes apart, and its scores.
fn answers(
    folder: &RunDir,
    arrays: &Tensors,
    spec: &TrainRun,
    (number, classes): (usize, usize),
) -> Result<(Answers, Vec<f32>), ReportError> {
    let images = spec.data.test_images;
    let name = |of: &str| array(of, number, spec);
    let labels: Vec<u8> = arrays.values(&name("test_labels"), &[images])?;
    let predictions: Vec<u8> = arrays.values(&name("test_predictions"), &[images])?;
    let scores: Vec<f32> = arrays.values(&name("test_logits"), &[images, classes])?;
    if labels.iter().chain(&predictions).any(|&class| usize::from(class) >= classes) {
        let head = &spec.model.heads[number].name;
        let reason = format!("a class of the head `{head}` is out of range: there are {classes}");
        return Err(damaged_arrays(folder, reason));
    }
    Ok((Answers { labels, predictions, free: Vec::new(), free_loss: 0.0 }, scores))
}

/// The name of an array of a head: those of further heads carry the head's name.
pub(super) fn array(of: &str, head: usize, spec: &TrainRun) -> String {
    if head == 0 { of.to_owned() } else { format!("{of}/{}", spec.model.heads[head].name) }
}

/// How each head does after an epoch.
pub(super) fn heads(epoch: &EpochOutcome) -> impl Iterator<Item = HeadOutcome> {
    let first = HeadOutcome { train: epoch.train, validation: epoch.validation, test: epoch.test };
    std::iter::once(first).chain(epoch.further.iter().copied())
}

/// The evaluation of a head after an epoch, on the test images.
pub(crate) fn test_of(epoch: &EpochOutcome, head: usize) -> Option<Evaluation> {
    heads(epoch).nth(head).map(|found| found.test)
}

/// All evaluations after an epoch.
fn evaluations(epoch: &EpochOutcome) -> impl Iterator<Item = Evaluation> {
    heads(epoch).flat_map(|head| [Some(head.train), head.validation, Some(head.test)]).flatten()
}

/// The lines of a run, which has none where it diverged before the first. Where there were some, its result knows of them.
///
/// # Errors
/// As for [`RunDir::metrics`].
pub fn metrics<T: DeserializeOwned>(folder: &RunDir) -> Result<Vec<T>, StoreError> {
    if folder.path().join("metrics.jsonl").exists() { folder.metrics() } else { Ok(Vec::new()) }
}

/// The lines of a run's metrics. A number that is not finite is `null` in a file, and a line within epochs whose loss or
/// gradients are such is left out.
///
/// # Errors
/// A file that cannot be read, or a line that is none of a training.
pub fn training_lines(folder: &RunDir) -> Result<Vec<TrainingLine>, StoreError> {
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

/// The most confidently wrong test images.
fn wrong_images(
    (folder, arrays): (&RunDir, &Tensors),
    spec: &TrainRun,
    answers: &Answers,
    logits: &[f32],
) -> Result<Vec<WrongImage>, ReportError> {
    if !arrays.names().iter().any(|name| name == "wrong_index") {
        return Ok(Vec::new());
    }
    let classes = logits.len() / answers.labels.len().max(1);
    let count = arrays.shape("wrong_index")?.first().copied().unwrap_or(0);
    let indices: Vec<u32> = arrays.values("wrong_index", &[count])?;
    let [height, width, channels] = spec.model.input;
    let pixels: Vec<u8> = arrays.values("wrong_images", &[count, height, width, channels])?;
    let image = |(index, pixels): (u32, &[u8])| {
        let index = index as usize;
        let (Some(&class), Some(&predicted)) = (answers.labels.get(index), answers.predictions.get(index))
        else {
            let images = answers.labels.len();
            let reason = format!("wrong image {index} is out of range: there are {images} test images");
            return Err(damaged_arrays(folder, reason));
        };
        let probability = softmax(&logits[index * classes..][..classes], usize::from(predicted));
        Ok(WrongImage { index, class, predicted, probability, pixels: pixels.to_vec() })
    };
    let size = height * width * channels;
    indices.into_iter().zip(pixels.chunks_exact(size.max(1))).map(image).collect()
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
