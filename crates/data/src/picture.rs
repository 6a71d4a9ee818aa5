//! Pictures that a person brings: PNG files of any kind as images of one or three channels.

pub(crate) mod notes;

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

pub use notes::{Look, PictureNote};
use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};

use crate::error::DataError;
use crate::kind::{ENOUGH, kind};
use crate::picture_error::{MAX_FILE, MAX_PIXELS, PictureError};
use crate::set::Images;
use crate::sha256_hex;

/// What every PNG file begins with.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture that a person brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The image alone.
    pub image: Images,
    /// SHA-256 of its file, in lower-case hexadecimal.
    pub checksum: String,
    /// Whether dark and light were exchanged.
    pub inverted: bool,
    /// What makes the image, for itself, one that a network can do little with.
    pub(crate) notes: Vec<PictureNote>,
}

impl Picture {
    /// What its owner should know of it, beside the images that the network knows, where it is known what they look like.
    pub fn notes(&self, images: Option<&Look>) -> Vec<PictureNote> {
        // Of what hardly shows at all it says nothing to which side it errs.
        let shows =
            |note: &PictureNote| matches!(note, PictureNote::Small { .. } | PictureNote::Faint { .. });
        let images = images.filter(|_| self.notes.iter().all(shows));
        let background = images.and_then(|images| notes::of_background(&self.image, images, self.inverted));
        self.notes.iter().cloned().chain(background).collect()
    }
}

/// Reads a PNG file as an image of so many channels: 1 for grey, 3 for colour. With `inverted`, it is taken as dark on
/// light: what is transparent lies on white, and dark and light are exchanged. See [`decode_png`].
///
/// # Errors
/// [`DataError::Read`] where the file cannot be read, [`DataError::Picture`] where it is no picture.
pub fn read_png(path: &Path, channels: usize, inverted: bool) -> Result<Picture, DataError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
        .map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    let decoded = match bytes.len() as u64 {
        0..=MAX_FILE => decode(&bytes, channels, inverted),
        _ => Err(PictureError::TooLarge),
    };
    let (image, notes) = decoded.map_err(|problem| DataError::Picture { path: path.to_owned(), problem })?;
    Ok(Picture { image, checksum: sha256_hex(&bytes), inverted, notes })
}

/// The image that a PNG file's bytes hold, with 1 channel or 3.
///
/// Every kind of PNG is read: grey, palette and colour, 1 to 16 bits (of 16 the upper 8 count), interlaced or not, the
/// first picture of an animation. What is transparent lies on black, which is the background that networks know here.
/// Colour becomes grey by its luma (ITU-R BT.709: 0.2126 R + 0.7152 G + 0.0722 B), grey becomes three equal channels.
///
/// # Errors
/// [`PictureError`], also for pictures of more than 2²⁴ pixels, before room is made for them.
pub fn decode_png(bytes: &[u8], channels: usize) -> Result<Images, PictureError> {
    decode(bytes, channels, false).map(|(image, _)| image)
}

/// The image, and what is to be said of it; `inverted` as for [`read_png`].
fn decode(bytes: &[u8], channels: usize, inverted: bool) -> Result<(Images, Vec<PictureNote>), PictureError> {
    if ![1, 3].contains(&channels) {
        return Err(PictureError::Channels(channels));
    }
    if !bytes.starts_with(SIGNATURE) {
        return Err(PictureError::NotPng(kind(&bytes[..bytes.len().min(ENOUGH)]).unwrap_or("no PNG file")));
    }
    let Raw { colour, size: [height, width], values, low_bytes } = Raw::read(bytes)?;
    // On a background, or, without one, as if nothing were transparent.
    let laid = |background: Option<u8>| -> Vec<u8> {
        let shown = |value, alpha| background.map_or(value, |background| before(value, alpha, background));
        let pixels = values.chunks_exact(colour.samples());
        match colour {
            ColorType::Grayscale => pixels.flat_map(|pixel| as_grey(pixel[0], channels)).collect(),
            ColorType::GrayscaleAlpha => {
                pixels.flat_map(|pixel| as_grey(shown(pixel[0], pixel[1]), channels)).collect()
            }
            ColorType::Rgb => {
                pixels.flat_map(|pixel| as_colour([pixel[0], pixel[1], pixel[2]], channels)).collect()
            }
            ColorType::Rgba | ColorType::Indexed => pixels
                .flat_map(|pixel| as_colour([0, 1, 2].map(|i| shown(pixel[i], pixel[3])), channels))
                .collect(),
        }
    };
    const BLACK: u8 = 0;
    const WHITE: u8 = 255;
    let mut pixels = laid(Some(if inverted { WHITE } else { BLACK }));
    let in_alpha = matches!(colour, ColorType::GrayscaleAlpha | ColorType::Rgba)
        .then(|| {
            let opacity = values.chunks_exact(colour.samples()).map(|pixel| pixel[colour.samples() - 1]);
            notes::in_alpha([height, width], &laid(None), &opacity.collect::<Vec<_>>(), inverted)
        })
        .flatten();
    if inverted {
        pixels.iter_mut().for_each(|value| *value = WHITE - *value);
    }
    let image = Images { count: 1, height, width, channels, pixels };
    let notes = notes::of_image(&image, in_alpha, low_bytes);
    Ok((image, notes))
}

/// A picture as its file holds it, palettes expanded, a byte for each value.
struct Raw {
    colour: ColorType,
    /// Height and width.
    size: [usize; 2],
    values: Vec<u8>,
    /// Whether its values had 16 bits of which only the lower 8, which are gone, said anything.
    low_bytes: bool,
}

impl Raw {
    fn read(bytes: &[u8]) -> Result<Raw, PictureError> {
        let limits = Limits { bytes: MAX_FILE as usize };
        let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
        decoder.set_transformations(Transformations::EXPAND);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let header = decoder.read_header_info().map_err(problem)?;
        let (width, height) = (header.width, header.height);
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(PictureError::TooLarge);
        }
        let mut reader = decoder.read_info().map_err(problem)?;
        let mut values = vec![0; reader.output_buffer_size().ok_or(PictureError::TooLarge)?];
        let frame = reader.next_frame(&mut values).map_err(problem)?;
        if (frame.width, frame.height) != (width, height) {
            return Err(PictureError::Damaged("its first picture does not fill it".into()));
        }
        values.truncate(frame.buffer_size());
        let (colour, size) = (frame.color_type, [height as usize, width as usize]);
        if colour == ColorType::Indexed {
            return Err(PictureError::Damaged("its palette is missing".into()));
        }
        if reader.info().color_type == ColorType::Indexed {
            check_palette(bytes)?;
        }
        if frame.bit_depth != BitDepth::Sixteen {
            return Ok(Raw { colour, size, values, low_bytes: false });
        }
        let (samples, opaque) = (colour.samples(), matches!(colour, ColorType::Grayscale | ColorType::Rgb));
        let colours = if opaque { samples } else { samples - 1 };
        let pairs = || values.chunks_exact(2).enumerate().filter(|(i, _)| i % samples < colours);
        let low_bytes = pairs().all(|(_, pair)| pair[0] == 0) && pairs().any(|(_, pair)| pair[1] != 0);
        let values = values.chunks_exact(2).map(|pair| pair[0]).collect();
        Ok(Raw { colour, size, values, low_bytes })
    }
}

/// Refuses a picture with a pixel whose colour its palette does not hold: expanded, it would be black.
fn check_palette(bytes: &[u8]) -> Result<(), PictureError> {
    let limits = Limits { bytes: MAX_FILE as usize };
    let mut reader = Decoder::new_with_limits(Cursor::new(bytes), limits).read_info().map_err(problem)?;
    let colours = reader.info().palette.as_ref().map_or(0, |palette| palette.len() / 3);
    let mut rows = vec![0; reader.output_buffer_size().ok_or(PictureError::TooLarge)?];
    let frame = reader.next_frame(&mut rows).map_err(problem)?;
    let bits = frame.bit_depth as usize;
    let highest = rows[..frame.buffer_size()]
        .chunks_exact(frame.line_size)
        .flat_map(|row| (0..frame.width as usize).map(|x| x * bits).map(|bit| (row[bit / 8], bit % 8)))
        .map(|(byte, bit)| usize::from((byte << bit) >> (8 - bits)))
        .max();
    match highest {
        Some(highest) if highest >= colours => Err(PictureError::Damaged(format!(
            "a pixel has the colour {highest} of a palette of {colours}, which are numbered from 0"
        ))),
        _ => Ok(()),
    }
}

fn problem(error: DecodingError) -> PictureError {
    match error {
        DecodingError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            PictureError::Truncated
        }
        DecodingError::LimitsExceeded => PictureError::TooLarge,
        // The decoder's own sentence shows its data structures.
        DecodingError::Format(error) if error.to_string().contains("CRC") => {
            PictureError::Damaged("the checksum of one of its parts is wrong".into())
        }
        error => PictureError::Damaged(error.to_string()),
    }
}

/// A value of this opacity before a background.
fn before(value: u8, alpha: u8, background: u8) -> u8 {
    let [value, alpha, background] = [value, alpha, background].map(u32::from);
    ((value * alpha + background * (255 - alpha) + 127) / 255) as u8
}

/// A grey pixel in so many channels.
fn as_grey(value: u8, channels: usize) -> impl Iterator<Item = u8> {
    std::iter::repeat_n(value, channels)
}

/// A pixel in colour, or its luma where one channel is wanted.
fn as_colour(pixel: [u8; 3], channels: usize) -> impl Iterator<Item = u8> {
    let [r, g, b] = pixel.map(u32::from);
    let luma = ((2126 * r + 7152 * g + 722 * b + 5000) / 10_000) as u8;
    let pixel = if channels == 1 { [luma; 3] } else { pixel };
    pixel.into_iter().take(channels)
}

#[cfg(test)]
mod tests;
