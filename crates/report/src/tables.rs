//! Tables as CSV files: a line of column names, then the rows.

use std::borrow::Cow;
use std::fmt;

use inkling_schema::Task;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::document::printable::without_controls;
use crate::figure::file_name;
use crate::rows::{Rows, TABLES};

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

/// A table that a study can have, as the file of its rows declares it.
#[derive(Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    task: Task,
    text: fn(&Rows) -> Option<Vec<u8>>,
}

/// `text` makes the text of the table; `None` of a study without it.
pub(crate) const fn table(name: &'static str, task: Task, text: fn(&Rows) -> Option<Vec<u8>>) -> Spec {
    Spec { name, task, text }
}

/// Every table of a study.
pub(crate) fn draw_up(rows: &Rows) -> Vec<Table> {
    let table = |Spec { name, task, text }: &Spec| {
        let task = if rows.network.is_some() { Task::Network } else { *task };
        Some(Table { name, task, csv: text(rows)? })
    };
    TABLES.iter().copied().flatten().filter_map(table).collect()
}

/// Members of a row and the names of their parts.
pub(crate) type Parts = &'static [(&'static str, &'static [&'static str])];

/// A row of a table. Its members are the columns, in their order: an interval is two, a list is one, and a member with parts
/// is a column for each.
pub(crate) trait Row: Serialize + Default {
    /// The members that have parts, with the parts' names, since one of them may be null in every row. A member that is no
    /// column has none.
    const PARTS: Parts = &[];
}

/// The parts of a divergence.
pub(crate) const DIVERGED: (&str, &[&str]) = ("diverged", &["epoch", "step"]);

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
pub(crate) fn some<'a, R: Row + 'a>(rows: impl IntoIterator<Item = &'a R>) -> Option<Vec<u8>> {
    let mut rows = rows.into_iter().peekable();
    rows.peek().is_some().then(|| csv(rows))
}

/// The text of a table of these rows, which is a line of column names at least.
pub(crate) fn csv<'a, R: Row + 'a>(rows: impl IntoIterator<Item = &'a R>) -> Vec<u8> {
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
