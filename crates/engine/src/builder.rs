//! Networks from plans: which layer each description becomes.

use inkling_schema::{LayerSpec, ModelError, Padding, PlannedLayer};

use crate::layers::DynLayer;
use crate::layers::activation::{ActivationRegistry, activation};
use crate::layers::avg_pool::AvgPool;
use crate::layers::batch_norm::BatchNorm;
use crate::layers::conv2d::conv2d;
use crate::layers::dense::{Dense, Size};
use crate::layers::dropout::Dropout;
use crate::layers::geometry::Geometry;
use crate::layers::layer_norm::LayerNorm;
use crate::layers::max_pool::MaxPool;
use crate::layers::residual::Residual;
use crate::layers::sequential::{NamedLayer, Sequential};
use crate::random::RngStream;

/// What layers are built from beside their plan.
#[derive(Clone, Copy)]
pub(crate) struct Builder<'a> {
    /// Of the streams that draw weights and masks.
    pub(crate) seed: u64,
    /// The activations that layers of the kind `custom` may name.
    pub(crate) activations: &'a ActivationRegistry,
}

impl Builder<'_> {
    /// The layers of a trunk, a head or a block, by its name. `skips_zeros` says of the numbers that come in what
    /// [`Sequential::ignores_gradient_of_zeros`] says of those that come out.
    ///
    /// # Errors
    /// [`ModelError`] where an activation is not known.
    pub(crate) fn sequential(
        self,
        part: &str,
        planned: &[PlannedLayer],
        (inputs, mut skips_zeros): (usize, bool),
    ) -> Result<Sequential, ModelError> {
        let mut layers: Vec<NamedLayer> = Vec::new();
        for (i, plan) in planned.iter().enumerate() {
            // ReLU right after a dense or convolutional layer is part of that layer.
            let is_fused = |plan: &PlannedLayer| {
                matches!(plan.layer, LayerSpec::Dense { .. } | LayerSpec::Conv2d { .. })
            };
            let relu = matches!(planned.get(i + 1), Some(PlannedLayer { layer: LayerSpec::Relu, .. }));
            match plan.layer {
                LayerSpec::Flatten => continue,
                LayerSpec::Relu if i > 0 && is_fused(&planned[i - 1]) => continue,
                _ => {}
            }
            let name = format!("{part}.{}", i + 1);
            let op = self.layer(&name, plan, relu, skips_zeros)?;
            skips_zeros = op.ignores_gradient_of_zeros(skips_zeros);
            layers.push(NamedLayer { name, output: plan.output, op });
        }
        let outputs = planned.last().map_or(inputs, |plan| plan.output.len());
        Ok(Sequential { inputs, outputs, ignores_gradient_of_zeros: skips_zeros, layers })
    }

    /// One layer by its name; dense and convolutional ones with ReLU where it follows.
    fn layer(
        self,
        name: &str,
        plan: &PlannedLayer,
        relu: bool,
        skips_zeros: bool,
    ) -> Result<Box<dyn DynLayer>, ModelError> {
        let stream = |purpose: &str| RngStream::new(self.seed, &format!("{purpose}/{name}"));
        let pooling = |size, stride| Geometry::new(plan.input, plan.output, size, stride, Padding::Valid);
        let (outputs, features) = (plan.output.len(), plan.input.features());
        Ok(match &plan.layer {
            LayerSpec::Dense { units, initializer } => {
                let size = Size { inputs: plan.input.len(), units: *units, relu, skips_zeros };
                Box::new(Dense::new(size, *initializer, &mut stream("initial")))
            }
            LayerSpec::Conv2d { kernel_size, stride: step, padding, initializer, .. } => {
                let geometry = Geometry::new(plan.input, plan.output, *kernel_size, *step, *padding);
                conv2d(geometry, relu, *initializer, &mut stream("initial"))
            }
            LayerSpec::MaxPool { pool_size, stride } => Box::new(MaxPool::new(pooling(*pool_size, *stride))),
            LayerSpec::AvgPool { pool_size, stride } => Box::new(AvgPool::new(pooling(*pool_size, *stride))),
            LayerSpec::GlobalAvgPool => Box::new(AvgPool::global(plan.input)),
            LayerSpec::Dropout { rate } => Box::new(Dropout::new(outputs, *rate, stream("dropout"))),
            LayerSpec::BatchNorm { epsilon, momentum } => {
                Box::new(BatchNorm::new(outputs, features, *epsilon, *momentum))
            }
            LayerSpec::LayerNorm { epsilon } => Box::new(LayerNorm::new(outputs, features, *epsilon)),
            LayerSpec::Residual { layers, .. } => {
                let (inner, projection) = plan.inner.split_at(layers.len());
                let chain = self.sequential(name, inner, (plan.input.len(), skips_zeros))?;
                let projection = projection.first().map(|plan| {
                    let name = format!("{name}.projection");
                    let op = self.layer(&name, plan, false, skips_zeros)?;
                    Ok(NamedLayer { name, output: plan.output, op })
                });
                Box::new(Residual::new(chain, projection.transpose()?))
            }
            LayerSpec::Custom { activation } => {
                let known = || self.activations.layer(activation, outputs);
                known().ok_or_else(|| unknown(plan, activation, self.activations))?
            }
            other => activation(other, outputs).expect("an activation, as nothing else is left"),
        })
    }
}

fn unknown(plan: &PlannedLayer, activation: &str, known: &ActivationRegistry) -> ModelError {
    let names: Vec<String> = known.names().map(|name| format!("`{name}`")).collect();
    let help = if names.is_empty() {
        "an activation of a program's own must be registered under this name before the network is built"
            .into()
    } else {
        format!("the program has registered {}", names.join(", "))
    };
    ModelError::Layer {
        place: plan.place.clone(),
        kind: plan.layer.kind(),
        problem: format!("no activation `{activation}` is registered"),
        help,
    }
}
