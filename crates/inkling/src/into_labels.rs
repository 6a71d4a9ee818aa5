//! Labels for one head or for several.

use inkling_engine::Labels;

/// What a network of one head or several can be trained on: classes as bytes or [`Labels`] for one head, or a list of
/// [`Labels`] with one entry for each head.
pub trait IntoLabels<'a> {
    /// Labels for each head.
    fn into_labels(self) -> Vec<Labels<'a>>;
}

impl<'a> IntoLabels<'a> for &'a [u8] {
    fn into_labels(self) -> Vec<Labels<'a>> {
        vec![self.into()]
    }
}

impl<'a> IntoLabels<'a> for &'a Vec<u8> {
    fn into_labels(self) -> Vec<Labels<'a>> {
        vec![self.into()]
    }
}

impl<'a> IntoLabels<'a> for Labels<'a> {
    fn into_labels(self) -> Vec<Labels<'a>> {
        vec![self]
    }
}

impl<'a> IntoLabels<'a> for &[Labels<'a>] {
    fn into_labels(self) -> Vec<Labels<'a>> {
        self.to_vec()
    }
}

impl<'a, const N: usize> IntoLabels<'a> for [Labels<'a>; N] {
    fn into_labels(self) -> Vec<Labels<'a>> {
        self.to_vec()
    }
}
