//! The plain reference network: every layer from its definition, sample by sample in f64, and nothing else.

pub(crate) mod networks;

use std::collections::BTreeMap;

use inkling_engine::{Network, StateKind};
use inkling_schema::{LayerSpec, ModelSpec, Padding};

/// A network in f64 with the parameters of a [`Network`].
pub(crate) struct Reference {
    spec: ModelSpec,
    /// Values by name, such as "trunk.2.weight".
    pub(crate) parameters: BTreeMap<String, Vec<f64>>,
}

/// Samples, each with its numbers.
type Batch = Vec<Vec<f64>>;

/// Name of a layer, such as "trunk.2", and what comes out of it, with the ReLU right after it where it is dense or a
/// convolution.
pub(crate) type Output = (String, Batch);

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

    /// What every layer makes of a batch of images: of the trunk, then of each head, whose last layer gives its scores.
    pub(crate) fn outputs(&self, x: &[f64], training: bool) -> Vec<Vec<Output>> {
        let dims = self.spec.input;
        let batch: Batch = x.chunks_exact(dims.iter().product()).map(<[f64]>::to_vec).collect();
        let mut trunk = Vec::new();
        let (dims, features) = self.follow("trunk", &self.spec.trunk, dims, batch, training, &mut trunk);
        let mut parts = vec![trunk];
        for head in &self.spec.heads {
            let mut outputs = Vec::new();
            let (_, scores) =
                self.follow(&head.name, &head.layers, dims, features.clone(), training, &mut outputs);
            if outputs.is_empty() {
                // A head that only flattens hands the trunk's numbers on, as its first layer.
                outputs.push((format!("{}.1", head.name), scores));
            }
            parts.push(outputs);
        }
        parts
    }

    fn follow(
        &self,
        part: &str,
        layers: &[LayerSpec],
        mut dims: Dims,
        mut batch: Batch,
        training: bool,
        outputs: &mut Vec<Output>,
    ) -> (Dims, Batch) {
        for (i, layer) in layers.iter().enumerate() {
            let name = format!("{part}.{}", i + 1);
            let get = |parameter: &str| &self.parameters[&format!("{name}.{parameter}")][..];
            let before = dims;
            match layer {
                LayerSpec::Dense { units, .. } => {
                    dims = [1, 1, *units];
                    batch = batch.iter().map(|x| dense(x, get("weight"), get("bias"))).collect();
                }
                LayerSpec::Conv2d { filters, kernel_size: kernel, stride, padding, .. } => {
                    let windows = Windows::new(before, *kernel, *stride, *padding);
                    dims = [windows.output[0], windows.output[1], *filters];
                    batch = batch.iter().map(|x| windows.conv(x, get("weight"), get("bias"))).collect();
                }
                LayerSpec::MaxPool { pool_size: size, stride } => {
                    let windows = Windows::new(before, *size, *stride, Padding::Valid);
                    dims = [windows.output[0], windows.output[1], before[2]];
                    batch = batch.iter().map(|x| windows.max(x)).collect();
                }
                LayerSpec::AvgPool { pool_size: size, stride } => {
                    let windows = Windows::new(before, *size, *stride, Padding::Valid);
                    dims = [windows.output[0], windows.output[1], before[2]];
                    batch = batch.iter().map(|x| windows.mean(x)).collect();
                }
                LayerSpec::GlobalAvgPool => {
                    let windows = Windows::new(before, [before[0], before[1]], [1, 1], Padding::Valid);
                    dims = [1, 1, before[2]];
                    batch = batch.iter().map(|x| windows.mean(x)).collect();
                }
                LayerSpec::Flatten => {
                    dims = [1, 1, dims.iter().product()];
                    continue;
                }
                LayerSpec::LeakyRelu { slope } => each(&mut batch, |x| if x < 0.0 { slope * x } else { x }),
                LayerSpec::Elu { alpha } => {
                    each(&mut batch, |x| if x < 0.0 { alpha * x.exp_m1() } else { x });
                }
                LayerSpec::Gelu => each(&mut batch, |x| 0.5 * x * (1.0 + libm::erf(x / 2.0_f64.sqrt()))),
                LayerSpec::Silu => each(&mut batch, |x| x / (1.0 + (-x).exp())),
                LayerSpec::Sigmoid => each(&mut batch, |x| 1.0 / (1.0 + (-x).exp())),
                LayerSpec::Tanh => each(&mut batch, f64::tanh),
                LayerSpec::LayerNorm { epsilon } => {
                    let (scale, shift) = (get("scale"), get("shift"));
                    for row in batch.iter_mut().flat_map(|x| x.chunks_exact_mut(scale.len())) {
                        let n = row.len() as f64;
                        let mean = row.iter().sum::<f64>() / n;
                        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
                        for (x, (scale, shift)) in row.iter_mut().zip(scale.iter().zip(shift)) {
                            *x = scale * (*x - mean) / (variance + epsilon).sqrt() + shift;
                        }
                    }
                }
                LayerSpec::Relu => {
                    batch.iter_mut().flatten().for_each(|x| *x = x.max(0.0));
                    if i > 0 && matches!(layers[i - 1], LayerSpec::Dense { .. } | LayerSpec::Conv2d { .. }) {
                        // Part of the layer before it.
                        outputs.last_mut().expect("the layer before").1.clone_from(&batch);
                        continue;
                    }
                }
                LayerSpec::Residual { layers, projection } => {
                    let x = batch.clone();
                    (dims, batch) = self.follow(&name, layers, before, batch, training, &mut Vec::new());
                    let along: Batch = match projection {
                        None => x,
                        Some(_) if before[..2] == [1, 1] && dims[..2] == [1, 1] => {
                            let (w, b) = (get("projection.weight"), get("projection.bias"));
                            x.iter().map(|x| dense(x, w, b)).collect()
                        }
                        Some(_) => {
                            let fits = |side: usize| move |&s: &usize| before[side].div_ceil(s) == dims[side];
                            let stride = [0, 1].map(|side| (1..=before[side]).find(fits(side)).unwrap());
                            let windows = Windows::new(before, [1, 1], stride, Padding::Same);
                            let (w, b) = (get("projection.weight"), get("projection.bias"));
                            x.iter().map(|x| windows.conv(x, w, b)).collect()
                        }
                    };
                    let both = batch.iter_mut().flatten().zip(along.iter().flatten());
                    both.for_each(|(y, x)| *y += x);
                }
                LayerSpec::Custom { .. } => unreachable!("no test of the reference has its own activation"),
                LayerSpec::Dropout { rate } => {
                    assert!(!training || *rate == 0.0, "the reference drops nothing");
                }
                LayerSpec::BatchNorm { epsilon, .. } => {
                    let (scale, shift) = (get("scale"), get("shift"));
                    for f in 0..scale.len() {
                        let (mean, variance) = if training {
                            moments(&batch, f, scale.len())
                        } else {
                            (get("running_mean")[f], get("running_variance")[f])
                        };
                        for x in batch.iter_mut().flat_map(|x| x.iter_mut().skip(f).step_by(scale.len())) {
                            *x = scale[f] * (*x - mean) / (variance + epsilon).sqrt() + shift[f];
                        }
                    }
                }
            }
            outputs.push((name, batch.clone()));
        }
        (dims, batch)
    }
}

/// y = f(x) for every number.
fn each(batch: &mut Batch, f: impl Fn(f64) -> f64) {
    batch.iter_mut().flatten().for_each(|x| *x = f(*x));
}

/// y_j = Σ_i x_i·w_ij + b_j.
fn dense(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let units = bias.len();
    (0..units)
        .map(|j| bias[j] + x.iter().enumerate().map(|(i, x)| x * weight[i * units + j]).sum::<f64>())
        .collect()
}

/// Mean and biased variance over the batch of a feature of so many.
fn moments(batch: &Batch, feature: usize, features: usize) -> (f64, f64) {
    let of = |x: &Vec<f64>| x.iter().skip(feature).step_by(features).copied().collect::<Vec<f64>>();
    let values: Vec<f64> = batch.iter().flat_map(of).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n)
}

/// Windows on an image.
struct Windows {
    input: Dims,
    kernel: [usize; 2],
    stride: [usize; 2],
    before: [usize; 2],
    output: [usize; 2],
}

impl Windows {
    fn new(input: Dims, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Windows {
        let (mut output, mut before) = ([0; 2], [0; 2]);
        for side in 0..2 {
            (output[side], before[side]) = match padding {
                Padding::Valid => ((input[side] - kernel[side]) / stride[side] + 1, 0),
                // As TensorFlow documents it.
                Padding::Same => {
                    let rest = input[side] % stride[side];
                    let covered = if rest == 0 { stride[side] } else { rest };
                    (input[side].div_ceil(stride[side]), kernel[side].saturating_sub(covered) / 2)
                }
            };
        }
        Windows { input, kernel, stride, before, output }
    }

    /// The number of a channel of the image that lies at (i, j) of a window, or none where it is outside.
    fn at(&self, x: &[f64], window: [usize; 2], [i, j]: [usize; 2], channel: usize) -> Option<f64> {
        let row = (window[0] * self.stride[0] + i).checked_sub(self.before[0])?;
        let column = (window[1] * self.stride[1] + j).checked_sub(self.before[1])?;
        let [height, width, channels] = self.input;
        (row < height && column < width).then(|| x[(row * width + column) * channels + channel])
    }

    /// Every window, row by row.
    fn each(&self) -> impl Iterator<Item = [usize; 2]> {
        let [height, width] = self.output;
        (0..height).flat_map(move |row| (0..width).map(move |column| [row, column]))
    }

    /// Every place of a window.
    fn places(&self) -> impl Iterator<Item = [usize; 2]> {
        let [height, width] = self.kernel;
        (0..height).flat_map(move |i| (0..width).map(move |j| [i, j]))
    }

    /// y_f = Σ over the window and the channels of x·w + b_f, weights being [height, width, channels, filters].
    fn conv(&self, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
        let (channels, filters) = (self.input[2], bias.len());
        let mut y = Vec::new();
        for window in self.each() {
            for (filter, bias) in bias.iter().enumerate() {
                let mut sum = *bias;
                for [i, j] in self.places() {
                    for channel in 0..channels {
                        let row = (i * self.kernel[1] + j) * channels + channel;
                        sum += weight[row * filters + filter]
                            * self.at(x, window, [i, j], channel).unwrap_or(0.0);
                    }
                }
                y.push(sum);
            }
        }
        y
    }

    fn mean(&self, x: &[f64]) -> Vec<f64> {
        let count = (self.kernel[0] * self.kernel[1]) as f64;
        let mean = |window, channel| {
            self.places().filter_map(|place| self.at(x, window, place, channel)).sum::<f64>() / count
        };
        self.each().flat_map(|window| (0..self.input[2]).map(move |channel| mean(window, channel))).collect()
    }

    fn max(&self, x: &[f64]) -> Vec<f64> {
        let largest = |window, channel| {
            let numbers = self.places().filter_map(move |place| self.at(x, window, place, channel));
            numbers.fold(f64::NEG_INFINITY, f64::max)
        };
        self.each()
            .flat_map(|window| (0..self.input[2]).map(move |channel| largest(window, channel)))
            .collect()
    }
}
