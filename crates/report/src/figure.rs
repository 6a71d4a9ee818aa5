//! What a figure is, whoever draws it.

/// A figure: an SVG image, and what a reader who cannot see it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// File name without its ending.
    pub name: String,
    /// The image; one user unit is one point.
    pub svg: String,
    /// Alternative text: what the image shows, in a sentence or two, with its main numbers.
    pub alt: String,
}
