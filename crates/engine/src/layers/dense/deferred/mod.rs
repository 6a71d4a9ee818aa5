//! Steps of an optimiser that runs of a dense layer's weights have put off: those in which their gradient was zero.
//!
//! A *run* is 32 weights of one input, in a panel. Its gradient is zero where the input is zero in a whole batch or none of
//! the panel's units has a gradient. An optimiser moves such weights all the same, by their momentum; but these steps can
//! wait until a batch has a gradient for the weights, and are then taken at once ([`SilentSteps`]). Forward passes, looks
//! and readers compute what the weights are by then and leave the runs as they lie, so that none of them changes a bit of
//! what follows.
//!
//! Steps put off in one go are not, to the bit, the same steps put off in two. So that a training that is saved and goes on
//! later has the bits of one that was never interrupted, all runs take all steps at the end of each window of steps, and
//! [`StepRule::window`] says where windows end: it depends on nothing but the optimiser and the step's number.
//!
//! [`StepRule::window`]: crate::optimizers::StepRule::window

#[cfg(test)]
mod tests;

use crate::kernels::gemm::NR;
use crate::kernels::isa::Isa;
use crate::kernels::silent::{SilentStep, SilentSteps, SilentSums};
use crate::kernels::update::ParamState;
use crate::parallel::{DisjointSlice, for_each};

/// Most steps that wait.
const MOST: usize = 64;
/// Rows that are brought up to date at a time.
const MR: usize = 64;

/// Which steps each run of a matrix in panels has put off.
#[derive(Debug, Clone)]
pub(crate) struct Deferred {
    rows: usize,
    /// Of each run, [panels, rows], how many steps of the window it has taken.
    taken: Vec<u8>,
    /// For every number of steps taken, what the others of the window come to.
    steps: Vec<SilentSteps>,
    sums: Vec<SilentSums>,
    /// The last step in the window.
    last: Option<SilentStep>,
    /// The instruction set of these steps, which is to take them.
    isa: Isa,
}

/// What [`Deferred`] says of runs to tasks that see to different ones.
pub(super) struct Runs<'a> {
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

    /// Whether no run waits, because a window has ended and no other has begun.
    pub(crate) fn is_settled(&self) -> bool {
        self.steps.is_empty()
    }

    /// What a run has to take, if anything.
    #[inline]
    pub(crate) fn steps(&self, panel: usize, row: usize) -> Option<&SilentSteps> {
        self.steps.get(usize::from(self.taken[panel * self.rows + row]))
    }

    /// Whether any run of a panel waits.
    pub(super) fn waits(&self, panel: usize) -> bool {
        let now = self.steps.len();
        self.taken[panel * self.rows..][..self.rows].iter().any(|&taken| usize::from(taken) < now)
    }

    /// Whether this step fits into the window.
    pub(super) fn has_room_for(&self, step: &SilentStep) -> bool {
        self.last.is_none_or(|last| last.joins(step)) && self.steps.len() < MOST
    }

    /// The runs, for tasks that move some of them in a step that is added right after.
    pub(super) fn open(&mut self) -> Runs<'_> {
        Runs { rows: self.rows, taken: DisjointSlice::new(&mut self.taken), steps: &self.steps }
    }

    /// Adds a step, which all runs put off but those that were told to have taken it.
    pub(super) fn add(&mut self, isa: Isa, step: &SilentStep) {
        self.isa = isa;
        self.last = Some(*step);
        self.sums.push(SilentSums::NONE);
        self.steps.clear();
        self.steps.extend(self.sums.iter_mut().map(|sums| sums.then(step)));
    }

    /// Has every run take every step: of these weights and moments.
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
            // SAFETY: each task has rows of its own.
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

    /// The weights and moments of a run, as they are when it has taken its steps.
    pub(crate) fn current(&self, panel: usize, row: usize, numbers: [&[f32]; 3]) -> [[f32; NR]; 3] {
        let start = (panel * self.rows + row) * NR;
        let mut run = numbers.map(|of| {
            // A moment that the optimiser does not keep is empty.
            let numbers = if of.is_empty() { &[0.0; NR][..] } else { &of[start..start + NR] };
            numbers.try_into().expect("a run of 32")
        });
        let [value, first, second] = run.each_mut().map(<[f32; NR]>::as_mut_slice);
        let steps = self.steps(panel, row).map(|steps| (0, steps));
        ParamState { value, first, second }.catch_up(self.isa, steps.into_iter());
        run
    }
}

impl<'a> Runs<'a> {
    /// What a run has to take, if anything, before the step that is being taken, which it counts as taken from now on.
    ///
    /// # Safety
    /// No other task asks for the same run.
    #[inline]
    #[expect(unsafe_code, reason = "tasks see to runs of their own")]
    pub(super) unsafe fn take(&self, panel: usize, row: usize) -> Option<&'a SilentSteps> {
        // SAFETY: by the caller's promise.
        let taken = unsafe { &mut self.taken.slice_mut(panel * self.rows + row, 1)[0] };
        let steps = self.steps.get(usize::from(*taken));
        *taken = self.steps.len() as u8 + 1;
        steps
    }
}
