//! What is to hold of every layer with every optimiser and every loss.

use inkling_schema::{Loss, ModelSpec, Optimizer};

use crate::support::{ADAM, everything};

/// Every optimiser, each with all that it can do.
pub(crate) const OPTIMIZERS: [Optimizer; 6] = [
    ADAM,
    Optimizer::AdamW { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.01 },
    Optimizer::Sgd { momentum: 0.9, nesterov: false },
    Optimizer::Sgd { momentum: 0.9, nesterov: true },
    Optimizer::RmsProp { alpha: 0.99, epsilon: 1e-8 },
    Optimizer::Lion { beta_1: 0.9, beta_2: 0.99, weight_decay: 0.01 },
];

/// Every layer with every optimiser, and with every loss.
pub(crate) fn cases() -> Vec<(ModelSpec, Optimizer)> {
    let optimizers = OPTIMIZERS.map(|optimizer| (everything(), optimizer));
    let losses = with_every_loss().map(|spec| (spec, ADAM));
    optimizers.into_iter().chain(losses).collect()
}

/// The network of every layer with pairs of losses for its heads, every loss among them.
fn with_every_loss() -> [ModelSpec; 2] {
    let smooth = Loss::CrossEntropy { label_smoothing: 0.1 };
    [[smooth, Loss::MeanSquaredError], [Loss::BinaryCrossEntropy, Loss::default()]].map(|losses| {
        let mut spec = everything();
        for (head, loss) in spec.heads.iter_mut().zip(losses) {
            head.loss = loss;
        }
        spec
    })
}
