//! The folder `peers`: which files it has, under which names, and what `networks.json` says.

use inkling_schema::{ModelSpec, Optimizer, Weighting};
use serde_json::Value;

use super::*;
use crate::testing::{accepted, card, portable, shipped, text};

/// Networks with small layers in place of the brief's.
fn small() -> ModelSpec {
    let mut model = shipped("item-and-group");
    model.trunk.drain(..8);
    model
}

/// The whole folder of some networks.
fn written(networks: &[(&str, &Portable)]) -> Vec<File> {
    let mut peers = Peers::default();
    let files = networks.iter().map(|(name, network)| peers.add(name, "0123456789abcdef", network).unwrap());
    let mut files: Vec<File> = files.collect::<Vec<_>>().concat();
    files.extend(peers.finish());
    files
}

#[test]
fn weights_that_are_left_out_are_told() {
    let network = portable(&shipped("lenet-5"));
    let mut peers = Peers::default();
    let whole = peers.add("small", "0", &network).unwrap();
    let mut files = peers
        .add_without_weights("large", "1", &Portable { tensors: Vec::new(), ..network.clone() })
        .unwrap();
    assert_eq!(whole.len(), files.len() + 2);
    assert!(files.iter().all(|file| !file.name.ends_with("weights.safetensors")));
    files.extend(peers.finish());
    let readme = text(&files, "README.md");
    assert!(readme.contains("\n- `large`\n") && !readme.contains("- `small`"), "{readme}");
    assert!(!text(&written(&[("small", &network)]), "README.md").contains("left out"));
}

#[test]
fn every_network_has_a_folder_for_each_library() {
    let model = shipped("lenet-5");
    let network = Portable { card: Some(card(&model, "mnist")), ..portable(&model) };
    let files = written(&["3 conv", "λ = 0.5", "3-Conv", "../.."].map(|name| (name, &network)));
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    for folder in ["3-conv", "lambda-0-5", "3-conv-2", "network"] {
        for part in ["pytorch", "keras"] {
            for file in ["model.py", "weights.safetensors", "check.py", "requirements.txt"] {
                let name = format!("{folder}/{part}/{file}");
                assert_eq!(names.iter().filter(|known| **known == name).count(), 1, "{name}");
            }
        }
    }
    for file in ["reproduce.py", "train.py", "images.py", "networks.json", "README.md", "requirements.txt"] {
        assert!(names.contains(&file), "{file}");
        assert!(
            !text(&files, file).contains("@TORCH@") && !text(&files, file).contains("@READING@"),
            "{file}"
        );
    }
}

#[test]
fn what_scripts_read_of_a_network_is_what_was_accepted() {
    let model = small();
    let network = Portable { card: Some(card(&model, "fashion-mnist")), ..portable(&model) };
    let files = written(&[("λ = 0.5", &network)]);
    accepted("peers/networks.json", text(&files, "networks.json"));
}

#[test]
fn what_the_training_script_does_not_do_is_said() {
    let model = small();
    let of = |change: &dyn Fn(&mut inkling_schema::TrainRun)| {
        let mut card = card(&model, "fashion-mnist");
        change(&mut card.run);
        let network = Portable { card: Some(card), ..portable(&model) };
        let facts = facts::facts(["mine", "0", "mine"], &network).unwrap();
        facts["training"]["not_here"].clone()
    };
    assert_eq!(of(&|_| {}), Value::Null);
    let lion = Optimizer::Lion { beta_1: 0.9, beta_2: 0.99, weight_decay: 0.0 };
    assert_eq!(of(&|run| run.training.optimizer = lion), "Lion, which PyTorch does not have");
    assert_eq!(of(&|run| run.weighting = Weighting::PcGrad), "the weighting PCGrad");
}

#[test]
fn networks_without_a_card_are_written_without_counts() {
    let network = portable(&shipped("lenet-5"));
    let files = written(&[("mine", &network)]);
    let facts: Value = serde_json::from_str(text(&files, "networks.json")).unwrap();
    assert_eq!(facts["networks"][0]["name"], "mine");
    assert!(facts["networks"][0]["heads"].is_null());
}
