//! Flipped bits and changed digits, in every file of a finished store: each is refused, or changes nothing that is read.
//!
//! Set INKLING_FLIPS to a number to flip so many bits and change a tenth as many digits.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use inkling_store::{Metadata, Reader, Store, StoreError, Tensor, TensorFile};
use serde_json::{Value, json};

const RUNS: [&str; 2] = ["0123456789abcdef", "fedcba9876543210"];
const DOCUMENTS: [&str; 3] = ["study.json", "checks.json", "summary.json"];

/// Bits that are flipped where nobody says how many.
const FEW: usize = 600;

/// A store with two finished runs and what is published beside them. It is held, so that its lock names a holder.
fn make(out: &Path) -> Store {
    let store = Store::open(out).unwrap();
    for (number, id) in RUNS.iter().enumerate() {
        let spec = json!({ "kind": "train", "seed": u64::MAX - number as u64, "learning_rate": 0.002 });
        let mut run = store.begin(id, &spec).unwrap();
        for epoch in 1..=3 {
            run.append_metrics(&json!({ "epoch": epoch, "loss": 1.0 / f64::from(epoch) })).unwrap();
        }
        let weights = [0.25_f32, -1.5e-7, 3.0, 1.0 / 3.0];
        let metadata = Metadata::from([("model".to_owned(), "{\"units\": 10}".to_owned())]);
        run.write_tensors(TensorFile::Model, &[Tensor::new("w", &[2, 2], &weights)], &metadata).unwrap();
        let labels = [1_u8, 2, 3];
        run.write_tensors(TensorFile::Arrays, &[Tensor::new("labels", &[3], &labels)], &Metadata::new())
            .unwrap();
        let outcome = json!({ "accuracy": 0.1 + 0.2, "confusion": [[97, 3], [1, 99]], "name": "2 hidden" });
        run.finish(&json!({ "version": "0.1.0", "seconds": 12.375, "outcome": outcome })).unwrap();
    }
    for name in DOCUMENTS {
        store
            .publish_json(name, &json!({ "runs": RUNS, "seconds": 12.375, "count": 60_000, "λ": [0, 0.5] }))
            .unwrap();
    }
    store.publish("tables/networks.csv", b"name,accuracy\n2 hidden,0.9\n").unwrap();
    store
}

/// All that readers give, text by text; where something is refused, the error's.
fn read(out: &Path) -> Result<BTreeMap<String, String>, StoreError> {
    let reader = Reader::open(out)?;
    let mut found = BTreeMap::new();
    for name in DOCUMENTS {
        found.insert(name.to_owned(), format!("{:?}", reader.json::<Value>(name)?));
    }
    for id in RUNS {
        let run = reader.run(id);
        found.insert(format!("{id} result"), format!("{:?}", run.finished::<Value>()?));
        found.insert(format!("{id} spec"), format!("{:?}", run.spec::<Value>()?));
        found.insert(format!("{id} metrics"), format!("{:?}", run.metrics::<Value>()?));
        let model = run.tensors(TensorFile::Model)?;
        let values = model.values::<f32>("w", &[2, 2])?;
        found.insert(
            format!("{id} model"),
            format!("{values:?} {:?} {:?}", model.metadata("model"), model.names()),
        );
        let arrays = run.tensors(TensorFile::Arrays)?;
        found.insert(format!("{id} arrays"), format!("{:?}", arrays.values::<u8>("labels", &[3])?));
    }
    Ok(found)
}

/// Each part read by itself, as a caller may that does not ask for the result first.
fn read_alone(out: &Path, whole: &BTreeMap<String, String>, what: &str) {
    let Ok(reader) = Reader::open(out) else { return };
    for id in RUNS {
        let run = reader.run(id);
        let same = |part: &str, found: String| assert_eq!(found, whole[&format!("{id} {part}")], "{what}");
        if let Ok(spec) = run.spec::<Value>() {
            same("spec", format!("{spec:?}"));
        }
        if let Ok(metrics) = run.metrics::<Value>() {
            same("metrics", format!("{metrics:?}"));
        }
        if let Ok(arrays) = run.tensors(TensorFile::Arrays) {
            same("arrays", format!("{:?}", arrays.values::<u8>("labels", &[3]).unwrap()));
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Numbers that look random and are the same in each run of the test (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

#[test]
fn every_flipped_bit_and_every_changed_digit_is_refused_or_changes_no_value() {
    let bits =
        std::env::var("INKLING_FLIPS").map_or(FEW, |text| text.parse().expect("INKLING_FLIPS is a number"));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let _held = make(out);
    let whole = read(out).unwrap();
    let mut all = Vec::new();
    files(out, &mut all);
    assert_eq!(all.len(), 2 * 5 + DOCUMENTS.len() + 2, "{all:?}");
    let mut random = Random(1);
    let (mut refused, mut harmless) = (0, 0);
    for change in 0..bits + bits / 10 {
        // Each file in turn, so that small ones are not passed over.
        let path = &all[change % all.len()];
        let bytes = fs::read(path).unwrap();
        let mut changed = bytes.clone();
        let digits: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at].is_ascii_digit()).collect();
        if change >= bits && !digits.is_empty() {
            let at = digits[random.below(digits.len())];
            changed[at] = b'0' + (changed[at] - b'0' + 1 + random.below(9) as u8) % 10;
        } else {
            let bit = random.below(bytes.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
        }
        let what = format!("change {change} of {}: {:?}", path.display(), String::from_utf8_lossy(&changed));
        fs::write(path, &changed).unwrap();
        match read(out) {
            Ok(found) => {
                assert_eq!(found, whole, "{what}");
                harmless += 1;
            }
            Err(StoreError::Damaged { path: named, .. }) => {
                assert_eq!(named, *path, "{what}");
                refused += 1;
            }
            Err(other) => panic!("{what}: {other}"),
        }
        read_alone(out, &whole, &what);
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(read(out).unwrap(), whole);
    assert!(refused > 4 * harmless, "{refused} were refused, {harmless} changed nothing");
}
