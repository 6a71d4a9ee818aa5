//! Optimisers: from a study's hyperparameters to the rule of one step.

use inkling_schema::Optimizer;

use crate::kernels::update::StepRule;

/// Most steps between two after which no weight waits any more.
const WINDOW: u64 = 64;
/// How far, as a share, the spread of Adam's steps may fall from one such step to the next.
const SPREAD: f64 = 1.0 / 24.0;

/// The rules of step `step`, counted from 1, at this learning rate: for weights, and for biases, scales and shifts,
/// which do not decay.
pub(crate) fn param_groups(optimizer: &Optimizer, step: u64, learning_rate: f64) -> ParamGroups {
    let adam = |beta_1: f64, beta_2: f64, epsilon: f64, decay: f64| {
        // In f64, because 1 − β₂ᵗ cancels at the first steps.
        let exponent = i32::try_from(step).unwrap_or(i32::MAX);
        let (correction_1, correction_2) = (1.0 - beta_1.powi(exponent), 1.0 - beta_2.powi(exponent));
        StepRule::Adam {
            beta: [beta_1 as f32, beta_2 as f32],
            one_minus_beta: [(1.0 - beta_1) as f32, (1.0 - beta_2) as f32],
            epsilon: epsilon as f32,
            rate: (learning_rate / correction_1) as f32,
            root: (1.0 / correction_2.sqrt()) as f32,
            decay: (learning_rate * decay) as f32,
        }
    };
    let settles = step.is_multiple_of(window(optimizer, step));
    match *optimizer {
        Optimizer::Adam { beta_1, beta_2, epsilon } => {
            let rule = adam(beta_1, beta_2, epsilon, 0.0);
            ParamGroups { decay: rule, no_decay: rule, settles }
        }
        Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay } => ParamGroups {
            decay: adam(beta_1, beta_2, epsilon, weight_decay),
            no_decay: adam(beta_1, beta_2, epsilon, 0.0),
            settles,
        },
        Optimizer::Sgd { momentum, nesterov } => {
            let rule = StepRule::Sgd { momentum: momentum as f32, nesterov, rate: learning_rate as f32 };
            ParamGroups { decay: rule, no_decay: rule, settles }
        }
        Optimizer::RmsProp { alpha, epsilon } => {
            let (alpha, one_minus_alpha) = (alpha as f32, (1.0 - alpha) as f32);
            let (epsilon, rate) = (epsilon as f32, learning_rate as f32);
            let rule = StepRule::RmsProp { alpha, one_minus_alpha, epsilon, rate };
            ParamGroups { decay: rule, no_decay: rule, settles }
        }
        Optimizer::Lion { beta_1, beta_2, weight_decay } => {
            let lion = |weight_decay: f64| StepRule::Lion {
                beta: [beta_1 as f32, beta_2 as f32],
                one_minus_beta: [(1.0 - beta_1) as f32, (1.0 - beta_2) as f32],
                rate: learning_rate as f32,
                decay: (learning_rate * weight_decay) as f32,
            };
            ParamGroups { decay: lion(weight_decay), no_decay: lion(0.0), settles }
        }
    }
}

/// What a step does to each kind of parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ParamGroups {
    pub(crate) decay: StepRule,
    pub(crate) no_decay: StepRule,
    /// Whether every weight is to be up to date after this step: the optimiser and the step's number alone decide, so that
    /// a training that is saved there and goes on later takes the steps of one that was never interrupted.
    pub(crate) settles: bool,
}

/// For how many steps weights may wait around this step: a power of two, so that windows of several lengths end together.
///
/// While a weight waits, its √v falls by √β₂ a step, and so does, at the first steps, the correction for its start at zero.
/// Steps are taken at once with a relative error of the square of how far the two fall ([`SilentSteps`]).
///
/// [`SilentSteps`]: crate::kernels::silent::SilentSteps
fn window(optimizer: &Optimizer, step: u64) -> u64 {
    let beta_2 = match *optimizer {
        Optimizer::Adam { beta_2, .. } | Optimizer::AdamW { beta_2, .. } => beta_2,
        Optimizer::Sgd { .. } => return WINDOW,
        // Their steps do not wait.
        Optimizer::RmsProp { .. } | Optimizer::Lion { .. } => return 1,
    };
    let correction = |step: u64| 1.0 - beta_2.powf(step as f64);
    let fall = 0.5 * (correction(step + 1) / (correction(step) * beta_2)).ln();
    let steps = ((SPREAD / fall) as u64).clamp(1, WINDOW);
    1 << steps.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_grow_with_the_steps_and_end_together() {
        let (beta_1, epsilon) = (0.9, 1e-8);
        let ends = |beta_2: f64, upto: u64| -> Vec<u64> {
            let adam = Optimizer::Adam { beta_1, beta_2, epsilon };
            (1..=upto).filter(|&step| param_groups(&adam, step, 1e-3).settles).collect()
        };
        assert_eq!(ends(0.999, 40), (1..=24).chain((26..=40).step_by(2)).collect::<Vec<u64>>());
        assert_eq!(ends(0.9, 1000), (1..=1000).collect::<Vec<u64>>(), "√v falls by a twentieth a step");
        for beta_2 in [0.0, 0.5, 0.99, 0.999, 0.99999] {
            let ends = ends(beta_2, 1 << 14);
            for pair in ends.windows(2) {
                let [fall_to, fall_from] = [pair[1], pair[0] + 1]
                    .map(|step| beta_2.powf(step as f64 / 2.0) / (1.0 - beta_2.powf(step as f64)).sqrt());
                assert!(pair[1] - pair[0] <= WINDOW);
                assert!(
                    pair[1] == pair[0] + 1 || fall_to >= fall_from * (1.0 - 1.1 * SPREAD),
                    "{beta_2}: {pair:?}"
                );
            }
        }
        assert!(!param_groups(&Optimizer::Sgd { momentum: 0.9, nesterov: false }, WINDOW + 1, 1e-3).settles);
    }
}
