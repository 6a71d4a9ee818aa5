//! The text of reports beside texts that a person has read and accepted: a changed sentence is seen.
//!
//! `INKLING_ACCEPT=1 cargo test -p inkling-report reference` writes them anew; read the difference before it is committed.

use std::fs;
use std::path::Path;

use super::random::random_results;
use super::text::blocks;
use super::*;
use crate::fixtures::inside::Looked;
use crate::fixtures::multitask::{Asked, GARMENTS};
use crate::tables;

/// A study of all tasks, and two at random.
fn studies() -> [(&'static str, Results); 3] {
    let all = Shape { train_images: 60_000, test_images: 10_000, ..Shape::SMALL };
    let (networks, before) = (networks(&DIGITS, all), results(&DIGITS, PerceptronRule::Online));
    let digits = DataSetFacts { height: 28, width: 28, ..before.record.data["mnist"].clone() };
    let fashion = GARMENTS.iter().map(|&name| name.to_owned()).collect();
    let fashion = DataSetFacts { title: "Fashion-MNIST".into(), classes: fashion, ..digits.clone() };
    let whole = Results {
        mlps: networks.mlps,
        cnns: networks.cnns,
        inside: Some(fixtures::inside::inside(&digits, &Looked::brief())),
        multitask: Some(Asked::brief(60_000, 10_000).with_weightings(3).results(&fashion)),
        ..before
    };
    [("all-tasks", whole), ("random-3", random_results(3)), ("random-5", random_results(5))]
}

#[test]
fn the_study_of_all_tasks_has_every_table_with_different_columns_and_plain_cells() {
    let [(_, study), ..] = studies();
    let tables = tables::draw_up(&Rows::new(&study));
    assert_eq!(tables.len(), tables::TABLES.len());
    for table in tables {
        // The reader refuses rows of different lengths.
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table.csv.as_slice());
        let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let columns: std::collections::BTreeSet<&str> = lines[0].iter().collect();
        assert_eq!(columns.len(), lines[0].len(), "{}: {:?}", table.name, lines[0]);
        assert!(lines.len() > 1, "{} has no row", table.name);
        let parts = |cell: &str| cell.contains(['{', '[']);
        assert!(!lines.iter().flatten().any(parts), "{} has a cell with parts", table.name);
    }
}

#[test]
fn texts_are_those_that_were_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/document/tests/reference");
    let accepts = std::env::var("INKLING_ACCEPT").is_ok_and(|value| value == "1");
    for (name, results) in studies() {
        let found = blocks(&results, &[]);
        let file = folder.join(format!("{name}.txt"));
        if accepts {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, found.join("\n") + "\n").unwrap();
            continue;
        }
        let accepted =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let accepted: Vec<&str> = accepted.lines().collect();
        let differing = found.iter().zip(&accepted).find(|(found, accepted)| found != *accepted);
        if let Some((found, accepted)) = differing {
            panic!("{name}: the report says\n{found}\nwhere this was accepted:\n{accepted}");
        }
        assert_eq!(found.len(), accepted.len(), "{name}: as many paragraphs and cells");
    }
}
