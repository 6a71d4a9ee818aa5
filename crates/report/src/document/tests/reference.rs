//! The text of reports, the summary and the columns of the tables beside what a person has read and accepted: a changed sentence,
//! number or column is seen.
//!
//! `INKLING_ACCEPT=1 cargo test -p inkling-report reference` writes them anew; read the difference before it is committed.

use std::fs;
use std::path::Path;

use inkling_store::Reader;
use serde_json::Value;

use super::random::random_results;
use super::text::blocks;
use super::*;
use crate::fixtures::inside::Looked;
use crate::fixtures::multitask::{Asked, GARMENTS};
use crate::fixtures::random::{self, Chance};
use crate::fixtures::sweep::{Keys, sweep};
use crate::rows::TABLES;
use crate::{Summary, tables};

/// The store of a small study of all tasks, as `tests/recorded/record` made it.
fn recorded() -> Results {
    const STORE: &[u8] = include_bytes!("../../../tests/recorded/recorded.tgz");
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(flate2::read::GzDecoder::new(STORE)).unpack(folder.path()).unwrap();
    Results::read(&Reader::open(folder.path()).unwrap()).unwrap()
}

/// The garments of Fashion-MNIST.
fn fashion() -> DataSetFacts {
    let digits = results(&DIGITS, PerceptronRule::Online).record.data["mnist"].clone();
    let classes = GARMENTS.iter().map(|&name| name.to_owned()).collect();
    DataSetFacts { title: "Fashion-MNIST".into(), height: 28, width: 28, classes, ..digits }
}

/// A study of all tasks whose results are like those of the brief.
fn like_the_brief() -> Results {
    let all = Shape { train_images: 60_000, test_images: 10_000, ..Shape::SMALL };
    let (networks, before) = (networks(&DIGITS, all), results(&DIGITS, PerceptronRule::Online));
    let digits = DataSetFacts { height: 28, width: 28, ..before.record.data["mnist"].clone() };
    Results {
        mlps: networks.mlps,
        cnns: networks.cnns,
        inside: Some(fixtures::inside::inside(&digits, &Looked::brief())),
        multitask: Some(Asked::brief(60_000, 10_000).with_weightings(3).results(&fashion())),
        sweep: Some(sweep(&digits, Keys::One(5), 3, &[true], |point, seed| {
            Some([380, 452, 488, 480, 430][point] - seed)
        })),
        ..before
    }
}

/// The same with five seeds, and without a sweep.
fn with_five_seeds() -> Results {
    let mut found = Results { sweep: None, ..like_the_brief() };
    random::train_again(&mut found, (5, 0.001, false), &mut Chance::new(5));
    found
}

#[test]
fn a_report_of_five_seeds_has_no_more_words_than_may_be_handed_in() {
    let mut found = Results {
        // The brief asks for no other weightings, for no sweep, and for perceptrons from one seed.
        sweep: None,
        multitask: Some(Asked::brief(60_000, 10_000).results(&fashion())),
        ..like_the_brief()
    };
    random::train_again(&mut found, (5, 0.001, false), &mut Chance::new(5));
    let pairs = found.perceptrons.iter_mut().flat_map(|task| &mut task.pairs);
    pairs.for_each(|pair| pair.replicates.clear());
    let (_, words) = typeset_and_count(&found, &crate::draw(&found));
    assert!(words <= WORDS, "{words} words");
}

/// Compares a text with the one that was accepted under this name.
fn accepted(name: &str, found: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/document/tests/reference").join(name);
    if std::env::var("INKLING_ACCEPT").is_ok_and(|value| value == "1") {
        fs::write(&file, found).unwrap();
        return;
    }
    let accepted = fs::read_to_string(&file).unwrap();
    for (line, (found, accepted)) in (1..).zip(found.lines().zip(accepted.lines())) {
        assert_eq!(found, accepted, "line {line} of {name}");
    }
    assert_eq!(found.lines().count(), accepted.lines().count(), "the lines of {name}");
}

#[test]
fn texts_are_those_that_were_accepted() {
    let studies = [
        ("recorded", recorded()),
        ("all-tasks", like_the_brief()),
        ("five-seeds", with_five_seeds()),
        ("random-3", random_results(3)),
        ("random-5", random_results(5)),
    ];
    for (name, results) in studies {
        accepted(&format!("{name}.txt"), &(blocks(&results, &[]).join("\n") + "\n"));
    }
}

/// The value with numbers of six digits, which every system's arithmetic agrees on.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let short = format!("{:.5e}", number.as_f64().unwrap());
            short.parse::<f64>().unwrap().into()
        }
        Value::Array(list) => list.into_iter().map(rounded).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, rounded(value))).collect())
        }
        value => value,
    }
}

#[test]
fn the_summary_is_the_one_that_was_accepted() {
    let summary = rounded(serde_json::to_value(Summary::new(&recorded())).unwrap());
    accepted("summary.json", &(serde_json::to_string_pretty(&summary).unwrap() + "\n"));
}

#[test]
fn every_table_has_a_row_and_the_columns_that_were_accepted() {
    let of = |results: Results| tables::draw_up(&Rows::new(&results));
    let mut own = own::own();
    random::train_again(&mut own, (2, 0.1, false), &mut Chance::new(1));
    // A table that several of these have counts once, by the first.
    let mut tables: Vec<_> = [of(recorded()), of(own), of(with_five_seeds()), of(like_the_brief())]
        .into_iter()
        .flatten()
        .collect();
    let names: Vec<&str> = TABLES.iter().copied().flatten().map(|table| table.name).collect();
    tables.sort_by_key(|table| names.iter().position(|name| *name == table.name));
    tables.dedup_by_key(|table| table.name);
    assert_eq!(tables.len(), names.len());
    let mut columns = String::new();
    for table in tables {
        // The reader refuses rows of different lengths.
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table.csv.as_slice());
        let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let names: std::collections::BTreeSet<&str> = lines[0].iter().collect();
        assert_eq!(names.len(), lines[0].len(), "{}: {:?}", table.name, lines[0]);
        assert!(lines.len() > 1, "{} has no row", table.name);
        let parts = |cell: &str| cell.contains(['{', '[']);
        assert!(!lines.iter().flatten().any(parts), "{} has a cell with parts", table.name);
        columns += &format!("{}: {}\n", table.name, lines[0].iter().collect::<Vec<_>>().join(", "));
    }
    accepted("tables.txt", &columns);
}
