//! The layers that networks are made of, each in a file or folder of its own: forward, backward, tests. The definitions that the
//! tests compare them with, plain loops in f64, are in `reference/`, a file for each layer.
//!
//! A layer works on a batch: x is [batch, inputs], y is [batch, outputs], row by row, images with their channels
//! last (NHWC). Gradients are named as what they belong to with a `d` in front.

pub(crate) mod activation;
pub(crate) mod avg_pool;
pub(crate) mod batch_norm;
pub(crate) mod conv2d;
pub(crate) mod dense;
pub(crate) mod dropout;
pub(crate) mod geometry;
pub(crate) mod identity;
pub(crate) mod layer_norm;
pub(crate) mod max_pool;
pub(crate) mod parameter;
#[cfg(test)]
pub(crate) mod reference;
pub(crate) mod residual;
pub(crate) mod sequential;
#[cfg(test)]
pub(crate) mod testing;

use std::any::Any;

use parameter::{GradMode, Parameter};
use sequential::NamedLayer;

use crate::kernels::isa::Isa;
use crate::random::RngStream;

/// One pass over a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// The instruction set.
    pub(crate) isa: Isa,
    /// Samples of the batch.
    pub(crate) batch: usize,
    /// Whether the network is being trained: dropout drops, batch normalisation measures the batch.
    pub(crate) training: bool,
}

/// What every layer can do. Networks hold layers as [`DynLayer`].
pub(crate) trait Layer: Send + Sync + std::fmt::Debug {
    /// What the layer keeps from the forward pass of a batch to the backward pass, and its scratch.
    type Cache: std::fmt::Debug + Send + Sync + 'static;

    /// Numbers of one sample that come out.
    fn outputs(&self) -> usize;

    /// Memory for batches of up to `capacity` samples; less where nothing goes backward.
    fn alloc_cache(&self, capacity: usize, backward: bool) -> Self::Cache;

    /// y from x.
    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut Self::Cache);

    /// Hands in the gradients of the parameters, and computes dx, where it is wanted, with the parameters as they were
    /// in the forward pass. x, y and `cache` are those of the forward pass; dy may be overwritten.
    fn backward(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        cache: &mut Self::Cache,
        grad_mode: GradMode,
    );

    /// Whether the gradient of an output that is zero changes nothing in a step of training, given that the same holds for
    /// inputs: a ReLU lets none through, for example. A dense layer leaves out the weights of inputs that need none.
    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        false
    }

    /// Takes all steps of the optimiser that were put off.
    fn settle(&mut self) {}

    /// The trained numbers, if there are any, in the order in which files have them.
    fn parameters(&self) -> &[Parameter] {
        &[]
    }

    /// As [`Layer::parameters`].
    fn parameters_mut(&mut self) -> &mut [Parameter] {
        &mut []
    }

    /// The stream of random numbers that training draws from, if it does.
    fn stream(&mut self) -> Option<&mut RngStream> {
        None
    }

    /// Visits the layers that this one is made of, if it is a block of layers, in the order in which files have them.
    fn visit_inner<'a>(&'a self, _visit: &mut dyn FnMut(&'a NamedLayer)) {}

    /// As [`Layer::visit_inner`].
    fn visit_inner_mut(&mut self, _visit: &mut dyn FnMut(&mut NamedLayer)) {}

    /// The shape of a dense layer, whose gradients can be compared without being made.
    fn dense_size(&self) -> Option<dense::Size> {
        None
    }
}

/// A [`Layer`] whose cache has any type, so that a network can hold layers of all kinds. Every layer is one.
pub(crate) trait DynLayer: Send + Sync + std::fmt::Debug {
    /// As [`Layer::outputs`].
    fn outputs(&self) -> usize;
    /// As [`Layer::alloc_cache`].
    fn alloc_cache(&self, capacity: usize, backward: bool) -> Cache;
    /// As [`Layer::forward`].
    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut Cache);
    /// As [`Layer::backward`].
    fn backward(&mut self, context: &Context, args: BackwardArgs, cache: &mut Cache, grad_mode: GradMode);
    /// As [`Layer::ignores_gradient_of_zeros`].
    fn ignores_gradient_of_zeros(&self, of_inputs: bool) -> bool;
    /// As [`Layer::settle`].
    fn settle(&mut self);
    /// As [`Layer::parameters`].
    fn parameters(&self) -> &[Parameter];
    /// As [`Layer::parameters_mut`].
    fn parameters_mut(&mut self) -> &mut [Parameter];
    /// As [`Layer::stream`].
    fn stream(&mut self) -> Option<&mut RngStream>;
    /// As [`Layer::visit_inner`].
    fn visit_inner<'a>(&'a self, visit: &mut dyn FnMut(&'a NamedLayer));
    /// As [`Layer::visit_inner_mut`].
    fn visit_inner_mut(&mut self, visit: &mut dyn FnMut(&mut NamedLayer));
    /// As [`Layer::dense_size`].
    fn dense_size(&self) -> Option<dense::Size>;
}

/// A layer's [`Layer::Cache`].
pub(crate) struct Cache(Box<dyn Any + Send + Sync>);

impl Cache {
    fn of<L: Layer>(&mut self) -> &mut L::Cache {
        self.0.downcast_mut().expect("the cache that this layer allocated")
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl<L: Layer> DynLayer for L {
    fn outputs(&self) -> usize {
        Layer::outputs(self)
    }

    fn alloc_cache(&self, capacity: usize, backward: bool) -> Cache {
        Cache(Box::new(Layer::alloc_cache(self, capacity, backward)))
    }

    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut Cache) {
        Layer::forward(self, context, x, y, cache.of::<L>());
    }

    fn backward(&mut self, context: &Context, args: BackwardArgs, cache: &mut Cache, grad_mode: GradMode) {
        Layer::backward(self, context, args, cache.of::<L>(), grad_mode);
    }

    fn ignores_gradient_of_zeros(&self, of_inputs: bool) -> bool {
        Layer::ignores_gradient_of_zeros(self, of_inputs)
    }

    fn settle(&mut self) {
        Layer::settle(self);
    }

    fn parameters(&self) -> &[Parameter] {
        Layer::parameters(self)
    }

    fn parameters_mut(&mut self) -> &mut [Parameter] {
        Layer::parameters_mut(self)
    }

    fn stream(&mut self) -> Option<&mut RngStream> {
        Layer::stream(self)
    }

    fn visit_inner<'a>(&'a self, visit: &mut dyn FnMut(&'a NamedLayer)) {
        Layer::visit_inner(self, visit);
    }

    fn visit_inner_mut(&mut self, visit: &mut dyn FnMut(&mut NamedLayer)) {
        Layer::visit_inner_mut(self, visit);
    }

    fn dense_size(&self) -> Option<dense::Size> {
        Layer::dense_size(self)
    }
}

/// The number, or zero where it is denormal: tails of functions and sums that cancel would else slow what follows.
pub(crate) fn flushed(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x }
}

/// What flows backward through a layer.
#[derive(Debug)]
pub(crate) struct BackwardArgs<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) y: &'a [f32],
    pub(crate) dy: &'a mut [f32],
    /// `None` for the first layer, whose input is the data.
    pub(crate) dx: Option<&'a mut [f32]>,
}
