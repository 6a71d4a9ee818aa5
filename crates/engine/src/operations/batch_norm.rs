//! Batch normalisation (Ioffe and Szegedy 2015).

use super::parameter::Receive;
use super::{Flow, Memory, Operation, Pass};

#[derive(Debug)]
pub(crate) struct BatchNorm {
    outputs: usize,
}

impl BatchNorm {
    pub(crate) fn new(_outputs: usize, _features: usize, _epsilon: f64, _momentum: f64) -> BatchNorm {
        unimplemented!()
    }
}

impl Operation for BatchNorm {
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
