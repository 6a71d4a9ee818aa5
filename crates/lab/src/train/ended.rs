//! What a training has found after its epochs and at its end: with the test images, or without them where it is one of a sweep.

use inkling_schema::Weights;
use inkling_schema::outcome::{
    Divergence, EpochOutcome, Evaluation, HeadOutcome, HeadValidated, TrainOutcome, TrainingLine, TrialEpoch,
    TrialOutcome,
};
use serde::{Deserialize, Serialize};

/// An epoch that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum EpochEnd {
    Tested(EpochOutcome),
    Trial(TrialEpoch),
}

impl EpochEnd {
    /// After so many epochs and steps, with what each head makes of all images; `trained` says which heads are.
    ///
    /// # Panics
    /// If there are neither test images nor validation images.
    pub(crate) fn new(
        (epoch, step): (usize, usize),
        trained: &[bool],
        train: &[Evaluation],
        validation: Option<&[Evaluation]>,
        test: Option<&[Evaluation]>,
    ) -> EpochEnd {
        let Some(test) = test else {
            let validation = validation.expect("a training of a sweep has validation images");
            let heads = trained.iter().zip(train).zip(validation);
            let head = |((&trained, &train), &validation)| HeadValidated { trained, train, validation };
            return EpochEnd::Trial(TrialEpoch { epoch, step, heads: heads.map(head).collect() });
        };
        let head = |head: usize| HeadOutcome {
            train: train[head],
            validation: validation.map(|validation| validation[head]),
            test: test[head],
        };
        let HeadOutcome { train: first, validation, test } = head(0);
        let further = (1..train.len()).map(head).collect();
        EpochEnd::Tested(EpochOutcome { epoch, step, train: first, validation, test, further })
    }

    pub(crate) fn epoch(&self) -> usize {
        match self {
            EpochEnd::Tested(EpochOutcome { epoch, .. }) | EpochEnd::Trial(TrialEpoch { epoch, .. }) => {
                *epoch
            }
        }
    }

    /// The loss of each head on the validation images, where there are some.
    pub(crate) fn validation_losses(&self) -> Vec<Option<f64>> {
        match self {
            EpochEnd::Tested(outcome) => {
                let further = outcome.further.iter().map(|head| head.validation);
                let heads = std::iter::once(outcome.validation).chain(further);
                heads.map(|head| head.map(|found| found.loss)).collect()
            }
            EpochEnd::Trial(outcome) => outcome.heads.iter().map(|head| Some(head.validation.loss)).collect(),
        }
    }

    pub(crate) fn line(&self) -> TrainingLine {
        match self {
            EpochEnd::Tested(outcome) => TrainingLine::Epoch(outcome.clone()),
            EpochEnd::Trial(outcome) => TrainingLine::Trial(outcome.clone()),
        }
    }
}

/// What came of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Ended {
    Tested(TrainOutcome),
    Trial(TrialOutcome),
}

impl Ended {
    pub(crate) fn diverged(&self) -> Option<Divergence> {
        match self {
            Ended::Tested(TrainOutcome { diverged, .. }) | Ended::Trial(TrialOutcome { diverged, .. }) => {
                *diverged
            }
        }
    }

    /// Epochs that ended.
    pub(crate) fn epochs(&self) -> usize {
        match self {
            Ended::Tested(outcome) => outcome.epochs.len(),
            Ended::Trial(outcome) => outcome.epochs.len(),
        }
    }

    /// The weights that are the network's.
    pub(crate) fn weights(&self) -> Weights {
        match self {
            Ended::Tested(TrainOutcome { weights, .. }) | Ended::Trial(TrialOutcome { weights, .. }) => {
                *weights
            }
        }
    }

    /// What a head with the weights that are kept makes of the test images, where it has seen them.
    pub(crate) fn test(&self, head: usize) -> Option<Evaluation> {
        let Ended::Tested(outcome) = self else { return None };
        let epoch = outcome.kept().or(outcome.epochs.last())?;
        if head == 0 { Some(epoch.test) } else { epoch.further.get(head - 1).map(|head| head.test) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read_back_as_what_it_was_written_as() {
        let found = Evaluation { images: 4, correct: 3, loss: 0.5 };
        for (validation, test) in [(None, Some(found)), (Some(found), Some(found)), (Some(found), None)] {
            let (validation, test) =
                (validation.map(|found| vec![found; 2]), test.map(|found| vec![found; 2]));
            let end =
                EpochEnd::new((1, 9), &[true, false], &[found; 2], validation.as_deref(), test.as_deref());
            let json = serde_json::to_string(&end).unwrap();
            assert_eq!(serde_json::from_str::<EpochEnd>(&json).unwrap(), end);
            assert_eq!(json.contains("test"), test.is_some(), "{json}");
        }
        let trial = Ended::Trial(TrialOutcome {
            parameters: 1,
            steps: 0,
            epochs: Vec::new(),
            train_seconds: 0.0,
            diverged: None,
            best_epoch: None,
            stopped_early: false,
            weights: Weights::Last,
        });
        assert_eq!(serde_json::from_str::<Ended>(&serde_json::to_string(&trial).unwrap()).unwrap(), trial);
    }
}
