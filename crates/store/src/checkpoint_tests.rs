//! Tests of checkpoints: every flipped bit and every truncation, other runs, newer formats, the pair of files.

use super::*;
use crate::run::RunDir;
use crate::store::Store;

const ID: &str = "5f3a5f3a5f3a5f3a";

/// A run with a line of metrics and a checkpoint for each of 1 to `count`.
fn run(store: &Store, id: &str, count: usize) -> RunDir {
    let mut run = store.begin(id, "spec").unwrap();
    for number in 1..=count {
        run.append_metrics(&number).unwrap();
        let values = [number as f32, -0.5, f32::NAN];
        let metadata = Metadata::from([("number".to_owned(), number.to_string())]);
        run.write_checkpoint(&[Tensor::new("w", &[3], &values)], &metadata).unwrap();
    }
    store.run(id)
}

/// What the checkpoints of a run are: their numbers, or what is wrong.
fn found(run: &RunDir) -> Vec<Result<String, StoreError>> {
    let number = |checkpoint: Checkpoint| checkpoint.tensors().metadata("number").unwrap().to_owned();
    run.checkpoints().map(|checkpoint| checkpoint.map(number)).collect()
}

#[test]
fn the_newest_and_the_one_before_it_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for (count, numbers) in [(0, &[][..]), (1, &["1"]), (2, &["2", "1"]), (5, &["5", "4"])] {
        let found: Vec<String> = found(&run(&store, ID, count)).into_iter().map(Result::unwrap).collect();
        assert_eq!(found, numbers);
    }
    let newest = store.run(ID).checkpoints().next().unwrap().unwrap();
    assert_eq!(newest.tensors().values::<f32>("w", &[3]).unwrap()[..2], [5.0, -0.5]);
}

#[test]
fn every_flipped_bit_and_every_truncation_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    run(&store, ID, 1);
    let path = store.run(ID).path().join("checkpoint.safetensors");
    let whole = fs::read(&path).unwrap();
    let is_damage = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        let error = Checkpoint::read(&path, ID).unwrap_err();
        assert!(
            matches!(&error, StoreError::Damaged { path: named, .. } if *named == path),
            "{what}: {error}"
        );
    };
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        is_damage(&bytes, &format!("bit {bit}"));
    }
    for length in 0..whole.len() {
        is_damage(&whole[..length], &format!("{length} bytes"));
    }
    is_damage(&[&whole[..], &[0]].concat(), "one byte more");
    fs::write(&path, whole).unwrap();
    assert!(Checkpoint::read(&path, ID).is_ok());
}

#[test]
fn another_runs_checkpoint_is_named_and_another_tensor_file_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (mine, other) = (run(&store, ID, 2), run(&store, "77aa", 1));
    fs::copy(other.path().join("checkpoint.safetensors"), mine.path().join("checkpoint.safetensors"))
        .unwrap();
    let found = found(&mine);
    assert!(
        matches!(&found[0], Err(StoreError::ForeignCheckpoint { found, .. }) if found == "77aa"),
        "{found:?}"
    );
    assert!(matches!(&found[1], Ok(number) if number == "1"));

    let path = mine.path().join("checkpoint.safetensors");
    tensors::write_sealed(&path, &[], &Metadata::new(), || Ok(())).unwrap();
    let error = Checkpoint::read(&path, ID).unwrap_err();
    assert!(error.to_string().contains("another tensor file"), "{error}");
    tensors::write(&path, &[], &Metadata::new()).unwrap();
    let error = Checkpoint::read(&path, ID).unwrap_err();
    assert!(error.to_string().contains("no checksum of itself"), "{error}");
}

#[test]
fn a_newer_format_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    for format in [(FORMAT + 1).to_string(), u64::MAX.to_string()] {
        let metadata = Metadata::from([(FORMAT_KEY.to_owned(), format)]);
        tensors::write_sealed(&path, &[], &metadata, || Ok(())).unwrap();
        let error = Checkpoint::read(&path, ID).unwrap_err();
        assert!(matches!(&error, StoreError::NewerFormat { known: FORMAT, .. }), "{error}");
        assert!(error.to_string().contains("a newer version of the program"), "{error}");
    }
}

#[test]
fn going_on_from_the_one_before_cuts_the_metrics_and_drops_the_unfit_newest() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let dir = run(&store, ID, 3);
    fs::write(dir.path().join("checkpoint.safetensors"), "damaged").unwrap();
    let mut writer = store.resume(ID, "spec").unwrap().unwrap();
    let previous = dir.checkpoints().nth(1).unwrap().unwrap();
    writer.go_on_from(&previous).unwrap();
    writer.flush_metrics().unwrap();
    assert_eq!(dir.metrics::<usize>().unwrap(), [1, 2]);
    assert_eq!(dir.checkpoints().count(), 1);
    drop(writer);
    // As after a kill between the two renames: the one before is enough.
    let mut writer = store.resume(ID, "spec").unwrap().unwrap();
    let previous = dir.checkpoints().next().unwrap().unwrap();
    writer.go_on_from(&previous).unwrap();
    writer.append_metrics(&30).unwrap();
    writer.write_checkpoint(&[], &Metadata::from([("number".to_owned(), "3".to_owned())])).unwrap();
    let numbers: Vec<String> = found(&dir).into_iter().map(Result::unwrap).collect();
    assert_eq!(numbers, ["3", "2"]);
}

#[test]
fn metrics_that_a_checkpoint_does_not_know_are_damage_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let dir = run(&store, ID, 2);
    let mut writer = store.resume(ID, "spec").unwrap().unwrap();
    let metrics = dir.path().join("metrics.jsonl");
    let checkpoints: Vec<Checkpoint> = dir.checkpoints().map(Result::unwrap).collect();
    for (text, fit) in
        [("1\n7\n", [false, true]), ("1\n", [false, true]), ("", [false; 2]), ("1\n2\n3\n", [true; 2])]
    {
        for (checkpoint, fit) in checkpoints.iter().zip(fit) {
            fs::write(&metrics, text).unwrap();
            let result = writer.go_on_from(checkpoint);
            assert_eq!(result.is_ok(), fit, "{text:?}: {result:?}");
            if let Err(error) = result {
                assert!(matches!(&error, StoreError::Damaged { path, .. } if *path == metrics), "{error}");
                assert_eq!(fs::read_to_string(&metrics).unwrap(), text);
            }
        }
    }
}

#[test]
fn a_finished_run_has_no_checkpoint_even_if_it_was_killed_before_they_were_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let dir = run(&store, ID, 2);
    let bytes = fs::read(dir.path().join("checkpoint.safetensors")).unwrap();
    store.resume(ID, "spec").unwrap().unwrap().finish(&Metadata::new()).unwrap();
    assert_eq!(dir.checkpoints().count(), 0);
    fs::write(dir.path().join("checkpoint.previous.safetensors"), bytes).unwrap();
    drop(store);
    Store::open(folder.path()).unwrap();
    assert_eq!(dir.checkpoints().count(), 0);
}

#[test]
fn beginning_anew_keeps_the_newest_checkpoint_aside_until_the_run_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let dir = run(&store, ID, 2);
    let bytes = |name: &str| fs::read(dir.path().join(name)).ok();
    let newest = bytes("checkpoint.safetensors");
    let writer = store.begin(ID, "spec").unwrap();
    assert!(newest.is_some() && bytes("checkpoint.unfit.safetensors") == newest);
    assert_eq!(dir.checkpoints().count(), 0);
    assert!(store.resume(ID, "spec").unwrap().is_none(), "it is not gone on from");
    drop(writer);

    // A later attempt has one checkpoint more, which takes the place of the older one.
    let dir = run(&store, ID, 1);
    let newer = bytes("checkpoint.safetensors");
    store.begin(ID, "spec").unwrap().finish(&Metadata::new()).unwrap();
    assert_ne!(newer, newest);
    assert_eq!(bytes("checkpoint.unfit.safetensors"), None, "a finished run needs none");
    fs::remove_dir_all(dir.path()).unwrap();

    // As after a kill between the two renames, and then one right after the result.
    drop(run(&store, ID, 2));
    fs::remove_file(dir.path().join("checkpoint.safetensors")).unwrap();
    let previous = bytes("checkpoint.previous.safetensors");
    store.begin(ID, "spec").unwrap();
    assert!(previous.is_some() && bytes("checkpoint.unfit.safetensors") == previous);
    store.begin(ID, "spec").unwrap().finish(&Metadata::new()).unwrap();
    fs::write(dir.path().join("checkpoint.unfit.safetensors"), "left by a kill").unwrap();
    drop(store);
    Store::open(folder.path()).unwrap();
    assert_eq!(bytes("checkpoint.unfit.safetensors"), None);
}
