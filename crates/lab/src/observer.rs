//! The events of a study, and the observer that receives them.

use std::time::Duration;

use inkling_engine::NamedTensor;
use inkling_schema::outcome::{EpochOutcome, StepsLine, TrialEpoch};
use inkling_schema::{Head, Task};

/// Receives the events of a study, and can interrupt it.
pub trait Observer: Sync {
    /// Called for each event, from any thread.
    fn event(&self, event: Event);

    /// Whether the study should stop as soon as it can. Finished runs are kept.
    fn interrupted(&self) -> bool;

    /// Whether [`Event::Weights`] is wanted after each epoch, which costs the memory of a second network with its gradients.
    fn wants_weights(&self) -> bool {
        false
    }

    /// Whether a training should write a checkpoint within an epoch, that long after its last one. By default it does
    /// so every three minutes, so that a killed run loses no more even if an epoch takes hours.
    fn checkpoint_is_due(&self, since_last: Duration) -> bool {
        since_last >= Duration::from_secs(180)
    }
}

/// An event of a study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// The data is in memory.
    Loaded {
        /// Training and test images of all sets.
        images: usize,
        /// Seconds it took.
        seconds: f64,
    },
    /// A data set has fewer images than the study asks for: all are used.
    Smaller {
        /// The set's title.
        set: &'a str,
        /// "training" or "test".
        part: &'static str,
        /// Images that the study asks for.
        asked: usize,
        /// Images that there are.
        there: usize,
    },
    /// What a person should know of how a set of their own was read.
    OwnData {
        /// The set's name.
        set: &'a str,
        /// A whole sentence.
        note: &'a str,
    },
    /// A stage of a task begins: several small runs, or a large one.
    Stage {
        /// What is done, as a person reads it.
        title: &'a str,
        /// Steps that [`Event::Advanced`] will count, or else [`Event::Finished`] and [`Event::Skipped`].
        steps: usize,
    },
    /// A network of the study does not read all of its images.
    Unread {
        /// The network's task and name.
        title: &'a str,
        /// How much, and which layers.
        warning: &'a str,
    },
    /// A step within a run is done.
    Advanced,
    /// Metrics of the last training steps.
    Steps(&'a StepsLine),
    /// An epoch of training ended.
    Epoch {
        /// All epochs of the run.
        epochs: usize,
        /// The network's loss and accuracy on all images after it.
        outcome: &'a EpochOutcome,
        /// Its heads.
        heads: &'a [Head],
    },
    /// An epoch of a training ended that sees no test image.
    Trial {
        /// All epochs of the run.
        epochs: usize,
        /// The network's loss and accuracy on the images trained on and the validation images after it.
        outcome: &'a TrialEpoch,
        /// Its heads.
        heads: &'a [Head],
    },
    /// What the network in training is after an epoch, for an observer that wants it ([`Observer::wants_weights`]).
    Weights {
        /// Steps so far.
        step: usize,
        /// Parameters and running statistics.
        values: &'a [NamedTensor],
        /// The gradient of the loss on a batch of training images, the same after each epoch. Heads that are not trained have none.
        gradients: &'a [NamedTensor],
    },
    /// Only some tasks are done; these others, which the folder holds, stay part of the study and of its report.
    Keeps {
        /// The tasks that stay, in words.
        tasks: &'a str,
        /// Name of the study that they are of.
        preset: &'a str,
    },
    /// The folder held another study, some of whose runs are none of this one: they stay where they are, but leave the
    /// report.
    Replaces {
        /// Name of the other study.
        preset: &'a str,
        /// Its runs that are none of this one.
        runs: usize,
    },
    /// The folder's record of its study is damaged or gone, and these runs in it are none of this study: they leave the
    /// report.
    Unlisted {
        /// Finished runs that are none of this study.
        runs: usize,
    },
    /// A training run continues from a checkpoint.
    Resumed {
        /// What it is.
        title: &'a str,
        /// Whole epochs that earlier processes trained.
        epochs: usize,
        /// Steps of the stage that earlier processes did.
        steps: usize,
        /// Whether the checkpoint was written within an epoch.
        within_an_epoch: bool,
    },
    /// A training run continues from the end of a finished run that trained for fewer epochs.
    Continued {
        /// What it is.
        title: &'a str,
        /// Epochs that the finished run trained.
        epochs: usize,
        /// Steps of the stage that it did.
        steps: usize,
    },
    /// A finished run did some of this run's epochs, but this run cannot go on from it: it trains from the beginning.
    NotContinued {
        /// What it is.
        title: &'a str,
        /// Epochs that the finished run did.
        epochs: usize,
        /// Why.
        reason: &'a str,
    },
    /// A checkpoint is unusable. Another event says what is done instead.
    UnfitCheckpoint {
        /// The training run.
        title: &'a str,
        /// What is wrong with which file.
        problem: &'a str,
    },
    /// No checkpoint of a training run is usable: it starts from the beginning.
    BegunAnew {
        /// What it is.
        title: &'a str,
    },
    /// A number of a run is no longer finite, now or in an earlier process. The run ends with the last finite numbers.
    Diverged {
        /// What it is.
        title: &'a str,
        /// Where: "at step 12, in epoch 1".
        place: &'a str,
        /// What is kept of it, as a clause: "the weights that it began with are kept".
        kept: &'a str,
        /// What may help, or what the cause is, in words: "a smaller `learning_rate` may help".
        advice: &'a str,
    },
    /// A task of which something was to be done is done; what was found is in the store.
    TaskEnded {
        /// The task.
        task: Task,
        /// Whether other tasks are still to come.
        more: bool,
    },
    /// Another process does a run that is to be done: this one waits until it is finished, or that process has ended.
    Waits {
        /// The run.
        title: &'a str,
        /// Which process does it.
        problem: &'a str,
    },
    /// A run is done.
    Finished,
    /// A run was done already.
    Skipped,
    /// A run was done already, but its files are not what it wrote: it is done again.
    Damaged {
        /// What it is.
        title: &'a str,
        /// What is wrong.
        problem: &'a str,
    },
}
