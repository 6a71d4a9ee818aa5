//! Training as a person sees it: interrupted and gone on with, from a damaged checkpoint too, and diverging.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{done, inkling, run};

/// The smoke preset's task 2 and the first network of its task 3 as a study file, with texts replaced by others.
fn study(folder: &Path, changes: &[(&str, &str)]) {
    let text = run(folder, &["study", "smoke", "--only", "perceptron,mlp", "--print-spec"]).stdout;
    let second = text.match_indices("[[mlp.networks]]").nth(1).expect("there are several").0;
    let changed = changes.iter().fold(text[..second].to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?} is not in {text}");
        text.replacen(from, to, 1)
    });
    fs::write(folder.join("mine.toml"), changed).unwrap();
}

/// The newest checkpoint of the only run in `folder` that has any, once there are two.
#[cfg(unix)]
fn newest_of_two(folder: &Path) -> Option<PathBuf> {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let work = entries(&folder.join("out/runs")).map(|run| run.path());
    let mut attempts = work.flat_map(|work| entries(&work).map(|attempt| attempt.path()).collect::<Vec<_>>());
    let run = attempts.find(|run| run.join("checkpoint.previous.safetensors").exists())?;
    Some(run.join("checkpoint.safetensors")).filter(|newest| newest.exists())
}

#[cfg(unix)]
#[test]
fn ctrl_c_within_training_then_a_damaged_checkpoint_and_the_same_command_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path(), &[("epochs = 2", "epochs = 60")]);
    let child = inkling()
        .current_dir(folder.path())
        .args(["study", "mine.toml"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let newest = loop {
        match newest_of_two(folder.path()) {
            Some(newest) => break newest,
            None => std::thread::sleep(std::time::Duration::from_millis(2)),
        }
    };
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let stopped = done(&child.wait_with_output().unwrap());
    stopped.says(130, &["interrupted", "finished work is kept", "inkling study mine.toml"]);

    let mut bytes = fs::read(&newest).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&newest, bytes).unwrap();
    let words = [
        "mlp 2 hidden: `out/runs/",
        "checkpoint.safetensors` is damaged: its SHA-256",
        "continuing after epoch",
    ];
    let again = run(folder.path(), &["study", "mine.toml"]);
    // What a task found is said when it ends, and what comes last only with the report.
    assert_eq!(again.stderr.matches("Task 2: 45 perceptrons").count(), 0, "{}", again.stderr);
    assert!(stopped.stderr.contains("Task 2: 45 perceptrons"), "{}", stopped.stderr);
    again.says(0, &words);
    again.says(0, &["mlp 2 hidden: done in", "test accuracy"]);
}

#[test]
fn a_network_that_diverges_is_named_at_the_end_and_again_when_nothing_is_left_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let adam = "kind = \"adam\"\nbeta_1 = 0.9\nbeta_2 = 0.999\nepsilon = 0.00000001";
    let changes =
        [("learning_rate = 0.002", "learning_rate = 1e9"), (adam, "kind = \"sgd\"\nmomentum = 0.0")];
    study(folder.path(), &changes);
    for _ in 0..2 {
        let said = run(folder.path(), &["study", "mine.toml"]);
        said.says(0, &["mlp 2 hidden: diverged at step", "the weights that it began with are kept"]);
        said.says(
            0,
            &["note: some runs diverged", "mlp 2 hidden at step", "a smaller `learning_rate` may help"],
        );
    }
    // Whoever looks into it is told.
    let picture = folder.path().join("a.png");
    crate::look::common::picture(&picture, [28, 28], png::ColorType::Grayscale);
    let looked = run(
        folder.path(),
        &["look", "activations", "out", "--network", "2 hidden", "--image", "a.png", "--out", "look"],
    );
    let words =
        ["warning: this is not a trained network: its training diverged at step", "it began with are kept"];
    looked.says(0, &words);
}

#[test]
fn a_portable_path_computes_too() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path(), &[("train_images = 3000", "train_images = 300")]);
    run(folder.path(), &["study", "mine.toml", "--cpu", "portable"]).says(0, &["mlp 2 hidden: done in"]);
}
