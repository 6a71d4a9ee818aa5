//! Steps that runs of weights have put off: those in which their gradient was zero.
//!
//! A *run* is 32 weights of one input, in a panel. Its gradient is zero where the input is zero in a whole batch or none of
//! the panel's units has a gradient. An optimiser moves such weights all the same, by their momentum; but these steps can
//! wait until the weights are needed: then they are taken one after the other, with the numbers of their own time, in
//! registers. The weights get the same bits as if they had never waited, and go through memory once instead of once a step.
//!
//! When the momentum has become so small that a step leaves all of a run's weights as they are, and later steps can only be
//! smaller, the run is *still*: its weights are read as they lie, and what it owes is nothing but the decay of its moments.

use super::order::Order;
use crate::kernels::path::Path;
use crate::kernels::product::COLUMNS;
use crate::kernels::update::{Debt, Rule, Steps, Weights, ahead};
use crate::parallel::Shared;

/// Most steps that a run puts off before it is still.
pub(crate) const HORIZON: usize = 256;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account(u32);

impl Account {
    /// It has taken so many steps.
    fn new(taken: u32, is_still: bool) -> Account {
        Account(taken << 1 | u32::from(is_still))
    }

    fn taken(self) -> u32 {
        self.0 >> 1
    }

    fn is_still(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Which steps each run of a matrix in panels has put off, and in which order its columns lie.
#[derive(Debug, Clone)]
pub(crate) struct Owed {
    rows: usize,
    /// Of each run, [panels, rows].
    accounts: Vec<Account>,
    /// The step up to which the weights of each row have come, if they are ahead of their moments.
    ahead: Vec<u32>,
    /// The step up to which each row has been seen to: its runs had taken that step or were still.
    seen: Vec<u32>,
    /// Whether there may be runs that wait, or an order that is not that of files.
    is_dirty: bool,
    ledger: Ledger,
    order: Order,
}

/// The steps that runs can put off.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    /// Steps so far.
    clock: u32,
    /// The rules of the last ones, twice: step s at s % HORIZON and HORIZON later, so that any row of them lies together.
    rules: Vec<Rule>,
    /// The last step whose rule did not shrink from the one before.
    rise: u32,
    /// The instruction set of the steps that were put off, which is to take them.
    path: Path,
}

impl Owed {
    pub(crate) fn new(rows: usize, columns: usize) -> Owed {
        let none = Rule::Sgd { momentum: 0.0, rate: 0.0 };
        Owed {
            rows,
            accounts: vec![Account::new(0, false); columns.div_ceil(COLUMNS) * rows],
            ahead: vec![0; rows],
            seen: vec![0; rows],
            is_dirty: false,
            ledger: Ledger { clock: 0, rules: vec![none; 2 * HORIZON], rise: 0, path: Path::Portable },
            order: Order::new(columns),
        }
    }

    /// Whether the row must be seen to in the next step: each in turn, one in [`HORIZON`] a step.
    #[inline]
    pub(crate) fn is_due(&self, row: usize) -> bool {
        row % HORIZON == self.ledger.clock as usize % HORIZON
    }

    /// Whether anything may wait or lie in another order than in files.
    pub(crate) fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// In which order the columns lie.
    pub(crate) fn order(&self) -> &Order {
        &self.order
    }

    /// An order that pays, if it is time to look and there is one.
    pub(crate) fn better_order(&mut self) -> Option<Vec<u32>> {
        self.order.better(self.ledger.clock, COLUMNS)
    }

    /// Calls `active` with the column of each unit and what to call with those that have a gradient in the last step.
    pub(crate) fn wake<T>(&mut self, active: impl FnOnce(&[u32], &mut dyn FnMut(usize)) -> T) -> T {
        self.order.wake(self.ledger.clock, active)
    }

    /// Whether a step by this rule can be put off by every run that need not take it.
    pub(crate) fn accepts(&self, rule: &Rule) -> bool {
        let Ledger { clock, .. } = self.ledger;
        let no_surprise = !self.ledger.can_rest() || rule.shrinks(&self.ledger.last());
        no_surprise && self.seen.iter().all(|&seen| clock - seen < HORIZON as u32)
    }

    /// A step by this rule with these instructions, which every run puts off until its account says otherwise.
    ///
    /// # Panics
    /// If it cannot be put off ([`Owed::accepts`]).
    pub(crate) fn step(&mut self, path: Path, rule: &Rule) {
        assert!(self.accepts(rule), "a step that cannot wait");
        self.is_dirty = true;
        self.ledger.step(path, rule);
    }

    /// The accounts, for tasks that see to runs of their own, and the order of the columns.
    pub(crate) fn open(&mut self) -> (Accounts<'_>, &Order) {
        let Owed { rows, accounts, ahead, ledger, order, .. } = self;
        (Accounts { rows: *rows, accounts: Shared::new(accounts), ahead, ledger }, order)
    }

    /// The weights of a row are up to date.
    pub(crate) fn came_ahead(&mut self, row: usize) {
        self.ahead[row] = self.ledger.clock;
    }

    /// A row's runs have taken the last step or are still.
    pub(crate) fn saw(&mut self, row: usize) {
        self.seen[row] = self.ledger.clock;
    }

    /// Every run has taken every step, and the columns lie in this order, or in that of files.
    pub(crate) fn settle(&mut self, order: Option<Vec<u32>>) {
        self.accounts.fill(Account::new(self.ledger.clock, false));
        self.seen.fill(self.ledger.clock);
        // What is still is found anew, so that no step is bound to the ones before.
        self.ledger.rise = self.ledger.clock;
        self.is_dirty = order.is_some();
        self.order.set(order);
    }

    /// Whether any run is still.
    #[cfg(test)]
    pub(crate) fn any_still(&self) -> bool {
        self.accounts.iter().any(|account| account.is_still())
    }

    /// Brings a run up to date. Its account stays.
    #[inline]
    pub(crate) fn catch_up(&self, panel: usize, row: usize, weights: Weights) {
        let account = self.accounts[panel * self.rows + row];
        self.ledger.catch_up(account, self.ahead[row], self.ledger.clock, weights);
    }
}

/// The accounts of runs for tasks that see to different ones, and what they may owe.
pub(crate) struct Accounts<'a> {
    rows: usize,
    accounts: Shared<'a, Account>,
    /// Of each row, up to which step its weights have come if they are ahead of their moments.
    pub(crate) ahead: &'a [u32],
    pub(crate) ledger: &'a Ledger,
}

#[expect(unsafe_code, reason = "tasks see to runs of their own")]
impl<'a> Accounts<'a> {
    /// The accounts of all rows of a panel.
    ///
    /// # Safety
    /// No two accounts that are alive at once are of the same run.
    pub(crate) unsafe fn panel(&self, panel: usize) -> &'a mut [Account] {
        // SAFETY: by the caller's promise.
        unsafe { self.accounts.part(panel * self.rows, self.rows) }
    }

    /// The account of a run.
    ///
    /// # Safety
    /// As for [`Accounts::panel`].
    #[inline]
    pub(crate) unsafe fn run(&self, panel: usize, row: usize) -> &'a mut Account {
        // SAFETY: by the caller's promise.
        unsafe { &mut self.accounts.part(panel * self.rows + row, 1)[0] }
    }
}

impl Ledger {
    /// Whether runs whose weights stood still in the last step may be taken to go on so.
    fn can_rest(&self) -> bool {
        self.rise < self.clock
    }

    /// The rule of the last step.
    fn last(&self) -> Rule {
        self.rules[(self.clock as usize + HORIZON - 1) % HORIZON]
    }

    fn step(&mut self, path: Path, rule: &Rule) {
        let at = self.clock as usize % HORIZON;
        let shrinks = rule.shrinks(&self.last());
        self.clock += 1;
        assert!(self.clock < 1 << 31, "an account holds 2^31 steps");
        if !shrinks {
            self.rise = self.clock;
        }
        self.path = path;
        self.rules[at] = *rule;
        self.rules[at + HORIZON] = *rule;
    }

    /// Whether the weights of a run that have come `ahead` are not what the steps so far make of them.
    #[inline]
    pub(crate) fn lags(&self, account: Account, ahead: u32) -> bool {
        !account.is_still() && account.taken().max(ahead) < self.clock
    }

    /// Brings the weights of a run up to date, and leaves their moments. When this has been done for all runs of a row, it
    /// [came ahead](Owed::came_ahead).
    #[inline]
    pub(crate) fn go_ahead(
        &self,
        account: &mut Account,
        come: u32,
        value: &mut [f32],
        [first, second]: [&[f32]; 2],
    ) {
        if !self.lags(*account, come) {
            return;
        }
        if let Some(Debt::Steps(steps)) = self.debt(*account, come, self.clock) {
            let is_still = ahead(self.path, value, [first, second], steps);
            *account = Account::new(account.taken(), is_still && self.can_rest());
        }
    }

    /// Brings a run up to date but for the last step, which moves it by its gradient now.
    #[inline]
    pub(crate) fn make_ready(&self, account: &mut Account, ahead: u32, weights: Weights) {
        self.catch_up(*account, ahead, self.clock - 1, weights);
        *account = Account::new(self.clock, false);
    }

    /// Brings a run up to date unless it is still.
    #[inline]
    pub(crate) fn calm(&self, account: &mut Account, ahead: u32, weights: Weights) {
        if !account.is_still() {
            *account = self.catch_up(*account, ahead, self.clock, weights);
        }
    }

    /// Takes the steps that a run has put off up to this one, of which its weights have come `ahead`; its new account.
    #[inline]
    fn catch_up(&self, account: Account, ahead: u32, until: u32, mut weights: Weights) -> Account {
        match self.debt(account, ahead, until) {
            None => account,
            Some(debt) => {
                let is_still = weights.catch_up(self.path, debt);
                Account::new(until, is_still && self.can_rest())
            }
        }
    }

    /// What a run owes up to this step.
    #[inline]
    fn debt(&self, account: Account, ahead: u32, until: u32) -> Option<Debt<'_>> {
        let taken = account.taken();
        if taken >= until {
            None
        } else if account.is_still() {
            Some(Debt::Decay { rule: self.last(), steps: until - taken })
        } else {
            let start = taken as usize % HORIZON;
            let rules = &self.rules[start..][..(until - taken) as usize];
            // The first of these is step taken + 1, which has nothing to shrink from.
            let shrinking = self.rise <= taken + 1;
            Some(Debt::Steps(Steps { rules, ahead: ahead.saturating_sub(taken) as usize, shrinking }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(step: u32, learning_rate: f64) -> Rule {
        let adam = inkling_spec::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
        crate::optimizer::rules(&adam, u64::from(step), learning_rate).weights
    }

    fn put_off(owed: &Owed, row: usize) -> Option<Debt<'_>> {
        owed.ledger.debt(owed.accounts[row], owed.ahead[row], owed.ledger.clock)
    }

    fn take(owed: &mut Owed, row: usize) {
        owed.accounts[row] = Account::new(owed.ledger.clock, false);
        owed.saw(row);
    }

    #[test]
    fn the_rules_of_the_steps_put_off_come_in_their_order() {
        let mut owed = Owed::new(3, 5);
        let mut all = Vec::new();
        let mut since = [0; 3];
        for step in 1..=3 * HORIZON as u32 {
            all.push(rule(step, 1e-3));
            owed.step(Path::Portable, all.last().expect("just pushed"));
            for row in 0..3 {
                // The first row takes every step, the second some, the third as few as it can.
                if row == 0 || (row == 1 && step % 7 == 0) || step % HORIZON as u32 == 0 {
                    take(&mut owed, row);
                    since[row] = step as usize;
                }
                let rules = &all[since[row]..];
                let debt =
                    (!rules.is_empty()).then_some(Debt::Steps(Steps { rules, ahead: 0, shrinking: true }));
                assert_eq!(put_off(&owed, row), debt, "row {row} at step {step}");
            }
        }
        owed.settle(None);
        assert!(!owed.is_dirty() && (0..3).all(|row| put_off(&owed, row).is_none()));
    }

    #[test]
    fn each_row_is_due_once_in_a_horizon() {
        let mut owed = Owed::new(2 * HORIZON, 1);
        let mut due = vec![0; 2 * HORIZON];
        for step in 1..=HORIZON as u32 {
            due.iter_mut().enumerate().for_each(|(row, count)| *count += usize::from(owed.is_due(row)));
            owed.step(Path::Portable, &rule(step, 1e-3));
        }
        assert_eq!(due, vec![1; 2 * HORIZON]);
        assert!(!owed.accepts(&rule(HORIZON as u32 + 1, 1e-3)), "no row was seen to");
    }

    #[test]
    fn what_is_still_owes_decay_until_steps_grow() {
        let mut owed = Owed::new(2, 1);
        for step in 1..=9 {
            owed.step(Path::Portable, &rule(step, 1e-3));
        }
        assert!(owed.ledger.can_rest());
        owed.accounts[0] = Account::new(9, true);
        owed.step(Path::Portable, &rule(10, 1e-3));
        assert_eq!(put_off(&owed, 0), Some(Debt::Decay { rule: rule(10, 1e-3), steps: 1 }));
        assert!(!owed.accepts(&rule(11, 3e-3)), "a larger step may move what is still");
        owed.settle(None);
        assert!(owed.accepts(&rule(11, 3e-3)));
    }

    #[test]
    fn a_weight_that_decays_never_stands_still() {
        let decaying =
            inkling_spec::Optimizer::AdamW { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.1 };
        let mut owed = Owed::new(2, 1);
        for step in 1..=5 {
            owed.step(Path::Portable, &crate::optimizer::rules(&decaying, step, 1e-3).weights);
            assert!(!owed.ledger.can_rest());
        }
    }
}
