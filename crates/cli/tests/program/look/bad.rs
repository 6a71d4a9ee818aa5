//! Looks that cannot be: what the person reads, the exit code, and that nothing is left behind.

use std::fs;
use std::path::Path;

use crate::common::{copy_of_mnist, run};

use super::common::{COLOUR, MLP, STUDY, look, model, picture};

/// Asserts that a look is refused with this code and these words, and that no folder was made for it.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    look(folder, arguments).says(code, words);
    assert!(!folder.join("look").exists(), "something was begun");
}

#[test]
fn classes_that_do_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let mlp = model(folder.path(), MLP, Some("fashion-mnist"));
    let mlp = mlp.to_str().unwrap();
    let number = ["has no class 12", "its head `item` has the classes 0 to 9: T-shirt/top, Trouser"];
    for what in ["dream", "activations"] {
        refused(folder.path(), &[what, mlp, "--class", "12"], 2, &number);
        let near = ["has no class `pulover`", "did you mean `Pullover`?", "T-shirt/top, Trouser"];
        refused(folder.path(), &[what, mlp, "--class", "pulover"], 2, &near);
    }
    let bare = model(folder.path(), COLOUR, None);
    let words = ["has no class `red`", "its head `kind` has the classes 0 to 3"];
    refused(folder.path(), &["dream", bare.to_str().unwrap(), "--class", "red"], 2, &words);
}

#[test]
fn a_class_that_the_network_never_gets_right() {
    let folder = tempfile::tempdir().unwrap();
    let one = MLP.replace("units = 10", "units = 1");
    let model = model(folder.path(), &one, Some("mnist"));
    let words = ["has no class 2", "its head `item` has the classes 0 to 0"];
    refused(folder.path(), &["activations", model.to_str().unwrap(), "--class", "2"], 2, &words);
    // Labels that its head has no class for harm nothing.
    let only = look(folder.path(), &["activations", model.to_str().unwrap(), "--out", "only"]);
    assert!(only.code == Some(0) && only.stdout.contains("0      0"), "{}{}", only.stdout, only.stderr);
    let more = super::common::model(folder.path(), &MLP.replace("units = 10", "units = 300"), Some("mnist"));
    for class in ["150", "299"] {
        let words = format!("there is no test image of class {class}, so no image is typical");
        look(folder.path(), &["activations", more.to_str().unwrap(), "--class", class]).says(2, &[&words]);
    }
}

#[test]
fn layers_channels_and_places_that_do_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), COLOUR, None);
    let model = model.to_str().unwrap();
    let layers = "its layers are `trunk.1` (5×6×5), `kind.1` (4), `hue.1` (3)";
    for option in [["--layer", "trunk.2"], ["--channel", "trunk.2:0"], ["--neuron", "trunk.2:0,0,0"]] {
        refused(
            folder.path(),
            &["dream", model, option[0], option[1]],
            2,
            &["has no layer `trunk.2`", layers],
        );
    }
    for (option, words) in [
        (["--channel", "trunk.1:5"], ["`trunk.1` has no channel 5", "its output is 5×6×5"]),
        (
            ["--neuron", "trunk.1:5,0,0"],
            ["`trunk.1` has no place [5, 0, 0]", "row, column and channel, from 0"],
        ),
        (["--neuron", "trunk.1:5"], ["`trunk.1` has no place [5]", "row, column and channel, from 0"]),
        (["--neuron", "hue.1:3"], ["`hue.1` has no place [3]", "the unit's number, from 0"]),
    ] {
        refused(folder.path(), &["dream", model, option[0], option[1]], 2, &words);
    }
    let head = ["has no head `size`", "its heads are `kind`, `hue`"];
    refused(folder.path(), &["dream", model, "--class", "1", "--head", "size"], 2, &head);
}

#[test]
fn filters_of_a_network_without_convolutions() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), MLP, Some("mnist"));
    let words =
        ["no convolutions", "its layers are `trunk.2` (16), `item.1` (10)", "`activations` and `dream`"];
    refused(folder.path(), &["filters", model.to_str().unwrap()], 2, &words);
}

#[test]
fn pictures_that_are_none_or_of_another_size() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), COLOUR, None);
    let model = model.to_str().unwrap();
    picture(&folder.path().join("square.png"), [12, 12], png::ColorType::Rgb);
    fs::write(folder.path().join("photo.png"), b"\xff\xd8\xff\xe0 a JPEG").unwrap();
    let whole = fs::read(folder.path().join("square.png")).unwrap();
    fs::write(folder.path().join("half.png"), &whole[..whole.len() / 2]).unwrap();
    let size = ["`square.png` has 12×12×3", "the network takes 10×12×3", "cut or scale it"];
    for (file, code, words) in [
        ("square.png", 65, &size[..]),
        (
            "photo.png",
            65,
            &["photo.png cannot be read as a picture: it is a JPEG picture", "save the picture as PNG"],
        ),
        ("half.png", 65, &["half.png cannot be read as a picture: it is truncated"]),
        ("gone.png", 74, &["cannot read gone.png"]),
        (".", 74, &["cannot read ."]),
    ] {
        refused(folder.path(), &["activations", model, "--image", file], code, words);
        refused(folder.path(), &["dream", model, "--class", "1", "--image", file], code, words);
    }
    let two = super::common::model(folder.path(), &COLOUR.replace("12, 3]", "12, 2]"), None);
    let words = ["a picture is grey or in colour, and an image of 2 channels is neither"];
    refused(folder.path(), &["activations", two.to_str().unwrap(), "--image", "square.png"], 65, &words);
}

#[test]
fn models_that_are_missing_damaged_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read(model(folder.path(), MLP, None)).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("half.safetensors", &good[..good.len() / 2]);
    write("short.safetensors", &good[..5]);
    write("text.safetensors", b"this is no tensor file at all");
    let head = String::from_utf8_lossy(&good[..4000]).into_owned();
    let described = |from: &str, to: &str| {
        // The header's length stays: as long a text in the place of another.
        assert!(head.contains(from) && from.len() == to.len(), "{head}");
        let at = good.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        [&good[..at], to.as_bytes(), &good[at + from.len()..]].concat()
    };
    write("large.safetensors", &described(r#"\"units\":16"#, r#"\"units\":99"#));
    write("other.safetensors", &described("trunk.2.bias", "trunk.2.bios"));
    write("none.safetensors", &described("{\\\"input\\\"", "{\\\"inpvt\\\""));
    write("unfit.safetensors", &described(r#"\"layer\":\"flatten\""#, r#"\"layer\":\"relu\"   "#));
    fs::create_dir(folder.path().join("empty")).unwrap();
    for (file, code, words) in [
        ("gone.safetensors", 74, &["`gone.safetensors` cannot be read", "a run's folder"][..]),
        ("gone", 74, &["`gone` cannot be read"]),
        ("empty", 65, &["`empty` holds no trained network", "model.safetensors", "study.json"]),
        ("half.safetensors", 65, &["`half.safetensors` is damaged: its header promises"]),
        ("short.safetensors", 65, &["`short.safetensors` is damaged: it ends within its header"]),
        ("text.safetensors", 65, &["`text.safetensors` holds no trained network: it is a text file"]),
        (
            "large.safetensors",
            65,
            &[
                "`large.safetensors` does not hold the tensor `trunk.2.weight` as expected",
                "[784, 99] expected",
            ],
        ),
        ("other.safetensors", 65, &["`other.safetensors` does not hold the tensor `trunk.2.bias`"]),
        ("none.safetensors", 65, &["`none.safetensors` holds no trained network", "inpvt"]),
        ("unfit.safetensors", 65, &["`unfit.safetensors` cannot be built", "trunk 2 (dense)"]),
    ] {
        refused(folder.path(), &["dream", file, "--class", "1"], code, words);
    }
    // A tensor file, and no model.
    let out = fs::read_dir(Path::new(&*STUDY).join("runs")).unwrap();
    let arrays =
        out.map(|run| run.unwrap().path().join("arrays.safetensors")).find(|file| file.exists()).unwrap();
    let words = ["arrays.safetensors` holds no trained network: it describes no layers", "OUT/runs/*/model"];
    refused(folder.path(), &["filters", arrays.to_str().unwrap()], 65, &words);
}

#[test]
fn networks_that_a_study_does_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["trains no network called `4 conv`", "its networks are `cnn 3 conv`, `inside judge`"];
    refused(folder.path(), &["filters", &STUDY, "--network", "4 conv"], 2, &words);
    let model = model(folder.path(), MLP, None);
    let words = ["--network names a network of a study", "is not a study folder"];
    refused(folder.path(), &["filters", model.to_str().unwrap(), "--network", "mlp"], 2, &words);

    // A study that looks into none, and one that is not finished.
    let whole = Path::new(&*STUDY).join("study.json");
    let mut record: serde_json::Value = inkling_store::read_json(&whole).unwrap().unwrap();
    let write = |record: &serde_json::Value| {
        fs::create_dir_all(folder.path().join("mine/runs")).unwrap();
        fs::write(folder.path().join("mine/study.json"), inkling_store::sealed_json(record)).unwrap();
    };
    write(&record);
    let words = ["the network `cnn 3 conv` of the study in `mine` is not trained yet", "run the study again"];
    refused(folder.path(), &["filters", "mine"], 65, &words);
    let trained = record["runs"].as_array_mut().unwrap().iter_mut().find(|run| run["title"] == "judge");
    trained.unwrap()["title"] = "3 conv".into();
    write(&record);
    let words = ["trains several networks called `3 conv`", "say which: `cnn 3 conv`, `inside 3 conv`"];
    refused(folder.path(), &["filters", "mine", "--network", "3 conv"], 2, &words);
    record["study"].as_object_mut().unwrap().remove("inside");
    write(&record);
    let words = ["the study in `mine` looks inside no network itself", "--network", "`cnn 3 conv`"];
    refused(folder.path(), &["filters", "mine"], 2, &words);
    fs::write(folder.path().join("mine/study.json"), "{").unwrap();
    refused(folder.path(), &["filters", "mine"], 65, &["study.json` is damaged"]);
}

#[test]
fn sets_and_test_images_that_do_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    for what in [&["activations"][..], &["dream", "--class", "1"]] {
        let asked = |more: &[&'static str]| [what, &[&**STUDY], more].concat();
        let words = ["there is no test image 10000", "the set has the test images 0 to 9999"];
        refused(folder.path(), &asked(&["--index", "10000"]), 2, &words);
        refused(folder.path(), &asked(&["--index", "1", "--set", "mnits"]), 2, &["did you mean 'mnist'?"]);
        refused(folder.path(), &asked(&["--index", "1", "--data", "nowhere"]), 74, &["cannot find MNIST's"]);
        let model = model(folder.path(), COLOUR, Some("my own"));
        let of = [what, &[model.to_str().unwrap(), "--index", "1"]].concat();
        let words = ["not known which data set", "name it with --set (the sets are mnist, fashion-mnist)"];
        refused(folder.path(), &of, 2, &words);
        let words = ["an image of MNIST has 28×28×1", "the network takes 10×12×3"];
        refused(folder.path(), &[&of[..], &["--set", "mnist"]].concat(), 65, &words);
    }
    let model = model(folder.path(), COLOUR, None);
    let words = ["not known which data set the network was trained on"];
    refused(folder.path(), &["activations", model.to_str().unwrap()], 2, &words);

    let mnist = copy_of_mnist(folder.path());
    fs::write(mnist.join("t10k-labels-idx1-ubyte.gz"), "nothing").unwrap();
    let words = ["t10k-labels-idx1-ubyte.gz is not a valid IDX file"];
    refused(folder.path(), &["activations", &STUDY, "--data", "."], 65, &words);
}

#[test]
fn options_that_contradict_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), COLOUR, None);
    let dream = ["dream", model.to_str().unwrap()];
    for (options, words) in [
        (&[][..], &["required", "--class <CLASS>|--neuron"][..]),
        (
            &["--class", "1", "--layer", "trunk.1"],
            &["'--class <CLASS>' cannot be used with '--layer <LAYER>'"],
        ),
        (&["--layer", "trunk.1", "--probability"], &["cannot be used with"]),
        (&["--layer", "trunk.1", "--head", "hue"], &["cannot be used with"]),
        (&["--class", "1", "--from", "grey", "--index", "3"], &["cannot be used with"]),
        (&["--class", "1", "--from", "white"], &["white", "noise, grey"]),
        (&["--class", "1", "--image", "a.png", "--index", "3"], &["cannot be used with"]),
        (&["--class", "1", "--frames", "9"], &["required", "--animation"]),
        (&["--class", "1", "--animation", "way.mp4"], &["way.mp4", "a file name that ends in .png or .gif"]),
        (&["--class", "1", "--steps", "0"], &["--steps", "at least 1"]),
        (&["--class", "1", "--seeds", "0"], &["--seeds", "from 1 to 64"]),
        (&["--class", "1", "--learning-rate", "nan"], &["nan", "a finite number above 0"]),
        (&["--channel", "trunk.1"], &["a layer and a channel of it, such as trunk.1:3"]),
        (&["--neuron", "trunk.1:1,2"], &["a layer and a place in it, such as trunk.1:3,5,0"]),
        (
            &["--class", "1", "--animation", "a.png", "--steps", "4", "--frames", "9"],
            &["cannot keep 9 frames of an ascent of 4 steps", "from 2 to 5 here"],
        ),
    ] {
        refused(folder.path(), &[&dream, options].concat(), 2, words);
    }
    run(folder.path(), &["look"]).says(2, &["filters", "activations", "dream"]);
    run(folder.path(), &["look", "dreams"]).says(2, &["dreams", "a similar subcommand exists: 'dream'"]);
}

#[test]
fn places_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), COLOUR, None);
    let model = model.to_str().unwrap();
    fs::write(folder.path().join("file"), "not a folder").unwrap();
    let out = ["filters", model, "--out", "file"];
    look(folder.path(), &out).says(73, &["cannot write", "a file stands where a folder is needed"]);
    let animation = ["dream", model, "--class", "1", "--steps", "2", "--animation", "nowhere/a.png"];
    look(folder.path(), &animation).says(73, &["`nowhere/a.png` cannot be written: there is no folder"]);
    let taken = ["dream", model, "--class", "1", "--steps", "2", "--animation", "mine.gif"];
    fs::write(folder.path().join("mine.gif"), "notes under a wrong name").unwrap();
    look(folder.path(), &taken)
        .says(73, &["`mine.gif` exists and is not an animation of this program", "help"]);
}
