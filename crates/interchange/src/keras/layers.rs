//! Keras' layer for each layer, and the name of each tensor in the weights' file.

use inkling_schema::{LayerSpec, Padding};

use crate::python::listing::Item;
use crate::python::places::{Layout, Place};
use crate::python::text::{argument, call, literal, number, sides};
use crate::tensors::{NamedLayer, NamedLayers, TensorKind};

/// A network in Keras' layers.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// Layers that all heads share.
    pub(crate) trunk: Vec<Item>,
    /// Layers of each head.
    pub(crate) heads: Vec<Vec<Item>>,
    /// Where each tensor is in the file.
    pub(crate) places: Vec<Place>,
    /// The number of scores of each head.
    pub(crate) scores: Vec<usize>,
    /// Whether there is a residual block.
    pub(crate) has_residual: bool,
}

/// The layers of a network, whose names begin with these words in each head.
pub(crate) fn layers(named: &NamedLayers, parts: &[String]) -> Layers {
    let mut layers = Layers { scores: named.scores(), ..Layers::default() };
    layers.trunk = layers.chain(&named.trunk, "trunk");
    for (head, part) in named.heads.iter().zip(parts) {
        let items = layers.chain(head, part);
        layers.heads.push(items);
    }
    layers
}

impl Layers {
    /// The layers of a part, or of a block, whose names begin with `part`.
    fn chain(&mut self, layers: &[NamedLayer], part: &str) -> Vec<Item> {
        let mut items = Vec::new();
        let mut rest = (1..).zip(layers).peekable();
        while let Some((count, layer)) = rest.next() {
            let name = format!("{part}_{count}");
            match &layer.plan.layer {
                LayerSpec::Residual { .. } => {
                    self.has_residual = true;
                    let inner = self.chain(&layer.inner, &name);
                    let projection = layer
                        .projection
                        .as_deref()
                        .map(|projection| self.weighted(projection, &format!("{name}_projection"), None));
                    items.push(Item::Block { items: inner, projection });
                }
                LayerSpec::Dense { .. } | LayerSpec::Conv2d { .. } => {
                    let next = rest.peek().and_then(|(_, next)| by_name(&next.plan.layer));
                    if next.is_some() {
                        rest.next();
                    }
                    items.push(Item::leading(self.weighted(layer, &name, next)));
                }
                LayerSpec::BatchNorm { .. } | LayerSpec::LayerNorm { .. } => {
                    items.push(Item::following(self.weighted(layer, &name, None)));
                }
                other => items.push(unweighted(other)),
            }
        }
        items
    }

    /// A layer that has weights, with the activation after it, if that is part of it.
    fn weighted(&mut self, layer: &NamedLayer, name: &str, activation: Option<&str>) -> String {
        for tensor in layer.tensors() {
            let variable = match tensor.kind {
                TensorKind::Weight => "kernel",
                TensorKind::Bias => "bias",
                TensorKind::Scale => "gamma",
                TensorKind::Shift => "beta",
                TensorKind::RunningMean => "moving_mean",
                TensorKind::RunningVariance => "moving_variance",
            };
            self.places.push(Place { key: format!("{name}.{variable}"), layout: Layout::Same, tensor });
        }
        let activation = activation.map_or_else(String::new, |name| format!("activation=\"{name}\""));
        let name = format!("name={}", literal(name));
        match &layer.plan.layer {
            LayerSpec::Conv2d { filters, kernel_size, stride, padding, .. } => call(
                "layers.Conv2D",
                [
                    filters.to_string(),
                    sides(*kernel_size),
                    argument("strides", *stride, [1, 1], sides),
                    argument("padding", *padding, Padding::Valid, |_| "\"same\"".into()),
                    activation,
                    name,
                ],
            ),
            // Keras' momentum is the share of the running statistics that stays.
            LayerSpec::BatchNorm { epsilon, momentum } => call(
                "layers.BatchNormalization",
                [
                    argument("momentum", rest_of_one(*momentum), 0.99, number),
                    argument("epsilon", *epsilon, 0.001, number),
                    name,
                ],
            ),
            LayerSpec::LayerNorm { epsilon } => {
                call("layers.LayerNormalization", [argument("epsilon", *epsilon, 0.001, number), name])
            }
            _ => call("layers.Dense", [layer.plan.output.len().to_string(), activation, name]),
        }
    }
}

/// One minus a share, in as few digits as the share has.
fn rest_of_one(share: f64) -> f64 {
    const DIGITS: f64 = 1e12;
    ((1.0 - share) * DIGITS).round() / DIGITS
}

/// The name of an activation without numbers of its own, which can be an argument of the layer before it.
fn by_name(layer: &LayerSpec) -> Option<&'static str> {
    match layer {
        LayerSpec::Relu => Some("relu"),
        LayerSpec::Gelu => Some("gelu"),
        LayerSpec::Silu => Some("silu"),
        LayerSpec::Sigmoid => Some("sigmoid"),
        LayerSpec::Tanh => Some("tanh"),
        _ => None,
    }
}

/// A layer without weights.
fn unweighted(layer: &LayerSpec) -> Item {
    let pool = |function: &str, size: [usize; 2], stride: [usize; 2]| {
        Item::leading(call(function, [sides(size), argument("strides", stride, size, sides)]))
    };
    match layer {
        LayerSpec::MaxPool { pool_size, stride } => pool("layers.MaxPooling2D", *pool_size, *stride),
        LayerSpec::AvgPool { pool_size, stride } => pool("layers.AveragePooling2D", *pool_size, *stride),
        LayerSpec::GlobalAvgPool => Item::leading("layers.GlobalAveragePooling2D()".into()),
        LayerSpec::Flatten => Item::leading("layers.Flatten()".into()),
        LayerSpec::Dropout { rate } => Item::following(format!("layers.Dropout({})", number(*rate))),
        LayerSpec::Relu => Item::following("layers.ReLU()".into()),
        LayerSpec::LeakyRelu { slope } => {
            Item::following(format!("layers.LeakyReLU(negative_slope={})", number(*slope)))
        }
        LayerSpec::Elu { alpha } => Item::following(format!("layers.ELU(alpha={})", number(*alpha))),
        other => {
            let name = by_name(other).expect("an activation: the plan refuses layers that Keras lacks");
            Item::following(format!("layers.Activation(\"{name}\")"))
        }
    }
}
