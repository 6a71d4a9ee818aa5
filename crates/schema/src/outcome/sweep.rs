//! What a sweep reports: trainings that see no test image, and the point that is chosen by their validation images.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Divergence, Evaluation, StudyRecord};
use crate::{RunId, RunSpec, Setting, SweepSpec, Weights};

/// Outcome of training a network for a sweep. `model.safetensors` holds the same as that of any training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialOutcome {
    /// Trainable parameters of the network.
    pub parameters: usize,
    /// Steps taken.
    pub steps: usize,
    /// Each epoch that ended, in order.
    pub epochs: Vec<TrialEpoch>,
    /// Seconds of training steps, over all epochs and sittings.
    pub train_seconds: f64,
    /// Where the loss stopped being finite, and training with it.
    pub diverged: Option<Divergence>,
    /// The epoch with the lowest loss on the validation images.
    pub best_epoch: Option<usize>,
    /// Whether training ended before its last epoch because the validation loss fell no more.
    pub stopped_early: bool,
    /// The weights that are the network's, as for any training.
    #[serde(default, skip_serializing_if = "Weights::are_last")]
    pub weights: Weights,
}

/// The network after an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialEpoch {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Steps so far.
    pub step: usize,
    /// What each head makes of the images.
    pub heads: Vec<HeadValidated>,
}

/// A head after an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeadValidated {
    /// Whether it is trained: one whose loss has no weight keeps its initial weights.
    pub trained: bool,
    /// On all images trained on.
    pub train: Evaluation,
    /// On all validation images.
    pub validation: Evaluation,
}

/// What points of a sweep are compared by: the mean over the heads that are trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Share of the validation images classified rightly.
    pub accuracy: f64,
    /// Mean cross-entropy on them.
    pub loss: f64,
}

impl Score {
    /// The mean of some scores; `None` of none.
    pub fn mean(scores: &[Score]) -> Option<Score> {
        let of = |value: fn(&Score) -> f64| scores.iter().map(value).sum::<f64>() / scores.len() as f64;
        (!scores.is_empty())
            .then(|| Score { accuracy: of(|score| score.accuracy), loss: of(|score| score.loss) })
    }
}

impl TrialOutcome {
    /// The epoch after which the network had the weights that are kept; `None` where none ended or training diverged,
    /// whatever came before.
    pub fn kept(&self) -> Option<&TrialEpoch> {
        let best = self.best_epoch.filter(|_| self.weights == Weights::Best);
        let kept = match best {
            Some(best) => self.epochs.iter().find(|epoch| epoch.epoch == best),
            None => self.epochs.last(),
        };
        kept.filter(|_| self.diverged.is_none())
    }

    /// What it is compared by; `None` where it has none to compare.
    pub fn score(&self) -> Option<Score> {
        let trained = self.kept()?.heads.iter().filter(|head| head.trained).map(|head| head.validation);
        let scores: Vec<Score> =
            trained.map(|found| Score { accuracy: found.accuracy(), loss: found.loss }).collect();
        Score::mean(&scores)
    }
}

/// The place of the best of some points: the one with the highest accuracy, of equal ones the one with the lowest loss, and of
/// these the first. A point without a score is none of them.
pub fn best(scores: &[Option<Score>]) -> Option<usize> {
    let scored = scores.iter().enumerate().filter_map(|(place, score)| Some((place, (*score)?)));
    let better = |a: &Score, b: &Score| a.accuracy.total_cmp(&b.accuracy).then(b.loss.total_cmp(&a.loss));
    scored.max_by(|(i, a), (j, b)| better(a, b).then(j.cmp(i))).map(|(place, _)| place)
}

/// Outcome of the choice of a point. `arrays.safetensors` holds the answers of the chosen networks to the test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChoiceOutcome {
    /// What each point is compared by, the mean over its seeds; `None` of one with a training that diverged.
    pub scores: Vec<Option<Score>>,
    /// The place of the point that is chosen; `None` where every one has a training that diverged. Then nothing was tested.
    pub point: Option<usize>,
    /// The networks of this point on the test images, one for each seed.
    pub tests: Vec<ChoiceTest>,
}

/// A network of the chosen point on the test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChoiceTest {
    /// Its training.
    pub run: RunId,
    /// Its heads, in order.
    pub heads: Vec<Evaluation>,
}

impl StudyRecord {
    /// The settings of each training of the study's sweep; of a study without a sweep none.
    pub fn trial_settings(&self) -> BTreeMap<&RunId, Vec<Setting>> {
        let settings = self.study.sweep.as_ref().and_then(SweepSpec::settings).unwrap_or_default();
        let points = self.runs.iter().find_map(|run| match &run.spec {
            RunSpec::Choice(choice) => Some(choice.points.as_slice()),
            _ => None,
        });
        let mut found = BTreeMap::new();
        for (trials, settings) in points.unwrap_or_default().iter().zip(settings) {
            found.extend(trials.iter().map(|trial| (trial, settings.clone())));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(accuracy: f64, loss: f64) -> Option<Score> {
        Some(Score { accuracy, loss })
    }

    #[test]
    fn the_best_point_has_the_highest_accuracy_then_the_lowest_loss_and_is_the_first() {
        assert_eq!(best(&[score(0.9, 1.0), score(0.95, 2.0), score(0.8, 0.1)]), Some(1));
        assert_eq!(best(&[score(0.9, 1.0), score(0.9, 0.5), score(0.9, 0.5)]), Some(1));
        assert_eq!(best(&[score(0.9, 0.5), score(0.9, 0.5)]), Some(0));
        assert_eq!(best(&[None, score(0.1, 9.0), None]), Some(1));
        assert_eq!(best(&[None, None]), None);
    }

    #[test]
    fn a_training_that_diverged_has_no_score_and_heads_that_are_not_trained_do_not_count() {
        let of = |correct: usize| Evaluation { images: 10, correct, loss: 1.0 };
        let head = |trained, correct| HeadValidated { trained, train: of(10), validation: of(correct) };
        let epoch = |epoch, heads| TrialEpoch { epoch, step: epoch, heads };
        let mut outcome = TrialOutcome {
            parameters: 1,
            steps: 2,
            epochs: vec![
                epoch(1, vec![head(true, 9), head(false, 1)]),
                epoch(2, vec![head(true, 8), head(false, 1)]),
            ],
            train_seconds: 1.0,
            diverged: None,
            best_epoch: Some(1),
            stopped_early: false,
            weights: Weights::Last,
        };
        assert_eq!(outcome.score(), score(0.8, 1.0));
        outcome.weights = Weights::Best;
        assert_eq!(outcome.score(), score(0.9, 1.0));
        outcome.diverged = Some(Divergence { epoch: 2, step: 2, what: Default::default() });
        assert_eq!(outcome.score(), None);
    }
}
