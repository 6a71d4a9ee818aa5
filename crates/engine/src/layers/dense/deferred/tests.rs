//! Tests of which steps row panels have deferred.

use super::*;

fn rule(step: u64) -> SilentStep {
    of(&inkling_schema::Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }, step)
}

fn of(optimizer: &inkling_schema::Optimizer, step: u64) -> SilentStep {
    let mut rule = crate::optimizers::step_rule(optimizer);
    rule.begin_step(step, 1e-3);
    rule.deferrable().expect("steps that can wait").silent_step()
}

/// A range of steps, combined.
fn together(steps: std::ops::RangeInclusive<u64>) -> Option<SilentSteps> {
    let mut sums = SilentSums::NONE;
    steps.map(|step| sums.then(&rule(step))).last()
}

#[test]
fn each_run_owes_the_steps_since_it_was_visited() {
    let mut deferred = Deferred::new(3, 40);
    assert!(deferred.is_settled() && deferred.steps(1, 2).is_none());
    let mut taken = [[1_u64; 3]; 2];
    for step in 1..=MOST as u64 {
        assert!(deferred.has_room_for(&rule(step)));
        let row_panels = deferred.open();
        for (panel, taken) in taken.iter_mut().enumerate() {
            for (row, taken) in taken.iter_mut().enumerate() {
                // Some every step, some never.
                if row == 0 || (row == 1 && step.is_multiple_of(7 + panel as u64)) {
                    // SAFETY: one task.
                    #[expect(unsafe_code, reason = "one task")]
                    let owed = unsafe { row_panels.take(panel, row) };
                    assert_eq!(owed.copied(), together(*taken..=step - 1));
                    *taken = step + 1;
                }
            }
        }
        deferred.add(Isa::Portable, &rule(step));
        for (panel, taken) in taken.iter().enumerate() {
            for (row, &taken) in taken.iter().enumerate() {
                assert_eq!(deferred.steps(panel, row).copied(), together(taken..=step));
            }
        }
        assert!(deferred.waits(0) && deferred.waits(1) && !deferred.is_settled());
    }
    assert!(!deferred.has_room_for(&rule(MOST as u64 + 1)));
    let mut numbers = [1.0_f32, 0.5, 0.25].map(|number| vec![number; 2 * 3 * NR]);
    let before = numbers.clone();
    let current = deferred.current(1, 2, before.each_ref().map(|of| &of[..]));
    let [value, first, second] = &mut numbers;
    deferred.settle([value, first, second]);
    assert_eq!(numbers.each_ref().map(|of| of[5 * NR]), current.map(|of| of[0]));
    assert_eq!(numbers[0][0], 1.0, "a row panel that had taken every step");
    assert!(deferred.is_settled() && !deferred.waits(1));
}

#[test]
fn a_window_holds_one_optimiser() {
    let mut deferred = Deferred::new(1, 1);
    deferred.add(Isa::Portable, &rule(1));
    assert!(deferred.has_room_for(&rule(2)));
    assert!(
        !deferred.has_room_for(&of(&inkling_schema::Optimizer::Sgd { momentum: 0.9, nesterov: false }, 2))
    );
}
