//! Dense layers: y = x·W + b, with ReLU where it follows.

mod backward;
pub(crate) mod deferred;
mod forward;
#[cfg(test)]
mod tests;
mod visit;

use inkling_schema::Initializer;

use self::deferred::Deferred;
use super::parameter::{GradMode, MatrixLayout, ParamKind, Parameter};
use super::{BackwardArgs, Cache, Context, Layer};
use crate::aligned::AlignedVec;
use crate::kernels::gemm::NR;
use crate::random::RngStream;

/// y = max(0, x·W + b) or x·W + b, for x of [batch, inputs], W of [inputs, units], b of [units].
///
/// `cache.floats` holds dY in panels of columns, [panels, batch, 32], dY transposed, [columns, batch], the gradient of b, all
/// filled up with zeros, and x of the inputs that are not always zero; `cache.indices` has which panels of dY are not zero,
/// and which inputs are not.
#[derive(Debug)]
pub(crate) struct Dense {
    size: Size,
    /// W in panels, b.
    parameters: [Parameter; 2],
}

/// What a dense layer is made for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    /// Whether ReLU follows.
    pub(crate) relu: bool,
    /// Whether inputs that are zero need no gradient in a step of training
    /// ([`Layer::ignores_gradient_of_zeros`] of what comes before).
    pub(crate) skips_zeros: bool,
}

impl Size {
    fn panels(self) -> usize {
        self.units.div_ceil(NR)
    }

    /// Columns of a panel that are used.
    fn columns(self, panel: usize) -> usize {
        NR.min(self.units - panel * NR)
    }
}

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
    fn outputs(&self) -> usize {
        self.size.units
    }

    fn alloc_cache(&self, capacity: usize, backward: bool) -> Cache {
        let lanes = if backward { capacity.next_multiple_of(16) } else { 0 };
        let columns = self.size.panels() * NR;
        let gradient = || AlignedVec::zeros(columns * lanes);
        let compact = AlignedVec::zeros(self.size.inputs * capacity);
        Cache {
            floats: vec![gradient(), gradient(), AlignedVec::zeros(columns), compact],
            indices: vec![0; self.size.panels() + 1 + self.size.inputs],
        }
    }

    fn forward(&mut self, context: &Context, x: &[f32], y: &mut [f32], cache: &mut Cache) {
        self.forward_pass(context, x, y, cache);
    }

    fn backward(&mut self, context: &Context, args: BackwardArgs, cache: &mut Cache, grad_mode: GradMode) {
        self.backward_pass(context, args, cache, grad_mode);
    }

    fn ignores_gradient_of_zeros(&self, _of_inputs: bool) -> bool {
        self.size.relu
    }

    fn settle(&mut self) {
        self.parameters[0].settle();
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [Parameter] {
        // Who changes them expects to find them up to date.
        self.settle();
        &mut self.parameters
    }
}
