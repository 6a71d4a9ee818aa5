//! Damage anywhere in a finished study: the report refuses it, or has the same numbers as before.
//!
//! Set INKLING_FLIPS to a number to try so many changes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::run;

/// Changes that are tried where nobody says how many.
const FEW: usize = 12;

/// The smoke preset's task 3 with its first two networks and few images.
fn study(folder: &Path) {
    let text = run(folder, &["study", "smoke", "--only", "mlp", "--print-spec"]).stdout;
    let third = text.match_indices("[[mlp.networks]]").nth(2).expect("there are several").0;
    let small = text[..third].replacen("train_images = 3000", "train_images = 200", 1).replacen(
        "epochs = 2",
        "epochs = 1",
        1,
    );
    fs::write(folder.join("small.toml"), small).unwrap();
    run(folder, &["study", "small.toml"]).says(0, &["finished in"]);
}

/// The files of a study that its report is made from.
fn sources(out: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(out.join("runs"))
        .unwrap()
        .flat_map(|run| fs::read_dir(run.unwrap().path()).unwrap().map(|file| file.unwrap().path()))
        .chain([out.join("study.json")])
        .collect();
    found.sort();
    found
}

/// The numbers of a report: the summary and every table.
fn numbers(out: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let tables = fs::read_dir(out.join("tables")).unwrap().map(|table| table.unwrap().path());
    let mut paths: Vec<PathBuf> = tables.chain([out.join("summary.json")]).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// What to change in a file, the same in each run of the test (SplitMix64).
fn random(number: usize) -> usize {
    let mut z = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as usize / 2
}

#[test]
fn damage_anywhere_in_a_study_is_refused_or_changes_no_number_of_its_report() {
    let count =
        std::env::var("INKLING_FLIPS").map_or(FEW, |text| text.parse().expect("INKLING_FLIPS is a number"));
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    let out = folder.path().join("out");
    let (files, before) = (sources(&out), numbers(&out));
    assert!(files.len() >= 11 && before.len() >= 3, "{files:?}");
    for change in 0..count {
        let path = &files[change % files.len()];
        let bytes = fs::read(path).unwrap();
        let mut changed = bytes.clone();
        let digits: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at].is_ascii_digit()).collect();
        // By turns a digit and a bit.
        if change / files.len() % 2 == 0 && !digits.is_empty() {
            let at = digits[random(change) % digits.len()];
            changed[at] = b'0' + (changed[at] - b'0' + 1 + (random(change + count) % 9) as u8) % 10;
        } else {
            let bit = random(change) % (bytes.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
        }
        fs::write(path, changed).unwrap();
        let done = run(folder.path(), &["report", "out"]);
        fs::write(path, bytes).unwrap();
        if done.code != Some(0) {
            let name = path.file_name().unwrap().to_str().unwrap();
            done.says(
                65,
                &[&format!("{name}` is damaged"), "help", "give the command that made this folder again"],
            );
        }
        assert!(numbers(&out) == before, "change {change} of {} changed a number", path.display());
    }
}
