//! A picture of any kind and size, made into an image such as a network was trained on.

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, Luma};

use crate::import::Fit;
use crate::import::decode::{self, Problem};
use crate::picture::{Picture, notes};
use crate::set::Images;
use crate::sha256_hex;

/// How a picture becomes an image of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// Height, width and channels.
    pub shape: [usize; 3],
    /// How the picture gets this size.
    pub fit: PictureFit,
    /// Whether dark and light are exchanged; what is transparent then lies on white, else on black.
    pub inverted: bool,
}

/// How a picture gets the size of a network's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFit {
    /// As the images of a set do.
    Whole(Fit),
    /// As MNIST's digits did (LeCun, Cortes and Burges 1998): what is drawn, light on dark, is cut out, scaled into a box of 20 of
    /// 28 parts of the sides, and laid so that its centre of mass is the middle of the image.
    Digit,
}

/// Reads a PNG, JPEG, GIF, BMP, WebP or TIFF file, turned as its EXIF note says, and prepares it.
///
/// # Errors
/// What is wrong with it, as the rest of a sentence that begins with its name, and what to do.
pub fn prepare(bytes: &[u8], how: Prepared) -> Result<Picture, Problem> {
    let [height, width, channels] = how.shape;
    let picture = decode::decoded(bytes)?;
    let alpha = alpha_note(&picture, how.inverted);
    const BLACK: u8 = 0;
    const WHITE: u8 = 255;
    let mut picture = decode::opaque(picture, channels, if how.inverted { WHITE } else { BLACK });
    if how.inverted {
        picture.invert();
    }
    let fitted = match how.fit {
        PictureFit::Whole(fit) => decode::fitted(picture, [height, width], fit),
        PictureFit::Digit => {
            let digit = DynamicImage::ImageLuma8(digit(&picture.into_luma8(), [height, width]));
            if channels == 1 { digit } else { digit.into_rgb8().into() }
        }
    };
    let image = Images { count: 1, height, width, channels, pixels: fitted.into_bytes() };
    let notes = notes::of_image(&image, alpha, false);
    Ok(Picture { image, checksum: sha256_hex(bytes), inverted: how.inverted, notes })
}

/// The note on a picture that is drawn in its transparency, or in the colour of what that lies on.
fn alpha_note(picture: &DynamicImage, inverted: bool) -> Option<notes::PictureNote> {
    if !picture.color().has_alpha() {
        return None;
    }
    let pixels = picture.to_rgba8();
    let size = [pixels.height() as usize, pixels.width() as usize];
    let colours: Vec<u8> = pixels.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let opacity: Vec<u8> = pixels.pixels().map(|pixel| pixel[3]).collect();
    notes::in_alpha(size, &colours, &opacity, inverted)
}

/// Share of an image's sides that a digit fills.
const BOX: f64 = 20.0 / 28.0;

/// What is drawn in a picture, light on dark, in the middle of an image of this height and width.
fn digit(picture: &GrayImage, [height, width]: [usize; 2]) -> GrayImage {
    let mut whole = GrayImage::new(width as u32, height as u32);
    let Some([left, top, right, bottom]) = drawn(picture) else { return whole };
    let (columns, rows) = (right - left, bottom - top);
    let scale = (BOX * width as f64 / f64::from(columns)).min(BOX * height as f64 / f64::from(rows));
    let side = |length: u32| ((scale * f64::from(length)).round() as u32).max(1);
    let cut = imageops::crop_imm(picture, left, top, columns, rows).to_image();
    let small = imageops::resize(&cut, side(columns), side(rows), FilterType::Triangle);
    let [x, y] = centre(&small);
    // The mean centre of mass of MNIST's own digits is at 14.0, counted from the first of 28 pixels.
    let offset = |side: usize, centre: f64| ((side as f64 - 1.0) / 2.0 - centre).ceil() as i64;
    imageops::replace(&mut whole, &small, offset(width, x), offset(height, y));
    whole
}

/// The box of what is clearly lighter than the darkest pixel: left, top, and the first column and row beyond it; `None` of an
/// image of one value.
fn drawn(picture: &GrayImage) -> Option<[u32; 4]> {
    let values = || picture.pixels().map(|Luma([value])| *value);
    let (low, high) = (values().min()?, values().max()?);
    if low == high {
        return None;
    }
    let threshold = low + (high - low) / 4;
    let lit = picture.enumerate_pixels().filter(|(_, _, pixel)| pixel[0] > threshold);
    let start = [u32::MAX, u32::MAX, 0, 0];
    Some(lit.fold(start, |[left, top, right, bottom], (x, y, _)| {
        [left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)]
    }))
}

/// The centre of mass of an image's brightness, in pixels from the first.
fn centre(picture: &GrayImage) -> [f64; 2] {
    let (mut mass, mut x_moment, mut y_moment) = (0.0, 0.0, 0.0);
    for (x, y, Luma([value])) in picture.enumerate_pixels() {
        let value = f64::from(*value);
        mass += value;
        x_moment += value * f64::from(x);
        y_moment += value * f64::from(y);
    }
    let mass = if mass > 0.0 { mass } else { 1.0 };
    [x_moment / mass, y_moment / mass]
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn read(picture: &DynamicImage, fit: PictureFit, inverted: bool) -> Picture {
        prepare(&png(picture), Prepared { shape: [28, 28, 1], fit, inverted }).unwrap()
    }

    /// A stroke in a corner of a large picture.
    fn stroke(paper: u8, ink: u8) -> DynamicImage {
        let mut picture = GrayImage::from_pixel(300, 200, Luma([paper]));
        for (x, y) in (10..30).flat_map(|x| (20..120).map(move |y| (x, y))) {
            picture.put_pixel(x, y, Luma([ink]));
        }
        DynamicImage::ImageLuma8(picture)
    }

    #[test]
    fn a_digit_fills_its_box_and_lies_in_the_middle_wherever_it_was_drawn() {
        for (picture, inverted) in [(stroke(0, 255), false), (stroke(255, 0), true), (stroke(40, 200), false)]
        {
            let image = read(&picture, PictureFit::Digit, inverted).image;
            let lit: Vec<usize> = (0..784).filter(|&i| image.pixels[i] > 100).collect();
            let rows = lit.iter().map(|i| i / 28);
            let columns = lit.iter().map(|i| i % 28);
            assert_eq!((rows.clone().min(), rows.max()), (Some(4), Some(23)));
            assert_eq!((columns.clone().min(), columns.max()), (Some(12), Some(15)));
        }
        // Of a blank picture there is nothing to cut out.
        let blank = read(&DynamicImage::new_luma8(30, 30), PictureFit::Digit, false);
        assert!(blank.image.pixels.iter().all(|&value| value == 0));
        assert!(blank.notes(None).iter().any(|note| note.to_string().contains("blank")));
    }

    #[test]
    fn transparent_paper_is_black_or_with_inverted_white_and_ink_of_its_colour_is_told() {
        let mut picture = RgbaImage::from_pixel(28, 28, Rgba([0, 0, 0, 0]));
        for (x, y) in (8..20).flat_map(|x| (8..20).map(move |y| (x, y))) {
            picture.put_pixel(x, y, Rgba([0, 0, 0, 255]));
        }
        let picture = DynamicImage::ImageRgba8(picture);
        let stretch = PictureFit::Whole(Fit::Stretch);
        let lost = read(&picture, stretch, false);
        assert!(lost.notes(None)[0].to_string().contains("try --invert"), "{:?}", lost.notes(None));
        let seen = read(&picture, stretch, true);
        assert!(seen.notes(None).is_empty() && seen.image.pixels[14 * 28 + 14] == 255);
    }
}
