//! Dense layers: y = x·W + b, with ReLU where it follows.

mod backward;
pub(crate) mod deferred;
mod forward;
mod packed_grad;
#[cfg(test)]
mod tests;
mod visit;

use inkling_schema::Initializer;

use self::deferred::Deferred;
use self::packed_grad::WIDE;
use super::parameter::{GradMode, MatrixLayout, ParamKind, Parameter};
use super::{BackwardArgs, Context, Layer};
use crate::aligned::AlignedVec;
use crate::kernels::gemm::NR;
use crate::random::RngStream;

/// A dense layer: y = x·W + b, or max(0, x·W + b) if ReLU follows. x is [batch, inputs], W is [inputs, units], b is [units]
/// and y is [batch, units].
#[derive(Debug)]
pub(crate) struct Dense {
    size: Size,
    /// W in panels, b.
    parameters: [Parameter; 2],
}

/// What the forward pass keeps for the backward pass, and scratch memory. Matrices are padded with zeros.
#[derive(Debug)]
pub(crate) struct DenseCache {
    /// dY in panels of 32 columns, [panels, batch, 32].
    packed_grad: AlignedVec,
    /// dY transposed, [columns, batch], each row padded to whole vectors.
    transposed_grad: AlignedVec,
    /// The gradient of b, [columns].
    bias_grad: AlignedVec,
    /// For each panel of dY, 1 if any value is not zero, else 0.
    active_panels: Vec<u32>,
    /// The number of active inputs, those that are not zero in the whole batch, followed by their indices.
    active_inputs: Vec<u32>,
    /// The active inputs of x, [batch, active].
    compact: AlignedVec,
    /// x in panels of 32 columns, paired; empty before the first pass that multiplies pairs.
    paired: AlignedVec,
}

/// The largest batch whose weights are visited: in larger batches few inputs are zero throughout.
const LARGEST: usize = WIDE * NR;

/// The size of a dense layer and what its neighbours need of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    /// Whether ReLU follows.
    pub(crate) relu: bool,
    /// Whether inputs that are zero need no gradient in a training step: [`Layer::ignores_gradient_of_zeros`] of the
    /// layer before.
    pub(crate) skips_zeros: bool,
}

impl Size {
    fn panels(self) -> usize {
        self.units.div_ceil(NR)
    }

    /// The number of units in a panel: 32 except in the last one.
    fn columns(self, panel: usize) -> usize {
        NR.min(self.units - panel * NR)
    }

    /// The context with which a layer of this size computes.
    fn context(self, context: &Context) -> Context {
        Context { pairs: context.pairs && self.units > FEW, ..*context }
    }
}

/// The number of units up to which a layer multiplies f32 even if training computes with bfloat16: with fewer units, pairing
/// the inputs takes longer than the products.
const FEW: usize = NR;

impl Dense {
    pub(crate) fn new(size: Size, initializer: Initializer, stream: &mut RngStream) -> Dense {
        let Size { inputs, units, .. } = size;
        let layout = MatrixLayout::Packed { rows: inputs, columns: units };
        let mut weight = Parameter::new("weight", vec![inputs, units], layout, ParamKind::Decay);
        weight.draw(initializer, inputs, units, stream);
        weight.deferred = Some(Deferred::new(inputs, units));
        let bias = Parameter::new(
            "bias",
            vec![units],
            MatrixLayout::Packed { rows: 1, columns: units },
            ParamKind::NoDecay,
        );
        Dense { size, parameters: [weight, bias] }
    }
}

impl Layer for Dense {
    type Cache = DenseCache;

    fn outputs(&self) -> usize {
        self.size.units
    }

    fn alloc_cache(&self, capacity: usize, backward: bool) -> DenseCache {
        let lanes = if backward { capacity.next_multiple_of(16) } else { 0 };
        let columns = self.size.panels() * NR;
        let gradient = || AlignedVec::zeros(columns * lanes);
        DenseCache {
            packed_grad: gradient(),
            transposed_grad: gradient(),
            bias_grad: AlignedVec::zeros(columns),
            active_panels: vec![0; self.size.panels()],
            active_inputs: vec![0; 1 + self.size.inputs],
            compact: AlignedVec::zeros(self.size.inputs * capacity),
            paired: AlignedVec::default(),
        }
    }

    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut DenseCache) {
        self.forward_pass(&self.size.context(context), x, y, cache);
    }

    fn backward(
        &mut self,
        context: &Context,
        args: BackwardArgs,
        cache: &mut DenseCache,
        grad_mode: GradMode,
    ) {
        self.backward_pass(&self.size.context(context), args, cache, grad_mode);
    }

    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        self.size.relu
    }

    fn dense_size(&self) -> Option<Size> {
        Some(self.size)
    }

    fn settle(&mut self) {
        self.parameters[0].settle();
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [Parameter] {
        // A caller that changes the parameters expects them to be up to date.
        self.settle();
        &mut self.parameters
    }
}
