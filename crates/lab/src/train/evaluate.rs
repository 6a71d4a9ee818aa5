//! Evaluation of a network on whole sets of images.

use inkling_engine::{Dataset, Metrics, Network, Workspace};
use inkling_schema::outcome::Evaluation;

use super::labelled_dataset::LabelledDataset;

/// Batches between two checks whether the study should stop.
const BATCHES: usize = 50;

/// Evaluates every head on all images, in one pass. `on_logits` gets each batch's logits, [batch, classes], with the
/// number of their head, in the images' order. None if `go_on` returns false.
pub(crate) fn evaluate(
    network: &mut Network,
    workspace: &mut Workspace,
    dataset: &LabelledDataset,
    go_on: impl Fn() -> bool,
    mut on_logits: impl FnMut(usize, &[f32]),
) -> Option<Vec<Evaluation>> {
    let images = &dataset.samples.images;
    let (dim, part) = (images.dim(), workspace.capacity() * BATCHES);
    let mut all = vec![Metrics::default(); dataset.labels.len()];
    for (i, pixels) in images.pixels.chunks(part * dim).enumerate() {
        if !go_on() {
            return None;
        }
        let range = i * part..i * part + pixels.len() / dim;
        let labels: Vec<&[u8]> = dataset.labels.iter().map(|labels| &labels[range.clone()]).collect();
        let metrics =
            inkling_engine::evaluate(network, workspace, Dataset::new(pixels, &labels), &mut on_logits);
        all.iter_mut().zip(metrics).for_each(|(all, metrics)| *all += metrics);
    }
    let images = dataset.len();
    let evaluation =
        |all: Metrics| Evaluation { images, correct: all.correct, loss: all.loss_sum / images as f64 };
    Some(all.into_iter().map(evaluation).collect())
}
