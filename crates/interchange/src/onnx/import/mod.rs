//! Networks from ONNX files, by the nodes of their graphs.

mod activation;
mod graph;
mod input;
mod layer;
mod metadata;
mod settings;
mod shapes;
mod step;
mod values;
mod walk;
mod weights;
mod windows;

use bytes::Bytes;
use inkling_schema::{Head, LayerSpec, Loss, ModelSpec, PlannedLayer};
use prost::Message;

use self::graph::{Ending, Graph, Heads};
use self::layer::{Form, Layer};
use self::walk::{At, End, Reader};
use super::messages::{ModelProto, NodeProto};
use super::{OPSETS_READ, ending, limits};
use crate::{InterchangeError, Portable, Tensor};

/// How many weights a network may have beside those of its file: the biases of layers that have none there, and zeros around
/// kernels.
const SPARE: usize = 1 << 23;
/// The longest name in a message.
const LONGEST_NAME: usize = 60;

/// The network of an ONNX file, Inkling's or another program's.
///
/// Arrays are read where they lie in `file`, so that reading takes no more memory than the file beside it. Outputs of the network
/// are those of the graph before a softmax or a sigmoid at its end. A network without such an end is taken to tell classes apart.
///
/// # Errors
/// What cannot be read, by the node where it is, and what to do.
pub fn import(file: Vec<u8>) -> Result<Portable, InterchangeError> {
    let file = Bytes::from(file);
    limits::check(&file)?;
    let model = ModelProto::decode(file.clone()).map_err(|_| limits::broken())?;
    check_opset(&model)?;
    let Some(proto) = &model.graph else {
        return Err(InterchangeError::new("it has no graph", "export the network again"));
    };
    let graph = Graph::new(proto)?;
    let (batch, form) = input::form(&graph)?;
    let room = file.len() / size_of::<f32>() + SPARE;
    let mut reader = Reader { graph: &graph, room, batch, is_prepared: false, layers: 0 };
    let parts = parts(&mut reader, At { value: &graph.input.name, form })?;
    let input = input::shape(form);
    let trunk = parts.trunk.iter().map(Layer::spec).collect();
    let mut heads: Vec<Head> = Vec::new();
    for (ending, layers) in graph.endings.iter().zip(&parts.heads) {
        let name = name(ending, &heads, graph.endings.len());
        heads.push(Head { name, layers: layers.iter().map(Layer::spec).collect(), loss: loss(ending) });
    }
    let mut spec = ModelSpec { input, trunk, heads };
    let plan = spec.plan().map_err(|error| {
        InterchangeError::new(
            format!("its network cannot be built: {error}"),
            "change the network where it was made, and export it again",
        )
    })?;
    let layers = parts.trunk.iter().chain(parts.heads.iter().flatten());
    layers.zip(&plan.layers).try_for_each(|(layer, plan)| check_projections(layer, plan))?;
    let mut card = None;
    if let Some(told) = metadata::model(&model, &spec, &plan.layers, &graph.endings) {
        card = metadata::card(&model, &told);
        spec = told;
    }
    let classes = match card {
        Some(_) => Vec::new(),
        None => metadata::classes(&model, &spec),
    };
    Ok(Portable { tensors: parts.tensors(&spec), model: spec, card, classes })
}

/// The layers of a network.
struct Parts {
    trunk: Vec<Layer>,
    heads: Vec<Vec<Layer>>,
}

impl Parts {
    /// All arrays under their names in this network, whose trunk may end elsewhere if there is a single head.
    fn tensors(self, model: &ModelSpec) -> Vec<Tensor> {
        let mut tensors = Vec::new();
        let mut layers = self.trunk.into_iter().chain(self.heads.into_iter().flatten());
        let parts = std::iter::once(("trunk", model.trunk.len()))
            .chain(model.heads.iter().map(|head| (head.name.as_str(), head.layers.len())));
        for (part, count) in parts {
            for (i, layer) in layers.by_ref().take(count).enumerate() {
                layer.unpack(&format!("{part}.{}", i + 1), &mut tensors);
            }
        }
        tensors
    }
}

/// Reads trunk and heads.
fn parts<'a>(reader: &mut Reader<'a>, at: At<'a>) -> Result<Parts, InterchangeError> {
    let count = reader.graph.endings.len();
    let trunk = reader.chain(at, Heads::MAX, None, 0)?;
    let mut layers = Vec::new();
    if let Form::Vector { .. } = at.form {
        layers.push(Layer::new(LayerSpec::Flatten, Vec::new()));
    }
    layers.extend(trunk.layers);
    let mut heads = Vec::new();
    match trunk.end {
        End::Sum(number) => return Err(stray(&reader.graph.nodes[number])),
        // A network of one head: the head is the last layer with scores, and what follows.
        End::Head => {
            let scores =
                |layer: &Layer| matches!(layer.spec(), LayerSpec::Dense { .. } | LayerSpec::Conv2d { .. });
            let split = layers.iter().rposition(scores).unwrap_or(0);
            heads.push((layers.split_off(split), trunk.at));
        }
        End::Fork => {
            for head in 0..count {
                let chain = reader.chain(trunk.at, 1 << head, None, 0)?;
                if let End::Sum(number) = chain.end {
                    return Err(stray(&reader.graph.nodes[number]));
                }
                heads.push((chain.layers, chain.at));
            }
        }
    }
    let mut parts = Parts { trunk: layers, heads: Vec::new() };
    for ((layers, at), ending) in heads.into_iter().zip(&reader.graph.endings) {
        if !input::is_in_order(at.form) || layers.is_empty() {
            return Err(InterchangeError::new(
                format!("its output {} is {}, and no scores that layers give", shown(ending.scores), at.form),
                "a network is read whose heads each end in a vector of scores, as of a dense layer",
            ));
        }
        parts.heads.push(layers);
    }
    Ok(parts)
}

fn stray(node: &NodeProto) -> InterchangeError {
    InterchangeError::new(
        format!("{} adds what does not come from one value", here(node)),
        "additions are read as biases and at the end of residual blocks",
    )
}

/// Refuses projections of other strides than the engine's, which follow from the shapes.
fn check_projections(layer: &Layer, plan: &PlannedLayer) -> Result<(), InterchangeError> {
    let (inner, along) = plan.inner.split_at(layer.inner().len());
    layer.inner().iter().zip(inner).try_for_each(|(layer, plan)| check_projections(layer, plan))?;
    let stride = |layer: &LayerSpec| match layer {
        LayerSpec::Conv2d { stride, .. } => Some(*stride),
        _ => None,
    };
    match (&layer.projection, along.first()) {
        (Some(found), Some(planned)) if stride(&found.spec()) != stride(&planned.layer) => {
            Err(InterchangeError::new(
                format!(
                    "the projection of the residual block at {} has strides that are not read",
                    plan.place
                ),
                format!("a projection's strides are the shortest that give {}", planned.output),
            ))
        }
        _ => Ok(()),
    }
}

/// What a head is trained by, as far as a graph says: one without probabilities is taken to tell classes apart.
fn loss(ending: &Ending) -> Loss {
    match ending.probabilities {
        Some("Sigmoid") => Loss::BinaryCrossEntropy,
        _ => Loss::default(),
    }
}

/// A name for the head after these, of `count` in all: after its outputs if they have names that people give.
fn name(ending: &Ending, before: &[Head], count: usize) -> String {
    let output = ending.outputs[0];
    let stem =
        output.strip_suffix(ending::LOGITS).or(output.strip_suffix(ending::PROBABILITIES)).unwrap_or(output);
    let is_name = stem.chars().all(|character| character.is_alphanumeric() || " -_".contains(character))
        && !stem.trim().is_empty()
        && stem.chars().count() <= LONGEST_NAME;
    let is_free = stem != "trunk" && before.iter().all(|head| head.name != stem);
    match is_name && is_free {
        true => stem.to_owned(),
        false if count == 1 => "class".to_owned(),
        false => format!("head {}", before.len() + 1),
    }
}

/// Refuses operators whose definitions are not known.
fn check_opset(model: &ModelProto) -> Result<(), InterchangeError> {
    let own = model.opset_import.iter().find(|opset| matches!(opset.domain.as_str(), "" | "ai.onnx"));
    let version = own.and_then(|opset| opset.version);
    let range = format!("{} to {}", OPSETS_READ.start(), OPSETS_READ.end());
    match version {
        Some(version) if OPSETS_READ.contains(&version) => Ok(()),
        Some(version) => Err(InterchangeError::new(
            format!("its operators are those of version {version} (opset), and {range} are read"),
            "export the network with one of these versions (`opset_version=17` in PyTorch), or convert the file with \
             `onnx.version_converter`",
        )),
        None => Err(InterchangeError::new(
            "it does not say of which version (opset) its operators are",
            "give a file that Inkling, `torch.onnx.export` or another exporter wrote, or copy it again",
        )),
    }
}

/// A node in a message.
fn here(node: &NodeProto) -> String {
    let operator = match node.domain.as_str() {
        "" | "ai.onnx" => node.op_type.clone(),
        domain => format!("{domain}.{}", node.op_type),
    };
    let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
    match name {
        Some(name) => format!("the node {} ({})", shown(name), plain(&operator)),
        None => format!("a node without a name ({})", plain(&operator)),
    }
}

/// A name in a message.
fn shown(name: &str) -> String {
    format!("`{}`", plain(name))
}

/// Text without what cannot be seen, as long as a message can show it.
fn plain(text: &str) -> String {
    let visible = text.chars().filter(|character| !character.is_control());
    let mut visible = visible.take(LONGEST_NAME + 1).collect::<Vec<char>>();
    if visible.len() > LONGEST_NAME {
        visible.truncate(LONGEST_NAME);
        visible.push('…');
    }
    visible.into_iter().collect()
}

/// The shortest decimal number that is this one in 32 bits: what a person wrote before a file rounded it.
fn decimal(number: f32) -> f64 {
    number.to_string().parse().expect("a number as it is written")
}
