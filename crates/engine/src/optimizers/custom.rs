//! Optimisers of a program's own.

use std::fmt::Debug;

use super::StepRule;
use crate::kernels::isa::Isa;
use crate::kernels::update::ParamState;

/// An optimiser of a program's own, for [`Trainer::with_update_rule`](crate::Trainer::with_update_rule).
///
/// A step of training calls [`begin_step`](UpdateRule::begin_step) once and then [`update`](UpdateRule::update) for parts of
/// the parameters as their gradients become ready, from several threads and in any order. What `update` does with a number
/// must not depend on the others, so that results are the same on any number of threads.
pub trait UpdateRule: Debug + Send + Sync {
    /// How many moments it keeps of every parameter: 0, 1 or 2. They start at zero.
    fn moments(&self) -> usize;

    /// Prepares step number `step`, counted from 1, at this learning rate.
    fn begin_step(&mut self, step: u64, learning_rate: f64);

    /// Moves `values` against their `gradient`, which is as long, as each of the moments is that it keeps; the others are
    /// empty. `decays` says whether these are weights, which may decay, and not biases, scales or shifts.
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
