//! One network: trained on a person's own images, continued, evaluated, asked about pictures.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::common::{done, inkling, run};
use crate::own::bars;

/// A network that leaves its images and its scores open.
const OPEN: &str = r#"
trunk = [
    { layer = "conv2d", filters = 4, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" },
    { layer = "relu" },
    { layer = "flatten" },
]
[[heads]]
name = "class"
layers = [{ layer = "dense", initializer = "glorot-uniform" }]
"#;

/// A folder with bars and a network file.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    bars(&folder.path().join("bars"), 60);
    fs::write(folder.path().join("mine.toml"), OPEN).unwrap();
    folder
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let told = run(folder, arguments);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    serde_json::from_str(&told.stdout).unwrap()
}

#[test]
fn a_network_is_trained_evaluated_and_asked_about_pictures() {
    let folder = place();
    let folder = folder.path();
    let train = ["train", "mine.toml", "--data", "bars", "--epochs", "20", "--learning-rate", "0.01"];
    let told = run(folder, &[&train[..], &["--shift", "0.5", "--noise", "0.02", "--balanced"]].concat());
    told.says(0, &["network mine: done", "looking inside: done", "finished in"]);
    for words in
        ["cross-entropy", "* training", "Model: model/runs/", "mine: test accuracy", "model/report.pdf"]
    {
        assert!(told.stdout.contains(words), "{words:?} is not in {}", told.stdout);
    }
    let page = fs::read_to_string(folder.join("model/report.html")).unwrap();
    assert!(page.contains("mine on bars") && !page.contains("Assignment") && !page.contains("Task 5"));
    for name in
        ["network_curves", "network_augmentation", "network_confusion", "inside_filters_1", "inside_classes"]
    {
        // Bars are easy: where nothing was wrong, the confusion matrix is a diagonal.
        assert!(folder.join(format!("model/figures/{name}.svg")).is_file(), "{name}");
    }
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.join("model/summary.json")).unwrap()).unwrap();
    let network = &summary["tasks"]["network"]["networks"][0];
    let accuracy = network["test_accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{network}");

    // What it was tested on, found again by the study's source, and the same images by their name.
    let found = json(folder, &["evaluate", "model", "--json"]);
    assert_eq!(found["heads"][0]["accuracy"].as_f64(), Some(accuracy));
    assert_eq!(
        (found["images"].as_u64(), found["heads"][0]["classes"][0]["class"].as_str()),
        (Some(24), Some("lying"))
    );
    assert_eq!(json(folder, &["evaluate", "model", "--data", "bars", "--json"])["heads"], found["heads"]);
    let told = run(folder, &["evaluate", "model"]);
    assert!(told.stdout.contains("24 images of bars (test images)"), "{}", told.stdout);
    // Of other images that have no test part, all count; their classes are matched by name.
    bars(&folder.join("more"), 30);
    fs::remove_dir_all(folder.join("more/lying")).unwrap();
    fs::create_dir(folder.join("more/other")).unwrap();
    fs::copy(folder.join("more/standing/0.png"), folder.join("more/other/0.png")).unwrap();
    fs::copy(folder.join("more/standing/1.png"), folder.join("more/other/1.png")).unwrap();
    run(folder, &["evaluate", "model", "--data", "more"])
        .says(65, &["the class `other`", "does not know", "lying, standing"]);
    fs::rename(folder.join("more/other"), folder.join("more/lying")).unwrap();
    let all = json(folder, &["evaluate", "model", "--data", "more", "--json"]);
    assert_eq!(all["images"], 32);

    // A picture, a folder of them, and standard input; with the model's own classes and preparation.
    let told = run(folder, &["predict", "model", "bars/standing/0.png", "--top", "1"]);
    told.says(0, &[]);
    assert!(told.stdout.contains("made 8 × 8 pixels"), "{}", told.stdout);
    assert!(told.stdout.contains("bars/standing/0.png: standing ("), "{}", told.stdout);
    let all = json(folder, &["predict", "model", "bars/lying", "--json"]);
    let images = all["images"].as_array().unwrap();
    assert_eq!((images.len(), images[0]["top"].as_array().unwrap().len()), (60, 2));
    let right = images.iter().filter(|image| image["top"][0]["class"] == "lying").count();
    assert!(right > 50, "{right}");
    let picture = fs::File::open(folder.join("bars/standing/7.png")).unwrap();
    let piped = inkling()
        .current_dir(folder)
        .args(["predict", "model", "-"])
        .stdin(Stdio::from(picture))
        .output()
        .unwrap();
    assert!(done(&piped).stdout.contains("standard input: standing"), "{}", done(&piped).stdout);

    // The look inside knows classes and images too.
    let told = run(folder, &["look", "activations", "model", "--class", "standing", "--out", "seen"]);
    told.says(0, &[]);
    assert!(told.stdout.contains("standing"), "{}", told.stdout);

    // Again is nothing, and more epochs continue.
    run(folder, &["train", "--resume", "model"]).says(0, &["network mine: finished earlier"]);
    let longer = ["train", "mine.toml", "--data", "bars", "--epochs", "22", "--learning-rate", "0.01"];
    run(folder, &[&longer[..], &["--shift", "0.5", "--noise", "0.02", "--balanced"]].concat())
        .says(0, &["continuing from the finished training of 20 epochs"]);
}

#[test]
fn a_picture_that_is_unlike_the_images_is_noted_and_one_that_is_none_is_refused_alone() {
    let folder = place();
    let folder = folder.path();
    run(folder, &["train", "mine.toml", "--data", "bars", "--epochs", "1"]).says(0, &[]);
    let draw = |name: &str, paper: u8, ink: u8| {
        let mut pixels = vec![paper; 64 * 64];
        for y in 8..56 {
            pixels[y * 64 + 24..y * 64 + 32].fill(ink);
        }
        let file = fs::File::create(folder.join(name)).unwrap();
        let mut encoder = png::Encoder::new(file, 64, 64);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    };
    draw("paper.png", 255, 0);
    draw("blank.png", 90, 90);
    fs::write(folder.join("letter.png"), "Dear Sir or Madam").unwrap();
    let told = run(folder, &["predict", "model", "paper.png", "letter.png", "blank.png"]);
    told.says(65, &["`paper.png`: ", "`blank.png`: it is blank", "`letter.png` is no image"]);
    assert!(told.stdout.contains("paper.png: ") && told.stdout.contains("blank.png: "), "{}", told.stdout);
    let told = run(folder, &["predict", "model", "paper.png", "--invert", "--fit", "digit"]);
    told.says(0, &[]);
    assert!(told.stderr.is_empty() && told.stdout.contains("inverted"), "{} {}", told.stdout, told.stderr);
    fs::create_dir(folder.join("empty")).unwrap();
    run(folder, &["predict", "model", "empty"]).says(65, &["`empty` holds no picture"]);
    run(folder, &["predict", "model", "missing.png"]).says(74, &["cannot read `missing.png`"]);
    run(folder, &["predict", "nowhere", "paper.png"]).says(74, &["nowhere"]);
}

#[test]
fn training_that_may_stop_early_keeps_the_best_epoch_everywhere() {
    let folder = place();
    let folder = folder.path();
    // Steps so large that the validation loss does not fall for long.
    let told = run(
        folder,
        &[
            "train",
            "mine.toml",
            "--data",
            "bars",
            "--epochs",
            "60",
            "--learning-rate",
            "0.3",
            "--patience",
            "2",
            "--optimizer",
            "sgd",
        ],
    );
    told.says(0, &[]);
    let run_folder = fs::read_dir(folder.join("model/runs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let spec = fs::read(path.join("spec.json")).unwrap();
            serde_json::from_slice::<Value>(&spec).unwrap()["kind"] == "train"
        })
        .unwrap();
    let result: Value = serde_json::from_slice(&fs::read(run_folder.join("result.json")).unwrap()).unwrap();
    let outcome = &result["outcome"];
    assert_eq!(outcome["weights"], "best", "{outcome}");
    let best = outcome["best_epoch"].as_u64().unwrap() as usize;
    let epochs = outcome["epochs"].as_array().unwrap();
    assert!(best < epochs.len() && epochs.len() < 60, "{best} of {}", epochs.len());
    let right = &epochs[best - 1]["test"]["correct"];
    // The model's file, the report's numbers and the evaluation are of that epoch.
    let found = json(folder, &["evaluate", "model", "--json"]);
    assert_eq!(&found["heads"][0]["correct"], right);
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.join("model/summary.json")).unwrap()).unwrap();
    let accuracy = summary["tasks"]["network"]["networks"][0]["test_accuracy"].as_f64().unwrap();
    assert_eq!(accuracy, right.as_f64().unwrap() / 24.0);
    run(folder, &["look", "filters", "model", "--weights", "last", "--out", "seen"]).says(0, &[]);
}

#[test]
fn validation_images_of_the_source_choose_the_epoch() {
    let folder = place();
    let folder = folder.path();
    for (part, each) in [("train", 40), ("val", 10), ("test", 12)] {
        bars(&folder.join("parts").join(part), each);
    }
    let train = ["train", "mine.toml", "--data", "parts", "--epochs", "2"];
    let told = run(folder, &train);
    told.says(0, &["the set's own validation images"]);
    let study = fs::read_to_string(folder.join("model/study.toml")).unwrap();
    assert!(study.contains("own = true"), "{study}");
    let page = fs::read_to_string(folder.join("model/report.html")).unwrap();
    assert!(page.contains("The validation images are those of the data set"));
    let epochs = fs::read_dir(folder.join("model/runs"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path().join("metrics.jsonl")).unwrap_or_default())
        .find(|lines| lines.contains("\"validation\""))
        .unwrap();
    assert!(epochs.contains("\"validation\":{\"images\":20,"), "{epochs}");
    // A share of the training images, where it is asked for.
    run(folder, &[&train[..], &["--validation", "0.2", "--out", "drawn"]].concat()).says(0, &[]);
    let study = fs::read_to_string(folder.join("drawn/study.toml")).unwrap();
    assert!(study.contains("images = 16") && !study.contains("own = true"), "{study}");
}

#[test]
fn a_training_with_rounded_factors_says_so() {
    let folder = place();
    let folder = folder.path();
    let train = ["train", "mine.toml", "--data", "bars", "--epochs", "1", "--precision"];
    run(folder, &[&train[..], &["bfloat16"]].concat()).says(0, &[]);
    let study = fs::read_to_string(folder.join("model/study.toml")).unwrap();
    assert!(study.contains("precision = \"bfloat16\""), "{study}");
    let page = fs::read_to_string(folder.join("model/report.html")).unwrap();
    assert!(page.contains("rounded to bfloat16 in training steps"));
    run(folder, &[&train[..], &["float32", "--out", "usual"]].concat()).says(0, &[]);
    assert!(!fs::read_to_string(folder.join("usual/study.toml")).unwrap().contains("precision"));
    assert!(!fs::read_to_string(folder.join("usual/report.html")).unwrap().contains("bfloat16"));
    run(folder, &[&train[..], &["float16"]].concat()).says(2, &["float16", "float32, bfloat16"]);
}

#[test]
fn test_images_are_those_that_were_drawn_and_never_ones_that_were_trained_on() {
    let folder = place();
    let folder = folder.path();
    let train = ["train", "mine.toml", "--data", "bars", "--epochs", "1", "--seed", "9", "--test", "0.3"];
    run(folder, &train).says(0, &[]);
    let own = json(folder, &["evaluate", "model", "--json"]);
    assert_eq!(own["images"], 36);
    assert_eq!(json(folder, &["evaluate", "model", "--data", "./bars/", "--json"]), own);
    // What the refusal of a mixture of instructions advises is an option here too.
    // It had another name once, which old command lines have.
    for mixed in ["--mixed", "--mix-instructions"] {
        run(folder, &[&train[..], &[mixed]].concat()).says(0, &["finished earlier"]);
    }
}

#[test]
fn images_that_have_the_name_of_a_known_set_are_not_taken_for_it() {
    let folder = place();
    let folder = folder.path();
    fs::rename(folder.join("bars"), folder.join("mnist")).unwrap();
    run(folder, &["train", "mine.toml", "--data", "mnist", "--epochs", "1"]).says(0, &[]);
    let page = fs::read_to_string(folder.join("model/report.html")).unwrap();
    assert!(page.contains("mine on my mnist") && !page.contains("LeCun"));
    let study = fs::read_to_string(folder.join("model/study.toml")).unwrap().replace("my mnist", "mnist");
    fs::write(folder.join("wrong.toml"), study).unwrap();
    run(folder, &["study", "wrong.toml", "--out", "wrong"])
        .says(65, &["cannot be called `mnist`", "another `name`"]);
}

#[test]
fn what_cannot_be_trained_is_refused_with_what_to_do() {
    let folder = place();
    let folder = folder.path();
    run(folder, &["train", "mine", "--data", "bars"])
        .says(2, &["`mine` is neither a built-in network", "lenet-5"]);
    run(folder, &["train", "cnn", "--data", "leaves"])
        .says(2, &["`leaves` is neither a data set", "fashion-mnist"]);
    run(folder, &["train", "cnn"]).says(2, &["--data"]);
    run(folder, &["train", "mine.toml", "--data", "bars", "--patience", "2", "--validation", "0"])
        .says(2, &["--patience needs validation images"]);
    run(folder, &["train", "item-and-group", "--data", "bars"]).says(78, &["the network has 2 heads"]);
    let fixed = OPEN.replace("trunk = [", "input = [28, 28, 1]\ntrunk = [");
    fs::write(folder.join("fixed.toml"), fixed).unwrap();
    run(folder, &["train", "fixed.toml", "--data", "bars"])
        .says(78, &["does not fit bars", "28 × 28 × 1", "8 × 8 × 1", "leave `input`"]);
    let scores = OPEN.replace("layer = \"dense\", ", "layer = \"dense\", units = 5, ");
    fs::write(folder.join("scores.toml"), scores).unwrap();
    run(folder, &["train", "scores.toml", "--data", "bars"]).says(78, &["5 scores", "2 classes"]);
    assert!(!folder.join("model/study.json").exists());
    run(folder, &["train", "--resume", "model"]).says(65, &["holds no training"]);
    run(folder, &["study", "smoke", "--data", "bars", "--only", "perceptron"]).says(0, &[]);
    run(folder, &["train", "mine.toml", "--data", "bars", "--out", "out"])
        .says(73, &["holds the study smoke"]);
    run(folder, &["models"]).says(0, &[]);
}

#[test]
fn several_seeds_train_the_network_again_and_keep_what_there_is() {
    let folder = place();
    let folder = folder.path();
    let train = ["train", "mine.toml", "--data", "bars", "--epochs", "2", "--learning-rate", "0.01"];
    run(folder, &train).says(0, &["network mine: done"]);
    let told = run(folder, &[&train[..], &["--seeds", "3"]].concat());
    told.says(
        0,
        &["network mine: finished earlier", "network mine, seed 2: done", "network mine, seed 3: done"],
    );
    assert!(told.stdout.contains("mine, 3 seeds: test accuracy"), "{}", told.stdout);
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.join("model/summary.json")).unwrap()).unwrap();
    let seeds = &summary["tasks"]["network"]["seeds"];
    assert_eq!(summary["seeds"], serde_json::json!([1, 2, 3]));
    assert_eq!(seeds["networks"][0]["accuracies"].as_array().unwrap().len(), 3);
    let rows = fs::read_to_string(folder.join("model/tables/network_seeds.csv")).unwrap();
    assert!(rows.lines().nth(1).is_some_and(|line| line.starts_with("mine,class,")), "{rows}");
    // A network of another seed has a name.
    run(folder, &["look", "filters", "model", "--network", "network mine, seed 3"]).says(0, &[]);
    run(folder, &["train", "--resume", "model", "--seeds", "2"]).says(2, &["cannot be used with"]);
}
