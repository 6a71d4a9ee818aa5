//! Images and labels in memory: the samples of a set, and limits on them.

use crate::catalogue::SetInfo;
use crate::import::{Fit, Imported};

/// What is to be known of an image set, wherever it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The name that a study uses.
    pub name: String,
    /// The name to print.
    pub title: String,
    /// Height, width and channels of an image.
    pub shape: [usize; 3],
    /// Class names; a label is an index into them.
    pub classes: Vec<String>,
    /// Training images and test images of the whole set.
    pub images: [usize; 2],
    /// How an image of another shape gets this one.
    pub fit: Fit,
}

impl From<&SetInfo> for About {
    fn from(info: &SetInfo) -> About {
        About {
            name: info.name.into(),
            title: info.title.into(),
            shape: info.shape,
            classes: info.classes.iter().map(|&class| class.into()).collect(),
            images: [info.train_count, info.test_count],
            // Drawings keep their proportions.
            fit: Fit::Pad,
        }
    }
}

impl From<Imported> for DataSet {
    fn from(set: Imported) -> DataSet {
        let checksum = set.checksum();
        let images = &set.train.images;
        let about = About {
            title: set.name.clone(),
            name: set.name,
            shape: [images.height, images.width, images.channels],
            classes: set.classes,
            images: [set.train.len(), set.test.len()],
            fit: set.fit,
        };
        DataSet { about, train: set.train, test: set.test, validation: set.validation, checksum }
    }
}

/// An image set: what is known about it, and its training and test samples.
#[derive(Debug)]
pub struct DataSet {
    /// Names and shape.
    pub about: About,
    /// The samples to fit a model on.
    pub train: Samples,
    /// The samples to judge it by.
    pub test: Samples,
    /// The samples to choose by that the set has of its own, if it has some.
    pub validation: Option<Samples>,
    /// Identifies every byte of the set; see [`SetInfo::checksum`] and [`Imported::checksum`].
    pub checksum: String,
}

/// Images and the class of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    /// `N` images.
    pub images: Images,
    /// `N` class labels.
    pub labels: Vec<u8>,
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The first `limit` samples, or all of them where there are fewer.
    #[must_use]
    pub fn take(mut self, limit: usize) -> Self {
        self.images.count = self.images.count.min(limit);
        self.images.pixels.truncate(self.images.count * self.images.dim());
        self.labels.truncate(limit);
        self
    }

    /// These samples and others of the same shape, one after the other.
    #[must_use]
    pub fn join(mut self, other: Samples) -> Samples {
        self.images.count += other.images.count;
        self.images.pixels.extend(other.images.pixels);
        self.labels.extend(other.labels);
        self
    }

    /// The samples of two classes, in order: pixels of shape `n × dim`, and −1 for each image of `a`, 1 for each of `b`.
    pub fn pair(&self, a: u8, b: u8) -> (Vec<u8>, Vec<i8>) {
        let chosen = || (0..self.len()).filter(|&index| [a, b].contains(&self.labels[index]));
        let pixels = chosen().flat_map(|index| self.images.image(index)).copied().collect();
        (pixels, chosen().map(|index| if self.labels[index] == b { 1 } else { -1 }).collect())
    }
}

/// Images of one shape, kept as bytes: `count × height × width × channels`, the last index the fastest
/// (NHWC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Number of images, `N`.
    pub count: usize,
    /// Rows of an image, `H`.
    pub height: usize,
    /// Columns of an image, `W`.
    pub width: usize,
    /// Channels of a pixel, `C`.
    pub channels: usize,
    /// `N·H·W·C` values, 0 the background.
    pub pixels: Vec<u8>,
}

impl Images {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Number of values in one image: height × width × channels.
    pub fn dim(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Mean brightness, from 0 to 1, of the outermost pixels of all images and of all pixels.
    pub fn brightness(&self) -> [f64; 2] {
        let row = self.width * self.channels;
        let is_outermost = |value: usize| {
            let (y, x) = (value / row, value % row / self.channels);
            y == 0 || y + 1 == self.height || x == 0 || x + 1 == self.width
        };
        let (mut border, mut whole) = ([0_u64; 2], [0_u64; 2]);
        let outermost: Vec<bool> = (0..self.dim()).map(is_outermost).collect();
        for image in self.pixels.chunks_exact(self.dim().max(1)) {
            for (&value, &outermost) in image.iter().zip(&outermost) {
                whole = [whole[0] + u64::from(value), whole[1] + 1];
                if outermost {
                    border = [border[0] + u64::from(value), border[1] + 1];
                }
            }
        }
        [border, whole].map(|[sum, count]| sum as f64 / count.max(1) as f64 / 255.0)
    }

    /// The `index`-th image, `dim()` values.
    ///
    /// # Panics
    /// If `index` is not below `len()`.
    pub fn image(&self, index: usize) -> &[u8] {
        let dim = self.dim();
        &self.pixels[index * dim..][..dim]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Samples {
        let images =
            Images { count: 4, height: 1, width: 2, channels: 1, pixels: vec![0, 1, 2, 3, 4, 5, 255, 51] };
        Samples { images, labels: vec![7, 1, 9, 7] }
    }

    #[test]
    fn an_image_is_its_own_slice_of_the_pixels() {
        let images = samples().images;
        assert_eq!(images.image(1), [2, 3]);
        assert_eq!((images.len(), images.dim()), (4, 2));
    }

    #[test]
    fn a_limit_keeps_the_first_samples_and_their_labels() {
        let first = samples().take(3);
        assert_eq!((first.len(), first.images.len()), (3, 3));
        assert_eq!(first.images.pixels, [0, 1, 2, 3, 4, 5]);
        assert_eq!(first.labels, [7, 1, 9]);
        assert_eq!(samples().take(100), samples());
        assert!(samples().take(0).is_empty());
    }

    #[test]
    fn a_pair_of_classes_keeps_the_order_and_labels_it() {
        assert_eq!(samples().pair(7, 9), (vec![0, 1, 4, 5, 255, 51], vec![-1, 1, -1]));
        assert_eq!(samples().pair(0, 2), (vec![], vec![]));
    }
}
