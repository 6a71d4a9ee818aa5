//! Files that are no models of this program, or whose numbers are none: named for what they are.

use std::fs;
use std::time::{Duration, Instant};

use inkling_engine::NamedTensor;

use super::common::{COLOUR, MLP, changed_model, look, model};

/// Every kind of look at a model.
const LOOKS: [(&str, &[&str]); 3] =
    [("filters", &[]), ("activations", &["--image", "a.png"]), ("dream", &["--class", "1", "--steps", "2"])];

#[test]
fn files_of_other_programs_are_named_for_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let torch = b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\x12\0archive/data.pkl";
    for (name, bytes, words) in [
        ("model.pt", &torch[..], "it is a PyTorch file"),
        ("old.pth", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P", "it is a Python pickle"),
        ("model.h5", b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08", "it is an HDF5 file"),
        (
            "model.keras",
            b"PK\x03\x04\x14\0\0\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x0d\0\0\0metadata.json{}",
            "it is a Keras model",
        ),
        ("model.onnx", b"\x08\x08\x12\x07pytorch\x1a\x052.1.0", "it is an ONNX model"),
        (
            "model.npz",
            b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0w.npy",
            "it is a NumPy archive",
        ),
        (
            "pointer.safetensors",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "a pointer of Git LFS",
        ),
        ("page.safetensors", b"<!doctype html><title>404</title>", "it is an HTML page"),
        ("nothing.safetensors", b"", "it is an empty file"),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        for (what, rest) in LOOKS {
            let words = [
                &format!("`{name}` holds no trained network: "),
                words,
                "help",
                "Networks of other programs are not converted",
            ];
            look(folder.path(), &[&[what, name][..], rest].concat()).says(65, &words);
        }
    }
    assert!(!folder.path().join("look").exists(), "something was begun");
}

#[test]
fn a_file_that_is_no_model_is_known_before_all_of_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let sparse = fs::File::create(folder.path().join("x.safetensors")).unwrap();
    sparse.set_len(1 << 32).unwrap();
    let start = Instant::now();
    look(folder.path(), &["filters", "x.safetensors"]).says(65, &["x.safetensors"]);
    // Reading it takes many times as long on any machine.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn numbers_that_are_not_finite_have_one_message_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    super::common::picture(&folder.path().join("a.png"), [10, 12], png::ColorType::Rgb);
    for (value, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let spoil = |arrays: &mut Vec<NamedTensor>| {
            let weight = arrays.iter_mut().find(|array| array.name == "trunk.1.weight").unwrap();
            // Of the shape 3 × 3 × 3 × 5: at [1, 0, 2, 4], and a later one.
            (weight.values[59], weight.values[100]) = (value, f32::NAN);
        };
        let model = changed_model(folder.path(), COLOUR, None, &"none", spoil);
        let words = format!(
            "holds the tensor `trunk.1.weight` with 2 of 135 values that are not finite numbers, the first of them {shown} at [1, 0, 2, 4]"
        );
        for (what, rest) in LOOKS {
            let arguments = [&[what, model.to_str().unwrap()][..], rest].concat();
            look(folder.path(), &arguments).says(65, &["model.safetensors", &words, "help"]);
        }
    }
    assert!(!folder.path().join("look").exists(), "something was begun");
}

#[test]
fn weights_that_overflow_are_told_and_nothing_that_is_not_finite_is_published() {
    let folder = tempfile::tempdir().unwrap();
    super::common::picture(&folder.path().join("a.png"), [28, 28], png::ColorType::Grayscale);
    let huge = |arrays: &mut Vec<NamedTensor>| arrays.iter_mut().for_each(|array| array.values.fill(1e38));
    let model = changed_model(folder.path(), MLP, None, &"none", huge);
    let activations = ["activations", model.to_str().unwrap(), "--image", "a.png"];
    let first = look(folder.path(), &activations);
    first.says(0, &["activations"]);
    assert!(first.stdout.contains("too large for 32-bit arithmetic"), "{}", first.stdout);
    // What was published can be read, and is finite, or it would be done again.
    look(folder.path(), &activations).says(0, &["not repeated"]);
    let found = super::common::found(folder.path(), &activations);
    assert_eq!(found["result"]["outcome"]["overflow"], true);
    let image = &found["result"]["outcome"]["images"][0];
    for number in ["logit", "black_logit", "integrated_sum", "probability"] {
        assert!(image[number].is_f64(), "{number} in {image}");
    }
}

#[test]
fn a_dream_whose_start_the_network_answers_with_no_finite_number_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let huge = |arrays: &mut Vec<NamedTensor>| arrays.iter_mut().for_each(|array| array.values.fill(1e38));
    let model = changed_model(folder.path(), MLP, None, &"none", huge);
    let model = model.to_str().unwrap();
    for goal in [&["--class", "1"][..], &["--class", "1", "--probability"], &["--layer", "trunk.2"]] {
        for start in ["noise", "grey"] {
            let asked = [&["dream", model, "--steps", "2", "--from", start][..], goal].concat();
            let said = look(folder.path(), &asked);
            said.says(0, &[]);
            assert!(said.stdout.contains("not finite"), "{}", said.stdout);
            assert!(said.stdout.contains("Not finite: the output for the start"), "{}", said.stdout);
            assert!(!said.stdout.contains("→") && !said.stdout.contains("diverged"), "{}", said.stdout);
            let found = super::common::found(folder.path(), &asked);
            let pictures = found["result"]["outcome"]["pictures"].as_array().unwrap();
            assert!(
                !pictures.is_empty() && pictures.iter().all(|picture| picture["diverged"] == 0),
                "{found}"
            );
        }
    }
}

#[test]
fn an_image_that_is_typical_of_a_class_of_which_none_is_right_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // Whatever the image, it is predicted as a 0.
    let zero = |arrays: &mut Vec<NamedTensor>| {
        let bias = arrays.iter_mut().find(|array| array.name == "item.1.bias").unwrap();
        bias.values[0] = 1e6;
    };
    let model = changed_model(folder.path(), MLP, Some("mnist"), &"none", zero);
    let model = model.to_str().unwrap();
    let note =
        |class: &str| format!("Note: the network classifies no test image of class {class} correctly, so ");
    for what in [&["activations"][..], &["dream", "--class", "1", "--steps", "2"]] {
        let ask = |class: &str| {
            let image = if what[0] == "dream" {
                // The test images begin 7, 2, 1, 0.
                vec!["--index", if class == "5" { "8" } else { "3" }]
            } else {
                vec!["--class", class]
            };
            look(folder.path(), &[what, &[model], &image].concat())
        };
        let (wrong, right) = (ask("5"), ask("0"));
        wrong.says(0, &[]);
        right.says(0, &[]);
        assert_eq!(wrong.stdout.contains(&note("5")), what[0] == "activations", "{}", wrong.stdout);
        assert!(!right.stdout.contains("Note: the network gets no"), "{}", right.stdout);
    }
}

#[test]
fn what_is_no_regular_file_is_no_model_and_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let words =
        ["the trained network `", "cannot be read: it is not a regular file", "help", "write it to a file"];
    let mut none = vec!["/dev/null".to_owned()];
    let pipe = folder.path().join("pipe.safetensors");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    none.push(pipe.to_str().unwrap().into());
    for file in none {
        for (what, rest) in LOOKS {
            let begun = Instant::now();
            look(folder.path(), &[&[what, &*file][..], rest].concat()).says(65, &words);
            assert!(begun.elapsed() < Duration::from_secs(60));
        }
    }
}

#[test]
fn a_model_of_another_format_is_told_both() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read(model(folder.path(), MLP, None)).unwrap();
    let header = usize::try_from(u64::from_le_bytes(good[..8].try_into().unwrap())).unwrap();
    let text = String::from_utf8(good[8..8 + header].to_vec()).unwrap();
    for format in ["2", "pt", ""] {
        let entry = format!("\"__metadata__\":{{\"format\":\"{format}\",");
        let changed = text.replacen("\"__metadata__\":{", &entry, 1);
        let length = (changed.len() as u64).to_le_bytes();
        let bytes = [&length[..], changed.as_bytes(), &good[8 + header..]].concat();
        fs::write(folder.path().join("other.safetensors"), bytes).unwrap();
        let has = format!("it has the format `{format}`, and this program reads the format 1");
        let words = ["`other.safetensors` holds no trained network: ", &has, "help"];
        for (what, rest) in LOOKS {
            look(folder.path(), &[&[what, "other.safetensors"][..], rest].concat()).says(65, &words);
        }
    }
}

#[test]
fn tensors_that_do_not_fit_the_layers_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let extra = |arrays: &mut Vec<NamedTensor>| {
        arrays.push(NamedTensor { name: "trunk.9.weight".into(), shape: vec![1], values: vec![0.5] });
    };
    let file = changed_model(folder.path(), MLP, None, &"none", extra);
    let dream = |file: &str| look(folder.path(), &["dream", file, "--class", "1", "--steps", "2"]);
    dream(file.to_str().unwrap()).says(65, &["holds the tensor `trunk.9.weight`, which none of the layers"]);
    let missing = |arrays: &mut Vec<NamedTensor>| arrays.retain(|array| array.name != "item.1.bias");
    let file = changed_model(folder.path(), MLP, None, &"none", missing);
    let words =
        ["does not hold the tensor `item.1.bias` as expected", "there is none of this name", "help", "f32"];
    dream(file.to_str().unwrap()).says(65, &words);
    assert!(!dream(file.to_str().unwrap()).stderr.contains("remove"), "a person's own file stays");

    // Half as many bits: the header says so in as many letters, and the shape makes up for the bytes.
    let good = fs::read(model(folder.path(), MLP, None)).unwrap();
    let header = usize::try_from(u64::from_le_bytes(good[..8].try_into().unwrap())).unwrap();
    let text = String::from_utf8(good[8..8 + header].to_vec()).unwrap();
    let bias = text.find("\"trunk.2.bias\"").unwrap();
    let at = bias + text[bias..].find("\"F32\"").unwrap();
    for (dtype, width) in [("F16", 2), ("F64", 8), ("I32", 4)] {
        let shape = format!("[{}]", 16 * 4 / width);
        let changed = format!("{}\"{dtype}\"{}", &text[..at], text[at + 5..].replacen("[16]", &shape, 1));
        let padded = format!("{changed:<header$}");
        let bytes =
            [&(padded.len() as u64).to_le_bytes()[..], padded.as_bytes(), &good[8 + header..]].concat();
        fs::write(folder.path().join("other.safetensors"), bytes).unwrap();
        let words = ["the tensor `trunk.2.bias` as expected: F32 of shape [16] expected", dtype];
        dream("other.safetensors").says(65, &words);
    }
}
