//! The update of weights: what the receiver of a gradient does with it.

#[cfg(test)]
mod tests;

use super::path::{Kernel, Path};
use super::product::{COLUMNS, Row};
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

    /// Moves rows of 32 weights, which begin at `starts`, by a row of the gradient each.
    ///
    /// # Panics
    /// If the lengths differ, a row leads beyond them, or there are fewer gradients than rows.
    #[inline]
    pub(crate) fn update_rows(&mut self, path: Path, rule: &Rule, starts: &[usize], gradient: &[Row]) {
        let n = self.value.len();
        assert!([self.first.len(), self.second.len()] == [n; 2], "two moments for each weight");
        assert!(starts.len() <= gradient.len(), "a gradient for every row");
        let end = starts.iter().fold(0, |end, &start| if start > end { start } else { end });
        assert!(end + COLUMNS <= n, "rows within the weights");
        path.run(UpdateRows { weights: self, rule, starts, gradient });
    }

    /// Takes the steps that are owed, without a gradient: bit for bit what as many updates would do, but the weights go
    /// through memory once. Whether the last of them left all weights as they were, and any that shrinks from it would.
    ///
    /// # Panics
    /// If the lengths differ or are no multiple of 16.
    #[inline]
    pub(crate) fn catch_up(&mut self, path: Path, debt: Debt) -> bool {
        let n = self.value.len();
        let lengths = [self.first.len(), self.second.len()];
        assert!(lengths == [n; 2] && n.is_multiple_of(16), "{lengths:?} moments of {n} weights");
        path.run(CatchUp { weights: self, debt })
    }
}

/// What weights without a gradient owe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Debt<'a> {
    /// These steps.
    Steps(Steps<'a>),
    /// So many steps by Adam's rules of which none moves the weights: their moments decay as this one has them do.
    Decay { rule: Rule, steps: u32 },
}

/// Steps to be taken one after the other without a gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Steps<'a> {
    /// The rule of each, oldest first.
    pub(crate) rules: &'a [Rule],
    /// How many of them the weights have taken already, but not their moments.
    pub(crate) ahead: usize,
    /// Whether each makes a smaller step than the one before ([`Rule::shrinks`]). Then a step that leaves the weights as
    /// they are is followed by others that do: rounding is monotonic, and the steps keep their sign. From there on only
    /// the moments decay.
    pub(crate) shrinking: bool,
}

/// Takes the steps that are owed with the weights alone; both moments stay as they are. As for [`Weights::catch_up`],
/// whether the last of them left all weights as they were.
///
/// # Panics
/// If the lengths differ or are no multiple of 16.
#[inline]
pub(crate) fn ahead(path: Path, value: &mut [f32], moments: [&[f32]; 2], steps: Steps) -> bool {
    let n = value.len();
    let lengths = moments.map(<[f32]>::len);
    assert!(lengths == [n; 2] && n.is_multiple_of(16), "{lengths:?} moments of {n} weights");
    path.run(Ahead { value, moments, steps })
}

impl Rule {
    /// Whether a weight without a gradient, moved by `before`, is moved less by this rule right after, by at least a
    /// hundredth: far more than rounding could take back.
    pub(crate) fn shrinks(&self, before: &Rule) -> bool {
        let wide = f64::from;
        match (*self, *before) {
            (
                Rule::Adam { beta_1, beta_2, epsilon, rate, root, keep },
                Rule::Adam {
                    beta_1: beta_1_before,
                    beta_2: beta_2_before,
                    epsilon: epsilon_before,
                    rate: rate_before,
                    root: root_before,
                    keep: keep_before,
                },
            ) => {
                let same = [beta_1, beta_2, epsilon, keep]
                    == [beta_1_before, beta_2_before, epsilon_before, keep_before];
                // |rate·m| / (√v·root + ε) grows by less than this: m decays by β₁ and v by β₂.
                let growth = (wide(beta_1) * wide(rate) / wide(rate_before)).max(0.0)
                    * (wide(root_before) / (wide(root) * wide(beta_2).sqrt())).max(1.0);
                // ε above what flushing a second moment to zero takes from the denominator.
                same && keep == 1.0 && epsilon >= 1e-12 && rate > 0.0 && rate_before > 0.0 && growth <= 0.99
            }
            _ => false,
        }
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

/// The numbers of Adam's rule in every lane.
#[derive(Clone, Copy)]
struct Adam<S: Simd> {
    beta: [S::V; 2],
    one_less: [S::V; 2],
    epsilon: S::V,
    rate: S::V,
    root: S::V,
    keep: S::V,
}

/// The numbers of the rule of stochastic gradient descent in every lane.
#[derive(Clone, Copy)]
struct Sgd<S: Simd> {
    momentum: S::V,
    rate: S::V,
}

/// Lanes of weights on their way through a step: w, m, v.
type Lanes<S> = [<S as Simd>::V; 3];

#[expect(unsafe_code, reason = "vector instructions")]
impl<S: Simd> Adam<S> {
    #[inline(always)]
    unsafe fn new(beta: [f32; 2], epsilon: f32, rate: f32, root: f32, keep: f32) -> Self {
        // SAFETY: the caller has seen the instruction set.
        unsafe {
            Adam {
                beta: [S::splat(beta[0]), S::splat(beta[1])],
                one_less: [S::splat(1.0 - beta[0]), S::splat(1.0 - beta[1])],
                epsilon: S::splat(epsilon),
                rate: S::splat(-rate),
                root: S::splat(root),
                keep: S::splat(keep),
            }
        }
    }

    #[inline(always)]
    unsafe fn moments(&self, gradient: S::V, [w, m, v]: Lanes<S>) -> Lanes<S> {
        // SAFETY: the caller has seen the instruction set.
        unsafe {
            let square = S::mul(S::mul(self.one_less[1], gradient), gradient);
            let first = S::mul_add(self.beta[0], m, S::mul(self.one_less[0], gradient));
            [w, first, S::mul_add(self.beta[1], v, square)]
        }
    }

    #[inline(always)]
    unsafe fn step(&self, gradient: S::V, lanes: Lanes<S>) -> Lanes<S> {
        // SAFETY: the caller has seen the instruction set.
        unsafe {
            let [w, first, second] = self.moments(gradient, lanes);
            let spread = S::mul_add(S::sqrt(second), self.root, self.epsilon);
            let step = S::div(S::mul(self.rate, first), spread);
            [S::mul_add(self.keep, w, step), first, second]
        }
    }

    /// So many steps without a gradient that leave the weights as they are.
    #[inline(always)]
    unsafe fn decay(&self, mut lanes: Lanes<S>, steps: u32) -> Lanes<S> {
        // SAFETY: the caller has seen the instruction set.
        unsafe {
            let zero = S::splat(0.0);
            for _ in 0..steps {
                lanes = self.moments(zero, lanes);
            }
            lanes
        }
    }
}

#[expect(unsafe_code, reason = "vector instructions")]
impl<S: Simd> Sgd<S> {
    #[inline(always)]
    unsafe fn new(momentum: f32, rate: f32) -> Self {
        // SAFETY: the caller has seen the instruction set.
        unsafe { Sgd { momentum: S::splat(momentum), rate: S::splat(-rate) } }
    }

    #[inline(always)]
    unsafe fn step(&self, gradient: S::V, [w, m, v]: Lanes<S>) -> Lanes<S> {
        // SAFETY: the caller has seen the instruction set.
        unsafe {
            let first = S::mul_add(self.momentum, m, gradient);
            [S::mul_add(self.rate, first, w), first, v]
        }
    }
}

/// One step of `n` numbers from the addresses w, m, v by the gradient from g on.
///
/// # Safety
/// The instruction set of `S` is there; the addresses are of so many numbers each, a multiple of the lanes.
#[inline(always)]
#[expect(unsafe_code, reason = "vector instructions")]
unsafe fn step<S: Simd>(rule: &Rule, n: usize, g: *const f32, [w, m, v]: [*mut f32; 3]) {
    // SAFETY: by the caller's promise.
    unsafe {
        match *rule {
            Rule::Adam { beta_1, beta_2, epsilon, rate, root, keep } => {
                let adam = Adam::<S>::new([beta_1, beta_2], epsilon, rate, root, keep);
                for at in (0..n).step_by(S::LANES) {
                    let lanes = [S::load(w.add(at)), S::load(m.add(at)), S::load(v.add(at))];
                    let [value, first, second] = adam.step(S::load(g.add(at)), lanes);
                    S::store(first, m.add(at));
                    S::store(second, v.add(at));
                    S::store(value, w.add(at));
                }
            }
            Rule::Sgd { momentum, rate } => {
                let sgd = Sgd::<S>::new(momentum, rate);
                for at in (0..n).step_by(S::LANES) {
                    let lanes = [S::load(w.add(at)), S::load(m.add(at)), S::splat(0.0)];
                    let [value, first, _] = sgd.step(S::load(g.add(at)), lanes);
                    S::store(first, m.add(at));
                    S::store(value, w.add(at));
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
        let Weights { value, first, second } = self.weights;
        let at = [value.as_mut_ptr(), first.as_mut_ptr(), second.as_mut_ptr()];
        // SAFETY: four slices of one length, a multiple of the lanes; the caller has seen the instruction set.
        unsafe { step::<S>(self.rule, self.gradient.len(), self.gradient.as_ptr(), at) }
    }
}

struct UpdateRows<'a, 'w> {
    weights: &'a mut Weights<'w>,
    rule: &'a Rule,
    starts: &'a [usize],
    gradient: &'a [Row],
}

#[expect(unsafe_code, reason = "vector instructions, and reads without a check of each")]
impl Kernel for UpdateRows<'_, '_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Weights { value, first, second } = self.weights;
        let [w, m, v] = [value.as_mut_ptr(), first.as_mut_ptr(), second.as_mut_ptr()];
        for (&start, gradient) in self.starts.iter().zip(self.gradient) {
            // SAFETY: `update_rows` has checked that every row ends within the slices; the caller has seen the
            // instruction set.
            unsafe {
                let at = [w.add(start), m.add(start), v.add(start)];
                step::<S>(self.rule, COLUMNS, gradient.as_ptr(), at);
            }
        }
    }
}

struct CatchUp<'a, 'w> {
    weights: &'a mut Weights<'w>,
    debt: Debt<'a>,
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for CatchUp<'_, '_> {
    type Output = bool;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> bool {
        let Weights { value, first, second } = self.weights;
        let [w, m, v] = [value.as_mut_ptr(), first.as_mut_ptr(), second.as_mut_ptr()];
        let mut is_still = true;
        // SAFETY: `catch_up` has checked that the three have one length, a multiple of the lanes; the caller has seen
        // the instruction set.
        unsafe {
            for at in (0..value.len()).step_by(S::LANES) {
                let mut lanes = [S::load(w.add(at)), S::load(m.add(at)), S::load(v.add(at))];
                let (rule, steps) = match self.debt {
                    Debt::Decay { rule, steps } => (rule, steps),
                    Debt::Steps(steps) => {
                        let (walked, left) = steps.walk::<S>(lanes);
                        lanes = walked;
                        is_still &= left.is_some();
                        (steps.rules[0], left.unwrap_or(0))
                    }
                };
                if let Rule::Adam { beta_1, beta_2, epsilon, rate, root, keep } = rule {
                    let adam = Adam::<S>::new([beta_1, beta_2], epsilon, rate, root, keep);
                    lanes = adam.decay(lanes, steps);
                }
                S::store(lanes[0], w.add(at));
                S::store(lanes[1], m.add(at));
                S::store(lanes[2], v.add(at));
            }
        }
        is_still
    }
}

struct Ahead<'a> {
    value: &'a mut [f32],
    moments: [&'a [f32]; 2],
    steps: Steps<'a>,
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for Ahead<'_> {
    type Output = bool;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> bool {
        let w = self.value.as_mut_ptr();
        let [m, v] = self.moments.map(<[f32]>::as_ptr);
        let mut is_still = true;
        // SAFETY: `ahead` has checked that the three have one length, a multiple of the lanes; the caller has seen the
        // instruction set.
        unsafe {
            for at in (0..self.value.len()).step_by(S::LANES) {
                let lanes = [S::load(w.add(at)), S::load(m.add(at)), S::load(v.add(at))];
                let ([value, ..], left) = self.steps.walk::<S>(lanes);
                is_still &= left.is_some();
                S::store(value, w.add(at));
            }
        }
        is_still
    }
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Steps<'_> {
    /// Takes these steps with a gradient of zero, up to the first after which no weight moves any more; then how many are
    /// left, which only let the moments decay.
    #[inline(always)]
    unsafe fn walk<S: Simd>(self, mut lanes: Lanes<S>) -> (Lanes<S>, Option<u32>) {
        // SAFETY: the caller has seen the instruction set.
        unsafe {
            let zero = S::splat(0.0);
            let (ahead, rest) = self.rules.split_at(self.ahead.min(self.rules.len()));
            for rule in ahead {
                match *rule {
                    Rule::Adam { beta_1, beta_2, epsilon, rate, root, keep } => {
                        lanes =
                            Adam::<S>::new([beta_1, beta_2], epsilon, rate, root, keep).moments(zero, lanes);
                    }
                    Rule::Sgd { momentum, rate } => {
                        let [_, first, second] = Sgd::<S>::new(momentum, rate).step(zero, lanes);
                        lanes = [lanes[0], first, second];
                    }
                }
            }
            for (i, rule) in rest.iter().enumerate() {
                let before = lanes[0];
                match *rule {
                    Rule::Adam { beta_1, beta_2, epsilon, rate, root, keep } => {
                        let adam = Adam::<S>::new([beta_1, beta_2], epsilon, rate, root, keep);
                        lanes = adam.step(zero, lanes);
                    }
                    Rule::Sgd { momentum, rate } => {
                        lanes = Sgd::<S>::new(momentum, rate).step(zero, lanes);
                    }
                }
                if self.shrinking && S::equal(lanes[0], before) {
                    return (lanes, Some((rest.len() - 1 - i) as u32));
                }
            }
            (lanes, None)
        }
    }
}
