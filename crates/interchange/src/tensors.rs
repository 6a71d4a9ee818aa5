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

/// The layers of a network.
#[derive(Debug)]
pub(crate) struct NamedLayers<'a> {
    /// Those that all heads share.
    pub(crate) trunk: Vec<NamedLayer<'a>>,
    /// Those of each head.
    pub(crate) heads: Vec<Vec<NamedLayer<'a>>>,
}

/// The plan of a network that is to be written in another program's words.
///
/// # Errors
/// A network that cannot be built, or one with an activation that only the program which trained it knows.
pub(crate) fn plan(model: &ModelSpec) -> Result<Plan, InterchangeError> {
    let plan = model.plan().map_err(|error| {
        let help = error.help().map_or_else(String::new, |help| help.to_string());
        InterchangeError::new(error.to_string(), help)
    })?;
    for layer in plan.all_layers() {
        if let LayerSpec::Custom { activation } = &layer.layer {
            return Err(InterchangeError::new(
                format!(
                    "{} (custom): `{activation}` is known only to the program that brought it",
                    layer.place
                ),
                "use an activation that other programs have too: relu, leaky-relu, elu, gelu, silu, sigmoid or tanh",
            ));
        }
    }
    Ok(plan)
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
