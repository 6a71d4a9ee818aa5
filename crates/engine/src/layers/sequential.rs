//! Layers one after the other: a trunk, a head, or the inside of a block.

use std::ops::Range;
use std::time::{Duration, Instant};

use inkling_schema::{Loss, Shape};

use super::parameter::GradMode;
use super::{BackwardArgs, Cache, Context, DynLayer};
use crate::aligned::AlignedVec;
use crate::labels::Labels;
use crate::losses::{Metrics, flushed, loss};

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
    /// loss in their place of `activations`, that of each sample times the weight of its class, where classes have weights.
    pub(crate) fn loss(
        &self,
        kind: Loss,
        activations: &mut Activations,
        labels: Labels,
        weight: f32,
        class_weights: &[f32],
    ) -> Metrics {
        let count = labels.len() * self.outputs;
        let last = activations.acts.len() - 1;
        let (z, dz) = (&activations.acts[last][..count], &mut activations.grads[last][..count]);
        let metrics = loss(kind, self.outputs, z, labels, weight / labels.len() as f32, Some(&mut *dz));
        if !class_weights.is_empty() {
            for (sample, dz) in dz.chunks_exact_mut(self.outputs).enumerate() {
                let weight = class_weights[labels.class(sample)];
                // As in the loss, what no weight could tell is zero.
                dz.iter_mut().for_each(|dz| *dz = flushed(*dz * weight));
            }
        }
        metrics
    }
}

impl Activations {
    /// What came out of it: the last layer's output, or the input where there is none.
    pub(crate) fn output<'a>(&'a self, x: &'a [f32], count: usize) -> &'a [f32] {
        self.acts.last().map_or(x, |y| &y[..count])
    }
}
