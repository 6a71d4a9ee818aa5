//! The report of a folder that is damaged, or that another version of the program made: what the person reads, and the exit
//! code.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::common::{Done, change_json, run};

/// A finished study of the first task, and its report.
fn study() -> &'static Path {
    static STUDY: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = STUDY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &["study", "smoke", "--only", "pca"]).says(0, &["separability: done"]);
        folder
    });
    folder.path()
}

/// Reports on a copy of the study that `change` has changed. What was reported before stays as it was.
fn report(change: impl Fn(&Path)) -> Done {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (study().join("out"), folder.path().join("out"));
    copy(&from, &to);
    change(&to);
    let done = run(folder.path(), &["report", "out"]);
    for file in ["report.pdf", "summary.json"] {
        assert!(fs::read(from.join(file)).unwrap() == fs::read(to.join(file)).unwrap(), "{file}");
    }
    done
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(path, copied).unwrap();
        }
    }
}

/// The folder of the run that has a file of this name.
fn run_with(out: &Path, file: &str) -> PathBuf {
    let runs = fs::read_dir(out.join("runs")).unwrap().map(|run| run.unwrap().path());
    runs.filter(|run| run.join(file).exists()).min().expect("a run with this file")
}

#[test]
fn a_study_that_a_newer_program_made() {
    let newer = |change: fn(&mut Value)| {
        report(|out| {
            change_json(&out.join("study.json"), |study| {
                study["version"] = "99.1.0".into();
                change(study);
            });
        })
    };
    let words =
        ["`out/study.json` was made by Inkling 99.1.0, and this is Inkling", "help", "update the program"];
    newer(|study| study["runs"][0]["spec"] = json!({ "kind": "telepathy" })).says(65, &words);
    newer(|study| study["study"]["sorcery"] = json!({ "data": "mnist" })).says(65, &words);
    newer(|study| study["study"]["sorcery"] = json!({ "data": "mnist" }))
        .says(65, &["unknown field `sorcery`"]);
}

#[test]
fn a_study_that_an_older_program_made_is_told_as_such_and_damage_as_damage() {
    let done = report(|out| {
        change_json(&out.join("study.json"), |study| {
            study["version"] = "0.1.0".into();
            study["study"]["batch"] = 50.into();
        });
    });
    done.says(65, &["`out/study.json` was made by Inkling 0.1.0, and this is Inkling", "use that program"]);
    let damaged = report(|out| {
        change_json(&out.join("study.json"), |study| study["study"]["batch"] = 50.into());
    });
    damaged.says(65, &["`out/study.json` is damaged: unknown field `batch`"]);
}

#[test]
fn a_result_that_a_newer_program_made() {
    let done = report(|out| {
        change_json(&run_with(out, "arrays.safetensors").join("result.json"), |result| {
            result["version"] = "99.1.0".into();
            result["outcome"] = json!({ "splendour": 1 });
        });
    });
    done.says(
        65,
        &["result.json` was made by Inkling 99.1.0", "missing field", "help", "update the program"],
    );
}

#[test]
fn a_newer_study_that_can_be_read_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    copy(&study().join("out"), &folder.path().join("out"));
    change_json(&folder.path().join("out/study.json"), |study| study["version"] = "99.1.0".into());
    run(folder.path(), &["report", "out"]).says(0, &["finished in"]);
}

#[test]
fn a_study_file_that_is_cut_off_or_something_else() {
    let words = ["`out/study.json` is damaged", "help", "give the command that made this folder again"];
    report(|out| {
        let whole = fs::read(out.join("study.json")).unwrap();
        fs::write(out.join("study.json"), &whole[..whole.len() / 2]).unwrap();
    })
    .says(65, &words);
    report(|out| fs::write(out.join("study.json"), "<!doctype html>").unwrap()).says(65, &words);
    report(|out| fs::write(out.join("study.json"), "").unwrap()).says(65, &words);
    // Of this version, and yet with a key that it does not know.
    report(|out| change_json(&out.join("study.json"), |study| study["study"]["sorcery"] = 1.into()))
        .says(65, &["`out/study.json` is damaged: unknown field `sorcery`"]);
    report(|out| change_json(&out.join("study.json"), |study| study["data"] = json!({})))
        .says(65, &["`out/study.json` is damaged: it does not describe the data set `mnist`"]);
}

#[test]
fn a_document_whose_text_was_changed_is_refused_whatever_version_it_says() {
    let changed = |from: &'static str, to: &'static str, words: &[&str]| {
        let done = report(|out| {
            let text = fs::read_to_string(out.join("study.json")).unwrap();
            assert!(text.contains(from), "{from:?} is not in {text}");
            fs::write(out.join("study.json"), text.replacen(from, to, 1)).unwrap();
        });
        done.says(65, words);
        assert!(!done.stderr.contains("was made by"), "{}", done.stderr);
    };
    let words = [
        "`out/study.json` is damaged: the SHA-256 of its contents is",
        "but it states",
        "help",
        "finished runs are not repeated",
    ];
    changed("\"preset\": \"smoke\"", "\"preset\": \"smoky\"", &words);
    changed("\"version\": \"0.", "\"version\": \"9.", &words);
    changed(
        "\"checksum\"",
        "\"checksun\"",
        &["`out/study.json` is damaged: it has the member `format`", "`checksum`"],
    );
    changed(
        "\"format\"",
        "\"fornat\"",
        &["`out/study.json` is damaged: it has the member `checksum`", "`format`"],
    );
    // Not a change of the text, but of what it stands for: the id of a run becomes a path.
    report(|out| {
        change_json(&out.join("study.json"), |study| study["runs"][0]["id"] = "../../elsewhere".into());
    })
    .says(65, &["`out/study.json` is damaged: a run's id is 16 lower-case hexadecimal digits"]);
}

#[test]
fn a_newer_format_names_the_file() {
    report(|out| {
        let text = fs::read_to_string(out.join("study.json")).unwrap();
        let mut study: Value = serde_json::from_str(&text).unwrap();
        study["format"] = 2.into();
        study.as_object_mut().unwrap().remove("checksum");
        let checksum = inkling_data::sha256_hex(study.to_string().as_bytes());
        study["checksum"] = checksum.into();
        fs::write(out.join("study.json"), study.to_string()).unwrap();
    })
    .says(
        65,
        &["`out/study.json` was written by a newer version", "(format 2, this one knows up to 1)", "update"],
    );
}

#[test]
fn what_older_programs_wrote_is_reported_too() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    copy(&study().join("out"), &out);
    let mut documents = vec![out.join("study.json")];
    documents
        .extend(fs::read_dir(out.join("runs")).unwrap().map(|run| run.unwrap().path().join("result.json")));
    for path in documents {
        let value: Value = inkling_store::read_json(&path).unwrap().unwrap();
        fs::write(&path, serde_json::to_vec_pretty(&value).unwrap()).unwrap();
    }
    run(folder.path(), &["report", "out"]).says(0, &["finished in"]);
}

#[test]
fn a_damaged_study_file_is_written_anew_without_training_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    copy(&study().join("out"), &out);
    let text = fs::read_to_string(out.join("study.json")).unwrap();
    fs::write(out.join("study.json"), text.replacen("\"smoke\"", "\"smoky\"", 1)).unwrap();
    run(folder.path(), &["report", "out"]).says(65, &["is damaged", "finished runs are not repeated"]);
    run(folder.path(), &["study", "smoke", "--only", "pca"]).says(0, &["finished earlier, not repeated"]);
    run(folder.path(), &["report", "out"]).says(0, &["finished in"]);
}

#[test]
fn a_result_that_is_cut_off() {
    let done = report(|out| {
        let path = run_with(out, "arrays.safetensors").join("result.json");
        let whole = fs::read(&path).unwrap();
        fs::write(path, &whole[..whole.len() - 9]).unwrap();
    });
    done.says(
        65,
        &[
            "out/runs/",
            "result.json` is damaged: EOF",
            "help",
            "give the command that made this folder again",
        ],
    );
}

#[test]
fn tensors_that_are_cut_off_altered_or_gone() {
    let damage = |file: &'static str, change: fn(&mut Vec<u8>)| {
        report(|out| {
            let path = run_with(out, file).join(file);
            let mut bytes = fs::read(&path).unwrap();
            change(&mut bytes);
            fs::write(path, bytes).unwrap();
        })
    };
    for file in ["model.safetensors", "arrays.safetensors"] {
        let name = format!("{file}` is damaged: its SHA-256 is");
        let words =
            ["out/runs/", &name, "result.json says", "help", "give the command that made this folder again"];
        damage(file, |bytes| bytes.truncate(bytes.len() / 2)).says(65, &words);
        damage(file, |bytes| *bytes.last_mut().unwrap() ^= 1).says(65, &words);
        let gone = report(|out| fs::remove_file(run_with(out, file).join(file)).unwrap());
        gone.says(65, &[&format!("{file}` is damaged: result.json names it and it is missing"), "help"]);
    }
}

#[test]
fn the_same_command_mends_what_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    copy(&study().join("out"), &folder.path().join("out"));
    let model = run_with(&folder.path().join("out"), "model.safetensors").join("model.safetensors");
    fs::write(&model, "no tensors").unwrap();
    run(folder.path(), &["report", "out"])
        .says(65, &["model.safetensors` is damaged", "the command that made"]);
    run(folder.path(), &["study", "smoke", "--only", "pca"]).says(0, &["model.safetensors` is damaged"]);
    run(folder.path(), &["report", "out"]).says(0, &["finished in"]);
}
