//! Adam (Kingma and Ba 2015), and AdamW, whose weight decay is decoupled from the gradient (Loshchilov and Hutter 2019).

use super::{DeferrableRule, StepRule, WINDOW};
use crate::kernels::isa::Isa;
use crate::kernels::silent::SilentStep;
use crate::kernels::simd::Simd;
use crate::kernels::update::{LaneRule, ParamState};

/// The share by which √v may fall within a window of deferred steps.
const SPREAD: f64 = 1.0 / 24.0;

#[derive(Debug)]
pub(crate) struct Adam {
    betas: [f64; 2],
    epsilon: f64,
    weight_decay: f64,
    /// The current step of weights, and of parameters without weight decay.
    steps: [AdamStep; 2],
}

/// m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², w ← w − decay·w − rate·m / (√v·root + ε). `rate` and `root` include the
/// bias corrections. `one_minus_beta` is computed in f64, because 1 − β would be inexact in f32.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AdamStep {
    beta: [f32; 2],
    one_minus_beta: [f32; 2],
    epsilon: f32,
    rate: f32,
    root: f32,
    decay: f32,
}

impl Adam {
    /// `betas` are the decay rates β₁ and β₂ of the first and the second moment.
    pub(crate) fn new(betas: [f64; 2], epsilon: f64, weight_decay: f64) -> Adam {
        Adam { betas, epsilon, weight_decay, steps: [AdamStep::default(); 2] }
    }
}

impl StepRule for Adam {
    fn moments(&self) -> [bool; 2] {
        [true, true]
    }

    fn begin_step(&mut self, step: u64, learning_rate: f64) {
        // In f64, because 1 − β₂ᵗ cancels at the first steps.
        let exponent = i32::try_from(step).unwrap_or(i32::MAX);
        let [correction_1, correction_2] = self.betas.map(|beta| 1.0 - beta.powi(exponent));
        self.steps = [self.weight_decay, 0.0].map(|weight_decay| AdamStep {
            beta: self.betas.map(|beta| beta as f32),
            one_minus_beta: self.betas.map(|beta| (1.0 - beta) as f32),
            epsilon: self.epsilon as f32,
            rate: (learning_rate / correction_1) as f32,
            root: (1.0 / correction_2.sqrt()) as f32,
            decay: (learning_rate * weight_decay) as f32,
        });
    }

    fn update(&self, isa: Isa, mut part: ParamState, gradient: &[f32], decays: bool) {
        part.update(isa, self.steps[usize::from(!decays)], gradient);
    }

    fn deferrable(&self) -> Option<DeferrableRule> {
        Some(DeferrableRule::Adam(self.steps[0]))
    }

    /// While steps are deferred, √v falls by the factor √β₂ in each step, and in early steps its bias correction falls
    /// too. The relative error of combined steps grows with the square of that fall
    /// ([`SilentSteps`](crate::kernels::silent::SilentSteps)).
    fn window(&self, step: u64) -> u64 {
        let beta_2 = self.betas[1];
        let correction = |step: u64| 1.0 - beta_2.powf(step as f64);
        let fall = 0.5 * (correction(step + 1) / (correction(step) * beta_2)).ln();
        let steps = ((SPREAD / fall) as u64).clamp(1, WINDOW);
        1 << steps.ilog2()
    }
}

impl AdamStep {
    /// The step for a weight with a zero gradient.
    pub(crate) fn silent_step(&self) -> SilentStep {
        let AdamStep { beta, epsilon, rate, root, decay, .. } = *self;
        let [beta_1, beta_2, rate, root, decay] = [beta[0], beta[1], rate, root, decay].map(f64::from);
        SilentStep { beta_1, beta_2, rate, root, decay, epsilon }
    }
}

impl LaneRule<8> for AdamStep {
    const MOMENTS: [bool; 2] = [true, true];

    fn constants(&self) -> [f32; 8] {
        let AdamStep { beta, one_minus_beta, epsilon, rate, root, decay } = *self;
        [beta[0], beta[1], one_minus_beta[0], one_minus_beta[1], epsilon, rate, root, decay]
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "vector instructions")]
    unsafe fn step<S: Simd>(
        &self,
        constants: &[S::V; 8],
        [value, m, v]: [S::V; 3],
        gradient: S::V,
    ) -> [S::V; 3] {
        // SAFETY: the caller has checked that the instruction set is available.
        unsafe {
            let [beta_1, beta_2, less_1, less_2, epsilon, rate, root, decay] = *constants;
            let square = S::mul(S::mul(less_2, gradient), gradient);
            let first = S::flush(S::mul_add(beta_1, m, S::mul(less_1, gradient)));
            let second = S::flush(S::mul_add(beta_2, v, square));
            let spread = S::mul_add(S::sqrt(second), root, epsilon);
            let step = S::div(S::mul(rate, first), spread);
            let value = S::flush(S::sub(value, S::mul_add(decay, value, step)));
            [value, first, second]
        }
    }
}

/// The definition, for one weight in f64.
#[cfg(test)]
pub(super) mod reference {
    use crate::optimizers::tests::Scalar;

    /// Step number `t`, counted from 1, of Adam; of AdamW where the weight decay is not zero.
    pub(in crate::optimizers) fn step(
        w: &mut Scalar,
        t: i32,
        gradient: f64,
        learning_rate: f64,
        [beta_1, beta_2, epsilon, weight_decay]: [f64; 4],
    ) {
        w.first = beta_1 * w.first + (1.0 - beta_1) * gradient;
        w.second = beta_2 * w.second + (1.0 - beta_2) * gradient * gradient;
        let m_hat = w.first / (1.0 - beta_1.powi(t));
        let v_hat = w.second / (1.0 - beta_2.powi(t));
        w.value -= learning_rate * weight_decay * w.value + learning_rate * m_hat / (v_hat.sqrt() + epsilon);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_grow_with_the_steps_and_end_together() {
        let ends = |beta_2: f64, upto: u64| -> Vec<u64> {
            let adam = Adam::new([0.9, beta_2], 1e-8, 0.0);
            (1..=upto).filter(|&step| step.is_multiple_of(adam.window(step))).collect()
        };
        assert_eq!(ends(0.999, 40), (1..=24).chain((26..=40).step_by(2)).collect::<Vec<u64>>());
        assert_eq!(ends(0.9, 1000), (1..=1000).collect::<Vec<u64>>(), "√v falls by a twentieth a step");
        for beta_2 in [0.0, 0.5, 0.99, 0.999, 0.99999] {
            let ends = ends(beta_2, 1 << 14);
            for pair in ends.windows(2) {
                let [fall_to, fall_from] = [pair[1], pair[0] + 1]
                    .map(|step| beta_2.powf(step as f64 / 2.0) / (1.0 - beta_2.powf(step as f64)).sqrt());
                assert!(pair[1] - pair[0] <= WINDOW);
                assert!(
                    pair[1] == pair[0] + 1 || fall_to >= fall_from * (1.0 - 1.1 * SPREAD),
                    "{beta_2}: {pair:?}"
                );
            }
        }
    }
}
