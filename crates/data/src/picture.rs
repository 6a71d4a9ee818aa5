//! Pictures that a person brings: PNG files of any kind as images of one or three channels.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use png::{ColorType, Decoder, DecodingError, Limits, Transformations};
use thiserror::Error;

use crate::error::DataError;
use crate::set::Images;
use crate::sha256_hex;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;
/// The most pixels that a picture may have: far more than any network here takes, little enough to hold.
const MAX_PIXELS: u64 = 1 << 24;

/// What every PNG file begins with.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture that a person brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The image alone.
    pub image: Images,
    /// SHA-256 of its file, in lower-case hexadecimal.
    pub checksum: String,
}

/// Why bytes are no picture.
#[derive(Debug, Error)]
pub enum PictureError {
    /// They do not begin as a PNG file does.
    #[error("it is no PNG file")]
    NotPng,
    /// The file ends too early.
    #[error("it is truncated")]
    Truncated,
    /// It begins as a PNG file and is none.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// It is larger than anything that is read here.
    #[error("it is too large: at most {MAX_PIXELS} pixels in a file of {} MiB are read", MAX_FILE >> 20)]
    TooLarge,
    /// No picture has so many channels.
    #[error("a picture is grey or in colour, and an image of {0} channels is neither")]
    Channels(usize),
}

/// Reads a PNG file as an image of so many channels: 1 for grey, 3 for colour; see [`decode_png`].
///
/// # Errors
/// [`DataError::Read`] where the file cannot be read, [`DataError::Picture`] where it is no picture.
pub fn read_png(path: &Path, channels: usize) -> Result<Picture, DataError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
        .map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    let image = match bytes.len() as u64 {
        0..=MAX_FILE => decode_png(&bytes, channels),
        _ => Err(PictureError::TooLarge),
    };
    let image = image.map_err(|problem| DataError::Picture { path: path.to_owned(), problem })?;
    Ok(Picture { image, checksum: sha256_hex(&bytes) })
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
    if ![1, 3].contains(&channels) {
        return Err(PictureError::Channels(channels));
    }
    if !bytes.starts_with(SIGNATURE) {
        return Err(PictureError::NotPng);
    }
    let limits = Limits { bytes: MAX_FILE as usize };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
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
    let size = frame.color_type.samples();
    let pixels = values.chunks_exact(size);
    let pixels: Vec<u8> = match frame.color_type {
        ColorType::Grayscale => pixels.flat_map(|pixel| as_grey(pixel[0], channels)).collect(),
        ColorType::GrayscaleAlpha => {
            pixels.flat_map(|pixel| as_grey(on_black(pixel[0], pixel[1]), channels)).collect()
        }
        ColorType::Rgb => {
            pixels.flat_map(|pixel| as_colour([pixel[0], pixel[1], pixel[2]], channels)).collect()
        }
        ColorType::Rgba => pixels
            .flat_map(|pixel| as_colour([0, 1, 2].map(|i| on_black(pixel[i], pixel[3])), channels))
            .collect(),
        ColorType::Indexed => return Err(PictureError::Damaged("its palette is missing".into())),
    };
    Ok(Images { count: 1, height: height as usize, width: width as usize, channels, pixels })
}

fn problem(error: DecodingError) -> PictureError {
    match error {
        DecodingError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            PictureError::Truncated
        }
        DecodingError::LimitsExceeded => PictureError::TooLarge,
        error => PictureError::Damaged(error.to_string()),
    }
}

/// A value of this opacity before black.
fn on_black(value: u8, alpha: u8) -> u8 {
    ((u16::from(value) * u16::from(alpha) + 127) / 255) as u8
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
mod tests {
    use png::{BitDepth, Encoder};
    use proptest::prelude::*;

    use super::*;

    fn png(size: [u32; 2], colour: ColorType, depth: BitDepth, data: &[u8], palette: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, size[1], size[0]);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if !palette.is_empty() {
            encoder.set_palette(palette.to_vec());
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(data).unwrap();
        writer.finish().unwrap();
        file
    }

    fn pixels(bytes: &[u8], channels: usize) -> Vec<u8> {
        decode_png(bytes, channels).unwrap().pixels
    }

    #[test]
    fn every_kind_of_png_is_read() {
        use BitDepth::{Eight, Four, One, Sixteen, Two};
        let two = [1, 2];
        let grey = |depth, data: &[u8]| png(two, ColorType::Grayscale, depth, data, &[]);
        assert_eq!(pixels(&grey(One, &[0b0100_0000]), 1), [0, 255]);
        assert_eq!(pixels(&grey(Two, &[0b0110_0000]), 1), [85, 170]);
        assert_eq!(pixels(&grey(Four, &[0x3c]), 1), [51, 204]);
        assert_eq!(pixels(&grey(Eight, &[7, 200]), 1), [7, 200]);
        assert_eq!(pixels(&grey(Sixteen, &[7, 255, 200, 0]), 1), [7, 200]);
        let alpha = png(two, ColorType::GrayscaleAlpha, Eight, &[200, 255, 200, 51], &[]);
        assert_eq!(pixels(&alpha, 1), [200, 40]);
        let rgb = png(two, ColorType::Rgb, Eight, &[1, 2, 3, 255, 0, 128], &[]);
        assert_eq!(pixels(&rgb, 3), [1, 2, 3, 255, 0, 128]);
        let rgba = png(two, ColorType::Rgba, Eight, &[10, 20, 30, 255, 255, 255, 255, 0], &[]);
        assert_eq!(pixels(&rgba, 3), [10, 20, 30, 0, 0, 0]);
        let palette = png(two, ColorType::Indexed, Two, &[0b1000_0000], &[9, 8, 7, 0, 0, 0, 6, 5, 4]);
        assert_eq!(pixels(&palette, 3), [6, 5, 4, 9, 8, 7]);
    }

    #[test]
    fn colour_becomes_grey_by_luma_and_grey_becomes_three_channels() {
        let rgb =
            png([1, 4], ColorType::Rgb, BitDepth::Eight, &[255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9], &[]);
        assert_eq!(pixels(&rgb, 1), [54, 182, 18, 9]);
        let grey = png([2, 1], ColorType::Grayscale, BitDepth::Eight, &[3, 250], &[]);
        assert_eq!(pixels(&grey, 3), [3, 3, 3, 250, 250, 250]);
        let image = decode_png(&grey, 3).unwrap();
        assert_eq!((image.count, image.height, image.width, image.channels), (1, 2, 1, 3));
        let refused = decode_png(&grey, 2).unwrap_err().to_string();
        assert_eq!(refused, "a picture is grey or in colour, and an image of 2 channels is neither");
    }

    /// A PNG file's first chunk, which claims this size, and nothing after it.
    fn header_of(width: u32, height: u32) -> Vec<u8> {
        let whole = png([1, 1], ColorType::Rgba, BitDepth::Sixteen, &[0; 8], &[]);
        let mut chunk = whole[12..29].to_vec();
        chunk[4..8].copy_from_slice(&width.to_be_bytes());
        chunk[8..12].copy_from_slice(&height.to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(&chunk);
        [&whole[..12], &chunk, &crc.sum().to_be_bytes(), &whole[33..]].concat()
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let says = |bytes: &[u8]| decode_png(bytes, 1).unwrap_err().to_string();
        assert_eq!(says(b"GIF89a and so on"), "it is no PNG file");
        assert_eq!(says(b""), "it is no PNG file");
        let whole = png([9, 9], ColorType::Grayscale, BitDepth::Eight, &[5; 81], &[]);
        assert_eq!(says(&whole[..whole.len() / 2]), "it is truncated");
        let mut wrong = whole;
        wrong[20] ^= 1;
        assert!(says(&wrong).starts_with("it is damaged: "), "{}", says(&wrong));
        let large = says(&header_of(u32::MAX >> 1, u32::MAX >> 1));
        assert!(large.starts_with("it is too large: at most 16777216 pixels"), "{large}");
    }

    #[test]
    fn a_file_is_read_with_its_checksum_and_named_when_it_cannot_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two.png");
        std::fs::write(&path, png([1, 2], ColorType::Grayscale, BitDepth::Eight, &[7, 200], &[])).unwrap();
        let picture = read_png(&path, 1).unwrap();
        assert_eq!(picture.image.pixels, [7, 200]);
        assert_eq!(picture.checksum, sha256_hex(&std::fs::read(&path).unwrap()));
        std::fs::write(&path, "no picture").unwrap();
        let wrong = read_png(&path, 1).unwrap_err();
        assert!(
            wrong.to_string().ends_with("two.png cannot be read as a picture: it is no PNG file"),
            "{wrong}"
        );
        assert!(!wrong.is_io() && read_png(&folder.path().join("gone.png"), 1).unwrap_err().is_io());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_a_picture_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode_png(&bytes, 1);
            let signed = [SIGNATURE, &bytes].concat();
            let _ = decode_png(&signed, 3);
        }

        #[test]
        fn a_truncated_or_changed_png_is_a_picture_of_its_size_or_an_error(
            [height, width] in [1_u32..9, 1_u32..9],
            colour in prop::sample::select(vec![
                ColorType::Grayscale, ColorType::GrayscaleAlpha, ColorType::Rgb, ColorType::Rgba,
            ]),
            keep in 0.0..1.0_f64,
            at in 0.0..1.0_f64,
            with in 1_u8..,
        ) {
            let count = height as usize * width as usize * colour.samples();
            let data: Vec<u8> = (0..count).map(|i| (i * 37) as u8).collect();
            let whole = png([height, width], colour, BitDepth::Eight, &data, &[]);
            let place = |share: f64| (share * whole.len() as f64) as usize;
            prop_assert!(decode_png(&whole[..place(keep).min(whole.len() - 20)], 1).is_err());
            let mut changed = whole.clone();
            changed[place(at)] ^= with;
            if let Ok(image) = decode_png(&changed, 3) {
                prop_assert_eq!((image.height, image.width), (height as usize, width as usize));
                prop_assert_eq!(image.pixels.len(), image.dim());
            }
        }
    }
}
