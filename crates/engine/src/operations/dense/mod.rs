//! Dense layers: y = x·W + b, with ReLU where it follows.

mod backward;
pub(crate) mod deferred;
mod forward;
#[cfg(test)]
mod tests;
mod visit;

use inkling_spec::Initial;

use self::deferred::Deferred;
use super::parameter::{Layout, Parameter, Receive, Role};
use super::{Flow, Memory, Operation, Pass};
use crate::kernels::product::COLUMNS;
use crate::memory::Buffer;
use crate::random::Stream;

/// y = max(0, x·W + b) or x·W + b, for x of [batch, inputs], W of [inputs, units], b of [units].
///
/// `memory.floats` holds dY in panels of columns, [panels, batch, 32], dY transposed, [columns, batch], the gradient of b, all
/// filled up with zeros, and x of the inputs that are not always zero; `memory.indices` has which panels of dY are not zero,
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
    /// ([`Operation::ignores_gradient_of_zeros`] of what comes before).
    pub(crate) skips_zeros: bool,
}

impl Size {
    fn panels(self) -> usize {
        self.units.div_ceil(COLUMNS)
    }

    /// Columns of a panel that are used.
    fn columns(self, panel: usize) -> usize {
        COLUMNS.min(self.units - panel * COLUMNS)
    }
}

impl Dense {
    pub(crate) fn new(size: Size, initial: Initial, stream: &mut Stream) -> Dense {
        let Size { inputs, units, .. } = size;
        let layout = Layout::Panels { rows: inputs, columns: units };
        let mut weight = Parameter::new("weight", vec![inputs, units], layout, Role::Weight);
        weight.draw(initial, inputs, units, stream);
        weight.deferred = Some(Deferred::new(inputs, units));
        let bias =
            Parameter::new("bias", vec![units], Layout::Panels { rows: 1, columns: units }, Role::Other);
        Dense { size, parameters: [weight, bias] }
    }
}

impl Operation for Dense {
    fn outputs(&self) -> usize {
        self.size.units
    }

    fn memory(&self, capacity: usize, backward: bool) -> Memory {
        let lanes = if backward { capacity.next_multiple_of(16) } else { 0 };
        let columns = self.size.panels() * COLUMNS;
        let gradient = || Buffer::zeros(columns * lanes);
        let compact = Buffer::zeros(self.size.inputs * capacity);
        Memory {
            floats: vec![gradient(), gradient(), Buffer::zeros(columns), compact],
            indices: vec![0; self.size.panels() + 1 + self.size.inputs],
        }
    }

    fn forward(&mut self, pass: &Pass, x: &[f32], y: &mut [f32], memory: &mut Memory) {
        self.forward_pass(pass, x, y, memory);
    }

    fn backward(&mut self, pass: &Pass, flow: Flow, memory: &mut Memory, receive: Receive) {
        self.backward_pass(pass, flow, memory, receive);
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
