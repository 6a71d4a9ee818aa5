//! What a network makes of some images, layer by layer, and how much of each layer is silent over the test images.

use inkling_data::DataSet;
use inkling_engine::LayerHandle;
use inkling_engine::interpret::{baseline_logit, integrated_gradients, saliency_map};
use inkling_engine::logits::{argmax, probability};
use inkling_schema::ActivationsRun;
use inkling_schema::outcome::{ActivationLayer, ActivationsOutcome, LookedAt};
use inkling_store::{Metadata, RunWriter, Tensor, TensorFile};
use rayon::prelude::*;

use super::images;
use super::images::{HeadLabels, InputImage};
use super::inputs::LookInputs;
use super::trained::{Trained, as_image};
use crate::batch::EVALUATION_BATCH;
use crate::error::LabError;
use crate::observer::Observer;

/// Points of the path of integrated gradients that go through the network at a time.
const INTEGRATION_BATCH: usize = 32;

/// Looks at the run's images and writes its arrays; nothing where it was interrupted.
pub(crate) fn run(
    run: &ActivationsRun,
    inputs: &mut LookInputs,
    observer: &dyn Observer,
    writer: &RunWriter,
) -> Result<Option<ActivationsOutcome>, LabError> {
    let (set, user_images) = (inputs.set, inputs.user_images);
    let trained = &mut *inputs.network;
    let head = run.head.clone().unwrap_or_else(|| trained.first_head().to_owned());
    let target = HeadLabels { head: &head, labels: run.labels() };
    let input_images =
        run.images.iter().map(|choice| images::find(choice, trained, target, set, user_images));
    let input_images: Vec<InputImage> = input_images.collect::<Result<_, _>>()?;
    let layers = looked_at(trained);
    let Some(sparsity) = set.map_or(Some(None), |set| measure(trained, &layers, set, observer).map(Some))
    else {
        return Ok(None);
    };

    let [height, width, channels] = trained.input();
    let (n, dim) = (input_images.len(), height * width * channels);
    let pixels: Vec<u8> = input_images.iter().flat_map(|image| &image.pixels).copied().collect();
    let mut x = vec![0.0; n * dim];
    inkling_engine::normalize_pixels(&pixels, &mut x);
    let mut workspace = trained.network.workspace(n, false);
    trained.network.forward(&x, false, &mut workspace);
    let (scores, number) = (trained.scores_of(&head)?, trained.head(&head)?);
    let classes = trained.network.num_classes()[number];
    let logits = workspace.logits(number).to_vec();
    let outputs: Vec<&[f32]> =
        layers.iter().map(|layer| trained.network.output(layer, &x, &workspace)).collect();
    let differences: Vec<Vec<f32>> =
        layers.iter().zip(&outputs).map(|(layer, y)| differences(y, as_image(layer.shape)[2], n)).collect();

    let found = layers.iter().zip(&outputs).zip(&differences).enumerate();
    let found = found.map(|(i, ((layer, y), differences))| {
        let sparsity = sparsity.as_ref().map(|sparsity| &sparsity[i]);
        let zeros = |y: &[f32]| y.iter().filter(|&&y| y == 0.0).count() as f64 / y.len() as f64;
        ActivationLayer {
            name: layer.name.clone(),
            shape: as_image(layer.shape),
            dead: sparsity.map(|sparsity| {
                sparsity.live_channels.iter().filter(|&&live_channels| !live_channels).count()
            }),
            zeros: sparsity.map(|sparsity| sparsity.zeros as f64 / sparsity.all as f64),
            zeros_of: y.chunks_exact(layer.shape.len()).map(zeros).collect(),
            differing: order(differences),
        }
    });
    let found: Vec<ActivationLayer> = found.collect();

    let (mut gradients, mut integrated, mut looked) = (Vec::new(), Vec::new(), Vec::new());
    let mut evaluation = trained.network.workspace(INTEGRATION_BATCH, true);
    for ((image, x), logits) in input_images.iter().zip(x.chunks_exact(dim)).zip(logits.chunks_exact(classes))
    {
        let predicted = argmax(logits);
        // A label that the network does not know cannot be explained.
        let target = image.class.filter(|&class| class < classes).unwrap_or(predicted);
        let network = &mut trained.network;
        gradients.extend(saliency_map(network, &mut evaluation, &scores, target, x));
        let along = integrated_gradients(network, &mut evaluation, &scores, target, x, run.integration_steps);
        looked.push(LookedAt {
            name: image.name.clone(),
            index: image.index,
            class: image.class,
            target,
            logit: f64::from(logits[target]),
            probability: probability(logits, target),
            predicted,
            black_logit: baseline_logit(network, &mut evaluation, &scores, target),
            integrated_sum: along.iter().map(|&share| f64::from(share)).sum(),
        });
        integrated.extend(along);
    }

    // Nothing that is not finite is published: what 32-bit arithmetic does not hold is said to be so.
    let mut overflow = false;
    let mut held = |values: &[f32]| -> Vec<f32> {
        overflow |= values.iter().any(|value| !value.is_finite());
        values.iter().map(|&value| finite(f64::from(value)) as f32).collect()
    };
    let (logits, gradients, integrated) = (held(&logits), held(&gradients), held(&integrated));
    let outputs: Vec<Vec<f32>> = outputs.into_iter().map(&mut held).collect();
    let differences: Vec<Vec<f32>> = differences.iter().map(|values| held(values)).collect();
    for found in &mut looked {
        for number in
            [&mut found.logit, &mut found.probability, &mut found.black_logit, &mut found.integrated_sum]
        {
            let (before, after) = (*number, finite(*number));
            overflow |= before.to_bits() != after.to_bits();
            *number = after;
        }
    }

    let mut tensors = vec![
        Tensor::new("images", &[n, height, width, channels], &pixels),
        Tensor::new("logits", &[n, classes], &logits),
    ];
    for ((layer, y), differences) in layers.iter().zip(&outputs).zip(&differences) {
        let [height, width, channels] = as_image(layer.shape);
        tensors.push(Tensor::new(format!("layer/{}", layer.name), &[n, height, width, channels], y));
        if !differences.is_empty() {
            tensors.push(Tensor::new(format!("difference/{}", layer.name), &[channels], differences));
        }
    }
    let shape = [n, height, width, channels];
    tensors.push(Tensor::new("gradient", &shape, &gradients));
    tensors.push(Tensor::new("integrated", &shape, &integrated));
    writer.write_tensors(TensorFile::Arrays, &tensors, &Metadata::new())?;
    let test_images = set.map_or(0, |set| set.test.len());
    let notes = images::notes(user_images, &input_images);
    Ok(Some(ActivationsOutcome { images: looked, layers: found, test_images, overflow, notes }))
}

/// The number if 32-bit arithmetic holds it, else the nearest that it holds; 0 where it is none.
fn finite(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) }
}

/// Every convolution and residual block of images; in a network without one, every layer of the trunk, or what there is.
fn looked_at(trained: &Trained) -> Vec<LayerHandle> {
    let maps = trained.feature_maps();
    if !maps.is_empty() {
        return maps;
    }
    let all = trained.network.layer_handles();
    let trunk: Vec<LayerHandle> = all.iter().filter(|layer| layer.in_trunk()).cloned().collect();
    if trunk.is_empty() { all } else { trunk }
}

/// How much of a layer is silent.
struct ActivationSparsity {
    /// Whether each channel was ever anything but zero.
    live_channels: Vec<bool>,
    zeros: usize,
    all: usize,
}

/// Counts over all test images; nothing where it was interrupted.
fn measure(
    trained: &mut Trained,
    layers: &[LayerHandle],
    set: &DataSet,
    observer: &dyn Observer,
) -> Option<Vec<ActivationSparsity>> {
    let channels = |layer: &LayerHandle| as_image(layer.shape)[2];
    let none = |layer: &LayerHandle| ActivationSparsity {
        live_channels: vec![false; channels(layer)],
        zeros: 0,
        all: 0,
    };
    let mut sparsity: Vec<ActivationSparsity> = layers.iter().map(none).collect();
    let network = &mut trained.network;
    let mut workspace = network.workspace(EVALUATION_BATCH, false);
    let mut x = vec![0.0; EVALUATION_BATCH * network.input_len()];
    for pixels in set.test.images.pixels.chunks(x.len()) {
        if observer.interrupted() {
            return None;
        }
        let x = &mut x[..pixels.len()];
        inkling_engine::normalize_pixels(pixels, x);
        network.forward(x, false, &mut workspace);
        for (layer, sparsity) in layers.iter().zip(&mut sparsity) {
            let channels = channels(layer);
            let y = network.output(layer, x, &workspace);
            sparsity.all += y.len();
            // Counts and flags are the same in any order.
            let images = y.par_chunks_exact(layer.shape.len()).map(|y| count(y, channels));
            let (zeros, live_channels) = images.reduce(
                || (0, vec![false; channels]),
                |(a, mut live_channels), (b, other)| {
                    live_channels
                        .iter_mut()
                        .zip(other)
                        .for_each(|(live_channels, other)| *live_channels |= other);
                    (a + b, live_channels)
                },
            );
            sparsity.zeros += zeros;
            sparsity
                .live_channels
                .iter_mut()
                .zip(live_channels)
                .for_each(|(live_channels, other)| *live_channels |= other);
        }
    }
    Some(sparsity)
}

/// Zeros of an image's output, and which channels are anything else somewhere.
fn count(y: &[f32], channels: usize) -> (usize, Vec<bool>) {
    let mut live_channels = vec![false; channels];
    let mut zeros = 0;
    for y in y.chunks_exact(channels) {
        for (live_channels, &y) in live_channels.iter_mut().zip(y) {
            zeros += usize::from(y == 0.0);
            *live_channels |= y != 0.0;
        }
    }
    (zeros, live_channels)
}

/// The root mean square over the places of the difference between two images' outputs, channel by channel; nothing
/// unless there are two.
fn differences(y: &[f32], channels: usize, images: usize) -> Vec<f32> {
    if images != 2 {
        return Vec::new();
    }
    let (a, b) = y.split_at(y.len() / 2);
    let places = (a.len() / channels) as f64;
    let square = |channel: usize| {
        let pairs = a.iter().zip(b).skip(channel).step_by(channels);
        pairs.map(|(&a, &b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    (0..channels).map(|channel| (square(channel) / places).sqrt() as f32).collect()
}

/// Channels by their numbers, the largest first, of equal ones the first.
fn order(numbers: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[b].total_cmp(&numbers[a]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_by_channel_and_silence_is_counted() {
        // Two images of two places and two channels.
        let y = [1.0, 0.0, 3.0, 0.0, 1.0, 4.0, 0.0, 0.0];
        let found = differences(&y, 2, 2);
        assert_eq!(found, [(4.5_f64).sqrt() as f32, (8.0_f64).sqrt() as f32]);
        assert_eq!(order(&found), [1, 0]);
        assert!(differences(&y, 2, 1).is_empty());
        assert_eq!(count(&y[..4], 2), (2, vec![true, false]));
    }
}
