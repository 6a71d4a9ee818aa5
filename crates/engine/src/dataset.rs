//! Images with labels, as slices that are read batch by batch.

use crate::labels::Labels;

/// Images, [n, dim], image after image, the last index the fastest.
#[derive(Debug, Clone, Copy)]
pub enum Pixels<'a> {
    /// Bytes, which networks take as x/255.
    Bytes(&'a [u8]),
    /// Numbers, which networks take as they are.
    Floats(&'a [f32]),
}

impl Pixels<'_> {
    /// Number of values in all images.
    pub fn len(&self) -> usize {
        match self {
            Pixels::Bytes(bytes) => bytes.len(),
            Pixels::Floats(floats) => floats.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies values from number `start` on to `x`, bytes as x/255.
    ///
    /// # Panics
    /// If there are fewer values.
    pub fn read(&self, start: usize, x: &mut [f32]) {
        let range = start..start + x.len();
        match self {
            Pixels::Bytes(bytes) => normalize_pixels(&bytes[range], x),
            Pixels::Floats(floats) => x.copy_from_slice(&floats[range]),
        }
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> From<&'a T> for Pixels<'a> {
    fn from(bytes: &'a T) -> Self {
        Pixels::Bytes(bytes.as_ref())
    }
}

/// Images with labels for every head.
#[derive(Debug, Clone, Copy)]
pub struct Dataset<'a> {
    /// Images, shape [n, dim].
    pub pixels: Pixels<'a>,
    /// Labels of each head.
    pub labels: HeadLabels<'a>,
}

/// The labels of each head of a network.
#[derive(Debug, Clone, Copy)]
pub enum HeadLabels<'a> {
    /// Classes as bytes, `[n]` for each head.
    Bytes(&'a [&'a [u8]]),
    /// Labels of any kind.
    Any(&'a [Labels<'a>]),
}

impl<'a> HeadLabels<'a> {
    /// The labels of a head, by its number.
    ///
    /// # Panics
    /// If there is no such head.
    pub fn of(&self, head: usize) -> Labels<'a> {
        match self {
            HeadLabels::Bytes(labels) => Labels::Bytes(labels[head]),
            HeadLabels::Any(labels) => labels[head],
        }
    }
}

impl<'a> Dataset<'a> {
    /// Images with a class for each head, as bytes, `[n]` for each.
    pub fn new(pixels: impl Into<Pixels<'a>>, labels: &'a [&'a [u8]]) -> Self {
        Dataset { pixels: pixels.into(), labels: HeadLabels::Bytes(labels) }
    }

    /// Images with labels of any kind for each head.
    pub fn with_labels(pixels: impl Into<Pixels<'a>>, labels: &'a [Labels<'a>]) -> Self {
        Dataset { pixels: pixels.into(), labels: HeadLabels::Any(labels) }
    }
}

impl Dataset<'_> {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.of(0).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Converts pixels from bytes to x/255, `x` being as long as `pixels`.
///
/// # Panics
/// If the lengths differ.
pub fn normalize_pixels(pixels: &[u8], x: &mut [f32]) {
    assert_eq!(pixels.len(), x.len(), "a number for every pixel");
    for (x, &pixel) in x.iter_mut().zip(pixels) {
        *x = f32::from(pixel) / 255.0;
    }
}
