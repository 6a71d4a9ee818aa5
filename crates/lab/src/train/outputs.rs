//! The results that a training run writes: the model, and the scores on the test images.

use std::time::Instant;

use inkling_data::{DataSet, Images, Samples};
use inkling_engine::StateKind;
use inkling_engine::logits::argmax;
use inkling_schema::{
    CardData, CardHead, Head, Labels, MODEL_CARD, MODEL_FORMAT, ModelCard, ModelSpec, Preparation, TrainRun,
    Weights,
};
use inkling_store::{Metadata, RunWriter, StoreError, Tensor, TensorFile};

use super::augment::Augmenter;
use super::checkpoint::{Best, tensors};
use super::ended::Ended;
use super::evaluate::evaluate;
use super::training::Training;
use crate::model_file::{BEST, DIVERGED, LAST};
use crate::plan::fit_spec;
use crate::runs::RunContext;

/// Most images that are kept of those classified wrongly.
const WRONG: usize = 24;

/// Writes `model.safetensors` of a training that has ended with finite weights, and `arrays.safetensors` of one that is tested.
pub(crate) fn write(
    training: &mut Training,
    context: &RunContext,
    run: &TrainRun,
    outcome: &mut Ended,
    writer: &RunWriter,
) -> Result<(), StoreError> {
    let best = Best::of(training.best_epoch(), &training.state, writer.dir())?;
    write_model(training, &best, &card(context, run, outcome), outcome, writer)?;
    if training.test.is_none() {
        return Ok(());
    }
    if outcome.weights() == Weights::Best {
        best.restore(training.trainer.network_mut())?;
    }
    write_arrays(training, &run.model, outcome, writer)
}

/// The weights that are the network's under its layers' names; those of the best epoch or of the last, where they are others,
/// under "best/" or "last/".
fn write_model(
    training: &Training,
    best: &Best,
    card: &ModelCard,
    outcome: &Ended,
    writer: &RunWriter,
) -> Result<(), StoreError> {
    let network = training.trainer.network();
    let last = |prefix| tensors(prefix, network, StateKind::Values);
    let all: Vec<Tensor> = match outcome.weights() {
        Weights::Last => last("").chain(best.tensors(BEST, network)).collect(),
        Weights::Best => best.tensors("", network).into_iter().chain(last(LAST)).collect(),
    };
    let json =
        |value: Result<String, serde_json::Error>| value.expect("a network's description is plain data");
    let mut metadata = Metadata::from([
        ("format".into(), MODEL_FORMAT.into()),
        ("model".into(), json(serde_json::to_string(&card.run.model))),
        ("data".into(), card.data.name.clone()),
        (MODEL_CARD.into(), json(serde_json::to_string(card))),
    ]);
    let diverged = outcome.diverged().map(|diverged| {
        format!("its training diverged {}; {}", super::place(diverged), super::kept(outcome.epochs()))
    });
    metadata.extend(diverged.map(|said| (DIVERGED.into(), said)));
    writer.write_tensors(TensorFile::Model, &all, &metadata)
}

/// What the model's file says of the network.
fn card(context: &RunContext, run: &TrainRun, outcome: &Ended) -> ModelCard {
    let DataSet { about, train, checksum, .. } = context.set();
    let [height, width, channels] = about.shape;
    let head = |(number, (head, labels)): (usize, (&Head, &Labels))| CardHead {
        name: head.name.clone(),
        classes: match labels {
            Labels::Classes => about.classes.clone(),
            Labels::Groups(_) => context.groups.to_vec(),
        },
        test: outcome.test(number),
    };
    ModelCard {
        program: concat!("Inkling ", env!("CARGO_PKG_VERSION")).into(),
        data: CardData { name: about.name.clone(), title: about.title.clone(), checksum: checksum.clone() },
        preparation: Preparation {
            size: [height, width],
            channels,
            fit: fit_spec(about.fit),
            brightness: train.images.brightness(),
        },
        heads: run.model.heads.iter().zip(&run.labels).enumerate().map(head).collect(),
        weights: outcome.weights(),
        run: run.clone(),
    }
}

/// Scores and predictions on the test images, and the images that the first head classifies wrongly with the most
/// confidence. The arrays of a further head have its name after theirs: "test_logits/NAME".
fn write_arrays(
    training: &mut Training,
    model: &ModelSpec,
    outcome: &mut Ended,
    writer: &RunWriter,
) -> Result<(), StoreError> {
    let Training { trainer, workspace, train, test, augmenter, .. } = training;
    let test = test.as_ref().expect("a training of a sweep has no answers to the test images");
    let network = trainer.network_mut();
    let (n, classes) = (test.len(), network.num_classes());
    let mut logits: Vec<Vec<f32>> = classes.iter().map(|classes| Vec::with_capacity(n * classes)).collect();
    let start = Instant::now();
    evaluate(network, workspace, test, || true, |head, scores| logits[head].extend_from_slice(scores));
    if let Ended::Tested(outcome) = outcome
        && outcome.epochs.is_empty()
    {
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
    let augmented = augmented(augmenter.as_mut(), &train.samples);
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
    if let Some((shape, pixels)) = &augmented {
        all.push(Tensor::new("augmented", shape, pixels));
    }
    writer.write_tensors(TensorFile::Arrays, &all, &Metadata::from([("format".into(), MODEL_FORMAT.into())]))
}

/// Training images that are shown with what augmentation makes of them, and how many copies of each.
const SHOWN: usize = 4;
const COPIES: usize = 8;

/// The first training images, of several classes where there are some, each followed by changed copies: their shape and pixels.
fn augmented(augmenter: Option<&mut Augmenter>, samples: &Samples) -> Option<([usize; 5], Vec<u8>)> {
    let augmenter = augmenter?;
    let mut shown: Vec<usize> = Vec::new();
    for index in 0..samples.len() {
        let is_new = shown.iter().all(|&other| samples.labels[other] != samples.labels[index]);
        if is_new && shown.len() < SHOWN {
            shown.push(index);
        }
    }
    let mut pixels = Vec::new();
    for (row, &index) in shown.iter().enumerate() {
        augmenter.change(&samples.images, &[index as u32; COPIES], row * COPIES);
        pixels.extend_from_slice(samples.images.image(index));
        pixels.extend_from_slice(&augmenter.pixels);
    }
    let Images { height, width, channels, .. } = samples.images;
    Some(([shown.len(), COPIES + 1, height, width, channels], pixels))
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
