//! Trained numbers: where they lie in memory, how they start, and who receives their gradients.

use inkling_spec::Initial;
use rayon::prelude::*;

use super::dense::deferred::Deferred;
use crate::kernels::path::Path;
use crate::kernels::product::COLUMNS;
use crate::kernels::update::{Weights, prefetch};
use crate::memory::Buffer;
use crate::network::Part;
use crate::optimizer::Rules;
use crate::parallel::{Shared, for_each_part};
use crate::random::Stream;

/// What becomes of gradients when they are ready.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Receive<'a> {
    /// They are kept beside the weights: for checks, clipping, and methods that combine several.
    Keep,
    /// They move the weights at once and never reach memory.
    Update(&'a Rules),
    /// They are not made: only the gradient of the input is wanted.
    Discard,
}

/// How a matrix lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One number after the other, filled up with zeros to whole cache lines.
    Plain,
    /// A matrix [rows, columns] in panels of 32 columns, each panel row by row, the last filled up with zeros: as the
    /// product reads it.
    Panels { rows: usize, columns: usize },
}

/// What a parameter is, which decides whether and how it is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A weight: decays where the optimiser lets weights decay.
    Weight,
    /// A bias, scale or shift: does not decay.
    Other,
    /// Measured, not trained: the running mean and variance of batch normalisation.
    Statistic,
}

/// A named array of trained numbers with its moments.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    /// Name within its layer: "weight", "bias".
    pub(crate) name: &'static str,
    /// Shape in files.
    pub(crate) shape: Vec<usize>,
    pub(crate) layout: Layout,
    pub(crate) role: Role,
    pub(crate) value: Buffer,
    /// Empty until a gradient is kept.
    pub(crate) gradient: Buffer,
    /// First moment; for stochastic gradient descent, the momentum. Empty for statistics.
    pub(crate) first: Buffer,
    /// Second moment. Empty for statistics.
    pub(crate) second: Buffer,
    /// Steps that parts of a matrix in panels have put off, where its layer has them wait: what `value` and the moments hold
    /// is as old. [`Parameter::settle`] brings them up to date, [`Parameter::read`] reads them so.
    pub(crate) deferred: Option<Deferred>,
}

impl Parameter {
    pub(crate) fn new(name: &'static str, shape: Vec<usize>, layout: Layout, role: Role) -> Parameter {
        let len = match layout {
            Layout::Plain => shape.iter().product::<usize>().next_multiple_of(16),
            Layout::Panels { rows, columns } => rows * columns.next_multiple_of(COLUMNS),
        };
        let moment = || Buffer::zeros(if role == Role::Statistic { 0 } else { len });
        let (value, gradient) = (Buffer::zeros(len), Buffer::zeros(0));
        Parameter {
            name,
            shape,
            layout,
            role,
            value,
            gradient,
            first: moment(),
            second: moment(),
            deferred: None,
        }
    }

    /// Takes all steps that were put off.
    pub(crate) fn settle(&mut self) {
        if let Some(deferred) = &mut self.deferred {
            deferred.settle([&mut self.value, &mut self.first, &mut self.second]);
        }
    }

    /// Writes numbers of this part in the order in files from the number `start` on, of matrices whole rows, as they are
    /// when all steps have been taken.
    pub(crate) fn read(&self, part: Part, start: usize, plain: &mut [f32]) {
        let buffer = match part {
            Part::Values => &self.value,
            Part::FirstMoments => &self.first,
            Part::SecondMoments => &self.second,
            Part::Gradients => &self.gradient,
        };
        let waiting = self.deferred.as_ref().filter(|deferred| !deferred.is_settled());
        let (Layout::Panels { columns, .. }, Some(deferred)) = (self.layout, waiting) else {
            return self.layout.unpack(buffer, start, plain);
        };
        if part == Part::Gradients {
            return self.layout.unpack(buffer, start, plain);
        }
        for_each_part(plain.par_chunks_mut(columns).enumerate(), |(row, plain)| {
            for (panel, plain) in plain.chunks_mut(COLUMNS).enumerate() {
                let numbers = [&self.value, &self.first, &self.second].map(|of| &of[..]);
                let current = deferred.current(panel, start / columns + row, numbers);
                let found = match part {
                    Part::FirstMoments => &current[1],
                    Part::SecondMoments => &current[2],
                    _ => &current[0],
                };
                plain.copy_from_slice(&found[..plain.len()]);
            }
        });
    }

    /// Draws the weights of a layer with so many inputs and outputs for each unit.
    pub(crate) fn draw(&mut self, initial: Initial, inputs: usize, outputs: usize, stream: &mut Stream) {
        let variance_times_3 = match initial {
            Initial::HeUniform => 6.0 / inputs as f64,
            Initial::GlorotUniform => 6.0 / (inputs + outputs) as f64,
        };
        let bound = variance_times_3.sqrt() as f32;
        let count = self.shape.iter().product();
        let drawn: Vec<f32> = (0..count).map(|_| (2.0 * stream.uniform() - 1.0) * bound).collect();
        self.layout.pack(&drawn, &mut self.value);
    }

    /// Makes room for a kept gradient.
    pub(crate) fn keep_gradient(&mut self) {
        if self.gradient.len() != self.value.len() {
            self.gradient = Buffer::zeros(self.value.len());
        }
    }

    /// A handle through which tasks hand in parts of the gradient.
    pub(crate) fn receiver<'a>(&'a mut self, path: Path, receive: Receive<'a>) -> Receiver<'a> {
        if let Receive::Keep = receive {
            self.keep_gradient();
        }
        Receiver {
            path,
            receive,
            role: self.role,
            value: Shared::new(&mut self.value),
            gradient: Shared::new(&mut self.gradient),
            first: Shared::new(&mut self.first),
            second: Shared::new(&mut self.second),
        }
    }
}

/// Takes a parameter's gradient part by part, from any thread, and does with it what was asked.
#[derive(Clone, Copy)]
pub(crate) struct Receiver<'a> {
    path: Path,
    receive: Receive<'a>,
    role: Role,
    value: Shared<'a>,
    gradient: Shared<'a>,
    first: Shared<'a>,
    second: Shared<'a>,
}

impl Receiver<'_> {
    /// Says that the gradient of `len` numbers from `start` on will be taken soon.
    ///
    /// # Safety
    /// As for [`Receiver::take`].
    #[inline]
    #[expect(unsafe_code, reason = "tasks hand in disjoint parts")]
    pub(crate) unsafe fn expect(&self, start: usize, len: usize) {
        if let Receive::Update(_) = self.receive {
            for numbers in [&self.value, &self.first, &self.second] {
                // SAFETY: disjoint by the caller's promise.
                prefetch(unsafe { numbers.part(start, len) });
            }
        }
    }

    /// Takes the gradient of the numbers from `start` on, in the parameter's own layout; a multiple of 16 of them.
    ///
    /// # Safety
    /// No two calls that run at once overlap.
    #[inline]
    #[expect(unsafe_code, reason = "tasks hand in disjoint parts")]
    pub(crate) unsafe fn take(&self, start: usize, gradient: &[f32]) {
        let n = gradient.len();
        // SAFETY: disjoint by the caller's promise.
        unsafe {
            match self.receive {
                Receive::Keep => self.gradient.part(start, n).copy_from_slice(gradient),
                Receive::Update(rules) => {
                    let rule = if self.role == Role::Weight { &rules.weights } else { &rules.others };
                    let mut weights = Weights {
                        value: self.value.part(start, n),
                        first: self.first.part(start, n),
                        second: self.second.part(start, n),
                    };
                    weights.update(self.path, rule, gradient);
                }
                Receive::Discard => {}
            }
        }
    }
}

impl Layout {
    /// From the order in files (row-major) to this layout.
    pub(crate) fn pack(self, plain: &[f32], packed: &mut [f32]) {
        packed.fill(0.0);
        match self {
            Layout::Plain => packed[..plain.len()].copy_from_slice(plain),
            Layout::Panels { rows, columns } => {
                assert_eq!(plain.len(), rows * columns, "a matrix of {rows}×{columns}");
                for (panel, packed) in packed.chunks_exact_mut(rows * COLUMNS).enumerate() {
                    let first = panel * COLUMNS;
                    let width = COLUMNS.min(columns - first);
                    for (packed, row) in packed.chunks_exact_mut(COLUMNS).zip(plain.chunks_exact(columns)) {
                        packed[..width].copy_from_slice(&row[first..first + width]);
                    }
                }
            }
        }
    }

    /// From this layout to the order in files, from the number `start` on; of matrices whole rows.
    pub(crate) fn unpack(self, packed: &[f32], start: usize, plain: &mut [f32]) {
        match self {
            Layout::Plain => plain.copy_from_slice(&packed[start..start + plain.len()]),
            Layout::Panels { rows, columns } => {
                let whole = start.is_multiple_of(columns) && plain.len().is_multiple_of(columns);
                assert!(
                    whole && start + plain.len() <= rows * columns,
                    "rows of a matrix of {rows}×{columns}"
                );
                for (panel, packed) in packed.chunks_exact(rows * COLUMNS).enumerate() {
                    let first = panel * COLUMNS;
                    let width = COLUMNS.min(columns - first);
                    let packed = packed.chunks_exact(COLUMNS).skip(start / columns);
                    for (packed, row) in packed.zip(plain.chunks_exact_mut(columns)) {
                        row[first..first + width].copy_from_slice(&packed[..width]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packing_is_undone_by_unpacking(rows in 1_usize..40, columns in 1_usize..100) {
            let plain: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let layout = Layout::Panels { rows, columns };
            let mut parameter = Parameter::new("weight", vec![rows, columns], layout, Role::Weight);
            layout.pack(&plain, &mut parameter.value);
            let mut back = vec![0.0; plain.len()];
            let (some, others) = back.split_at_mut(rows / 3 * columns);
            layout.unpack(&parameter.value, 0, some);
            layout.unpack(&parameter.value, some.len(), others);
            prop_assert_eq!(back, plain);
        }
    }
}
