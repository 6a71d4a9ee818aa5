//! What is written, in what order, and how one knows that it belongs together.

use std::fs;
use std::path::Path;

use inkling_schema::{Author, ReportSpec};
use inkling_store::Store;
use serde_json::Value;

use super::*;
use crate::fresh::{Stale, current};
use crate::results::tests::{network, written};

/// A finished study of one network.
fn study() -> (tempfile::TempDir, Store, inkling_schema::outcome::StudyRecord) {
    written(&network(), |_| {})
}

fn stale(store: &Store) -> Option<Stale> {
    current(store.reader()).unwrap().err()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Writes a study of which these parts could not be made.
fn write_without(store: &Store, pdf: bool, page: bool) -> Result<Written, ReportError> {
    let results = Results::read(store.reader()).unwrap();
    let mut made = Made::new(&results);
    if pdf {
        made.typeset = Err(ReportError::Typeset("content.typ:7: a mistake".into()));
    }
    if page {
        made.page = Err(ReportError::Typeset("page.typ:8: another".into()));
    }
    write_made(store, &results, Origin::read(store.reader()).unwrap(), made)
}

#[test]
fn a_report_is_current_until_its_study_or_one_of_its_files_changes() {
    let (folder, store, mut record) = study();
    assert!(matches!(stale(&store), Some(Stale::Missing { path }) if path.ends_with("report.pdf")));
    let written = write(&store).unwrap();
    assert!(written.failed.is_none() && written.page && written.words.is_some_and(|words| words > 100));
    let now = current(store.reader()).unwrap().unwrap();
    assert!(now.pdf.starts_with(b"%PDF") && now.words == written.words);
    // Twice the same.
    write(&store).unwrap();
    assert!(current(store.reader()).unwrap().unwrap().pdf == now.pdf);

    for name in ["report.pdf", "report.html"] {
        let path = folder.path().join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], b"\n"].concat()).unwrap();
        assert_eq!(stale(&store), Some(Stale::Foreign { path: path.clone() }));
        fs::write(&path, whole).unwrap();
        assert_eq!(stale(&store), None);
    }
    let summary = folder.path().join("summary.json");
    let whole = fs::read(&summary).unwrap();
    fs::write(&summary, r#"{ "preset": "brief", "seconds": 1.0 }"#).unwrap();
    assert_eq!(stale(&store), Some(Stale::Unknown { path: summary.clone() }));
    fs::remove_file(&summary).unwrap();
    assert_eq!(stale(&store), Some(Stale::Missing { path: summary.clone() }));
    fs::write(&summary, whole).unwrap();

    // Neither an author nor a check takes any time.
    store.publish("checks.json", b"{ \"same_bits\": [] }").unwrap();
    assert!(matches!(stale(&store), Some(Stale::Old { .. })));
    write(&store).unwrap();
    assert_eq!(stale(&store), None);
    let ada = Author { name: "Ada Lovelace".into(), contribution: None };
    record.study.report = Some(ReportSpec { group: Some(7), authors: vec![ada] });
    store.publish_json("study.json", &record).unwrap();
    assert!(matches!(stale(&store), Some(Stale::Old { .. })));
    write(&store).unwrap();
    assert_eq!(stale(&store), None);
    let result = folder.path().join(format!("runs/{}/result.json", record.runs[0].id));
    fs::write(&result, [&fs::read(&result).unwrap()[..], b"\n"].concat()).unwrap();
    assert!(matches!(stale(&store), Some(Stale::Old { .. })));
}

#[test]
fn what_cannot_be_typeset_keeps_nothing_else_from_being_written() {
    let (folder, store, _) = study();
    write(&store).unwrap();
    let place = |name: &str| folder.path().join(name);
    let earlier = ["report.pdf", "report.html"].map(|name| fs::read(place(name)).unwrap());
    for (pdf, page) in [(true, false), (false, true), (true, true)] {
        let written = write_without(&store, pdf, page).unwrap();
        assert_eq!((written.words.is_none(), written.page), (pdf, !page));
        // What is old has the name of something old, what is new is there.
        assert_eq!((place("report.pdf").exists(), place("report.html").exists()), (!pdf, !page));
        assert_eq!(fs::read(place("report-outdated.pdf")).ok(), pdf.then(|| earlier[0].clone()));
        assert_eq!(fs::read(place("report-outdated.html")).ok(), page.then(|| earlier[1].clone()));
        for name in ["summary.json", "figures/task3_mlp_curves.svg", "figures/index.csv", "tables/index.csv"]
        {
            assert!(place(name).exists(), "{name}");
        }
        let error = written.failed.unwrap();
        let message = error.to_string();
        assert_eq!(message.contains("`report.pdf`: the report could not be typeset: content.typ:7"), pdf);
        assert_eq!(message.contains("`report.html`: the report could not be typeset: page.typ:8"), page);
        let help = miette::Diagnostic::help(&error).unwrap().to_string();
        assert!(help.contains("the figures, the tables"), "{help}");
        assert_eq!((help.contains("report.pdf"), help.contains("report.html")), (!pdf, !page), "{help}");
        assert_eq!(
            (help.contains("report-outdated.pdf"), help.contains("report-outdated.html")),
            (pdf, page),
            "{help}"
        );
        assert!(matches!(stale(&store), Some(Stale::Missing { .. })));
    }
    write(&store).unwrap();
    assert_eq!(stale(&store), None);
    assert!(!place("report-outdated.pdf").exists() && !place("report-outdated.html").exists());
}

#[test]
fn a_figure_that_no_png_can_be_made_of_keeps_nothing_else_from_being_written() {
    let (folder, store, _) = study();
    let results = Results::read(store.reader()).unwrap();
    let mut made = Made::new(&results);
    made.figures[0].svg = "<svg".into();
    let written = write_made(&store, &results, Origin::read(store.reader()).unwrap(), made).unwrap();
    let message = written.failed.unwrap().to_string();
    assert!(message.contains("figures/task3_mlp_curves.png"), "{message}");
    assert!(folder.path().join("report.pdf").exists() && folder.path().join("summary.json").exists());
    assert!(!folder.path().join("figures/task3_mlp_curves.png").exists());
}

#[test]
fn figures_and_tables_that_the_study_has_no_more_are_removed_even_after_a_failed_typesetting() {
    let (folder, store, _) = study();
    write_without(&store, true, true).unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("figures/task3_my_own.svg"), "mine").unwrap();
    let results = Results::read(store.reader()).unwrap();
    let mut made = Made::new(&results);
    assert!(
        place("figures/task3_mlp_confusion.png").exists() && place("tables/task3_confusion_mlp.csv").exists()
    );
    made.figures.retain(|figure| figure.name != "mlp_confusion");
    made.tables.retain(|table| table.name != "confusion_mlp");
    write_made(&store, &results, Origin::read(store.reader()).unwrap(), made).unwrap();
    for name in [
        "figures/task3_mlp_confusion.svg",
        "figures/task3_mlp_confusion.png",
        "tables/task3_confusion_mlp.csv",
    ] {
        assert!(!place(name).exists(), "{name}");
    }
    assert!(place("figures/task3_mlp_curves.png").exists() && place("figures/task3_my_own.svg").exists());
}

#[test]
fn the_summary_says_where_the_runs_come_from_and_not_who_opened_the_folder_last() {
    let (folder, store, mut record) = study();
    record.machine.instructions = "portable".into();
    record.version = "9".into();
    store.publish_json("study.json", &record).unwrap();
    write(&store).unwrap();
    let summary = json(&folder.path().join("summary.json"));
    assert_eq!((&summary["version"], &summary["machine"]["instructions"]), (&"0".into(), &"avx2".into()));
    assert_eq!((&summary["machines"][0]["runs"], &summary["programs"][0]["runs"]), (&1.into(), &1.into()));
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(!page.contains("portable") && page.contains("Inkling 0<"), "{}", &page[..2000]);
}

#[test]
fn a_result_of_another_run_or_of_other_data_is_refused() {
    let (_folder, store, record) = study();
    let message = |record: &inkling_schema::outcome::StudyRecord| {
        store.publish_json("study.json", record).unwrap();
        Results::read(store.reader()).unwrap_err().to_string()
    };
    let mut other = record.clone();
    other.data.get_mut("mnist").unwrap().checksum = "d".into();
    assert!(message(&other).contains("result.json` is damaged: it is the result of other data"));
    let mut other = record.clone();
    let inkling_schema::RunSpec::Train(spec) = &mut other.runs[0].spec else {
        unreachable!("a network is trained")
    };
    spec.seed += 1;
    assert!(message(&other).contains("it is the result of other hyperparameters than study.json names"));
}
