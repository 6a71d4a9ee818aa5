//! The results that a training run writes: the model, and the scores on the test images.

use std::time::Instant;

use inkling_data::Images;
use inkling_engine::StateKind;
use inkling_engine::logits::argmax;
use inkling_schema::outcome::TrainOutcome;
use inkling_schema::{MODEL_FORMAT, ModelSpec};
use inkling_store::{Metadata, RunWriter, StoreError, Tensor, TensorFile};

use super::checkpoint::{Best, tensors};
use super::evaluate::evaluate;
use super::training::Training;
use crate::model_file::DIVERGED;

/// Most images that are kept of those classified wrongly.
const WRONG: usize = 24;

/// Writes `model.safetensors` and `arrays.safetensors` of a training that has ended with finite weights; `data` names
/// the data set.
pub(crate) fn write(
    training: &mut Training,
    model: &ModelSpec,
    data: &str,
    outcome: &mut TrainOutcome,
    writer: &RunWriter,
) -> Result<(), StoreError> {
    write_model(training, model, data, outcome, writer)?;
    write_arrays(training, model, outcome, writer)
}

/// The last weights under their layers' names, and the best ones, where there is a validation split, under "best/".
fn write_model(
    training: &Training,
    model: &ModelSpec,
    data: &str,
    outcome: &TrainOutcome,
    writer: &RunWriter,
) -> Result<(), StoreError> {
    let best = Best::of(training.best_epoch(), &training.state, writer.dir())?;
    let network = training.trainer.network();
    let all: Vec<Tensor> = tensors("", network, StateKind::Values).chain(best.tensors(network)).collect();
    let json = serde_json::to_string(model).expect("a network's spec is plain data");
    let mut metadata = Metadata::from([
        ("format".into(), MODEL_FORMAT.into()),
        ("model".into(), json),
        ("data".into(), data.into()),
    ]);
    let diverged = outcome.diverged.map(|diverged| {
        format!("its training diverged {}; {}", super::place(diverged), super::kept(outcome.epochs.len()))
    });
    metadata.extend(diverged.map(|said| (DIVERGED.into(), said)));
    writer.write_tensors(TensorFile::Model, &all, &metadata)
}

/// Scores and predictions on the test images, and the images that the first head classifies wrongly with the most
/// confidence. The arrays of a further head have its name after theirs: "test_logits/NAME".
fn write_arrays(
    training: &mut Training,
    model: &ModelSpec,
    outcome: &mut TrainOutcome,
    writer: &RunWriter,
) -> Result<(), StoreError> {
    let Training { trainer, workspace, test, .. } = training;
    let network = trainer.network_mut();
    let (n, classes) = (test.len(), network.num_classes());
    let mut logits: Vec<Vec<f32>> = classes.iter().map(|classes| Vec::with_capacity(n * classes)).collect();
    let start = Instant::now();
    evaluate(network, workspace, test, || true, |head, scores| logits[head].extend_from_slice(scores));
    if outcome.epochs.is_empty() {
        outcome.test_seconds = start.elapsed().as_secs_f64();
    }

    let predictions: Vec<Vec<u8>> = logits
        .iter()
        .zip(&classes)
        .map(|(logits, &classes)| logits.chunks_exact(classes).map(predicted).collect())
        .collect();
    let wrong = most_confidently_wrong(&logits[0], classes[0], &predictions[0], &test.labels[0]);
    let Images { height, width, channels, .. } = test.samples.images;
    let images: Vec<u8> =
        wrong.iter().flat_map(|&index| test.samples.images.image(index as usize)).copied().collect();
    let mut all = Vec::new();
    for (number, head) in model.heads.iter().enumerate() {
        let name = |array: &str| match number {
            0 => array.to_owned(),
            _ => format!("{array}/{}", head.name),
        };
        all.push(Tensor::new(name("test_logits"), &[n, classes[number]], &logits[number]));
        all.push(Tensor::new(name("test_labels"), &[n], &test.labels[number]));
        all.push(Tensor::new(name("test_predictions"), &[n], &predictions[number]));
    }
    if !wrong.is_empty() {
        all.push(Tensor::new("wrong_index", &[wrong.len()], &wrong));
        all.push(Tensor::new("wrong_images", &[wrong.len(), height, width, channels], &images));
    }
    writer.write_tensors(TensorFile::Arrays, &all, &Metadata::from([("format".into(), MODEL_FORMAT.into())]))
}

/// The class with the largest score, as a label.
fn predicted(scores: &[f32]) -> u8 {
    u8::try_from(argmax(scores)).expect("a head has 256 classes at most")
}

/// The images predicted wrongly, by the softmax probability of what is predicted, largest first and then by number.
fn most_confidently_wrong(logits: &[f32], classes: usize, predictions: &[u8], labels: &[u8]) -> Vec<u32> {
    // Not `logits::probability`, which subtracts logits in f32: images whose probabilities are close would change
    // places.
    let confidence = |index: usize| {
        let scores = &logits[index * classes..][..classes];
        let predicted = f64::from(scores[usize::from(predictions[index])]);
        1.0 / scores.iter().map(|&score| (f64::from(score) - predicted).exp()).sum::<f64>()
    };
    let mut wrong: Vec<(f64, u32)> = (0_u32..)
        .zip(predictions.iter().zip(labels))
        .filter(|(_, (prediction, label))| prediction != label)
        .map(|(index, _)| (confidence(index as usize), index))
        .collect();
    wrong.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    wrong.truncate(WRONG);
    wrong.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_confident_mistakes_come_first_and_ties_by_number() {
        // Three images wrong: the last one surest, the other two alike; the second image is right.
        let logits = [1.0, 0.0, 5.0, 0.0, 1.0, 0.0, 0.0, 4.0];
        let wrong = most_confidently_wrong(&logits, 2, &[0, 0, 0, 1], &[1, 0, 1, 0]);
        assert_eq!(wrong, [3, 0, 2]);
        let many = vec![0.0; 200];
        assert_eq!(most_confidently_wrong(&many, 2, &[0; 100], &[1; 100]), (0..24).collect::<Vec<u32>>());
    }
}
