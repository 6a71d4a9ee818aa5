//! The networks of Task 6, whose heads are asked for the item, for the group, or for both.

use inkling_schema::outcome::{Evaluation, PlannedRun, StepsLine};
use inkling_schema::{TrainRun, Weighting};
use inkling_store::{Reader, TensorFile};

use super::super::damaged_arrays;
use super::super::network::{self, Answers, Network, test_of};
use super::{Goal, MultitaskResults, free};
use crate::ReportError;

impl Network {
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
        test_of(self.kept()?, self.head(goal)?)
    }

    /// How it did on the images trained on.
    pub fn train(&self, goal: Goal) -> Option<Evaluation> {
        network::heads(self.kept()?).nth(self.head(goal)?).map(|found| found.train)
    }

    /// Test images after each epoch that ended, whether or not training diverged later: (epoch, found).
    pub fn tests(&self, goal: Goal) -> Vec<(usize, Evaluation)> {
        let Some(head) = self.head(goal) else { return Vec::new() };
        let epochs = self.outcome.epochs.iter();
        epochs.filter_map(|epoch| Some((epoch.epoch, test_of(epoch, head)?))).collect()
    }

    /// What a head said; `None` without it, or where training diverged.
    pub fn answers(&self, goal: Goal) -> Option<&Answers> {
        self.kept()?;
        self.heads.get(self.head(goal)?)
    }

    /// What a head that was trained said.
    pub(crate) fn trained_answers(&self, goal: Goal) -> Option<&Answers> {
        self.answers(goal).filter(|_| self.trained(goal))
    }

    /// What a head said, to be changed in tests.
    #[cfg(test)]
    pub(crate) fn answers_mut(&mut self, goal: Goal) -> Option<&mut Answers> {
        let head = self.head(goal)?;
        self.heads.get_mut(head)
    }

    /// The groups that a trained item head gives by its probabilities alone.
    pub fn free(&self) -> Option<&[u8]> {
        self.trained_answers(Goal::Item).map(|answers| answers.free.as_slice())
    }

    /// The loss of a goal within the epochs: (epochs so far, mean cross-entropy), where the head is trained.
    pub fn losses(&self, goal: Goal) -> Vec<(f64, f64)> {
        let Some(head) = self.head(goal).filter(|_| self.trained(goal)) else { return Vec::new() };
        let loss = |line: &StepsLine| match line.heads.get(head) {
            Some(found) => found.loss,
            // With one head, its loss is that of the line, which has no list of heads.
            None => (self.spec.labels.len() == 1 && self.spec.weighting == Weighting::default())
                .then_some(line.loss),
        };
        let losses = self.curve.iter().filter_map(|line| Some((self.epochs_at(line.step), loss(line)?)));
        losses.filter(|(_, loss)| loss.is_finite()).collect()
    }
}

/// Reads a network of a study whose labels are known.
pub(super) fn read(
    store: &Reader,
    run: &PlannedRun,
    spec: &TrainRun,
    task: &MultitaskResults,
) -> Result<Network, ReportError> {
    let goals: Vec<Goal> = spec.labels.iter().map(Goal::of).collect();
    let classes: Vec<usize> = goals.iter().map(|&goal| task.classes(goal).len()).collect();
    let (mut network, scores) = network::read(store, run, spec, &classes)?;
    for ((&goal, answers), scores) in goals.iter().zip(&mut network.heads).zip(&scores) {
        if answers.labels != task.labels(goal) {
            let reason = format!("its labels of the {} are not those of the study", goal.name());
            return Err(damaged_arrays(&store.run(run.id.as_ref()), reason));
        }
        if goal == Goal::Item {
            (answers.free, answers.free_loss) =
                free::groups(scores, &task.mapping, task.groups.len(), &task.group_labels);
        }
    }
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
        let labels: Vec<u8> =
            arrays.values(&network::array("test_labels", number, spec), &[spec.data.test_images])?;
        if labels.iter().any(|&label| usize::from(label) >= most) {
            let reason = format!("a label is out of range: there are {most}");
            return Err(damaged_arrays(&folder, reason));
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
