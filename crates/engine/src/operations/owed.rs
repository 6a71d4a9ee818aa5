//! Steps that rows of a weight matrix have put off: those in which their gradient was zero.
//!
//! Where an input is zero in a whole batch, nothing reads its weights: they add nothing to the output, their gradient is
//! zero, and the gradient of the input is not asked for behind a ReLU. An optimiser moves such weights all the same, by
//! their momentum. These steps can wait until the input is heard again: then they are taken one after the other, with
//! the numbers of their own time, in registers. The weights get the same bits as if they had never waited, and go through
//! memory once instead of once a step.

use crate::kernels::path::Path;
use crate::kernels::update::{Rule, Steps, Weights, ahead};

/// Most steps that a row puts off.
pub(crate) const HORIZON: usize = 256;

/// Which steps each row of a matrix has put off.
#[derive(Debug, Clone)]
pub(crate) struct Owed {
    /// Steps so far in which rows could wait.
    clock: u64,
    /// The step up to which each row has come, at most [`HORIZON`] before the clock.
    taken: Vec<u64>,
    /// The rules of the last steps, twice: step s at s % HORIZON and HORIZON later, so that any run of them lies together.
    rules: Vec<Rule>,
    /// The last step whose rule did not shrink from the one before.
    rise: u64,
    /// The instruction set of the steps that were put off, which is to take them.
    path: Path,
}

impl Owed {
    pub(crate) fn new(rows: usize) -> Owed {
        let none = Rule::Sgd { momentum: 0.0, rate: 0.0 };
        Owed { clock: 0, taken: vec![0; rows], rules: vec![none; 2 * HORIZON], rise: 0, path: Path::Portable }
    }

    /// Whether the row must not put off the next step: each does so in turn, one in [`HORIZON`] a step.
    #[inline]
    pub(crate) fn is_due(&self, row: usize) -> bool {
        row % HORIZON == (self.clock % HORIZON as u64) as usize
    }

    /// Whether the row has put off steps.
    #[inline]
    pub(crate) fn waits(&self, row: usize) -> bool {
        self.taken[row] < self.clock
    }

    /// Whether any row does.
    pub(crate) fn any_waits(&self) -> bool {
        self.taken.iter().any(|&taken| taken < self.clock)
    }

    /// Whether another step can be put off by every row that does not take it.
    pub(crate) fn has_room(&self) -> bool {
        self.taken.iter().all(|&taken| self.clock - taken < HORIZON as u64)
    }

    /// Takes the steps that the row has put off: `weights` are those of the row, or a part of them. The row owes them
    /// until [`Owed::settle`] says otherwise.
    #[inline]
    pub(crate) fn catch_up(&self, row: usize, mut weights: Weights) {
        if self.waits(row) {
            weights.catch_up(self.path, self.put_off(row));
        }
    }

    /// Writes what [`Owed::catch_up`] would make of the row's weights or a part of them, given with their moments.
    #[inline]
    pub(crate) fn ahead(&self, row: usize, weights: [&[f32]; 3], to: &mut [f32]) {
        if self.waits(row) {
            ahead(self.path, weights, self.put_off(row), to);
        } else {
            to.copy_from_slice(weights[0]);
        }
    }

    /// The steps that the row has put off.
    #[inline]
    fn put_off(&self, row: usize) -> Steps<'_> {
        let taken = self.taken[row];
        let start = (taken % HORIZON as u64) as usize;
        let rules = &self.rules[start..][..(self.clock - taken) as usize];
        // The first of these is step taken + 1, which has nothing to shrink from.
        Steps { rules, shrinking: self.rise <= taken + 1 }
    }

    /// The row has taken all its steps.
    pub(crate) fn settle(&mut self, row: usize) {
        self.taken[row] = self.clock;
    }

    /// Every row has.
    pub(crate) fn settle_all(&mut self) {
        self.taken.fill(self.clock);
    }

    /// A step by this rule with these instructions, which every row puts off until [`Owed::settle`] says otherwise.
    ///
    /// # Panics
    /// If a row has put off as many as it can ([`Owed::has_room`]).
    pub(crate) fn step(&mut self, path: Path, rule: &Rule) {
        assert!(self.has_room(), "a row that has put off {HORIZON} steps");
        let at = (self.clock % HORIZON as u64) as usize;
        let before = self.rules[(at + HORIZON - 1) % HORIZON];
        self.clock += 1;
        self.path = path;
        if !rule.shrinks(&before) {
            self.rise = self.clock;
        }
        self.rules[at] = *rule;
        self.rules[at + HORIZON] = *rule;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(step: u64, learning_rate: f64) -> Rule {
        let adam = inkling_spec::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
        crate::optimizer::rules(&adam, step, learning_rate).weights
    }

    #[test]
    fn the_rules_of_the_steps_put_off_come_in_their_order() {
        let mut owed = Owed::new(3);
        let mut all = Vec::new();
        let mut since = [0; 3];
        for step in 1..=3 * HORIZON {
            all.push(rule(step as u64, 1e-3));
            owed.step(Path::Portable, all.last().expect("just pushed"));
            for row in 0..3 {
                // The first row takes every step, the second some, the third as few as it can.
                if row == 0 || (row == 1 && step % 7 == 0) || owed.put_off(row).rules.len() == HORIZON {
                    owed.settle(row);
                    since[row] = step;
                }
                assert_eq!(
                    owed.put_off(row),
                    Steps { rules: &all[since[row]..], shrinking: true },
                    "row {row} at step {step}"
                );
                assert_eq!(owed.waits(row), since[row] < step);
            }
        }
        owed.settle_all();
        assert!(!owed.any_waits());
    }

    #[test]
    fn each_row_is_due_once_in_a_horizon() {
        let mut owed = Owed::new(2 * HORIZON);
        let mut due = vec![0; 2 * HORIZON];
        for step in 1..=HORIZON {
            due.iter_mut().enumerate().for_each(|(row, count)| *count += usize::from(owed.is_due(row)));
            owed.step(Path::Portable, &rule(step as u64, 1e-3));
            owed.settle_all();
        }
        assert_eq!(due, vec![1; 2 * HORIZON]);
    }

    #[test]
    fn steps_that_grow_are_known() {
        let mut owed = Owed::new(2);
        for step in 1..=9 {
            owed.step(Path::Portable, &rule(step, if step < 5 { 1e-3 } else { 3e-3 }));
            if step == 4 {
                owed.settle(1);
            }
        }
        assert!(!owed.put_off(0).shrinking, "step 5 is larger than step 4");
        assert!(owed.put_off(1).shrinking, "steps 5 to 9 shrink");
        let decaying =
            inkling_spec::Optimizer::AdamW { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.1 };
        let [one, two] = [1, 2].map(|step| crate::optimizer::rules(&decaying, step, 1e-3).weights);
        assert!(!two.shrinks(&one), "a weight that decays never stands still");
    }
}
