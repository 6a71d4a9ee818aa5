//! Training with noise, and what it changes.

use inkling_engine::{Array, Labelled, Part, Trainer};

use crate::support::Noise;

/// Trains with these images from step `from` up to step `to`.
pub(crate) fn train(trainer: &mut Trainer, noise: &Noise, from: usize, to: usize) {
    let labels = noise.labels();
    let images = Labelled { pixels: &noise.pixels, labels: &labels };
    for step in from..to {
        let judged = trainer.step(images, &noise.order(step), 1e-3);
        assert!(judged.iter().all(|head| head.loss.is_finite()));
    }
}

/// Everything that training changes.
pub(crate) fn state(trainer: &Trainer) -> Vec<Vec<Array>> {
    let parts = [Part::Values, Part::FirstMoments, Part::SecondMoments];
    parts.into_iter().map(|part| trainer.network().arrays(part)).collect()
}
