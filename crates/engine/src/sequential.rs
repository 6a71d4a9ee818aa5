//! Layers one after the other: a trunk or a head of a network, built from planned layers.

use std::ops::Range;
use std::time::{Duration, Instant};

use inkling_schema::{LayerSpec, Loss, ModelError, Padding, PlannedLayer, Shape};

use crate::aligned::AlignedVec;
use crate::labels::Labels;
use crate::layers::activation::{ActivationRegistry, activation};
use crate::layers::avg_pool::AvgPool;
use crate::layers::batch_norm::BatchNorm;
use crate::layers::conv2d::conv2d;
use crate::layers::dense::{Dense, Size};
use crate::layers::dropout::Dropout;
use crate::layers::geometry::Geometry;
use crate::layers::layer_norm::LayerNorm;
use crate::layers::max_pool::MaxPool;
use crate::layers::parameter::GradMode;
use crate::layers::residual::Residual;
use crate::layers::{BackwardArgs, Cache, Context, DynLayer};
use crate::losses::{Metrics, loss};
use crate::random::RngStream;

/// Layers one after the other.
#[derive(Debug)]
pub(crate) struct Sequential {
    /// Numbers of one sample that go in.
    pub(crate) inputs: usize,
    /// Numbers of one sample that come out: of the last layer, or those that go in where there is none.
    pub(crate) outputs: usize,
    /// Whether the gradient of an output that is zero changes nothing ([`Layer::ignores_gradient_of_zeros`]).
    ///
    /// [`Layer::ignores_gradient_of_zeros`]: crate::layers::Layer::ignores_gradient_of_zeros
    pub(crate) ignores_gradient_of_zeros: bool,
    pub(crate) layers: Vec<NamedLayer>,
}

#[derive(Debug)]
pub(crate) struct NamedLayer {
    /// Name of the layer in files, such as "trunk.2"; of one within a block "trunk.2.1".
    pub(crate) name: String,
    /// What comes out, for one sample.
    pub(crate) output: Shape,
    pub(crate) op: Box<dyn DynLayer>,
}

#[derive(Debug)]
pub(crate) struct Activations {
    /// Output of each layer.
    pub(crate) acts: Vec<AlignedVec>,
    /// Gradient of each output; empty where nothing goes backward.
    pub(crate) grads: Vec<AlignedVec>,
    pub(crate) caches: Vec<Cache>,
    /// How long each layer took in the last batch, forward and backward.
    pub(crate) timings: Vec<[Duration; 2]>,
}

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

impl NamedLayer {
    /// Visits this layer, and then the layers within it.
    pub(crate) fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a NamedLayer)) {
        visit(self);
        self.op.visit_inner(&mut |inner| inner.visit(visit));
    }

    /// As [`NamedLayer::visit`].
    pub(crate) fn visit_mut(&mut self, visit: &mut dyn FnMut(&mut NamedLayer)) {
        visit(self);
        self.op.visit_inner_mut(&mut |inner| inner.visit_mut(visit));
    }
}

impl Sequential {
    pub(crate) fn activations(&self, capacity: usize, training: bool) -> Activations {
        let outputs = |scale: usize| {
            let buffer = |layer: &NamedLayer| AlignedVec::zeros(scale * capacity * layer.op.outputs());
            self.layers.iter().map(buffer).collect()
        };
        Activations {
            acts: outputs(1),
            grads: outputs(usize::from(training)),
            caches: self.layers.iter().map(|layer| layer.op.alloc_cache(capacity, training)).collect(),
            timings: vec![[Duration::ZERO; 2]; self.layers.len()],
        }
    }

    pub(crate) fn forward(&mut self, context: &Context, x: &[f32], activations: &mut Activations) {
        let mut before = x.len();
        for (i, layer) in self.layers.iter_mut().enumerate() {
            let (acts, rest) = activations.acts.split_at_mut(i);
            let x = acts.last().map_or(x, |y| &y[..before]);
            before = context.batch * layer.op.outputs();
            let start = Instant::now();
            layer.op.forward(context, x, &mut rest[0][..before], &mut activations.caches[i]);
            activations.timings[i] = [start.elapsed(), Duration::ZERO];
        }
    }

    /// Goes backward through these layers, from the gradient of the last one's output in `activations`. Where `relu_mask` is
    /// given, it stands for that output: a ReLU lets the gradient through where it is above zero. `dx` is that of the whole
    /// sequence's input, and is left alone unless the first layer is among these.
    pub(crate) fn backward(
        &mut self,
        context: &Context,
        x: &[f32],
        (layers, relu_mask): (Range<usize>, Option<&[f32]>),
        activations: &mut Activations,
        mut dx: Option<&mut [f32]>,
        grad_mode: GradMode,
    ) {
        let end = layers.end;
        for i in layers.rev() {
            let count = |layer: &NamedLayer| context.batch * layer.op.outputs();
            let n = count(&self.layers[i]);
            let before = i.checked_sub(1).map(|j| count(&self.layers[j]));
            let (grads, rest) = activations.grads.split_at_mut(i);
            let args = BackwardArgs {
                x: before.map_or(x, |before| &activations.acts[i - 1][..before]),
                y: relu_mask.filter(|_| i + 1 == end).unwrap_or(&activations.acts[i][..n]),
                dy: &mut rest[0][..n],
                dx: match before {
                    Some(before) => Some(&mut grads[i - 1][..before]),
                    None => dx.take(),
                },
            };
            let start = Instant::now();
            self.layers[i].op.backward(context, args, &mut activations.caches[i], grad_mode);
            activations.timings[i][1] = start.elapsed();
        }
    }
}

impl Sequential {
    /// As a head: what the outputs that came forward come to beside their labels. Leaves weight times the gradient of the mean
    /// loss in their place of `activations`.
    pub(crate) fn loss(
        &self,
        kind: Loss,
        activations: &mut Activations,
        labels: Labels,
        weight: f32,
    ) -> Metrics {
        let count = labels.len() * self.outputs;
        let last = activations.acts.len() - 1;
        let (z, dz) = (&activations.acts[last][..count], &mut activations.grads[last][..count]);
        loss(kind, self.outputs, z, labels, weight / labels.len() as f32, Some(dz))
    }
}

impl Activations {
    /// What came out of it: the last layer's output, or the input where there is none.
    pub(crate) fn output<'a>(&'a self, x: &'a [f32], count: usize) -> &'a [f32] {
        self.acts.last().map_or(x, |y| &y[..count])
    }
}
