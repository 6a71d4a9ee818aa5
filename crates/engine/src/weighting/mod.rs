//! Loss weightings: how the losses of several heads are combined into one training step. Each method has a file of its
//! own and implements [`LossWeighting`]; [`loss_weighting`] makes the one that a spec asks for.

mod adam;
mod error;
mod fixed;
mod grad_norm;
mod pc_grad;
mod uncertainty;

use std::fmt::Debug;

use inkling_schema::Weighting;

use crate::random::RngStream;
use crate::task_gradients::TrunkScope;
pub use error::StateError;
pub use fixed::Fixed;
pub use grad_norm::GradNorm;
pub use pc_grad::PcGrad;
pub use uncertainty::Uncertainty;

/// The inner product of two heads' gradients on shared layers, by the heads' numbers. Each gradient is that of the
/// head's own mean cross-entropy, without its weight. [`GradientGram::product`](crate::GradientGram::product) is such a
/// function.
pub type GradDot<'a> = &'a dyn Fn(usize, usize) -> f64;

/// A method of weighting the losses of h heads. All lists have one entry for each head.
///
/// In every training step, a training loop
/// 1. scales each head's loss by its weight, [`weights`](LossWeighting::weights);
/// 2. compares the heads' gradients on the layers of [`gradient_scope`](LossWeighting::gradient_scope), if there are any, and
///    combines the gradients on the shared layers with [`gradient_weights`](LossWeighting::gradient_weights);
/// 3. reports the losses, and the inner products of the gradients that were compared, to
///    [`update`](LossWeighting::update).
pub trait LossWeighting: Debug {
    /// The weight of each head's mean cross-entropy in the next step. A head that is not trained has weight zero,
    /// always.
    fn weights(&self) -> &[f64];

    /// The shared layers on which the heads' gradients are compared in every step; none if the method needs no
    /// gradients.
    fn gradient_scope(&self) -> Option<TrunkScope> {
        None
    }

    /// The factor of each head's gradient in the sum of gradients on the shared layers, in this step; none if it is the
    /// head's weight. Called once in each step for methods that compare gradients.
    fn gradient_weights(&mut self, _grad_dot: GradDot) -> Option<Vec<f32>> {
        None
    }

    /// Updates the method after a step. `losses` are the heads' mean cross-entropies before the step; `grad_dot` is
    /// there for methods that compare gradients.
    ///
    /// # Panics
    /// If the method compares gradients and `grad_dot` is none.
    fn update(&mut self, _losses: &[f64], _grad_dot: Option<GradDot>) {}

    /// The weights with which the heads' validation losses are added to choose the best epoch. They never change, so
    /// that epochs can be compared.
    fn validation_weights(&self) -> Vec<f64> {
        vec![1.0; self.weights().len()]
    }

    /// Everything that the next step depends on and the method's hyperparameters do not say, as JSON; empty for a
    /// method that learns nothing. [`restore`](LossWeighting::restore) continues from it to the bit.
    fn state(&self) -> String {
        String::new()
    }

    /// Continues from a state that a method of the same kind has returned.
    ///
    /// # Errors
    /// [`StateError`] if the state is of another method or for another number of heads. The method is then unchanged.
    fn restore(&mut self, _state: &str) -> Result<(), StateError> {
        Ok(())
    }
}

/// The method that `weighting` describes, before its first step. Random choices are drawn from a stream of `seed`.
///
/// ```
/// use inkling_engine::weighting::loss_weighting;
/// use inkling_schema::Weighting;
///
/// let mut method = loss_weighting(&Weighting::Uncertainty { learning_rate: 0.1 }, 2, 1);
/// assert_eq!(method.weights(), [1.0, 1.0]);
/// // The first head's loss stays large: its weight falls.
/// (0..20).for_each(|_| method.update(&[3.0, 0.1], None));
/// assert!(method.weights()[0] < method.weights()[1]);
/// ```
///
/// # Panics
/// If `weighting` has fixed weights for another number of heads.
pub fn loss_weighting(weighting: &Weighting, heads: usize, seed: u64) -> Box<dyn LossWeighting> {
    if let Some(weights) = weighting.heads() {
        assert_eq!(weights, heads, "one weight for each head");
    }
    match weighting {
        Weighting::Fixed { weights } => Box::new(Fixed::new(weights.clone())),
        Weighting::Uncertainty { learning_rate } => Box::new(Uncertainty::new(heads, *learning_rate)),
        Weighting::GradNorm { alpha, learning_rate } => {
            Box::new(GradNorm::new(heads, *alpha, *learning_rate))
        }
        Weighting::PcGrad => Box::new(PcGrad::new(heads, RngStream::new(seed, "projections"))),
    }
}

/// Whether every head that is trained has a weight that is positive and normal in 32-bit arithmetic. With any other
/// weight the next step would leave the head untrained or make the network's weights infinite.
pub fn are_usable(weights: &[f64], trained: &[bool]) -> bool {
    weights
        .iter()
        .zip(trained)
        .all(|(&weight, trained)| !trained || (weight as f32).is_normal() && weight > 0.0)
}

#[cfg(test)]
mod tests;
