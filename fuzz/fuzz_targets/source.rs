//! Data sets of users from arbitrary files: an archive of arrays, a table, or a folder with an image. `cargo +nightly fuzz run
//! source`

#![no_main]

use std::fs;

use inkling_data::import::{Request, import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = match kind % 3 {
        0 => folder.path().join("set.npz"),
        1 => folder.path().join("set.csv"),
        _ => {
            for class in ["a", "b"] {
                fs::create_dir(folder.path().join(class)).expect("a folder");
                fs::write(folder.path().join(class).join("1.png"), bytes).expect("a file");
                fs::write(folder.path().join(class).join("2.png"), bytes).expect("a file");
            }
            folder.path().to_owned()
        }
    };
    if kind % 3 < 2 {
        fs::write(&path, bytes).expect("a file");
    }
    if let Ok(set) = import(&path, &Request::default(), &|_, _| {}) {
        for part in [&set.train, &set.test] {
            assert_eq!(part.images.pixels.len(), part.len() * part.images.dim());
            assert!(part.labels.iter().all(|&label| usize::from(label) < set.classes.len()));
        }
    }
});
