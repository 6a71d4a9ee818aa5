//! What each file that cannot be read is told, and each network that cannot be written.

use inkling_schema::{Head, LayerSpec, Loss};

use super::super::messages::{
    AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, StringStringEntryProto, TensorProto,
};
use super::super::{Options, export, import};
use super::support::{Random, changed, dense, small, words};

/// Fails unless the small network's file with this change is refused in these words, with something to do.
#[track_caller]
fn refused(change: impl FnOnce(&mut ModelProto), expected: &str) {
    let error = import(changed(&small(), change)).expect_err("a file that is no network");
    assert!(error.to_string().contains(expected), "{error}");
    assert!(!error.help().is_empty());
}

/// As `refused`, with a change of the graph.
#[track_caller]
fn refused_graph(change: impl FnOnce(&mut GraphProto), expected: &str) {
    refused(|model| change(model.graph.as_mut().unwrap()), expected);
}

/// As `refused`, with a change of the first node of this operator.
#[track_caller]
fn refused_node(operator: &str, change: impl FnOnce(&mut NodeProto), expected: &str) {
    refused_graph(
        |graph| change(graph.node.iter_mut().find(|node| node.op_type == operator).unwrap()),
        expected,
    );
}

/// As `refused`, with a change of the first dense weight.
#[track_caller]
fn refused_weight(change: impl FnOnce(&mut TensorProto), expected: &str) {
    let is_it = |tensor: &&mut TensorProto| tensor.name == "trunk.4.weight";
    refused_graph(|graph| change(graph.initializer.iter_mut().find(is_it).unwrap()), expected);
}

fn setting(name: &str) -> AttributeProto {
    AttributeProto { name: name.into(), ..Default::default() }
}

#[test]
fn files_that_are_no_onnx_files() {
    for bytes in [&b"PK\x03\x04 a zip archive"[..], b"\x89HDF\r\n\x1a\n", b"hello, world"] {
        let error = import(bytes.to_vec()).unwrap_err();
        assert!(error.to_string().contains("no ONNX file"), "{error}");
    }
    let error = import(Vec::new()).unwrap_err();
    assert!(error.to_string().contains("of which version"), "{error}");
}

#[test]
fn versions_that_are_not_known() {
    for version in [8, 29, -1] {
        let words = format!("those of version {version} (opset), and 9 to 28 are read");
        refused(|model| model.opset_import[0].version = Some(version), &words);
    }
    refused(|model| model.opset_import.clear(), "does not say of which version");
    refused(|model| model.opset_import[0].domain = "com.example".into(), "does not say of which version");
    refused(|model| model.graph = None, "no graph");
}

#[test]
fn operators_that_are_not_read() {
    refused_node(
        "Relu",
        |node| node.op_type = "HardSwish".into(),
        "the node `trunk.2` (HardSwish) is an operator that is not read",
    );
    refused_node("Relu", |node| node.domain = "com.example".into(), "`trunk.2` (com.example.Relu)");
    refused_node("Relu", |node| node.op_type = "Softmax".into(), "at a place where it is not read");
    let error = import(changed(&small(), |model| {
        model.graph.as_mut().unwrap().node[1].op_type = "Loop".into();
    }));
    assert!(words(&error.unwrap_err()).contains("those that are read are Add, AveragePool"));
}

#[test]
fn settings_that_are_not_read() {
    refused_node("Relu", |node| node.attribute.push(setting("slope")), "has the attribute `slope`");
    refused_node(
        "Conv",
        |node| node.attribute.push(AttributeProto { i: Some(3), ..setting("group") }),
        "has groups or dilations",
    );
    refused_node(
        "Conv",
        |node| node.attribute.push(AttributeProto { ints: vec![2, 2], ..setting("dilations") }),
        "has groups or dilations",
    );
    refused_node("Conv", |node| node.attribute[0].ints = vec![7, 7], "has weights of [2, 3, 2, 2]");
    refused_node("Conv", |node| node.attribute[1].ints = vec![0, 1], "strides or pads");
    refused_node("Conv", |node| node.attribute[2].ints = vec![0, 0, -1, 0], "strides or pads");
    refused_node(
        "Conv",
        |node| node.attribute[2].ints = vec![9, 0, i64::MAX, 0],
        "rows and columns of zeros",
    );
    refused_node(
        "Gemm",
        |node| node.attribute.push(AttributeProto { f: Some(0.5), ..setting("alpha") }),
        "has factors",
    );
    refused_node("Flatten", |node| node.attribute[0].i = Some(2), "does not turn an image of 3×2×2");
}

#[test]
fn arrays_that_lie() {
    refused_weight(|weight| weight.data_location = 1, "are in another file");
    let entry = || StringStringEntryProto { key: Some("location".into()), value: Some("../weights".into()) };
    refused_weight(|weight| weight.external_data.push(entry()), "are in another file");
    refused_weight(|weight| weight.data_type = 10, "numbers of the type 10, not of 32-bit floating point");
    refused_weight(|weight| weight.dims = vec![12, 4], "is [12, 4], but has 144 bytes of numbers");
    refused_weight(|weight| weight.raw_data = None, "has 0 bytes of numbers");
    refused_weight(|weight| weight.float_data = weight.raw_data.clone(), "has its numbers twice");
    for dims in [vec![0, 3], vec![-1, 3], vec![i64::MAX, i64::MAX], vec![1 << 32, 1 << 32]] {
        refused_weight(|weight| weight.dims = dims, "which no array of numbers has");
    }
    refused_weight(|weight| weight.dims = vec![1 << 61, 1], "bytes of numbers");
    refused_weight(
        |weight| weight.dims = vec![9, 4],
        "has weights of [9, 4], but its input is a vector of 12",
    );
    refused_weight(|weight| weight.dims = vec![36], "has weights of [36]");
    refused_graph(|graph| graph.sparse_initializer.push(SparseTensorProto {}), "sparse arrays");
}

#[test]
fn graphs_that_are_not_whole() {
    refused_node(
        "Relu",
        |node| node.input[0] = "nobody".into(),
        "reads `nobody`, which nothing in the file makes",
    );
    refused_graph(|graph| graph.node[0].input[0] = graph.node[2].output[0].clone(), "has a cycle");
    refused_graph(|graph| graph.node.swap(0, 1), "its nodes are in no order");
    refused_graph(|graph| graph.node[1].output[0] = graph.node[0].output[0].clone(), "two values called");
    refused_graph(|graph| graph.initializer.push(graph.initializer[0].clone()), "two values called");
    refused_graph(|graph| graph.output.clear(), "has 0 outputs");
    refused_graph(|graph| graph.output[0].name = "nobody".into(), "is made by no node");
    refused_graph(|graph| graph.input.clear(), "has no input");
    refused_node("Conv", |node| node.input.truncate(1), "has no input 2");
    refused_node("Conv", |node| node.input[1] = "images".into(), "which the graph computes");
    refused_node("Relu", |node| node.input.clear(), "leads to no output");
}

#[test]
fn inputs_that_are_no_images() {
    refused_graph(
        |graph| {
            let mut other = graph.input[0].clone();
            other.name = "mask".into();
            graph.input.push(other);
        },
        "has 2 inputs (`images`, `mask`), not one",
    );
    let sides = |change: fn(&mut Vec<super::super::messages::Dimension>)| {
        move |graph: &mut GraphProto| {
            let array = graph.input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
            change(&mut array.shape.as_mut().unwrap().dim);
        }
    };
    refused_graph(sides(|dim| dim.truncate(0)), "has no shape");
    refused_graph(sides(|dim| dim.truncate(1)), "has the batch alone");
    refused_graph(sides(|dim| dim.extend_from_within(1..)), "has 7 axes");
    refused_graph(sides(|dim| dim[2].dim_value = None), "open or no length");
    refused_graph(sides(|dim| dim[2].dim_value = Some(-5)), "open or no length");
    refused_graph(sides(|dim| dim[2].dim_value = Some(i64::MAX)), "too large for images");
    refused_graph(sides(|dim| dim[2].dim_value = Some(1 << 15)), "too large for images");
    refused_graph(|graph| graph.input[0].r#type = None, "is no array");
    refused_graph(
        |graph| graph.input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().elem_type = 2,
        "has numbers of the type 2",
    );
}

#[test]
fn branches_that_are_no_block() {
    let sum = |one: &str, other: &str| NodeProto {
        name: "sum".into(),
        op_type: "Add".into(),
        input: vec![one.into(), other.into()],
        output: vec!["sum".into()],
        ..Default::default()
    };
    // x + x, and the sum of a vector and what comes two layers later.
    refused_graph(
        |graph| {
            let sum = sum("trunk.4", "trunk.4");
            graph.node.iter_mut().find(|node| node.name == "digit.1").unwrap().input[0] = "sum".into();
            graph.node.insert(5, sum);
        },
        "adds what does not come from one value",
    );
    refused_graph(
        |graph| {
            let sum = sum("trunk.3", "trunk.4");
            graph.node.iter_mut().find(|node| node.name == "digit.1").unwrap().input[0] = "sum".into();
            graph.node.insert(5, sum);
        },
        "adds a vector of 3 and a vector of 12",
    );
    // A shortcut of two normalisations.
    let norm = || LayerSpec::BatchNorm { epsilon: 1e-3, momentum: 0.1 };
    let mut network = small();
    network.model.trunk[3] = LayerSpec::Residual { layers: vec![norm(), norm()], projection: None };
    let network = Random(1).weights_of(network.model);
    let along = changed(&network, |model| {
        let nodes = &mut model.graph.as_mut().unwrap().node;
        let sum = nodes.iter().position(|node| node.op_type == "Add").unwrap();
        let flat = nodes[sum].input[1].clone();
        let function = |operator: &str, output: &str| NodeProto {
            op_type: operator.into(),
            input: vec![flat.clone()],
            output: vec![output.into()],
            ..Default::default()
        };
        nodes[sum].input[1] = "tanh".into();
        nodes.insert(sum, function("Tanh", "tanh"));
    });
    let error = import(along).unwrap_err();
    assert!(error.to_string().contains("whose shortcut is no single projection"), "{error}");
}

#[test]
fn networks_that_onnx_cannot_hold() {
    let refused = |change: &dyn Fn(&mut crate::Portable), expected: &str| {
        let mut network = small();
        change(&mut network);
        let error = export(&network, &Options::default()).expect_err("a network that ONNX cannot hold");
        assert!(words(&error).contains(expected), "{}", words(&error));
    };
    refused(&|network| network.model.trunk[2] = LayerSpec::Relu, "put a flatten layer before it");
    refused(&|network| drop(network.tensors.remove(0)), "has no array `trunk.1.weight`");
    refused(
        &|network| network.tensors.push(network.tensors[0].clone()),
        "two arrays called `trunk.1.weight`",
    );
    refused(&|network| network.tensors[0].name = "trunk.9.weight".into(), "has no array `trunk.1.weight`");
    refused(
        &|network| {
            let mut more = network.tensors[0].clone();
            more.name = "trunk.9.weight".into();
            network.tensors.push(more);
        },
        "an array `trunk.9.weight`, which belongs to no layer",
    );
    refused(&|network| network.tensors[2].shape = vec![3, 12], "`trunk.4.weight` is [3, 12]");
    let head = Head { loss: Loss::MeanSquaredError, ..Head::new("images", vec![dense(2)]) };
    let mut network = small();
    network.model.heads = vec![head];
    let error = export(&Random(1).weights_of(network.model), &Options::default()).unwrap_err();
    assert!(words(&error).contains("would be called `images`"), "{}", words(&error));
}
