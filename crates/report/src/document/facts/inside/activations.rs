//! Facts of what a network makes of images: silence, differences, saliency.

use inkling_schema::ImageChoice;
use inkling_schema::outcome::{DataSetFacts, LookedAt};
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
    test_images: usize,
    layers: Vec<LayerFacts>,
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
    predicted: &'a str,
    probability: f64,
}

#[derive(Debug, Serialize)]
struct LayerFacts {
    number: usize,
    shape: [usize; 3],
    dead: Option<usize>,
    zeros: Option<f64>,
    zeros_of: Vec<f64>,
    /// The fewest channels that hold half of the squared difference between two images; `None` unless there are two.
    half: Option<usize>,
    /// The channel that differs most.
    most: Option<usize>,
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
        let layers: Vec<LayerFacts> =
            (0..found.layers.len()).map(|place| LayerFacts::new(found, place)).collect();
        let zeros: Vec<f64> = layers.iter().filter_map(|layer| layer.zeros).collect();
        // Without ReLU hardly anything is zero.
        let sparsest = layers.iter().filter(|layer| layer.zeros.is_some_and(|zeros| zeros > FEW));
        let sparsest = sparsest.max_by(|p, q| p.zeros.unwrap_or(0.0).total_cmp(&q.zeros.unwrap_or(0.0)));
        let dead: Vec<usize> = layers.iter().filter_map(|layer| layer.dead).collect();
        ActivationsFacts {
            images: found
                .outcome
                .images
                .iter()
                .map(|image| ImageFacts {
                    name: &image.name,
                    class: class(image.class.unwrap_or(image.predicted)),
                    predicted: class(image.predicted),
                    probability: image.probability,
                })
                .collect(),
            typical: found.spec.images.iter().all(|image| matches!(image, ImageChoice::Typical { .. }))
                && found.outcome.images.iter().all(|image| image.class == Some(image.predicted)),
            test_images: found.outcome.test_images,
            sparsest: sparsest.map(|layer| layer.number),
            ever_sparser: zeros.len() > 1 && zeros.is_sorted_by(|p, q| p < q),
            dead: (!dead.is_empty()).then(|| dead.iter().sum()),
            extinct: layers.iter().find(|layer| layer.dead == Some(layer.shape[2])).map(|layer| layer.number),
            channels: found.outcome.layers.iter().map(|layer| layer.shape[2]).sum(),
            saliency: SaliencyFacts {
                steps: found.spec.integration_steps,
                completeness_error: found.outcome.images.iter().map(completeness_error).fold(0.0, f64::max),
                gradient_on_black: gradient_on_black(found),
            },
            layers,
        }
    }
}

impl LayerFacts {
    fn new(found: &ActivationsResults, place: usize) -> Self {
        let layer = &found.outcome.layers[place];
        let differences = found.differences.get(place);
        LayerFacts {
            number: place + 1,
            shape: layer.shape,
            dead: layer.dead,
            zeros: layer.zeros,
            zeros_of: layer.zeros_of.clone(),
            half: differences.and_then(|differences| half(differences)),
            most: layer.differing.first().copied(),
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
