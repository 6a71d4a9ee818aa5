//! max(0, x).

use super::parameter::Receive;
use super::{Flow, Memory, Operation, Pass};

#[derive(Debug)]
pub(crate) struct Relu {
    outputs: usize,
}

impl Relu {
    pub(crate) fn new(_outputs: usize) -> Relu {
        unimplemented!()
    }
}

impl Operation for Relu {
    fn outputs(&self) -> usize {
        self.outputs
    }

    fn memory(&self, _capacity: usize, _backward: bool) -> Memory {
        Memory::default()
    }

    fn forward(&mut self, _pass: &Pass, _x: &[f32], _y: &mut [f32], _memory: &mut Memory) {
        unimplemented!()
    }

    fn backward(&mut self, _pass: &Pass, _flow: Flow, _memory: &mut Memory, _receive: Receive) {
        unimplemented!()
    }
}
