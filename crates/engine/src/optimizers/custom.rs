//! Optimisers that a program defines itself.

use std::fmt::Debug;

use super::StepRule;
use crate::kernels::isa::Isa;
use crate::kernels::update::ParamState;

/// An optimiser that a program defines itself, for [`Trainer::with_update_rule`](crate::Trainer::with_update_rule).
///
/// A training step calls [`begin_step`](UpdateRule::begin_step) once, and then [`update`](UpdateRule::update) for parts
/// of the parameters as their gradients become available, on several threads and in any order. The update of a value must
/// not depend on other values, so that results are the same with any number of threads.
pub trait UpdateRule: Debug + Send + Sync {
    /// The number of moments that it keeps of every parameter: 0, 1 or 2. They start at zero.
    fn moments(&self) -> usize;

    /// Prepares step number `step`, counted from 1, at this learning rate.
    fn begin_step(&mut self, step: u64, learning_rate: f64);

    /// Updates `values` with their `gradient`. The gradient and the moments that the optimiser keeps are as long as
    /// `values`; other moments are empty. `decays` says whether weight decay applies: it does to weights, but not to
    /// biases, scales and shifts.
    fn update(&self, values: &mut [f32], moments: [&mut [f32]; 2], gradient: &[f32], decays: bool);
}

#[derive(Debug)]
pub(crate) struct Custom(pub(crate) Box<dyn UpdateRule>);

impl StepRule for Custom {
    fn moments(&self) -> [bool; 2] {
        [self.0.moments() > 0, self.0.moments() > 1]
    }

    fn begin_step(&mut self, step: u64, learning_rate: f64) {
        self.0.begin_step(step, learning_rate);
    }

    fn update(&self, _isa: Isa, part: ParamState, gradient: &[f32], decays: bool) {
        let ParamState { value, first, second } = part;
        self.0.update(value, [first, second], gradient, decays);
    }
}
