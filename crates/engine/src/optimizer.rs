//! Optimisers: from a study's hyperparameters to the rule of one step.

use inkling_spec::Optimizer;

use crate::kernels::update::Rule;

/// The rules of step `step`, counted from 1, at this learning rate: for weights, and for biases, scales and shifts,
/// which do not decay.
pub(crate) fn rules(optimizer: &Optimizer, step: u64, learning_rate: f64) -> Rules {
    let adam = |beta_1: f64, beta_2: f64, epsilon: f64, decay: f64| {
        // In f64, because 1 − β₂ᵗ cancels at the first steps.
        let exponent = i32::try_from(step).unwrap_or(i32::MAX);
        let (correction_1, correction_2) = (1.0 - beta_1.powi(exponent), 1.0 - beta_2.powi(exponent));
        Rule::Adam {
            beta_1: beta_1 as f32,
            beta_2: beta_2 as f32,
            epsilon: epsilon as f32,
            rate: (learning_rate / correction_1) as f32,
            root: (1.0 / correction_2.sqrt()) as f32,
            keep: (1.0 - learning_rate * decay) as f32,
        }
    };
    match *optimizer {
        Optimizer::Adam { beta_1, beta_2, epsilon } => {
            let rule = adam(beta_1, beta_2, epsilon, 0.0);
            Rules { weights: rule, others: rule }
        }
        Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay } => Rules {
            weights: adam(beta_1, beta_2, epsilon, weight_decay),
            others: adam(beta_1, beta_2, epsilon, 0.0),
        },
        Optimizer::Sgd { momentum } => {
            let rule = Rule::Sgd { momentum: momentum as f32, rate: learning_rate as f32 };
            Rules { weights: rule, others: rule }
        }
    }
}

/// What a step does to each kind of parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) weights: Rule,
    pub(crate) others: Rule,
}
