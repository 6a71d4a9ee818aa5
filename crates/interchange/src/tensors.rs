//! The layers of a network under the engine's names, and the tensors that they hold.

use inkling_schema::{LayerSpec, ModelSpec, Plan, PlannedLayer, Shape};
use miette::Diagnostic;

use crate::InterchangeError;

/// What a tensor is to its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TensorKind {
    Weight,
    Bias,
    Scale,
    Shift,
    RunningMean,
    RunningVariance,
}

impl TensorKind {
    /// The last part of its name.
    fn name(self) -> &'static str {
        match self {
            TensorKind::Weight => "weight",
            TensorKind::Bias => "bias",
            TensorKind::Scale => "scale",
            TensorKind::Shift => "shift",
            TensorKind::RunningMean => "running_mean",
            TensorKind::RunningVariance => "running_variance",
        }
    }
}

/// A tensor that a network has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorSpec {
    /// Layer and parameter, such as `trunk.2.weight`.
    pub(crate) name: String,
    /// Lengths of its axes.
    pub(crate) shape: Vec<usize>,
    /// What it is to its layer.
    pub(crate) kind: TensorKind,
}

/// A layer with its name.
#[derive(Debug)]
pub(crate) struct NamedLayer<'a> {
    /// Its part of the network and its number there from 1, such as `trunk.2`; within a block `trunk.4.1`.
    pub(crate) name: String,
    /// The layer with the shapes around it.
    pub(crate) plan: &'a PlannedLayer,
    /// The layers of a residual block.
    pub(crate) inner: Vec<NamedLayer<'a>>,
    /// The projection of its shortcut.
    pub(crate) projection: Option<Box<NamedLayer<'a>>>,
}

/// A program whose formats networks are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Onnx,
    PyTorch,
    Keras,
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Onnx => "ONNX",
            Format::PyTorch => "PyTorch",
            Format::Keras => "Keras",
        }
    }
}

/// The kinds of the layers that every format has. A new kind is refused by name until all writers know it.
const LAYERS: [&str; 17] = [
    "dense",
    "conv2d",
    "max-pool",
    "avg-pool",
    "global-avg-pool",
    "flatten",
    "relu",
    "leaky-relu",
    "elu",
    "gelu",
    "silu",
    "sigmoid",
    "tanh",
    "dropout",
    "batch-norm",
    "layer-norm",
    "residual",
];

/// The layers of a network.
#[derive(Debug)]
pub(crate) struct NamedLayers<'a> {
    /// Those that all heads share.
    pub(crate) trunk: Vec<NamedLayer<'a>>,
    /// Those of each head.
    pub(crate) heads: Vec<Vec<NamedLayer<'a>>>,
}

/// The plan of a network that is to be written in this format, or read from it.
///
/// # Errors
/// A network that cannot be built, or one with a layer that the format lacks, named by its place.
pub(crate) fn plan(model: &ModelSpec, format: Format) -> Result<Plan, InterchangeError> {
    let plan = model.plan().map_err(|error| {
        let help = error.help().map_or_else(|| "correct its layers".to_owned(), |help| help.to_string());
        InterchangeError::new(format!("the network cannot be built: {error}"), help)
    })?;
    check_layers(&plan, format, &LAYERS)?;
    Ok(plan)
}

/// Checks that a format has every layer of a network, of which it has those of these kinds.
fn check_layers(plan: &Plan, format: Format, kinds: &[&str]) -> Result<(), InterchangeError> {
    let lacks = |layer: &&PlannedLayer| !kinds.contains(&layer.layer.kind());
    let Some(lacking) = plan.all_layers().find(lacks) else { return Ok(()) };
    let (place, kind, format) = (&lacking.place, lacking.layer.kind(), format.name());
    Err(match &lacking.layer {
        LayerSpec::Custom { activation } => InterchangeError::new(
            format!(
                "{place} ({kind}): `{activation}` is known only to the program that brought it, and {format} lacks it"
            ),
            "use an activation that other programs have too (relu, leaky-relu, elu, gelu, silu, sigmoid or tanh), and train \
             the network again",
        ),
        _ => InterchangeError::new(
            format!("{place} ({kind}): {format} has no such layer"),
            format!(
                "replace it by layers that {format} has ({}), and train the network again",
                kinds.join(", ")
            ),
        ),
    })
}

impl<'a> NamedLayers<'a> {
    /// The layers of a model by its plan.
    pub(crate) fn new(model: &'a ModelSpec, plan: &'a Plan) -> NamedLayers<'a> {
        let (trunk, mut rest) = plan.layers.split_at(model.trunk.len());
        let head = |head: &'a inkling_schema::Head| {
            let (layers, others) = rest.split_at(head.layers.len());
            rest = others;
            named(&head.name, layers)
        };
        NamedLayers { trunk: named("trunk", trunk), heads: model.heads.iter().map(head).collect() }
    }

    /// The number of scores of each head.
    pub(crate) fn scores(&self) -> Vec<usize> {
        let last = |head: &Vec<NamedLayer>| head.last().map_or(0, |layer| layer.plan.output.len());
        self.heads.iter().map(last).collect()
    }

    /// Every layer in the order of the engine: the layers of a block after it, then its projection.
    pub(crate) fn all(&self) -> Vec<&NamedLayer<'a>> {
        self.trunk.iter().chain(self.heads.iter().flatten()).flat_map(NamedLayer::with_inner).collect()
    }
}

fn named<'a>(part: &str, layers: &'a [PlannedLayer]) -> Vec<NamedLayer<'a>> {
    (1..).zip(layers).map(|(number, plan)| NamedLayer::new(format!("{part}.{number}"), plan)).collect()
}

impl<'a> NamedLayer<'a> {
    fn new(name: String, plan: &'a PlannedLayer) -> NamedLayer<'a> {
        let own = match &plan.layer {
            LayerSpec::Residual { layers, .. } => layers.len(),
            _ => 0,
        };
        let (inner, projection) = plan.inner.split_at(own);
        let inner = named(&name, inner);
        let projection = projection.first();
        let projection = projection.map(|plan| Box::new(NamedLayer::new(format!("{name}.projection"), plan)));
        NamedLayer { name, plan, inner, projection }
    }

    fn with_inner(&self) -> Vec<&NamedLayer<'a>> {
        let inner = self.inner.iter().chain(self.projection.as_deref());
        std::iter::once(self).chain(inner.flat_map(NamedLayer::with_inner)).collect()
    }

    /// The tensors that the layer itself holds; those of the layers within it are theirs.
    pub(crate) fn tensors(&self) -> Vec<TensorSpec> {
        use TensorKind::{Bias, RunningMean, RunningVariance, Scale, Shift, Weight};
        let features = vec![self.plan.input.features()];
        let shapes = match (&self.plan.layer, self.plan.input) {
            (LayerSpec::Dense { units, .. }, input) => {
                vec![(Weight, vec![input.len(), *units]), (Bias, vec![*units])]
            }
            (LayerSpec::Conv2d { filters, kernel_size, .. }, Shape::Image { channels, .. }) => {
                let [height, width] = *kernel_size;
                vec![(Weight, vec![height, width, channels, *filters]), (Bias, vec![*filters])]
            }
            (LayerSpec::BatchNorm { .. }, _) => {
                [Scale, Shift, RunningMean, RunningVariance].map(|kind| (kind, features.clone())).to_vec()
            }
            (LayerSpec::LayerNorm { .. }, _) => [Scale, Shift].map(|kind| (kind, features.clone())).to_vec(),
            _ => Vec::new(),
        };
        let tensor = |(kind, shape): (TensorKind, _)| TensorSpec {
            name: format!("{}.{}", self.name, kind.name()),
            shape,
            kind,
        };
        shapes.into_iter().map(tensor).collect()
    }
}

#[cfg(test)]
mod tests {
    use inkling_schema::{Head, Initializer};

    use super::*;
    use crate::{Portable, keras, onnx, pytorch};

    type Write = fn(&Portable) -> Result<(), InterchangeError>;

    /// Every writer.
    const WRITERS: [(&str, Write); 3] = [
        ("ONNX", |network| onnx::export(network, &onnx::Options::default()).map(drop)),
        ("PyTorch", |network| pytorch(network, "mine").map(drop)),
        ("Keras", |network| keras(network, "mine").map(drop)),
    ];

    fn with(trunk: Vec<LayerSpec>) -> ModelSpec {
        let dense = LayerSpec::Dense { units: 2, initializer: Initializer::HeUniform };
        ModelSpec {
            input: [4, 4, 2],
            trunk,
            heads: vec![Head::new("class", vec![LayerSpec::Flatten, dense])],
        }
    }

    #[test]
    fn every_writer_refuses_a_layer_that_its_format_lacks() {
        let custom = LayerSpec::Custom { activation: "mish".into() };
        let model = with(vec![LayerSpec::Residual { layers: vec![custom], projection: None }]);
        for (format, write) in WRITERS {
            let network =
                Portable { model: model.clone(), tensors: Vec::new(), card: None, classes: Vec::new() };
            let error = write(&network).unwrap_err();
            let expected = "trunk 1.1 (custom): `mish` is known only to the program that brought it, and ";
            assert_eq!(error.to_string(), format!("{expected}{format} lacks it"));
            assert!(error.help().contains("relu"));
        }
        let plan = with(Vec::new()).plan().unwrap();
        let error = check_layers(&plan, Format::Keras, &["dense"]).unwrap_err();
        assert!(error.to_string().ends_with("(flatten): Keras has no such layer"), "{error}");
        assert!(error.help().contains("replace it by layers that Keras has (dense)"));
    }

    #[test]
    fn every_writer_writes_every_kind_that_is_listed() {
        let toml = r#"
input = [4, 4, 2]
trunk = [
    { layer = "conv2d", filters = 2, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "he-uniform" },
    { layer = "max-pool", pool_size = [1, 1], stride = [1, 1] },
    { layer = "avg-pool", pool_size = [1, 1], stride = [1, 1] },
    { layer = "relu" },
    { layer = "leaky-relu", slope = 0.1 },
    { layer = "elu", alpha = 1.0 },
    { layer = "gelu" },
    { layer = "silu" },
    { layer = "sigmoid" },
    { layer = "tanh" },
    { layer = "dropout", rate = 0.5 },
    { layer = "batch-norm", epsilon = 1e-5, momentum = 0.1 },
    { layer = "layer-norm", epsilon = 1e-5 },
    { layer = "residual", layers = [{ layer = "relu" }] },
]
[[heads]]
name = "a"
layers = [{ layer = "global-avg-pool" }, { layer = "dense", units = 2, initializer = "glorot-uniform" }]
[[heads]]
name = "b"
layers = [{ layer = "flatten" }, { layer = "dense", units = 2, initializer = "glorot-uniform" }]
"#;
        let model = ModelSpec::from_toml("all.toml", toml).unwrap();
        let plan = model.plan().unwrap();
        let kinds: Vec<&str> = plan.all_layers().map(|layer| layer.layer.kind()).collect();
        assert!(LAYERS.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
        let network = crate::testing::portable(&model);
        for (format, write) in WRITERS {
            write(&network).unwrap_or_else(|error| panic!("{format}: {error}"));
        }
    }
}
