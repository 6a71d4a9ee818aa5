//! Several optimiser steps with a zero gradient (silent steps), combined into one.

#[cfg(test)]
mod tests;

use super::gemm::{NR, Row};
use super::isa::{Isa, Kernel};
use super::simd::Simd;
use super::update::ParamState;

/// An optimiser step with a zero gradient: m ← β₁·m, v ← β₂·v, w ← w − decay·w − rate·m / (√v·root + ε).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SilentStep {
    pub(crate) beta_1: f64,
    pub(crate) beta_2: f64,
    pub(crate) rate: f64,
    /// Zero if the optimiser has no second moment.
    pub(crate) root: f64,
    pub(crate) decay: f64,
    pub(crate) epsilon: f32,
}

impl SilentStep {
    /// Whether this step can be combined with the other one: both must be steps of the same optimiser.
    pub(crate) fn joins(&self, other: &SilentStep) -> bool {
        let optimizer = |of: &SilentStep| (of.beta_1, of.beta_2, of.epsilon, of.root == 0.0);
        optimizer(self) == optimizer(other)
    }
}

/// Several steps with a zero gradient, combined: w ← w − decay·w − rate·m / (√v·root + ε), m ← first·m, v ← second·v.
///
/// Together the steps of Adam move a weight by −m·Σⱼ αⱼ / (√v·γⱼ + ε), where m and v are the moments before the first
/// step, αⱼ = rateⱼ·β₁ʲ and γⱼ = rootⱼ·√β₂ʲ. With S₁ = Σ αⱼ/γⱼ and S₂ = Σ αⱼ/γⱼ², a single fraction with root = S₁/S₂ and
/// rate = S₁·root agrees with that sum to second order in ε/√v. In general its relative error is at most the variance of
/// 1/γ divided by the mean of its square, both weighted by α, which is at most (d/2)² if the γ differ by a share d. The
/// steps of an optimiser without a second moment are a plain sum, which has no such error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SilentSteps {
    pub(crate) first: f32,
    pub(crate) second: f32,
    pub(crate) decay: f32,
    pub(crate) rate: f32,
    pub(crate) root: f32,
    pub(crate) epsilon: f32,
}

/// The sums from which [`SilentSteps`] are computed, step by step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SilentSums {
    /// β₁ᵏ or μᵏ, and √β₂ᵏ.
    first: f64,
    second: f64,
    decay: f64,
    /// S₁ and S₂.
    sums: [f64; 2],
    /// Σ αⱼ.
    rates: f64,
}

impl SilentSums {
    /// The sums of no steps.
    pub(crate) const NONE: SilentSums =
        SilentSums { first: 1.0, second: 1.0, decay: 0.0, sums: [0.0; 2], rates: 0.0 };

    /// Adds a step after these, and returns all of them combined.
    pub(crate) fn then(&mut self, step: &SilentStep) -> SilentSteps {
        let SilentStep { beta_1, beta_2, rate, root, decay, epsilon } = *step;
        self.first *= beta_1;
        self.second *= beta_2.sqrt();
        let (alpha, gamma) = (rate * self.first, root * self.second);
        let keep = 1.0 - decay;
        self.sums = [self.sums[0] * keep + alpha / gamma, self.sums[1] * keep + alpha / (gamma * gamma)];
        self.rates = self.rates * keep + alpha;
        self.decay += decay * (1.0 - self.decay);
        let [sum, square] = self.sums;
        let (rate, root) = match () {
            // Without a second moment the steps are a plain sum. With β₂ = 0 the first silent step sets v to zero, and
            // the weight moves by −m·Σ αⱼ/ε.
            () if gamma == 0.0 => (self.rates, 0.0),
            // With a learning rate of zero the weight does not move, and the quotient of the sums is undefined.
            () if square == 0.0 => (0.0, 1.0),
            () => (sum * (sum / square), sum / square),
        };
        SilentSteps {
            first: self.first as f32,
            second: (self.second * self.second) as f32,
            decay: self.decay as f32,
            rate: rate as f32,
            root: root as f32,
            epsilon,
        }
    }
}

/// The values of [`SilentSteps`], each broadcast to all lanes of a vector.
struct Lanes<S: Simd>([S::V; 6]);

#[expect(unsafe_code, reason = "vector instructions")]
impl<S: Simd> Lanes<S> {
    #[inline(always)]
    unsafe fn new(steps: &SilentSteps) -> Self {
        let SilentSteps { first, second, decay, rate, root, epsilon } = *steps;
        // SAFETY: the caller has checked that the instruction set is available.
        unsafe {
            Lanes([
                S::splat(first),
                S::splat(second),
                S::splat(decay),
                S::splat(rate),
                S::splat(root),
                S::splat(epsilon),
            ])
        }
    }

    /// The weights after the steps.
    #[inline(always)]
    unsafe fn value(&self, w: S::V, m: S::V, v: S::V) -> S::V {
        let [_, _, decay, rate, root, epsilon] = self.0;
        // SAFETY: the caller has checked that the instruction set is available.
        unsafe {
            let step = S::div(S::mul(rate, m), S::mul_add(S::sqrt(v), root, epsilon));
            S::flush(S::sub(w, S::mul_add(decay, w, step)))
        }
    }

    /// The moments after the steps.
    #[inline(always)]
    unsafe fn moments(&self, m: S::V, v: S::V) -> [S::V; 2] {
        // SAFETY: the caller has checked that the instruction set is available.
        unsafe { [S::flush(S::mul(self.0[0], m)), S::flush(S::mul(self.0[1], v))] }
    }
}

/// A row of 32 weights that has deferred steps: the index at which it begins, and the steps.
pub(crate) type Waiting<'a> = (usize, &'a SilentSteps);

impl ParamState<'_> {
    /// Takes the deferred steps of these rows of 32 weights.
    ///
    /// # Panics
    /// If a row reaches beyond the weights or their moments.
    #[inline]
    pub(crate) fn catch_up<'s>(&mut self, isa: Isa, rows: impl Iterator<Item = Waiting<'s>>) {
        if self.second.is_empty() {
            isa.run(CatchUp::<_, false> { weights: self, rows });
        } else {
            isa.run(CatchUp::<_, true> { weights: self, rows });
        }
    }
}

/// With a second moment or without one: a branch in the loop would cost time.
struct CatchUp<'a, 'w, I, const HAS_SECOND: bool> {
    weights: &'a mut ParamState<'w>,
    rows: I,
}

#[expect(unsafe_code, reason = "vector instructions")]
impl<'s, I: Iterator<Item = Waiting<'s>>, const HAS_SECOND: bool> Kernel for CatchUp<'_, '_, I, HAS_SECOND> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let ParamState { value, first, second } = self.weights;
        for (start, steps) in self.rows {
            let row = start..start + NR;
            let (w, m) = (&mut value[row.clone()], &mut first[row.clone()]);
            let v: &mut [f32] = if HAS_SECOND { &mut second[row] } else { &mut [] };
            let (w, m, v) = (w.as_mut_ptr(), m.as_mut_ptr(), v.as_mut_ptr());
            // SAFETY: slices of 32 values, except a second moment that is not kept; the caller has checked that the
            // instruction set is available.
            unsafe {
                let steps = Lanes::<S>::new(steps);
                for at in (0..NR).step_by(S::LANES) {
                    let first = S::load(m.add(at));
                    let second = if HAS_SECOND { S::load(v.add(at)) } else { S::splat(0.0) };
                    S::store(steps.value(S::load(w.add(at)), first, second), w.add(at));
                    let [first, second] = steps.moments(first, second);
                    S::store(first, m.add(at));
                    if HAS_SECOND {
                        S::store(second, v.add(at));
                    }
                }
            }
        }
    }
}

/// Writes rows of 32 weights as they are after their deferred steps to `to`, without changing the weights. `numbers` are
/// the weights and their first and second moments; `rows` gives the index at which each row begins, and its deferred
/// steps, if there are any.
///
/// # Panics
/// If a row reaches beyond the weights or their moments, or `to` has fewer rows.
#[inline]
pub(crate) fn read_rows<'s>(
    isa: Isa,
    numbers: [&[f32]; 3],
    rows: impl Iterator<Item = (usize, Option<&'s SilentSteps>)>,
    to: &mut [Row],
) {
    if numbers[2].is_empty() {
        isa.run(ReadRows::<_, false> { numbers, rows, to });
    } else {
        isa.run(ReadRows::<_, true> { numbers, rows, to });
    }
}

/// As [`CatchUp`].
struct ReadRows<'a, I, const HAS_SECOND: bool> {
    numbers: [&'a [f32]; 3],
    rows: I,
    to: &'a mut [Row],
}

#[expect(unsafe_code, reason = "vector instructions")]
impl<'s, I: Iterator<Item = (usize, Option<&'s SilentSteps>)>, const HAS_SECOND: bool> Kernel
    for ReadRows<'_, I, HAS_SECOND>
{
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut to = self.to.iter_mut();
        for (start, steps) in self.rows {
            let to = to.next().expect("room for every row");
            let row = start..start + NR;
            let w = &self.numbers[0][row.clone()];
            let Some(steps) = steps else {
                to.copy_from_slice(w);
                continue;
            };
            let m = &self.numbers[1][row.clone()];
            let v: &[f32] = if HAS_SECOND { &self.numbers[2][row] } else { &[] };
            let (w, m, v, to) = (w.as_ptr(), m.as_ptr(), v.as_ptr(), to.as_mut_ptr());
            // SAFETY: slices of 32 values, except a second moment that is not kept; the caller has checked that the
            // instruction set is available.
            unsafe {
                let steps = Lanes::<S>::new(steps);
                for at in (0..NR).step_by(S::LANES) {
                    let second = if HAS_SECOND { S::load(v.add(at)) } else { S::splat(0.0) };
                    let value = steps.value(S::load(w.add(at)), S::load(m.add(at)), second);
                    S::store(value, to.add(at));
                }
            }
        }
    }
}
