//! Figures as PNG files, for slides and texts that take no SVG: 300 dots to the inch, in the report's own fonts.

use std::sync::Arc;

use rayon::prelude::*;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{Options, Tree};

use crate::document::printable::Printable;
use crate::{Figure, ReportError};

const DOTS_PER_INCH: f32 = 300.0;
const POINTS_PER_INCH: f32 = 72.0;
const METRES_PER_INCH: f32 = 0.0254;

/// The figures as PNG files, in their order, each or why it could not be made. The fonts are those of the report, so the same
/// figures give the same bytes wherever the report would. The error is [`ReportError::Figure`], which only a broken figure can cause.
pub fn rasterise(figures: &[Figure]) -> Vec<Result<Vec<u8>, ReportError>> {
    let printable = Printable::new(figures.iter().map(|figure| figure.svg.as_str()));
    let mut fonts = Database::new();
    for font in &printable.fonts {
        fonts.load_font_source(Source::Binary(Arc::new(font.data().clone())));
    }
    // At 72 units to the inch, the unit of the drawing is the point.
    let options = Options { dpi: POINTS_PER_INCH, fontdb: Arc::new(fonts), ..Options::default() };
    figures.par_iter().map(|figure| png(figure, &printable.clean(&figure.svg), &options)).collect()
}

/// A figure on white paper.
fn png(figure: &Figure, svg: &str, options: &Options) -> Result<Vec<u8>, ReportError> {
    let failed = |problem: String| ReportError::Figure { name: figure.name.clone(), problem };
    let tree = Tree::from_str(svg, options).map_err(|error| failed(error.to_string()))?;
    let scale = DOTS_PER_INCH / POINTS_PER_INCH;
    let side = |points: f32| (points * scale).ceil() as u32;
    let (width, height) = (side(tree.size().width()), side(tree.size().height()));
    let mut paper = Pixmap::new(width, height).ok_or_else(|| failed("it has no size".into()))?;
    paper.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut paper.as_mut());
    // On opaque paper nothing is left of transparency.
    let pixels: Vec<[u8; 3]> = paper.pixels().iter().map(|p| [p.red(), p.green(), p.blue()]).collect();
    drop(paper);
    encode(width, height, &pixels).map_err(|error| failed(error.to_string()))
}

fn encode(width: u32, height: u32, pixels: &[[u8; 3]]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let per_metre = (DOTS_PER_INCH / METRES_PER_INCH).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: png::Unit::Meter,
    }));
    match few_colours(pixels) {
        Some((palette, places)) => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(palette.as_flattened().to_vec());
            // Neighbouring places in a palette are no neighbouring colours, so differences would only add noise.
            encoder.set_filter(png::Filter::NoFilter);
            encoder.write_header()?.write_image_data(&places)?;
        }
        None => {
            encoder.set_color(png::ColorType::Rgb);
            encoder.write_header()?.write_image_data(pixels.as_flattened())?;
        }
    }
    Ok(file)
}

/// The colours in order, and each pixel's place among them, where a byte can hold it: a third of the bytes to compress.
fn few_colours(pixels: &[[u8; 3]]) -> Option<(Vec<[u8; 3]>, Vec<u8>)> {
    let mut palette: Vec<[u8; 3]> = Vec::new();
    for run in pixels.chunk_by(|a, b| a == b) {
        if let Err(place) = palette.binary_search(&run[0]) {
            if palette.len() == 256 {
                return None;
            }
            palette.insert(place, run[0]);
        }
    }
    let mut places = Vec::with_capacity(pixels.len());
    for run in pixels.chunk_by(|a, b| a == b) {
        let place = palette.binary_search(&run[0]).expect("every colour is in the palette");
        places.extend(std::iter::repeat_n(place as u8, run.len()));
    }
    Some((palette, places))
}

#[cfg(test)]
mod tests;
