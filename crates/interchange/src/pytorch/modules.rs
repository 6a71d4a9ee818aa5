//! PyTorch's module for each layer, and the name of each tensor in the state dict.

use inkling_schema::{LayerSpec, Padding, Shape};

use crate::python::listing::Item;
use crate::python::places::{Flattened, Place, layout_of};
use crate::python::text::{argument, call, number, sides};
use crate::tensors::{NamedLayer, NamedLayers, TensorKind};

/// A network in PyTorch's modules.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    /// Modules that all heads share.
    pub(crate) trunk: Vec<Item>,
    /// Modules of each head.
    pub(crate) heads: Vec<Vec<Item>>,
    /// Where each tensor is in the state dict.
    pub(crate) places: Vec<Place>,
    /// Whether there is a layer norm over the channels of images.
    pub(crate) has_channel_norm: bool,
    /// Whether an image becomes a vector whose values are in the engine's order.
    pub(crate) has_flatten_last: bool,
    /// Whether zeros are put around an image by a module of their own.
    pub(crate) has_padding: bool,
    /// The number of scores of each head.
    pub(crate) scores: Vec<usize>,
    /// Whether there is a residual block.
    pub(crate) has_residual: bool,
}

/// The modules of a network whose heads have these attributes.
pub(crate) fn modules(layers: &NamedLayers, attributes: &[String]) -> Modules {
    let mut modules = Modules { scores: layers.scores(), ..Modules::default() };
    let heads: Vec<&[NamedLayer]> = layers.heads.iter().map(Vec::as_slice).collect();
    let (mut trunk, flattened) = modules.chain(&layers.trunk, &heads, None);
    modules.keep("trunk", &mut trunk);
    modules.trunk = trunk.items;
    for (layers, attribute) in layers.heads.iter().zip(attributes) {
        let (mut head, _) = modules.chain(layers, &[], flattened);
        modules.keep(attribute, &mut head);
        modules.heads.push(head.items);
    }
    modules
}

/// Modules that follow each other; the keys of their tensors begin with the number of the module, from 0.
#[derive(Debug, Default)]
struct Chain {
    items: Vec<Item>,
    places: Vec<Place>,
}

impl Chain {
    /// Adds a module that has these tensors, which may be those of an image that became a vector.
    fn push(&mut self, item: Item, layer: &NamedLayer, flattened: Flattened) {
        let number = self.items.len();
        self.places.extend(own_places(layer, &number.to_string(), flattened));
        self.items.push(item);
    }
}

/// The places of a layer's own tensors in a module of this name.
fn own_places(layer: &NamedLayer, module: &str, flattened: Flattened) -> Vec<Place> {
    let place = |tensor: crate::tensors::TensorSpec| {
        let parameter = match tensor.kind {
            TensorKind::Weight | TensorKind::Scale => "weight",
            TensorKind::Bias | TensorKind::Shift => "bias",
            TensorKind::RunningMean => "running_mean",
            TensorKind::RunningVariance => "running_var",
        };
        let layout = layout_of(tensor.kind, &tensor.shape, flattened);
        Place { key: format!("{module}.{parameter}"), layout, tensor }
    };
    layer.tensors().into_iter().map(place).collect()
}

impl Modules {
    /// Takes the tensors of a part under its name, as whose only module one stands by itself.
    fn keep(&mut self, part: &str, chain: &mut Chain) {
        let is_single = chain.items.len() == 1;
        for place in chain.places.drain(..) {
            let key = place.key.strip_prefix("0.").filter(|_| is_single).unwrap_or(&place.key);
            self.places.push(Place { key: format!("{part}.{key}"), ..place });
        }
    }

    /// The modules of some layers before these heads, whose input may be an image that became a vector; and whether what comes
    /// out is one.
    fn chain(
        &mut self,
        layers: &[NamedLayer],
        heads: &[&[NamedLayer]],
        mut flattened: Flattened,
    ) -> (Chain, Flattened) {
        let mut chain = Chain::default();
        for (i, layer) in layers.iter().enumerate() {
            match &layer.plan.layer {
                LayerSpec::Flatten => {
                    let is_natural = ends_in_dense(&layers[i + 1..], heads);
                    flattened = match layer.plan.input {
                        Shape::Image { height, width, channels } if height * width > 1 && channels > 1 => {
                            Some([height, width, channels])
                        }
                        _ => None,
                    };
                    let mut code = "nn.Flatten()";
                    if flattened.is_some() && !is_natural {
                        (self.has_flatten_last, flattened, code) = (true, None, "FlattenLast()");
                    }
                    chain.push(Item::leading(code.into()), layer, None);
                }
                LayerSpec::Residual { .. } => {
                    self.has_residual = true;
                    let number = chain.items.len();
                    let (inner, _) = self.chain(&layer.inner, &[], flattened);
                    let projection = layer.projection.as_deref();
                    let within =
                        |place: Place| Place { key: format!("{number}.layers.{}", place.key), ..place };
                    chain.places.extend(inner.places.into_iter().map(within));
                    chain.places.extend(projection.into_iter().flat_map(|projection| {
                        own_places(projection, &format!("{number}.projection"), flattened)
                    }));
                    let projection = projection.map(|layer| conv_or_dense(layer).1);
                    chain.items.push(Item::Block { items: inner.items, projection });
                }
                LayerSpec::Dense { .. } => {
                    chain.push(Item::leading(conv_or_dense(layer).1), layer, flattened);
                    flattened = None;
                }
                LayerSpec::Conv2d { .. } => {
                    let (pad, code) = conv_or_dense(layer);
                    let item = if pad.is_some() { Item::following(code) } else { Item::leading(code) };
                    self.has_padding |= pad.is_some();
                    chain.items.extend(pad.map(Item::leading));
                    chain.push(item, layer, None);
                }
                LayerSpec::GlobalAvgPool => {
                    chain.items.push(Item::leading("nn.AdaptiveAvgPool2d(1)".into()));
                    chain.items.push(Item::following("nn.Flatten()".into()));
                }
                LayerSpec::LayerNorm { .. } if matches!(layer.plan.input, Shape::Image { .. }) => {
                    self.has_channel_norm = true;
                    chain.push(item(layer), layer, flattened);
                }
                _ => chain.push(item(layer), layer, flattened),
            }
        }
        (chain, flattened)
    }
}

/// Whether the next layer after these that mixes the values of a vector is dense, on every way on: its inputs can then be in
/// any order.
fn ends_in_dense(layers: &[NamedLayer], heads: &[&[NamedLayer]]) -> bool {
    for layer in layers {
        match &layer.plan.layer {
            LayerSpec::Dense { .. } => return true,
            LayerSpec::Dropout { .. } | LayerSpec::BatchNorm { .. } | LayerSpec::LayerNorm { .. } => {}
            other if other.is_activation() => {}
            _ => return false,
        }
    }
    !heads.is_empty() && heads.iter().all(|head| ends_in_dense(head, &[]))
}

/// The module of a dense layer or a convolution, and the module that pads the images before it if it cannot do so itself.
fn conv_or_dense(layer: &NamedLayer) -> (Option<String>, String) {
    let LayerSpec::Conv2d { filters, kernel_size, stride, padding, .. } = &layer.plan.layer else {
        let (inputs, units) = (layer.plan.input.len(), layer.plan.output.len());
        return (None, format!("nn.Linear({inputs}, {units})"));
    };
    let [top, left, bottom, right] =
        pads(layer.plan.input, layer.plan.output, *kernel_size, *stride, *padding);
    let is_even = top == bottom && left == right;
    let padding = match (*stride, is_even) {
        _ if [top, left, bottom, right] == [0; 4] => String::new(),
        ([1, 1], true) => "padding=\"same\"".into(),
        (_, true) => format!("padding={}", sides([top, left])),
        // A module of its own pads before.
        (_, false) => String::new(),
    };
    let arguments = [
        layer.plan.input.features().to_string(),
        filters.to_string(),
        sides(*kernel_size),
        argument("stride", *stride, [1, 1], sides),
        padding,
    ];
    let pad = (!is_even).then(|| format!("nn.ZeroPad2d(({left}, {right}, {top}, {bottom}))"));
    (pad, call("nn.Conv2d", arguments))
}

/// Rows and columns of zeros above, left of, below and right of the image, as TensorFlow computes them: the last window
/// determines how many, of which the smaller half goes before the image.
fn pads(input: Shape, output: Shape, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> [usize; 4] {
    let (
        Shape::Image { height, width, .. },
        Shape::Image { height: rows, width: columns, .. },
        Padding::Same,
    ) = (input, output, padding)
    else {
        return [0; 4];
    };
    let along = |side: usize, size: usize, count: usize| {
        let missing = ((count - 1) * stride[side] + kernel[side]).saturating_sub(size);
        (missing / 2, missing - missing / 2)
    };
    let ((top, bottom), (left, right)) = (along(0, height, rows), along(1, width, columns));
    [top, left, bottom, right]
}

/// The module of any other layer.
fn item(layer: &NamedLayer) -> Item {
    let (features, is_image) = (layer.plan.input.features(), matches!(layer.plan.input, Shape::Image { .. }));
    let pool = |function: &str, size: [usize; 2], stride: [usize; 2]| {
        Item::leading(call(function, [sides(size), argument("stride", stride, size, sides)]))
    };
    let code = match &layer.plan.layer {
        LayerSpec::MaxPool { pool_size, stride } => return pool("nn.MaxPool2d", *pool_size, *stride),
        LayerSpec::AvgPool { pool_size, stride } => return pool("nn.AvgPool2d", *pool_size, *stride),
        LayerSpec::BatchNorm { epsilon, momentum } => call(
            if is_image { "nn.BatchNorm2d" } else { "nn.BatchNorm1d" },
            [
                features.to_string(),
                argument("eps", *epsilon, 1e-5, number),
                argument("momentum", *momentum, 0.1, number),
            ],
        ),
        LayerSpec::LayerNorm { epsilon } => call(
            if is_image { "ChannelNorm" } else { "nn.LayerNorm" },
            [features.to_string(), argument("eps", *epsilon, 1e-5, number)],
        ),
        LayerSpec::Dropout { rate } => format!("nn.Dropout({})", number(*rate)),
        LayerSpec::Relu => "nn.ReLU()".into(),
        LayerSpec::LeakyRelu { slope } => format!("nn.LeakyReLU({})", number(*slope)),
        LayerSpec::Elu { alpha } => format!("nn.ELU({})", number(*alpha)),
        LayerSpec::Gelu => "nn.GELU()".into(),
        LayerSpec::Silu => "nn.SiLU()".into(),
        LayerSpec::Sigmoid => "nn.Sigmoid()".into(),
        LayerSpec::Tanh => "nn.Tanh()".into(),
        other => unreachable!("{} is written with its chain, or refused by the plan", other.kind()),
    };
    Item::following(code)
}
