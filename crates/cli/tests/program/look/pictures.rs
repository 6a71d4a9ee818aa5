//! Pictures that a person brings: what is noted of them, and that `--invert` helps.

use std::fs;
use std::path::Path;

use super::common::{MLP, found, look, model};

/// A ring of this value on a background, 28 × 28 pixels; each pixel as `values` makes it.
fn ring(path: &Path, colour: png::ColorType, depth: png::BitDepth, values: impl Fn(bool) -> Vec<u8>) {
    let inside = |i: usize| (5..23).contains(&(i / 28)) && (9..19).contains(&(i % 28));
    let hole = |i: usize| (8..20).contains(&(i / 28)) && (12..16).contains(&(i % 28));
    let data: Vec<u8> = (0..784).flat_map(|i| values(inside(i) && !hole(i))).collect();
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), 28, 28);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(&data).unwrap();
}

#[test]
fn pictures_unlike_the_sets_are_noted_in_messages_results_and_json() {
    use png::BitDepth::{Eight, Sixteen};
    use png::ColorType::{Grayscale, Rgba};

    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), MLP, Some("mnist"));
    let model = model.to_str().unwrap();
    let at = |name: &str| folder.path().join(name);
    ring(&at("plain.png"), Grayscale, Eight, |ink| vec![if ink { 255 } else { 0 }]);
    ring(&at("inverted.png"), Grayscale, Eight, |ink| vec![if ink { 0 } else { 255 }]);
    ring(&at("ink.png"), Rgba, Eight, |ink| vec![0, 0, 0, if ink { 255 } else { 0 }]);
    ring(&at("low.png"), Grayscale, Sixteen, |ink| vec![0, if ink { 255 } else { 0 }]);
    ring(&at("blank.png"), Grayscale, Eight, |_| vec![255]);
    for (file, words) in [
        (
            "inverted.png",
            "it looks inverted: it is dark on light, and the images of MNIST are light on dark; try --invert",
        ),
        ("ink.png", "it is drawn in a dark colour on a transparent background"),
        ("low.png", "it has 16 bits per value, of which only the lower 8 are used"),
        ("blank.png", "it is blank: every value is 255 of 255"),
    ] {
        let note = format!("`{file}`: {words}");
        for what in [&["activations"][..], &["dream", "--class", "1", "--steps", "2"]] {
            let arguments = [what, &[model, "--image", file]].concat();
            let seen = look(folder.path(), &arguments);
            seen.says(0, &[&format!("note: {note}")]);
            assert!(seen.stdout.contains(&format!("Note: {note}")), "{}", seen.stdout);
            let notes = &found(folder.path(), &arguments)["result"]["outcome"]["notes"];
            assert!(notes[0].as_str().is_some_and(|found| found.contains(&note)), "{notes}");
        }
    }
    let plain = found(folder.path(), &["activations", model, "--image", "plain.png"]);
    assert_eq!(plain["result"]["outcome"].get("notes"), None);

    // Inverted, each of them is what the network knows: the same numbers as of the plain one.
    let numbers = |found: &serde_json::Value| {
        let image = &found["result"]["outcome"]["images"][0];
        (image["predicted"].clone(), image["logit"].clone())
    };
    for file in ["inverted.png", "ink.png"] {
        let seen = found(folder.path(), &["activations", model, "--image", file, "--invert"]);
        assert_eq!(seen["result"]["outcome"].get("notes"), None, "{file}");
        assert_eq!(numbers(&seen), numbers(&plain), "{file}");
        assert_eq!(seen["result"]["outcome"]["images"][0]["name"], format!("{file}, inverted"));
    }
    let twice = look(folder.path(), &["activations", model, "--image", "plain.png", "--invert"]);
    twice.says(0, &["`plain.png`: it looks inverted", "leave --invert out"]);
    look(folder.path(), &["activations", model, "--invert"]).says(2, &["--image <FILE.png>"]);
    look(folder.path(), &["dream", model, "--class", "1", "--invert"]).says(2, &["--image <FILE.png>"]);
}

#[test]
fn without_a_known_set_nothing_is_said_of_light_and_dark() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), MLP, None);
    let (model, picture) = (model.to_str().unwrap(), folder.path().join("paper.png"));
    let paper = |ink: bool| vec![if ink { 0 } else { 255 }];
    ring(&picture, png::ColorType::Grayscale, png::BitDepth::Eight, paper);
    let seen = look(folder.path(), &["activations", model, "--image", "paper.png"]);
    assert!(seen.code == Some(0) && !seen.stderr.contains("note"), "{}", seen.stderr);
    look(folder.path(), &["activations", model, "--image", "paper.png", "--set", "mnist"])
        .says(0, &["note: `paper.png`: it looks inverted"]);
}
