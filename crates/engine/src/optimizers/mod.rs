//! Optimisers, a file each with its definition in f64: how a gradient becomes a step.
//!
//! An optimiser is told the number of each step and the learning rate ([`StepRule::begin_step`]), and then moves the parameters
//! part by part as their gradients become ready, from any thread.

mod adam;
mod custom;
mod lion;
mod rms_prop;
mod sgd;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt::Debug;

use inkling_schema::Optimizer;

pub(crate) use custom::Custom;
pub use custom::UpdateRule;

use crate::kernels::gemm::Row;
use crate::kernels::isa::Isa;
use crate::kernels::silent::SilentStep;
use crate::kernels::update::ParamState;

/// An optimiser at one of its steps.
pub(crate) trait StepRule: Debug + Send + Sync {
    /// Whether it keeps a first and a second moment of every parameter; one that it does not keep is empty everywhere.
    fn moments(&self) -> [bool; 2];

    /// Prepares step number `step`, counted from 1, at this learning rate.
    fn begin_step(&mut self, step: u64, learning_rate: f64);

    /// Moves a part of a parameter by its gradient. Weights decay where the optimiser lets them; biases, scales and shifts do
    /// not.
    ///
    /// # Panics
    /// If the lengths differ or are no multiple of 16.
    fn update(&self, isa: Isa, part: ParamState, gradient: &[f32], decays: bool);

    /// Where several of its steps without a gradient can be taken at once: how.
    fn deferrable(&self) -> Option<&dyn Deferrable> {
        None
    }

    /// For how many steps weights may wait around this step: a power of two, so that windows of several lengths end together.
    fn window(&self, _step: u64) -> u64 {
        1
    }
}

/// An optimiser whose steps without a gradient can wait.
pub(crate) trait Deferrable: Send + Sync {
    /// The step that has begun, of a weight without a gradient.
    fn silent_step(&self) -> SilentStep;

    /// Moves rows of 32 weights, which begin at `starts`, by a row of the gradient each.
    ///
    /// # Panics
    /// If the lengths differ, a row leads beyond them, or there are fewer gradients than rows.
    fn update_rows(&self, isa: Isa, part: &mut ParamState, starts: &[usize], gradient: &[Row]);
}

/// Most steps between two after which no weight waits any more.
const WINDOW: u64 = 64;

/// The optimiser of a study, before its first step.
pub(crate) fn step_rule(optimizer: &Optimizer) -> Box<dyn StepRule> {
    match *optimizer {
        Optimizer::Adam { beta_1, beta_2, epsilon } => {
            Box::new(adam::Adam::new([beta_1, beta_2], epsilon, 0.0))
        }
        Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
            Box::new(adam::Adam::new([beta_1, beta_2], epsilon, weight_decay))
        }
        Optimizer::Sgd { momentum, nesterov } => Box::new(sgd::Sgd::new(momentum, nesterov)),
        Optimizer::RmsProp { alpha, epsilon } => Box::new(rms_prop::RmsProp::new(alpha, epsilon)),
        Optimizer::Lion { beta_1, beta_2, weight_decay } => {
            Box::new(lion::Lion::new([beta_1, beta_2], weight_decay))
        }
    }
}
