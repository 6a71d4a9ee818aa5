//! Checkpoints of a training run: every number that the next step depends on, and the results so far.

use inkling_engine::{Network, StateKind, Trainer};
use inkling_schema::outcome::Origin;
use inkling_store::{Checkpoint, Metadata, RunDir, RunWriter, StoreError, Tensor};
use serde::{Deserialize, Serialize};

use super::ended::EpochEnd;
use super::step::MetricAccumulator;
use crate::model_file::BEST;

/// The state of a training run, apart from its tensors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainState {
    /// Steps taken.
    pub(crate) steps: usize,
    /// The results of each epoch that has ended.
    pub(crate) epochs: Vec<EpochEnd>,
    /// Position of the stream that shuffles the images; within an epoch, its position before that epoch was shuffled.
    pub(crate) shuffle: u128,
    /// Progress of the epoch that has begun and not ended; none between two epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<Within>,
    /// Positions of the network's own random streams, by layer.
    pub(crate) streams: Vec<(String, u128)>,
    /// The state of the loss weighting; empty for a method that learns nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) weighting: String,
    /// Seconds of training steps.
    pub(crate) train_seconds: f64,
    /// Seconds to classify the test images, epoch by epoch.
    pub(crate) test_seconds: Vec<f64>,
    /// Seconds of the whole run.
    pub(crate) seconds: f64,
    /// Instructions that the network was computed with: others may give other last digits.
    pub(crate) instructions: String,
    /// The programs and machines that did the run so far, each once; absent in checkpoints of older versions.
    #[serde(default)]
    pub(crate) origins: Vec<Origin>,
}

/// Progress within an epoch that has begun and not ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Within {
    /// Batches of the epoch that are done.
    pub(crate) batches: usize,
    /// Sums that the next line of metrics begins with.
    #[serde(rename = "since")]
    pub(crate) accumulator: MetricAccumulator,
}

/// Key of the state in the checkpoint's metadata, where it is JSON.
const STATE_KEY: &str = "standing";

/// The parts of a network that are kept, and how their tensors' names begin.
const PARTS: [(StateKind, &str); 3] = [
    (StateKind::Values, "value/"),
    (StateKind::FirstMoments, "first-moment/"),
    (StateKind::SecondMoments, "second-moment/"),
];

/// A part of a network as tensors whose names begin with `prefix`, copied when they are written.
pub(crate) fn tensors<'a>(
    prefix: &str,
    network: &'a Network,
    part: StateKind,
) -> impl Iterator<Item = Tensor<'a>> {
    network.tensor_views(part).map(move |view| {
        let (name, shape) = (format!("{prefix}{}", view.name), view.shape().to_vec());
        let copy = move |first, values: &mut [f32]| {
            view.read(first, values);
            Ok(())
        };
        Tensor::made(name, &shape, copy)
    })
}

/// Where the weights of the best epoch, judged by the validation images, are kept.
pub(crate) enum Best {
    /// There are no such images.
    None,
    /// The best epoch is the last one: they are in the network.
    Last,
    /// They are in the newest checkpoint.
    Kept(Box<Checkpoint>),
}

impl Best {
    /// Of a training in this state, whose best epoch is `best_epoch` and whose newest checkpoint is that of the last
    /// epoch, of the one before, or within the present one.
    pub(crate) fn of(
        best_epoch: Option<usize>,
        state: &TrainState,
        dir: &RunDir,
    ) -> Result<Best, StoreError> {
        Ok(match best_epoch {
            None => Best::None,
            Some(epoch) if epoch == state.epochs.len() && state.within.is_none() => Best::Last,
            Some(_) => Best::Kept(Box::new(newest(dir)?)),
        })
    }

    /// The weights as tensors whose names begin with `prefix`, each read when it is written.
    pub(crate) fn tensors<'a>(&'a self, prefix: &str, network: &'a Network) -> Vec<Tensor<'a>> {
        match self {
            Best::None => Vec::new(),
            Best::Last => tensors(prefix, network, StateKind::Values).collect(),
            Best::Kept(checkpoint) => {
                let tensor = |name: &str, shape: Vec<usize>| {
                    let (key, like) = (format!("{BEST}{name}"), shape.clone());
                    let read = move |first, values: &mut [f32]| {
                        checkpoint.tensors().read_values(&key, &like, first, values)
                    };
                    Tensor::made(format!("{prefix}{name}"), &shape, read)
                };
                let views = network.tensor_views(StateKind::Values);
                views.map(|view| tensor(&view.name, view.shape().to_vec())).collect()
            }
        }
    }
}

impl Best {
    /// Gives a network these weights, where it does not have them.
    ///
    /// # Errors
    /// [`StoreError::WrongTensor`] where they are not of this network.
    pub(crate) fn restore(&self, network: &mut Network) -> Result<(), StoreError> {
        let Best::Kept(checkpoint) = self else { return Ok(()) };
        let find = |name: &str, shape: &[usize]| checkpoint.tensors().values(&format!("{BEST}{name}"), shape);
        network.load_state_dict(StateKind::Values, find)
    }
}

/// The newest checkpoint of a run that has written one.
fn newest(dir: &RunDir) -> Result<Checkpoint, StoreError> {
    dir.checkpoints().next().unwrap_or_else(|| Err(gone(dir)))
}

/// The newest checkpoint that was written right after an epoch, of a run that has written one. What a run keeps when it
/// diverges comes from there, and so does not depend on when a checkpoint within an epoch was written.
pub(crate) fn after_an_epoch(dir: &RunDir) -> Result<Checkpoint, StoreError> {
    for checkpoint in dir.checkpoints() {
        let checkpoint = checkpoint?;
        if read_state(&checkpoint)?.within.is_none() {
            return Ok(checkpoint);
        }
    }
    Err(gone(dir))
}

fn gone(dir: &RunDir) -> StoreError {
    let reason = "the checkpoint that this run has written is gone".into();
    StoreError::Damaged { path: dir.path(), reason }
}

/// Reads the training state that a checkpoint holds.
pub(crate) fn read_state(checkpoint: &Checkpoint) -> Result<TrainState, StoreError> {
    let json = checkpoint.tensors().metadata(STATE_KEY);
    let json = json.ok_or_else(|| damaged(checkpoint, format!("it has no `{STATE_KEY}`")))?;
    serde_json::from_str(json).map_err(|error| damaged(checkpoint, error.to_string()))
}

/// Writes a checkpoint of a training in this state, right after an epoch or within one.
///
/// A checkpoint within an epoch is the newest one only until the next is written, whichever that is: the one before it
/// always follows a whole epoch. So `replace_newest` says whether the newest one was written within an epoch.
pub(crate) fn write(
    trainer: &Trainer,
    state: &TrainState,
    best_epoch: Option<usize>,
    replace_newest: bool,
    writer: &mut RunWriter,
) -> Result<(), StoreError> {
    let best = Best::of(best_epoch, state, writer.dir())?;
    let network = trainer.network();
    let parts = PARTS.iter().flat_map(|&(part, prefix)| tensors(prefix, network, part));
    let all: Vec<Tensor> = parts.chain(best.tensors(BEST, network)).collect();
    let json = serde_json::to_string(state).expect("a training state is plain data");
    let metadata = Metadata::from([(STATE_KEY.to_owned(), json)]);
    if replace_newest {
        writer.replace_checkpoint(&all, &metadata)
    } else {
        writer.write_checkpoint(&all, &metadata)
    }
}

/// Sets the weights of a network to those of `checkpoint`.
///
/// # Errors
/// [`StoreError::WrongTensor`] where they are not of this network. Some are then set and some not.
pub(crate) fn restore_weights(trainer: &mut Trainer, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    restore_part(trainer, checkpoint, PARTS[0])
}

fn restore_part(
    trainer: &mut Trainer,
    checkpoint: &Checkpoint,
    (part, prefix): (StateKind, &str),
) -> Result<(), StoreError> {
    let held = checkpoint.tensors();
    let find = |name: &str, shape: &[usize]| held.values(&format!("{prefix}{name}"), shape);
    trainer.network_mut().load_state_dict(part, find)
}

/// Loads the weights, moments, random streams and steps of `checkpoint`, whose state is `state`, into a fresh trainer.
///
/// # Errors
/// [`StoreError::WrongTensor`] and [`StoreError::Damaged`] where it is not of this network. Some of the trainer is then
/// set and some not.
pub(crate) fn restore(
    trainer: &mut Trainer,
    state: &TrainState,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    for part in PARTS {
        restore_part(trainer, checkpoint, part)?;
    }
    trainer.load_rng_state(|layer| {
        let position = state.streams.iter().find(|(name, _)| name == layer);
        position
            .map(|(_, position)| *position)
            .ok_or_else(|| damaged(checkpoint, format!("it has no stream `{layer}`")))
    })?;
    trainer.set_steps(state.steps as u64);
    if state.epochs.iter().any(|epoch| epoch.validation_losses().iter().any(Option::is_some)) {
        for view in trainer.network().tensor_views(StateKind::Values) {
            checkpoint.tensors().shape(&format!("{BEST}{}", view.name))?;
        }
    }
    Ok(())
}

/// The error for a checkpoint that a training cannot continue from.
pub(crate) fn damaged(checkpoint: &Checkpoint, reason: String) -> StoreError {
    StoreError::Damaged { path: checkpoint.path().to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_as_it_was_even_from_far_along_a_stream() {
        let state = TrainState {
            shuffle: u128::from(u64::MAX) + 7,
            streams: vec![("trunk.3".into(), 1 << 67)],
            train_seconds: 0.1 + 0.2,
            ..TrainState::default()
        };
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<TrainState>(&json).unwrap(), state);
    }
}
