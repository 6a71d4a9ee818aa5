//! `inkling report` killed at any instant: no half file, no old report handed in, and the same bytes in the end.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::bundle::common::{bundle, change, study};
use crate::common::{Done, inkling, run};
use serde_json::json;

/// Kills, unless the environment asks for more.
const KILLS: u32 = 6;
const ASKED: &str = "INKLING_REPORT_KILLS";

/// What a reader gets, by path: everything beside the runs that is no archive, lock or notebook.
fn files(study: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for folder in [study.to_owned(), study.join("figures"), study.join("tables")] {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let ours =
                [".lock", ".zip", ".ipynb"].iter().all(|ending| !path.to_string_lossy().ends_with(ending));
            if path.is_file() && ours {
                found.insert(path.strip_prefix(study).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn begin(folder: &Path) -> Child {
    let mut command = inkling();
    command.current_dir(folder).args(["report", "a study"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Gives the study another author.
fn sign(study: &Path, author: usize) {
    let author = json!({ "name": format!("Author {author}"), "contribution": "all of it" });
    change(study, |record| record["study"]["report"] = json!({ "group": 7, "authors": [author] }));
}

fn hand_in(folder: &Path) -> Done {
    bundle(folder, &["--without-data", "--out", "mine.zip"])
}

#[test]
fn a_report_killed_at_any_instant_is_never_handed_in_and_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    // What each of two authors' reports ends as, and how long one takes.
    let mut whole = Vec::new();
    let mut longest = Duration::ZERO;
    for author in 0..2 {
        sign(&study, author);
        let start = Instant::now();
        run(folder.path(), &["report", "a study"]).says(0, &[]);
        longest = longest.max(start.elapsed());
        whole.push(files(&study));
    }
    let kills = std::env::var(ASKED).ok().and_then(|asked| asked.parse().ok()).unwrap_or(KILLS);
    let mut killed = 0;
    for kill in 0..kills {
        let author = kill as usize % 2;
        sign(&study, author);
        let mut child = begin(folder.path());
        // Multiples of the golden ratio fill the time evenly; most kills are for its last third, in which files are written.
        let share = (f64::from(kill) * 0.618_034).fract();
        let share = if kill % 3 == 0 { share } else { 0.6 + 0.45 * share };
        std::thread::sleep(longest.mul_f64(share));
        let ended = child.try_wait().unwrap().is_some();
        let _ = child.kill();
        let status = child.wait().unwrap();
        killed += u32::from(!ended && status.signal() == Some(9));

        // Every file is the old one or the new one, whole.
        for (path, bytes) in files(&study) {
            let named = path.display();
            let name = path.file_name().unwrap().to_string_lossy();
            let temporary = name.starts_with(".inkling-");
            let known = whole.iter().any(|files| files.get(&path).is_some_and(|known| *known == bytes));
            assert!(
                temporary || known || name == "study.json",
                "kill {kill}: `{named}` is neither old nor new"
            );
        }
        let handed_in = hand_in(folder.path());
        let now = fs::read(study.join("report.pdf")).unwrap();
        let current = now == whole[author][Path::new("report.pdf")];
        assert!(handed_in.code == Some(0) || handed_in.code == Some(65), "{}", handed_in.stderr);
        assert!(current || handed_in.code == Some(65), "kill {kill}: an old report was handed in");
        // A report takes as long as the machine's other work lets it, and that may change.
        let start = Instant::now();
        run(folder.path(), &["report", "a study"]).says(0, &[]);
        longest = start.elapsed();
        assert!(files(&study) == whole[author], "kill {kill}: the report ends with other bytes");
        hand_in(folder.path()).says(0, &[]);
    }
    assert!(killed * 2 >= kills, "{killed} of {kills} were killed before they ended");
}
