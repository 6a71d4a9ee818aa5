//! One network of Task 6, with one head or more.

use inkling_schema::outcome::{
    EpochOutcome, Evaluation, GradientsLine, IdleLine, PlannedRun, RunResult, StepsLine, TrainOutcome,
    TrainingLine,
};
use inkling_schema::{TrainRun, Weighting};
use inkling_store::{Reader, TensorFile};

use super::super::networks::{lines, proportions};
use super::super::outcome;
use super::{Goal, MultitaskResults, damaged_file, free};
use crate::ReportError;

/// A network with one head or more.
#[derive(Debug, Clone)]
pub struct HeadedNetwork {
    /// What the study calls it.
    pub name: String,
    /// The run's spec.
    pub spec: TrainRun,
    /// What came of it.
    pub outcome: TrainOutcome,
    /// Loss and accuracy within the epochs.
    pub curve: Vec<StepsLine>,
    /// How the heads' gradients lay to each other.
    pub gradients: Vec<GradientsLine>,
    /// What stood still; empty where nobody looked.
    pub idle: Vec<IdleLine>,
    /// What it said of the test images, item and group; `None` without such a head.
    pub answers: [Option<Answers>; 2],
    /// Seconds of the whole run.
    pub seconds: f64,
}

/// What a head said of the n test images.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The answers, shape `[n]`.
    pub predictions: Vec<u8>,
    /// The groups that its probabilities give, summed, shape `[n]`; empty for a head that says groups.
    pub free: Vec<u8>,
    /// Mean cross-entropy of those sums; 0 for a head that says groups.
    pub free_loss: f64,
}

impl HeadedNetwork {
    /// The network after its last epoch; `None` where training diverged, whatever came before.
    pub fn last(&self) -> Option<&EpochOutcome> {
        self.outcome.epochs.last().filter(|_| self.outcome.diverged.is_none())
    }

    /// The number of the head for a goal.
    pub fn head(&self, goal: Goal) -> Option<usize> {
        self.spec.labels.iter().position(|labels| Goal::of(labels) == goal)
    }

    /// Whether it has a head for the goal that was trained.
    pub fn trained(&self, goal: Goal) -> bool {
        self.head(goal).is_some_and(|head| self.spec.weighting.trains(head))
    }

    /// Whether it has two heads that were both trained.
    pub fn is_joint(&self) -> bool {
        Goal::BOTH.into_iter().all(|goal| self.trained(goal))
    }

    /// How it did on the test images at last; `None` without such a head, or where it diverged.
    pub fn test(&self, goal: Goal) -> Option<Evaluation> {
        test_of(self.last()?, self.head(goal)?)
    }

    /// How it did on the images trained on.
    pub fn train(&self, goal: Goal) -> Option<Evaluation> {
        let (last, head) = (self.last()?, self.head(goal)?);
        if head == 0 { Some(last.train) } else { last.further.get(head - 1).map(|found| found.train) }
    }

    /// Test images after each epoch that ended, whether or not training diverged later: (epoch, found).
    pub fn tests(&self, goal: Goal) -> Vec<(usize, Evaluation)> {
        let Some(head) = self.head(goal) else { return Vec::new() };
        let epochs = self.outcome.epochs.iter();
        epochs.filter_map(|epoch| Some((epoch.epoch, test_of(epoch, head)?))).collect()
    }

    /// What a head said; `None` without it, or where training diverged.
    pub fn answers(&self, goal: Goal) -> Option<&Answers> {
        self.last()?;
        self.answers[goal.index()].as_ref()
    }

    /// The groups that a trained item head gives by its probabilities alone.
    pub fn free(&self) -> Option<&[u8]> {
        self.answers(Goal::Item).filter(|_| self.trained(Goal::Item)).map(|answers| answers.free.as_slice())
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        let ended = self.outcome.epochs.first().map(|epoch| epoch.step);
        let held_out = self.spec.training.validation.as_ref().map_or(0, |validation| validation.images);
        let images = self.spec.data.train_images.saturating_sub(held_out);
        ended.unwrap_or_else(|| images.div_ceil(self.spec.training.batch_size.max(1))).max(1)
    }

    /// The loss of a goal within the epochs: (steps so far, mean cross-entropy), where the head is trained.
    pub fn losses(&self, goal: Goal) -> Vec<(usize, f64)> {
        let Some(head) = self.head(goal).filter(|_| self.trained(goal)) else { return Vec::new() };
        let loss = |line: &StepsLine| match line.heads.get(head) {
            Some(found) => found.loss,
            // With one head, its loss is that of the line, which has no list of heads.
            None => (self.spec.labels.len() == 1 && self.spec.weighting == Weighting::default())
                .then_some(line.loss),
        };
        let losses = self.curve.iter().filter_map(|line| Some((line.step, loss(line)?)));
        losses.filter(|(_, loss)| loss.is_finite()).collect()
    }
}

fn test_of(epoch: &EpochOutcome, head: usize) -> Option<Evaluation> {
    if head == 0 { Some(epoch.test) } else { epoch.further.get(head - 1).map(|found| found.test) }
}

/// Reads a network of a study whose labels are known.
pub(super) fn read(
    store: &Reader,
    run: &PlannedRun,
    spec: &TrainRun,
    task: &MultitaskResults,
) -> Result<HeadedNetwork, ReportError> {
    let folder = store.run(run.id.as_ref());
    let result: RunResult<TrainOutcome> = outcome(store, run)?;
    let in_result = |reason: &str| damaged_file(folder.path().join("result.json"), reason.into());
    if !result.outcome.epochs.iter().all(proportions) {
        return Err(in_result("it counts more correct answers than images, or no images"));
    }
    if result.outcome.epochs.iter().any(|epoch| epoch.further.len() + 1 != spec.labels.len()) {
        return Err(in_result("an epoch has not as many heads as the network"));
    }
    let arrays = folder.tensors(TensorFile::Arrays)?;
    let damaged = |reason: String| damaged_file(folder.path().join(TensorFile::Arrays.name()), reason);
    let images = spec.data.test_images;
    let mut answers = [None, None];
    for (number, labels) in spec.labels.iter().enumerate() {
        let goal = Goal::of(labels);
        let name = |of: &str| array(of, number, spec);
        let classes = task.classes(goal).len();
        let right: Vec<u8> = arrays.values(&name("test_labels"), &[images])?;
        let predictions: Vec<u8> = arrays.values(&name("test_predictions"), &[images])?;
        let scores: Vec<f32> = arrays.values(&name("test_logits"), &[images, classes])?;
        if predictions.iter().any(|&class| usize::from(class) >= classes) {
            return Err(damaged(format!(
                "an answer of the head `{}` is out of range: there are {classes}",
                goal.name()
            )));
        }
        if right != task.labels(goal) {
            return Err(damaged(format!("its labels of the {} are not those of the study", goal.name())));
        }
        let (free, free_loss) = match goal {
            Goal::Item => free::groups(&scores, &task.mapping, task.groups.len(), &task.group_labels),
            Goal::Group => (Vec::new(), 0.0),
        };
        answers[goal.index()] = Some(Answers { predictions, free, free_loss });
    }
    let (mut curve, mut gradients, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines(&folder)? {
        match line {
            TrainingLine::Steps(line) => curve.push(line),
            TrainingLine::Gradients(line) => gradients.push(line),
            TrainingLine::Idle(line) => idle.push(line),
            TrainingLine::Epoch(_) => {}
        }
    }
    let network = HeadedNetwork {
        name: run.title.clone(),
        spec: spec.clone(),
        outcome: result.outcome,
        curve,
        gradients,
        idle,
        answers,
        seconds: result.seconds,
    };
    Ok(network)
}

/// The classes of the test images of a study, and their groups, by the first run that says them. Without a network for
/// items nobody knows the classes: they are empty then.
pub(super) fn labels(
    store: &Reader,
    runs: &[(&PlannedRun, &TrainRun)],
    (classes, mapping, groups): (usize, &[u8], usize),
) -> Result<(Vec<u8>, Vec<u8>), ReportError> {
    let head = |goal: Goal| {
        let head = |spec: &TrainRun| spec.labels.iter().position(|labels| Goal::of(labels) == goal);
        runs.iter().find_map(|(run, spec)| Some((*run, *spec, head(spec)?)))
    };
    let read = |(run, spec, number): (&PlannedRun, &TrainRun, usize), most: usize| {
        let folder = store.run(run.id.as_ref());
        let arrays = folder.tensors(TensorFile::Arrays)?;
        let labels: Vec<u8> = arrays.values(&array("test_labels", number, spec), &[spec.data.test_images])?;
        if labels.iter().any(|&label| usize::from(label) >= most) {
            let reason = format!("a label is out of range: there are {most}");
            return Err(damaged_file(folder.path().join(TensorFile::Arrays.name()), reason));
        }
        Ok(labels)
    };
    match (head(Goal::Item), head(Goal::Group)) {
        (Some(item), _) => {
            let labels = read(item, classes)?;
            let of_groups = labels.iter().map(|&class| mapping[usize::from(class)]).collect();
            Ok((labels, of_groups))
        }
        (None, Some(group)) => Ok((Vec::new(), read(group, groups)?)),
        (None, None) => Ok((Vec::new(), Vec::new())),
    }
}

/// The name of an array of a head: those of further heads carry the head's name.
fn array(of: &str, head: usize, spec: &TrainRun) -> String {
    if head == 0 { of.to_owned() } else { format!("{of}/{}", spec.model.heads[head].name) }
}
