//! Tables as CSV files: a line of column names, then the rows.

use std::borrow::Cow;
use std::fmt;

use inkling_schema::Task;
use inkling_schema::outcome::LookedAt;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::document::printable::without_controls;
use crate::figure::file_name;
use crate::rows::{
    ClassChangeRow, ClassRow, ComparedRow, ComponentRow, ConfusionRow, DreamRow, FilterRow, GradientRow,
    HeadRow, HeadedRow, LayerRow, LikenessRow, NetworkRow, PairRow, PerceptronRow, PerceptronSeedRow,
    PointRow, Rows, SeedPairRow, SeedRow, SeedsRows, SeparabilityRow, TestRow, WeightingRow,
};

/// A table: what the report calls it, and its text.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    task: Task,
    pub(crate) csv: Vec<u8>,
}

impl Table {
    /// The name of its file, without its ending: `task2_perceptrons`.
    pub(crate) fn file(&self) -> String {
        file_name(Some(self.task), self.name)
    }
}

/// Makes the text of a table; `None` of a study without it.
pub(crate) type Draw = fn(&Rows) -> Option<Vec<u8>>;

/// Every table there is, in the order in which a reader meets them.
pub(crate) const TABLES: [(&str, Task, Draw); 39] = [
    ("components", Task::Pca, |rows| Some(csv(&rows.pca.as_ref()?.components()))),
    ("separability", Task::Pca, |rows| Some(csv(&rows.pca.as_ref()?.pairs))),
    ("perceptrons", Task::Perceptron, |rows| Some(csv(&rows.perceptron.as_ref()?.pairs))),
    ("perceptrons_five", Task::Perceptron, |rows| Some(csv(&rows.perceptron.as_ref()?.five))),
    ("perceptron_seeds", Task::Perceptron, |rows| some(&rows.perceptron.as_ref()?.seeds)),
    ("mlp_networks", Task::Mlp, |rows| Some(csv(&rows.mlp.as_ref()?.networks))),
    ("mlp_mcnemar", Task::Mlp, |rows| Some(csv(&rows.mlp.as_ref()?.mcnemar))),
    ("mlp_seeds", Task::Mlp, |rows| seeds(&rows.mlp.as_ref()?.seeds)),
    ("mlp_seed_tests", Task::Mlp, |rows| seed_tests(&rows.mlp.as_ref()?.seeds)),
    ("mlp_classes", Task::Mlp, |rows| Some(csv(&rows.mlp.as_ref()?.classes))),
    ("confusion_mlp", Task::Mlp, |rows| some(&rows.mlp.as_ref()?.confusion)),
    ("cnn_networks", Task::Cnn, |rows| Some(csv(&rows.cnn.as_ref()?.networks))),
    ("cnn_mcnemar", Task::Cnn, |rows| Some(csv(&rows.cnn.as_ref()?.mcnemar))),
    ("cnn_seeds", Task::Cnn, |rows| seeds(&rows.cnn.as_ref()?.seeds)),
    ("cnn_seed_tests", Task::Cnn, |rows| seed_tests(&rows.cnn.as_ref()?.seeds)),
    ("cnn_classes", Task::Cnn, |rows| Some(csv(&rows.cnn.as_ref()?.classes))),
    ("confusion_cnn", Task::Cnn, |rows| some(&rows.cnn.as_ref()?.confusion)),
    ("networks_compared", Task::Cnn, |rows| some(&rows.compared)),
    ("cnn_mlp_mcnemar", Task::Cnn, |rows| some(&rows.compared).map(|_| csv(&rows.between))),
    ("cnn_mlp_seed_tests", Task::Cnn, |rows| some(&rows.between_over_seeds)),
    ("network", Task::Network, |rows| Some(csv(&rows.network.as_ref()?.networks))),
    ("network_seeds", Task::Network, |rows| seeds(&rows.network.as_ref()?.seeds)),
    ("network_classes", Task::Network, |rows| Some(csv(&rows.network.as_ref()?.classes))),
    ("confusion_network", Task::Network, |rows| some(&rows.network.as_ref()?.confusion)),
    ("inside_filters", Task::Inside, |rows| some(&rows.inside.as_ref()?.filters)),
    ("inside_layers", Task::Inside, |rows| some(&rows.inside.as_ref()?.layers)),
    ("inside_images", Task::Inside, |rows| some(&rows.inside.as_ref()?.images)),
    ("inside_dreams", Task::Inside, |rows| {
        let inside = rows.inside.as_ref()?;
        some(&[&inside.dreams[..], &inside.further_dreams].concat())
    }),
    ("inside_likeness", Task::Inside, |rows| some(&rows.inside.as_ref()?.likeness)),
    ("multitask_networks", Task::Multitask, |rows| {
        let networks: Vec<HeadedRow> = rows.multitask.as_ref()?.networks().cloned().collect();
        Some(csv(&networks))
    }),
    ("multitask_mcnemar", Task::Multitask, |rows| Some(csv(&rows.multitask.as_ref()?.mcnemar))),
    ("multitask_seeds", Task::Multitask, |rows| seeds(&rows.multitask.as_ref()?.seeds)),
    ("multitask_seed_tests", Task::Multitask, |rows| seed_tests(&rows.multitask.as_ref()?.seeds)),
    ("multitask_classes", Task::Multitask, |rows| Some(csv(&rows.multitask.as_ref()?.classes))),
    ("multitask_measures", Task::Multitask, |rows| Some(csv(&rows.multitask.as_ref()?.measures))),
    ("multitask_gradients", Task::Multitask, |rows| some(&rows.multitask.as_ref()?.gradients)),
    ("multitask_weightings", Task::Multitask, |rows| some(&rows.multitask.as_ref()?.weightings)),
    ("sweep", Task::Sweep, |rows| some(&rows.sweep.as_ref()?.points)),
    ("sweep_test", Task::Sweep, |rows| some(&rows.sweep.as_ref()?.tests)),
];

fn seeds(rows: &Option<SeedsRows>) -> Option<Vec<u8>> {
    rows.as_ref().map(|rows| csv(&rows.networks))
}

fn seed_tests(rows: &Option<SeedsRows>) -> Option<Vec<u8>> {
    rows.as_ref().map(|rows| csv(&rows.tests))
}

/// Every table of a study.
pub(crate) fn draw_up(rows: &Rows) -> Vec<Table> {
    let table = |(name, task, draw): (&'static str, Task, Draw)| {
        let task = if rows.network.is_some() { Task::Network } else { task };
        Some(Table { name, task, csv: draw(rows)? })
    };
    TABLES.into_iter().filter_map(table).collect()
}

/// Members of a row and the names of their parts.
type Parts = &'static [(&'static str, &'static [&'static str])];

/// A row of a table. Its members are the columns, in their order: an interval is two, a list is one, and a member with parts
/// is a column for each.
trait Row: Serialize + Default {
    /// The members that have parts, with the parts' names, since one of them may be null in every row. A member that is no
    /// column has none.
    const PARTS: Parts = &[];
}

impl Row for ComponentRow {}
impl Row for SeparabilityRow {}
impl Row for PerceptronRow {}
impl Row for NetworkRow {
    const PARTS: Parts = &[DIVERGED];
}
impl Row for PairRow {}
impl Row for SeedRow {}
impl Row for PerceptronSeedRow {}
impl Row for SeedPairRow {}
impl Row for LikenessRow {}
impl Row for ClassRow {}
impl Row for ConfusionRow {}
impl Row for ComparedRow {}
impl Row for FilterRow {
    const PARTS: Parts = &[("kinds", KINDS), ("by_chance", KINDS)];
}
impl Row for LayerRow {}
impl Row for LookedAt {}
impl Row for DreamRow {}
impl Row for HeadedRow {
    const PARTS: Parts = &[
        DIVERGED,
        ("contradictions", &["count", "share", "item_right", "group_right"]),
        ("gradients", &["measurements", "mean_cosine", "negative", "norm_ratio"]),
    ];
}
impl Row for PointRow {}
impl Row for TestRow {}
impl Row for HeadRow {}
impl Row for ClassChangeRow {}
impl Row for GradientRow {}
impl Row for WeightingRow {
    const PARTS: Parts = &[("weighting", &[]), ("item", SPREAD), ("group", SPREAD)];
}

const DIVERGED: (&str, &[&str]) = ("diverged", &["epoch", "step"]);
const KINDS: &[&str] = &["edges", "blobs", "near_zero", "others"];
const SPREAD: &[&str] = &["mean", "deviation", "count"];

/// The members of a row, in their order.
struct Members(Vec<String>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Members(names))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// The parts of a member; `None` of one that is a single column.
fn parts<R: Row>(member: &str) -> Option<&'static [&'static str]> {
    let interval = member.ends_with("interval").then_some(&["low", "high"][..]);
    interval.or_else(|| R::PARTS.iter().find(|(name, _)| *name == member).map(|(_, parts)| *parts))
}

fn columns<R: Row>(member: &str) -> Vec<String> {
    match parts::<R>(member) {
        Some(parts) => parts.iter().map(|part| format!("{member}_{part}")).collect(),
        None => vec![member.to_owned()],
    }
}

fn cells<R: Row>(member: &str, value: &Value) -> Vec<String> {
    let Some(parts) = parts::<R>(member) else { return vec![cell(value)] };
    let part =
        |(i, part): (usize, &&str)| value.get(i).or_else(|| value.get(part)).map_or_else(String::new, cell);
    parts.iter().enumerate().map(part).collect()
}

/// A number, a name, or nothing; of a list, all of them.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text),
        Value::Array(list) => list.iter().map(cell).collect::<Vec<_>>().join(" "),
        value => value.to_string(),
    }
}

/// A text that a spreadsheet does not take for a formula, and that holds no control characters: names come from anywhere.
fn harmless(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let clean: Cow<str> = without_controls(text);
    if formula { format!("'{clean}") } else { clean.into_owned() }
}

/// A table that is left out where it has no row.
fn some<R: Row>(rows: &[R]) -> Option<Vec<u8>> {
    (!rows.is_empty()).then(|| csv(rows))
}

fn csv<R: Row>(rows: &[R]) -> Vec<u8> {
    const WRITABLE: &str = "rows are plain data, and memory can be written";
    let example = serde_json::to_string(&R::default()).expect(WRITABLE);
    let Members(members) = serde_json::from_str(&example).expect(WRITABLE);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(members.iter().flat_map(|member| columns::<R>(member))).expect(WRITABLE);
    for row in rows {
        let row = serde_json::to_value(row).expect(WRITABLE);
        let cells = members.iter().flat_map(|member| cells::<R>(member, &row[member.as_str()]));
        writer.write_record(cells).expect(WRITABLE);
    }
    writer.into_inner().expect(WRITABLE)
}

#[cfg(test)]
mod tests {
    use inkling_schema::outcome::{Divergence, FilterKinds};

    use super::*;

    fn lines(csv: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn names_that_a_spreadsheet_would_compute_are_texts_and_numbers_stay_numbers() {
        let cells = ["=1+1", "+cmd", "-x", "@sum", "\tx", "plain", "-0.25", "+3", "a\u{1b}b", "=\u{0}"];
        let harmless =
            ["'=1+1", "'+cmd", "'-x", "'@sum", "'\tx", "plain", "-0.25", "+3", "a\u{fffd}b", "'=\u{fffd}"];
        assert_eq!(cells.map(super::harmless), harmless);
    }

    #[test]
    fn a_member_with_parts_is_as_many_columns_whatever_a_row_has() {
        #[derive(Default, Serialize)]
        struct Fruit {
            name: String,
            widths: Vec<usize>,
            interval: Option<(f64, f64)>,
            diverged: Option<Divergence>,
            kinds: FilterKinds,
            said: Option<String>,
        }
        impl Row for Fruit {
            const PARTS: Parts = &[DIVERGED, ("kinds", &["edges"]), ("said", &[])];
        }
        let plain = Fruit { name: "a, \"b\"".into(), widths: vec![3, 4], ..Fruit::default() };
        let diverged = Some(Divergence { epoch: 2, step: 40, what: Default::default() });
        let full =
            Fruit { interval: Some((0.25, 0.5)), diverged, said: Some("no".into()), ..Fruit::default() };
        assert_eq!(
            lines(&csv(&[plain, full])),
            [
                [
                    "name",
                    "widths",
                    "interval_low",
                    "interval_high",
                    "diverged_epoch",
                    "diverged_step",
                    "kinds_edges"
                ],
                ["a, \"b\"", "3 4", "", "", "", "", "0.0"],
                ["", "", "0.25", "0.5", "2", "40", "0.0"],
            ]
        );
        assert_eq!(lines(&csv::<Fruit>(&[])).len(), 1);
    }
}
