//! `summary.json`: the contract for everything that reads a finished study.

mod inside;
mod multitask;
mod networks;

use std::collections::BTreeMap;

use inkling_schema::Task;
use inkling_schema::outcome::{DataSetFacts, Machine, PairSeparability};
use inkling_store::Reader;
use serde::Serialize;

use self::inside::InsideSummary;
use self::multitask::MultitaskSummary;
use self::networks::NetworksSummary;
use crate::ReportError;
use crate::fresh::Freshness;
use crate::results::{Origins, PairResults, PcaResults, PerceptronResults, Results};
use inkling_statistics::wilson_interval;

/// The results of a study in numbers. Accuracies and errors are fractions of 1, times are seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    preset: String,
    seed: u64,
    /// Of the program and the machine that made the most runs; where there are several, times do not compare.
    version: String,
    machine: Machine,
    #[serde(flatten)]
    origins: Origins,
    seconds: f64,
    data: BTreeMap<String, DataSetFacts>,
    tasks: Tasks,
}

/// A task that was not asked for is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Tasks {
    #[serde(skip_serializing_if = "Option::is_none")]
    pca: Option<PcaSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    perceptron: Option<PerceptronSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mlp: Option<NetworksSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnn: Option<NetworksSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inside: Option<InsideSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multitask: Option<MultitaskSummary>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct PcaSummary {
    data: String,
    samples: usize,
    explained_variance_ratio: Vec<f64>,
    total_variance: f64,
    fit_seconds: f64,
    pairs: Vec<PairSeparability>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct PerceptronSummary {
    data: String,
    rule: inkling_schema::PerceptronRule,
    pairs: Vec<PairSummary>,
}

/// One perceptron.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct PairSummary {
    a: u8,
    b: u8,
    iterations: usize,
    converged: bool,
    /// The iteration in which the weights stopped being finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    diverged: Option<usize>,
    train_error: f64,
    train_accuracy: f64,
    test_accuracy: f64,
    /// 95 % Wilson interval of the test accuracy.
    test_interval: (f64, f64),
    seconds: f64,
}

impl PairSummary {
    fn new(pair: &PairResults) -> Self {
        let found = &pair.outcome;
        let train_accuracy = found.train_correct as f64 / found.train_images as f64;
        PairSummary {
            a: pair.spec.a,
            b: pair.spec.b,
            iterations: found.iterations,
            converged: found.converged,
            diverged: found.diverged,
            train_error: (found.train_images - found.train_correct) as f64 / found.train_images as f64,
            train_accuracy,
            test_accuracy: pair.test_accuracy(),
            test_interval: wilson_interval(found.test_correct, found.test_images),
            seconds: pair.seconds,
        }
    }
}

impl Summary {
    /// The summary of a finished study.
    pub fn new(results: &Results) -> Self {
        let record = &results.record;
        Summary {
            preset: record.preset.clone(),
            seed: record.study.seed,
            version: results.version().to_owned(),
            machine: results.machine().clone(),
            origins: results.origins.clone(),
            seconds: record.seconds,
            data: record.data.clone(),
            tasks: Tasks {
                pca: results.pca.as_ref().map(pca),
                perceptron: results.perceptrons.as_ref().map(perceptrons),
                mlp: results.mlps.as_ref().map(NetworksSummary::new),
                cnn: results.cnns.as_ref().map(NetworksSummary::new),
                inside: results.inside.as_ref().map(InsideSummary::new),
                multitask: results.multitask.as_ref().map(MultitaskSummary::new),
            },
        }
    }

    /// What `summary.json` holds: the summary, the words of the report's main part, where there is one, and by what to know
    /// whether the report is still that of the study.
    pub(crate) fn beside<'a>(
        &'a self,
        freshness: &'a Freshness,
        words: Option<usize>,
    ) -> impl Serialize + 'a {
        #[derive(Serialize)]
        struct File<'a> {
            #[serde(flatten)]
            summary: &'a Summary,
            words: Option<usize>,
            #[serde(flatten)]
            freshness: &'a Freshness,
        }
        File { summary: self, words, freshness }
    }

    /// The results in a line or two for each task.
    pub fn in_words(&self) -> Vec<String> {
        Task::ALL.into_iter().flat_map(|task| self.in_words_of(task)).collect()
    }

    /// The summary of those runs of a study that are finished.
    ///
    /// # Errors
    /// [`ReportError`]: there is no study, or it cannot be read.
    pub fn read(store: &Reader) -> Result<Summary, ReportError> {
        Ok(Summary::new(&Results::read(store)?))
    }

    /// The lines on one task; none where nothing is known of it.
    pub fn in_words_of(&self, task: Task) -> Vec<String> {
        let tasks = &self.tasks;
        let lines = match task {
            Task::Pca => tasks.pca.as_ref().map(PcaSummary::in_words),
            Task::Perceptron => tasks.perceptron.as_ref().map(PerceptronSummary::in_words),
            Task::Mlp => tasks.mlp.as_ref().map(|task| task.in_words("Task 3", "MLP")),
            Task::Cnn => tasks.cnn.as_ref().map(|task| task.in_words("Task 4", "CNN")),
            Task::Inside => tasks.inside.as_ref().map(InsideSummary::in_words),
            Task::Multitask => tasks.multitask.as_ref().map(MultitaskSummary::in_words),
        };
        lines.unwrap_or_default()
    }
}

impl PcaSummary {
    fn in_words(&self) -> Vec<String> {
        let share: f64 = self.explained_variance_ratio.iter().take(2).sum();
        let in_plane = self.pairs.iter().filter(|pair| pair.separable_in_plane).count();
        let in_full = self.pairs.iter().filter(|pair| pair.separable_in_full_space).count();
        vec![
            format!("Task 1: two components hold {:.1} % of the variance;", 100.0 * share),
            format!(
                "        a line separates {in_plane} of {} pairs of classes in their plane, a hyperplane in all pixels {in_full}",
                self.pairs.len(),
            ),
        ]
    }
}

/// The shares between two: "97.60 % to 98.10 %", or one where both are the same in this many digits.
fn range(low: f64, high: f64) -> String {
    let [low, high] = [low, high].map(|share| format!("{:.2} %", 100.0 * share));
    if low == high { low } else { format!("{low} to {high}") }
}

impl PerceptronSummary {
    fn in_words(&self) -> Vec<String> {
        let ranked = || self.pairs.iter().map(|pair| pair.test_accuracy);
        let mean = ranked().sum::<f64>() / self.pairs.len() as f64;
        let (least, most) = (ranked().fold(1.0, f64::min), ranked().fold(0.0, f64::max));
        let mut lines = vec![format!(
            "Task 2: {} perceptrons, test accuracy {}, on average {:.2} %",
            self.pairs.len(),
            range(least, most),
            100.0 * mean,
        )];
        let diverged = self.pairs.iter().filter(|pair| pair.diverged.is_some()).count();
        if diverged > 0 {
            lines.push(format!("        {diverged} of them diverged: a smaller learning rate may help"));
        }
        lines
    }
}

fn pca(results: &PcaResults) -> PcaSummary {
    PcaSummary {
        data: results.spec.data.set.clone(),
        samples: results.outcome.samples,
        explained_variance_ratio: results.outcome.explained_variance_ratio.clone(),
        total_variance: results.outcome.total_variance,
        fit_seconds: results.outcome.fit_seconds,
        pairs: results.separability.pairs.clone(),
    }
}

fn perceptrons(results: &PerceptronResults) -> PerceptronSummary {
    let spec = &results.pairs[0].spec;
    PerceptronSummary {
        data: spec.data.set.clone(),
        rule: spec.rule,
        pairs: results.pairs.iter().map(PairSummary::new).collect(),
    }
}
