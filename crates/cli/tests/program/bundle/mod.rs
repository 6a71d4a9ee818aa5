//! `inkling bundle`: what is in the archive, and what it says to what cannot be handed in.

mod bad;
pub(crate) mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{FILES, project_data, run};
use crate::exchange::TRAINING;
use crate::own::bars;
use common::{Packed, bundle, change, remake, report, study, unpack};
use serde_json::{Value, json};

const CODE: &str = "Assignment2_Group_7.code/";

/// What a bundle adds to the sources.
const ADDED: [&str; 3] = ["REPEAT.md", "study.toml", "summary.json"];

fn project() -> PathBuf {
    project_data().parent().unwrap().to_owned()
}

/// The files of the code's folder that are sources.
fn sources(files: &BTreeMap<String, Packed>) -> BTreeMap<&str, &Packed> {
    let code = files.iter().filter_map(|(path, packed)| Some((path.strip_prefix(CODE)?, packed)));
    code.filter(|(path, _)| !ADDED.contains(path) && !path.ends_with(".gz")).collect()
}

#[test]
fn report_notebook_code_and_data_are_in_the_archive_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    let done = bundle(folder.path(), &["--group", "7"]);
    done.says(0, &[]);
    let archive = study.join("Assignment2_Group_7.zip");
    for words in ["a study/Assignment2_Group_7.zip: ", "Group_7.pdf", "1 cell executed", "data/mnist/"] {
        assert!(done.stdout.contains(words), "no {words:?} in {}", done.stdout);
    }
    assert!(done.stdout.lines().skip(1).all(|line| line.chars().count() <= 80), "{}", done.stdout);

    let files = unpack(&archive);
    let tops: Vec<&str> = files.keys().filter(|path| !path.starts_with(CODE)).map(String::as_str).collect();
    assert_eq!(tops, ["Assignment2_Group_7.ipynb", "Assignment2_Group_7.pdf"]);
    let same =
        |packed: &str, path: &Path| assert!(files[packed].bytes == fs::read(path).unwrap(), "{packed}");
    same("Assignment2_Group_7.pdf", &study.join("report.pdf"));
    same("Assignment2_Group_7.ipynb", &study.join("Assignment2_Group_7.ipynb"));
    same(&format!("{CODE}summary.json"), &study.join("summary.json"));
    for name in FILES {
        let file = format!("data/mnist/{name}.gz");
        same(&format!("{CODE}{file}"), &project().join(&file));
    }
    assert!(!files.keys().any(|path| path.contains("fashion-mnist/")), "the study did not use it");
    for (path, _) in sources(&files) {
        same(&format!("{CODE}{path}"), &project().join(path));
        let made = ["target", ".git", "__pycache__"];
        assert!(!path.split('/').any(|part| made.contains(&part)), "{path}");
    }
    let repeat = String::from_utf8_lossy(&files[&format!("{CODE}REPEAT.md")].bytes);
    for words in
        ["cargo run --release -- study study.toml", "group 7", "`smoke`, seed 1, 45 runs", "CC BY-SA"]
    {
        assert!(repeat.contains(words), "no {words:?} in {repeat}");
    }

    // Whatever the file system says of the files, the same study gives the same bytes.
    let elsewhere = tempfile::tempdir().unwrap();
    common::copy_folder(&study, &elsewhere.path().join("a study"));
    fs::remove_file(elsewhere.path().join("a study/Assignment2_Group_7.zip")).unwrap();
    bundle(elsewhere.path(), &["--group", "7", "--out", "mine.zip"]).says(0, &[]);
    assert!(fs::read(elsewhere.path().join("mine.zip")).unwrap() == fs::read(archive).unwrap());
    assert!(!elsewhere.path().join("a study/Assignment2_Group_7.zip").exists());
}

/// Whoever marks the work may know PyTorch or Keras and not this program.
#[test]
fn trained_networks_are_in_the_archive_for_pytorch_and_keras() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("a study");
    common::copy_folder(&TRAINING.join("model"), &study);
    let cells = [common::code("1 + 1", Some(1), json!([]))];
    fs::write(study.join("Assignment2_Group_7.ipynb"), common::notebook(&cells)).unwrap();
    let done = bundle(folder.path(), &["--group", "7", "--without-data", "--out", "mine.zip"]);
    done.says(0, &[]);
    assert!(
        done.stdout.contains("peers/") && done.stdout.contains("1 network in PyTorch"),
        "{}",
        done.stdout
    );
    let files = unpack(&folder.path().join("mine.zip"));
    run(folder.path(), &["export", "a study", "--peers", "peers"]).says(0, &[]);
    for file in [
        "README.md",
        "reproduce.py",
        "train.py",
        "networks.json",
        "network-mine/pytorch/model.py",
        "network-mine/pytorch/weights.safetensors",
        "network-mine/keras/weights.safetensors",
    ] {
        let exported = fs::read(folder.path().join("peers").join(file)).unwrap();
        assert!(files[&format!("{CODE}peers/{file}")].bytes == exported, "{file}");
    }
    let repeat = String::from_utf8_lossy(&files[&format!("{CODE}REPEAT.md")].bytes);
    assert!(repeat.contains("`python reproduce.py --data ../data`"), "{repeat}");
    bundle(folder.path(), &["--group", "7", "--without-data", "--out", "again.zip"]).says(0, &[]);
    let [mine, again] = ["mine.zip", "again.zip"].map(|name| fs::read(folder.path().join(name)).unwrap());
    assert!(mine == again, "the same study gives the same bytes");
}

#[test]
fn the_code_holds_every_crate_of_the_workspace_and_every_file_under_version_control() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    bundle(folder.path(), &["--group", "7", "--without-data", "--out", "mine.zip"]).says(0, &[]);
    let files = unpack(&folder.path().join("mine.zip"));
    assert!(!files.keys().any(|path| path.ends_with(".gz")));
    let repeat = String::from_utf8_lossy(&files[&format!("{CODE}REPEAT.md")].bytes);
    assert!(repeat.contains("The data is not here"), "{repeat}");
    let sources = sources(&files);
    for entry in fs::read_dir(project().join("crates")).unwrap() {
        let manifest = format!("crates/{}/Cargo.toml", entry.unwrap().file_name().to_str().unwrap());
        assert!(sources.contains_key(manifest.as_str()), "{manifest}");
    }

    // Unpacked from a bundle, the project is under no version control, and there is nothing to compare with.
    if !project().join(".git").exists() {
        return;
    }
    let listed = Command::new("git").args(["ls-files", "-s"]).current_dir(project()).output().unwrap();
    for line in String::from_utf8(listed.stdout).unwrap().lines() {
        let (mode, path) = (line.split(' ').next().unwrap(), line.split('\t').nth(1).unwrap());
        if path.ends_with(".gz") || !project().join(path).exists() {
            continue;
        }
        let packed = sources.get(path).unwrap_or_else(|| panic!("build.rs does not know {path}"));
        assert_eq!(packed.executable, mode == "100755", "{path}");
    }
}

#[test]
fn the_study_file_in_the_bundle_gives_the_same_runs() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    bundle(folder.path(), &["--group", "7", "--without-data", "--out", "mine.zip"]).says(0, &[]);
    let files = unpack(&folder.path().join("mine.zip"));
    fs::write(folder.path().join("study.toml"), &files[&format!("{CODE}study.toml")].bytes).unwrap();
    let again = run(folder.path(), &["study", "study.toml", "--out", "a study"]);
    again.says(0, &["perceptrons: finished earlier, not repeated"]);
}

#[test]
fn the_group_is_the_studys_own_and_placeholders_are_spoken_of() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    let warning = ["warning: the report is not ready", "GROUP NUMBER MISSING, AUTHORS MISSING", "[report]"];
    bundle(folder.path(), &["--group", "7", "--without-data"]).says(0, &warning);
    let ada = json!({ "name": "Ada Lovelace" });
    change(&study, |record| record["study"]["report"] = json!({ "group": 7, "authors": [ada] }));
    report(folder.path());
    bundle(folder.path(), &["--without-data"]).says(0, &["It says CONTRIBUTION MISSING.", "'a study'"]);
    let ada = json!({ "name": "Ada Lovelace", "contribution": "all of it" });
    change(&study, |record| record["study"]["report"]["authors"] = json!([ada]));
    report(folder.path());
    let done = bundle(folder.path(), &["--without-data", "--group", "7"]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
}

#[test]
fn runs_of_several_machines_and_programs_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    // Who opens a finished study, and how, changes nothing of what its runs say of themselves.
    run(folder.path(), &["study", "smoke", "--only", "perceptron", "--cpu", "portable", "--out", "a study"])
        .says(0, &["not repeated"]);
    let repeat = || {
        bundle(folder.path(), &["--group", "7", "--without-data", "--out", "mine.zip"]).says(0, &[]);
        let files = unpack(&folder.path().join("mine.zip"));
        String::from_utf8_lossy(&files[&format!("{CODE}REPEAT.md")].bytes).into_owned()
    };
    let of_one = repeat();
    assert!(of_one.contains("study study.toml\n") && !of_one.contains(" runs |"), "{of_one}");

    remake(&study, 3, |result| {
        result["machine"] = json!({ "cpu": "Another CPU", "threads": 1, "instructions": "portable" });
        result["version"] = "0.0.9".into();
        result.as_object_mut().unwrap().remove("sources");
    });
    bundle(folder.path(), &["--group", "7"]).says(65, &["report.pdf` is older than the study"]);
    report(folder.path());
    let of_two = repeat();
    for words in [
        "| program | Inkling 0.0.9: 3 runs |",
        ": 42 runs |",
        "| machine | Another CPU, 1 thread, portable: 3 runs |",
        "not made by\none program",
    ] {
        assert!(of_two.contains(words), "no {words:?} in {of_two}");
    }
    let words = ["warning: the study was run by another program", "3 of 45 runs by Inkling 0.0.9"];
    bundle(folder.path(), &["--group", "7", "--without-data"]).says(0, &words);
    let page = fs::read_to_string(study.join("report.html")).unwrap();
    for words in ["3 runs", "Another CPU", "times are not compared", "They were made by several programs"] {
        assert!(
            page.contains(words) || page.contains(&words.replace("3 runs", "three runs")),
            "no {words:?}"
        );
    }
    let summary: Value = serde_json::from_slice(&fs::read(study.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["machines"][1]["cpu"], "Another CPU");
    assert_eq!(
        (&summary["programs"][1]["version"], &summary["programs"][1]["runs"]),
        (&"0.0.9".into(), &3.into())
    );
}

/// A study on images of a person's own can be handed in whole: where the images are as they were.
#[test]
fn images_of_ones_own_are_packed_as_they_were_prepared_and_give_the_same_runs() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("a study");
    bars(&folder.path().join("bars"), 20);
    let name = study.to_str().unwrap();
    run(folder.path(), &["study", "smoke", "--only", "perceptron", "--data", "bars", "--out", name])
        .says(0, &[]);
    let cells = [common::code("1 + 1", Some(1), json!([]))];
    fs::write(study.join("Assignment2_Group_7.ipynb"), common::notebook(&cells)).unwrap();
    let done = bundle(folder.path(), &["--group", "7"]);
    done.says(0, &[]);
    assert!(done.stdout.contains("data/bars.npz"), "{}", done.stdout);
    let files = unpack(&study.join("Assignment2_Group_7.zip"));
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir_all(elsewhere.join("data")).unwrap();
    for file in ["study.toml", "data/bars.npz"] {
        fs::write(elsewhere.join(file), &files[&format!("{CODE}{file}")].bytes).unwrap();
    }
    // The file says where its images are from its own folder on.
    run(folder.path(), &["study", "elsewhere/study.toml", "--out", "again"]).says(0, &[]);
    let runs = |study: &Path| -> Value {
        let record: Value = serde_json::from_slice(&fs::read(study.join("study.json")).unwrap()).unwrap();
        record["runs"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect()
    };
    assert_eq!(runs(&study), runs(&folder.path().join("again")));

    fs::remove_file(folder.path().join("bars/lying/3.png")).unwrap();
    let changed = bundle(folder.path(), &["--group", "7", "--out", "changed.zip"]);
    changed.says(65, &["are no longer those of the data set `bars`", "--without-data"]);
    bundle(folder.path(), &["--group", "7", "--out", "changed.zip", "--without-data"]).says(0, &[]);
}
