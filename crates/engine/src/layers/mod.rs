//! The layers that networks are made of, each in a file or folder of its own: forward, backward, tests. The definitions
//! that the tests compare them with, plain loops in f64, are in `reference/`, a file for each layer.
//!
//! A layer works on a batch: x is [batch, inputs] and y is [batch, outputs], both row-major; images have their channels
//! last (NHWC). The gradient of the loss with respect to x is called dx, and so on.

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
mod norm;
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

/// The settings of one forward or backward pass over a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// The instruction set that kernels run on.
    pub(crate) isa: Isa,
    /// The number of samples in the batch.
    pub(crate) batch: usize,
    /// Whether this is a pass of training, in which dropout drops and batch normalisation uses the statistics of the batch.
    pub(crate) training: bool,
    /// Whether the factors of products are rounded to bfloat16 and multiplied in pairs.
    pub(crate) pairs: bool,
}

/// A layer of a network. Networks hold layers of all kinds as [`DynLayer`].
pub(crate) trait Layer: Send + Sync + std::fmt::Debug {
    /// What the layer keeps from the forward pass of a batch for the backward pass, and its scratch memory.
    type Cache: std::fmt::Debug + Send + Sync + 'static;

    /// The number of values that the layer gives for one sample.
    fn outputs(&self) -> usize;

    /// Allocates the memory for batches of up to `capacity` samples; less of it unless there will be a `backward` pass.
    fn alloc_cache(&self, capacity: usize, backward: bool) -> Self::Cache;

    /// Computes y from x.
    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut Self::Cache);

    /// Computes the gradients of the parameters, which go where `grad_mode` says, and dx if it is given. dx is computed
    /// with the parameters of the forward pass, even where the gradients move them. x, y and `cache` must be those of the
    /// forward pass; dy may be overwritten.
    fn backward(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        cache: &mut Self::Cache,
        grad_mode: GradMode,
    );

    /// Whether a training step is the same whatever the gradient of an output that is zero. `of_inputs` says whether that
    /// holds for the inputs of the layer. It holds for ReLU, for example, whose derivative is zero there. The next dense
    /// layer then skips the weights of inputs that are zero. The default, `false`, is always correct.
    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        false
    }

    /// Takes all optimiser steps that were deferred.
    fn settle(&mut self) {}

    /// The parameters of the layer, in the order in which files store them.
    fn parameters(&self) -> &[Parameter] {
        &[]
    }

    /// As [`Layer::parameters`].
    fn parameters_mut(&mut self) -> &mut [Parameter] {
        &mut []
    }

    /// The stream of random numbers that training draws from, if the layer needs one.
    fn stream(&mut self) -> Option<&mut RngStream> {
        None
    }

    /// Visits the layers within this one, if it is a block of layers, in the order in which files store them.
    fn visit_inner<'a>(&'a self, _visit: &mut dyn FnMut(&'a NamedLayer)) {}

    /// As [`Layer::visit_inner`].
    fn visit_inner_mut(&mut self, _visit: &mut dyn FnMut(&mut NamedLayer)) {}

    /// The size of the layer if it is a dense one: inner products of its weight gradients can be computed without the
    /// gradients.
    fn dense_size(&self) -> Option<dense::Size> {
        None
    }
}

/// A [`Layer`] whose cache type is erased, so that a network can hold layers of all kinds. Every [`Layer`] implements it.
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

/// A [`Layer::Cache`] of any layer.
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

/// Returns x, or zero if x is denormal. Denormal numbers arise in the tails of functions and in sums that cancel, and would
/// slow down all computations that follow.
pub(crate) fn flushed(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x }
}

/// The arguments of a backward pass: x, y and the gradient dy of y, and where to write the gradient dx of x.
#[derive(Debug)]
pub(crate) struct BackwardArgs<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) y: &'a [f32],
    pub(crate) dy: &'a mut [f32],
    /// `None` if it is not needed, as for the first layer in training, whose input is the data.
    pub(crate) dx: Option<&'a mut [f32]>,
}
