//! The program as a person uses it.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::common::{done, inkling, run};
use serde_json::Value;

#[test]
fn a_smoke_study_leaves_everything_a_reader_needs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("été à Zürich 墨");
    let name = out.to_str().unwrap();
    let first = run(folder.path(), &["study", "smoke", "--out", name]);
    let stages = ["images loaded", "principal components: done", "separability: done", "perceptrons: done"];
    first.says(0, &stages);
    first.says(
        0,
        &["mlp 2 hidden: done in", "test accuracy", "mlp 7 hidden", "cnn 1 conv", "cnn 5 conv: done in"],
    );
    for line in ["Task 1: ", "Task 2: 45 perceptrons", "Report: "] {
        assert!(first.stdout.contains(line), "{}", first.stdout);
    }

    let pdf = fs::read(out.join("report.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    for figure in
        ["task1_pca_scatter", "task1_separability", "task2_perceptron_weights", "task5_inside_dreams"]
    {
        assert!(
            fs::read_to_string(out.join(format!("figures/{figure}.svg"))).unwrap().starts_with("<svg"),
            "{figure}"
        );
        assert!(
            fs::read(out.join(format!("figures/{figure}.png"))).unwrap().starts_with(b"\x89PNG"),
            "{figure}"
        );
    }
    // Whoever reads of a figure or a table in the report finds its file.
    for (folder, endings) in [("figures", &["svg", "png"][..]), ("tables", &["csv"])] {
        let list = fs::read_to_string(out.join(folder).join("index.csv")).unwrap();
        assert!(list.lines().count() > 5, "{list}");
        for line in list.lines().skip(1) {
            let file = line.split(',').nth(2).unwrap();
            for ending in endings {
                assert!(
                    file.starts_with("task") && out.join(format!("{folder}/{file}.{ending}")).exists(),
                    "{line}"
                );
            }
        }
    }
    let table = fs::read_to_string(out.join("tables/task2_perceptrons.csv")).unwrap();
    assert_eq!(table.lines().count(), 46);

    let summary: Value = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["preset"], &summary["seed"]), (&"smoke".into(), &1.into()));
    assert!(summary["machine"]["cpu"].is_string() && summary["machine"]["threads"].is_u64());
    let tasks = &summary["tasks"];
    assert!(tasks["pca"]["explained_variance_ratio"][0].as_f64().unwrap() > 0.05);
    for key in ["a", "b", "separable_in_plane", "plane_accuracy", "separable_in_full_space"] {
        assert!(!tasks["pca"]["pairs"][44][key].is_null(), "{key}");
    }
    for key in ["a", "b", "iterations", "train_error", "train_accuracy", "test_accuracy"] {
        assert!(tasks["perceptron"]["pairs"][44][key].is_number(), "{key}");
    }

    check_summary(&summary);
    let checks: Value = serde_json::from_slice(&fs::read(out.join("checks.json")).unwrap()).unwrap();
    let same = checks["same_bits"].as_array().unwrap();
    let alike = |check: &Value| check["differing"].as_array().is_none_or(Vec::is_empty);
    assert!(same.len() == 2 && same.iter().all(alike), "{checks}");

    let again = run(folder.path(), &["study", "smoke", "--out", name]);
    let skipped = ["principal components: finished earlier, not repeated", "perceptrons: finished earlier"];
    again.says(0, &skipped);
    again.says(0, &["mlp 2 hidden: finished earlier, not repeated", "cnn 5 conv: finished earlier"]);
    let json = run(folder.path(), &["report", name, "--json"]);
    assert_eq!(json.code, Some(0), "{}", json.stderr);
    let printed: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(printed["tasks"], *tasks);
    let report = || fs::read(out.join("report.pdf")).unwrap();
    let before = report();
    assert_eq!(run(folder.path(), &["report", name]).code, Some(0));
    assert!(report() == before, "the same store gives the same report");
}

/// What the summary of a smoke study holds of every task, and that its numbers fit each other.
fn check_summary(summary: &Value) {
    for key in ["preset", "seed", "version", "machine", "seconds", "tasks"] {
        assert!(!summary[key].is_null(), "{key}");
    }
    let tasks = &summary["tasks"];
    let list = |value: &Value| value.as_array().unwrap().clone();
    let number = |value: &Value| value.as_f64().unwrap();
    let within = |interval: &Value, share: &Value| {
        let [low, share, high] = [&interval[0], share, &interval[1]].map(number);
        assert!(0.0 <= low && low <= share && share <= high && high <= 1.0, "{low} {share} {high}");
    };
    assert_eq!(list(&tasks["pca"]["pairs"]).len(), 45);
    let pairs = list(&tasks["perceptron"]["pairs"]);
    assert_eq!(pairs.len(), 45);
    pairs.iter().for_each(|pair| within(&pair["test_interval"], &pair["test_accuracy"]));
    for task in ["mlp", "cnn"] {
        let networks = list(&tasks[task]["networks"]);
        assert_eq!((networks.len(), list(&tasks[task]["mcnemar"]).len()), (5, 10), "{task}");
        for network in networks {
            within(&network["interval"], &network["test_accuracy"]);
            assert!(number(&network["parameters"]) > 0.0 && network["epochs"] == 2, "{network}");
        }
    }
    let inside = &tasks["inside"];
    let filters: Vec<Value> = list(&inside["filters"]).iter().map(|layer| layer["name"].clone()).collect();
    assert_eq!(filters, ["trunk.1", "trunk.3", "trunk.5"]);
    let dreams = list(&inside["dreams"]);
    assert!(dreams.len() >= 10, "{dreams:?}");
    for share in dreams.iter().flat_map(|dream| [&dream["probability"], &dream["judge_probability"]]) {
        assert!((0.0..=1.0).contains(&number(share)), "{share}");
    }
    let rows = list(&tasks["multitask"]["lambdas"]);
    assert_eq!(
        rows.iter().map(|row| number(&row["lambda"])).collect::<Vec<_>>(),
        [0.0, 0.25, 0.5, 0.75, 1.0]
    );
    for row in rows {
        let lambda = number(&row["lambda"]);
        assert_eq!(
            (&row["item_trained"], &row["group_trained"]),
            (&(lambda > 0.0).into(), &(lambda < 1.0).into())
        );
    }
}

#[test]
fn the_printed_study_is_a_study_file() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run(folder.path(), &["study", "brief", "--seed", "7", "--print-spec"]).stdout;
    fs::write(folder.path().join("mine.toml"), &printed).unwrap();
    assert_eq!(run(folder.path(), &["study", "mine.toml", "--print-spec"]).stdout, printed);
    assert!(printed.contains("seed = 7") && printed.contains("learning_rate = 0.1"));
}

#[test]
fn a_study_file_with_one_task() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run(folder.path(), &["study", "smoke", "--only", "perceptron", "--print-spec"]).stdout;
    fs::write(folder.path().join("my study.toml"), printed).unwrap();
    run(folder.path(), &["study", "my study.toml"]).says(0, &["perceptrons: done"]);
    let summary = fs::read(folder.path().join("out/summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["preset"], "my study.toml");
    assert!(summary["tasks"]["pca"].is_null() && summary["tasks"]["perceptron"].is_object());
    assert!(folder.path().join("out/report.pdf").exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let child = inkling()
        .current_dir(folder.path())
        .args(["study", "brief", "--only", "perceptron", "--threads", "1", "--out", "my folder"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let runs = folder.path().join("my folder/runs");
    while !fs::read_dir(&runs)
        .is_ok_and(|mut runs| runs.any(|run| run.unwrap().path().join("result.json").exists()))
    {
        std::thread::sleep(Duration::from_millis(10));
    }
    let interrupt =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let stopped = done(&child.wait_with_output().unwrap());
    let again = "inkling study brief --only perceptron --threads 1 --out 'my folder'";
    stopped.says(130, &["interrupted", "finished work is kept", again]);
    assert_eq!(stopped.stderr.contains("this is a debug build"), cfg!(debug_assertions));
    let text = ["report", "my folder"];
    run(folder.path(), &text)
        .says(65, &["of the 45 runs of the study `brief` are not finished", "run the study again"]);
}

#[test]
fn data_is_listed_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let list = run(folder.path(), &["data", "list"]);
    assert!(list.stdout.contains("fashion-mnist") && list.stdout.contains("60000 + 10000 images of 28×28"));
    let json: Value = serde_json::from_str(&run(folder.path(), &["data", "list", "--json"]).stdout).unwrap();
    assert_eq!(json[1]["classes"][9], "Ankle boot");
    let verified = run(folder.path(), &["data", "verify"]);
    assert_eq!((verified.code, verified.stdout.matches("checksums match").count()), (Some(0), 2));
}

#[test]
fn help_and_completions_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["completions", "bash"], &["completions", "fish"]] {
        let text = run(folder.path(), arguments).stdout;
        for command in ["study", "report", "bundle", "look", "model", "data", "bench"] {
            assert!(text.contains(command), "{arguments:?} does not know {command}");
        }
    }
}

#[test]
fn a_batch_that_is_asked_for_is_that_of_every_network_timed() {
    let folder = tempfile::tempdir().unwrap();
    for (asked, batches) in [(&[][..], ["batch=50", "batch=50"]), (&["--batch", "7"], ["batch=7", "batch=7"])]
    {
        let timed = run(folder.path(), &[&["bench", "mlp", "cnn", "--rounds", "1"], asked].concat());
        timed.says(0, &[]);
        for (network, batch) in ["mlp", "cnn"].iter().zip(batches) {
            let line = timed.stdout.lines().find(|line| line.starts_with(&format!("inkling {network} ")));
            assert!(line.is_some_and(|line| line.contains(&format!(" {batch} "))), "{}", timed.stdout);
        }
    }
    run(folder.path(), &["bench", "pca", "perceptron", "--batch", "7"])
        .says(2, &["none of the operations to time trains a network", "mlp, cnn, single or mtl"]);
    for batch in ["0", "-1", "many", "99999999"] {
        run(folder.path(), &["bench", "mlp", "--batch", batch])
            .says(2, &["--batch", "a whole number of at least 1"]);
    }
}

#[test]
fn a_networks_layers_are_shown_and_an_impossible_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let table = run(folder.path(), &["model", "cnn", "--batch", "50"]).stdout;
    for words in ["conv2d 64 of 4×4, stride 2×2, same, He uniform", "14×14×64", "227,306", "a batch of 50"]
    {
        assert!(table.contains(words), "{table}");
    }
    let json: Value = serde_json::from_str(&run(folder.path(), &["model", "mlp", "--json"]).stdout).unwrap();
    assert_eq!(
        (&json["parameters"], &json["layers"][1]["multiply_adds"]),
        (&1_796_010.into(), &784_000.into())
    );

    let toml = run(folder.path(), &["model", "cnn", "--toml"]).stdout;
    fs::write(folder.path().join("mine.toml"), toml.replacen("    { layer = \"flatten\" },\n", "", 1))
        .unwrap();
    let words = [
        "digit 1 (dense): it expects a vector but gets an image of 7×7×128",
        "put a flatten layer before it",
    ];
    run(folder.path(), &["model", "mine.toml"]).says(78, &words);
    fs::write(folder.path().join("mine.toml"), toml.replacen("filters = 64", "filter = 64", 1)).unwrap();
    run(folder.path(), &["model", "mine.toml"])
        .says(78, &["mine.toml, line", "`filter`", "did you mean `filters`?"]);
    run(folder.path(), &["model", "resnet"])
        .says(2, &["`resnet`", "mlp, cnn, item, item-and-group, lenet-5, all-conv, resnet-8"]);
    run(folder.path(), &["model", "gone.toml"]).says(74, &["gone.toml", "--toml"]);
}

#[test]
fn a_network_that_passes_pixels_by_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let table = run(folder.path(), &["model", "cnn"]).stdout;
    let holes = r#"
input = [28, 28, 1]
trunk = [
    { layer = "conv2d", filters = 4, kernel_size = [2, 2], stride = [5, 5], padding = "valid", initializer = "he-uniform" },
    { layer = "relu" },
    { layer = "flatten" },
]
heads = [{ name = "class", layers = [{ layer = "dense", units = 10, initializer = "glorot-uniform" }] }]
"#;
    fs::write(folder.path().join("holes.toml"), holes).unwrap();
    let seen = run(folder.path(), &["model", "holes.toml"]);
    let words =
        ["warning: 81.6 % of the image's pixels are read by nothing", "trunk 1 (conv2d) never reads 81.6 %"];
    seen.says(0, &words);
    assert!(seen.stdout.contains("never read") && seen.stdout.contains("81.6 %"), "{}", seen.stdout);
    assert!(!table.contains("never read"), "what is read whole needs no column: {table}");
    let json = run(folder.path(), &["model", "holes.toml", "--json"]).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let share = |value: &Value| (value.as_f64().unwrap() * 1000.0).round();
    assert_eq!((share(&json["unread_pixels"]), share(&json["layers"][0]["unread"])), (816.0, 816.0));
}

#[test]
fn a_head_of_a_network_has_a_name_that_can_be_shown() {
    let folder = tempfile::tempdir().unwrap();
    let network = |name: &str| {
        let text = format!(
            "input = [4, 4, 1]\ntrunk = [{{ layer = \"flatten\" }}]\nheads = [{{ name = \"{name}\", layers = [{{ layer = \
             \"dense\", units = 3, initializer = \"he-uniform\" }}] }}]\n"
        );
        fs::write(folder.path().join("net.toml"), text).unwrap();
        run(folder.path(), &["model", "net.toml"])
    };
    network("digit").says(0, &[]);
    for name in ["", "\\u0000", "\\u001b[2J", "\u{202e}x", &"long ".repeat(20_000)] {
        network(name).says(78, &["heads[0].name", "help"]);
    }
}
