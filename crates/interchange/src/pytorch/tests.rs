//! Folders for PyTorch: texts that a person accepted, shapes that the text states, and networks that cannot be written.

use inkling_schema::{LayerSpec, MODELS, ModelSpec};
use proptest::prelude::*;
use safetensors::SafeTensors;

use super::*;
use crate::testing::{accepted, card, file, networks, portable, shipped, text};

#[test]
fn texts_are_those_that_were_accepted() {
    for (name, _) in MODELS {
        let model = shipped(name);
        // The text needs no numbers, of which there are up to 26 million.
        let plan = plan(&model, Format::PyTorch).unwrap();
        let modules = modules(&NamedLayers::new(&model, &plan), &attributes(&model));
        let card = (name == "item-and-group").then(|| card(&model, "fashion-mnist"));
        let network = Portable { model, tensors: Vec::new(), card, classes: Vec::new() };
        accepted(&format!("pytorch/{name}.py"), &model_py(&network, name, &modules));
    }
}

#[test]
fn the_check_counts_what_the_card_says() {
    let model = ModelSpec {
        trunk: vec![LayerSpec::Flatten],
        heads: shipped("item-and-group").heads,
        ..shipped("item-and-group")
    };
    for (set, name) in [("fashion-mnist", "published"), ("leaves", "own")] {
        let network = Portable { card: Some(card(&model, set)), ..portable(&model) };
        let files = pytorch(&network, "two heads").unwrap();
        accepted(&format!("pytorch/check-{name}.py"), text(&files, "check.py"));
    }
    let files = pytorch(&portable(&model), "no card").unwrap();
    assert!(files.iter().all(|file| file.name != "check.py"));
}

/// The shapes of the tensors that a text states, in its order.
fn stated(text: &str) -> Vec<Vec<usize>> {
    let network = &text[text.find("class Network").unwrap()..];
    let mut shapes = Vec::new();
    for (start, _) in network.match_indices(['.', ' ']) {
        let call = &network[start + 1..];
        let Some((function, arguments)) = call.split_once('(') else { continue };
        let arguments: Vec<&str> =
            arguments.split([',', '(', ')', ' ']).filter(|part| !part.is_empty()).collect();
        let number = |index: usize| arguments[index].parse::<usize>().unwrap();
        match function {
            "Linear" => shapes.extend([vec![number(1), number(0)], vec![number(1)]]),
            "Conv2d" => {
                let kernel = [2, 3].map(|index| arguments.get(index).and_then(|side| side.parse().ok()));
                let height = kernel[0].unwrap();
                let width = if call.contains(&format!("{}, {}, ({height}, ", number(0), number(1))) {
                    kernel[1]
                } else {
                    None
                };
                shapes.extend([vec![number(1), number(0), height, width.unwrap_or(height)], vec![number(1)]]);
            }
            "BatchNorm1d" | "BatchNorm2d" => shapes.extend(vec![vec![number(0)]; 4]),
            "LayerNorm" | "ChannelNorm" => shapes.extend(vec![vec![number(0)]; 2]),
            _ => {}
        }
    }
    shapes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn weights_have_the_shapes_that_the_text_states(model in networks()) {
        let network = portable(&model);
        let files = pytorch(&network, "random").unwrap();
        let plan = plan(&model, Format::PyTorch).unwrap();
        let places = modules(&NamedLayers::new(&model, &plan), &attributes(&model)).places;
        let weights = SafeTensors::deserialize(&file(&files, "weights.safetensors").bytes).unwrap();
        let shapes: Vec<Vec<usize>> =
            places.iter().map(|place| weights.tensor(&place.key).unwrap().shape().to_vec()).collect();
        prop_assert_eq!(weights.len(), places.len());
        prop_assert_eq!(shapes, stated(text(&files, "model.py")));
    }
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let whole = portable(&shipped("lenet-5"));
    let mut network = whole.clone();
    network.tensors.remove(1);
    let error = pytorch(&network, "lenet-5").unwrap_err();
    assert_eq!(error.to_string(), "the network has no tensor `trunk.1.bias`, which its layers need");
    let mut network = whole;
    network.tensors[0].values.pop();
    let error = pytorch(&network, "lenet-5").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`trunk.1.weight` has the shape [5, 5, 1, 6] and 149 numbers, and its layer needs [5, 5, 1, 6]"
    );
}

#[test]
fn names_cannot_end_the_text() {
    let mut model = shipped("lenet-5");
    model.heads[0].name = "\"\"\"\nimport os\n\"".into();
    let mut network = portable(&model);
    let head = &mut network.tensors;
    head.iter_mut().for_each(|tensor| tensor.name = tensor.name.replace("digit.", "\"\"\"\nimport os\n\"."));
    for files in [pytorch(&network, "a\n\"\"\"b\\").unwrap(), crate::keras(&network, "a\n\"\"\"b\\").unwrap()]
    {
        let text = text(&files, "model.py");
        assert_eq!(text.matches("\"\"\"").count() % 2, 0);
        assert!(text.contains("\\\"\\\"\\\" import os \\\"") && !text.contains("\nimport os"));
    }
}
