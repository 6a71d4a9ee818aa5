//! Lion (Chen et al. 2023): steps of the same length for all weights, in the direction of a sign.

use super::StepRule;
use crate::kernels::isa::Isa;
use crate::kernels::simd::Simd;
use crate::kernels::update::{LaneRule, ParamState};

#[derive(Debug)]
pub(crate) struct Lion {
    betas: [f64; 2],
    weight_decay: f64,
    /// The current step of weights, and of parameters without weight decay.
    steps: [LionStep; 2],
}

/// w ← w − decay·w − rate·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g.
#[derive(Debug, Clone, Copy, Default)]
struct LionStep {
    beta: [f32; 2],
    one_minus_beta: [f32; 2],
    rate: f32,
    decay: f32,
}

impl Lion {
    /// `betas` are the share β₁ of m in the direction of a step, and the decay rate β₂ of m.
    pub(crate) fn new(betas: [f64; 2], weight_decay: f64) -> Lion {
        Lion { betas, weight_decay, steps: [LionStep::default(); 2] }
    }
}

impl StepRule for Lion {
    fn moments(&self) -> [bool; 2] {
        LionStep::MOMENTS
    }

    fn begin_step(&mut self, _step: u64, learning_rate: f64) {
        self.steps = [self.weight_decay, 0.0].map(|weight_decay| LionStep {
            beta: self.betas.map(|beta| beta as f32),
            one_minus_beta: self.betas.map(|beta| (1.0 - beta) as f32),
            rate: learning_rate as f32,
            decay: (learning_rate * weight_decay) as f32,
        });
    }

    fn update(&self, isa: Isa, mut part: ParamState, gradient: &[f32], decays: bool) {
        part.update(isa, self.steps[usize::from(!decays)], gradient);
    }
}

impl LaneRule<6> for LionStep {
    const MOMENTS: [bool; 2] = [true, false];

    fn constants(&self) -> [f32; 6] {
        let LionStep { beta, one_minus_beta, rate, decay } = *self;
        [beta[0], beta[1], one_minus_beta[0], one_minus_beta[1], rate, decay]
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "vector instructions")]
    unsafe fn step<S: Simd>(
        &self,
        constants: &[S::V; 6],
        [value, m, v]: [S::V; 3],
        gradient: S::V,
    ) -> [S::V; 3] {
        // SAFETY: the caller has checked that the instruction set is available.
        unsafe {
            let [beta_1, beta_2, less_1, less_2, rate, decay] = *constants;
            let zero = S::splat(0.0);
            let along = S::mul_add(beta_1, m, S::mul(less_1, gradient));
            // rate · sign: the rate where the direction is positive, minus the rate where it is negative.
            let up = S::relu_mask_lanes(rate, along);
            let step = S::sub(up, S::relu_mask_lanes(rate, S::sub(zero, along)));
            let first = S::flush(S::mul_add(beta_2, m, S::mul(less_2, gradient)));
            let value = S::flush(S::sub(value, S::mul_add(decay, value, step)));
            [value, first, v]
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
        [beta_1, beta_2, weight_decay]: [f64; 3],
    ) {
        let terms = [beta_1 * w.first, (1.0 - beta_1) * gradient];
        let along = terms[0] + terms[1];
        let sign = if along == 0.0 { 0.0 } else { along.signum() };
        // If the terms nearly cancel, rounding decides the sign.
        w.is_open |= along.abs() < 1e-5 * (terms[0].abs() + terms[1].abs());
        w.value -= learning_rate * (sign + weight_decay * w.value);
        w.first = beta_2 * w.first + (1.0 - beta_2) * gradient;
    }
}
