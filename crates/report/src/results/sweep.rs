//! A sweep: the points, what each reaches on the validation images, and the chosen one on the test images.

use inkling_schema::outcome::{
    ChoiceOutcome, DataSetFacts, Evaluation, PlannedRun, Score, StudyRecord, TrialOutcome,
};
use inkling_schema::{ChoiceRun, RunId, RunSpec, Setting, SweepSpec, Task};
use inkling_statistics::{mean_and_std, wilson_interval};
use inkling_store::Reader;

use super::{check_counts, damaged_record, damaged_result, outcome};
use crate::ReportError;

/// One network with several values of some keys.
#[derive(Debug, Clone)]
pub struct SweepResults {
    /// The data set.
    pub data: DataSetFacts,
    /// Its name in the study.
    pub set: String,
    /// The network's task.
    pub task: Task,
    /// The network's name.
    pub network: String,
    /// The seeds with which each point is trained.
    pub seeds: Vec<u64>,
    /// The points, in the order of the study; there is one at least.
    pub points: Vec<PointResults>,
    /// The choice of a point; `None` where it is not made.
    pub choice: Option<ChoiceOutcome>,
}

/// A point of a sweep.
#[derive(Debug, Clone)]
pub struct PointResults {
    /// Its values, in the order of the same keys.
    pub settings: Vec<Setting>,
    /// Its training with each seed; `None` of one that is not finished.
    pub trials: Vec<Option<TrialOutcome>>,
}

/// What is known of the spread of a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Noise {
    /// The standard deviation over several seeds.
    Seeds(f64),
    /// The 95 % Wilson interval of one network.
    Images((f64, f64)),
}

/// What is known of a mean: the standard deviation over seeds, or the interval of one network.
pub(crate) fn spread(noise: Option<Noise>) -> (Option<f64>, Option<(f64, f64)>) {
    match noise {
        Some(Noise::Seeds(deviation)) => (Some(deviation), None),
        Some(Noise::Images(interval)) => (None, Some(interval)),
        None => (None, None),
    }
}

impl Noise {
    /// The interval that is drawn about a mean.
    pub fn interval(self, mean: f64) -> (f64, f64) {
        match self {
            Noise::Seeds(deviation) => (mean - deviation, mean + deviation),
            Noise::Images(interval) => interval,
        }
    }

    /// Of accuracies of one head, one for each seed; `None` where there is none.
    pub fn of(found: &[Evaluation]) -> Option<Noise> {
        let accuracies: Vec<f64> = found.iter().map(Evaluation::accuracy).collect();
        match (mean_and_std(&accuracies)?.1, found) {
            (Some(deviation), _) => Some(Noise::Seeds(deviation)),
            (None, [found]) => Some(Noise::Images(wilson_interval(found.correct, found.images))),
            (None, _) => None,
        }
    }
}

impl PointResults {
    /// Its values in words.
    pub fn title(&self) -> String {
        self.settings.iter().map(Setting::to_string).collect::<Vec<_>>().join(", ")
    }

    /// What each seed is compared by, where all are finished and none has diverged.
    pub fn scores(&self) -> Option<Vec<Score>> {
        self.trials.iter().map(|trial| trial.as_ref()?.score()).collect()
    }

    /// The mean of these.
    pub fn score(&self) -> Option<Score> {
        Score::mean(&self.scores()?)
    }

    /// Trainings that diverged.
    pub fn diverged(&self) -> usize {
        self.trials.iter().flatten().filter(|trial| trial.diverged.is_some()).count()
    }

    /// The spread of its accuracy over the seeds or, of one network with one head that is trained, over images.
    pub fn noise(&self) -> Option<Noise> {
        let accuracies: Vec<f64> = self.scores()?.iter().map(|score| score.accuracy).collect();
        if let Some(deviation) = mean_and_std(&accuracies)?.1 {
            return Some(Noise::Seeds(deviation));
        }
        let kept = self.trials.first()?.as_ref()?.kept()?;
        let trained: Vec<Evaluation> =
            kept.heads.iter().filter(|head| head.trained).map(|head| head.validation).collect();
        if trained.len() == 1 { Noise::of(&trained) } else { None }
    }
}

impl SweepResults {
    /// The keys whose values differ between points, by their last names, or whole where two of these are equal.
    pub fn keys(&self) -> Vec<String> {
        let settings = self.points.first().map_or(&[][..], |point| &point.settings);
        let names: Vec<String> = settings.iter().map(Setting::name).collect();
        let is_alone = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
        names
            .iter()
            .zip(settings)
            .map(|(name, setting)| if is_alone(name) { name } else { &setting.key }.clone())
            .collect()
    }

    /// The place of the chosen point.
    pub fn chosen(&self) -> Option<usize> {
        self.choice.as_ref()?.point
    }

    /// The points that can be chosen, the best first, with their scores.
    pub fn ranked(&self) -> Vec<(usize, Score)> {
        let scored =
            self.points.iter().enumerate().filter_map(|(place, point)| Some((place, point.score()?)));
        let mut ranked: Vec<(usize, Score)> = scored.collect();
        // Stable: of equal ones the first stays first.
        ranked.sort_by(|(_, a), (_, b)| b.accuracy.total_cmp(&a.accuracy).then(a.loss.total_cmp(&b.loss)));
        ranked
    }

    /// Validation images of a training.
    pub fn validation_images(&self) -> Option<usize> {
        let trials = self.points.iter().flat_map(|point| &point.trials).flatten();
        let heads = trials.flat_map(|trial| &trial.epochs).flat_map(|epoch| &epoch.heads);
        heads.map(|head| head.validation.images).next()
    }
}

/// Reads a sweep; `None` where the study has none. `missing` are the runs that are not finished.
pub(super) fn read(
    store: &Reader,
    record: &StudyRecord,
    missing: &[PlannedRun],
) -> Result<Option<SweepResults>, ReportError> {
    let is_choice = |run: &&PlannedRun| matches!(run.spec, RunSpec::Choice(_));
    let Some(run) = record.runs.iter().chain(missing).find(is_choice) else { return Ok(None) };
    let RunSpec::Choice(ChoiceRun { data, points }) = &run.spec else { unreachable!("it is a choice") };
    let damaged = |reason: &str| damaged_record(store, reason);
    let facts =
        record.data.get(&data.set).ok_or_else(|| damaged("it does not describe the sweep's data set"))?;
    let study = &record.study;
    let (task, network) = study.swept().ok_or_else(|| damaged("it chooses a point, and has no sweep"))?;
    let settings = study.sweep.as_ref().and_then(SweepSpec::settings).unwrap_or_default();
    let seeds = study.all_seeds();
    if settings.len() != points.len() || points.iter().any(|trials| trials.len() != seeds.len()) {
        return Err(damaged("its sweep has other points than its runs"));
    }
    let trial = |id: &RunId| match record.runs.iter().find(|run| run.id == *id) {
        Some(run) => {
            let found: TrialOutcome = outcome(store, run)?.outcome;
            let heads = found.epochs.iter().flat_map(|epoch| &epoch.heads);
            let all = heads.flat_map(|head| [head.train, head.validation]);
            check_counts(&store.run(run.id.as_ref()), all)?;
            Ok(Some(found))
        }
        None => Ok(None),
    };
    let read = |(settings, ids): (Vec<Setting>, &Vec<RunId>)| {
        let trials = ids.iter().map(trial).collect::<Result<Vec<_>, ReportError>>()?;
        Ok(PointResults { settings, trials })
    };
    let read_points = settings.into_iter().zip(points).map(read).collect::<Result<Vec<_>, ReportError>>()?;
    let choice = match record.runs.iter().find(|other| other.id == run.id) {
        Some(run) => {
            let folder = store.run(run.id.as_ref());
            let choice: ChoiceOutcome = outcome(store, run)?.outcome;
            let is_whole = choice.scores.len() == points.len()
                && choice.point.map_or(choice.tests.is_empty(), |point| {
                    point < points.len() && choice.tests.len() == seeds.len()
                })
                && choice.tests.iter().all(|test| !test.heads.is_empty());
            if !is_whole {
                return Err(damaged_result(&folder, "it chooses a point that its sweep does not have"));
            }
            check_counts(&folder, choice.tests.iter().flat_map(|test| test.heads.iter().copied()))?;
            Some(choice)
        }
        None => None,
    };
    let (data, set) = (facts.clone(), data.set.clone());
    Ok(Some(SweepResults { data, set, task, network, seeds, points: read_points, choice }))
}
