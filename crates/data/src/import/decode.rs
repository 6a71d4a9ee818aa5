//! One image file: what its header says, and its pixels in the size that is wanted.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{
    AnimationDecoder, ColorType, DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageFormat,
    ImageReader, Limits,
};

use super::error::ImportError;

/// The largest file that is read, and the most pixels that an image may have.
pub(super) const MAX_BYTES: u64 = 256 << 20;
const MAX_PIXELS: u64 = 64_000_000;
/// What decoding may ask for: a pixel of 16 bits in four channels, and as much again.
const MAX_ALLOCATION: u64 = 16 * MAX_PIXELS;

const FORMATS: [ImageFormat; 6] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::Gif,
    ImageFormat::Bmp,
    ImageFormat::WebP,
    ImageFormat::Tiff,
];

/// How an image of another shape gets the shape that is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fit {
    /// Each side is scaled for itself, as Keras' `image_dataset_from_directory` does.
    #[default]
    Stretch,
    /// Scaled until it covers the shape, and cut on both sides.
    Crop,
    /// Scaled until it fits into the shape, on black.
    Pad,
}

/// What an image's header says.
pub(super) struct Header {
    /// Height and width, as it is looked at.
    pub(super) size: [usize; 2],
    pub(super) colour: bool,
}

/// Why an image could not be read, as the rest of a sentence, and what to do.
pub type Problem = (String, &'static str);

const SAVE: &str = "save it again as PNG or JPEG, or take it out of the folder";

fn bytes_of(path: &Path) -> Result<Vec<u8>, ImportError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| ImportError::read(path, error))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| ImportError::read(path, error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ImportError::new(path, "is larger than 256 MiB", "save it smaller"));
    }
    Ok(bytes)
}

/// The header of an image file.
pub(super) fn header(path: &Path) -> Result<Header, ImportError> {
    let bytes = bytes_of(path)?;
    header_of(&bytes).map_err(|(problem, help)| ImportError::new(path, problem, help))
}

/// The header of an image whose file has these bytes.
pub(super) fn header_of(bytes: &[u8]) -> Result<Header, Problem> {
    let (mut decoder, _) = decoder(bytes)?;
    let (width, height) = decoder.dimensions();
    let size = [height as usize, width as usize];
    Ok(Header {
        size: if is_turned(orientation(&mut decoder)) { [size[1], size[0]] } else { size },
        colour: !matches!(
            decoder.color_type(),
            ColorType::L8 | ColorType::La8 | ColorType::L16 | ColorType::La16
        ),
    })
}

/// The pixels of an image file: height × width × channels, the last the fastest.
pub(super) fn pixels(path: &Path, shape: [usize; 3], fit: Fit) -> Result<Vec<u8>, ImportError> {
    let bytes = bytes_of(path)?;
    pixels_of(&bytes, shape, fit).map_err(|(problem, help)| ImportError::new(path, problem, help))
}

/// The pixels of an image whose file has these bytes, as [`pixels`] gives them.
pub(super) fn pixels_of(
    bytes: &[u8],
    [height, width, channels]: [usize; 3],
    fit: Fit,
) -> Result<Vec<u8>, Problem> {
    let image = opaque(decoded(bytes)?, channels, 0);
    Ok(fitted(image, [height, width], fit).into_bytes())
}

/// The picture that a file's bytes hold, as it is looked at.
pub(crate) fn decoded(bytes: &[u8]) -> Result<DynamicImage, Problem> {
    let (mut decoder, format) = decoder(bytes)?;
    refuse_animation(bytes, format)?;
    let orientation = orientation(&mut decoder);
    let mut image = DynamicImage::from_decoder(decoder).map_err(problem)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// The decoder of an image whose header is sound and whose size is bearable.
fn decoder(bytes: &[u8]) -> Result<(impl ImageDecoder + '_, ImageFormat), Problem> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().expect("memory can be read");
    let format = reader.format().filter(|format| FORMATS.contains(format));
    let Some(format) = format else {
        let kind = crate::kind::kind(&bytes[..bytes.len().min(crate::kind::ENOUGH)]);
        return Err((format!("is no image but {}", kind.unwrap_or("another kind of file")), SAVE));
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOCATION);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(problem)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        let problem = format!("has {width} × {height} pixels; an image may have 64 million");
        return Err((problem, "save it smaller"));
    }
    if matches!(decoder.original_color_type(), ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16) {
        return Err(("has the colours of a printing press (CMYK)".into(), "save it in RGB"));
    }
    Ok((decoder, format))
}

fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    // A damaged note on the camera's position says nothing of the image.
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

fn is_turned(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

fn refuse_animation(bytes: &[u8], format: ImageFormat) -> Result<(), Problem> {
    let moves = match format {
        ImageFormat::Gif => {
            GifDecoder::new(Cursor::new(bytes)).map_err(problem)?.into_frames().take(2).count() > 1
        }
        ImageFormat::Png => {
            PngDecoder::new(Cursor::new(bytes)).and_then(|png| png.is_apng()).map_err(problem)?
        }
        ImageFormat::WebP => WebPDecoder::new(Cursor::new(bytes)).map_err(problem)?.has_animation(),
        _ => false,
    };
    if moves {
        return Err(("is an animation".into(), "save the one frame of it that belongs to the class"));
    }
    Ok(())
}

fn problem(error: ImageError) -> Problem {
    let what = match error {
        ImageError::Limits(_) => "asks for more memory than an image may have".to_owned(),
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "is cut short".to_owned()
        }
        ImageError::Unsupported(error) => format!("is an image of a kind that is not read: {error}"),
        // What some decoders say shows their data structures.
        error => match error.to_string() {
            reason if reason.contains('{') => "is damaged".to_owned(),
            reason => format!("is damaged: {reason}"),
        },
    };
    (what, SAVE)
}

/// The image with one channel or three of a byte each. What is transparent lies on this background; of 16 bits the upper 8
/// count.
pub(crate) fn opaque(image: DynamicImage, channels: usize, background: u8) -> DynamicImage {
    let image = if image.color().has_alpha() {
        let mut image = image.into_rgba8();
        for pixel in image.pixels_mut() {
            let alpha = u32::from(pixel[3]);
            for channel in 0..3 {
                let (value, background) = (u32::from(pixel[channel]), u32::from(background));
                pixel[channel] = ((value * alpha + background * (255 - alpha) + 127) / 255) as u8;
            }
            pixel[3] = 255;
        }
        DynamicImage::ImageRgba8(image)
    } else {
        image
    };
    if channels == 1 { image.into_luma8().into() } else { image.into_rgb8().into() }
}

/// The image in a size, by an area-weighted linear filter where it shrinks and a linear one where it grows.
pub(crate) fn fitted(image: DynamicImage, [height, width]: [usize; 2], fit: Fit) -> DynamicImage {
    let (width, height) = (width as u32, height as u32);
    if (image.width(), image.height()) == (width, height) {
        return image;
    }
    match fit {
        Fit::Stretch => image.resize_exact(width, height, FilterType::Triangle),
        Fit::Crop => image.resize_to_fill(width, height, FilterType::Triangle),
        Fit::Pad => {
            let small = image.resize(width, height, FilterType::Triangle);
            let mut whole = DynamicImage::new(width, height, image.color());
            let (left, top) = ((width - small.width()) / 2, (height - small.height()) / 2);
            image::imageops::replace(&mut whole, &small, left.into(), top.into());
            whole
        }
    }
}

/// Grey or colour pixels in another size, as [`pixels`] gives them; for arrays.
pub(super) fn resized(pixels: &[u8], from: [usize; 3], to: [usize; 3], fit: Fit) -> Vec<u8> {
    let [height, width, channels] = from;
    let (wide, high) = (width as u32, height as u32);
    let image: DynamicImage = if channels == 1 {
        image::GrayImage::from_raw(wide, high, pixels.to_vec()).expect("an image of this size").into()
    } else {
        image::RgbImage::from_raw(wide, high, pixels.to_vec()).expect("an image of this size").into()
    };
    fitted(opaque(image, to[2], 0), [to[0], to[1]], fit).into_bytes()
}
