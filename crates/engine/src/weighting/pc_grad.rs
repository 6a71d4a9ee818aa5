//! PCGrad: projection of conflicting gradients (Yu et al. 2020). On the shared layers, each head's gradient is compared
//! with those of the other heads, in a random order, and loses its component along each that it conflicts with; the
//! results are added. The heads' own layers get their own gradients.
//!
//! A projected gradient is a linear combination of the heads' gradients, and so is their sum. The inner products
//! therefore suffice to compute the factors, and no projected gradient is ever stored.

use super::{GradDot, LossWeighting, StateError};
use crate::random::RngStream;
use crate::task_gradients::TrunkScope;

/// Projection of conflicting gradients on the shared layers (Yu et al. 2020). Every head's own layers have weight one.
#[derive(Debug)]
pub struct PcGrad {
    weights: Vec<f64>,
    /// Draws the order in which a head's gradient is projected against the others.
    stream: RngStream,
}

impl PcGrad {
    /// `stream` draws the orders in which gradients are projected.
    pub fn new(heads: usize, stream: RngStream) -> PcGrad {
        PcGrad { weights: vec![1.0; heads], stream }
    }
}

/// The factor of each of so many gradients in the sum of the projected ones; `others` returns the order in which a
/// gradient is projected against the others.
fn gradient_weights(
    heads: usize,
    grad_dot: GradDot,
    mut others: impl FnMut(usize) -> Vec<usize>,
) -> Vec<f64> {
    let mut sum = vec![0.0; heads];
    for head in 0..heads {
        let mut own = vec![0.0; heads];
        own[head] = 1.0;
        for other in others(head) {
            let conflict: f64 = own.iter().enumerate().map(|(k, share)| share * grad_dot(k, other)).sum();
            // A gradient of zero conflicts with none.
            if conflict < 0.0 {
                own[other] -= conflict / grad_dot(other, other);
            }
        }
        sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
    }
    sum
}

impl LossWeighting for PcGrad {
    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn gradient_scope(&self) -> Option<TrunkScope> {
        Some(TrunkScope::All)
    }

    fn gradient_weights(&mut self, grad_dot: GradDot) -> Option<Vec<f32>> {
        let (heads, stream) = (self.weights.len(), &mut self.stream);
        let others = |head: usize| {
            let mut others: Vec<usize> = (0..heads).filter(|&other| other != head).collect();
            stream.shuffle(&mut others);
            others
        };
        Some(gradient_weights(heads, grad_dot, others).into_iter().map(|share| share as f32).collect())
    }

    fn state(&self) -> String {
        self.stream.position().to_string()
    }

    fn restore(&mut self, state: &str) -> Result<(), StateError> {
        self.stream.seek(serde_json::from_str(state)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// The paper's algorithm on whole vectors.
    fn projected(gradients: &[Vec<f64>], mut others: impl FnMut(usize) -> Vec<usize>) -> Vec<f64> {
        let mut sum = vec![0.0; gradients[0].len()];
        for (head, gradient) in gradients.iter().enumerate() {
            let mut own = gradient.clone();
            for other in others(head) {
                let other = &gradients[other];
                let conflict = dot(&own, other);
                if conflict < 0.0 {
                    let part = conflict / dot(other, other);
                    own.iter_mut().zip(other).for_each(|(own, other)| *own -= part * other);
                }
            }
            sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
        sum
    }

    /// Two to five gradients of six numbers.
    fn some_gradients() -> impl Strategy<Value = Vec<Vec<f64>>> {
        proptest::collection::vec(proptest::collection::vec(-1.0..1.0_f64, 6), 2..6)
    }

    proptest! {
        #[test]
        fn shares_are_the_explicit_projections_in_any_order(gradients in some_gradients(), seed in 0_u64..1000) {
            let heads = gradients.len();
            let order = |seed: u64| {
                let mut weighting = PcGrad::new(heads, RngStream::new(seed, "order"));
                move |head: usize| {
                    let mut others: Vec<usize> = (0..heads).filter(|&other| other != head).collect();
                    weighting.stream.shuffle(&mut others);
                    others
                }
            };
            let explicit = projected(&gradients, order(seed));
            let grad_dot = |a: usize, b: usize| dot(&gradients[a], &gradients[b]);
            let gradient_weights = PcGrad::new(heads, RngStream::new(seed, "order")).gradient_weights(&grad_dot).unwrap();
            for (i, explicit) in explicit.iter().enumerate() {
                let parts = gradient_weights.iter().zip(&gradients).map(|(&share, gradient)| f64::from(share) * gradient[i]);
                let size: f64 = gradient_weights.iter().map(|share| f64::from(share.abs())).sum();
                let sum: f64 = parts.sum();
                prop_assert!((sum - explicit).abs() < 1e-6 * (1.0 + size), "{sum} {explicit}");
            }
        }

        #[test]
        fn two_projected_gradients_conflict_with_neither(gradients in some_gradients()) {
            let grad_dot = |a: usize, b: usize| dot(&gradients[a], &gradients[b]);
            let gradient_weights = gradient_weights(2, &grad_dot, |head| vec![1 - head]);
            for head in 0..2 {
                let along = gradient_weights[0] * grad_dot(0, head) + gradient_weights[1] * grad_dot(1, head);
                prop_assert!(along >= -1e-12, "{along}");
            }
            if grad_dot(0, 1) >= 0.0 {
                prop_assert_eq!(gradient_weights, vec![1.0, 1.0]);
            }
        }
    }

    #[test]
    fn a_gradient_of_zero_changes_nothing() {
        let grad_dot = |a: usize, b: usize| if (a, b) == (0, 0) { 2.0 } else { 0.0 };
        assert_eq!(
            PcGrad::new(2, RngStream::new(1, "order")).gradient_weights(&grad_dot).unwrap(),
            [1.0, 1.0]
        );
    }

    #[test]
    fn a_state_leads_to_the_same_orders() {
        let gradients = [[1.0, 0.2, -0.4], [-0.9, 0.3, 0.1], [0.1, -1.0, 0.2], [-0.2, 0.1, -0.8]];
        let grad_dot = |a: usize, b: usize| dot(&gradients[a], &gradients[b]);
        let mut first = PcGrad::new(4, RngStream::new(1, "order"));
        for _ in 0..5 {
            first.gradient_weights(&grad_dot);
        }
        let mut second = PcGrad::new(4, RngStream::new(1, "order"));
        second.restore(&first.state()).unwrap();
        for _ in 0..5 {
            assert_eq!(first.gradient_weights(&grad_dot), second.gradient_weights(&grad_dot));
        }
        assert!(second.restore("here").is_err());
    }
}
