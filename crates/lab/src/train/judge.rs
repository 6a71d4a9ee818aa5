//! Judging a network on whole sets of images.

use inkling_data::Samples;
use inkling_engine::{Labelled, Network, Workspace, evaluate};
use inkling_spec::found::Evaluation;

/// Images at a time when a network is judged: enough to keep every thread busy, few enough to stay in the cache.
pub const EVALUATION_BATCH: usize = 250;

/// Batches between two looks at whether the study should stop.
const BATCHES: usize = 50;

/// How the network does on all images; `seen` gets the scores of each batch, [batch, classes], in the images' order.
/// Nothing where `go_on` says no.
pub(crate) fn judge(
    network: &mut Network,
    workspace: &mut Workspace,
    samples: &Samples,
    go_on: impl Fn() -> bool,
    mut seen: impl FnMut(&[f32]),
) -> Option<Evaluation> {
    let (dim, images) = (samples.images.dim(), workspace.capacity() * BATCHES);
    let (mut correct, mut loss) = (0, 0.0);
    for (pixels, labels) in samples.images.pixels.chunks(images * dim).zip(samples.labels.chunks(images)) {
        if !go_on() {
            return None;
        }
        let part = Labelled { pixels, labels: &[labels] };
        let judged = evaluate(network, workspace, part, |_, logits| seen(logits))[0];
        correct += judged.correct;
        loss += judged.loss;
    }
    Some(Evaluation { images: samples.len(), correct, loss: loss / samples.len() as f64 })
}
