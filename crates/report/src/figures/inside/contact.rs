//! Some images of each class of a set.

use super::picture::Picture;
use super::strip::{Cell, Row, Strip};
use crate::Figure;

/// Images of a class.
pub struct ClassImages {
    /// The class.
    pub name: String,
    /// What the alternative text says of it: how many there are.
    pub told: String,
    /// Pixels of some of its images, each of shape [height, width, channels].
    pub images: Vec<Vec<u8>>,
}

/// A row of images for each class of a set; more than one figure where there are many.
pub fn contact_sheet(set: &str, classes: &[ClassImages], shape: [usize; 3]) -> Vec<Figure> {
    let cell = |pixels: &Vec<u8>| {
        let values: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        Cell::from(Picture::of(&values, shape))
    };
    let row = |class: &ClassImages| Row {
        label: class.name.clone(),
        cells: class.images.iter().map(cell).collect(),
        told: class.told.clone(),
    };
    let strip = Strip { rows: classes.iter().map(row).collect(), most: 44.0, ..Strip::default() };
    strip.figures("contact_sheet".into(), &format!("Images of {set}, a row for each class"))
}
