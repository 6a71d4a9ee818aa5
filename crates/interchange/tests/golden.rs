//! Weights from PyTorch and Keras under these libraries' own names: the engine computes the libraries' scores from them.
//! `golden/make.py` writes the files.

use std::convert::Infallible;
use std::fs;
use std::path::Path;

use inkling_engine::{Network, StateKind};
use inkling_interchange::{Convention, Match, Reason, weights_from};
use inkling_schema::ModelSpec;
use safetensors::SafeTensors;

fn read(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)).unwrap()
}

fn values(file: &SafeTensors, name: &str) -> Vec<f32> {
    let view = file.tensor(name).unwrap();
    view.data().chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

/// Compares the scores, and gives what matched.
fn matched(library: &str, from: Convention) -> Vec<Match> {
    let model =
        ModelSpec::from_toml("foreign.toml", std::str::from_utf8(&read("foreign.toml")).unwrap()).unwrap();
    let (tensors, matches) = weights_from(&model, &read(&format!("{library}.safetensors")), from).unwrap();
    let mut network = Network::new(&model, 1).unwrap();
    let mut tensors = tensors.into_iter();
    network
        .load_state_dict(StateKind::Values, |name, shape| {
            let tensor = tensors.next().unwrap();
            assert_eq!((tensor.name.as_str(), tensor.shape.as_slice()), (name, shape));
            Ok::<_, Infallible>(tensor.values)
        })
        .unwrap();
    assert!(tensors.next().is_none());
    let bytes = read(&format!("{library}-scores.safetensors"));
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (images, expected) = (values(&file, "images"), values(&file, "scores"));
    let mut workspace = network.workspace(3, false);
    network.forward(&images, false, &mut workspace);
    let largest = expected.iter().fold(0.0_f32, |largest, score| largest.max(score.abs()));
    for (&score, expected) in workspace.logits(0).iter().zip(&expected) {
        assert!((score - expected).abs() <= 1e-5 * largest, "{score} for {expected}");
    }
    matches
}

#[test]
fn a_state_dict_of_pytorch() {
    let matches = matched("pytorch", Convention::PyTorch);
    let words: Vec<String> = matches.iter().map(Match::to_string).collect();
    assert_eq!(words[0], "`trunk.1.weight` from `conv1.weight`, the only one of its shape");
    assert_eq!(words[1], "`trunk.1.bias` is zero, as the file has no bias there");
    assert_eq!(
        words[2],
        "`trunk.2.scale` from `bn1.weight`, by the number in its name, as 2 layers have its shape"
    );
    assert_eq!(words[17], "`trunk.11.shift` from `norm.bias`, the only one of its shape");
}

#[test]
fn variables_of_keras() {
    let matches = matched("keras", Convention::Keras);
    assert_eq!(matches[0].source.as_deref(), Some("sequential/conv2d/kernel"));
    assert!(matches.iter().all(|found| matches!(found.reason, Reason::Shape | Reason::Numbers(2))));
}
