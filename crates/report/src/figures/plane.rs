//! The plane of the first two principal components as data, for a reader who wants to walk about in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::colour;
use super::raster::{self, marker};
use super::scatter::{axis_title, ranges};
use crate::PcaResults;

/// Pictures side by side in the sheet that holds them all.
const COLUMNS: usize = 100;

/// The first of the training images as points of the plane, each with its picture.
#[derive(Debug, Serialize)]
pub(crate) struct Plane<'a> {
    set: &'a str,
    classes: Vec<Class<'a>>,
    /// What each axis is called.
    axes: [String; 2],
    /// Ends of each axis.
    ranges: [(f64, f64); 2],
    /// Base64 of both coordinates of each point as shares of their axes, 16-bit whole numbers with the low byte first.
    points: String,
    /// Base64 of the class of each point, a byte each.
    labels: String,
    /// All pictures in one PNG, row by row, as a data URL.
    sheet: String,
    /// Pictures in a row of the sheet.
    columns: usize,
    /// Pixels of a picture from left to right and from top to bottom.
    picture: [usize; 2],
}

#[derive(Debug, Serialize)]
struct Class<'a> {
    name: &'a str,
    /// As CSS writes it.
    colour: String,
    /// Corners of the marker, in multiples of its radius.
    marker: Vec<(f64, f64)>,
}

pub(crate) fn plane(pca: &PcaResults) -> Plane<'_> {
    let shown = pca.spec.pictures;
    let (width, height) = (pca.data.width, pca.data.height);
    let (x, y) = ranges(&pca.embedding);
    let share = |value: f64, (low, high): (f64, f64)| {
        (f64::from(u16::MAX) * (value - low) / (high - low)).round() as u16
    };
    let points: Vec<u8> = pca.embedding[..shown]
        .iter()
        .flat_map(|point| [share(point[0], x), share(point[1], y)])
        .flat_map(u16::to_le_bytes)
        .collect();
    let classes = pca.data.classes.iter().enumerate().map(|(label, name)| {
        let [red, green, blue] = colour::class(label);
        Class { name, colour: format!("#{red:02x}{green:02x}{blue:02x}"), marker: marker(label) }
    });
    let columns = COLUMNS.min(shown.max(1));
    Plane {
        set: &pca.data.title,
        classes: classes.collect(),
        axes: [axis_title(pca, 0), axis_title(pca, 1)],
        ranges: [x, y],
        points: STANDARD.encode(points),
        labels: STANDARD.encode(&pca.labels[..shown]),
        sheet: format!(
            "data:image/png;base64,{}",
            STANDARD.encode(sheet(&pca.pictures, [width, height, pca.data.channels], columns))
        ),
        columns,
        picture: [width, height],
    }
}

/// Pictures of shape [n, height, width, channels] side by side as a PNG, so many in a row; what is left of the last row is black.
pub fn sheet(pictures: &[u8], [width, height, channels]: [usize; 3], columns: usize) -> Vec<u8> {
    let line_of_picture = width * channels;
    let row_of_pictures = columns * line_of_picture * height;
    let rows = pictures.len().div_ceil(row_of_pictures).max(1);
    let mut pixels = vec![0; rows * row_of_pictures];
    for (i, picture) in pictures.chunks_exact(line_of_picture * height).enumerate() {
        let start = i / columns * row_of_pictures + i % columns * line_of_picture;
        for (line, row) in picture.chunks_exact(line_of_picture).enumerate() {
            let at = start + line * columns * line_of_picture;
            pixels[at..at + line_of_picture].copy_from_slice(row);
        }
    }
    let colour = if channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb };
    raster::png(columns * width, &pixels, colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_holds_every_picture_at_its_place() {
        // Five pictures of 3 × 2 pixels, two in a row: three rows.
        let pictures: Vec<u8> = (0..5 * 6).collect();
        let png = sheet(&pictures, [3, 2, 1], 2);
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (6, 6));
        assert_eq!(pixels[..12], [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11]);
        assert_eq!(pixels[24..30], [24, 25, 26, 0, 0, 0]);
        // The same bytes as two pictures of 3 × 1 pixels in colour.
        let png = sheet(&pictures[..18], [3, 1, 3], 2);
        let info = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap().info().clone();
        assert_eq!((info.width, info.height, info.color_type), (6, 1, png::ColorType::Rgb));
    }
}
