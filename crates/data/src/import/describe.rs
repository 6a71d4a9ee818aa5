//! What a set is like: its classes, its brightness, and images that it has twice.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Serialize;

use super::Imported;
use super::decode::{Fit, resized};
use crate::set::{Images, Samples};

/// A set in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// Height, width and channels of an image.
    pub shape: [usize; 3],
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Training images of each class.
    pub train: Vec<usize>,
    /// Test images of each class.
    pub test: Vec<usize>,
    /// Validation images of each class, where the source has some.
    pub validation: Option<Vec<usize>>,
    /// Share of the commonest class among the test images: what always naming it would get right.
    pub majority: f64,
    /// Mean of each channel over the training images, from 0 to 1.
    pub mean: Vec<f64>,
    /// Standard deviation of each channel over the training images.
    pub deviation: Vec<f64>,
    /// Images that are there more than once.
    pub duplicates: Duplicates,
}

/// Images that are equal, or all but equal, to an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Duplicates {
    /// Training images that equal another training image.
    pub within_train: usize,
    /// Test images that equal another test image.
    pub within_test: usize,
    /// Test images that equal a training image: what is learned by heart counts as understood.
    pub across: usize,
    /// Equal images of different classes.
    pub contradictory: usize,
    /// Training images that are all but equal to another, and not equal.
    pub near_within_train: usize,
    /// Test images that are all but equal to a training image, and not equal.
    pub near_across: usize,
    /// Some pairs of files: of a test and a training image that are equal or all but equal.
    pub examples: Vec<[PathBuf; 2]>,
}

/// Describes a set.
pub fn describe(set: &Imported) -> Description {
    let counts = |part: &Samples| {
        let mut counts = vec![0; set.classes.len()];
        part.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        counts
    };
    let test = counts(&set.test);
    let (mean, deviation) = moments(&set.train.images);
    let images = &set.train.images;
    Description {
        shape: [images.height, images.width, images.channels],
        classes: set.classes.clone(),
        train: counts(&set.train),
        majority: test.iter().max().copied().unwrap_or(0) as f64 / set.test.len().max(1) as f64,
        test,
        validation: set.validation.as_ref().map(counts),
        mean,
        deviation,
        duplicates: duplicates(set),
    }
}

/// Mean and standard deviation of each channel, as shares of white.
fn moments(images: &Images) -> (Vec<f64>, Vec<f64>) {
    let of_channel = |channel: usize| {
        let mut histogram = [0_u64; 256];
        let values = images.pixels.iter().skip(channel).step_by(images.channels);
        values.for_each(|&value| histogram[usize::from(value)] += 1);
        let count = histogram.iter().sum::<u64>().max(1) as f64;
        let moment = |of: &dyn Fn(f64) -> f64| -> f64 {
            let terms =
                histogram.iter().enumerate().map(|(value, &times)| times as f64 * of(value as f64 / 255.0));
            terms.sum::<f64>() / count
        };
        let mean = moment(&|value| value);
        (mean, moment(&|value| (value - mean).powi(2)).sqrt())
    };
    (0..images.channels).map(of_channel).unzip()
}

/// Bits of a [`difference_hash`] by which two images that are all but equal may differ, and how often they are looked up.
const BITS: u32 = 3;
const BANDS: u32 = BITS + 1;
/// The largest root mean square difference, as a share of white, of images that are all but equal.
const NEAR: f64 = 0.03;
/// Images with one part of a hash that are compared with each: on a set of strokes many are alike.
const COMPARED: usize = 64;
/// Pairs that are named.
const EXAMPLES: usize = 5;

/// An image in a part of the set.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    in_test: bool,
    index: usize,
}

fn duplicates(set: &Imported) -> Duplicates {
    let mut found = Duplicates::default();
    let part = |in_test: bool| if in_test { &set.test } else { &set.train };
    let image = |place: Place| part(place.in_test).images.image(place.index);
    let label = |place: Place| part(place.in_test).labels[place.index];
    let file = |place: Place| set.files[usize::from(place.in_test)].get(place.index);
    let example = |found: &mut Duplicates, test: Place, train: Place| {
        if let (true, Some(test), Some(train)) = (found.examples.len() < EXAMPLES, file(test), file(train)) {
            found.examples.push([test.clone(), train.clone()]);
        }
    };
    // First all training images, so that a test image is compared with them.
    let places = [false, true]
        .into_iter()
        .flat_map(|in_test| (0..part(in_test).len()).map(move |index| Place { in_test, index }));
    let mut equal: HashMap<&[u8], Place> = HashMap::new();
    let mut bands: HashMap<(u32, u16), Vec<(u64, Place)>> = HashMap::new();
    for place in places {
        if let Some(&first) = equal.get(image(place)) {
            match (first.in_test, place.in_test) {
                (false, false) => found.within_train += 1,
                (false, true) => {
                    found.across += 1;
                    example(&mut found, place, first);
                }
                (true, _) => found.within_test += 1,
            }
            found.contradictory += usize::from(label(first) != label(place));
            continue;
        }
        equal.insert(image(place), place);
        let hash = difference_hash(image(place), &part(place.in_test).images);
        let near = (0..BANDS).find_map(|band| {
            let others = bands.get(&(band, (hash >> (16 * band)) as u16))?;
            others.iter().rev().take(COMPARED).find_map(|&(other, at)| {
                let alike = (other ^ hash).count_ones() <= BITS && distance(image(at), image(place)) <= NEAR;
                (alike && !at.in_test).then_some(at)
            })
        });
        if let Some(first) = near {
            if place.in_test {
                found.near_across += 1;
                example(&mut found, place, first);
            } else {
                found.near_within_train += 1;
            }
        }
        for band in 0..BANDS {
            bands.entry((band, (hash >> (16 * band)) as u16)).or_default().push((hash, place));
        }
    }
    found
}

/// Whether each of 8 × 8 pixels of a small image is brighter than its neighbour: bits that brightness and size hardly change
/// (Krawetz 2013, "dHash").
fn difference_hash(image: &[u8], of: &Images) -> u64 {
    let small = resized(image, [of.height, of.width, of.channels], [8, 9, 1], Fit::Stretch);
    let mut hash = 0;
    for row in small.chunks_exact(9) {
        for pair in row.windows(2) {
            hash = hash << 1 | u64::from(pair[0] < pair[1]);
        }
    }
    hash
}

/// Root mean square difference, as a share of white.
fn distance(a: &[u8], b: &[u8]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    (squares / a.len().max(1) as f64).sqrt() / 255.0
}
