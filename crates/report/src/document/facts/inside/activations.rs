//! Facts of what a network makes of images: silence, differences, saliency.

use inkling_schema::ImageChoice;
use inkling_schema::outcome::{ActivationLayer, DataSetFacts, LookedAt};
use serde::Serialize;

use crate::ActivationsResults;
use inkling_statistics::mean;

/// Share of zeros up to which a layer is not called sparse.
const FEW: f64 = 0.005;

#[derive(Debug, Serialize)]
pub(super) struct ActivationsFacts<'a> {
    images: Vec<ImageFacts<'a>>,
    /// Whether the images are the typical ones of their classes, and classified correctly.
    typical: bool,
    layers: Vec<LayerFacts<'a>>,
    /// Number of the layer with the largest share of zeros over the test images; `None` without a data set.
    sparsest: Option<usize>,
    /// Whether every layer has a larger share of zeros than the one before it.
    ever_sparser: bool,
    /// Channels that are dead, over all layers; `None` without a data set.
    dead: Option<usize>,
    channels: usize,
    /// Number of the first layer whose channels are all dead: what comes after it is the same for every image.
    extinct: Option<usize>,
    saliency: SaliencyFacts,
}

#[derive(Debug, Serialize)]
struct ImageFacts<'a> {
    name: &'a str,
    /// Its class, or what it is taken for.
    class: &'a str,
}

#[derive(Debug, Serialize)]
struct LayerFacts<'a> {
    number: usize,
    #[serde(flatten)]
    layer: &'a ActivationLayer,
    /// The fewest channels that hold half of the squared difference between two images; `None` unless there are two.
    half: Option<usize>,
}

#[derive(Debug, Serialize)]
struct SaliencyFacts {
    steps: usize,
    /// How far the sums of integrated gradients are from the differences of logits, as a share of these: the largest.
    completeness_error: f64,
    /// Share of the gradient's absolute sum that lies on black pixels, on average over the images.
    gradient_on_black: Option<f64>,
}

impl<'a> ActivationsFacts<'a> {
    pub(super) fn new(found: &'a ActivationsResults, data: &'a DataSetFacts) -> Self {
        let class = |number: usize| data.classes.get(number).map_or("?", String::as_str);
        let (images, layers) = (&found.outcome.images, &found.outcome.layers);
        let zeros: Vec<f64> = layers.iter().filter_map(|layer| layer.zeros).collect();
        // Without ReLU hardly anything is zero.
        let sparse = layers.iter().zip(1..).filter_map(|(layer, number)| Some((number, layer.zeros?)));
        let sparsest = sparse.filter(|(_, zeros)| *zeros > FEW).max_by(|p, q| p.1.total_cmp(&q.1));
        let dead: Vec<usize> = layers.iter().filter_map(|layer| layer.dead).collect();
        let extinct = layers.iter().position(|layer| layer.dead == Some(layer.shape[2]));
        let image = |image: &'a LookedAt| ImageFacts {
            name: &image.name,
            class: class(image.class.unwrap_or(image.predicted)),
        };
        let layer = |(place, layer): (usize, &'a ActivationLayer)| LayerFacts {
            number: place + 1,
            layer,
            half: found.differences.get(place).and_then(|differences| half(differences)),
        };
        ActivationsFacts {
            images: images.iter().map(image).collect(),
            typical: found.spec.images.iter().all(|image| matches!(image, ImageChoice::Typical { .. }))
                && images.iter().all(|image| image.class == Some(image.predicted)),
            layers: layers.iter().enumerate().map(layer).collect(),
            sparsest: sparsest.map(|(number, _)| number),
            ever_sparser: zeros.len() > 1 && zeros.is_sorted_by(|p, q| p < q),
            dead: (!dead.is_empty()).then(|| dead.iter().sum()),
            channels: layers.iter().map(|layer| layer.shape[2]).sum(),
            extinct: extinct.map(|place| place + 1),
            saliency: SaliencyFacts {
                steps: found.spec.integration_steps,
                completeness_error: images.iter().map(completeness_error).fold(0.0, f64::max),
                gradient_on_black: gradient_on_black(found),
            },
        }
    }
}

/// The fewest channels that hold half of the sum of squares; `None` where it is zero.
fn half(differences: &[f32]) -> Option<usize> {
    let mut squares: Vec<f64> = differences.iter().map(|&d| f64::from(d).powi(2)).collect();
    squares.sort_unstable_by(|p, q| q.total_cmp(p));
    let all: f64 = squares.iter().sum();
    let sums = squares.iter().scan(0.0, |sum, square| {
        *sum += square;
        Some(*sum)
    });
    let reached = sums.take_while(|sum| *sum < 0.5 * all).count() + 1;
    (all > 0.0).then_some(reached)
}

fn completeness_error(image: &LookedAt) -> f64 {
    let due = image.logit - image.black_logit;
    (image.integrated_sum - due).abs() / due.abs().max(1e-9)
}

fn gradient_on_black(found: &ActivationsResults) -> Option<f64> {
    let shares = (0..found.outcome.images.len()).filter_map(|image| {
        let (mut black, mut all) = (0.0, 0.0);
        for (pixel, slope) in found.images.get(image).iter().zip(found.gradient.get(image)) {
            let slope = f64::from(slope.abs());
            all += slope;
            black += if *pixel == 0.0 { slope } else { 0.0 };
        }
        (all > 0.0).then_some(black / all)
    });
    mean(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_squares_lies_in_the_largest() {
        assert_eq!(half(&[1.0, 1.0, 1.0, 1.0]), Some(2));
        assert_eq!(half(&[0.1, 3.0, 0.2]), Some(1));
        assert_eq!(half(&[0.0, 0.0]), None);
    }

    #[test]
    fn completeness_is_measured_against_the_difference_of_logits() {
        let image = LookedAt {
            name: String::new(),
            index: None,
            class: None,
            target: 0,
            logit: 9.0,
            probability: 1.0,
            predicted: 0,
            black_logit: -1.0,
            integrated_sum: 9.9,
        };
        assert!((completeness_error(&image) - 0.01).abs() < 1e-12);
    }
}
