//! Numbers that an optimiser moves, outside any network.

use inkling_schema::Optimizer;

use crate::aligned::AlignedVec;
use crate::kernels::isa::Isa;
use crate::kernels::update::ParamState;
use crate::optimizers::{StepRule, step_rule};

/// Numbers with their moments: what a dream changes in place of a network's weights.
#[derive(Debug)]
pub struct OptimizedTensor {
    isa: Isa,
    rule: Box<dyn StepRule>,
    /// All filled up with zeros to whole cache lines; a moment that the optimiser does not keep is empty.
    values: AlignedVec,
    gradient: AlignedVec,
    first: AlignedVec,
    second: AlignedVec,
    len: usize,
    steps: u64,
}

impl OptimizedTensor {
    /// Begins with these values, to compute with the current [`Isa`].
    pub fn new(values: &[f32], optimizer: &Optimizer) -> OptimizedTensor {
        OptimizedTensor::on(Isa::current(), values, optimizer)
    }

    /// As [`OptimizedTensor::new`], to compute with this instruction set.
    pub(crate) fn on(isa: Isa, values: &[f32], optimizer: &Optimizer) -> OptimizedTensor {
        let rule = step_rule(optimizer);
        let padded = |kept: bool| AlignedVec::zeros(if kept { values.len().next_multiple_of(16) } else { 0 });
        let mut all = padded(true);
        all[..values.len()].copy_from_slice(values);
        let [first, second] = rule.moments().map(padded);
        OptimizedTensor {
            isa,
            rule,
            values: all,
            gradient: padded(true),
            first,
            second,
            len: values.len(),
            steps: 0,
        }
    }

    /// The values as they are now.
    pub fn values(&self) -> &[f32] {
        &self.values[..self.len]
    }

    /// Moves the values down this gradient, as a network's weights would be: where those decay, so do these.
    ///
    /// # Panics
    /// If there is not a gradient for every value.
    pub fn descend(&mut self, gradient: &[f32], learning_rate: f64) {
        self.gradient[..self.len].copy_from_slice(gradient);
        self.steps += 1;
        self.rule.begin_step(self.steps, learning_rate);
        let OptimizedTensor { isa, rule, values, gradient, first, second, .. } = self;
        rule.update(*isa, ParamState { value: values, first, second }, gradient, true);
    }
}
