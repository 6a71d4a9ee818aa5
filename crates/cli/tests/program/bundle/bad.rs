//! What cannot be handed in: what the person reads, and the exit code.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::json;

use super::common::{bundle, change, code, notebook, study, unpack};
use crate::common::{copy_of_mnist, run};

/// Bundles for group 7, which must be refused with these words and leave no archive.
#[track_caller]
fn refused(folder: &Path, code: i32, words: &[&str]) {
    bundle(folder, &["--group", "7"]).says(code, words);
    assert!(!folder.join("a study/Assignment2_Group_7.zip").exists());
}

#[test]
fn a_folder_without_a_study() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = run(folder.path(), &["bundle", "--group", "7"]);
    nowhere.says(65, &["there is no folder `out`", "give the folder that a study was written to"]);
    assert!(!folder.path().join("out").exists());
    fs::create_dir_all(folder.path().join("a study/runs")).unwrap();
    refused(
        folder.path(),
        65,
        &["`a study` holds no study: there is no study.json", "inkling study --out 'a study'"],
    );
    fs::write(folder.path().join("a study/study.json"), "{").unwrap();
    refused(folder.path(), 65, &["study.json` is damaged"]);
}

#[test]
fn no_group_or_another_than_the_reports() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    bundle(folder.path(), &[]).says(2, &["the number of the group is unknown", "--group", "[report]"]);
    bundle(folder.path(), &["--group", "seven"]).says(2, &["'seven'", "--group"]);
    change(&study, |record| record["study"]["report"] = json!({ "group": 3 }));
    refused(
        folder.path(),
        2,
        &["--group 7 contradicts the report", "is group 3's", "`group = 7` under [report]"],
    );
}

#[test]
fn runs_that_are_not_finished_or_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    let mut runs: Vec<_> = fs::read_dir(study.join("runs")).unwrap().map(|run| run.unwrap().path()).collect();
    runs.sort();
    let model = runs[0].join("model.safetensors");
    let whole = fs::read(&model).unwrap();
    fs::write(&model, &whole[..whole.len() - 1]).unwrap();
    refused(folder.path(), 65, &["model.safetensors` is damaged: its SHA-256", "made again"]);
    fs::write(&model, whole).unwrap();

    for run in &runs[..44] {
        fs::remove_file(run.join("result.json")).unwrap();
    }
    let words =
        ["44 of the 45 runs of the study `smoke` are not finished", "perceptron: 0 or ", "and 39 more"];
    refused(folder.path(), 65, &words);
    refused(folder.path(), 65, &["help", "run the study again with the same folder"]);
}

#[test]
fn a_report_that_is_missing_or_old_or_not_whole() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    let report = study.join("report.pdf");
    let whole = fs::read(&report).unwrap();
    let make = "`inkling report 'a study'` makes it";
    fs::write(&report, &whole[..whole.len() / 2]).unwrap();
    refused(folder.path(), 65, &["report.pdf` is not a complete PDF", make]);
    fs::remove_file(&report).unwrap();
    refused(folder.path(), 65, &["`a study/report.pdf` is missing", make]);
    fs::write(&report, whole).unwrap();
    // As a sitting that was stopped before its report leaves it.
    change(&study, |record| record["seconds"] = 1e6.into());
    refused(folder.path(), 65, &["report.pdf` is older than the study", make]);
    run(folder.path(), &["report", "a study"]).says(0, &[]);
    bundle(folder.path(), &["--group", "7", "--without-data", "--out", "mine.zip"]).says(0, &[]);

    // What takes no time at all: other authors.
    change(&study, |record| record["study"]["report"] = json!({ "authors": [{ "name": "Ada" }] }));
    refused(folder.path(), 65, &["report.pdf` is older than the study", make]);
    run(folder.path(), &["report", "a study"]).says(0, &[]);
    // Files that are whole and not the study's: of another study, of an older program, changed by hand.
    for (name, words) in [
        ("report.pdf", "report.pdf` is not the file that was written together with `summary.json`"),
        ("report.html", "report.html` is not the file that was written together with `summary.json`"),
    ] {
        let path = study.join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], b"\n"].concat()).unwrap();
        refused(folder.path(), 65, &[words, make]);
        fs::remove_file(&path).unwrap();
        refused(folder.path(), 65, &[&format!("{name}` is missing"), make]);
        fs::write(&path, whole).unwrap();
    }
    let summary = study.join("summary.json");
    let whole = fs::read(&summary).unwrap();
    fs::write(&summary, r#"{ "preset": "smoke", "seconds": 1.0 }"#).unwrap();
    refused(folder.path(), 65, &["summary.json` does not say which report it belongs to", make]);
    // As a process that was killed while it wrote the report leaves it.
    fs::remove_file(&summary).unwrap();
    refused(folder.path(), 65, &["summary.json` is missing", make]);
    fs::write(&summary, whole).unwrap();
    bundle(folder.path(), &["--group", "7", "--without-data"]).says(0, &[]);
}

#[test]
fn more_words_than_may_be_handed_in_are_a_warning_of_the_report_and_an_error_of_the_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    let long = "word ".repeat(400);
    change(&study, |record| {
        for class in record["data"]["mnist"]["classes"].as_array_mut().unwrap() {
            *class = format!("{} {long}", class.as_str().unwrap()).into();
        }
    });
    let report = run(folder.path(), &["report", "a study"]);
    report.says(0, &["warning: the main part of the report has", "more than the 3000 that may be handed in"]);
    assert!(report.stdout.contains("a study/report.pdf"), "{}", report.stdout);
    refused(
        folder.path(),
        65,
        &["the main part of the report has", "more than the 3000 allowed", "fewer networks"],
    );
}

#[test]
fn a_notebook_that_is_missing_or_not_executed_or_failed() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    let path = study.join("Assignment2_Group_7.ipynb");
    fs::rename(&path, study.join("Assignment2_Group_3.ipynb")).unwrap();
    let there =
        ["Group_7.ipynb` is missing; there is `Assignment2_Group_3.ipynb`", "notebook/make", "--group 7`"];
    refused(folder.path(), 65, &there);
    fs::remove_file(study.join("Assignment2_Group_3.ipynb")).unwrap();
    let absolute = std::path::absolute(&study).unwrap();
    let make = format!("notebook/make '{}' --group 7", absolute.display());
    refused(
        folder.path(),
        65,
        &["a study/Assignment2_Group_7.ipynb` is missing help", "in the project's folder"],
    );
    let said = bundle(folder.path(), &["--group", "7"]).stderr.replace(' ', "");
    assert!(said.contains(&make.replace(' ', "")), "{said}");

    let good = code("let x = 1;", Some(1), json!([]));
    let error =
        json!([{ "output_type": "error", "ename": "E0425", "evalue": "no `w` here", "traceback": [] }]);
    let help = "writes and executes it again";
    for (cells, words) in [
        (vec![good.clone(), code("let y = 2;", None, json!([]))], "is not executed: cell 3 (`let y = 2;`)"),
        (vec![code("w", Some(1), error), good], "ends in an error in cell 2: E0425: no `w` here"),
        (vec![], "holds no code"),
    ] {
        fs::write(&path, notebook(&cells)).unwrap();
        refused(folder.path(), 65, &[words, help]);
    }
    let renamed = code("// Assignment2_Group_3.code", Some(1), json!([]));
    fs::write(&path, notebook(&[renamed])).unwrap();
    refused(folder.path(), 65, &["belongs to another group: it names group 3", help]);
    fs::write(&path, "not JSON").unwrap();
    refused(folder.path(), 65, &["cannot be read as one: expected ident at line 1", help]);
}

#[test]
fn data_that_is_elsewhere_or_not_what_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    let with = |place: &str| bundle(folder.path(), &["--group", "7", "--data", place]);
    with("nowhere").says(74, &["cannot find MNIST's", "nowhere", "--data"]);
    let mnist = copy_of_mnist(folder.path());
    fs::write(mnist.join("t10k-labels-idx1-ubyte.gz"), crate::common::gz(b"?")).unwrap();
    with(".").says(65, &["t10k-labels-idx1-ubyte.gz is not a valid IDX file"]);
    // A file that is not compressed is packed as it is.
    copy_of_mnist(folder.path());
    let labels = mnist.join("t10k-labels-idx1-ubyte");
    let mut raw = Vec::new();
    GzDecoder::new(File::open(labels.with_extension("gz")).unwrap()).read_to_end(&mut raw).unwrap();
    fs::remove_file(labels.with_extension("gz")).unwrap();
    fs::write(labels, &raw).unwrap();
    with(".").says(0, &[]);
    let archive = study.join("Assignment2_Group_7.zip");
    assert!(unpack(&archive)["Assignment2_Group_7.code/data/mnist/t10k-labels-idx1-ubyte"].bytes == raw);
    fs::remove_file(archive).unwrap();
    change(&study, |record| record["data"]["mnist"]["checksum"] = "0".repeat(64).into());
    refused(folder.path(), 65, &["a version of MNIST that this program does not know", "--without-data"]);
}

#[test]
fn nothing_but_an_earlier_bundle_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    let bundled = |out: &str| bundle(folder.path(), &["--group", "7", "--without-data", "--out", out]);
    fs::write(folder.path().join("thesis.zip"), "PK of a person's own").unwrap();
    for out in ["a study/study.json", "a study/report.pdf", "a study/Assignment2_Group_7.ipynb", "thesis.zip"]
    {
        let before = fs::read(folder.path().join(out)).unwrap();
        bundled(out)
            .says(73, &[&format!("`{out}` exists and is not an earlier bundle"), "help", "another name"]);
        assert!(fs::read(folder.path().join(out)).unwrap() == before, "{out}");
    }
    bundled("gone/mine.zip").says(73, &["there is no folder `gone`", "help"]);
    bundled("mine.zip").says(0, &[]);
    bundled("mine.zip").says(0, &[]);
}

#[test]
fn a_place_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    let to = |place: &str| bundle(folder.path(), &["--group", "7", "--without-data", "--out", place]);
    to("nowhere/mine.zip").says(73, &["`nowhere/mine.zip` cannot be written: there is no folder `nowhere`"]);
    to("a study").says(73, &["`a study` exists and is not an earlier bundle", "move the existing file away"]);
    to("a study/report.pdf/mine.zip").says(73, &["report.pdf/mine.zip`", "help", "another name"]);
}
