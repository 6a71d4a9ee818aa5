//! `inkling look`: what it finds in networks of every kind, and what it says to what cannot be.

mod bad;
pub(crate) mod common;
mod files;
mod heads;
mod pictures;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::process::Stdio;

use crate::common::{done, inkling, run};
use common::{COLOUR, MLP, STUDY, found, look, model, picture};

#[test]
fn filters_of_the_network_that_the_study_looks_into_or_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let first = look(folder.path(), &["filters", &STUDY]);
    first.says(0, &["filters: done in"]);
    for words in ["cnn 3 conv (", "8 of 4×4×1 ", "32 of 4×4×16", "by chance", "Numbers: look/runs/"] {
        assert!(first.stdout.contains(words), "no {words:?} in {}", first.stdout);
    }
    assert!(first.stdout.lines().skip(1).all(|line| line.chars().count() <= 80), "{}", first.stdout);
    look(folder.path(), &["filters", &STUDY]).says(0, &["filters: finished earlier, not repeated"]);
    let judge = look(folder.path(), &["filters", &STUDY, "--network", "judge"]);
    assert!(judge.stdout.contains("inside judge ("), "{}", judge.stdout);
    let file = judge.stdout.split(['(', ')']).nth(1).unwrap();
    let by_file = found(folder.path(), &["filters", file, "--out", "other"]);
    let by_folder = Path::new(file).parent().unwrap().to_str().unwrap();
    let by_folder = found(folder.path(), &["filters", by_folder, "--out", "other"]);
    assert_eq!(by_file, by_folder);
    assert_eq!(by_file["result"]["outcome"]["layers"][2]["filters"], 32);
}

#[test]
fn activations_of_typical_images_of_numbered_ones_and_of_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let usual = look(folder.path(), &["activations", &STUDY]);
    usual.says(0, &["data: 70000 images", "activations: done in"]);
    let header = "layer    output";
    for words in ["predicted as", header, "in image 2", "differ most", "8 ", "each of the 10000 test images"]
    {
        assert!(usual.stdout.contains(words), "no {words:?} in {}", usual.stdout);
    }
    assert!(usual.stdout.lines().skip(1).all(|line| line.chars().count() <= 80), "{}", usual.stdout);

    picture(&folder.path().join("mine.png"), [28, 28], png::ColorType::Rgb);
    let arguments = ["--image", "mine.png", "--index", "5", "--index", "9999", "--class", "3"];
    let mixed = found(folder.path(), &[&["activations", &STUDY], &arguments[..]].concat());
    let outcome = &mixed["result"]["outcome"];
    let images = outcome["images"].as_array().unwrap();
    assert_eq!((&images[0]["class"], &images[0]["predicted"]), (&3.into(), &3.into()));
    assert_eq!((&images[1]["index"], &images[2]["index"]), (&5.into(), &9999.into()));
    assert_eq!((&images[3]["name"], &images[3]["class"]), (&"mine.png".into(), &().into()));
    assert_eq!((images.len(), &outcome["test_images"]), (4, &10_000.into()));
    assert_eq!(outcome["layers"][0]["zeros_of"].as_array().unwrap().len(), 4);
}

#[test]
fn a_network_of_colour_images_and_several_heads_without_a_known_set() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), COLOUR, None);
    let model = model.to_str().unwrap();
    let filters = look(folder.path(), &["filters", model]);
    assert!(filters.stdout.contains("5 of 3×3×3"), "{}", filters.stdout);
    picture(&folder.path().join("colour.png"), [10, 12], png::ColorType::Rgba);
    picture(&folder.path().join("grey.png"), [10, 12], png::ColorType::Grayscale);
    let two = ["activations", model, "--image", "colour.png", "--image", "grey.png"];
    let seen = look(folder.path(), &two);
    assert!(
        seen.stdout.contains("colour.png  unknown  ") && !seen.stdout.contains("dead"),
        "{}",
        seen.stdout
    );
    let seen = found(folder.path(), &two);
    assert_eq!(seen["result"]["outcome"]["layers"][0]["shape"], serde_json::json!([5, 6, 5]));

    let few = ["--steps", "3", "--seeds", "2"];
    for (objective, start, words) in [
        (
            &["--class", "2"][..],
            &["--from", "grey"][..],
            "3 steps from grey, raising the logit of class 2 (head `kind`)",
        ),
        (&["--class", "2", "--head", "hue", "--probability"], &[], "the probability of class 2 (head `hue`)"),
        (&["--neuron", "trunk.1:4,5,4"], &["--plain"], "raising `trunk.1` at [4, 5, 4]"),
        (&["--neuron", "hue.1:2"], &["--seed", "4"], "raising `hue.1` at [2]"),
        (&["--channel", "trunk.1:4"], &["--learning-rate", "0.2"], "the mean of channel 4 of `trunk.1`"),
        (
            &["--layer", "trunk.1"],
            &["--image", "grey.png"],
            "3 steps from `grey.png`, raising the mean square of `trunk.1`",
        ),
    ] {
        let dreamt = look(folder.path(), &[&["dream", model], objective, start, &few[..]].concat());
        dreamt.says(0, &["done in"]);
        assert!(dreamt.stdout.contains(words), "no {words:?} in {}", dreamt.stdout);
        assert!(dreamt.stdout.contains("\n      2  "), "two pictures: {}", dreamt.stdout);
    }
}

#[test]
fn what_is_asked_of_a_dream_rises() {
    let folder = tempfile::tempdir().unwrap();
    for objective in [
        &["--class", "2"][..],
        &["--class", "2", "--probability"],
        &["--class", "2", "--l2", "0", "--total-variation", "30"],
        &["--class", "2", "--plain"],
        &["--channel", "trunk.3:1"],
        &["--neuron", "trunk.5:3,3,4"],
        &["--layer", "trunk.3"],
    ] {
        let few = ["--steps", "60", "--seeds", "2"];
        let dreamt = found(folder.path(), &[&["dream", &STUDY], objective, &few[..]].concat());
        for picture in dreamt["result"]["outcome"]["pictures"].as_array().expect("pictures") {
            let at = |when: &str| picture[when]["objective"].as_f64().expect("a number");
            assert!(at("after") > at("before"), "{objective:?}: {picture}");
        }
    }
}

#[test]
fn a_network_of_dense_layers_and_classes_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), MLP, Some("fashion-mnist"));
    let model = model.to_str().unwrap();
    let dream =
        look(folder.path(), &["dream", model, "--class", "ankle boot", "--index", "3", "--steps", "4"]);
    dream.says(0, &["dreams of 9 Ankle boot: done in"]);
    assert!(
        dream.stdout.contains("4 steps from test image 3, raising the logit of class 9 Ankle boot"),
        "{}",
        dream.stdout
    );
    let seen = look(folder.path(), &["activations", model, "--index", "0"]);
    assert!(
        seen.stdout.contains("9 Ankle boot") && seen.stdout.contains("trunk.2  1×1×16"),
        "{}",
        seen.stdout
    );
    // The set is said to be another one, whose classes have other names.
    let seen = look(folder.path(), &["activations", model, "--index", "0", "--set", "mnist"]);
    assert!(seen.stdout.contains("test image 0  7 "), "{}", seen.stdout);
}

#[test]
fn the_same_look_is_done_once_and_gives_the_same_bytes_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let dream = |out: &str, threads: &str| {
        let animation = format!("{out}.gif");
        let options = ["--steps", "12", "--out", out, "--threads", threads, "--animation", &animation];
        look(folder.path(), &[&["dream", &STUDY, "--class", "2"], &options[..]].concat())
    };
    dream("one", "1").says(0, &["dreams of 2: done in"]);
    let arrays = |out: &str| {
        let runs: Vec<_> = fs::read_dir(folder.path().join(out).join("runs")).unwrap().collect();
        assert_eq!(runs.len(), 1);
        let file = runs[0].as_ref().unwrap().path().join("arrays.safetensors");
        (fs::read(&file).unwrap(), fs::metadata(&file).unwrap().modified().unwrap())
    };
    let (bytes, written) = arrays("one");
    dream("one", "1").says(0, &["dreams of 2: finished earlier, not repeated"]);
    assert_eq!(arrays("one").1, written);
    dream("two", "2").says(0, &["dreams of 2: done in"]);
    assert!(arrays("two").0 == bytes, "the same dream has the same bytes");
    let animation = |out: &str| fs::read(folder.path().join(format!("{out}.gif"))).unwrap();
    assert!(animation("one") == animation("two"), "and the same animation");
}

#[test]
fn a_dreams_way_as_an_animation() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), COLOUR, None);
    let dream = |file: &str, more: &[&str]| {
        let wanted = ["dream", model.to_str().unwrap(), "--class", "1", "--seeds", "2", "--animation", file];
        let done = look(folder.path(), &[&wanted, more].concat());
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        assert!(done.stdout.contains(&format!("Animation: {file}")), "{}", done.stdout);
        BufReader::new(File::open(folder.path().join(file)).unwrap())
    };
    let reader = png::Decoder::new(dream("way.png", &[])).read_info().unwrap();
    let info = reader.info();
    assert_eq!((info.width, info.height, info.color_type), (288, 240, png::ColorType::Rgb));
    assert_eq!(info.animation_control().unwrap().num_frames, 33);
    let mut way = gif::Decoder::new(dream("way.GIF", &["--steps", "9", "--frames", "4"])).unwrap();
    let mut frames = 0;
    while way.read_next_frame().unwrap().is_some() {
        frames += 1;
    }
    assert_eq!((way.width(), way.height(), frames), (288, 240, 4));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_long_dream_and_says_how_to_do_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), MLP, None);
    let child = inkling()
        .current_dir(folder.path())
        .args(["look", "dream", model.to_str().unwrap(), "--class", "1", "--steps", "1000000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = || fs::read_dir(folder.path().join("look/runs")).is_ok_and(|mut runs| runs.next().is_some());
    while !begun() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let stopped = done(&child.wait_with_output().unwrap());
    stopped
        .says(130, &["interrupted", "finished work is kept; to continue from there:", "inkling look dream"]);
}

#[test]
fn help_and_completions_know_what_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["look", "--help"]).stdout;
    for words in ["filters", "activations", "dream", "Examples", "model.safetensors"] {
        assert!(help.contains(words), "{help}");
    }
    let script = run(folder.path(), &["completions", "bash"]).stdout;
    for option in ["--neuron", "--animation", "--integration", "--network"] {
        assert_eq!(script.contains(option), option != "--integration", "{option}");
    }
}
