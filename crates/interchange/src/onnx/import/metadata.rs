//! What the metadata of a file adds to its graph: what a graph cannot say, if it is of the network that the graph is.

use std::collections::{BTreeMap, BTreeSet};

use inkling_schema::{LayerSpec, Loss, ModelCard, ModelSpec, Padding, PlannedLayer, Shape};
use serde_json::from_str;

use super::super::messages::ModelProto;
use super::super::{key, same_padding};
use super::graph::Ending;

/// The longest text that is read.
const LONGEST: usize = 1 << 20;

/// The network that the metadata describes, if it is the one of the graph: with the same layers, it has the initialisers, the
/// losses, the end of the trunk and the digits of numbers that the graph lacks.
pub(super) fn model(
    file: &ModelProto,
    graph: &ModelSpec,
    layers: &[PlannedLayer],
    endings: &[Ending],
) -> Option<ModelSpec> {
    let told: ModelSpec = from_str(text(file, key::MODEL)?).ok()?;
    let pairs = || told.heads.iter().zip(&graph.heads);
    let fits = told.input == graph.input
        && count(&told) == count(graph)
        && told.heads.len() == graph.heads.len()
        && pairs().all(|(told, graph)| told.name == graph.name)
        && told.heads.iter().zip(endings).all(|(told, ending)| ends_so(told.loss, ending))
        // Of a single head, no graph says where it begins.
        && (told.heads.len() == 1 || pairs().all(|(told, graph)| told.layers.len() == graph.layers.len()))
        && are_alike(&told.plan().ok()?.layers, layers);
    fits.then_some(told)
}

/// The model card of the metadata, if it is of this network.
pub(super) fn card(file: &ModelProto, model: &ModelSpec) -> Option<ModelCard> {
    let card: ModelCard = from_str(text(file, key::CARD)?).ok()?;
    let plan = model.plan().ok()?;
    let mut layers = plan.layers.iter().skip(model.trunk.len());
    let mut fits = card.heads.len() == model.heads.len();
    for (told, head) in card.heads.iter().zip(&model.heads) {
        let outputs = layers.by_ref().take(head.layers.len()).last()?.output.len();
        fits &= told.name == head.name && (!head.loss.is_of_classes() || told.classes.len() == outputs);
    }
    fits.then_some(card)
}

/// The names of the classes of each head, where the metadata has as many as a head has scores: under Inkling's key by head, or, for a
/// network with one head, as a list under `classes`, `class_names`, `labels` or `names`, as other programs have it.
pub(super) fn classes(file: &ModelProto, model: &ModelSpec) -> Vec<Vec<String>> {
    let told = |head: &str| -> Option<Vec<String>> {
        let by_head: Option<BTreeMap<String, Vec<String>>> =
            text(file, key::CLASSES).and_then(|text| from_str(text).ok());
        let of_others = || {
            let keys = ["classes", "class_names", "labels", "names"];
            keys.iter().find_map(|key| list(text(file, key)?))
        };
        let own = by_head.and_then(|mut by_head| by_head.remove(head));
        own.or_else(|| (model.heads.len() == 1).then(of_others).flatten())
    };
    let Ok(plan) = model.plan() else { return Vec::new() };
    let mut layers = plan.layers.iter().skip(model.trunk.len());
    let mut found = Vec::new();
    for head in &model.heads {
        let outputs = layers.by_ref().take(head.layers.len()).last().map_or(0, |layer| layer.output.len());
        let named = told(&head.name).filter(|names| {
            let once: BTreeSet<&String> = names.iter().collect();
            names.len() == outputs
                && once.len() == outputs
                && !names.iter().any(|name| name.trim().is_empty())
        });
        let Some(names) = named else { return Vec::new() };
        found.push(names);
    }
    found
}

/// A list of names: JSON, or separated by commas or lines.
fn list(text: &str) -> Option<Vec<String>> {
    if text.trim_start().starts_with(['[', '{']) {
        return from_str(text).ok();
    }
    let separator = if text.contains('\n') { '\n' } else { ',' };
    Some(text.trim().split(separator).map(|name| name.trim().to_owned()).collect())
}

/// The layers of a network, those within blocks too.
fn count(model: &ModelSpec) -> usize {
    fn of(layers: &[LayerSpec]) -> usize {
        let within = |layer: &LayerSpec| match layer {
            LayerSpec::Residual { layers, .. } => 1 + of(layers),
            _ => 1,
        };
        layers.iter().map(within).sum()
    }
    of(&model.trunk) + model.heads.iter().map(|head| of(&head.layers)).sum::<usize>()
}

fn text<'a>(file: &'a ModelProto, key: &str) -> Option<&'a str> {
    let entry = file.metadata_props.iter().find(|entry| entry.key.as_deref() == Some(key))?;
    entry.value.as_deref().filter(|text| text.len() <= LONGEST)
}

/// Whether a head of this loss ends as files of Inkling write it.
fn ends_so(loss: Loss, ending: &Ending) -> bool {
    let probabilities = match loss {
        Loss::CrossEntropy { .. } => Some("Softmax"),
        Loss::BinaryCrossEntropy => Some("Sigmoid"),
        Loss::MeanSquaredError => None,
    };
    ending.probabilities == probabilities
}

fn are_alike(told: &[PlannedLayer], graph: &[PlannedLayer]) -> bool {
    told.len() == graph.len() && told.iter().zip(graph).all(|(told, graph)| is_alike(told, graph))
}

/// Whether two layers compute the same, numbers being what they are in 32 bits.
fn is_alike(told: &PlannedLayer, graph: &PlannedLayer) -> bool {
    use LayerSpec::{
        AvgPool, BatchNorm, Conv2d, Dense, Dropout, Elu, LayerNorm, LeakyRelu, MaxPool, Residual,
    };
    let equal = |told: f64, graph: f64| told as f32 == graph as f32;
    let computes_alike = match (&told.layer, &graph.layer) {
        // Shapes say the rest.
        (Dense { .. }, Dense { .. }) => true,
        (
            Conv2d { kernel_size, stride, padding, .. },
            Conv2d { kernel_size: graph_kernel, stride: graph_stride, padding: graph_padding, .. },
        ) => {
            let zeros = |padding: Padding| zeros(told, *kernel_size, *stride, padding);
            kernel_size == graph_kernel && stride == graph_stride && zeros(*padding) == zeros(*graph_padding)
        }
        (MaxPool { pool_size, stride }, MaxPool { pool_size: graph_size, stride: graph_stride })
        | (AvgPool { pool_size, stride }, AvgPool { pool_size: graph_size, stride: graph_stride }) => {
            (pool_size, stride) == (graph_size, graph_stride)
        }
        (LeakyRelu { slope: told }, LeakyRelu { slope: graph })
        | (Elu { alpha: told }, Elu { alpha: graph })
        | (Dropout { rate: told }, Dropout { rate: graph })
        | (LayerNorm { epsilon: told }, LayerNorm { epsilon: graph })
        | (BatchNorm { epsilon: told, .. }, BatchNorm { epsilon: graph, .. }) => equal(*told, *graph),
        (Residual { projection: told, .. }, Residual { projection: graph, .. }) => {
            told.is_some() == graph.is_some()
        }
        (told, graph) => told == graph,
    };
    computes_alike
        && (told.input, told.output) == (graph.input, graph.output)
        && are_alike(&told.inner, &graph.inner)
}

/// The zeros around the input of a convolution.
fn zeros(plan: &PlannedLayer, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> [[usize; 2]; 2] {
    match (padding, plan.input, plan.output) {
        (
            Padding::Same,
            Shape::Image { height, width, .. },
            Shape::Image { height: rows, width: columns, .. },
        ) => [
            same_padding(height, kernel[0], stride[0], rows),
            same_padding(width, kernel[1], stride[1], columns),
        ],
        _ => [[0; 2]; 2],
    }
}
