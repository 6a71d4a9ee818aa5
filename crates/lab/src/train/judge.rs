//! Judging a network on whole sets of images.

use inkling_engine::{Dataset, Metrics, Network, Workspace, evaluate};
use inkling_schema::found::Evaluation;

use super::examples::Examples;

/// Images at a time when a network is judged: enough to keep every thread busy, few enough to stay in the cache.
pub const EVALUATION_BATCH: usize = 250;

/// Batches between two looks at whether the study should stop.
const BATCHES: usize = 50;

/// How each head does on all images, in one pass; `seen` gets a head's number and its scores of each batch,
/// [batch, classes], in the images' order. Nothing where `go_on` says no.
pub(crate) fn judge(
    network: &mut Network,
    workspace: &mut Workspace,
    examples: &Examples,
    go_on: impl Fn() -> bool,
    mut seen: impl FnMut(usize, &[f32]),
) -> Option<Vec<Evaluation>> {
    let images = &examples.samples.images;
    let (dim, part) = (images.dim(), workspace.capacity() * BATCHES);
    let mut all = vec![Metrics::default(); examples.labels.len()];
    for (i, pixels) in images.pixels.chunks(part * dim).enumerate() {
        if !go_on() {
            return None;
        }
        let range = i * part..i * part + pixels.len() / dim;
        let labels: Vec<&[u8]> = examples.labels.iter().map(|labels| &labels[range.clone()]).collect();
        let judged = evaluate(network, workspace, Dataset::new(pixels, &labels), &mut seen);
        all.iter_mut().zip(judged).for_each(|(all, judged)| *all += judged);
    }
    let images = examples.len();
    let evaluation =
        |all: Metrics| Evaluation { images, correct: all.correct, loss: all.loss_sum / images as f64 };
    Some(all.into_iter().map(evaluation).collect())
}
