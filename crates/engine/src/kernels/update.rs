//! The update of weights: what the receiver of a gradient does with it.

use super::path::{Kernel, Path};
use super::simd::Simd;

/// An optimiser's rule at one step, its numbers resolved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², w ← keep·w − rate·m / (√v·root + ε), in which `rate` and `root`
    /// hold the corrections for the moments' start at zero. `keep` is 1 without weight decay.
    Adam { beta_1: f32, beta_2: f32, epsilon: f32, rate: f32, root: f32, keep: f32 },
    /// m ← μ·m + g, w ← w − rate·m.
    Sgd { momentum: f32, rate: f32 },
}

/// Weights with their moments, all of one layout and length. Without a rule that uses it, a moment rests.
#[derive(Debug)]
pub(crate) struct Weights<'a> {
    pub(crate) value: &'a mut [f32],
    pub(crate) first: &'a mut [f32],
    pub(crate) second: &'a mut [f32],
}

impl Weights<'_> {
    /// Moves the weights by the gradient.
    ///
    /// # Panics
    /// If the lengths differ or are no multiple of 16.
    #[inline]
    pub(crate) fn update(&mut self, path: Path, rule: &Rule, gradient: &[f32]) {
        let n = gradient.len();
        let lengths = [self.value.len(), self.first.len(), self.second.len()];
        assert!(lengths == [n; 3] && n.is_multiple_of(16), "{lengths:?} weights and {n} gradients");
        path.run(Update { weights: self, rule, gradient });
    }
}

/// Asks for numbers that will soon be read, so that they come from memory while something else is computed.
#[inline]
pub(crate) fn prefetch(numbers: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(16) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: any address may be asked for, and this is one of a number.
        #[expect(unsafe_code, reason = "an instruction")]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

struct Update<'a, 'w> {
    weights: &'a mut Weights<'w>,
    rule: &'a Rule,
    gradient: &'a [f32],
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for Update<'_, '_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let n = self.gradient.len();
        let g = self.gradient.as_ptr();
        let w = self.weights.value.as_mut_ptr();
        let m = self.weights.first.as_mut_ptr();
        let v = self.weights.second.as_mut_ptr();
        // SAFETY: four slices of one length, a multiple of the lanes; the caller has seen the instruction set.
        unsafe {
            match *self.rule {
                Rule::Adam { beta_1, beta_2, epsilon, rate, root, keep } => {
                    let (one_less_1, one_less_2) = (S::splat(1.0 - beta_1), S::splat(1.0 - beta_2));
                    let (beta_1, beta_2) = (S::splat(beta_1), S::splat(beta_2));
                    let (epsilon, rate, root) = (S::splat(epsilon), S::splat(-rate), S::splat(root));
                    let keep = S::splat(keep);
                    for at in (0..n).step_by(S::LANES) {
                        let gradient = S::load(g.add(at));
                        let first = S::mul_add(beta_1, S::load(m.add(at)), S::mul(one_less_1, gradient));
                        let square = S::mul(S::mul(one_less_2, gradient), gradient);
                        let second = S::mul_add(beta_2, S::load(v.add(at)), square);
                        let spread = S::mul_add(S::sqrt(second), root, epsilon);
                        let step = S::div(S::mul(rate, first), spread);
                        S::store(first, m.add(at));
                        S::store(second, v.add(at));
                        S::store(S::mul_add(keep, S::load(w.add(at)), step), w.add(at));
                    }
                }
                Rule::Sgd { momentum, rate } => {
                    let (momentum, rate) = (S::splat(momentum), S::splat(-rate));
                    for at in (0..n).step_by(S::LANES) {
                        let first = S::mul_add(momentum, S::load(m.add(at)), S::load(g.add(at)));
                        S::store(first, m.add(at));
                        S::store(S::mul_add(rate, first, S::load(w.add(at))), w.add(at));
                    }
                }
            }
        }
    }
}
