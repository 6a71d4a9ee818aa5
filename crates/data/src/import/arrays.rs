//! What sources of arrays have in common: the shapes of images, their values as bytes, labels as names.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::decode::resized;
use super::error::ImportError;
use super::{Labelled, Request};
use crate::set::Images;

/// Turns images that lie on their sides, and gives all parts of a source one shape: the one that is given, else the one that
/// the request says, else that of the first part.
pub(super) fn prepare(
    source: &Path,
    mut parts: Vec<Labelled>,
    request: &Request,
    shape: Option<[usize; 3]>,
    notes: &mut Vec<String>,
) -> Result<Vec<Labelled>, ImportError> {
    for part in &mut parts {
        if request.transposed {
            transpose(&mut part.images);
        }
    }
    let Some(first) = parts.first().map(|part| &part.images) else { return Ok(parts) };
    let to = shape.unwrap_or_else(|| {
        let [height, width] = request.size_of(Some([first.height, first.width]), notes);
        [height, width, request.channels.unwrap_or(first.channels)]
    });
    if let Some(other) = parts.iter().find(|part| part.images.channels > 3 || part.images.channels == 2) {
        let problem = format!("has images of {} channels", other.images.channels);
        return Err(ImportError::new(source, problem, "images are grey (1 channel) or in colour (3)"));
    }
    for part in &mut parts {
        let from = [part.images.height, part.images.width, part.images.channels];
        if from == to {
            continue;
        }
        let dim = to.iter().product::<usize>();
        let mut pixels = vec![0; part.images.count * dim];
        let images = &part.images;
        pixels.par_chunks_exact_mut(dim).enumerate().for_each(|(i, place)| {
            place.copy_from_slice(&resized(images.image(i), from, to, request.fit));
        });
        part.images = Images { count: images.count, height: to[0], width: to[1], channels: to[2], pixels };
    }
    Ok(parts)
}

fn transpose(images: &mut Images) {
    let (height, width, channels) = (images.height, images.width, images.channels);
    let dim = images.dim();
    let turned = |image: &[u8]| -> Vec<u8> {
        let pixel = |place: usize| &image[place * channels..][..channels];
        (0..width).flat_map(|x| (0..height).flat_map(move |y| pixel(y * width + x))).copied().collect()
    };
    images.pixels.par_chunks_exact_mut(dim.max(1)).for_each(|image| {
        let turned = turned(image);
        image.copy_from_slice(&turned);
    });
    (images.height, images.width) = (width, height);
}

/// Height, width and channels of `count` images in an array of this shape, the count first.
pub(super) fn image_shape(shape: &[usize]) -> Result<[usize; 3], String> {
    match *shape {
        [_, height, width] if height > 0 && width > 0 => Ok([height, width, 1]),
        [_, height, width, channels @ (1 | 3)] if height > 0 && width > 0 => Ok([height, width, channels]),
        // PyTorch has the channels first.
        [_, channels @ (1 | 3), height, width] if height > 3 && width > 3 => {
            Err(format!("has the channels first: {channels} × {height} × {width}"))
        }
        [_, pixels] => square(pixels).ok_or_else(|| {
            format!("has images of {pixels} values, which is no square; store them with height and width")
        }),
        _ => Err(format!(
            "has the shape {shape:?}, and images have [count, height, width] or [count, height, width, 3]"
        )),
    }
}

/// A square image of so many pixels, grey or in colour.
pub(super) fn square(pixels: usize) -> Option<[usize; 3]> {
    let side = |pixels: usize| Some(pixels.isqrt()).filter(|side| side * side == pixels && *side > 0);
    let colour = pixels.is_multiple_of(3).then(|| side(pixels / 3)).flatten();
    side(pixels).map(|side| [side, side, 1]).or(colour.map(|side| [side, side, 3]))
}

/// Numbers as bytes: from 0 to 1, to 16 (as in scikit-learn's digits) or to 255, by the largest of all. The second is what
/// they were taken for where they had to be stretched.
pub(super) fn to_bytes(values: &[f64]) -> Result<(Vec<u8>, Option<f64>), String> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for (place, &value) in values.iter().enumerate() {
        if !value.is_finite() {
            return Err(format!("has a pixel that is no finite number: value {place} is {value}"));
        }
        (low, high) = (low.min(value), high.max(value));
    }
    if values.is_empty() {
        return Ok((Vec::new(), None));
    }
    if low < 0.0 || high > 255.0 {
        return Err(format!("has pixels from {low} to {high}, and pixels are 0 to 1, 0 to 16 or 0 to 255"));
    }
    let top = [1.0, 16.0, 255.0].into_iter().find(|top| high <= *top).unwrap_or(255.0);
    let bytes = values.iter().map(|value| (255.0 * value / top).round() as u8).collect();
    Ok((bytes, (top < 255.0).then_some(top)))
}

/// What a person should know of numbers that were stretched.
pub(super) fn note_of_range(path: &Path, top: f64) -> String {
    format!("The pixels in `{}` go up to {top} and were multiplied by {:.4}.", path.display(), 255.0 / top)
}

/// The names that occur among labels, and each label as an index into them.
pub(super) fn index(labels: impl Iterator<Item = String>) -> (Vec<String>, Vec<usize>) {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = Vec::new();
    let labels = labels.map(|label| {
        *known.entry(label).or_insert_with_key(|label| {
            names.push(label.clone());
            names.len() - 1
        })
    });
    let labels = labels.collect();
    (names, labels)
}

/// The name of a class that a number stands for: a whole number from 0.
pub(super) fn label_name(value: f64) -> Result<String, String> {
    if value.fract() == 0.0 && (0.0..=1e9).contains(&value) {
        return Ok(format!("{value:.0}"));
    }
    Err(format!("{value} is no label: labels are whole numbers from 0, or names"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_bytes_by_their_largest() {
        assert_eq!(to_bytes(&[0.0, 0.5, 1.0]), Ok((vec![0, 128, 255], Some(1.0))));
        assert_eq!(to_bytes(&[0.0, 8.0, 16.0]), Ok((vec![0, 128, 255], Some(16.0))));
        assert_eq!(to_bytes(&[0.0, 17.0, 255.0]), Ok((vec![0, 17, 255], None)));
        assert_eq!(to_bytes(&[]), Ok((vec![], None)));
        for bad in [[-1.0, 3.0], [0.0, 256.0], [f64::NAN, 0.0], [f64::INFINITY, 0.0]] {
            assert!(to_bytes(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn shapes_of_images() {
        assert_eq!(image_shape(&[5, 64]), Ok([8, 8, 1]));
        assert_eq!(image_shape(&[5, 3072]), Ok([32, 32, 3]));
        assert_eq!(image_shape(&[5, 8, 9]), Ok([8, 9, 1]));
        assert_eq!(image_shape(&[5, 8, 9, 3]), Ok([8, 9, 3]));
        for bad in [&[5][..], &[5, 10], &[5, 3, 32, 32], &[5, 8, 9, 2], &[5, 0, 9], &[]] {
            assert!(image_shape(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_turned_image_is_turned_back() {
        let pixels = vec![1, 2, 3, 4, 5, 6];
        let mut images = Images { count: 1, height: 2, width: 3, channels: 1, pixels };
        transpose(&mut images);
        assert_eq!((images.height, images.width, &images.pixels[..]), (3, 2, &[1, 4, 2, 5, 3, 6][..]));
    }
}
