//! The update of weights by their gradient.

#[cfg(test)]
mod tests;

use super::gemm::{NR, Row, TileRows};
use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// The update rule of an optimiser for single weights, in vectors of them. Its `N` constants are copied to all lanes once for
/// many vectors.
pub(crate) trait LaneRule<const N: usize>: Copy + Send + Sync {
    /// Whether it keeps a first and a second moment. A moment that it does not keep is neither read nor written.
    const MOMENTS: [bool; 2];

    /// The numbers that [`LaneRule::step`] needs in all lanes.
    fn constants(&self) -> [f32; N];

    /// Weights and moments [w, m, v] after a step by this gradient. Results that would be denormal must become zero.
    ///
    /// # Safety
    /// The instruction set of `S` must be available.
    #[expect(unsafe_code, reason = "vector instructions")]
    unsafe fn step<S: Simd>(&self, constants: &[S::V; N], state: [S::V; 3], gradient: S::V) -> [S::V; 3];
}

/// Weights with their moments, all of the same layout and length. Moments that the optimiser does not keep are empty.
#[derive(Debug)]
pub(crate) struct ParamState<'a> {
    pub(crate) value: &'a mut [f32],
    pub(crate) first: &'a mut [f32],
    pub(crate) second: &'a mut [f32],
}

impl ParamState<'_> {
    /// Whether there is a value for each weight of each moment that the rule keeps.
    fn has_moments<R: LaneRule<N>, const N: usize>(&self) -> bool {
        let lengths = [self.first.len(), self.second.len()];
        R::MOMENTS.into_iter().zip(lengths).all(|(has, len)| !has || len == self.value.len())
    }

    /// Updates the weights with their gradient.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of 16.
    #[inline]
    pub(crate) fn update<R: LaneRule<N>, const N: usize>(&mut self, isa: Isa, rule: R, gradient: &[f32]) {
        let (n, weights) = (gradient.len(), self.value.len());
        assert!(weights == n && n.is_multiple_of(16), "{weights} weights and {n} gradients");
        assert!(self.has_moments::<R, N>(), "moments for each weight");
        isa.run(Update { weights: self, rule, gradient });
    }

    /// Updates rows of 32 weights with a row of the gradient each.
    ///
    /// # Panics
    /// If the lengths of weights and moments differ, a row reaches beyond them, or there are fewer rows of the gradient
    /// than of weights.
    #[inline]
    pub(crate) fn update_rows<R: LaneRule<N>, const N: usize>(
        &mut self,
        isa: Isa,
        rule: R,
        rows: TileRows,
        gradient: &[Row],
    ) {
        assert!(self.has_moments::<R, N>(), "moments for each weight");
        assert!(rows.starts.len() <= gradient.len(), "a gradient for every row");
        assert!(
            rows.last.checked_add(NR).is_some_and(|end| end <= self.value.len()),
            "rows within the weights"
        );
        isa.run(UpdateRows { weights: self, rule, starts: rows.starts, gradient });
    }
}

/// Prefetches values that will be read soon into the first-level cache.
#[inline]
pub(crate) fn prefetch(numbers: &[f32]) {
    prefetch_hint::<3>(numbers);
}

/// Prefetches values that will be read somewhat later into the second-level cache, which can have more loads in flight.
#[inline]
pub(crate) fn prefetch_far(numbers: &[f32]) {
    prefetch_hint::<2>(numbers);
}

/// Prefetches with a hint of the processor: 3 for the first-level cache, 2 for the second-level cache.
#[inline]
fn prefetch_hint<const HINT: i32>(numbers: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(16) {
        // SAFETY: a prefetch may be given any address.
        #[expect(unsafe_code, reason = "an instruction")]
        unsafe {
            std::arch::x86_64::_mm_prefetch::<HINT>(line.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

/// Each number in all lanes of a vector.
///
/// # Safety
/// The instruction set of `S` must be available.
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn splat<S: Simd, const N: usize>(numbers: [f32; N]) -> [S::V; N] {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut lanes = [S::splat(0.0); N];
        // Not `map`, whose closure would be compiled without the instruction set.
        for (lanes, &number) in lanes.iter_mut().zip(&numbers) {
            *lanes = S::splat(number);
        }
        lanes
    }
}

struct Update<'a, 'w, R, const N: usize> {
    weights: &'a mut ParamState<'w>,
    rule: R,
    gradient: &'a [f32],
}

/// Updates `n` weights w with moments m and v by their gradients g.
///
/// # Safety
/// Each pointer must be valid for `n` values, except those of moments that the rule does not keep; `n` must be a multiple
/// of the lanes, and the instruction set of `S` must be available.
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn step<S: Simd, R: LaneRule<N>, const N: usize>(
    (rule, constants): (R, &[S::V; N]),
    n: usize,
    g: *const f32,
    [w, m, v]: [*mut f32; 3],
) {
    // SAFETY: by the caller's promise.
    unsafe {
        for at in (0..n).step_by(S::LANES) {
            let first = if R::MOMENTS[0] { S::load(m.add(at)) } else { S::splat(0.0) };
            let second = if R::MOMENTS[1] { S::load(v.add(at)) } else { S::splat(0.0) };
            let state = [S::load(w.add(at)), first, second];
            let [value, first, second] = rule.step::<S>(constants, state, S::load(g.add(at)));
            if R::MOMENTS[0] {
                S::store(first, m.add(at));
            }
            if R::MOMENTS[1] {
                S::store(second, v.add(at));
            }
            S::store(value, w.add(at));
        }
    }
}

#[expect(unsafe_code, reason = "vector instructions")]
impl<R: LaneRule<N>, const N: usize> Kernel for Update<'_, '_, R, N> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let ParamState { value, first, second } = self.weights;
        let at = [value.as_mut_ptr(), first.as_mut_ptr(), second.as_mut_ptr()];
        // SAFETY: `update` has checked that the slices have the same length, a multiple of the lanes; the caller has
        // checked that the instruction set is available.
        unsafe {
            let rule = (self.rule, &splat::<S, N>(self.rule.constants()));
            step::<S, R, N>(rule, self.gradient.len(), self.gradient.as_ptr(), at);
        }
    }
}

struct UpdateRows<'a, 'w, R, const N: usize> {
    weights: &'a mut ParamState<'w>,
    rule: R,
    starts: &'a [usize],
    gradient: &'a [Row],
}

#[expect(unsafe_code, reason = "vector instructions, and reads without a check of each")]
impl<R: LaneRule<N>, const N: usize> Kernel for UpdateRows<'_, '_, R, N> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let ParamState { value, first, second } = self.weights;
        let [w, m, v] = [value.as_mut_ptr(), first.as_mut_ptr(), second.as_mut_ptr()];
        // SAFETY: the caller has checked that the instruction set is available.
        let constants = unsafe { splat::<S, N>(self.rule.constants()) };
        for (&start, gradient) in self.starts.iter().zip(self.gradient) {
            // The pointer of a moment that is not kept stays where it is; it is not read from.
            let along = |pointer: *mut f32, has: bool| pointer.wrapping_add(if has { start } else { 0 });
            let at = [along(w, true), along(m, R::MOMENTS[0]), along(v, R::MOMENTS[1])];
            // SAFETY: `update_rows` has checked that every row ends within the slices; the caller has checked that the
            // instruction set is available.
            unsafe { step::<S, R, N>((self.rule, &constants), NR, gradient.as_ptr(), at) }
        }
    }
}
