//! Extreme values as a person gives them: refused before anything is trained, or found out to diverge, and reported.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::run;
use crate::look::common::{STUDY, found, look};

/// The smoke preset with some tasks only, as a study file, with texts replaced by others.
fn study(folder: &Path, tasks: &str, changes: &[(&str, &str)]) {
    let text = run(folder, &["study", "smoke", "--only", tasks, "--print-spec"]).stdout;
    let changed = changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from:?} is not in {text}");
        text.replacen(from, to, 1)
    });
    fs::write(folder.join("mine.toml"), changed).unwrap();
}

fn json(folder: &Path, path: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(path)).unwrap()).unwrap()
}

fn whole(folder: &Path) {
    for file in ["out/report.pdf", "out/report.html", "out/summary.json"] {
        assert!(folder.join(file).exists(), "{file}");
    }
}

#[test]
fn perceptrons_whose_weights_grow_without_bounds_are_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path(), "perceptron", &[("learning_rate = 0.1", "learning_rate = 3e38")]);
    let done = run(folder.path(), &["study", "mine.toml"]);
    done.says(
        0,
        &[
            "note: some runs diverged, which the report says: perceptron",
            "a smaller `learning_rate` may help",
        ],
    );
    assert!(done.stdout.contains("of them diverged"), "{}", done.stdout);
    whole(folder.path());
    let summary = json(folder.path(), "out/summary.json");
    let pairs = summary["tasks"]["perceptron"]["pairs"].as_array().unwrap();
    assert!(pairs.iter().any(|pair| pair["diverged"].is_u64()));
    assert!(pairs.iter().all(|pair| pair["test_accuracy"].is_f64()));
    let csv = fs::read_to_string(folder.path().join("out/tables/task2_perceptrons.csv")).unwrap();
    assert!(!csv.to_lowercase().contains("nan") && !csv.contains("inf"), "{csv}");
    run(folder.path(), &["report", "out"]).says(0, &[]);
}

#[test]
fn weights_of_losses_that_their_own_learning_rate_drives_off_are_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let weightings = "
        weightings = [
            { kind = \"grad-norm\", alpha = 1000.0, learning_rate = 10.0 },
            { kind = \"uncertainty\", learning_rate = 10000.0 },
            { kind = \"fixed\", weights = [3e38, 1.0] },
        ]
        seeds = [1]
        [[multitask.groups]]";
    let changes = [
        ("lambdas = [0.0, 0.25, 0.5, 0.75, 1.0]", "lambdas = [0.0, 1.2e-38, 0.9995, 0.9999, 1.0]"),
        ("train_images = 3000", "train_images = 300"),
        ("[[multitask.groups]]", weightings),
    ];
    study(folder.path(), "multitask", &changes);
    let done = run(folder.path(), &["study", "mine.toml"]);
    done.says(
        0,
        &[
            "multitask uncertainty, seed 1 at step",
            "`learning_rate` of the weighting by uncertainty may help",
        ],
    );
    done.says(
        0,
        &["multitask weights 3e38 and 1, seed 1 at step", "or smaller weights of the losses may help"],
    );
    whole(folder.path());
    let summary = json(folder.path(), "out/summary.json");
    let names: Vec<String> = json(folder.path(), "out/study.json")["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["title"].as_str().unwrap().to_owned())
        .collect();
    for name in ["λ = 0", "λ = 1.2e-38", "λ = 0.9995", "λ = 0.9999", "λ = 1", "weights 3e38 and 1, seed 1"]
    {
        assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
    }
    assert!(summary.to_string().contains("\"diverged\""), "{summary}");
    let runs = fs::read_dir(folder.path().join("out/runs")).unwrap();
    let results: Vec<String> =
        runs.map(|run| fs::read_to_string(run.unwrap().path().join("result.json")).unwrap()).collect();
    let weighting =
        |text: &&String| text.contains("\"what\": \"weighting\"") || text.contains("\"what\":\"weighting\"");
    assert_eq!(results.iter().filter(weighting).count(), 1);
}

#[test]
fn a_dream_whose_steps_are_too_large_is_a_finding_the_second_time_too() {
    let folder = tempfile::tempdir().unwrap();
    for rate in ["1e38", "3.4e38", "1e30"] {
        let arguments = ["dream", &STUDY, "--class", "2", "--steps", "2", "--learning-rate", rate];
        look(folder.path(), &arguments).says(0, &["done in"]);
        let again = look(folder.path(), &arguments);
        again.says(0, &["finished earlier, not repeated"]);
        let outcome = found(folder.path(), &arguments);
        let picture = &outcome["result"]["outcome"]["pictures"][0];
        assert!(
            picture["after"]["objective"].is_f64() && picture["after"]["probability"].is_f64(),
            "{picture}"
        );
        assert!(picture["diverged"].is_u64() || rate == "1e30", "{picture}");
    }
    for (rate, words) in [("1e39", "1.2e-38 to 3.4e38"), ("0,1", "a decimal point"), ("nan", "such as 0.001")]
    {
        let arguments = ["dream", &STUDY, "--class", "2", "--learning-rate", rate];
        look(folder.path(), &arguments).says(2, &[words]);
    }
    let steps = ["dream", &STUDY, "--class", "2", "--steps", "9223372036854775807"];
    look(folder.path(), &steps).says(2, &["a whole number of at least 1"]);
}

#[test]
fn the_best_weights_are_looked_into_where_there_are_any() {
    let folder = tempfile::tempdir().unwrap();
    let none = look(folder.path(), &["filters", &STUDY, "--weights", "best"]);
    none.says(2, &["holds no best weights", "the best epoch is chosen by validation images"]);
    let validated = "log_every = 10\nvalidation = { images = 100 }\n";
    study(folder.path(), "cnn", &[("log_every = 10\n", validated), ("epochs = 2", "epochs = 3")]);
    run(folder.path(), &["study", "mine.toml"]).says(0, &[]);
    let of =
        |which: &str| look(folder.path(), &["filters", "out", "--network", "1 conv", "--weights", which]);
    let (last, best) = (of("last"), of("best"));
    assert!(best.stdout.contains("best weights") && !last.stdout.contains("best weights"), "{}", best.stdout);
    let numbers = |text: &str| text.lines().last().unwrap().to_owned();
    assert_ne!(numbers(&last.stdout), numbers(&best.stdout));
}

#[test]
fn what_can_be_judged_before_training_is() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |tasks: &str, changes: &[(&str, &str)], words: &[&str]| {
        study(folder.path(), tasks, changes);
        run(folder.path(), &["study", "mine.toml"]).says(78, words);
        assert!(!folder.path().join("out/study.json").exists(), "{words:?}: something was begun");
    };
    let few = [
        "none of the 5 test images shows class 9 (9)",
        "raise `data.test_images`",
        "the test images show 0, 1",
    ];
    refused("inside", &[("test_images = 1000", "test_images = 5")], &few);
    let judge =
        ["the judge of task 5 starts from the seed 1, as does the network `3 conv`", "`inside.judge.seed`"];
    refused("inside", &[("seed = 2", "seed = 1")], &judge);
    let same = ["`2 hidden` and `3 hidden` of task mlp are the same network", "leave one of them out"];
    refused("mlp", &[("hidden = [60, 60, 60]", "hidden = [64, 64]")], &same);
    let half = "weightings = [{ kind = \"fixed\", weights = [0.5, 0.5] }]\nseeds = [1]\n[[multitask.groups]]";
    let same = ["`λ = 0.5` and `weights 0.5 and 0.5, seed 1` of task multitask are the same network"];
    refused("multitask", &[("[[multitask.groups]]", half)], &same);
    let large = [
        "training the network `2 hidden` of task mlp takes",
        "GiB of memory, but this machine has",
        "fewer units",
    ];
    refused("mlp", &[("hidden = [64, 64]", "hidden = [900000, 1000000]")], &large);
    let larger = ["`2 hidden` of task mlp", "it is too large for any machine: it needs 1.3e13 bytes"];
    refused("mlp", &[("hidden = [64, 64]", "hidden = [4000000000, 1000000000]")], &larger);
    let components =
        ["task 1 cannot be done: PCA of 784 features cannot give 800 components", "`pca.components`"];
    refused("pca", &[("components = 50", "components = 800")], &components);
    // Another seed for the study leaves the judge apart from the network.
    let printed = run(folder.path(), &["study", "smoke", "--seed", "2", "--print-spec"]).stdout;
    assert!(printed.starts_with("seed = 2\n") && printed.contains("[inside.judge]\nseed = 3\n"), "{printed}");
}

#[test]
fn the_largest_seed_is_the_same_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let seed = u64::MAX.to_string();
    let printed =
        run(folder.path(), &["study", "smoke", "--only", "perceptron", "--seed", &seed, "--print-spec"]);
    assert!(printed.stdout.starts_with(&format!("seed = \"{seed}\"\n")), "{}", printed.stdout);
    fs::write(folder.path().join("mine.toml"), &printed.stdout).unwrap();
    run(folder.path(), &["study", "mine.toml"]).says(0, &[]);
    assert_eq!(json(folder.path(), "out/summary.json")["seed"].as_u64(), Some(u64::MAX));
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains(&format!("seed {seed}")));
    run(folder.path(), &["study", "smoke", "--seed", "18446744073709551616"]).says(2, &["--seed"]);
}

#[test]
fn study_and_network_files_in_the_encodings_of_editors() {
    let folder = tempfile::tempdir().unwrap();
    let text = run(folder.path(), &["study", "smoke", "--only", "pca", "--print-spec"]).stdout;
    let utf_16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2], text: &str| -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
    };
    let network = run(folder.path(), &["model", "cnn", "--toml"]).stdout;
    for (command, text) in
        [(&["study", "mine.toml", "--print-spec"][..], &text), (&["model", "mine.toml"], &network)]
    {
        for bytes in [
            utf_16(&[0xFF, 0xFE], u16::to_le_bytes, text),
            utf_16(&[0xFE, 0xFF], u16::to_be_bytes, text),
            [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
        ] {
            fs::write(folder.path().join("mine.toml"), bytes).unwrap();
            run(folder.path(), command).says(0, &[]);
        }
        let latin = [text.as_bytes(), b"# caf\xE9\n"].concat();
        let line = text.lines().count() + 1;
        for (bytes, words) in [
            (latin, format!("line {line} is not UTF-8: it holds the byte 0xE9")),
            (utf_16(&[], u16::to_le_bytes, text), "UTF-16 without a byte-order mark".into()),
        ] {
            fs::write(folder.path().join("mine.toml"), &bytes).unwrap();
            let refused = run(folder.path(), command);
            refused.says(78, &["`mine.toml` cannot be read as text", &words, "save it as UTF-8"]);
            assert!(!refused.stderr.contains("> mine.toml"), "{}", refused.stderr);
            assert_eq!(fs::read(folder.path().join("mine.toml")).unwrap(), bytes);
        }
    }
}
