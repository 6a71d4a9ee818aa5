//! The layers that networks are made of, each in a file of its own: forward, backward, the plain version, tests.
//!
//! A layer works on a batch: x is [batch, inputs], y is [batch, outputs], row by row, images with their channels
//! last (NHWC). Gradients are named as what they belong to with a `d` in front.

pub(crate) mod activation;
pub(crate) mod avg_pool;
pub(crate) mod batch_norm;
pub(crate) mod conv2d;
pub(crate) mod cross_entropy;
pub(crate) mod dense;
pub(crate) mod dropout;
pub(crate) mod geometry;
pub(crate) mod identity;
pub(crate) mod layer_norm;
pub(crate) mod max_pool;
pub(crate) mod parameter;
#[cfg(test)]
pub(crate) mod testing;

use parameter::{GradMode, Parameter};

use crate::aligned::AlignedVec;
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

/// What a layer keeps from the forward pass of a batch to the backward pass, and its scratch. Each layer says
/// what it keeps where.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    pub(crate) floats: Vec<AlignedVec>,
    pub(crate) indices: Vec<u32>,
}

/// What every layer can do.
pub(crate) trait Layer: Send + Sync + std::fmt::Debug {
    /// Numbers of one sample that come out.
    fn outputs(&self) -> usize;

    /// Memory for batches of up to `capacity` samples; less where nothing goes backward.
    fn alloc_cache(&self, capacity: usize, backward: bool) -> Cache;

    /// y from x.
    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut Cache);

    /// Hands in the gradients of the parameters, and computes dx, where it is wanted, with the parameters as they were
    /// in the forward pass. x, y and `cache` are those of the forward pass; dy may be overwritten.
    fn backward(&mut self, context: &Context, args: BackwardArgs, cache: &mut Cache, grad_mode: GradMode);

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
