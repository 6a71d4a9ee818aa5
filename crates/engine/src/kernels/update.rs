//! The update of weights: what the sink of a gradient does with it.

#[cfg(test)]
mod tests;

use super::gemm::{NR, Row};
use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// An optimiser's rule at one step, its numbers resolved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum StepRule {
    /// m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², w ← w − decay·w − rate·m / (√v·root + ε), in which `rate` and
    /// `root` hold the corrections for the moments' start at zero, and `one_minus_beta` is 1 − β, which f32 numbers of β would
    /// make inexact.
    Adam { beta: [f32; 2], one_minus_beta: [f32; 2], epsilon: f32, rate: f32, root: f32, decay: f32 },
    /// m ← μ·m + g, w ← w − rate·m, or with Nesterov's look ahead w ← w − rate·(g + μ·m).
    Sgd { momentum: f32, nesterov: bool, rate: f32 },
    /// v ← α·v + (1 − α)·g², w ← w − rate·g / (√v + ε).
    RmsProp { alpha: f32, one_minus_alpha: f32, epsilon: f32, rate: f32 },
    /// w ← w − decay·w − rate·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g.
    Lion { beta: [f32; 2], one_minus_beta: [f32; 2], rate: f32, decay: f32 },
}

impl StepRule {
    /// Whether several steps without a gradient can be taken at once ([`SilentSteps`](super::silent::SilentSteps)).
    pub(crate) fn can_wait(&self) -> bool {
        matches!(self, StepRule::Adam { .. } | StepRule::Sgd { .. })
    }
}

/// Weights with their moments, all of one layout and length. Without a rule that uses it, a moment rests.
#[derive(Debug)]
pub(crate) struct ParamState<'a> {
    pub(crate) value: &'a mut [f32],
    pub(crate) first: &'a mut [f32],
    pub(crate) second: &'a mut [f32],
}

impl ParamState<'_> {
    /// Moves the weights by the gradient. What would be denormal becomes zero.
    ///
    /// # Panics
    /// If the lengths differ or are no multiple of 16.
    #[inline]
    pub(crate) fn update(&mut self, isa: Isa, rule: &StepRule, gradient: &[f32]) {
        let n = gradient.len();
        let lengths = [self.value.len(), self.first.len(), self.second.len()];
        assert!(lengths == [n; 3] && n.is_multiple_of(16), "{lengths:?} weights and {n} gradients");
        isa.run(Update { weights: self, rule, gradient });
    }

    /// Moves rows of 32 weights, which begin at `starts`, by a row of the gradient each.
    ///
    /// # Panics
    /// If the lengths differ, a row leads beyond them, or there are fewer gradients than rows.
    #[inline]
    pub(crate) fn update_rows(&mut self, isa: Isa, rule: &StepRule, starts: &[usize], gradient: &[Row]) {
        let n = self.value.len();
        assert!([self.first.len(), self.second.len()] == [n; 2], "two moments for each weight");
        assert!(starts.len() <= gradient.len(), "a gradient for every row");
        let end = starts.iter().fold(0, |end, &start| if start > end { start } else { end });
        assert!(end.checked_add(NR).is_some_and(|end| end <= n), "rows within the weights");
        isa.run(UpdateRows { weights: self, rule, starts, gradient });
    }
}

/// Asks for numbers that will soon be read, so that they come from memory while something else is computed.
#[inline]
pub(crate) fn prefetch(numbers: &[f32]) {
    ask::<3>(numbers);
}

/// As [`prefetch`], for numbers that are read somewhat later: they come to the second cache, which can wait for more of
/// them at once than the first.
#[inline]
pub(crate) fn prefetch_far(numbers: &[f32]) {
    ask::<2>(numbers);
}

/// With a hint of the processor's: 3 for the first cache, 2 for the second.
#[inline]
fn ask<const HINT: i32>(numbers: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(16) {
        // SAFETY: any address may be asked for, and this is one of a number.
        #[expect(unsafe_code, reason = "an instruction")]
        unsafe {
            std::arch::x86_64::_mm_prefetch::<HINT>(line.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

struct Update<'a, 'w> {
    weights: &'a mut ParamState<'w>,
    rule: &'a StepRule,
    gradient: &'a [f32],
}

/// One step of `n` numbers from the addresses w, m, v by the gradient from g on.
///
/// # Safety
/// The instruction set of `S` is there; the addresses are of so many numbers each, a multiple of the lanes.
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn step<S: Simd>(rule: &StepRule, n: usize, g: *const f32, [w, m, v]: [*mut f32; 3]) {
    // SAFETY: by the caller's promise.
    unsafe {
        match *rule {
            StepRule::Adam { beta, one_minus_beta, epsilon, rate, root, decay } => {
                let (beta, one_minus_beta) =
                    (beta.map(|beta| S::splat(beta)), one_minus_beta.map(|less| S::splat(less)));
                let (epsilon, rate) = (S::splat(epsilon), S::splat(rate));
                let (root, decay) = (S::splat(root), S::splat(decay));
                for at in (0..n).step_by(S::LANES) {
                    let (value, gradient) = (S::load(w.add(at)), S::load(g.add(at)));
                    let square = S::mul(S::mul(one_minus_beta[1], gradient), gradient);
                    let first = S::mul_add(beta[0], S::load(m.add(at)), S::mul(one_minus_beta[0], gradient));
                    let first = S::flush(first);
                    let second = S::flush(S::mul_add(beta[1], S::load(v.add(at)), square));
                    let spread = S::mul_add(S::sqrt(second), root, epsilon);
                    let step = S::div(S::mul(rate, first), spread);
                    S::store(first, m.add(at));
                    S::store(second, v.add(at));
                    S::store(S::flush(S::sub(value, S::mul_add(decay, value, step))), w.add(at));
                }
            }
            StepRule::Sgd { momentum, nesterov, rate } => {
                let (momentum, rate) = (S::splat(momentum), S::splat(-rate));
                for at in (0..n).step_by(S::LANES) {
                    let gradient = S::load(g.add(at));
                    let first = S::flush(S::mul_add(momentum, S::load(m.add(at)), gradient));
                    S::store(first, m.add(at));
                    let by = if nesterov { S::mul_add(momentum, first, gradient) } else { first };
                    S::store(S::flush(S::mul_add(rate, by, S::load(w.add(at)))), w.add(at));
                }
            }
            StepRule::RmsProp { alpha, one_minus_alpha, epsilon, rate } => {
                let (alpha, one_minus_alpha) = (S::splat(alpha), S::splat(one_minus_alpha));
                let (epsilon, rate) = (S::splat(epsilon), S::splat(rate));
                for at in (0..n).step_by(S::LANES) {
                    let gradient = S::load(g.add(at));
                    let square = S::mul(S::mul(one_minus_alpha, gradient), gradient);
                    let second = S::flush(S::mul_add(alpha, S::load(v.add(at)), square));
                    let step = S::div(S::mul(rate, gradient), S::add(S::sqrt(second), epsilon));
                    S::store(second, v.add(at));
                    S::store(S::flush(S::sub(S::load(w.add(at)), step)), w.add(at));
                }
            }
            StepRule::Lion { beta, one_minus_beta, rate, decay } => {
                let (beta, one_minus_beta) =
                    (beta.map(|beta| S::splat(beta)), one_minus_beta.map(|less| S::splat(less)));
                let (zero, rate, decay) = (S::splat(0.0), S::splat(rate), S::splat(decay));
                for at in (0..n).step_by(S::LANES) {
                    let (value, gradient, first) =
                        (S::load(w.add(at)), S::load(g.add(at)), S::load(m.add(at)));
                    let along = S::mul_add(beta[0], first, S::mul(one_minus_beta[0], gradient));
                    // The rate where it is above zero, less the rate where it is below.
                    let up = S::relu_mask_lanes(rate, along);
                    let step = S::sub(up, S::relu_mask_lanes(rate, S::sub(zero, along)));
                    let first = S::mul_add(beta[1], first, S::mul(one_minus_beta[1], gradient));
                    S::store(S::flush(first), m.add(at));
                    S::store(S::flush(S::sub(value, S::mul_add(decay, value, step))), w.add(at));
                }
            }
        }
    }
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for Update<'_, '_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let ParamState { value, first, second } = self.weights;
        let at = [value.as_mut_ptr(), first.as_mut_ptr(), second.as_mut_ptr()];
        // SAFETY: four slices of one length, a multiple of the lanes; the caller has seen the instruction set.
        unsafe { step::<S>(self.rule, self.gradient.len(), self.gradient.as_ptr(), at) }
    }
}

struct UpdateRows<'a, 'w> {
    weights: &'a mut ParamState<'w>,
    rule: &'a StepRule,
    starts: &'a [usize],
    gradient: &'a [Row],
}

#[expect(unsafe_code, reason = "vector instructions, and reads without a check of each")]
impl Kernel for UpdateRows<'_, '_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let ParamState { value, first, second } = self.weights;
        let [w, m, v] = [value.as_mut_ptr(), first.as_mut_ptr(), second.as_mut_ptr()];
        for (&start, gradient) in self.starts.iter().zip(self.gradient) {
            // SAFETY: `update_rows` has checked that every row ends within the slices; the caller has seen the
            // instruction set.
            unsafe {
                let at = [w.add(start), m.add(start), v.add(start)];
                step::<S>(self.rule, NR, gradient.as_ptr(), at);
            }
        }
    }
}
