//! What a training run goes on from: every number that the next step depends on, and what was found so far.

use std::borrow::Cow;

use inkling_engine::{Array, Part, Path};
use inkling_spec::found::EpochOutcome;
use inkling_store::{Checkpoint, Metadata, RunWriter, StoreError, Tensor};
use serde::{Deserialize, Serialize};

use super::training::Training;

/// Where a run stands between two epochs, but for its tensors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Standing {
    /// Steps taken.
    pub(crate) steps: usize,
    /// Each epoch that ended.
    pub(crate) epochs: Vec<EpochOutcome>,
    /// How far the stream has been drawn from that shuffles the images.
    pub(crate) shuffle: u128,
    /// How far the network's own streams have been drawn from, by layer.
    pub(crate) streams: Vec<(String, u128)>,
    /// What the weighting of the heads has learnt; empty where it learns nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) weighting: String,
    /// Seconds of training steps.
    pub(crate) train_seconds: f64,
    /// Seconds to classify the test images, epoch by epoch.
    pub(crate) test_seconds: Vec<f64>,
    /// Seconds of everything.
    pub(crate) seconds: f64,
    /// Instructions that the network was computed with: others would end with other last digits.
    pub(crate) instructions: String,
}

/// Key of the standing in the checkpoint's metadata, as JSON.
const STANDING: &str = "standing";

/// The parts of a network that are kept, and how their tensors' names begin.
const PARTS: [(Part, &str); 3] =
    [(Part::Values, "value"), (Part::FirstMoments, "first-moment"), (Part::SecondMoments, "second-moment")];
/// How the names of the best weights begin.
pub(crate) const BEST: &str = "best";

/// Arrays as tensors whose names begin with `prefix`.
pub(crate) fn tensors<'a>(prefix: &str, arrays: &'a [Array]) -> impl Iterator<Item = Tensor<'a>> {
    let tensor = move |array: &'a Array, name| Tensor::new(name, &array.shape, &array.values);
    arrays.iter().map(move |array| tensor(array, format!("{prefix}/{}", array.name)))
}

/// Writes where the run stands, right after an epoch whose weights are kept.
pub(crate) fn write(training: &mut Training, writer: &mut RunWriter) -> Result<(), StoreError> {
    let standing = training.standing();
    let network = training.trainer.network();
    // The values are those that were just kept: a copy less, of a hundred megabytes for the largest networks.
    let arrays = PARTS.map(|(part, prefix)| match part {
        Part::Values => (prefix, Cow::Borrowed(&training.kept[..])),
        _ => (prefix, Cow::Owned(network.arrays(part))),
    });
    let parts = arrays.iter().flat_map(|(prefix, arrays)| tensors(prefix, arrays));
    let all: Vec<Tensor> = parts.chain(tensors(BEST, &training.best)).collect();
    let json = serde_json::to_string(&standing).expect("a standing is plain data");
    writer.write_checkpoint(&all, &Metadata::from([(STANDING.to_owned(), json)]))
}

/// Sets a fresh training to where `checkpoint` stands.
///
/// # Errors
/// [`StoreError::WrongTensor`] and [`StoreError::Damaged`] where it is not of this network. Some of the training is then
/// set and some not.
pub(crate) fn restore(training: &mut Training, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    let damaged = |reason: String| StoreError::Damaged { path: checkpoint.path().to_owned(), reason };
    let held = checkpoint.tensors();
    let json = held.metadata(STANDING).ok_or_else(|| damaged(format!("it has no `{STANDING}`")))?;
    let standing: Standing = serde_json::from_str(json).map_err(|error| damaged(error.to_string()))?;
    let instructions = Path::current().name();
    if standing.instructions != instructions {
        let reason =
            format!("it was made with {}, and this run computes with {instructions}", standing.instructions);
        return Err(damaged(reason));
    }

    let trainer = &mut training.trainer;
    for (part, prefix) in PARTS {
        let find = |name: &str, shape: &[usize]| held.values(&format!("{prefix}/{name}"), shape);
        trainer.network_mut().set_arrays(part, find)?;
    }
    trainer.set_positions(|layer| {
        let position = standing.streams.iter().find(|(name, _)| name == layer);
        position.map(|(_, position)| *position).ok_or_else(|| damaged(format!("it has no stream `{layer}`")))
    })?;
    trainer.set_steps(standing.steps as u64);
    let weighting = training.weighting.restore(&standing.weighting);
    weighting.map_err(|error| damaged(format!("its weighting of the heads: {error}")))?;
    training.kept = trainer.network().arrays(Part::Values);
    if standing.epochs.iter().any(|epoch| epoch.validation.is_some()) {
        training.best = training.kept.clone();
        for array in &mut training.best {
            array.values = held.values(&format!("{BEST}/{}", array.name), &array.shape)?;
        }
    }
    training.shuffle.seek(standing.shuffle);
    training.go_on_from(standing);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_comes_back_as_it_was_even_from_far_along_a_stream() {
        let standing = Standing {
            shuffle: u128::from(u64::MAX) + 7,
            streams: vec![("trunk.3".into(), 1 << 67)],
            train_seconds: 0.1 + 0.2,
            ..Standing::default()
        };
        let json = serde_json::to_string(&standing).unwrap();
        assert_eq!(serde_json::from_str::<Standing>(&json).unwrap(), standing);
    }
}
