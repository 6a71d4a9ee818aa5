//! How the losses of several heads become one step: a method a file, behind one small trait.

mod adam;
mod fixed;
mod grad_norm;
mod pc_grad;
mod uncertainty;

use std::fmt::Debug;

use inkling_engine::TrunkScope;
use inkling_engine::random::RngStream;
use inkling_schema::{TrainRun, Weighting};

use fixed::Fixed;
use grad_norm::GradNorm;
use pc_grad::PcGrad;
use uncertainty::Uncertainty;

/// The inner product of two heads' gradients on shared layers, each of the head's own mean cross-entropy, by the heads'
/// numbers.
pub(crate) type GradDot<'a> = &'a dyn Fn(usize, usize) -> f64;

/// A method of weighting. Of h heads, all lists here have h entries.
pub(crate) trait LossWeighting: Debug {
    /// Weight of each head's mean cross-entropy in the next step; zero for a head that is not trained, which stays so.
    fn weights(&self) -> &[f64];

    /// On which shared layers the heads' gradients are to be compared in every step, where they are.
    fn gradient_scope(&self) -> Option<TrunkScope> {
        None
    }

    /// With which share each head's gradient counts on the shared layers in this step, where that is not its weight.
    /// Asked once a step by methods that compare gradients.
    fn gradient_weights(&mut self, _grad_dot: GradDot) -> Option<Vec<f32>> {
        None
    }

    /// Learns from a step: each head's mean cross-entropy before it and, for methods that compare gradients, their products.
    fn update(&mut self, _losses: &[f64], _grad_dot: Option<GradDot>) {}

    /// Weights by which heads' validation losses become one number. They never change, so that epochs can be compared.
    fn validation_weights(&self) -> Vec<f64> {
        vec![1.0; self.weights().len()]
    }

    /// All that the next step depends on and the run's spec does not say, as JSON; empty where there is nothing.
    fn state(&self) -> String {
        String::new()
    }

    /// Goes on from such a state.
    ///
    /// # Errors
    /// Where it is not of this method.
    fn restore(&mut self, _state: &str) -> Result<(), serde_json::Error> {
        Ok(())
    }
}

/// Whether each head that is trained has a weight that 32-bit arithmetic holds above zero. Where it has not, the next step
/// would train it not at all or spoil the network.
pub(crate) fn usable(weights: &[f64], trained: &[bool]) -> bool {
    weights
        .iter()
        .zip(trained)
        .all(|(&weight, trained)| !trained || (weight as f32).is_normal() && weight > 0.0)
}

/// The method of a run, before its first step.
pub(crate) fn start(run: &TrainRun) -> Box<dyn LossWeighting> {
    let heads = run.model.heads.len();
    match &run.weighting {
        Weighting::Fixed { weights } => Box::new(Fixed::new(weights.clone())),
        Weighting::Uncertainty { learning_rate } => Box::new(Uncertainty::new(heads, *learning_rate)),
        Weighting::GradNorm { alpha, learning_rate } => {
            Box::new(GradNorm::new(heads, *alpha, *learning_rate))
        }
        Weighting::PcGrad => Box::new(PcGrad::new(heads, RngStream::new(run.seed, "projections"))),
    }
}
