//! Optimisers, each in a file of its own with its definition in f64.
//!
//! Each step begins with its number and the learning rate ([`StepRule::begin_step`]). Then the optimiser updates the
//! parameters part by part, as their gradients become available, on any thread.

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

use crate::kernels::gemm::{Row, TileRows};
use crate::kernels::isa::Isa;
use crate::kernels::silent::SilentStep;
use crate::kernels::update::ParamState;

/// An optimiser and its current step.
pub(crate) trait StepRule: Debug + Send + Sync {
    /// Whether it keeps a first and a second moment of every parameter. A moment that it does not keep is empty everywhere.
    fn moments(&self) -> [bool; 2];

    /// Prepares step number `step`, counted from 1, at this learning rate.
    fn begin_step(&mut self, step: u64, learning_rate: f64);

    /// Updates a part of a parameter with its gradient. `decays` says whether weight decay applies: it does to weights,
    /// but not to biases, scales and shifts.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of 16.
    fn update(&self, isa: Isa, part: ParamState, gradient: &[f32], decays: bool);

    /// How steps with a zero gradient are deferred and combined; `None` if the optimiser does not support it.
    fn deferrable(&self) -> Option<DeferrableRule> {
        None
    }

    /// The length in steps of the window around this step, at whose end all deferred steps are taken. It is a power of
    /// two, so that windows of different lengths end together.
    fn window(&self, _step: u64) -> u64 {
        1
    }
}

/// The current step of an optimiser whose steps with a zero gradient can be deferred. A closed list, and not a trait, because
/// it is applied to a few rows of weights at a time: a call through a table of functions would cost a twentieth of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DeferrableRule {
    Adam(adam::AdamStep),
    Sgd(sgd::Sgd),
}

impl DeferrableRule {
    /// The step for a weight with a zero gradient.
    pub(crate) fn silent_step(&self) -> SilentStep {
        match self {
            DeferrableRule::Adam(step) => step.silent_step(),
            DeferrableRule::Sgd(step) => step.silent_step(),
        }
    }

    /// Updates rows of 32 weights with a row of the gradient each.
    ///
    /// # Panics
    /// If the lengths of weights and moments differ, a row reaches beyond them, or there are fewer rows of the gradient
    /// than of weights.
    #[inline]
    pub(crate) fn update_rows(&self, isa: Isa, part: &mut ParamState, rows: TileRows, gradient: &[Row]) {
        match self {
            DeferrableRule::Adam(step) => part.update_rows(isa, *step, rows, gradient),
            DeferrableRule::Sgd(step) => part.update_rows(isa, *step, rows, gradient),
        }
    }
}

/// The most steps of a window.
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
