//! Parameters: their layout in memory, their initialisation, and what becomes of their gradients.

use inkling_schema::Initializer;
use rayon::prelude::*;

use super::dense::deferred::Deferred;
use crate::aligned::AlignedVec;
use crate::kernels::gemm::NR;
use crate::kernels::isa::Isa;
use crate::kernels::update::{ParamState, prefetch};
use crate::optimizers::StepRule;
use crate::parallel::{DisjointSlice, par_for_each};
use crate::random::RngStream;

/// What a backward pass does with the gradients of parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GradMode<'a> {
    /// Stores them beside the weights: for tests, for clipping, and for methods that combine several gradients.
    Store,
    /// Updates the weights with them at once, so that they are never written to memory.
    Step(&'a dyn StepRule),
    /// Does not compute them: only the gradient of the input is needed.
    Skip,
}

/// The layout of a parameter in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MatrixLayout {
    /// Row-major, padded with zeros to whole cache lines.
    RowMajor,
    /// A matrix [rows, columns] in panels of 32 columns, as the matrix product reads it. Each panel is row-major, and the
    /// last one is padded with zeros.
    Packed { rows: usize, columns: usize },
}

/// The kind of a parameter, which decides whether and how it is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParamKind {
    /// A weight, to which the optimiser applies its weight decay.
    Decay,
    /// A bias, scale or shift, which does not decay.
    NoDecay,
    /// A running mean or variance of batch normalisation, which is measured, not trained.
    Buffer,
}

/// A kind of array that every parameter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateKind {
    /// The parameters themselves.
    Values,
    /// The optimiser's first moments, where it keeps some.
    FirstMoments,
    /// The optimiser's second moments, where it keeps some.
    SecondMoments,
    /// Gradients, where some are stored ([`Network::gradients`](crate::Network::gradients)).
    Gradients,
}

/// A named array of parameters with the optimiser's moments.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    /// Name within its layer, such as "weight" or "bias".
    pub(crate) name: &'static str,
    /// Shape in files.
    pub(crate) shape: Vec<usize>,
    pub(crate) layout: MatrixLayout,
    pub(crate) kind: ParamKind,
    pub(crate) value: AlignedVec,
    /// Empty until a gradient is stored.
    pub(crate) gradient: AlignedVec,
    /// First moment; for stochastic gradient descent, the momentum. Empty if the optimiser has none.
    pub(crate) first: AlignedVec,
    /// Second moment. Empty if the optimiser has none.
    pub(crate) second: AlignedVec,
    /// The optimiser steps that parts of a matrix in panels have deferred, if its layer defers steps. `value` and the
    /// moments are then out of date; [`Parameter::settle`] brings them up to date, and [`Parameter::read`] gives
    /// up-to-date values.
    pub(crate) deferred: Option<Deferred>,
}

impl Parameter {
    pub(crate) fn new(
        name: &'static str,
        shape: Vec<usize>,
        layout: MatrixLayout,
        kind: ParamKind,
    ) -> Parameter {
        let len = match layout {
            MatrixLayout::RowMajor => shape.iter().product::<usize>().next_multiple_of(16),
            MatrixLayout::Packed { rows, columns } => rows * columns.next_multiple_of(NR),
        };
        let empty = || AlignedVec::zeros(0);
        let (value, gradient) = (AlignedVec::zeros(len), empty());
        Parameter {
            name,
            shape,
            layout,
            kind,
            value,
            gradient,
            first: empty(),
            second: empty(),
            deferred: None,
        }
    }

    /// Allocates the moments that the optimiser keeps, first and second, as zeros, and frees the others. Buffers have no
    /// moments.
    pub(crate) fn alloc_moments(&mut self, kept: [bool; 2]) {
        let kept = kept.map(|kept| kept && self.kind != ParamKind::Buffer);
        let moment = |kept: bool| AlignedVec::zeros(if kept { self.value.len() } else { 0 });
        [self.first, self.second] = kept.map(moment);
    }

    /// Takes all deferred steps.
    pub(crate) fn settle(&mut self) {
        if let Some(deferred) = &mut self.deferred {
            deferred.settle([&mut self.value, &mut self.first, &mut self.second]);
        }
    }

    /// Writes the values of this part to `plain`, in the order of files, from index `start` on and as they are after all
    /// deferred steps. Of matrices whole rows are read.
    pub(crate) fn read(&self, part: StateKind, start: usize, plain: &mut [f32]) {
        let buffer = match part {
            StateKind::Values => &self.value,
            StateKind::FirstMoments => &self.first,
            StateKind::SecondMoments => &self.second,
            StateKind::Gradients => &self.gradient,
        };
        if buffer.is_empty() {
            // The gradient of a head that was skipped, or a moment that the optimiser does not keep.
            plain.fill(0.0);
            return;
        }
        let waiting = self.deferred.as_ref().filter(|deferred| !deferred.is_settled());
        let (MatrixLayout::Packed { columns, .. }, Some(deferred)) = (self.layout, waiting) else {
            return self.layout.unpack(buffer, start, plain);
        };
        if part == StateKind::Gradients {
            return self.layout.unpack(buffer, start, plain);
        }
        par_for_each(plain.par_chunks_mut(columns).enumerate(), |(row, plain)| {
            for (panel, plain) in plain.chunks_mut(NR).enumerate() {
                let numbers = [&self.value, &self.first, &self.second].map(|of| &of[..]);
                let current = deferred.current(panel, start / columns + row, numbers);
                let found = match part {
                    StateKind::FirstMoments => &current[1],
                    StateKind::SecondMoments => &current[2],
                    _ => &current[0],
                };
                plain.copy_from_slice(&found[..plain.len()]);
            }
        });
    }

    /// Draws the weights of a layer in which each unit has `inputs` inputs (fan-in) and each input `outputs` outputs
    /// (fan-out).
    pub(crate) fn draw(
        &mut self,
        initializer: Initializer,
        inputs: usize,
        outputs: usize,
        stream: &mut RngStream,
    ) {
        let variance_times_3 = match initializer {
            Initializer::HeUniform => 6.0 / inputs as f64,
            Initializer::GlorotUniform => 6.0 / (inputs + outputs) as f64,
        };
        let bound = variance_times_3.sqrt() as f32;
        let count = self.shape.iter().product();
        let drawn: Vec<f32> = (0..count).map(|_| (2.0 * stream.uniform() - 1.0) * bound).collect();
        self.layout.pack(&drawn, &mut self.value);
    }

    /// Allocates the memory for a stored gradient, if that has not been done.
    pub(crate) fn store_gradient(&mut self) {
        if self.gradient.len() != self.value.len() {
            self.gradient = AlignedVec::zeros(self.value.len());
        }
    }

    /// The sink to which tasks pass the parts of the gradient.
    pub(crate) fn grad_sink<'a>(&'a mut self, isa: Isa, grad_mode: GradMode<'a>) -> GradSink<'a> {
        if let GradMode::Store = grad_mode {
            self.store_gradient();
        }
        GradSink {
            isa,
            grad_mode,
            kind: self.kind,
            value: DisjointSlice::new(&mut self.value),
            gradient: DisjointSlice::new(&mut self.gradient),
            first: DisjointSlice::new(&mut self.first),
            second: DisjointSlice::new(&mut self.second),
        }
    }
}

/// Receives the gradient of a parameter, part by part and from any thread, and does with it what its [`GradMode`] says.
#[derive(Clone, Copy)]
pub(crate) struct GradSink<'a> {
    isa: Isa,
    grad_mode: GradMode<'a>,
    kind: ParamKind,
    value: DisjointSlice<'a>,
    gradient: DisjointSlice<'a>,
    first: DisjointSlice<'a>,
    second: DisjointSlice<'a>,
}

impl<'a> GradSink<'a> {
    /// Announces that the gradient of the `len` parameters from index `start` on will follow soon, so that they are
    /// prefetched.
    ///
    /// # Safety
    /// As for [`GradSink::take`].
    #[inline]
    #[expect(unsafe_code, reason = "tasks pass on disjoint parts")]
    pub(crate) unsafe fn expect(&self, start: usize, len: usize) {
        if let GradMode::Step(_) = self.grad_mode {
            for numbers in [&self.value, &self.first, &self.second].into_iter().filter(|of| !of.is_empty()) {
                // SAFETY: disjoint by the caller's promise.
                prefetch(unsafe { numbers.slice_mut(start, len) });
            }
        }
    }

    /// Takes the gradient of the parameters from index `start` on, in the layout of the parameter. Its length must be a
    /// multiple of 16.
    ///
    /// # Safety
    /// Calls that run at the same time must not overlap.
    #[inline]
    #[expect(unsafe_code, reason = "tasks pass on disjoint parts")]
    pub(crate) unsafe fn take(&self, start: usize, gradient: &[f32]) {
        let n = gradient.len();
        // SAFETY: disjoint by the caller's promise.
        unsafe {
            match self.grad_mode {
                GradMode::Store => self.gradient.slice_mut(start, n).copy_from_slice(gradient),
                GradMode::Step(rule) => {
                    let moment = |of: &DisjointSlice<'a>| -> &mut [f32] {
                        if of.is_empty() { &mut [] } else { of.slice_mut(start, n) }
                    };
                    let value = self.value.slice_mut(start, n);
                    let part = ParamState { value, first: moment(&self.first), second: moment(&self.second) };
                    rule.update(self.isa, part, gradient, self.kind == ParamKind::Decay);
                }
                GradMode::Skip => {}
            }
        }
    }
}

impl MatrixLayout {
    /// Converts from the order of files, row-major, to this layout.
    pub(crate) fn pack(self, plain: &[f32], packed: &mut [f32]) {
        packed.fill(0.0);
        match self {
            MatrixLayout::RowMajor => packed[..plain.len()].copy_from_slice(plain),
            MatrixLayout::Packed { rows, columns } => {
                assert_eq!(plain.len(), rows * columns, "a matrix of {rows}×{columns}");
                for (panel, packed) in packed.chunks_exact_mut(rows * NR).enumerate() {
                    let first = panel * NR;
                    let width = NR.min(columns - first);
                    for (packed, row) in packed.chunks_exact_mut(NR).zip(plain.chunks_exact(columns)) {
                        packed[..width].copy_from_slice(&row[first..first + width]);
                    }
                }
            }
        }
    }

    /// Converts from this layout to the order of files, row-major, from index `start` on. Of matrices whole rows are read.
    ///
    /// # Panics
    /// If `start` and the length of `plain` are not multiples of the columns of a matrix, or lead beyond it.
    pub(crate) fn unpack(self, packed: &[f32], start: usize, plain: &mut [f32]) {
        match self {
            MatrixLayout::RowMajor => plain.copy_from_slice(&packed[start..start + plain.len()]),
            MatrixLayout::Packed { rows, columns } => {
                let whole = start.is_multiple_of(columns) && plain.len().is_multiple_of(columns);
                assert!(
                    whole && start + plain.len() <= rows * columns,
                    "rows of a matrix of {rows}×{columns}"
                );
                for (panel, packed) in packed.chunks_exact(rows * NR).enumerate() {
                    let first = panel * NR;
                    let width = NR.min(columns - first);
                    let packed = packed.chunks_exact(NR).skip(start / columns);
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
            let layout = MatrixLayout::Packed { rows, columns };
            let mut parameter = Parameter::new("weight", vec![rows, columns], layout, ParamKind::Decay);
            layout.pack(&plain, &mut parameter.value);
            let mut back = vec![0.0; plain.len()];
            let (some, others) = back.split_at_mut(rows / 3 * columns);
            layout.unpack(&parameter.value, 0, some);
            layout.unpack(&parameter.value, some.len(), others);
            prop_assert_eq!(back, plain);
        }
    }
}
