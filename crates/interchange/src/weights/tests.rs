//! Weights in: what was exported comes back, other names are matched by shape and order, and what does not fit is refused.

use std::collections::HashMap;

use inkling_schema::{Head, Initializer, LayerSpec, ModelSpec};
use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::*;
use crate::testing::{file, networks, portable, shipped};
use crate::{keras, pytorch};

const BOTH: [Convention; 2] = [Convention::PyTorch, Convention::Keras];

/// The exported weights of a network whose tensors hold the numbers from 1 on.
fn exported(model: &ModelSpec, from: Convention) -> Vec<u8> {
    let network = portable(model);
    let files = match from {
        Convention::PyTorch => pytorch(&network, "network"),
        Convention::Keras => keras(&network, "network"),
    };
    file(&files.unwrap(), "weights.safetensors").bytes.clone()
}

/// Tensors as (name, type, shape, bytes).
type Parts = Vec<(String, Dtype, Vec<usize>, Vec<u8>)>;

fn parts(file: &[u8]) -> Parts {
    let file = SafeTensors::deserialize(file).unwrap();
    file.iter()
        .map(|(name, view)| (name.to_owned(), view.dtype(), view.shape().to_vec(), view.data().to_vec()))
        .collect()
}

fn written(parts: &Parts) -> Vec<u8> {
    let views = parts.iter().map(|(name, kind, shape, bytes)| {
        (name.as_str(), TensorView::new(*kind, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

/// The exported weights with other names of layers.
fn renamed(model: &ModelSpec, from: Convention, rename: impl Fn(&str) -> String) -> Vec<u8> {
    let mut parts = parts(&exported(model, from));
    for (name, ..) in &mut parts {
        let (layer, part) = name.rsplit_once('.').unwrap();
        *name = format!("{}.{part}", rename(layer));
    }
    written(&parts)
}

fn refusal(model: &ModelSpec, file: &[u8], from: Convention) -> (String, String) {
    let error = weights_from(model, file, from).unwrap_err();
    (error.to_string(), error.help().to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn what_was_exported_comes_back_by_name(model in networks()) {
        let network = portable(&model);
        prop_assume!(!network.tensors.is_empty());
        for from in BOTH {
            let (tensors, matches) = weights_from(&model, &exported(&model, from), from).unwrap();
            prop_assert_eq!(&tensors, &network.tensors);
            prop_assert!(matches.iter().all(|found| found.reason == Reason::Name));
        }
    }

    #[test]
    fn layers_with_numbers_in_their_names_come_back_in_their_order(model in networks()) {
        let network = portable(&model);
        prop_assume!(!network.tensors.is_empty());
        let plan = model.plan().unwrap();
        let named = NamedLayers::new(&model, &plan);
        let places = pytorch::modules(&named, &pytorch::attributes(&model)).places;
        let mut layers: Vec<&str> = places.iter().map(|place| place.key.rsplit_once('.').unwrap().0).collect();
        layers.dedup();
        let numbers: HashMap<&str, usize> = layers.iter().enumerate().map(|(i, layer)| (*layer, i)).collect();
        let file = renamed(&model, Convention::PyTorch, |layer| format!("net.layer{}", numbers[layer]));
        let (tensors, matches) = weights_from(&model, &file, Convention::PyTorch).unwrap();
        prop_assert_eq!(&tensors, &network.tensors);
        prop_assert!(matches.iter().all(|found| matches!(found.reason, Reason::Shape | Reason::Numbers(_))));
    }

    #[test]
    fn damaged_files_are_refused_or_read(model in networks(), at: prop::sample::Index, byte: u8, cut: bool) {
        let mut file = exported(&model, Convention::PyTorch);
        let at = at.index(file.len());
        if cut { file.truncate(at) } else { file[at] = byte }
        // Whatever comes out, nothing panics and nothing large is allocated.
        let _ = weights_from(&model, &file, Convention::PyTorch);
    }
}

#[test]
fn names_of_the_engine_are_known_too() {
    let model = shipped("lenet-5");
    let network = portable(&model);
    let arrays = network.tensors.iter().map(|tensor| {
        let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        (tensor.name.clone(), Dtype::F32, tensor.shape.clone(), bytes)
    });
    let (tensors, matches) = weights_from(&model, &written(&arrays.collect()), Convention::Keras).unwrap();
    assert_eq!(tensors, network.tensors);
    assert_eq!(matches[0].to_string(), "`trunk.1.weight` from `trunk.1.weight`, by its name");
}

#[test]
fn what_names_do_not_say_is_reported() {
    let dense = || LayerSpec::Dense { units: 4, initializer: Initializer::HeUniform };
    let model = ModelSpec {
        input: [2, 2, 1],
        trunk: vec![LayerSpec::Flatten, dense(), LayerSpec::Relu],
        heads: vec![Head::new("class", vec![dense()])],
    };
    let file =
        renamed(
            &model,
            Convention::PyTorch,
            |layer| if layer == "head" { "out".into() } else { "hidden".into() },
        );
    let (_, matches) = weights_from(&model, &file, Convention::PyTorch).unwrap();
    assert_eq!(
        matches[2].to_string(),
        "`class.1.weight` from `out.weight`, by the order of names alone: it has the shape of `hidden`, so check the result"
    );
    let file =
        renamed(
            &model,
            Convention::PyTorch,
            |layer| if layer == "head" { "fc10".into() } else { "fc9".into() },
        );
    let (tensors, matches) = weights_from(&model, &file, Convention::PyTorch).unwrap();
    assert_eq!(tensors, portable(&model).tensors);
    assert_eq!(
        matches[3].to_string(),
        "`class.1.bias` from `fc10.bias`, by the number in its name, as 2 layers have its shape"
    );
}

#[test]
fn a_bias_may_be_missing_and_counters_are_ignored() {
    let model = shipped("resnet-8");
    let mut arrays = parts(&exported(&model, Convention::PyTorch));
    arrays.retain(|(name, ..)| name != "trunk.0.bias");
    arrays.push(("trunk.1.num_batches_tracked".into(), Dtype::I64, vec![], vec![0; 8]));
    let (tensors, matches) = weights_from(&model, &written(&arrays), Convention::PyTorch).unwrap();
    assert_eq!(tensors[1].values, [0.0; 16]);
    assert_eq!(matches[1].to_string(), "`trunk.1.bias` is zero, as the file has no bias there");
}

#[test]
fn other_types_become_32_bit_numbers() {
    let model = shipped("lenet-5");
    let mut arrays = parts(&exported(&model, Convention::PyTorch));
    for (name, kind, _, bytes) in &mut arrays {
        let values: Vec<f32> =
            bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
        if name == "head.weight" {
            (*kind, *bytes) = (Dtype::F64, values.iter().flat_map(|&v| f64::from(v).to_le_bytes()).collect());
        }
        if name == "trunk.0.bias" {
            (*kind, *bytes) =
                (Dtype::BF16, values.iter().flat_map(|v| v.to_le_bytes()[2..].to_vec()).collect());
        }
        if name == "trunk.3.bias" {
            (*kind, *bytes) = (Dtype::F16, [0x3C00_u16; 16].iter().flat_map(|v| v.to_le_bytes()).collect());
        }
    }
    let (tensors, matches) = weights_from(&model, &written(&arrays), Convention::PyTorch).unwrap();
    let network = portable(&model);
    let find = |name: &str| matches.iter().position(|found| found.tensor == name).unwrap();
    assert_eq!(tensors[find("digit.1.weight")], network.tensors[find("digit.1.weight")]);
    assert_eq!(matches[find("digit.1.weight")].converted_from, Some("float64"));
    // 151 to 156 need eight bits.
    assert_eq!(tensors[find("trunk.1.bias")].values, [151.0, 152.0, 153.0, 154.0, 155.0, 156.0]);
    assert_eq!(tensors[find("trunk.4.bias")].values, [1.0; 16]);
    assert!(matches[find("trunk.4.bias")].to_string().ends_with("; float16 became 32-bit numbers"));
}

#[test]
fn numbers_that_no_network_computes_with_are_refused() {
    let model = shipped("lenet-5");
    let whole = parts(&exported(&model, Convention::PyTorch));
    let changed = |change: &dyn Fn(&mut Parts)| {
        let mut arrays = whole.clone();
        change(&mut arrays);
        refusal(&model, &written(&arrays), Convention::PyTorch).0
    };
    let place = whole.iter().position(|(name, ..)| name == "head.bias").unwrap();
    let number = |value: f32| changed(&|arrays| arrays[place].3[4..8].copy_from_slice(&value.to_le_bytes()));
    assert_eq!(number(f32::NAN), "number 1 of `head.bias` is NaN as a 32-bit number");
    assert_eq!(number(f32::INFINITY), "number 1 of `head.bias` is inf as a 32-bit number");
    let large = changed(&|arrays| {
        (arrays[place].1, arrays[place].3) =
            (Dtype::F64, [1e300_f64; 10].iter().flat_map(|v| v.to_le_bytes()).collect());
    });
    assert_eq!(large, "number 0 of `head.bias` is inf as a 32-bit number");
    assert_eq!(changed(&|arrays| arrays[place].1 = Dtype::I32), "`head.bias` holds numbers of the type I32");
    assert_eq!(
        changed(&|arrays| arrays.push(("extra.bias".into(), Dtype::F32, vec![1], vec![0; 4]))),
        "the network has no layer for `extra.bias` [1]"
    );
    let norm = shipped("all-conv");
    let mut arrays = parts(&exported(&norm, Convention::PyTorch));
    let variance = arrays.iter_mut().find(|(name, ..)| name == "trunk.1.running_var").unwrap();
    variance.3[..4].copy_from_slice(&(-1.0_f32).to_le_bytes());
    let (problem, _) = refusal(&norm, &written(&arrays), Convention::PyTorch);
    assert_eq!(problem, "`trunk.1.running_var` holds a negative variance");
}

#[test]
fn shapes_that_do_not_fit_are_told_with_the_nearest_name() {
    let lenet = shipped("lenet-5");
    let file = exported(&lenet, Convention::Keras);
    let (problem, help) =
        refusal(&lenet, &renamed(&lenet, Convention::Keras, str::to_owned), Convention::PyTorch);
    assert_eq!(
        problem,
        "no array of the file fits `trunk.1.weight` [6, 1, 5, 5]; the nearest by name, `trunk_1.kernel` has [5, 5, 1, 6]"
    );
    assert!(help.contains("the weights of this one"));
    let mut wider = lenet.clone();
    wider.trunk[7] = LayerSpec::Dense { units: 128, initializer: Initializer::GlorotUniform };
    let (problem, _) = refusal(&wider, &file, Convention::Keras);
    assert_eq!(problem, "`trunk_8.kernel` has the shape [400, 120], and `trunk.8.weight` needs [400, 128]");
    let mlp = shipped("mlp");
    let same_names = renamed(&mlp, Convention::PyTorch, str::to_owned);
    let mut turned = parts(&same_names);
    turned.iter_mut().for_each(|(.., shape, _)| shape.reverse());
    let (problem, help) = refusal(&mlp, &written(&turned), Convention::PyTorch);
    assert_eq!(problem, "`trunk.1.weight` has the shape [784, 1000], and `trunk.2.weight` needs [1000, 784]");
    assert_eq!(help, "it has the shape that Keras would give it: is it a file of Keras's?");
    let mut fewer = parts(&renamed(&mlp, Convention::PyTorch, |layer| format!("net.{layer}")));
    fewer.retain(|(name, ..)| !name.starts_with("net.trunk.3"));
    let (problem, _) = refusal(&mlp, &written(&fewer), Convention::PyTorch);
    assert_eq!(
        problem,
        "no array of the file fits `trunk.4.weight` [1000, 1000]; the nearest by name, `net.trunk.1.weight` has [1000, 784]"
    );
}

#[test]
fn files_that_lie_are_refused_without_reading_what_is_not_there() {
    let model = shipped("lenet-5");
    let lies = |header: &str, length: u64| {
        let file = [&length.to_le_bytes()[..], header.as_bytes()].concat();
        refusal(&model, &file, Convention::PyTorch).0
    };
    let huge = r#"{"w":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}"#;
    let beyond = r#"{"w":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}"#;
    for (header, length) in [
        (huge, huge.len() as u64),
        (beyond, beyond.len() as u64),
        ("{}", u64::MAX),
        ("{}", 1 << 30),
        ("", 0),
        ("[", 1),
    ] {
        let problem = lies(header, length);
        assert!(problem.starts_with("it is not a whole safetensors file: "), "{problem}");
    }
    assert_eq!(lies("{}", 2), "it holds no weights");
    assert!(refusal(&model, b"PK", Convention::PyTorch).0.starts_with("it is not a whole safetensors file"));
    let stray = written(&vec![("lone".into(), Dtype::F32, vec![1], vec![0; 4])]);
    assert_eq!(
        refusal(&model, &stray, Convention::PyTorch).0,
        "the name of `lone` does not say what it is to its layer"
    );
    let odd = written(&vec![("a.weight".into(), Dtype::F32, vec![1, 1, 1], vec![0; 4])]);
    assert_eq!(
        refusal(&model, &odd, Convention::PyTorch).0,
        "`a.weight` [1, 1, 1] are not the weights of a dense layer, a convolution or a normalisation"
    );
}
