//! What other exporters write and Inkling does not: `proofs/onnx_foreign.py` has files of them for the engine to compute with.

use inkling_schema::{LayerSpec, Loss, Padding};

use super::super::import;
use super::super::messages::{AttributeProto, GraphProto};
use super::support::{Random, changed, conv, dense, small};
use crate::Portable;

fn read(change: impl FnOnce(&mut GraphProto)) -> Portable {
    let file = changed(&small(), |model| {
        model.metadata_props.clear();
        change(model.graph.as_mut().unwrap());
    });
    import(file).unwrap()
}

/// The value of a weight by its place.
fn value<'a>(network: &'a Portable, name: &str) -> &'a [f32] {
    &network.tensors.iter().find(|tensor| tensor.name == name).unwrap().values
}

#[test]
fn a_flattening_channel_by_channel_permutes_the_rows_that_follow() {
    let found = read(|graph| {
        let transposition = graph.node.iter().position(|node| node.op_type == "Transpose").unwrap();
        let node = graph.node.remove(transposition);
        graph.node[transposition].input = node.input;
    });
    let (own, found) = (small(), found);
    let (own, found) = (value(&own, "trunk.4.weight"), value(&found, "trunk.4.weight"));
    // Of 3 × 2 pixels with 2 channels, to 3 units.
    for pixel in 0..6 {
        for channel in 0..2 {
            let (in_file, in_engine) = ((channel * 6 + pixel) * 3, (pixel * 2 + channel) * 3);
            assert_eq!(own[in_file..in_file + 3], found[in_engine..in_engine + 3]);
        }
    }
}

#[test]
fn a_kernel_gets_zeros_where_its_windows_begin_earlier() {
    // Kernels of 3 and strides of 2 with a row and a column of zeros on all sides: of 5 rows that is TensorFlow's padding, of 4 columns
    // it is that of a kernel of 4.
    let mut network = small();
    network.model.trunk[0] = conv(2, [3, 3], [2, 2], Padding::Same);
    let network = Random(1).weights_of(network.model);
    let file = changed(&network, |model| {
        model.graph.as_mut().unwrap().node[0].attribute[2].ints = vec![1; 4];
    });
    let found = import(file).unwrap();
    assert_eq!(found.model.trunk[0], conv(2, [3, 4], [2, 2], Padding::Same));
    let (own, found) = (value(&network, "trunk.1.weight"), value(&found, "trunk.1.weight"));
    for (row, found) in found.chunks(4 * 6).enumerate() {
        assert_eq!(found[..3 * 6], own[row * 18..row * 18 + 18]);
        assert!(found[3 * 6..].iter().all(|&weight| weight == 0.0));
    }
}

#[test]
fn the_end_of_a_graph_says_what_its_numbers_are() {
    let outputs = |kept: &[&str]| {
        let kept: Vec<String> = kept.iter().map(|&name| name.to_owned()).collect();
        read(|graph| graph.output.retain(|output| kept.contains(&output.name)))
    };
    for kept in [&["digit_logits"][..], &["digit_probabilities"], &["digit_logits", "digit_probabilities"]] {
        let found = outputs(kept);
        assert_eq!(
            (found.model.heads[0].name.as_str(), found.model.heads[0].loss),
            ("digit", Loss::default())
        );
    }
    let found = read(|graph| graph.node.last_mut().unwrap().op_type = "Sigmoid".into());
    assert_eq!(found.model.heads[0].loss, Loss::BinaryCrossEntropy);
    let named = |name: &str| {
        read(|graph| {
            graph.output.truncate(1);
            graph.output[0].name = name.into();
            let last = graph.node.len() - 2;
            graph.node.truncate(last + 1);
            graph.node[last].output[0] = name.into();
        })
    };
    for (output, head) in
        [("item", "item"), ("/fc/Gemm_output_0", "class"), ("trunk", "class"), ("a\u{202e}b", "class")]
    {
        assert_eq!(named(output).model.heads[0].name, head);
    }
}

#[test]
fn a_block_may_begin_with_its_shortcut() {
    let block = LayerSpec::Residual { layers: vec![dense(12)], projection: None };
    let mut network = small();
    network.model.trunk[3] = block;
    let network = Random(1).weights_of(network.model);
    let swapped = changed(&network, |model| {
        let nodes = &mut model.graph.as_mut().unwrap().node;
        nodes.iter_mut().find(|node| node.op_type == "Add").unwrap().input.reverse();
    });
    assert_eq!(import(swapped).unwrap(), network);
}

#[test]
fn what_leads_to_no_output_is_left_out() {
    let own = read(|_| {});
    let found = read(|graph| {
        let mut stray = graph.node[1].clone();
        (stray.op_type, stray.name, stray.output) = ("Loop".into(), "stray".into(), vec!["stray".into()]);
        graph.node.insert(2, stray);
    });
    assert_eq!(found, own);
}

#[test]
fn numbers_that_32_bits_hold_are_read_as_they_were_written() {
    let found = read(|graph| {
        graph.node[1].op_type = "LeakyRelu".into();
        graph.node[1].attribute =
            vec![AttributeProto { name: "alpha".into(), f: Some(0.1), ..Default::default() }];
    });
    assert_eq!(found.model.trunk[1], LayerSpec::LeakyRelu { slope: 0.1 });
}
