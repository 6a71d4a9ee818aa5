//! The plain reference network: the layers of `src/layers/reference`, one after the other, and nothing else.

#[path = "../../src/layers/reference/mod.rs"]
#[allow(dead_code, reason = "the tests of single layers use the rest")]
mod layers;
pub(crate) mod networks;

use std::collections::BTreeMap;

use inkling_engine::{Network, StateKind};
use inkling_schema::{LayerSpec, ModelSpec, Padding};
use layers::windows::Windows;
use layers::{activation, avg_pool, batch_norm, conv2d, dense, dropout, layer_norm, max_pool, residual};

/// A network in f64 with the parameters of a [`Network`].
pub(crate) struct Reference {
    spec: ModelSpec,
    /// Values by name, such as "trunk.2.weight".
    pub(crate) parameters: BTreeMap<String, Vec<f64>>,
}

/// Name of a layer, such as "trunk.2", and its output for each sample, with the ReLU right after it where it is dense or a
/// convolution.
pub(crate) type Output = (String, Vec<Vec<f64>>);

/// What one sample is between two layers: an image [height, width, channels], or a vector, which is [1, 1, units].
type Dims = [usize; 3];

impl Reference {
    pub(crate) fn of(network: &Network) -> Reference {
        let state_dict = network.state_dict(StateKind::Values).into_iter();
        let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
        Reference {
            spec: network.spec().clone(),
            parameters: state_dict.map(|array| (array.name, wide(&array.values))).collect(),
        }
    }

    /// The output of every layer for a batch of images: of the trunk's, then of each head's, the last of which gives its scores.
    pub(crate) fn outputs(&self, x: &[f64], training: bool) -> Vec<Vec<Output>> {
        let dims = self.spec.input;
        let mut trunk = Vec::new();
        let (dims, features) = self.follow("trunk", &self.spec.trunk, dims, x.to_vec(), training, &mut trunk);
        let mut parts = vec![trunk];
        for head in &self.spec.heads {
            let mut outputs = Vec::new();
            let (dims, scores) =
                self.follow(&head.name, &head.layers, dims, features.clone(), training, &mut outputs);
            if outputs.is_empty() {
                // A head that only flattens passes the trunk's numbers on, as its first layer.
                outputs.push((format!("{}.1", head.name), samples(dims, &scores)));
            }
            parts.push(outputs);
        }
        parts
    }

    /// Passes a batch x through layers, the first of which is part.1. Gives the shape of a sample that comes out and the batch.
    fn follow(
        &self,
        part: &str,
        layers: &[LayerSpec],
        mut dims: Dims,
        mut x: Vec<f64>,
        training: bool,
        outputs: &mut Vec<Output>,
    ) -> (Dims, Vec<f64>) {
        for (i, layer) in layers.iter().enumerate() {
            let name = format!("{part}.{}", i + 1);
            let get = |parameter: &str| &self.parameters[&format!("{name}.{parameter}")][..];
            let [height, width, channels] = dims;
            let windows = |kernel, stride, padding| Windows::new([height, width], kernel, stride, padding);
            let image = |windows: &Windows, channels| [windows.output[0], windows.output[1], channels];
            match layer {
                LayerSpec::Flatten => {
                    dims = [1, 1, dims.iter().product()];
                    continue;
                }
                LayerSpec::Dense { units, .. } => {
                    dims = [1, 1, *units];
                    x = dense::forward(&x, get("weight"), get("bias"));
                }
                LayerSpec::Conv2d { filters, kernel_size, stride, padding, .. } => {
                    let windows = windows(*kernel_size, *stride, *padding);
                    dims = image(&windows, *filters);
                    x = conv2d::forward(&windows, &x, get("weight"), get("bias"));
                }
                LayerSpec::MaxPool { pool_size, stride } => {
                    let windows = windows(*pool_size, *stride, Padding::Valid);
                    dims = image(&windows, channels);
                    x = max_pool::forward(&windows, channels, &x);
                }
                LayerSpec::AvgPool { pool_size, stride } => {
                    let windows = windows(*pool_size, *stride, Padding::Valid);
                    dims = image(&windows, channels);
                    x = avg_pool::forward(&windows, channels, &x);
                }
                LayerSpec::GlobalAvgPool => {
                    dims = [1, 1, channels];
                    x = avg_pool::forward(&windows([height, width], [1, 1], Padding::Valid), channels, &x);
                }
                LayerSpec::LayerNorm { epsilon } => {
                    x = layer_norm::forward(&x, get("scale"), get("shift"), *epsilon);
                }
                LayerSpec::BatchNorm { epsilon, .. } => {
                    let (scale, shift) = (get("scale"), get("shift"));
                    let (mean, variance) = if training {
                        batch_norm::moments(&x, channels)
                    } else {
                        (get("running_mean").to_vec(), get("running_variance").to_vec())
                    };
                    x = batch_norm::forward(&x, scale, shift, &mean, &variance, *epsilon);
                }
                LayerSpec::Dropout { rate } => {
                    assert!(!training || *rate == 0.0, "the reference drops nothing");
                    x = dropout::forward(&x, &vec![1.0; x.len()]);
                }
                LayerSpec::Residual { layers, projection } => {
                    let before = [height, width];
                    let (after, y) = self.follow(&name, layers, dims, x.clone(), training, &mut Vec::new());
                    if projection.is_some() {
                        let (w, b) = (get("projection.weight"), get("projection.bias"));
                        x = residual::projection(before, [after[0], after[1]], &x, w, b);
                    }
                    dims = after;
                    x = residual::forward(&y, &x);
                }
                LayerSpec::Custom { .. } => unreachable!("no test of the reference has its own activation"),
                layer => {
                    let f = |&x: &f64| activation::f(layer, x).expect("all other layers are activations");
                    x = x.iter().map(f).collect();
                    let before = i.checked_sub(1).map(|before| &layers[before]);
                    let fused = matches!(before, Some(LayerSpec::Dense { .. } | LayerSpec::Conv2d { .. }));
                    if fused && matches!(layer, LayerSpec::Relu) {
                        // Part of the layer before it.
                        outputs.last_mut().expect("the layer before").1 = samples(dims, &x);
                        continue;
                    }
                }
            }
            outputs.push((name, samples(dims, &x)));
        }
        (dims, x)
    }
}

/// The numbers of each sample of a batch.
fn samples(dims: Dims, x: &[f64]) -> Vec<Vec<f64>> {
    x.chunks_exact(dims.iter().product()).map(<[f64]>::to_vec).collect()
}
