//! A sweep from outside: its plan, its report, single points, and what is refused.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{Done, run};

/// Two small networks with validation images, and what is added to their study.
fn study(folder: &Path, sweep: &str) {
    let text = format!(
        r#"
seeds = [1, 2]

[data]
train_images = 600
test_images = 200

[mlp]
data = "mnist"
initializer = {{ hidden = "he-uniform", output = "glorot-uniform" }}

[mlp.training]
epochs = 2
batch_size = 20
learning_rate = 0.002
schedule = {{ kind = "constant" }}
optimizer = {{ kind = "adam", beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8 }}
log_every = 10
validation = {{ images = 100 }}

[[mlp.networks]]
name = "one layer"
why = "small"
hidden = [8]

[[mlp.networks]]
name = "two layers"
why = "small"
hidden = [8, 8]

{sweep}
"#
    );
    fs::write(folder.join("mine.toml"), text).unwrap();
}

fn json(done: &Done) -> Value {
    done.says(0, &[]);
    serde_json::from_str(&done.stdout).unwrap()
}

fn summary(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("out/summary.json")).unwrap()).unwrap()
}

const RATES: &str = "[sweep]\nnetwork = \"one layer\"\n\"mlp.training.learning_rate\" = [1e-5, 3e-3, 1e-3]";

#[test]
fn a_sweep_chooses_by_validation_images_and_tests_one_point() {
    let folder = tempfile::tempdir().unwrap();
    study(folder.path(), RATES);
    run(folder.path(), &["study", "mine.toml"]).says(
        0,
        &["sweep one layer, learning_rate = 1e-5", "validation accuracy", "seed 2", "the chosen point"],
    );
    let found = summary(folder.path())["tasks"]["sweep"].take();
    let points = found["points"].as_array().unwrap();
    assert_eq!(points.len(), 3);
    let best = points.iter().max_by(|a, b| {
        a["validation_accuracy"].as_f64().unwrap().total_cmp(&b["validation_accuracy"].as_f64().unwrap())
    });
    assert_eq!(best.unwrap()["chosen"], true);
    assert_eq!(points.iter().filter(|point| point["chosen"] == true).count(), 1);
    assert!(points.iter().all(|point| point["accuracies"].as_array().unwrap().len() == 2));
    let tests = found["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 2, "a network of the chosen point for each seed");
    assert!(tests.iter().all(|test| test["test_images"] == 200));
    for file in
        ["report.pdf", "report.html", "figures/sweep.svg", "tables/sweep.csv", "tables/sweep_test.csv"]
    {
        assert!(folder.path().join("out").join(file).exists(), "{file}");
    }
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("The test images were looked at once, for the chosen point:"));

    // The same runs by processes that share them out, in an order of their own.
    let other = tempfile::tempdir().unwrap();
    study(other.path(), RATES);
    let plan = json(&run(other.path(), &["plan", "mine.toml", "--only", "sweep", "--rate", "1e9", "--json"]));
    let runs = plan["runs"].as_array().unwrap();
    let choice = runs.iter().position(|run| run["title"] == "one layer, the chosen point").unwrap();
    assert_eq!(runs[choice]["needs"].as_array().unwrap().len(), 6);
    run(other.path(), &["run", "--index", &choice.to_string()]).says(75, &["cannot be done yet"]);
    run(other.path(), &["run", "--all"]).says(0, &[]);
    run(other.path(), &["study", "mine.toml", "--only", "sweep"]).says(0, &[]);
    let mut alone = summary(other.path())["tasks"]["sweep"].take();
    assert_eq!(alone["points"].take(), found["points"]);
    assert_eq!(alone["tests"].take(), found["tests"]);
}

#[test]
fn single_points_share_their_runs_with_a_sweep_and_leave_the_report_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir_all(at.join("out/runs")).unwrap();
    run(at, &["run", "--set", "mlp.training.epochs=1"]).says(65, &["inkling plan"]);
    study(at, "");
    json(&run(at, &["plan", "mine.toml", "--rate", "1e9", "--json"]));
    let point = ["run", "--network", "one layer", "--set", "mlp.training.learning_rate=3e-3", "--json"];
    let first = json(&run(at, &point));
    let runs = first["runs"].as_array().unwrap();
    assert_eq!((&runs[0]["seed"], &runs[1]["seed"]), (&1.into(), &2.into()));
    let mean = runs.iter().map(|run| run["validation"]["accuracy"].as_f64().unwrap()).sum::<f64>() / 2.0;
    assert!((first["validation"]["accuracy"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert_eq!(first["settings"][0]["value"], 3e-3);
    let again = run(at, &point);
    // To the last digit of its times: nothing was trained again.
    assert_eq!(json(&again), first);
    let said = run(at, &point[..point.len() - 1]);
    assert!(
        said.stdout.contains("mlp one layer with learning_rate = 0.003: validation accuracy"),
        "{}",
        said.stdout
    );
    for run in runs {
        let result = at.join("out/runs").join(run["id"].as_str().unwrap()).join("result.json");
        assert!(!fs::read_to_string(result).unwrap().contains("test"));
    }

    run(at, &["study", "mine.toml"]).says(0, &[]);
    assert!(summary(at)["tasks"].get("sweep").is_none());
    study(at, RATES);
    run(at, &["study", "mine.toml"]).says(0, &["learning_rate = 0.003: finished earlier, not repeated"]);
    let sweep = summary(at)["tasks"]["sweep"].take();
    let chosen = &sweep["points"][1];
    assert_eq!(chosen["validation_accuracy"], first["validation"]["accuracy"]);
}

#[test]
fn grids_and_listed_points_have_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let grid = "[sweep]\nnetwork = \"two layers\"\n\"mlp.training.learning_rate\" = [1e-3, 1e-2]\n\
                \"mlp.training.batch_size\" = [10, 50]";
    study(at, grid);
    run(at, &["study", "mine.toml", "--seed", "3"]).says(0, &[]);
    let found = summary(at)["tasks"]["sweep"].take();
    assert_eq!((found["points"].as_array().unwrap().len(), found["tests"].as_array().unwrap().len()), (4, 1));
    let listed = "[sweep]\nnetwork = \"one layer\"\n[[sweep.points]]\n'mlp.networks.\"one layer\".hidden' = [4]\n\
                  \"mlp.training.optimizer\" = { kind = \"sgd\", momentum = 0.9 }\n[[sweep.points]]\n\
                  'mlp.networks.\"one layer\".hidden' = [16]\n\
                  \"mlp.training.optimizer\" = { kind = \"sgd\", momentum = 0.5 }";
    study(at, listed);
    run(at, &["study", "mine.toml", "--only", "sweep", "--out", "listed"]).says(0, &[]);
    assert!(at.join("listed/figures/sweep.svg").exists() && at.join("listed/report.pdf").exists());
}

/// Trainings of a sweep are exported with their values and without any number of test images, which only the choice has.
#[test]
fn a_sweep_is_written_for_tensorboard_and_as_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let grid = "[sweep]\nnetwork = \"one layer\"\n\"mlp.training.learning_rate\" = [1e-3, 1e-2]\n\
                \"mlp.training.clip_norm\" = [1.0]";
    study(at, grid);
    run(at, &["study", "mine.toml", "--only", "sweep", "--tensorboard", "logs"]).says(0, &[]);
    let trial = "one layer, clip_norm = 1, learning_rate = 0.01";
    let logs = at.join("logs/sweep");
    // One file while it was trained, and one with everything; the histograms after each epoch are a run beside it.
    let files = |path: &Path| {
        fs::read_dir(path).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file()).count()
    };
    for name in [trial.to_owned(), format!("{trial}, seed 2")] {
        assert_eq!((files(&logs.join(&name)), files(&logs.join(&name).join("epochs"))), (2, 1), "{name}");
    }
    assert_eq!(fs::read_dir(&logs).unwrap().count(), 4, "the choice trains nothing");

    let done = run(at, &["export", "out", "--metrics", "m.json"]);
    done.says(0, &[]);
    assert!(
        done.stdout.contains("of 7 runs"),
        "four trainings, a choice, and the network itself: {}",
        done.stdout
    );
    let table: Value = serde_json::from_str(&fs::read_to_string(at.join("m.json")).unwrap()).unwrap();
    let rows = |network: &str, part: &str, metric: &str| {
        let of = |row: &&Value| row["network"] == network && row["part"] == part && row["metric"] == metric;
        table.as_array().unwrap().iter().filter(of).cloned().collect::<Vec<_>>()
    };
    let validated = rows(trial, "validation", "accuracy");
    assert_eq!(validated.iter().map(|row| row["epoch"].clone()).collect::<Vec<_>>(), [1, 2]);
    let found = summary(at)["tasks"]["sweep"].take();
    assert_eq!(validated[1]["value"], found["points"][1]["accuracies"][0]);
    let settings = r#"{"mlp.training.clip_norm":1.0,"mlp.training.learning_rate":0.01}"#;
    assert_eq!((&validated[1]["settings"], &validated[1]["task"]), (&settings.into(), &"sweep".into()));
    // Test images were seen by the networks of the chosen point alone, after their training.
    let tested: Vec<&Value> = table.as_array().unwrap().iter().filter(|row| row["part"] == "test").collect();
    let tested: Vec<&&Value> = tested.iter().filter(|row| row["task"] == "sweep").collect();
    assert_eq!(tested.len(), 4, "loss and accuracy with each seed");
    assert!(tested.iter().all(|row| row["step"].is_null() && row["epoch"].is_null()));
    let chosen = found["points"].as_array().unwrap().iter().find(|point| point["chosen"] == true).unwrap();
    let best = format!("one layer, {}", chosen["settings"].as_str().unwrap());
    assert_eq!(rows(&best, "test", "accuracy")[0]["value"], found["tests"][0]["test_accuracy"]);
}

#[test]
fn what_cannot_be_swept_or_set_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    study(at, "[sweep]\nnetwork = \"one layer\"\n\"mlp.training.learnin_rate\" = [1e-3]");
    run(at, &["study", "mine.toml"]).says(
        78,
        &["mine.toml, line", "unknown key `learnin_rate` in [mlp.training]", "did you mean `learning_rate`?"],
    );
    study(at, "[sweep]\n\"mlp.training.learning_rate\" = [1e-3]");
    run(at, &["study", "mine.toml"]).says(78, &["has 2 networks", "`one layer`, `two layers`"]);
    study(at, "");
    run(at, &["plan", "mine.toml", "--rate", "1e9"]).says(0, &[]);
    let set = |arguments: &[&str]| run(at, &[&["run", "--set"], arguments].concat());
    set(&["mlp.training.epochs"]).says(2, &["sets no value", "KEY=VALUE"]);
    set(&["mlp.training.epoch=1", "--network", "one layer"])
        .says(2, &["unknown key `epoch`", "did you mean `epochs`?"]);
    set(&["mlp.training.epochs=0", "--network", "one layer"]).says(2, &["cannot be `0`", "at least 1"]);
    set(&["mlp.training.epochs=1"]).says(2, &["[mlp] has 2 networks", "its networks are"]);
    set(&["cnn.training.epochs=1"]).says(2, &["the study has no [cnn]"]);
    run(at, &["run", "--next", "--network", "x"]).says(2, &["--next", "cannot be used with", "--network"]);
    run(at, &["run", "--next", "--set", "mlp.training.epochs=1"]).says(2, &[]);
}
