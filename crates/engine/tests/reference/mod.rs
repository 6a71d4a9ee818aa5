//! The plain reference network: every layer from its definition, sample by sample in f64, and nothing else.

use std::collections::BTreeMap;

use inkling_engine::{Network, Part};
use inkling_spec::{Layer, ModelSpec, Padding};

/// A network in f64 with the parameters of a [`Network`].
pub(crate) struct Reference {
    spec: ModelSpec,
    /// Values by name, such as "trunk.2.weight".
    pub(crate) parameters: BTreeMap<String, Vec<f64>>,
}

/// What one sample is between two layers: an image [height, width, channels], or a vector, which is [1, 1, units].
type Dims = [usize; 3];

impl Reference {
    pub(crate) fn of(network: &Network) -> Reference {
        let arrays = network.arrays(Part::Values).into_iter();
        let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
        Reference {
            spec: network.spec().clone(),
            parameters: arrays.map(|array| (array.name, wide(&array.values))).collect(),
        }
    }

    /// Scores of each head for a batch of images, by sample, as training has them.
    fn scores(&self, x: &[f64]) -> Vec<Vec<Vec<f64>>> {
        let dims = self.spec.input;
        let batch = x.chunks_exact(dims.iter().product()).map(<[f64]>::to_vec).collect();
        let (dims, trunk) = self.follow("trunk", &self.spec.trunk, dims, batch);
        let head = |(name, layers)| self.follow(name, layers, dims, trunk.clone()).1;
        self.spec.heads.iter().map(|head| (head.name.as_str(), &head.layers[..])).map(head).collect()
    }

    /// Σ over heads of weight times mean cross-entropy; labels are [heads, batch].
    pub(crate) fn loss(&self, x: &[f64], labels: &[u8], weights: &[f32]) -> f64 {
        let scores = self.scores(x);
        let batch = labels.len() / weights.len();
        let mut loss = 0.0;
        for ((scores, labels), &weight) in scores.iter().zip(labels.chunks_exact(batch)).zip(weights) {
            for (z, &label) in scores.iter().zip(labels) {
                let sum: f64 = z.iter().map(|z| z.exp()).sum();
                loss += f64::from(weight) * (sum.ln() - z[usize::from(label)]) / batch as f64;
            }
        }
        loss
    }

    fn follow(
        &self,
        part: &str,
        layers: &[Layer],
        mut dims: Dims,
        mut batch: Vec<Vec<f64>>,
    ) -> (Dims, Vec<Vec<f64>>) {
        for (i, layer) in layers.iter().enumerate() {
            let get = |name: &str| &self.parameters[&format!("{part}.{}.{name}", i + 1)][..];
            let before = dims;
            match layer {
                Layer::Dense { units, .. } => {
                    dims = [1, 1, *units];
                    batch = batch.iter().map(|x| dense(x, get("weight"), get("bias"))).collect();
                }
                Layer::Conv2d { filters, kernel, stride, padding, .. } => {
                    let windows = Windows::new(before, *kernel, *stride, *padding);
                    dims = [windows.output[0], windows.output[1], *filters];
                    batch = batch.iter().map(|x| windows.conv(x, get("weight"), get("bias"))).collect();
                }
                Layer::MaxPool { size, stride } => {
                    let windows = Windows::new(before, *size, *stride, Padding::Valid);
                    dims = [windows.output[0], windows.output[1], before[2]];
                    batch = batch.iter().map(|x| windows.max(x)).collect();
                }
                Layer::Flatten => dims = [1, 1, dims.iter().product()],
                Layer::Relu => batch.iter_mut().flatten().for_each(|x| *x = x.max(0.0)),
                Layer::Dropout { rate } => assert_eq!(*rate, 0.0, "the reference drops nothing"),
                Layer::BatchNorm { epsilon, .. } => {
                    normalise(&mut batch, get("scale"), get("shift"), *epsilon);
                }
            }
        }
        (dims, batch)
    }
}

/// y_j = Σ_i x_i·w_ij + b_j.
fn dense(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let units = bias.len();
    (0..units)
        .map(|j| bias[j] + x.iter().enumerate().map(|(i, x)| x * weight[i * units + j]).sum::<f64>())
        .collect()
}

/// Normalises each feature over the batch with its mean and biased variance, then scales and shifts it.
fn normalise(batch: &mut [Vec<f64>], scale: &[f64], shift: &[f64], epsilon: f64) {
    let features = scale.len();
    for f in 0..features {
        let of = |x: &Vec<f64>| x.iter().skip(f).step_by(features).copied().collect::<Vec<f64>>();
        let values: Vec<f64> = batch.iter().flat_map(of).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        for x in batch.iter_mut().flat_map(|x| x.iter_mut().skip(f).step_by(features)) {
            *x = scale[f] * (*x - mean) / (variance + epsilon).sqrt() + shift[f];
        }
    }
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
