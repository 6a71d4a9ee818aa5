//! Networks and metrics for other programs, and networks and weights from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::bundle::common::copy_folder;
use crate::common::{Done, run};
use crate::own::bars;

/// A network whose dense layer comes after several channels, so that other programs have its inputs in another order.
const NETWORK: &str = r#"
input = [8, 8, 1]
trunk = [
    { layer = "conv2d", filters = 3, kernel_size = [3, 3], stride = [2, 2], padding = "same", initializer = "he-uniform" },
    { layer = "batch-norm", epsilon = 1e-5, momentum = 0.1 },
    { layer = "relu" },
    { layer = "flatten" },
]
[[heads]]
name = "class"
layers = [{ layer = "dense", units = 2, initializer = "glorot-uniform" }]
"#;

/// A folder with a training of that network, made once.
pub(crate) static TRAINING: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exchange");
    let _ = fs::remove_dir_all(&folder);
    bars(&folder.join("bars"), 40);
    fs::write(folder.join("mine.toml"), NETWORK).unwrap();
    run(&folder, &["train", "mine.toml", "--data", "bars", "--epochs", "8"]).says(0, &["finished in"]);
    folder
});

/// Exports the training from this folder.
fn export(folder: &Path, arguments: &[&str]) -> Done {
    let model = TRAINING.join("model");
    let words: Vec<&str> =
        ["export", model.to_str().unwrap()].into_iter().chain(arguments.iter().copied()).collect();
    run(folder, &words)
}

/// The exported network gives the same answers after it came back in any way.
#[test]
fn a_network_comes_back_from_onnx_pytorch_and_keras_as_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let done = export(folder, &["--onnx", "a.onnx", "--pytorch", "torch", "--keras", "keras"]);
    done.says(0, &[]);
    for words in ["a.onnx: network mine", "opset 17", "torch: network mine", "model.py, weights.safetensors"]
    {
        assert!(done.stdout.contains(words), "no {words:?} in {}", done.stdout);
    }
    let module = fs::read_to_string(folder.join("torch/model.py")).unwrap();
    assert!(module.contains("class Network(nn.Module)") && module.contains("nn.BatchNorm2d(3"), "{module}");
    assert!(fs::read_to_string(folder.join("keras/model.py")).unwrap().contains("keras"));

    run(folder, &["import", "a.onnx", "--out", "onnx.safetensors"]).says(0, &[]);
    let network = TRAINING.join("mine.toml");
    for program in ["pytorch", "keras"] {
        let weights = format!("{}/weights.safetensors", program.trim_start_matches("py"));
        let (flag, out) = (format!("--{program}"), format!("{program}.safetensors"));
        let network = network.to_str().unwrap();
        let done = run(folder, &["import", &flag, &weights, "--network", network, "--out", &out]);
        done.says(0, &[]);
        assert!(done.stdout.contains("`trunk.1.weight` from `"), "{}", done.stdout);
    }
    // Whatever way they came, the weights go to PyTorch as they went at first.
    let first = fs::read(folder.join("torch/weights.safetensors")).unwrap();
    for name in ["onnx", "pytorch", "keras"] {
        let (model, again) = (format!("{name}.safetensors"), format!("again-{name}"));
        run(folder, &["export", &model, "--pytorch", &again]).says(0, &[]);
        assert!(fs::read(folder.join(again).join("weights.safetensors")).unwrap() == first, "{name}");
    }

    // What came back goes out as the same bytes.
    run(folder, &["export", "onnx.safetensors", "--onnx", "b.onnx"]).says(0, &[]);
    assert!(fs::read(folder.join("a.onnx")).unwrap() == fs::read(folder.join("b.onnx")).unwrap());
}

#[test]
fn a_studys_metrics_and_networks_are_written_for_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let done = export(folder, &["--metrics", "m.csv", "--tensorboard", "logs", "--peers", "peers"]);
    done.says(0, &[]);
    let table = fs::read_to_string(folder.join("m.csv")).unwrap();
    assert!(table.starts_with("run,task,network,data_set,head,part,epoch,step,metric,value"), "{table}");
    assert!(
        table.lines().any(|line| line.contains(",bars,class,test,8,") && line.contains(",accuracy,")),
        "{table}"
    );
    assert!(fs::read_dir(folder.join("logs/network/mine")).unwrap().count() == 1);
    assert!(folder.join("logs/figures").is_dir());
    // 16 test images, and what comes out of the layer before the scores.
    let features = fs::read_to_string(folder.join("logs/features/embedding-1/tensors.tsv")).unwrap();
    assert_eq!((features.lines().count(), features.lines().next().unwrap().split('\t').count()), (16, 48));
    assert!(folder.join("logs/features/embedding-1/sprite.png").is_file());
    for file in [
        "README.md",
        "reproduce.py",
        "train.py",
        "network-mine/pytorch/model.py",
        "network-mine/keras/model.py",
    ] {
        assert!(folder.join("peers").join(file).is_file(), "{file}");
    }
    // A table is written again, and nothing else.
    export(folder, &["--metrics", "m.csv"]).says(0, &[]);
    for (arguments, words) in [
        (&["--peers", "peers"][..], "is not an empty folder"),
        (&["--tensorboard", "logs"], "is not an empty folder"),
    ] {
        export(folder, arguments).says(73, &[words]);
    }
}

#[test]
fn the_arrays_of_a_run_are_written_for_numpy() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let done = export(folder, &["--arrays", "a.npz"]);
    done.says(0, &[]);
    let told = "a.npz: network mine: test_labels, test_logits, test_predictions";
    assert!(done.stdout.contains(told), "{}", done.stdout);
    let bytes = fs::read(folder.join("a.npz")).unwrap();
    assert!(bytes.starts_with(b"PK") && bytes.windows(15).any(|name| name == b"test_logits.npy"));
    // The same run by its name, and in its own folder; the file is written again.
    let record = inkling_store::read_json::<Value>(&TRAINING.join("model/study.json"));
    let run_of = record.unwrap().unwrap()["runs"][0].clone();
    let (id, title) = (run_of["id"].as_str().unwrap(), run_of["title"].as_str().unwrap());
    export(folder, &["--arrays", "a.npz", "--run", title]).says(0, &[]);
    export(folder, &["--arrays", "b.npz", "--run", id]).says(0, &[]);
    let own = TRAINING.join("model/runs").join(id);
    run(folder, &["export", own.to_str().unwrap(), "--arrays", "c.npz"]).says(0, &[]);
    for name in ["a.npz", "b.npz", "c.npz"] {
        assert!(fs::read(folder.join(name)).unwrap() == bytes, "{name}");
    }
    fs::write(folder.join("notes.npz"), "mine").unwrap();
    export(folder, &["--arrays", "notes.npz"]).says(73, &["is not an NPZ file"]);
    export(folder, &["--arrays", "a.zip"]).says(2, &["end it with .npz"]);
    export(folder, &["--arrays", "d.npz", "--run", "mime"]).says(2, &["no run `mime`", "`network mine`"]);
    export(folder, &["--metrics", "m.csv", "--run", title]).says(2, &["--arrays"]);
    export(folder, &["--pytorch", "torch"]).says(0, &[]);
    let model = own.join("model.safetensors");
    fs::copy(model, folder.join("alone.safetensors")).unwrap();
    run(folder, &["export", "alone.safetensors", "--arrays", "d.npz"])
        .says(65, &["without the run that trained it"]);
    assert!(!folder.join("d.npz").exists());
}

/// What a script of ours found in another library is told in the report, if it is of this study.
#[test]
fn what_other_libraries_counted_becomes_a_sentence_of_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let study = folder.join("model");
    copy_folder(&TRAINING.join("model"), &study);
    run(folder, &["export", "model", "--peers", "peers"]).says(0, &[]);
    let networks: Value =
        serde_json::from_slice(&fs::read(folder.join("peers/networks.json")).unwrap()).unwrap();
    let network = &networks["networks"][0];
    let mut head = network["heads"][0].clone();
    head.as_object_mut().unwrap().remove("groups");
    head["found"] = json!([{ "correct": head["correct"], "ties": 0 }]);
    let counts = json!({
        "finished": "2026-11-28T09:00:00Z",
        "libraries": [{ "name": "PyTorch", "version": "2.15.0" }],
        "networks": [{ "run": network["run"], "heads": [head] }],
    });
    let page = || fs::read_to_string(study.join("report.html")).unwrap().replace('\u{a0}', " ");
    let sealed = inkling_store::sealed_json(&counts);
    fs::write(study.join("peers.json"), &sealed).unwrap();
    run(folder, &["report", "model"]).says(0, &[]);
    let told =
        "PyTorch 2.15.0 gave the same counts of right answers as Inkling for the only exported network";
    assert!(page().split_whitespace().collect::<Vec<_>>().join(" ").contains(told));
    // A digit that was changed, and counts of another study: the report says nothing, and the person is told.
    let changed = String::from_utf8(sealed).unwrap().replace("2.15.0", "2.15.1");
    let mut others = counts;
    others["networks"][0]["run"] = "0123456789abcdef".into();
    let others = String::from_utf8(inkling_store::sealed_json(&others)).unwrap();
    for (text, words) in [(changed, "the SHA-256"), (others, "none of this study's networks")] {
        fs::write(study.join("peers.json"), text).unwrap();
        let warning = ["warning: model/peers.json is not taken up in the report", words];
        run(folder, &["report", "model"]).says(0, &warning);
        assert!(!page().contains("right answers as Inkling"));
    }
}

/// Event files of each run in a folder.
fn logs(folder: &Path) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .filter(|entry| {
            entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("events.out.tfevents.")
        })
        .count()
}

#[test]
fn a_training_is_followed_by_tensorboard_and_written_whole_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let network = TRAINING.join("mine.toml");
    let bars = TRAINING.join("bars");
    let [network, bars] = [&network, &bars].map(|path| path.to_str().unwrap());
    let train = ["train", network, "--data", bars, "--tensorboard", "logs", "--epochs"];
    run(folder.path(), &[&train[..], &["2"]].concat()).says(0, &["finished in"]);
    let mine = folder.path().join("logs/network/mine");
    // One while it was trained, and one with everything.
    assert_eq!(logs(&mine), 2);
    // Histograms after each epoch are a run of their own, which nothing writes anew.
    assert_eq!(logs(&mine.join("epochs")), 1);
    assert_eq!((logs(&folder.path().join("logs")), logs(&folder.path().join("logs/figures"))), (1, 1));
    // What is continued is written from there on, and then whole again.
    run(folder.path(), &[&train[..], &["3"]].concat()).says(0, &["finished in"]);
    assert_eq!((logs(&mine), logs(&mine.join("epochs"))), (4, 2));
    // Where no folder can be, nothing is trained in vain.
    fs::write(folder.path().join("file"), "mine").unwrap();
    let train =
        ["train", network, "--data", bars, "--tensorboard", "file", "--out", "other", "--epochs", "2"];
    run(folder.path(), &train).says(73, &["`file`", "help:"]);
    assert!(!folder.path().join("other").exists());
}

#[test]
fn what_cannot_be_exported_or_imported_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("notes.onnx"), "mine").unwrap();
    export(folder, &["--onnx", "notes.onnx"]).says(73, &["is not an ONNX file of this program"]);
    export(folder, &["--metrics", "m.xls"]).says(2, &[".csv, .json or .parquet"]);
    export(folder, &["--onnx", "gone/a.onnx"]).says(73, &["there is no folder"]);
    export(folder, &[]).says(2, &["--onnx"]);
    run(folder, &["export", folder.to_str().unwrap(), "--metrics", "m.csv"]).says(65, &["holds no study"]);
    run(folder, &["import", "notes.onnx"]).says(65, &["`notes.onnx`: it is no ONNX file"]);
    run(folder, &["import", "gone.onnx"]).says(74, &["cannot be read"]);
    run(folder, &["import", "--pytorch", "notes.onnx"]).says(2, &["--network"]);
    export(folder, &["--pytorch", "torch"]).says(0, &[]);
    let weights = ["import", "--pytorch", "torch/weights.safetensors", "--network"];
    run(folder, &[&weights[..], &["lenet-5"]].concat()).says(65, &["`trunk.1.weight` [6, 1, 5, 5]", "help:"]);
    fs::write(folder.join("open.toml"), NETWORK.replace("input = [8, 8, 1]", "")).unwrap();
    run(folder, &[&weights[..], &["open.toml"]].concat()).says(78, &["leaves the shape of its images open"]);
    // Names of classes that are not those of the network's scores.
    let mine = TRAINING.join("mine.toml");
    let with_names = [&weights[..], &[mine.to_str().unwrap(), "--classes", "names.txt"]].concat();
    for (names, words) in [
        ("lying\n", "it names 1 classes, and the network has scores for 2"),
        ("bar\nbar\n", "it names the class `bar` twice"),
    ] {
        fs::write(folder.join("names.txt"), names).unwrap();
        run(folder, &with_names).says(65, &["`names.txt`:", words, "a line each"]);
    }
    assert!(!folder.join("model.safetensors").exists(), "nothing is imported by half");
    // With the right ones, images are evaluated by the names of their folders.
    fs::write(folder.join("names.txt"), "lying\nstanding\n").unwrap();
    run(folder, &with_names).says(0, &[]);
    let bars = TRAINING.join("bars");
    let done = run(folder, &["evaluate", "model.safetensors", "--data", bars.to_str().unwrap()]);
    done.says(0, &[]);
    assert!(done.stdout.contains("standing"), "{}", done.stdout);
}
