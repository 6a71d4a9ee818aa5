//! Rasters: images enlarged to crisp blocks, clouds of anti-aliased markers, and their PNG.

use super::colour::{Rgb, WHITE};

/// Pixels to the inch at which clouds of points are drawn.
const CLOUD_RESOLUTION: f64 = 300.0;

/// Pixels to the inch that an enlarged image has at least; viewers that smooth pixels then leave its blocks crisp.
const BLOCK_RESOLUTION: f64 = 400.0;

const POINTS_PER_INCH: f64 = 72.0;

/// A marker may begin at any quarter of a pixel.
const PHASES: usize = 4;

/// A rectangle of pixels, row by row.
pub(super) struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<Rgb>,
}

impl Raster {
    /// An image of shape [height, width], each pixel enlarged to a block of whole pixels, to be shown `points` wide.
    pub(super) fn blocks(width: usize, pixels: impl IntoIterator<Item = Rgb>, points: f64) -> Raster {
        let block = block(width, points);
        let pixels: Vec<Rgb> = pixels.into_iter().collect();
        let height = pixels.len() / width;
        let mut enlarged = Vec::with_capacity(pixels.len() * block * block);
        for row in pixels.chunks_exact(width) {
            let wide: Vec<Rgb> = row.iter().flat_map(|&pixel| std::iter::repeat_n(pixel, block)).collect();
            (0..block).for_each(|_| enlarged.extend_from_slice(&wide));
        }
        Raster { width: width * block, height: height * block, pixels: enlarged }
    }

    /// Tiles of one size row by row, `columns` in each, with lines between and around them. Every tile is `points` wide,
    /// every line about `line` points; also the points of a pixel of the raster, by which it is to be shown.
    pub(super) fn mosaic(
        tiles: &[Vec<Rgb>],
        (width, columns): (usize, usize),
        (points, line): (f64, f64),
        between: Rgb,
    ) -> (Raster, f64) {
        let height = tiles.first().map_or(1, |tile| tile.len() / width);
        let block = block(width, points);
        let pixel = points / (width * block) as f64;
        let line = (line / pixel).round().max(1.0) as usize;
        let (wide, high) = (width * block + line, height * block + line);
        let rows = tiles.len().div_ceil(columns);
        let side = (columns * wide + line, rows * high + line);
        let mut raster = Raster { width: side.0, height: side.1, pixels: vec![between; side.0 * side.1] };
        for place in 0..rows * columns {
            let (left, top) = (place % columns * wide + line, place / columns * high + line);
            let tile = tiles.get(place);
            // Places that are left over look like paper, lines and all.
            let (right, bottom) = if tile.is_some() { (wide - line, high - line) } else { (wide, high) };
            for row in 0..bottom {
                for column in 0..right {
                    let colour = tile.map_or(WHITE, |tile| tile[row / block * width + column / block]);
                    raster.pixels[(top + row) * side.0 + left + column] = colour;
                }
            }
        }
        (raster, pixel)
    }

    /// Width and height in pixels.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// A white raster for a cloud of points, to be shown `width` × `height` points large.
    pub(super) fn cloud(width: f64, height: f64) -> Raster {
        let side = |points: f64| (points / POINTS_PER_INCH * CLOUD_RESOLUTION).round().max(1.0) as usize;
        let (width, height) = (side(width), side(height));
        Raster { width, height, pixels: vec![WHITE; width * height] }
    }

    /// Paints a marker centred at (x, y), each a share of the raster's width and height from the top left.
    pub(super) fn stamp(&mut self, (x, y): (f64, f64), stamp: &Stamp, colour: Rgb) {
        let phased = |share: f64, side: usize| (share * side as f64 * PHASES as f64).round() as i64;
        let (x, y) = (phased(x, self.width), phased(y, self.height));
        let phases = PHASES as i64;
        let mask = &stamp.masks[(y.rem_euclid(phases) * phases + x.rem_euclid(phases)) as usize];
        let (left, top) = (x.div_euclid(phases) - stamp.reach, y.div_euclid(phases) - stamp.reach);
        for (row, line) in (top..).zip(mask.chunks_exact(stamp.side())) {
            for (column, &cover) in (left..).zip(line) {
                let inside =
                    (0..self.width as i64).contains(&column) && (0..self.height as i64).contains(&row);
                if inside && cover > 0.0 {
                    let pixel = &mut self.pixels[row as usize * self.width + column as usize];
                    let mix =
                        |under: u8, over: u8| f32::from(under) + (f32::from(over) - f32::from(under)) * cover;
                    *pixel = std::array::from_fn(|channel| coarse(mix(pixel[channel], colour[channel])));
                }
            }
        }
    }

    /// The raster as a PNG file.
    pub(super) fn png(&self) -> Vec<u8> {
        png(self.width, self.pixels.as_flattened(), png::ColorType::Rgb)
    }
}

/// Pixels row by row as a PNG file.
pub(super) fn png(width: usize, pixels: &[u8], colour: png::ColorType) -> Vec<u8> {
    let height = pixels.len() / (width * colour.samples());
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header().expect("a picture has a side of at least a pixel");
    writer.write_image_data(pixels).expect("a vector takes all that is written");
    writer.finish().expect("a vector takes all that is written");
    file
}

/// Pixels across and along to which each pixel of an image so wide is enlarged, to be shown `points` wide.
fn block(width: usize, points: f64) -> usize {
    (points / POINTS_PER_INCH * BLOCK_RESOLUTION / width as f64).ceil().max(1.0) as usize
}

/// A channel in one of sixteen steps: nobody sees the difference in a crowd of markers, and the file is half as large.
fn coarse(channel: f32) -> u8 {
    (channel / 17.0).round() as u8 * 17
}

/// A marker of one size, ready to be painted: how much of each pixel it covers, from 0 to 1, for every phase.
pub(super) struct Stamp {
    reach: i64,
    masks: Vec<Vec<f32>>,
}

impl Stamp {
    /// The marker of a class, as large as a disc of this radius in points, and of this opacity.
    pub(super) fn new(label: usize, radius: f64, opacity: f32) -> Stamp {
        const SAMPLES: usize = 4;
        let radius = radius / POINTS_PER_INCH * CLOUD_RESOLUTION;
        let vertices: Vec<(f64, f64)> =
            marker(label).into_iter().map(|(x, y)| (x * radius, y * radius)).collect();
        let farthest = vertices.iter().map(|(x, y)| x.abs().max(y.abs())).fold(0.0, f64::max);
        let mut stamp = Stamp { reach: farthest.ceil() as i64 + 1, masks: Vec::new() };
        for phase in 0..PHASES * PHASES {
            let shift = |phase: usize| stamp.reach as f64 + phase as f64 / PHASES as f64;
            let (x, y) = (shift(phase % PHASES), shift(phase / PHASES));
            let covered = |column: usize, row: usize| {
                let sample = |pixel: usize, part: usize| pixel as f64 + (part as f64 + 0.5) / SAMPLES as f64;
                let hits = (0..SAMPLES * SAMPLES).filter(|part| {
                    let at = (sample(column, part % SAMPLES) - x, sample(row, part / SAMPLES) - y);
                    contains(&vertices, at)
                });
                opacity * hits.count() as f32 / (SAMPLES * SAMPLES) as f32
            };
            let side = stamp.side();
            let mask = (0..side * side).map(|pixel| covered(pixel % side, pixel / side)).collect();
            stamp.masks.push(mask);
        }
        stamp
    }

    fn side(&self) -> usize {
        2 * self.reach as usize + 1
    }
}

/// The marker of a class as a polygon about (0, 0), y downwards, with the area of the unit circle. Ten shapes that
/// differ even when they are a few pixels large.
pub(super) fn marker(label: usize) -> Vec<(f64, f64)> {
    let ring = |corners: usize, first: f64, radii: &[f64]| -> Vec<(f64, f64)> {
        let corner = |index: usize| {
            let angle = std::f64::consts::TAU * (first + index as f64 / corners as f64);
            (radii[index % radii.len()] * angle.sin(), -radii[index % radii.len()] * angle.cos())
        };
        (0..corners).map(corner).collect()
    };
    let bar = |x: f64, y: f64| vec![(-x, -y), (x, -y), (x, y), (-x, y)];
    let plus: Vec<(f64, f64)> = {
        let (long, thin) = (1.0, 0.3);
        let arm = [(-thin, -thin), (-thin, -long), (thin, -long)];
        (0..4).flat_map(|turn| arm.map(|(x, y)| [(x, y), (-y, x), (-x, -y), (y, -x)][turn])).collect()
    };
    // Ten shapes come round with ten colours, so the second round starts one shape further on.
    let shape = match (label + label / 10) % 10 {
        0 => ring(24, 0.0, &[1.0]),
        1 => ring(4, 0.125, &[1.0]),
        2 => ring(3, 0.0, &[1.0]),
        3 => ring(3, 0.5, &[1.0]),
        4 => ring(4, 0.0, &[1.0]),
        5 => plus,
        6 => plus.iter().map(|(x, y)| (x - y, x + y)).collect(),
        7 => ring(10, 0.0, &[1.0, 0.42]),
        8 => bar(2.2, 0.75),
        _ => bar(0.75, 2.2),
    };
    let next = |index: usize| shape[(index + 1) % shape.len()];
    let area: f64 = shape.iter().enumerate().map(|(i, (x, y))| (x * next(i).1 - next(i).0 * y) / 2.0).sum();
    let scale = (std::f64::consts::PI / area.abs()).sqrt();
    shape.into_iter().map(|(x, y)| (x * scale, y * scale)).collect()
}

/// Whether a point lies in a polygon, by the even-odd rule.
fn contains(polygon: &[(f64, f64)], (x, y): (f64, f64)) -> bool {
    let mut inside = false;
    let mut previous = polygon[polygon.len() - 1];
    for &corner in polygon {
        let ((x0, y0), (x1, y1)) = (previous, corner);
        if (y0 > y) != (y1 > y) && x < x0 + (y - y0) / (y1 - y0) * (x1 - x0) {
            inside = !inside;
        }
        previous = corner;
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_covers_the_same_area() {
        for label in 0..10 {
            let stamp = Stamp::new(label, 1.2, 1.0);
            let radius = 1.2 / POINTS_PER_INCH * CLOUD_RESOLUTION;
            let disc = std::f64::consts::PI * radius * radius;
            for mask in &stamp.masks {
                let covered: f64 = mask.iter().map(|&cover| f64::from(cover)).sum();
                assert!((covered / disc - 1.0).abs() < 0.08, "marker {label}: {covered} of {disc}");
            }
        }
    }

    #[test]
    fn markers_at_the_edge_are_cut_off() {
        let mut cloud = Raster::cloud(10.0, 5.0);
        let stamp = Stamp::new(0, 2.0, 1.0);
        for corner in [(0.0, 0.0), (1.0, 1.0), (-3.0, 0.5)] {
            cloud.stamp(corner, &stamp, [0; 3]);
        }
        assert_eq!(cloud.pixels[0], [0; 3]);
        assert_eq!(cloud.pixels[cloud.width / 2], WHITE);
    }
}
