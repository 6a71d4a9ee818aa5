//! Stochastic gradient descent with momentum (Polyak 1964; Nesterov 1983, as in Sutskever et al. 2013).

use super::{DeferrableRule, StepRule, WINDOW};
use crate::kernels::isa::Isa;
use crate::kernels::silent::SilentStep;
use crate::kernels::simd::Simd;
use crate::kernels::update::{LaneRule, ParamState};

/// m ← μ·m + g, w ← w − rate·m; with Nesterov momentum, w ← w − rate·(g + μ·m).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sgd {
    momentum: f32,
    nesterov: bool,
    rate: f32,
}

impl Sgd {
    /// `momentum` is μ, the share of the previous step that is kept.
    pub(crate) fn new(momentum: f64, nesterov: bool) -> Sgd {
        Sgd { momentum: momentum as f32, nesterov, rate: 0.0 }
    }
}

impl StepRule for Sgd {
    fn moments(&self) -> [bool; 2] {
        Self::MOMENTS
    }

    fn begin_step(&mut self, _step: u64, learning_rate: f64) {
        self.rate = learning_rate as f32;
    }

    fn update(&self, isa: Isa, mut part: ParamState, gradient: &[f32], _decays: bool) {
        part.update(isa, *self, gradient);
    }

    fn deferrable(&self) -> Option<DeferrableRule> {
        Some(DeferrableRule::Sgd(*self))
    }

    fn window(&self, _step: u64) -> u64 {
        WINDOW
    }
}

impl Sgd {
    /// The step for a weight with a zero gradient.
    pub(crate) fn silent_step(&self) -> SilentStep {
        let [momentum, rate] = [self.momentum, self.rate].map(f64::from);
        let rate = rate * if self.nesterov { momentum } else { 1.0 };
        SilentStep { beta_1: momentum, beta_2: 1.0, rate, root: 0.0, decay: 0.0, epsilon: 1.0 }
    }
}

impl LaneRule<2> for Sgd {
    const MOMENTS: [bool; 2] = [true, false];

    fn constants(&self) -> [f32; 2] {
        [self.momentum, -self.rate]
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "vector instructions")]
    unsafe fn step<S: Simd>(
        &self,
        constants: &[S::V; 2],
        [value, m, v]: [S::V; 3],
        gradient: S::V,
    ) -> [S::V; 3] {
        // SAFETY: the caller has checked that the instruction set is available.
        unsafe {
            let [momentum, rate] = *constants;
            let first = S::flush(S::mul_add(momentum, m, gradient));
            let by = if self.nesterov { S::mul_add(momentum, first, gradient) } else { first };
            [S::flush(S::mul_add(rate, by, value)), first, v]
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
        momentum: f64,
        nesterov: bool,
    ) {
        w.first = momentum * w.first + gradient;
        w.value -= learning_rate * if nesterov { gradient + momentum * w.first } else { w.first };
    }
}
