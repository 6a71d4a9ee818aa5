//! Dropout (Srivastava et al. 2014).

use super::parameter::Receive;
use super::{Flow, Memory, Operation, Pass};
use crate::random::Stream;

#[derive(Debug)]
pub(crate) struct Dropout {
    outputs: usize,
}

impl Dropout {
    pub(crate) fn new(_outputs: usize, _rate: f64, _stream: Stream) -> Dropout {
        unimplemented!()
    }
}

impl Operation for Dropout {
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
