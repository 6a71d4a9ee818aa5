//! A study as jobs: planned, done by several processes at once, interrupted, failed; and what its folder says of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use inkling_store::Store;
use serde_json::Value;

use crate::common::{Done, done, inkling, run};

/// The convolutional network of the smoke preset that task 5 looks into, with few looks.
fn study(folder: &Path) {
    let text = run(folder, &["study", "smoke", "--only", "perceptron,inside", "--print-spec"]).stdout;
    fs::write(folder.join("mine.toml"), text).unwrap();
}

fn plan(folder: &Path) -> Value {
    let planned = run(folder, &["plan", "mine.toml", "--rate", "1e9", "--json"]);
    planned.says(0, &[]);
    serde_json::from_str(&planned.stdout).unwrap()
}

fn status(folder: &Path) -> Value {
    let status = run(folder, &["status", "out", "--json"]);
    status.says(0, &[]);
    serde_json::from_str(&status.stdout).unwrap()
}

fn runs(value: &Value) -> &[Value] {
    value["runs"].as_array().unwrap()
}

fn count(status: &Value, state: &str) -> usize {
    runs(status).iter().filter(|run| run["state"] == state).count()
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = inkling();
    command.current_dir(folder).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn ended(child: Child) -> Done {
    done(&child.wait_with_output().unwrap())
}

/// The bytes of a model and of arrays, where there are some.
type Files = Vec<Option<Vec<u8>>>;

/// What every run found, and its files but for times: the outcome, and the bytes of models and arrays.
fn found(out: &Path) -> BTreeMap<String, (Value, Files)> {
    let entries = fs::read_dir(out.join("runs")).unwrap().map(|entry| entry.unwrap().path());
    let finished = entries.filter(|run| run.join("result.json").exists());
    finished
        .map(|run| {
            let text = fs::read_to_string(run.join("result.json")).unwrap();
            let mut outcome = serde_json::from_str::<Value>(&text).unwrap()["outcome"].take();
            without_seconds(&mut outcome);
            let files = ["model.safetensors", "arrays.safetensors"].map(|name| fs::read(run.join(name)).ok());
            (run.file_name().unwrap().to_string_lossy().into_owned(), (outcome, files.to_vec()))
        })
        .collect()
}

/// Takes off whatever is a time.
fn without_seconds(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|key, _| !key.contains("seconds"));
            members.values_mut().for_each(without_seconds);
        }
        Value::Array(values) => values.iter_mut().for_each(without_seconds),
        _ => {}
    }
}

#[cfg(unix)]
#[test]
fn several_processes_and_a_study_in_one_folder_end_with_the_bits_of_one() {
    let (folder, alone) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [folder.path(), alone.path()] {
        study(folder);
    }
    let planned = plan(folder.path());
    let jobs = runs(&planned);
    assert!(jobs.iter().all(|job| job["done"] == false));
    let network = jobs.iter().position(|job| job["task"] == "cnn").unwrap();
    let look = jobs.iter().position(|job| job["title"] == "filters").unwrap();
    assert_eq!(jobs[look]["needs"][0], jobs[network]["id"]);
    assert!(jobs[network]["estimate"]["seconds"].as_f64().unwrap() > 0.0);
    assert!(jobs[look]["estimate"]["is_rough"] == true && look > network);
    assert!(jobs.iter().all(|job| job["estimate"]["seconds"].as_f64().unwrap() > 0.0));
    let makespans = |nodes: &str| -> Vec<f64> {
        let told = run(folder.path(), &["plan", "mine.toml", "--rate", "1e9", "--nodes", nodes, "--json"]);
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        let makespans = told["makespans"].as_array().unwrap().clone();
        makespans.iter().map(|makespan| makespan["seconds"].as_f64().unwrap()).collect()
    };
    let asked = makespans("1,2,64");
    assert!(asked.is_sorted_by(|more, fewer| more > fewer), "{asked:?}");
    let sum: f64 = jobs.iter().map(|job| job["estimate"]["seconds"].as_f64().unwrap()).sum();
    assert!((asked[0] - sum).abs() < 1e-9 * sum && asked[1] >= sum / 2.0);
    let before = status(folder.path());
    assert_eq!(count(&before, "ready") + count(&before, "waiting"), jobs.len());
    // Before its network there is nothing to look into.
    let early = run(folder.path(), &["run", "--index", &look.to_string()]);
    early.says(75, &["inside filters cannot be done yet: it needs cnn", "try again"]);

    let workers: Vec<Child> =
        (0..3).map(|_| start(folder.path(), &["run", "--all", "--threads", "1"])).collect();
    let of_study = start(folder.path(), &["study", "mine.toml", "--threads", "1"]);
    for child in workers {
        ended(child).says(0, &[]);
    }
    ended(of_study).says(0, &["finished in"]);
    assert!(folder.path().join("out/report.pdf").exists());
    let after = status(folder.path());
    assert_eq!(count(&after, "done"), jobs.len());
    // Of finished runs, what they took counts.
    let took: f64 = runs(&after).iter().map(|run| run["seconds"].as_f64().unwrap()).sum();
    assert!((makespans("1")[0] - took).abs() < 1e-9 * took);
    let said = run(folder.path(), &["status"]);
    assert!(said.stdout.contains(&format!("{} runs, {} done", jobs.len(), jobs.len())), "{}", said.stdout);
    run(folder.path(), &["run", jobs[look]["id"].as_str().unwrap()]).says(0, &[]);

    run(alone.path(), &["study", "mine.toml"]).says(0, &[]);
    let (found, expected) = (found(&folder.path().join("out")), found(&alone.path().join("out")));
    assert_eq!(found.len(), expected.len());
    for (id, expected) in expected {
        assert!(found[&id] == expected, "{id}");
    }
    let names = fs::read_dir(folder.path().join("out/runs")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[cfg(unix)]
#[test]
fn sigterm_leads_to_a_checkpoint_and_the_code_to_try_again() {
    let folder = tempfile::tempdir().unwrap();
    let text = run(folder.path(), &["study", "smoke", "--only", "mlp", "--print-spec"]).stdout;
    fs::write(folder.path().join("mine.toml"), text.replace("epochs = 2", "epochs = 60")).unwrap();
    let planned = plan(folder.path());
    let id = runs(&planned)[0]["id"].as_str().unwrap();
    let child = start(folder.path(), &["run", id]);
    while count(&status(folder.path()), "running") == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let shown = run(folder.path(), &["status"]).stdout;
    assert!(shown.contains(&format!("(process {}) since", child.id())), "{shown}");
    // Whoever wants the same run now is told.
    let second = start(folder.path(), &["run", id]);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    ended(child).says(75, &["interrupted", "inkling run"]);
    // It went on where the first one stopped, or was told that the first one lives.
    let second = ended(second);
    assert!(matches!(second.code, Some(0 | 75)), "{}", second.stderr);
    run(folder.path(), &["run", id]).says(0, &[]);
    let first = runs(&status(folder.path()))[0].clone();
    assert_eq!(first["state"], "done");
}

#[cfg(unix)]
#[test]
fn what_needs_a_run_that_failed_is_marked_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path());
    let planned = plan(folder.path());
    let judge = runs(&planned).iter().find(|job| job["title"] == "judge").unwrap()["id"].as_str().unwrap();
    // Somebody else's folder stands in its place, which is a fault that stays.
    let (link, elsewhere) = (folder.path().join("out/runs").join(judge), folder.path().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    let worked = run(folder.path(), &["run", "--all"]);
    worked.says(65, &["is a link to another folder", "of the runs failed, or need runs that failed"]);
    let after = status(folder.path());
    let blocked = runs(&after).iter().filter(|run| run["state"] == "blocked");
    assert!(blocked.clone().all(|run| run["on"][0] == judge) && blocked.count() > 3, "{after:#}");
    assert_eq!(count(&after, "failed"), 1);
    assert!(count(&after, "done") > 45, "{after:#}");
    let shown = run(folder.path(), &["status"]).stdout;
    assert!(
        shown.contains("failed on") && shown.contains("    `") && shown.contains("cannot be done, as run")
    );
    let number = runs(&after).iter().position(|run| run["state"] == "blocked").unwrap();
    run(folder.path(), &["run", "--index", &number.to_string()]).says(65, &["and that has failed"]);
    run(folder.path(), &["run", "--next"]).says(65, &["inkling status"]);

    // The cause is gone, and the run is named.
    fs::remove_file(&link).unwrap();
    run(folder.path(), &["run", judge]).says(0, &[]);
    run(folder.path(), &["run", "--all"]).says(0, &[]);
    // Nothing is left to do but the report.
    let reported = run(folder.path(), &["study", "mine.toml"]);
    reported.says(0, &["finished in"]);
    assert!(!reported.stderr.contains("is repeated"), "{}", reported.stderr);
}

/// Task 6 once with each seed, and its other weightings once with each of theirs.
#[test]
fn weightings_are_planned_with_the_seeds_of_the_study_or_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run(folder.path(), &["study", "smoke", "--only", "multitask", "--print-spec"]).stdout;
    let weightings = |seeds: &str| {
        let list = format!("weightings = [{{ kind = \"pc-grad\" }}]\n{seeds}[[multitask.groups]]");
        fs::write(folder.path().join("mine.toml"), printed.replacen("[[multitask.groups]]", &list, 1))
            .unwrap();
        let planned = ["plan", "mine.toml", "--seeds", "2", "--rate", "1e9", "--json"];
        let planned: Value = serde_json::from_str(&run(folder.path(), &planned).stdout).unwrap();
        let found = runs(&planned).iter().map(|run| run["title"].as_str().unwrap().to_owned());
        found.filter(|title| title.starts_with("PCGrad") && !title.ends_with("page")).collect::<Vec<_>>()
    };
    assert_eq!(weightings(""), ["PCGrad, seed 1", "PCGrad, seed 2"]);
    assert_eq!(weightings("seeds = [7]\n"), ["PCGrad, seed 7"]);
}

#[test]
fn a_folder_that_is_not_this_versions_or_this_machines_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    run(folder.path(), &["run", "--all"]).says(65, &["there is no folder `out`"]);
    fs::create_dir_all(out.join("runs")).unwrap();
    run(folder.path(), &["run", "--all"]).says(65, &["no study is planned in `out`", "inkling plan"]);
    study(folder.path());
    let planned = plan(folder.path());
    let id = runs(&planned)[0]["id"].as_str().unwrap();
    let change = |change: &dyn Fn(&mut Value)| {
        let store = Store::open(&out).unwrap();
        let mut record: Value = store.reader().json("study.json").unwrap().unwrap();
        change(&mut record);
        store.publish_json("study.json", &record).unwrap();
    };
    let record: Value = Store::open(&out).unwrap().reader().json("study.json").unwrap().unwrap();
    change(&|record| record["version"] = "0.0.1".into());
    for arguments in [&["run", id][..], &["status"]] {
        run(folder.path(), arguments).says(78, &["was planned by version 0.0.1", "inkling plan"]);
    }
    change(&|changed| {
        *changed = record.clone();
        changed["data"]["mnist"]["checksum"] = "another".into();
    });
    run(folder.path(), &["run", id])
        .says(65, &["is another data set here", "than the study was planned with (another)"]);
    assert_eq!(count(&status(folder.path()), "failed"), 0);

    run(folder.path(), &["run", "0123456789abcdef"]).says(2, &["has no run 0123456789abcdef"]);
    run(folder.path(), &["run", "--index", "999"]).says(2, &["numbered from 0"]);
    run(folder.path(), &["run", "nonsense"]).says(2, &["16 lower-case hexadecimal digits"]);
    run(folder.path(), &["run"]).says(2, &["required"]);
}
