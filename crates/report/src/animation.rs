//! A dream's way as an animation, PNG or GIF, for a screen: its pixels enlarged, its end held.

use std::borrow::Cow;

use gif::{Extension, Frame, Repeat};
use inkling_schema::RunId;
use inkling_store::{Reader, TensorFile};

use crate::error::ReportError;

/// Pixels that the longer side has at least.
const SIDE: usize = 280;
/// Hundredths of a second that a picture stays.
const STAY: u16 = 8;
/// Hundredths of a second that the last one stays.
const HOLD: u16 = 200;

/// What stands in every animation file, so that it can be told from a person's pictures.
const MADE_BY: &str = "made by Inkling";

/// Whether a file that begins so is an animation that [`animate`] made. A beginning of 4 KiB is enough.
pub fn is_animation(start: &[u8]) -> bool {
    let picture = start.starts_with(b"\x89PNG") || start.starts_with(b"GIF8");
    picture && start.windows(MADE_BY.len()).any(|window| window == MADE_BY.as_bytes())
}

/// A kind of animation file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnimationFormat {
    /// An animated PNG: every grey and every colour as it is.
    Png,
    /// A GIF: every grey as it is, colours as near as 256 of them in a picture come.
    Gif,
}

/// The way of a finished dream run's first picture, from its start to the dream, over and over.
///
/// # Errors
/// The store's, where the run's arrays cannot be read.
///
/// # Panics
/// If the run is no dream.
pub fn animate(reader: &Reader, dream: &RunId, format: AnimationFormat) -> Result<Vec<u8>, ReportError> {
    let arrays = reader.run(dream.as_ref()).tensors(TensorFile::Arrays)?;
    let shape = arrays.shape("frames")?.to_vec();
    let [_, pictures, height, width, channels] = shape[..] else {
        panic!("no dream has frames of {shape:?}")
    };
    let values: Vec<f32> = arrays.values("frames", &shape)?;
    let size = height * width * channels;
    let frames: Vec<Pixels> = values
        .chunks_exact(pictures * size)
        .map(|frame| Pixels::new(&frame[..size], height, width, channels))
        .collect();
    Ok(match format {
        AnimationFormat::Png => png(&frames),
        AnimationFormat::Gif => gif(&frames),
    })
}

/// A picture of bytes, grey or in colour.
struct Pixels {
    height: usize,
    width: usize,
    /// 1 or 3.
    channels: usize,
    values: Vec<u8>,
}

impl Pixels {
    /// A picture of numbers from 0 to 1, channels last. Three channels are a colour; of any other number, the mean is
    /// shown.
    fn new(picture: &[f32], height: usize, width: usize, channels: usize) -> Pixels {
        let byte = |x: f32| (x * 255.0).round() as u8;
        if channels == 3 {
            let values = picture.iter().map(|&x| byte(x)).collect();
            return Pixels { height, width, channels, values };
        }
        let mean = |pixel: &[f32]| byte(pixel.iter().sum::<f32>() / channels as f32);
        let values = picture.chunks_exact(channels).map(mean).collect();
        Pixels { height, width, channels: 1, values }
    }

    /// How many times larger it is shown.
    fn times(&self) -> usize {
        SIDE.div_ceil(self.height.max(self.width)).max(1)
    }

    /// Each pixel of so many bytes as a block.
    fn enlarged(&self, values: &[u8], bytes: usize) -> Vec<u8> {
        let times = self.times();
        let mut all = Vec::with_capacity(values.len() * times * times);
        for row in values.chunks_exact(self.width * bytes) {
            let start = all.len();
            for pixel in row.chunks_exact(bytes) {
                (0..times).for_each(|_| all.extend_from_slice(pixel));
            }
            let end = all.len();
            (1..times).for_each(|_| all.extend_from_within(start..end));
        }
        all
    }
}

/// How long the picture of this number stays.
fn stay(number: usize, count: usize) -> u16 {
    if number + 1 == count { HOLD } else { STAY }
}

fn png(frames: &[Pixels]) -> Vec<u8> {
    const WRITTEN: &str = "a vector takes all that is written";
    let (first, count) = (&frames[0], frames.len());
    let [width, height] = [first.width, first.height].map(|side| (side * first.times()) as u32);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(if first.channels == 3 { png::ColorType::Rgb } else { png::ColorType::Grayscale });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.add_text_chunk("Software".into(), MADE_BY.into()).expect("the text is Latin");
    encoder.set_animated(count as u32, 0).expect("there is a frame");
    encoder.set_frame_delay(stay(0, count), 100).expect("it is animated");
    let mut writer = encoder.write_header().expect("a picture has a side of at least a pixel");
    for (number, frame) in frames.iter().enumerate() {
        writer.set_frame_delay(stay(number, count), 100).expect("it is animated");
        writer.write_image_data(&frame.enlarged(&frame.values, frame.channels)).expect(WRITTEN);
    }
    writer.finish().expect(WRITTEN);
    file
}

fn gif(frames: &[Pixels]) -> Vec<u8> {
    const WRITTEN: &str = "a vector takes all that is written";
    let (first, count) = (&frames[0], frames.len());
    let side = |side: usize| u16::try_from(side).expect("no network takes images of 65,536 pixels a side");
    let [width, height] = [first.width, first.height].map(|length| side(length * first.times()));
    let greys: Vec<u8> = (0..=255).flat_map(|level| [level; 3]).collect();
    let mut encoder = gif::Encoder::new(Vec::new(), width, height, &greys).expect(WRITTEN);
    encoder.write_raw_extension(Extension::Comment.into(), &[MADE_BY.as_bytes()]).expect(WRITTEN);
    encoder.set_repeat(Repeat::Infinite).expect(WRITTEN);
    for (number, frame) in frames.iter().enumerate() {
        // Colours are chosen before the picture is enlarged, which they then survive.
        let (palette, values) = if frame.channels == 3 {
            let chosen = Frame::from_rgb_speed(side(frame.width), side(frame.height), &frame.values, 1);
            (chosen.palette, chosen.buffer)
        } else {
            (None, Cow::from(&frame.values))
        };
        let buffer = frame.enlarged(&values, 1).into();
        let delay = stay(number, count);
        encoder
            .write_frame(&Frame { width, height, delay, palette, buffer, ..Frame::default() })
            .expect(WRITTEN);
    }
    encoder.into_inner().expect(WRITTEN)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Two frames of 2 × 3 pixels.
    fn frames(channels: usize) -> Vec<Pixels> {
        let size = 6 * channels;
        let frame = |shift: usize| -> Vec<f32> {
            (0..size).map(|i| ((i + shift) % size) as f32 / size as f32).collect()
        };
        [0, 1].map(|shift| Pixels::new(&frame(shift), 2, 3, channels)).into()
    }

    #[test]
    fn a_png_has_every_frame_enlarged_and_holds_the_last() {
        for channels in [1, 3] {
            let frames = frames(channels);
            let file = png(&frames);
            let mut reader = png::Decoder::new(Cursor::new(&file)).read_info().unwrap();
            assert_eq!((reader.info().width, reader.info().height), (282, 188));
            let animation = *reader.info().animation_control().unwrap();
            assert_eq!((animation.num_frames, animation.num_plays), (2, 0));
            for (frame, delay) in frames.iter().zip([STAY, HOLD]) {
                let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
                reader.next_frame(&mut pixels).unwrap();
                let control = reader.info().frame_control().unwrap();
                assert_eq!((control.delay_num, control.delay_den), (delay, 100));
                let at = |row: usize, column: usize| &pixels[(row * 282 + column) * channels..][..channels];
                let expected = |pixel: usize| &frame.values[pixel * channels..][..channels];
                assert_eq!([at(0, 0), at(93, 93), at(93, 94), at(187, 281)], [0, 0, 1, 5].map(expected));
            }
        }
    }

    #[test]
    fn a_gif_has_every_frame_enlarged_and_holds_the_last() {
        for channels in [1, 3] {
            let frames = frames(channels);
            let mut options = gif::DecodeOptions::new();
            options.set_color_output(gif::ColorOutput::RGBA);
            let file = gif(&frames);
            let mut decoder = options.read_info(file.as_slice()).unwrap();
            assert_eq!((decoder.width(), decoder.height(), decoder.repeat()), (282, 188, Repeat::Infinite));
            for (frame, delay) in frames.iter().zip([STAY, HOLD]) {
                let read = decoder.read_next_frame().unwrap().unwrap();
                assert_eq!(read.delay, delay);
                let at = |row: usize, column: usize| &read.buffer[(row * 282 + column) * 4..][..3];
                let expected = |pixel: usize| -> Vec<u8> {
                    let pixel = &frame.values[pixel * channels..][..channels];
                    pixel.iter().copied().cycle().take(3).collect()
                };
                for (found, pixel) in [(at(0, 0), 0), (at(93, 93), 0), (at(93, 94), 1), (at(187, 281), 5)] {
                    let off = found.iter().zip(expected(pixel)).map(|(a, b)| a.abs_diff(b)).max().unwrap();
                    assert!(off <= if channels == 1 { 0 } else { 2 }, "{found:?}, {:?}", expected(pixel));
                }
            }
            assert!(decoder.read_next_frame().unwrap().is_none());
        }
    }

    #[test]
    fn an_animation_is_told_from_other_pictures() {
        for channels in [1, 3] {
            for file in [png(&frames(channels)), gif(&frames(channels))] {
                assert!(is_animation(&file[..file.len().min(4096)]));
                // As another program would write it: a letter of the mark is another.
                let at = file.windows(7).position(|window| window == b"Inkling").unwrap();
                let other = [&file[..at], b"J", &file[at + 1..]].concat();
                assert!(!is_animation(&other));
            }
        }
        assert!(!is_animation(MADE_BY.as_bytes()) && !is_animation(b""));
    }

    #[test]
    fn large_pictures_stay_as_large_and_other_channels_become_their_mean() {
        let large = Pixels::new(&vec![0.5; 300 * 2], 300, 1, 2);
        assert_eq!((large.times(), large.channels, large.values[0]), (1, 1, 128));
        assert_eq!(large.enlarged(&large.values, 1), large.values);
    }
}
