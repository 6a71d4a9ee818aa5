//! The life of a run in its folder: begun, finished, damaged, done again, resumed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use inkling_store::{ErrorClass, Metadata, Reader, Store, StoreError, Tensor, TensorFile};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Spec {
    network: String,
    learning_rate: f32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Epoch {
    epoch: u32,
    loss: Option<f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    accuracy: f64,
    confusion: Vec<Vec<u32>>,
}

const ID: &str = "5f3a5f3a5f3a5f3a";

fn spec() -> Spec {
    Spec { network: "mlp".to_owned(), learning_rate: 0.1 }
}

fn outcome() -> Outcome {
    Outcome { accuracy: 0.1 + 0.2, confusion: vec![vec![9, 1], vec![0, 10]] }
}

fn do_run(store: &Store) {
    let mut run = store.begin(ID, &spec()).unwrap();
    for epoch in 1..=2 {
        run.append_metrics(&Epoch { epoch, loss: Some(1.0 / f64::from(epoch)) }).unwrap();
    }
    let weights = [0.25_f32, -1.0];
    let none = Metadata::new();
    for _ in 0..2 {
        run.write_checkpoint(&[Tensor::new("moments", &[2], &weights)], &none).unwrap();
    }
    run.write_tensors(TensorFile::Model, &[Tensor::new("w", &[1, 2], &weights)], &none).unwrap();
    run.write_tensors(TensorFile::Arrays, &[Tensor::new("predictions", &[3], &[1_u8, 2, 3])], &none).unwrap();
    run.finish(&outcome()).unwrap();
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_finished_run_reads_back_from_a_folder_with_an_awkward_name() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("mes résultats, 実験 №1").join("l'étude");
    let store = Store::open(&out).unwrap();
    assert_eq!(store.run(ID).finished::<Outcome>().unwrap(), None);
    do_run(&store);
    store.publish("figures/courbe d'erreur.svg", b"<svg/>").unwrap();
    store.publish_json("summary.json", &vec![1, 2]).unwrap();
    drop(store);

    let reader = Reader::open(&out).unwrap();
    let run = reader.run(ID);
    assert_eq!(run.finished::<Outcome>().unwrap(), Some(outcome()));
    assert_eq!(run.spec::<Spec>().unwrap(), Some(spec()));
    let epochs = run.metrics::<Epoch>().unwrap();
    assert_eq!(epochs, [Epoch { epoch: 1, loss: Some(1.0) }, Epoch { epoch: 2, loss: Some(0.5) }]);
    let model = run.tensors(TensorFile::Model).unwrap();
    assert_eq!(model.values::<f32>("w", &[1, 2]).unwrap(), [0.25, -1.0]);
    let kept = ["arrays.safetensors", "metrics.jsonl", "model.safetensors", "result.json", "spec.json"];
    assert!(names(&run.path()).iter().eq(kept), "{:?}", names(&run.path()));
    assert_eq!(reader.json::<Vec<u32>>("summary.json").unwrap(), Some(vec![1, 2]));
    assert_eq!(reader.json::<Vec<u32>>("study.json").unwrap(), None);
    assert_eq!(fs::read(out.join("figures/courbe d'erreur.svg")).unwrap(), b"<svg/>");
}

#[test]
fn a_run_done_twice_gives_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [first, second] = folders.each_ref().map(|folder| {
        let store = Store::open(folder.path()).unwrap();
        do_run(&store);
        fs::read(store.run(ID).path().join("result.json")).unwrap()
    });
    assert_eq!(String::from_utf8(first), String::from_utf8(second));
}

#[test]
fn any_flipped_bit_and_any_missing_neighbour_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    do_run(&store);
    let run = store.run(ID);
    let damage = |words: &str, path: &Path| {
        let error = run.finished::<Outcome>().unwrap_err();
        let damaged = matches!(&error, StoreError::Damaged { path: named, .. } if named == path);
        assert!(damaged && error.to_string().contains(words), "{error}");
        assert_eq!(error.class(), ErrorClass::BadData);
    };
    for name in ["spec.json", "metrics.jsonl", "model.safetensors", "arrays.safetensors"] {
        let path = run.path().join(name);
        let bytes = fs::read(&path).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 4;
        fs::write(&path, flipped).unwrap();
        damage("its SHA-256 is", &path);
        fs::remove_file(&path).unwrap();
        damage("missing", &path);
        fs::write(&path, bytes).unwrap();
        assert!(run.finished::<Outcome>().unwrap().is_some());
    }
}

#[test]
fn a_damaged_result_is_damage_and_beginning_anew_drops_everything() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    do_run(&store);
    let run = store.run(ID);
    let path = run.path().join("result.json");
    let whole = fs::read_to_string(&path).unwrap();
    for text in ["", "[]", "{}", &whole[..whole.len() / 2], &whole.replace("accuracy", "accuracies")] {
        fs::write(&path, text).unwrap();
        assert!(matches!(run.finished::<Outcome>(), Err(StoreError::Damaged { .. })), "{text}");
    }
    let writer = store.begin(ID, &spec()).unwrap();
    assert!(names(&run.path()).iter().eq(["spec.json"]));
    assert_eq!(run.finished::<Outcome>().unwrap(), None);
    drop(writer);
    do_run(&store);
    assert_eq!(run.finished::<Outcome>().unwrap(), Some(outcome()));
}

#[test]
fn a_run_resumes_from_its_checkpoint_under_the_same_spec_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(store.resume(ID, &spec()).unwrap().is_none());
    let mut run = store.begin(ID, &spec()).unwrap();
    run.append_metrics(&Epoch { epoch: 1, loss: Some(f64::NAN) }).unwrap();
    run.write_checkpoint(&[Tensor::new("w", &[1], &[3.0_f64])], &Metadata::new()).unwrap();
    run.append_metrics(&Epoch { epoch: 2, loss: None }).unwrap();
    drop(run);

    let other = Spec { network: "cnn".to_owned(), ..spec() };
    assert!(store.resume(ID, &other).unwrap().is_none());
    let mut run = store.resume(ID, &spec()).unwrap().unwrap();
    let checkpoint = run.dir().checkpoints().next().unwrap().unwrap();
    assert_eq!(checkpoint.tensors().values::<f64>("w", &[1]).unwrap(), [3.0]);
    run.go_on_from(&checkpoint).unwrap();
    run.append_metrics(&Epoch { epoch: 2, loss: Some(0.5) }).unwrap();
    run.finish(&outcome()).unwrap();
    let epochs = store.run(ID).metrics::<Epoch>().unwrap();
    assert_eq!(epochs, [Epoch { epoch: 1, loss: None }, Epoch { epoch: 2, loss: Some(0.5) }]);
    assert!(store.resume(ID, &spec()).unwrap().is_none());
}

#[test]
fn a_file_in_place_of_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    fs::write(&file, "mine").unwrap();
    for out in [file.clone(), file.join("deeper")] {
        let error = Store::open(&out).unwrap_err();
        assert!(matches!(&error, StoreError::CannotWrite { path, .. } if *path == out), "{error}");
        assert_eq!(error.class(), ErrorClass::CannotWrite);
    }
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

#[test]
fn a_folder_without_a_study_is_refused_to_readers_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let error = Reader::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::NotAStudy { .. }), "{error}");
    let error = Reader::open(&folder.path().join("nowhere")).unwrap_err();
    assert!(matches!(error, StoreError::NoFolder { .. }), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn opening_removes_what_killed_processes_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    do_run(&store);
    store.publish("tables/pairs.csv", b"a,b\n").unwrap();
    let run = store.run(ID);
    drop(store);
    let folders = [folder.path().to_owned(), folder.path().join("tables"), run.path().to_owned()];
    for folder in &folders {
        fs::write(folder.join(".inkling-4000000-17.tmp"), "half").unwrap();
    }
    Store::open(folder.path()).unwrap();
    for folder in &folders {
        assert!(!names(folder).iter().any(|name| name.ends_with(".tmp")), "{}", folder.display());
    }
    assert_eq!(run.finished::<Outcome>().unwrap(), Some(outcome()));
}

#[test]
#[should_panic(expected = "leads elsewhere")]
fn nothing_is_published_outside_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).unwrap().publish("../report.pdf", b"").unwrap();
}

#[test]
fn a_published_file_gets_another_name_in_place_of_what_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.rename("report.pdf", "report-outdated.pdf").unwrap();
    assert!(!folder.path().join("report-outdated.pdf").exists());
    for bytes in [b"first", b"later"] {
        store.publish("report.pdf", bytes).unwrap();
        store.rename("report.pdf", "report-outdated.pdf").unwrap();
        assert!(!folder.path().join("report.pdf").exists());
        assert_eq!(fs::read(folder.path().join("report-outdated.pdf")).unwrap(), bytes);
    }
}

#[test]
#[should_panic(expected = "leads elsewhere")]
fn nothing_gets_a_name_outside_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).unwrap().rename("report.pdf", "../report.pdf").unwrap();
}
