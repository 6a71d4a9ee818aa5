//! A finished study with a notebook to bundle, and reading the archive.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use flate2::bufread::DeflateDecoder;
use inkling_store::Store;
use rawzip::ZipArchive;
use serde_json::{Value, json};

use crate::common::{Done, change_json, run};

/// The folder of a finished smoke study of task 2, made once. It lacks a notebook.
static STUDY: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundle");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let done = run(&folder, &["study", "smoke", "--only", "perceptron"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    folder.join("out")
});

/// A copy of a finished study as `folder/a study`, with the notebook of group 7.
pub(crate) fn study(folder: &Path) -> PathBuf {
    let copy = folder.join("a study");
    copy_folder(&STUDY, &copy);
    fs::write(copy.join("Assignment2_Group_7.ipynb"), notebook(&[code("1 + 1", Some(1), json!([]))]))
        .unwrap();
    copy
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A notebook of a text and these cells.
pub(crate) fn notebook(cells: &[Value]) -> String {
    let text = json!({ "cell_type": "markdown", "source": ["# A notebook"], "metadata": {} });
    let cells: Vec<&Value> = [&text].into_iter().chain(cells).collect();
    json!({ "cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5 }).to_string()
}

pub(crate) fn code(source: &str, count: Option<u64>, outputs: Value) -> Value {
    json!({
        "cell_type": "code", "source": [source], "execution_count": count, "outputs": outputs, "metadata": {},
    })
}

/// Bundles the study `a study` in `folder`.
pub(crate) fn bundle(folder: &Path, arguments: &[&str]) -> Done {
    run(folder, &[&["bundle", "a study"], arguments].concat())
}

/// Changes the study's record.
pub(crate) fn change(study: &Path, change: impl FnOnce(&mut Value)) {
    change_json(&study.join("study.json"), change);
}

/// Makes the report of `a study` anew.
#[track_caller]
pub(crate) fn report(folder: &Path) {
    run(folder, &["report", "a study"]).says(0, &[]);
}

/// Changes the results of so many of a study's runs, as another machine or program would have published them.
pub(crate) fn remake(study: &Path, count: usize, change: impl Fn(&mut Value)) {
    let store = Store::open(study).unwrap();
    let mut runs: Vec<PathBuf> =
        fs::read_dir(study.join("runs")).unwrap().map(|run| run.unwrap().path()).collect();
    runs.sort();
    for path in &runs[..count] {
        let id = path.file_name().unwrap().to_str().unwrap();
        let run = store.run(id);
        let (spec, mut result): (Value, Value) =
            (run.spec().unwrap().unwrap(), run.finished().unwrap().unwrap());
        change(&mut result);
        let neighbours: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(path)
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|file| (file.clone(), fs::read(file).unwrap()))
            .collect();
        store.withdraw(id, |_| true).unwrap();
        let writer = store.begin(id, &spec).unwrap();
        for (file, bytes) in neighbours.iter().filter(|(file, _)| !file.ends_with("result.json")) {
            fs::write(writer.dir().path().join(file.file_name().unwrap()), bytes).unwrap();
        }
        writer.finish(&result).unwrap();
    }
}

/// A file in an archive: its bytes, and whether it can be executed.
pub(crate) struct Packed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) executable: bool,
}

/// The files of an archive by their paths, each checked against its checksum.
pub(crate) fn unpack(path: &Path) -> BTreeMap<String, Packed> {
    let archive = fs::read(path).unwrap();
    let archive = ZipArchive::from_slice(&archive).unwrap();
    let mut entries = archive.entries();
    let mut files = BTreeMap::new();
    while let Some(header) = entries.next_entry().unwrap() {
        let name = header.file_path().try_normalize().unwrap().as_ref().to_owned();
        let entry = archive.get_entry(header.wayfinder()).unwrap();
        let mut bytes = Vec::new();
        entry.verifying_reader(DeflateDecoder::new(entry.data())).read_to_end(&mut bytes).unwrap();
        let executable = header.mode().permissions() & 0o111 != 0;
        assert!(files.insert(name.clone(), Packed { bytes, executable }).is_none(), "{name} appears twice");
    }
    files
}
