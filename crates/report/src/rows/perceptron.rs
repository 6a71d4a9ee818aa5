//! Task 2.

use inkling_schema::outcome::PerceptronOutcome;
use inkling_schema::{PerceptronRule, Task};
use inkling_statistics::{mean_and_std, wilson_interval};
use serde::Serialize;

use crate::results::{PairResults, PerceptronResults};
use crate::tables::{Row, Spec, csv, some, table};

pub(super) const TABLES: &[Spec] = &[
    table("perceptrons", Task::Perceptron, |rows| Some(csv(&rows.perceptron.as_ref()?.pairs))),
    table("perceptrons_five", Task::Perceptron, |rows| Some(csv(&rows.perceptron.as_ref()?.five))),
    table("perceptron_seeds", Task::Perceptron, |rows| some(&rows.perceptron.as_ref()?.seeds)),
];

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PerceptronRows {
    data: String,
    rule: PerceptronRule,
    pub(crate) pairs: Vec<PerceptronRow>,
    /// Five of them, from easy to hard.
    #[serde(skip)]
    pub(crate) five: Vec<PerceptronRow>,
    /// Every pair over the seeds of the study, where all of them train perceptrons; all else is of the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) seeds: Vec<PerceptronSeedRow>,
}

/// A perceptron over seeds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct PerceptronSeedRow {
    class_a: String,
    class_b: String,
    /// Test accuracy over the seeds.
    mean: f64,
    pub(crate) deviation: Option<f64>,
    lowest: f64,
    highest: f64,
    pub(crate) seeds: usize,
    diverged: usize,
}

impl Row for PerceptronSeedRow {}

/// One perceptron.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct PerceptronRow {
    a: u8,
    b: u8,
    class_a: String,
    class_b: String,
    iterations: usize,
    converged: bool,
    /// The iteration in which the weights stopped being finite.
    pub(crate) diverged: Option<usize>,
    train_images: usize,
    train_correct: usize,
    train_error: f64,
    train_accuracy: f64,
    test_images: usize,
    test_correct: usize,
    pub(crate) test_accuracy: f64,
    /// 95 % Wilson interval of the test accuracy.
    pub(crate) test_interval: (f64, f64),
    seconds: f64,
}

impl Row for PerceptronRow {}

impl PerceptronRows {
    pub(super) fn new(results: &PerceptronResults) -> PerceptronRows {
        let spec = &results.pairs[0].spec;
        let row = |pair: &PairResults| PerceptronRow::new(pair, results);
        PerceptronRows {
            data: spec.data.set.clone(),
            rule: spec.rule,
            pairs: results.pairs.iter().map(row).collect(),
            five: results.easy_to_hard().into_iter().map(row).collect(),
            seeds: results.pairs.iter().filter_map(|pair| PerceptronSeedRow::new(pair, results)).collect(),
        }
    }
}

impl PerceptronSeedRow {
    /// `None` of one seed.
    fn new(pair: &PairResults, results: &PerceptronResults) -> Option<PerceptronSeedRow> {
        if pair.replicates.is_empty() {
            return None;
        }
        let all = || std::iter::once(&pair.outcome).chain(&pair.replicates);
        let accuracy = |found: &PerceptronOutcome| found.test_correct as f64 / found.test_images as f64;
        let accuracies: Vec<f64> = all().map(accuracy).collect();
        let (mean, deviation) = mean_and_std(&accuracies)?;
        let class = |place: u8| results.data.classes[usize::from(place)].clone();
        Some(PerceptronSeedRow {
            class_a: class(pair.spec.a),
            class_b: class(pair.spec.b),
            mean,
            deviation,
            lowest: accuracies.iter().copied().min_by(f64::total_cmp)?,
            highest: accuracies.iter().copied().max_by(f64::total_cmp)?,
            seeds: accuracies.len(),
            diverged: all().filter(|found| found.diverged.is_some()).count(),
        })
    }
}

impl PerceptronRow {
    fn new(pair: &PairResults, results: &PerceptronResults) -> PerceptronRow {
        let found = &pair.outcome;
        let class = |place: u8| results.data.classes[usize::from(place)].clone();
        let number = |place: u8| results.compared.get(usize::from(place)).copied().unwrap_or(place);
        PerceptronRow {
            a: number(pair.spec.a),
            b: number(pair.spec.b),
            class_a: class(pair.spec.a),
            class_b: class(pair.spec.b),
            iterations: found.iterations,
            converged: found.converged,
            diverged: found.diverged,
            train_images: found.train_images,
            train_correct: found.train_correct,
            train_error: (found.train_images - found.train_correct) as f64 / found.train_images as f64,
            train_accuracy: pair.train_accuracy(),
            test_images: found.test_images,
            test_correct: found.test_correct,
            test_accuracy: pair.test_accuracy(),
            test_interval: wilson_interval(found.test_correct, found.test_images),
            seconds: pair.seconds,
        }
    }
}
