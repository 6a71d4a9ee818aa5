//! `summary.json`: the contract for everything that reads a finished study.

mod words;

use std::collections::BTreeMap;

use inkling_schema::Task;
use inkling_schema::outcome::{DataSetFacts, Machine};
use inkling_store::Reader;
use serde::Serialize;

use crate::ReportError;
use crate::fresh::Freshness;
use crate::results::{Origins, Results};
use crate::rows::Rows;

/// The results of a study in numbers. Accuracies and errors are fractions of 1, times are seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    preset: String,
    /// The seed of what is told in detail, and all seeds of the study.
    seed: u64,
    seeds: Vec<u64>,
    /// Of the program and the machine that made the most runs; where there are several, times do not compare.
    version: String,
    machine: Machine,
    #[serde(flatten)]
    origins: Origins,
    seconds: f64,
    data: BTreeMap<String, DataSetFacts>,
    pub(crate) tasks: Rows,
}

impl Summary {
    /// The summary of a finished study.
    pub fn new(results: &Results) -> Self {
        let record = &results.record;
        Summary {
            preset: record.preset.clone(),
            seed: record.study.first_seed(),
            seeds: record.study.all_seeds(),
            version: results.version().to_owned(),
            machine: results.machine().clone(),
            origins: results.origins.clone(),
            seconds: record.seconds,
            data: record.data.clone(),
            tasks: Rows::new(results),
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
        words::of_task(&self.tasks, task)
    }
}
