//! Optimiser steps that are deferred for parts of a dense layer's weights: those in which their gradient is zero.
//!
//! A *row panel* is the 32 weights of one input in one panel. Its gradient is zero if the input is zero in the whole batch, or
//! if no unit of the panel has a gradient. The optimiser moves such weights nevertheless, by their momentum; but these
//! steps can wait until a batch has a gradient for the row panel, and are then taken at once ([`SilentSteps`]). Forward passes
//! and readers compute the up-to-date weights from the deferred steps without writing them, so that they change no bit of
//! later results.
//!
//! Steps taken at once and the same steps taken in two parts differ in their last bits. For a resumed training to have
//! the bits of one that was never interrupted, all row panels take all their steps at the end of each window of steps.
//! [`StepRule::window`] says where windows end; that depends only on the optimiser and the number of the step.
//!
//! [`StepRule::window`]: crate::optimizers::StepRule::window

#[cfg(test)]
mod tests;

use crate::kernels::gemm::NR;
use crate::kernels::isa::Isa;
use crate::kernels::silent::{SilentStep, SilentSteps, SilentSums};
use crate::kernels::update::ParamState;
use crate::parallel::{DisjointSlice, for_each};

/// The most steps that can be deferred.
const MOST: usize = 64;
/// The number of rows that a task brings up to date.
const MR: usize = 64;

/// The steps that each row panel of a matrix in panels has deferred.
#[derive(Debug, Clone)]
pub(crate) struct Deferred {
    rows: usize,
    /// How many steps of the window each row panel has taken, [panels, rows].
    taken: Vec<u8>,
    /// For each number of steps taken, the remaining steps of the window, combined.
    steps: Vec<SilentSteps>,
    sums: Vec<SilentSums>,
    /// The last step in the window.
    last: Option<SilentStep>,
    /// The instruction set of the training, with which deferred steps are taken.
    isa: Isa,
}

/// Access to the row panels of a [`Deferred`] for tasks that take different ones.
pub(super) struct RowPanels<'a> {
    rows: usize,
    taken: DisjointSlice<'a, u8>,
    steps: &'a [SilentSteps],
}

impl Deferred {
    pub(crate) fn new(rows: usize, columns: usize) -> Deferred {
        Deferred {
            rows,
            taken: vec![0; columns.div_ceil(NR) * rows],
            steps: Vec::with_capacity(MOST),
            sums: Vec::with_capacity(MOST),
            last: None,
            isa: Isa::Portable,
        }
    }

    /// Whether no row panel has deferred steps, because one window has ended and the next has not begun.
    pub(crate) fn is_settled(&self) -> bool {
        self.steps.is_empty()
    }

    /// The deferred steps of a row panel, if there are any.
    #[inline]
    pub(crate) fn steps(&self, panel: usize, row: usize) -> Option<&SilentSteps> {
        self.steps.get(usize::from(self.taken[panel * self.rows + row]))
    }

    /// Whether any row panel of a panel has deferred steps.
    pub(super) fn waits(&self, panel: usize) -> bool {
        let now = self.steps.len();
        self.taken[panel * self.rows..][..self.rows].iter().any(|&taken| usize::from(taken) < now)
    }

    /// Whether this step fits into the window.
    pub(super) fn has_room_for(&self, step: &SilentStep) -> bool {
        self.last.is_none_or(|last| last.joins(step)) && self.steps.len() < MOST
    }

    /// The row panels, for tasks that update some of them in a step that is added right after ([`Deferred::add`]).
    pub(super) fn open(&mut self) -> RowPanels<'_> {
        RowPanels { rows: self.rows, taken: DisjointSlice::new(&mut self.taken), steps: &self.steps }
    }

    /// Adds a step, which all row panels defer except those that took it ([`RowPanels::take`]).
    pub(super) fn add(&mut self, isa: Isa, step: &SilentStep) {
        self.isa = isa;
        self.last = Some(*step);
        self.sums.push(SilentSums::NONE);
        self.steps.clear();
        self.steps.extend(self.sums.iter_mut().map(|sums| sums.then(step)));
    }

    /// Takes all deferred steps of all row panels, whose weights, first and second moments are given. A moment that the
    /// optimiser does not keep is empty.
    pub(crate) fn settle(&mut self, numbers: [&mut [f32]; 3]) {
        if self.is_settled() {
            return;
        }
        let (panels, groups) = (self.taken.len() / self.rows, self.rows.div_ceil(MR));
        let has_second = !numbers[2].is_empty();
        let numbers = numbers.map(DisjointSlice::new);
        for_each(panels * groups, |task| {
            let (panel, first) = (task / groups, task % groups * MR);
            let rows = first..self.rows.min(first + MR);
            let (start, len) = ((panel * self.rows + first) * NR, rows.len() * NR);
            // SAFETY: each task writes rows of its own.
            #[expect(unsafe_code, reason = "tasks write disjoint rows")]
            let [value, first] = [0, 1].map(|i| unsafe { numbers[i].slice_mut(start, len) });
            // SAFETY: as above.
            #[expect(unsafe_code, reason = "tasks write disjoint rows")]
            let second = if has_second { unsafe { numbers[2].slice_mut(start, len) } } else { &mut [] };
            let waiting = |(i, row)| self.steps(panel, row).map(|steps| (i * NR, steps));
            ParamState { value, first, second }.catch_up(self.isa, rows.enumerate().filter_map(waiting));
        });
        self.taken.fill(0);
        self.steps.clear();
        self.sums.clear();
        self.last = None;
    }

    /// The weights, first and second moments of a row panel after its deferred steps.
    pub(crate) fn current(&self, panel: usize, row: usize, numbers: [&[f32]; 3]) -> [[f32; NR]; 3] {
        let start = (panel * self.rows + row) * NR;
        let mut row_panel = numbers.map(|of| {
            // A moment that the optimiser does not keep is empty.
            let numbers = if of.is_empty() { &[0.0; NR][..] } else { &of[start..start + NR] };
            numbers.try_into().expect("a row panel of 32")
        });
        let [value, first, second] = row_panel.each_mut().map(<[f32; NR]>::as_mut_slice);
        let steps = self.steps(panel, row).map(|steps| (0, steps));
        ParamState { value, first, second }.catch_up(self.isa, steps.into_iter());
        row_panel
    }
}

impl<'a> RowPanels<'a> {
    /// The deferred steps of a row panel, if there are any. From now on they count as taken, and so does the current step.
    ///
    /// # Safety
    /// No other task may take the same row panel at the same time.
    #[inline]
    #[expect(unsafe_code, reason = "tasks take row panels of their own")]
    pub(super) unsafe fn take(&self, panel: usize, row: usize) -> Option<&'a SilentSteps> {
        // SAFETY: by the caller's promise.
        let taken = unsafe { &mut self.taken.slice_mut(panel * self.rows + row, 1)[0] };
        let steps = self.steps.get(usize::from(*taken));
        *taken = self.steps.len() as u8 + 1;
        steps
    }
}
