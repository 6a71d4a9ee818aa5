//! Bytes that are no network: an error, and neither a panic nor much memory.

use bytes::Bytes;
use inkling_schema::LayerSpec;
use proptest::prelude::*;
use prost::Message;

use super::super::messages::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
};
use super::super::{OPSET, Options, export, import};
use super::support::{changed, small, words};

#[test]
fn a_file_that_is_cut_is_refused_wherever_it_is_cut() {
    let file = export(&small(), &Options::default()).unwrap();
    for end in 0..file.len() {
        assert!(import(file[..end].to_vec()).is_err(), "cut after {end} of {} bytes", file.len());
    }
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut file = export(&small(), &Options { preparation: true, ..Options::default() }).unwrap();
        for (place, byte) in changes {
            *place.get_mut(&mut file) = byte;
        }
        let _ = import(file);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = import(bytes);
    }
}

#[test]
fn a_flipped_bit_never_panics() {
    let file = export(&small(), &Options::default()).unwrap();
    for place in 0..file.len() {
        for bit in [0, 3, 7] {
            let mut file = file.clone();
            file[place] ^= 1 << bit;
            let _ = import(file);
        }
    }
}

/// Files whose parts are small and many, or that use what they have again and again.
#[test]
fn what_would_grow_is_refused_at_once() {
    let refused = |what: &str, file: Vec<u8>, expected: &str| {
        let error = import(file).expect_err(what);
        assert!(words(&error).contains(expected), "{what}: {}", words(&error));
    };
    let of_graph = |graph: GraphProto| ModelProto {
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { version: Some(OPSET), ..Default::default() }],
        ..Default::default()
    };
    let nodes = of_graph(GraphProto { node: vec![NodeProto::default(); 1 << 17], ..Default::default() });
    refused("nodes without anything", nodes.encode_to_vec(), "more than 65536 parts");
    let attribute = vec![AttributeProto::default(); 1 << 17];
    let node = vec![NodeProto { attribute, ..Default::default() }];
    refused(
        "attributes",
        of_graph(GraphProto { node, ..Default::default() }).encode_to_vec(),
        "more than 65536 parts",
    );
    let dims = TensorProto { dims: vec![1; 1 << 17], ..Default::default() };
    let initializer = vec![dims];
    refused(
        "axes",
        of_graph(GraphProto { initializer, ..Default::default() }).encode_to_vec(),
        "more than 65536 parts",
    );
    // The same in one packed field: key 1 with a length, within a tensor, within the graph.
    let packed = [vec![0x0a, 0x80, 0x80, 0x04], vec![1; 1 << 16]].concat();
    let within = |key: u8, held: Vec<u8>| {
        let mut bytes = vec![key];
        prost::encode_length_delimiter(held.len(), &mut bytes).unwrap();
        [bytes, held].concat()
    };
    refused("packed axes", within(0x3a, within(0x2a, packed)), "a list of more than 4096 bytes");
    // A dense layer of 1,024 to 1,024 numbers, 1,000 times the same.
    let network = {
        let mut network = small();
        network.model.trunk.truncate(2);
        network.model.heads[0].layers = vec![LayerSpec::Flatten];
        network.tensors.truncate(2);
        network
    };
    let shared = changed(&network, |model| {
        let graph = model.graph.as_mut().unwrap();
        let side = 1 << 10;
        let weight = |name: &str, rows: usize, columns: usize| TensorProto {
            name: name.into(),
            dims: vec![rows as i64, columns as i64],
            data_type: 1,
            raw_data: Some(Bytes::from(vec![0; rows * columns * 4])),
            ..Default::default()
        };
        graph.initializer.extend([weight("first", 12, side), weight("again", side, side)]);
        let flat = graph.node.iter().position(|node| node.op_type == "Flatten").unwrap();
        let mut value = graph.node[flat].output[0].clone();
        let mut nodes: Vec<NodeProto> = graph.node.drain(flat + 1..).collect();
        for (number, weight) in std::iter::once("first").chain(std::iter::repeat_n("again", 1000)).enumerate()
        {
            let output = format!("product {number}");
            graph.node.push(NodeProto {
                op_type: "MatMul".into(),
                input: vec![value, weight.into()],
                output: vec![output.clone()],
                ..Default::default()
            });
            value = output;
        }
        nodes[0].input[0] = value;
        graph.node.extend(nodes);
    });
    refused("one array for many layers", shared, "more weights than the file has numbers");
}
