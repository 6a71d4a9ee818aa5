//! Which pixels a class's score depends on: the gradient of the score (Simonyan, Vedaldi and Zisserman 2014) and
//! integrated gradients (Sundararajan, Taly and Yan 2017). The network is as in evaluation.

use crate::inspect::LayerHandle;
use crate::network::Network;
use crate::workspace::Workspace;

/// The gradient of the score of class `target` with respect to each of the images x, [n, inputs]. `scores` is the last
/// layer of a head.
///
/// # Panics
/// If `workspace` was not made for training or has no room for n images, or there is no such class.
pub fn saliency_map(
    network: &mut Network,
    workspace: &mut Workspace,
    scores: &LayerHandle,
    target: usize,
    x: &[f32],
) -> Vec<f32> {
    let classes = scores.shape.len();
    assert!(target < classes, "class {target} of {classes}");
    let mut dx = vec![0.0; x.len()];
    network.forward(x, false, workspace);
    network.input_gradient(x, scores, workspace, &mut dx, |_, dy| {
        dy.fill(0.0);
        dy.iter_mut().skip(target).step_by(classes).for_each(|dy| *dy = 1.0);
    });
    dx
}

/// Integrated gradients of one image x with a black image as the baseline: x times the mean of the gradients on the straight
/// path from black to x, at the midpoints of `steps` equal parts. Their sum is the difference of the target's scores at the
/// path's ends, apart from the error of the numerical integral.
///
/// As many points of the path go through the network at a time as `workspace` has room for; their number changes no
/// result.
///
/// # Panics
/// As [`saliency_map`], and if `steps` is zero.
pub fn integrated_gradients(
    network: &mut Network,
    workspace: &mut Workspace,
    scores: &LayerHandle,
    target: usize,
    x: &[f32],
    steps: usize,
) -> Vec<f32> {
    assert!(steps > 0, "a path of no steps");
    let batch = workspace.capacity();
    let mut sums = vec![0.0_f64; x.len()];
    for first in (0..steps).step_by(batch) {
        let part = first..steps.min(first + batch);
        let shares = part.map(|step| ((step as f64 + 0.5) / steps as f64) as f32);
        let path: Vec<f32> = shares.flat_map(|share| x.iter().map(move |x| share * x)).collect();
        let gradients = saliency_map(network, workspace, scores, target, &path);
        for gradients in gradients.chunks_exact(x.len()) {
            sums.iter_mut().zip(gradients).for_each(|(sum, &gradient)| *sum += f64::from(gradient));
        }
    }
    sums.iter().zip(x).map(|(sum, &x)| (sum / steps as f64 * f64::from(x)) as f32).collect()
}

/// The score of class `target` for a black image, the baseline of [`integrated_gradients`].
///
/// # Panics
/// If there is no such class.
pub fn baseline_logit(
    network: &mut Network,
    workspace: &mut Workspace,
    scores: &LayerHandle,
    target: usize,
) -> f64 {
    let x = vec![0.0; network.input_len()];
    network.forward(&x, false, workspace);
    f64::from(network.output(scores, &x, workspace)[target])
}

#[cfg(test)]
mod tests {
    use inkling_schema::ModelSpec;

    use super::*;
    use crate::random::RngStream;

    /// Tanh has a derivative everywhere, so that differences say what the gradient is.
    const NETWORK: &str = r#"
        input = [6, 5, 1]
        trunk = [
            { layer = "conv2d", filters = 4, kernel_size = [3, 3], stride = [1, 1], padding = "same", initializer = "glorot-uniform" },
            { layer = "tanh" },
            { layer = "flatten" },
        ]
        heads = [
            { name = "class", layers = [{ layer = "dense", units = 4, initializer = "glorot-uniform" }] },
            { name = "other", layers = [{ layer = "dense", units = 2, initializer = "glorot-uniform" }] },
        ]
    "#;

    fn network() -> Network {
        Network::new(&ModelSpec::from_toml("network", NETWORK).unwrap(), 5).unwrap()
    }

    fn scores_of(network: &Network, head: usize) -> LayerHandle {
        network.layer_handles().into_iter().find(|layer| layer.scores_of == Some(head)).unwrap()
    }

    fn image() -> Vec<f32> {
        let mut stream = RngStream::new(1, "test/saliency");
        (0..30).map(|_| stream.uniform()).collect()
    }

    #[test]
    fn a_saliency_map_is_the_gradient_of_the_score_and_each_images_own() {
        let (mut network, x) = (network(), image());
        let mut workspace = network.workspace(2, true);
        for (head, target) in [(0, 2), (1, 1)] {
            let scores = scores_of(&network, head);
            let two = [&x[..], &[0.25; 30]].concat();
            let map = saliency_map(&mut network, &mut workspace, &scores, target, &two);
            assert_eq!(map[..30], saliency_map(&mut network, &mut workspace, &scores, target, &x));
            let mut score = |x: &[f32]| {
                network.forward(x, false, &mut workspace);
                f64::from(network.output(&scores, x, &workspace)[target])
            };
            for i in 0..30 {
                let mut at = |by: f32| {
                    let mut x = x.clone();
                    x[i] += by;
                    score(&x)
                };
                let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!((f64::from(map[i]) - difference).abs() < 1e-3, "{i}: {} {difference}", map[i]);
            }
        }
    }

    #[test]
    fn integrated_gradients_are_complete_and_the_same_in_any_batches() {
        let (mut network, x) = (network(), image());
        let scores = scores_of(&network, 0);
        let mut found = Vec::new();
        for capacity in [64, 7, 1] {
            let mut workspace = network.workspace(capacity, true);
            let parts = integrated_gradients(&mut network, &mut workspace, &scores, 3, &x, 64);
            network.forward(&x, false, &mut workspace);
            let whole = f64::from(network.output(&scores, &x, &workspace)[3]);
            let difference = whole - baseline_logit(&mut network, &mut workspace, &scores, 3);
            let sum: f64 = parts.iter().map(|&part| f64::from(part)).sum();
            assert!((sum - difference).abs() < 1e-3 * (1.0 + difference.abs()), "{sum} for {difference}");
            found.push(parts);
        }
        assert!(found[0] == found[1] && found[0] == found[2]);
    }
}
