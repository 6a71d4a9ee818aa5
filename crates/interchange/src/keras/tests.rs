//! Folders for Keras: texts that a person accepted, and weights for every layer that the text names.

use inkling_schema::MODELS;
use proptest::prelude::*;
use safetensors::SafeTensors;

use super::*;
use crate::testing::{accepted, card, file, networks, portable, shipped, text};

#[test]
fn texts_are_those_that_were_accepted() {
    for (name, _) in MODELS {
        let model = shipped(name);
        let plan = plan(&model, Format::Keras).unwrap();
        let layers = layers(&NamedLayers::new(&model, &plan), &parts(&model));
        let card = (name == "item-and-group").then(|| card(&model, "fashion-mnist"));
        let network = Portable { model, tensors: Vec::new(), card, classes: Vec::new() };
        accepted(&format!("keras/{name}.py"), &model_py(&network, name, &layers));
    }
}

#[test]
fn the_check_counts_what_the_card_says() {
    let model = shipped("lenet-5");
    let network = Portable { card: Some(card(&model, "fashion-mnist")), ..portable(&model) };
    accepted("keras/check.py", text(&keras(&network, "lenet-5").unwrap(), "check.py"));
}

#[test]
fn momentum_is_the_share_that_stays() {
    let model = ModelSpec {
        trunk: vec![
            inkling_schema::LayerSpec::Flatten,
            inkling_schema::LayerSpec::BatchNorm { epsilon: 0.001, momentum: 0.35 },
        ],
        ..shipped("mlp")
    };
    let files = keras(&portable(&model), "mlp").unwrap();
    assert!(text(&files, "model.py").contains("layers.BatchNormalization(momentum=0.65, name=\"trunk_2\")"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn weights_are_those_of_the_layers_that_the_text_names(model in networks()) {
        let files = keras(&portable(&model), "random").unwrap();
        let text = text(&files, "model.py");
        let weights = SafeTensors::deserialize(&file(&files, "weights.safetensors").bytes).unwrap();
        let mut named: Vec<String> =
            text.split("name=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
        let mut layers: Vec<String> =
            weights.iter().map(|(key, _)| key.split_once('.').unwrap().0.to_owned()).collect();
        layers.sort();
        layers.dedup();
        named.sort();
        prop_assert_eq!(&layers, &named);
        for (key, view) in weights.iter().filter(|(key, _)| key.ends_with(".kernel")) {
            let (layer, _) = key.split_once('.').unwrap();
            let line = text.lines().find_map(|line| line.split_once(&format!("name=\"{layer}\""))).unwrap().0;
            let (_, arguments) = line.rsplit_once("layers.").unwrap().1.split_once('(').unwrap();
            let units: usize = arguments.split(',').next().unwrap().parse().unwrap();
            prop_assert_eq!(view.shape().last(), Some(&units));
        }
    }
}
