//! y = x, for a head that has nothing else to compute: its scores are the trunk's output, flattened.

use super::parameter::Receive;
use super::{Flow, Memory, Operation, Pass};

/// y = x.
#[derive(Debug)]
pub(crate) struct Identity {
    outputs: usize,
}

impl Identity {
    pub(crate) fn new(outputs: usize) -> Identity {
        Identity { outputs }
    }
}

impl Operation for Identity {
    fn outputs(&self) -> usize {
        self.outputs
    }

    fn ignores_gradient_of_zeros(&self, of_inputs: bool) -> bool {
        of_inputs
    }

    fn memory(&self, _capacity: usize, _backward: bool) -> Memory {
        Memory::default()
    }

    /// y and x are [batch, outputs].
    fn forward(&mut self, _pass: &Pass, x: &[f32], y: &mut [f32], _memory: &mut Memory) {
        y.copy_from_slice(x);
    }

    /// dx = dy, [batch, outputs].
    fn backward(&mut self, _pass: &Pass, flow: Flow, _memory: &mut Memory, _receive: Receive) {
        if let Some(dx) = flow.dx {
            dx.copy_from_slice(flow.dy);
        }
    }
}
