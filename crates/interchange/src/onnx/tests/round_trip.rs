//! What goes to ONNX comes back bit for bit.

use inkling_schema::{Head, LayerSpec, ModelCard, ModelSpec};
use proptest::prelude::*;
use prost::Message;

use super::super::messages::{ModelProto, StringStringEntryProto};
use super::super::{Layout, OPSET, Options, export, import, key};
use super::support::{Random, changed, dense, small, words};
use crate::Portable;

/// The card of a network that was trained on MNIST.
fn card() -> ModelCard {
    serde_json::from_str(
        r#"{"program": "Inkling 0.2.0", "data": {"name": "mnist", "title": "MNIST", "checksum": "c656"},
            "preparation": {"size": [28, 28], "channels": 1, "fit": "pad", "brightness": [0.00018555131929314935, 0.13]},
            "heads": [{"name": "digit", "classes": ["0", "1"], "test": {"images": 10000, "correct": 6754, "loss": 1.06}}],
            "weights": "last", "run": {"data": {"set": "mnist", "train_images": 60000, "test_images": 10000},
            "model": {"trunk": [], "heads": []}, "training": {"epochs": 1, "batch_size": 50, "learning_rate": 0.001,
            "schedule": {"kind": "constant"}, "optimizer": {"kind": "adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
            "log_every": 54, "validation": {"images": 6000}}, "seed": 1}}"#,
    )
    .expect("a card")
}

/// The bits of all weights, as NaN is not equal to itself.
fn bits(network: &Portable) -> Vec<(String, Vec<usize>, Vec<u32>)> {
    let tensors = network.tensors.iter();
    let of = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect();
    tensors.map(|tensor| (tensor.name.clone(), tensor.shape.clone(), of(&tensor.values))).collect()
}

proptest! {
    #[test]
    fn a_network_comes_back_as_it_was(seed in any::<u64>(), channels_last in any::<bool>(), preparation in any::<bool>()) {
        let network = Random(seed).network();
        let layout = if channels_last { Layout::Nhwc } else { Layout::Nchw };
        let options = Options { layout, preparation };
        let file = export(&network, &options).map_err(|error| TestCaseError::fail(words(&error)))?;
        let back = import(file.clone()).map_err(|error| TestCaseError::fail(words(&error)))?;
        prop_assert_eq!(&back.model, &network.model);
        prop_assert_eq!(bits(&back), bits(&network));
        prop_assert!(export(&back, &options).expect("it was written before") == file, "another file");
    }

    /// Without the metadata, layers and weights are those of the graph, but for what no graph says.
    #[test]
    fn the_graph_alone_is_the_network(seed in any::<u64>()) {
        let network = Random(seed).network();
        let file = changed(&network, |model| model.metadata_props.clear());
        let back = import(file).map_err(|error| TestCaseError::fail(words(&error)))?;
        let kinds = |model: &ModelSpec| -> Vec<Vec<&'static str>> {
            let trunk = || model.trunk.iter().map(LayerSpec::kind);
            model.heads.iter().map(|head| trunk().chain(head.layers.iter().map(LayerSpec::kind)).collect()).collect()
        };
        prop_assert_eq!(back.model.input, network.model.input);
        // A network that ends in a sigmoid and has no other probabilities may say by it what its loss is.
        prop_assert_eq!(kinds(&back.model), kinds(&network.model));
        let values = |network| bits(network).into_iter().map(|(_, shape, bits)| (shape, bits)).collect::<Vec<_>>();
        prop_assert_eq!(values(&back), values(&network));
    }
}

#[test]
fn the_card_comes_back_and_its_classes_are_told() {
    let network = Portable { card: Some(card()), ..small() };
    let file = export(&network, &Options::default()).unwrap();
    assert_eq!(import(file.clone()).unwrap(), network);
    let model = ModelProto::decode(file.as_slice()).unwrap();
    let find = |key: &str| {
        let mut entries = model.metadata_props.iter();
        entries.find(|entry| entry.key.as_deref() == Some(key)).and_then(|entry| entry.value.as_deref())
    };
    assert_eq!(find(key::CLASSES), Some(r#"{"digit":["0","1"]}"#));
    assert_eq!(find(key::PROGRAM), Some("Inkling 0.2.0"));
    assert_eq!(find(key::INPUT), Some("0 to 1"));
    assert_eq!(model.opset_import[0].version, Some(OPSET));
    assert_eq!(model.producer_name, "inkling");
}

#[test]
fn classes_come_from_inkling_and_from_other_programs() {
    let names = |list: &[&str]| vec![list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()];
    let network = Portable { classes: names(&["cat", "dog"]), ..small() };
    assert_eq!(import(export(&network, &Options::default()).unwrap()).unwrap(), network);
    let told = |key: &str, value: &str| {
        let entry = |key: &str, value: &str| StringStringEntryProto {
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
        };
        import(changed(&small(), |model| model.metadata_props = vec![entry(key, value)])).unwrap().classes
    };
    for value in [r#"["cat", "dog"]"#, "cat, dog", "cat\ndog\n"] {
        assert_eq!(told("class_names", value), names(&["cat", "dog"]), "{value}");
    }
    for value in ["cat", "cat, cat", "cat, ", "[1, 2]", "{", r#"["a", "b", "c"]"#] {
        assert!(told("classes", value).is_empty(), "{value}");
    }
    assert!(told("authors", "cat, dog").is_empty());
}

#[test]
fn metadata_of_another_network_is_not_believed() {
    let network = Portable { card: Some(card()), ..small() };
    let tell = |told: &ModelSpec| {
        let text = serde_json::to_string(told).unwrap();
        let file = changed(&network, |model| model.metadata_props[0].value = Some(text));
        import(file).unwrap()
    };
    let told = |change: fn(&mut ModelSpec)| {
        let mut model = network.model.clone();
        change(&mut model);
        tell(&model)
    };
    assert_eq!(tell(&network.model), network, "its own is");
    let changes: [fn(&mut ModelSpec); 7] = [
        |model| model.trunk[3] = dense(4),
        |model| model.trunk[1] = LayerSpec::Gelu,
        |model| model.input = [6, 4, 3],
        |model| model.heads[0].name = "letter".into(),
        |model| model.heads.push(Head::new("other", vec![dense(2)])),
        |model| model.trunk.clear(),
        |model| drop(model.trunk.pop()),
    ];
    for change in changes {
        let found = told(change);
        assert_eq!(found.card, None);
        assert_eq!((found.model.trunk.len(), found.model.heads[0].name.as_str()), (5, "digit"));
        assert_eq!(found.tensors.len(), 6);
    }
    let mut wrong = card();
    wrong.heads[0].classes.push("2".into());
    let found =
        import(export(&Portable { card: Some(wrong), ..network.clone() }, &Options::default()).unwrap())
            .unwrap();
    assert_eq!((found.card, found.model), (None, network.model), "a class without a score");
}
