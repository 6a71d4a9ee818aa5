//! y = W·x + b.

use super::parameter::Receive;
use super::{Flow, Memory, Operation, Pass};
use crate::random::Stream;
use inkling_spec::Initial;

#[derive(Debug)]
pub(crate) struct Dense {
    outputs: usize,
}

impl Dense {
    pub(crate) fn new(
        _inputs: usize,
        _units: usize,
        _relu: bool,
        _initial: Initial,
        _stream: &mut Stream,
    ) -> Dense {
        unimplemented!()
    }
}

impl Operation for Dense {
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
