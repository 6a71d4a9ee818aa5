//! Training with noise, and what it changes.

use inkling_engine::{Dataset, NamedTensor, StateKind, Trainer};

use crate::support::Noise;

/// Trains with these images from step `from` up to step `to`.
pub(crate) fn train(trainer: &mut Trainer, noise: &Noise, from: usize, to: usize) {
    let labels = noise.labels();
    let images = Dataset::with_labels(&noise.pixels, &labels);
    for step in from..to {
        let metrics = trainer.step(images, &noise.order(step), 1e-3);
        assert!(metrics.iter().all(|head| head.loss_sum.is_finite()));
    }
}

/// Everything that training changes.
pub(crate) fn state(trainer: &Trainer) -> Vec<Vec<NamedTensor>> {
    let parts = [StateKind::Values, StateKind::FirstMoments, StateKind::SecondMoments];
    parts.into_iter().map(|part| trainer.network().state_dict(part)).collect()
}
