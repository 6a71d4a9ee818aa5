//! What each pixel has to do with a score: its gradient (Simonyan, Vedaldi and Zisserman 2014) and integrated gradients
//! (Sundararajan, Taly and Yan 2017).

use inkling_engine::{LayerHandle, Network, Workspace};

/// Images at a time on the path of integrated gradients.
pub(crate) const BATCH: usize = 32;

/// The gradient of the target's score with respect to the image x.
pub(crate) fn saliency_map(
    network: &mut Network,
    workspace: &mut Workspace,
    scores: &LayerHandle,
    target: usize,
    x: &[f32],
) -> Vec<f32> {
    let mut dx = vec![0.0; x.len()];
    network.forward(x, false, workspace);
    let classes = scores.shape.len();
    network.input_gradient(x, scores, workspace, &mut dx, |_, dy| {
        dy.fill(0.0);
        dy.iter_mut().skip(target).step_by(classes).for_each(|dy| *dy = 1.0);
    });
    dx
}

/// x times the mean of the gradients on the straight path from black to x, at the middles of so many equal steps. Their
/// sum is the difference of the target's scores at the path's ends, but for the error of the sum.
pub(crate) fn integrated_gradients(
    network: &mut Network,
    workspace: &mut Workspace,
    scores: &LayerHandle,
    target: usize,
    x: &[f32],
    steps: usize,
) -> Vec<f32> {
    let mut sums = vec![0.0_f64; x.len()];
    for first in (0..steps).step_by(BATCH) {
        let part = first..steps.min(first + BATCH);
        let shares = part.map(|step| ((step as f64 + 0.5) / steps as f64) as f32);
        let path: Vec<f32> = shares.flat_map(|share| x.iter().map(move |x| share * x)).collect();
        let gradients = saliency_map(network, workspace, scores, target, &path);
        for gradients in gradients.chunks_exact(x.len()) {
            sums.iter_mut().zip(gradients).for_each(|(sum, &gradient)| *sum += f64::from(gradient));
        }
    }
    sums.iter().zip(x).map(|(sum, &x)| (sum / steps as f64 * f64::from(x)) as f32).collect()
}

/// The score of a head's target for a black image.
pub(crate) fn baseline_logit(
    network: &mut Network,
    workspace: &mut Workspace,
    head: usize,
    target: usize,
    dim: usize,
) -> f64 {
    network.forward(&vec![0.0; dim], false, workspace);
    let classes = network.num_classes()[head];
    f64::from(workspace.logits(head, classes)[target])
}
