//! Tables with images from arbitrary files. `cargo +nightly fuzz run parquet fuzz/corpus/parquet crates/data/tests/parquet`

#![no_main]

use std::fs;

use inkling_data::import::{Request, import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("set.parquet");
    fs::write(&path, bytes).expect("a file");
    if let Ok(set) = import(&path, &Request::default(), &|_, _| {}) {
        for part in [&set.train, &set.test] {
            assert_eq!(part.images.pixels.len(), part.len() * part.images.dim());
            assert!(part.labels.iter().all(|&label| usize::from(label) < set.classes.len()));
        }
    }
});
