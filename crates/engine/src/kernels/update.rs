//! The update of weights: what the receiver of a gradient does with it.

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

    /// Takes the steps of these rules, oldest first, with a gradient of zero: bit for bit what as many updates would do,
    /// but the weights go through memory once.
    ///
    /// `shrinking` says that each rule makes a smaller step of the same moments' decay than the one before
    /// ([`Rule::shrinks`]). Then a step that leaves the weights as they are is followed by others that do: rounding is
    /// monotonic, and the steps keep their sign. From there on only the moments decay.
    ///
    /// # Panics
    /// If the lengths differ or are no multiple of 16.
    #[inline]
    pub(crate) fn catch_up(&mut self, path: Path, rules: &[Rule], shrinking: bool) {
        let n = self.value.len();
        let lengths = [self.first.len(), self.second.len()];
        assert!(lengths == [n; 2] && n.is_multiple_of(16), "{lengths:?} moments of {n} weights");
        path.run(CatchUp { weights: self, rules, shrinking });
    }
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
    rules: &'a [Rule],
    shrinking: bool,
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Kernel for CatchUp<'_, '_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Weights { value, first, second } = self.weights;
        let [w, m, v] = [value.as_mut_ptr(), first.as_mut_ptr(), second.as_mut_ptr()];
        // SAFETY: `catch_up` has checked that the three have one length, a multiple of the lanes; the caller has seen
        // the instruction set.
        unsafe {
            let zero = S::splat(0.0);
            for at in (0..value.len()).step_by(S::LANES) {
                let mut lanes = [S::load(w.add(at)), S::load(m.add(at)), S::load(v.add(at))];
                let mut rest: &[Rule] = &[];
                for (i, rule) in self.rules.iter().enumerate() {
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
                        rest = &self.rules[i + 1..];
                        break;
                    }
                }
                if let Some(&Rule::Adam { beta_1, beta_2, epsilon, rate, root, keep }) = rest.first() {
                    // No later step moves these weights: only their moments decay, until they are zero at the latest.
                    let adam = Adam::<S>::new([beta_1, beta_2], epsilon, rate, root, keep);
                    for _ in rest {
                        lanes = adam.moments(zero, lanes);
                    }
                }
                S::store(lanes[0], w.add(at));
                S::store(lanes[1], m.add(at));
                S::store(lanes[2], v.add(at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::flush::flushing_denormals;

    /// Numbers of every size, zeros of both signs and denormals among them.
    fn number() -> impl Strategy<Value = f32> {
        prop_oneof![
            6 => (-1.0_f32..1.0, -44_i32..1).prop_map(|(x, exponent)| x * 10_f32.powi(exponent)),
            1 => prop_oneof![Just(0.0_f32), Just(-0.0), Just(f32::from_bits(1)), Just(-f32::MIN_POSITIVE)],
        ]
    }

    fn rules(count: usize, start: u64, optimizer: &inkling_spec::Optimizer) -> Vec<Rule> {
        (1..=count as u64).map(|i| crate::optimizer::rules(optimizer, start + i, 1e-3).weights).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

        #[test]
        fn catching_up_gives_the_bits_of_step_after_step(
            value in proptest::collection::vec(number(), 48),
            first in proptest::collection::vec(number(), 48),
            second in proptest::collection::vec(number(), 48),
            (count, start, shrinking) in (0_usize..1200, 0_u64..3000, any::<bool>()),
            epsilon in prop_oneof![Just(1e-8), Just(1e-12), Just(0.1)],
        ) {
            let adam = inkling_spec::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon };
            let rules = rules(count, start, &adam);
            assert!(rules.windows(2).all(|pair| pair[1].shrinks(&pair[0])));
            let second: Vec<f32> = second.iter().map(|v| v.abs()).collect();
            for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
                let [mut stepped, mut caught_up] = [0; 2].map(|_| [value.clone(), first.clone(), second.clone()]);
                flushing_denormals(|| {
                    let [value, first, second] = &mut stepped;
                    for rule in &rules {
                        Weights { value, first, second }.update(path, rule, &[0.0; 48]);
                    }
                    let [value, first, second] = &mut caught_up;
                    Weights { value, first, second }.catch_up(path, &rules, shrinking);
                });
                for (stepped, caught_up) in stepped.iter().flatten().zip(caught_up.iter().flatten()) {
                    // What is no number has many bit patterns.
                    let same = stepped.to_bits() == caught_up.to_bits() || (stepped.is_nan() && caught_up.is_nan());
                    prop_assert!(same, "{} {} after {} steps with {}", stepped, caught_up, count, path.name());
                }
            }
        }
    }

    #[test]
    fn rows_are_updated_as_runs_are() {
        let numbers = |seed: u32| -> Vec<f32> {
            (0..5 * COLUMNS as u32).map(|i| ((i * 37 + seed) % 101) as f32 / 100.0).collect()
        };
        let gradient: [Row; 2] = [[0.5; COLUMNS], [-0.25; COLUMNS]];
        let adam = inkling_spec::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
        for rule in [rules(1, 5, &adam)[0], Rule::Sgd { momentum: 0.9, rate: 0.1 }] {
            for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
                let [mut rows, mut runs] = [0; 2].map(|_| [1, 2, 3].map(numbers));
                let starts = [COLUMNS, 4 * COLUMNS];
                let [value, first, second] = &mut rows;
                Weights { value, first, second }.update_rows(path, &rule, &starts, &gradient);
                for (start, gradient) in starts.into_iter().zip(&gradient) {
                    let [value, first, second] = runs.each_mut().map(|of| &mut of[start..start + COLUMNS]);
                    Weights { value, first, second }.update(path, &rule, gradient);
                }
                assert_eq!(rows, runs);
            }
        }
    }

    #[test]
    #[should_panic(expected = "rows within the weights")]
    fn a_row_beyond_the_weights_is_refused() {
        let [mut value, mut first, mut second] = [[0.0; 40]; 3];
        let mut weights = Weights { value: &mut value, first: &mut first, second: &mut second };
        let rule = Rule::Sgd { momentum: 0.0, rate: 0.1 };
        weights.update_rows(Path::current(), &rule, &[16], &[[0.0; COLUMNS]]);
    }
}
