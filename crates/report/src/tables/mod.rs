//! Tables as CSV files: a line of column names, then the rows.

mod inside;
mod multitask;
mod networks;

use std::borrow::Cow;

use inkling_schema::Task;
use inkling_schema::outcome::DataSetFacts;

use crate::document::printable::without_controls;
use crate::figure::file_name;
use crate::results::{PairResults, PcaResults, PerceptronResults, Results};
use inkling_statistics::wilson_interval;

/// A table: what the report calls it, and its text.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    task: Option<Task>,
    pub(crate) csv: Vec<u8>,
}

impl Table {
    /// The name of its file, without its ending: `task2_perceptrons`.
    pub(crate) fn file(&self) -> String {
        file_name(self.task, self.name)
    }
}

/// Every table of a study.
pub(crate) fn draw_up(results: &Results) -> Vec<Table> {
    let of =
        |task: Task| of_task(task, results).into_iter().map(move |table| Table { task: Some(task), ..table });
    Task::ALL.into_iter().flat_map(of).collect()
}

fn of_task(task: Task, results: &Results) -> Vec<Table> {
    match task {
        Task::Pca => results.pca.as_ref().map(of_pca),
        Task::Perceptron => results.perceptrons.as_ref().map(of_perceptrons),
        Task::Mlp => results.mlps.as_ref().map(|mlps| networks::of_task(&networks::MLP, mlps)),
        Task::Cnn => results.cnns.as_ref().map(|cnns| {
            let mut tables = networks::of_task(&networks::CNN, cnns);
            let times_compare = results.origins.times_compare();
            tables.extend(results.mlps.iter().flat_map(|mlps| networks::of_both(mlps, cnns, times_compare)));
            tables
        }),
        Task::Inside => results.inside.as_ref().map(inside::of_task),
        Task::Multitask => results.multitask.as_ref().map(multitask::of_task),
    }
    .unwrap_or_default()
}

fn of_pca(pca: &PcaResults) -> Vec<Table> {
    let class = |label: u8| name(&pca.data, label);
    let mut cumulative = 0.0;
    let rows = pca.outcome.explained_variance_ratio.iter().enumerate().map(|(i, ratio)| {
        cumulative += ratio;
        [(i + 1).to_string(), ratio.to_string(), cumulative.to_string()]
    });
    let components = table("components", ["component", "explained_variance_ratio", "cumulative"], rows);
    let columns = [
        "a",
        "b",
        "train_images",
        "separable_in_plane",
        "plane_accuracy",
        "separable_in_full_space",
        "full_space_errors",
        "full_space_passes",
    ];
    let rows = pca.separability.pairs.iter().map(|pair| {
        [
            class(pair.a),
            class(pair.b),
            pair.images.to_string(),
            pair.separable_in_plane.to_string(),
            pair.plane_accuracy.to_string(),
            pair.separable_in_full_space.to_string(),
            pair.full_space_errors.to_string(),
            pair.full_space_passes.to_string(),
        ]
    });
    vec![components, table("separability", columns, rows)]
}

fn of_perceptrons(perceptrons: &PerceptronResults) -> Vec<Table> {
    let columns = [
        "a",
        "b",
        "iterations",
        "converged",
        "train_images",
        "train_correct",
        "test_images",
        "test_correct",
        "test_accuracy",
        "test_low",
        "test_high",
        "seconds",
        "diverged",
    ];
    let row = |pair: &PairResults| {
        let found = &pair.outcome;
        let (low, high) = wilson_interval(found.test_correct, found.test_images);
        [
            name(&perceptrons.data, pair.spec.a),
            name(&perceptrons.data, pair.spec.b),
            found.iterations.to_string(),
            found.converged.to_string(),
            found.train_images.to_string(),
            found.train_correct.to_string(),
            found.test_images.to_string(),
            found.test_correct.to_string(),
            pair.test_accuracy().to_string(),
            low.to_string(),
            high.to_string(),
            pair.seconds.to_string(),
            text(found.diverged),
        ]
    };
    let all = table("perceptrons", columns, perceptrons.pairs.iter().map(row));
    let five = perceptrons.easy_to_hard();
    vec![all, table("perceptrons_five", columns, five.into_iter().map(row))]
}

fn name(data: &DataSetFacts, label: u8) -> String {
    data.classes[usize::from(label)].clone()
}

/// A number, or nothing.
fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// A cell that a spreadsheet does not take for a formula, and that holds no control characters: names come from anywhere.
fn harmless(cell: String) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    let cell = match without_controls(&cell) {
        Cow::Borrowed(_) => cell,
        Cow::Owned(cleaned) => cleaned,
    };
    if formula { format!("'{cell}") } else { cell }
}

fn table<const N: usize>(
    name: &'static str,
    columns: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Table {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).expect("memory can be written");
    for row in rows {
        writer.write_record(row.map(harmless)).expect("memory can be written");
    }
    Table { name, task: None, csv: writer.into_inner().expect("memory can be written") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_spreadsheet_would_compute_are_texts_and_numbers_stay_numbers() {
        let cells = ["=1+1", "+cmd", "-x", "@sum", "\tx", "plain", "-0.25", "+3", "a\u{1b}b", "=\u{0}"];
        let row = [cells.map(str::to_owned)].into_iter();
        let csv = String::from_utf8(table("t", ["c"; 10], row).csv).unwrap();
        let line = csv.lines().nth(1).unwrap();
        assert_eq!(line, "'=1+1,'+cmd,'-x,'@sum,'\tx,plain,-0.25,+3,a\u{fffd}b,'=\u{fffd}");
    }
}
