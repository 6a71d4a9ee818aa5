//! RMSprop (Tieleman and Hinton 2012).

use super::StepRule;
use crate::kernels::isa::Isa;
use crate::kernels::simd::Simd;
use crate::kernels::update::{LaneRule, ParamState};

/// v ← α·v + (1 − α)·g², w ← w − rate·g / (√v + ε).
#[derive(Debug, Clone, Copy)]
pub(crate) struct RmsProp {
    alpha: f32,
    one_minus_alpha: f32,
    epsilon: f32,
    rate: f32,
}

impl RmsProp {
    /// `alpha` is the decay rate of the mean of the squared gradients.
    pub(crate) fn new(alpha: f64, epsilon: f64) -> RmsProp {
        let (alpha, one_minus_alpha) = (alpha as f32, (1.0 - alpha) as f32);
        RmsProp { alpha, one_minus_alpha, epsilon: epsilon as f32, rate: 0.0 }
    }
}

impl StepRule for RmsProp {
    fn moments(&self) -> [bool; 2] {
        Self::MOMENTS
    }

    fn begin_step(&mut self, _step: u64, learning_rate: f64) {
        self.rate = learning_rate as f32;
    }

    fn update(&self, isa: Isa, mut part: ParamState, gradient: &[f32], _decays: bool) {
        part.update(isa, *self, gradient);
    }
}

impl LaneRule<4> for RmsProp {
    const MOMENTS: [bool; 2] = [false, true];

    fn constants(&self) -> [f32; 4] {
        [self.alpha, self.one_minus_alpha, self.epsilon, self.rate]
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "vector instructions")]
    unsafe fn step<S: Simd>(
        &self,
        constants: &[S::V; 4],
        [value, m, v]: [S::V; 3],
        gradient: S::V,
    ) -> [S::V; 3] {
        // SAFETY: the caller has checked that the instruction set is available.
        unsafe {
            let [alpha, less, epsilon, rate] = *constants;
            let square = S::mul(S::mul(less, gradient), gradient);
            let second = S::flush(S::mul_add(alpha, v, square));
            let spread = S::add(S::sqrt(second), epsilon);
            let step = S::div(S::mul(rate, gradient), spread);
            [S::flush(S::sub(value, step)), m, second]
        }
    }
}

/// The definition, for one weight in f64.
#[cfg(test)]
pub(super) mod reference {
    use crate::optimizers::tests::Scalar;

    pub(in crate::optimizers) fn step(
        w: &mut Scalar,
        gradient: f64,
        learning_rate: f64,
        alpha: f64,
        epsilon: f64,
    ) {
        w.second = alpha * w.second + (1.0 - alpha) * gradient * gradient;
        w.value -= learning_rate * gradient / (w.second.sqrt() + epsilon);
    }
}
