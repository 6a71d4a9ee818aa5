//! Metrics of runs as one long table, for pandas and Polars: a row for each value.

mod parquet;
mod rows;

use serde::{Deserialize, Serialize};

pub use parquet::parquet;
pub use rows::{rows_of_choice, rows_of_perceptron, rows_of_training, rows_of_trial};

/// One value of one metric. Its members are the columns of the table, in this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRow {
    /// Id of the run, which is the name of its folder.
    pub run: String,
    /// The run's task: "perceptron", "mlp", "cnn", "network", "inside", "multitask" or "sweep".
    pub task: String,
    /// What the run is called in its task: the network, or the two classes of a perceptron.
    pub network: String,
    /// Name of the data set.
    pub data_set: String,
    /// The head that the value is of; absent where it is of the whole network.
    pub head: Option<String>,
    /// The images that the value is of; absent where it is of none.
    pub part: Option<Part>,
    /// The epoch after which the network was evaluated; absent where the value is not of an evaluation of all images.
    pub epoch: Option<u32>,
    /// Training steps so far; absent where they are not counted, and where the value is of the whole run.
    pub step: Option<u64>,
    /// What was measured.
    pub metric: String,
    /// The value.
    pub value: f64,
    /// The keys of a sweep with this run's values of them, as a JSON object; absent of runs that are of no sweep.
    pub settings: Option<String>,
}

impl MetricRow {
    /// The chart that the value belongs to, and where in it: `loss/test/class` after an epoch, `steps/loss/class` within one, by
    /// steps, or by epochs where steps are not counted. Networks whose heads have one name share their charts. `None` of what
    /// is said once of a whole run.
    pub fn chart(&self) -> Option<(String, u64)> {
        let place = self.step.or(self.epoch.map(u64::from))?;
        let first_two = match self.epoch {
            Some(_) => [Some(self.metric.as_str()), self.part.map(Part::name)],
            None => [Some("steps"), Some(self.metric.as_str())],
        };
        let words = first_two.into_iter().chain([self.head.as_deref()]);
        Some((words.flatten().collect::<Vec<&str>>().join("/"), place))
    }
}

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Images that are trained on.
    Training,
    /// Images that choose the best epoch.
    Validation,
    /// Images that nothing is chosen by.
    Test,
}

impl Part {
    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Part::Training => "training",
            Part::Validation => "validation",
            Part::Test => "test",
        }
    }
}

/// The names of the columns.
pub(crate) const COLUMNS: [&str; 11] =
    ["run", "task", "network", "data_set", "head", "part", "epoch", "step", "metric", "value", "settings"];

/// The table as CSV: a line of names, then the rows; what is absent is empty. Numbers have the shortest digits that are read as
/// the same number.
pub fn csv(rows: &[MetricRow]) -> Vec<u8> {
    const NO_DISK: &str = "a vector takes what is written";
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(COLUMNS).expect(NO_DISK);
    rows.iter().for_each(|row| writer.serialize(row).expect(NO_DISK));
    writer.into_inner().expect(NO_DISK)
}

/// The table as JSON: a list of objects; what is absent is null.
pub fn json(rows: &[MetricRow]) -> Vec<u8> {
    serde_json::to_vec(rows).expect("rows are plain data")
}

#[cfg(test)]
mod tests;
