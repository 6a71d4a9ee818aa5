//! Networks as ONNX files.

mod graph;
mod layers;
mod write;

use std::collections::BTreeMap;

use inkling_schema::{Loss, Shape};

use self::graph::{Graph, Value};
use super::messages::{
    Dimension, GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto, TensorShapeProto,
    TensorType, TypeProto, ValueInfoProto,
};
use super::{
    IR_VERSION, LARGEST_BYTE, Layout, OPSET, Options, denotation, ending, key, messages, same_padding,
};
use crate::tensors::{Format, plan};
use crate::{InterchangeError, Portable};

/// The name of the graph's input.
const INPUT: &str = "images";

/// A network as the bytes of an ONNX file of the operators' version [`OPSET`].
///
/// The input `images` is [batch, channels, height, width] or, for [`Layout::Nhwc`], [batch, height, width, channels]. A head
/// gives `<head>_logits` and `<head>_probabilities`, both [batch, classes]: the softmax of the logits, or for binary
/// cross-entropy their sigmoid. A head that is trained by the mean squared error gives its numbers as `<head>`. Weights have
/// the names of the engine.
///
/// # Errors
/// If the network cannot be built, has a layer that ONNX cannot hold, or lacks weights.
pub fn export(network: &Portable, options: &Options) -> Result<Vec<u8>, InterchangeError> {
    let model = &network.model;
    let plan = plan(model, Format::Onnx)?;
    let mut graph = Graph::new(network)?;
    let [height, width, channels] = model.input;
    let shape = Shape::Image { height, width, channels };
    let mut value = Value { name: INPUT.to_owned(), shape, layout: options.layout };
    if options.preparation {
        let divisor = graph.scalar("preparation.divisor", LARGEST_BYTE);
        value.name = graph.node("preparation", "Div", &[&value.name, &divisor], Vec::new());
    }
    let (trunk, mut rest) = plan.layers.split_at(model.trunk.len());
    let value = graph.layers("trunk", trunk, value)?;
    let mut outputs = Vec::new();
    for head in &model.heads {
        let (layers, others) = rest.split_at(head.layers.len());
        rest = others;
        let scores = graph.layers(&head.name, layers, value.clone())?;
        let classes = scores.shape.len();
        let mut output = |graph: &mut Graph, operator: &str, name: String, input: &str| {
            graph.make(&name, operator, &[input], Vec::new(), &name);
            outputs.push(vector(&name, classes));
            name
        };
        let probabilities = match head.loss {
            Loss::CrossEntropy { .. } => "Softmax",
            Loss::BinaryCrossEntropy => "Sigmoid",
            Loss::MeanSquaredError => {
                output(&mut graph, "Identity", head.name.clone(), &scores.name);
                continue;
            }
        };
        let logits = format!("{}{}", head.name, ending::LOGITS);
        let logits = output(&mut graph, "Identity", logits, &scores.name);
        output(&mut graph, probabilities, format!("{}{}", head.name, ending::PROBABILITIES), &logits);
    }
    let (nodes, weights) = graph.finish(INPUT)?;
    let graph = GraphProto {
        node: nodes,
        name: Some("inkling".to_owned()),
        input: vec![image(model.input, options.layout)],
        output: outputs,
        ..GraphProto::default()
    };
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: "inkling".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: Some(OPSET) }],
        metadata_props: metadata(network, options)?,
        graph: None,
    };
    Ok(write::file(&model, &graph, &weights))
}

/// The graph's input.
fn image(shape: [usize; 3], layout: Layout) -> ValueInfoProto {
    let meanings = [denotation::FEATURE, denotation::FEATURE, denotation::CHANNEL];
    let axes = layout.arrange(shape).into_iter().zip(layout.arrange(meanings));
    let axis = |(length, meaning): (usize, &str)| Dimension {
        dim_value: Some(length as i64),
        dim_param: None,
        denotation: Some(meaning.to_owned()),
    };
    let batch = Dimension { denotation: Some(denotation::BATCH.to_owned()), ..batch() };
    value(INPUT, std::iter::once(batch).chain(axes.map(axis)).collect())
}

/// An output of the graph.
fn vector(name: &str, length: usize) -> ValueInfoProto {
    let length = Dimension { dim_value: Some(length as i64), ..Dimension::default() };
    value(name, vec![batch(), length])
}

/// The dimension that a file leaves open.
fn batch() -> Dimension {
    Dimension { dim_param: Some("batch".to_owned()), ..Dimension::default() }
}

fn value(name: &str, dim: Vec<Dimension>) -> ValueInfoProto {
    let shape = Some(TensorShapeProto { dim });
    let tensor_type = Some(TensorType { elem_type: messages::FLOAT, shape });
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }) }
}

/// What a file says beside the graph.
fn metadata(network: &Portable, options: &Options) -> Result<Vec<StringStringEntryProto>, InterchangeError> {
    let unwritable = |error: serde_json::Error| {
        InterchangeError::new(format!("its description cannot be written: {error}"), "correct its numbers")
    };
    let input = if options.preparation { key::BYTES } else { key::SHARES };
    let mut entries = vec![
        (key::MODEL, serde_json::to_string(&network.model).map_err(unwritable)?),
        (key::INPUT, input.to_owned()),
    ];
    if let Some(card) = &network.card {
        let classes: BTreeMap<&str, &[String]> =
            card.heads.iter().map(|head| (head.name.as_str(), head.classes.as_slice())).collect();
        entries.extend([
            (key::CARD, serde_json::to_string(card).map_err(unwritable)?),
            (key::CLASSES, serde_json::to_string(&classes).map_err(unwritable)?),
            (key::PROGRAM, card.program.clone()),
        ]);
    }
    if network.card.is_none() && network.classes.len() == network.model.heads.len() {
        let heads = network.model.heads.iter().zip(&network.classes);
        let classes: BTreeMap<&str, &[String]> =
            heads.map(|(head, names)| (head.name.as_str(), names.as_slice())).collect();
        entries.push((key::CLASSES, serde_json::to_string(&classes).map_err(unwritable)?));
    }
    let entry = |(key, value): (&str, String)| StringStringEntryProto {
        key: Some(key.to_owned()),
        value: Some(value),
    };
    Ok(entries.into_iter().map(entry).collect())
}
