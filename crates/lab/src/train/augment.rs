//! Random changes of the images of a batch: each image gets its own, by the run's seed, the epoch and its place in the epoch, so
//! that neither threads nor interruptions change a bit.

use inkling_data::Images;
use inkling_engine::random::RngStream;
use inkling_schema::AugmentationSpec;
use rayon::prelude::*;

/// Words that an image may draw from the stream beside the two for the noise of each value.
const WORDS: u128 = 16;

/// Makes changed copies of images.
pub(crate) struct Augmenter {
    spec: AugmentationSpec,
    stream: RngStream,
    /// Pixels of a batch, changed.
    pub(crate) pixels: Vec<u8>,
}

/// A map from places of the changed image to those of the original, by rows and columns from the middle.
struct Affine {
    matrix: [[f64; 2]; 2],
    offset: [f64; 2],
}

impl Augmenter {
    pub(crate) fn new(spec: AugmentationSpec, seed: u64) -> Augmenter {
        Augmenter { spec, stream: RngStream::new(seed, "augmentation"), pixels: Vec::new() }
    }

    /// Leaves in `pixels` a changed copy of each image of a batch, which begins at place `first` of the images of all epochs.
    pub(crate) fn change(&mut self, images: &Images, batch: &[u32], first: usize) {
        let dim = images.dim();
        self.pixels.resize(batch.len() * dim, 0);
        let (spec, stream) = (&self.spec, &self.stream);
        let each = 2 * dim as u128 + WORDS;
        self.pixels.par_chunks_exact_mut(dim).zip(batch).enumerate().for_each(|(i, (changed, &index))| {
            let mut stream = stream.clone();
            stream.seek((first + i) as u128 * each);
            change(spec, images, images.image(index as usize), &mut stream, changed);
        });
    }
}

/// A changed copy of an image.
fn change(
    spec: &AugmentationSpec,
    images: &Images,
    image: &[u8],
    stream: &mut RngStream,
    changed: &mut [u8],
) {
    let affine = Affine::draw(spec, stream);
    let (height, width, channels) = (images.height, images.width, images.channels);
    let middle = [(height as f64 - 1.0) / 2.0, (width as f64 - 1.0) / 2.0];
    for y in 0..height {
        for x in 0..width {
            let [row, column] = affine.at([y as f64 - middle[0], x as f64 - middle[1]]);
            let place = [(row + middle[0], height), (column + middle[1], width)];
            let [(top, bottom, down), (left, right, across)] = place.map(|(at, side)| between(at, side));
            for channel in 0..channels {
                let value =
                    |row: usize, column: usize| f64::from(image[(row * width + column) * channels + channel]);
                let upper = value(top, left) * (1.0 - across) + value(top, right) * across;
                let lower = value(bottom, left) * (1.0 - across) + value(bottom, right) * across;
                let mut value = upper * (1.0 - down) + lower * down;
                if spec.noise > 0.0 {
                    value += 255.0 * spec.noise * stream.normal();
                }
                changed[(y * width + x) * channels + channel] = value.round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

/// The two pixels of a side between which a place lies, and how near it is to the second; at an edge, its pixel twice.
fn between(at: f64, side: usize) -> (usize, usize, f64) {
    let at = at.clamp(0.0, side as f64 - 1.0);
    let first = at.floor() as usize;
    (first, (first + 1).min(side - 1), at - at.floor())
}

impl Affine {
    fn draw(spec: &AugmentationSpec, stream: &mut RngStream) -> Affine {
        let mut up_to = |most: f64| most * (2.0 * f64::from(stream.uniform()) - 1.0);
        let offset = [up_to(spec.shift), up_to(spec.shift)];
        let (angle, factor) = (up_to(spec.rotation).to_radians(), 1.0 + up_to(spec.scale));
        let flipped = spec.flip && up_to(1.0) < 0.0;
        // From libm, which gives the same bits on every machine.
        let (sin, cos) = (libm::sin(angle) / factor, libm::cos(angle) / factor);
        let side = if flipped { -1.0 } else { 1.0 };
        Affine { matrix: [[cos, -sin], [side * sin, side * cos]], offset }
    }

    fn at(&self, [row, column]: [f64; 2]) -> [f64; 2] {
        let [row, column] = [row - self.offset[0], column - self.offset[1]];
        self.matrix.map(|[of_row, of_column]| of_row * row + of_column * column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: AugmentationSpec =
        AugmentationSpec { shift: 0.0, rotation: 0.0, scale: 0.0, flip: false, noise: 0.0 };

    fn images() -> Images {
        let pixels = (0..3 * 8 * 6 * 3).map(|i| (i * 37 % 251) as u8).collect();
        Images { count: 3, height: 8, width: 6, channels: 3, pixels }
    }

    fn changed(spec: AugmentationSpec, batch: &[u32], first: usize) -> Vec<u8> {
        let mut augmenter = Augmenter::new(spec, 7);
        augmenter.change(&images(), batch, first);
        augmenter.pixels
    }

    #[test]
    fn nothing_that_is_asked_for_changes_nothing() {
        assert_eq!(changed(NONE, &[2, 0], 5), [images().image(2), images().image(0)].concat());
    }

    #[test]
    fn an_image_is_changed_by_its_place_alone() {
        let spec = AugmentationSpec { shift: 2.0, rotation: 20.0, scale: 0.2, flip: true, noise: 0.1 };
        let dim = images().dim();
        let all = changed(spec, &[0, 1, 2, 0], 40);
        // In whatever batches.
        assert_eq!(all[2 * dim..], changed(spec, &[2, 0], 42));
        // And the same image otherwise elsewhere.
        assert_ne!(all[..dim], all[3 * dim..]);
    }

    #[test]
    fn a_flip_exchanges_left_and_right_in_half_of_the_cases() {
        let spec = AugmentationSpec { flip: true, ..NONE };
        let mirrored = |image: &[u8]| -> Vec<u8> {
            let rows = image.chunks(6 * 3);
            rows.flat_map(|row| row.chunks(3).rev().flatten().copied().collect::<Vec<u8>>()).collect()
        };
        let (image, dim) = (images().image(1).to_vec(), images().dim());
        let all = changed(spec, &[1; 200], 0);
        let flipped = all.chunks(dim).filter(|&found| found == mirrored(&image)).count();
        let kept = all.chunks(dim).filter(|&found| found == image).count();
        assert_eq!(flipped + kept, 200);
        assert!((70..130).contains(&flipped), "{flipped}");
    }

    #[test]
    fn a_shift_moves_and_never_goes_further_than_it_says() {
        let mut images = Images { count: 1, height: 21, width: 21, channels: 1, pixels: vec![0; 441] };
        images.pixels[10 * 21 + 10] = 255;
        let mut augmenter = Augmenter::new(AugmentationSpec { shift: 3.0, ..NONE }, 1);
        let mut furthest = 0;
        for first in 0..100 {
            augmenter.change(&images, &[0], first);
            let lit = (0..441).filter(|&i| augmenter.pixels[i] > 0);
            for (row, column) in lit.map(|i| (i / 21, i % 21)) {
                furthest = furthest.max(row.abs_diff(10)).max(column.abs_diff(10));
            }
        }
        assert_eq!(furthest, 3);
    }

    #[test]
    fn noise_has_the_deviation_that_it_says() {
        let images = Images { count: 1, height: 50, width: 50, channels: 1, pixels: vec![128; 2500] };
        let mut augmenter = Augmenter::new(AugmentationSpec { noise: 0.1, ..NONE }, 1);
        augmenter.change(&images, &[0], 0);
        let squares = augmenter.pixels.iter().map(|&value| (f64::from(value) - 128.0).powi(2));
        let deviation = (squares.sum::<f64>() / 2500.0).sqrt() / 255.0;
        assert!((deviation - 0.1).abs() < 0.006, "{deviation}");
    }
}
