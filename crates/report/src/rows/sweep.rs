//! A sweep: a row for each point.

use inkling_schema::Task;
use inkling_schema::outcome::Evaluation;
use serde::Serialize;

use super::interval;
use crate::results::{PointResults, SweepResults, spread};
use crate::tables::{Row, Spec, some, table};

pub(super) const TABLES: &[Spec] = &[
    table("sweep", Task::Sweep, |rows| some(&rows.sweep.as_ref()?.points)),
    table("sweep_test", Task::Sweep, |rows| some(&rows.sweep.as_ref()?.tests)),
];

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SweepRows {
    data: String,
    task: &'static str,
    pub(crate) network: String,
    seeds: Vec<u64>,
    pub(crate) points: Vec<PointRow>,
    /// The chosen networks on the test images, one for each seed; empty where no point was chosen.
    pub(crate) tests: Vec<TestRow>,
}

/// A point. What one with a training that diverged or is not finished does not have is null.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct PointRow {
    /// Its number, from 1.
    point: usize,
    /// Its values, "learning_rate = 0.001".
    pub(crate) settings: String,
    /// Trainings that are finished, and those that diverged.
    finished: usize,
    pub(crate) diverged: usize,
    /// The mean over the seeds, and of several heads.
    pub(crate) validation_accuracy: Option<f64>,
    /// The standard deviation over the seeds; null of one seed.
    pub(crate) validation_deviation: Option<f64>,
    /// 95 % Wilson interval, of one seed and one head.
    pub(crate) interval: Option<(f64, f64)>,
    pub(crate) validation_loss: Option<f64>,
    /// Of each seed, in their order.
    accuracies: Vec<f64>,
    pub(crate) chosen: bool,
}

impl Row for PointRow {}

/// A head of a chosen network on the test images.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct TestRow {
    seed: u64,
    /// The number of the head, from 0.
    head: usize,
    test_images: usize,
    test_correct: usize,
    pub(crate) test_accuracy: f64,
    /// 95 % Wilson interval.
    interval: (f64, f64),
    test_loss: f64,
}

impl Row for TestRow {}

impl SweepRows {
    pub(crate) fn new(found: &SweepResults) -> SweepRows {
        let point = |(place, point): (usize, &PointResults)| {
            PointRow::new(place, point, found.chosen() == Some(place))
        };
        let tests = found.choice.iter().flat_map(|choice| &choice.tests).zip(&found.seeds);
        let tests = tests.flat_map(|(test, &seed)| {
            let head = move |(head, found)| TestRow::new(seed, head, found);
            test.heads.iter().enumerate().map(head)
        });
        SweepRows {
            data: found.set.clone(),
            task: found.task.name(),
            network: found.network.clone(),
            seeds: found.seeds.clone(),
            points: found.points.iter().enumerate().map(point).collect(),
            tests: tests.collect(),
        }
    }
}

impl PointRow {
    fn new(place: usize, point: &PointResults, chosen: bool) -> PointRow {
        let score = point.score();
        let (validation_deviation, interval) = spread(point.noise());
        let accuracies: Vec<f64> =
            point.scores().unwrap_or_default().iter().map(|score| score.accuracy).collect();
        PointRow {
            point: place + 1,
            settings: point.title(),
            finished: point.trials.iter().flatten().count(),
            diverged: point.diverged(),
            validation_accuracy: score.map(|score| score.accuracy),
            validation_deviation,
            interval,
            validation_loss: score.map(|score| score.loss),
            accuracies,
            chosen,
        }
    }
}

impl TestRow {
    fn new(seed: u64, head: usize, found: &Evaluation) -> TestRow {
        TestRow {
            seed,
            head,
            test_images: found.images,
            test_correct: found.correct,
            test_accuracy: found.accuracy(),
            interval: interval(*found),
            test_loss: found.loss,
        }
    }
}
