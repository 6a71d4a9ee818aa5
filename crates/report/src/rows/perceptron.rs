//! Task 2.

use inkling_schema::PerceptronRule;
use inkling_statistics::wilson_interval;
use serde::Serialize;

use crate::results::{PairResults, PerceptronResults};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PerceptronRows {
    data: String,
    rule: PerceptronRule,
    pub(crate) pairs: Vec<PerceptronRow>,
    /// Five of them, from easy to hard.
    #[serde(skip)]
    pub(crate) five: Vec<PerceptronRow>,
}

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

impl PerceptronRows {
    pub(super) fn new(results: &PerceptronResults) -> PerceptronRows {
        let spec = &results.pairs[0].spec;
        let row = |pair: &PairResults| PerceptronRow::new(pair, results);
        PerceptronRows {
            data: spec.data.set.clone(),
            rule: spec.rule,
            pairs: results.pairs.iter().map(row).collect(),
            five: results.easy_to_hard().into_iter().map(row).collect(),
        }
    }
}

impl PerceptronRow {
    fn new(pair: &PairResults, results: &PerceptronResults) -> PerceptronRow {
        let found = &pair.outcome;
        let class = |place: u8| results.data.classes[usize::from(place)].clone();
        let number = |place: u8| results.compared.get(usize::from(place)).copied().unwrap_or(place);
        let share = |images: usize| images as f64 / found.train_images as f64;
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
            train_error: share(found.train_images - found.train_correct),
            train_accuracy: share(found.train_correct),
            test_images: found.test_images,
            test_correct: found.test_correct,
            test_accuracy: pair.test_accuracy(),
            test_interval: wilson_interval(found.test_correct, found.test_images),
            seconds: pair.seconds,
        }
    }
}
