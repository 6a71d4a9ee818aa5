//! What makes a picture look unlike the images that a network knows: told to its owner, never a reason to refuse it.

use std::fmt::{Display, Formatter};

use crate::catalogue::SetInfo;
use crate::set::Images;

/// Values of a byte between the darkest and the lightest pixel below which there is little contrast.
const CONTRAST: u8 = 64;
/// Share of an image's sides below which what is drawn in it is small. A digit of MNIST fills 20 of 28 pixels.
const SMALL: f64 = 0.3;
/// Brightness by which the border must differ from the whole for the picture to be dark on light, or light on dark.
const POLARITY: f64 = 0.02;
/// Share of the outermost pixels by which they tell what the background is, and by which they may be a frame.
const MOST: f64 = 0.6;
const ALL: f64 = 0.95;
/// Values of a byte by which a background may differ from that of a set's images.
const SHADE: u8 = 48;

/// What the images of a set look like, as far as a picture is compared with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The set's title.
    pub title: String,
    /// Mean brightness, from 0 to 1, of the training images' outermost pixels and of all of them.
    pub brightness: [f64; 2],
}

impl From<&SetInfo> for Look {
    fn from(set: &SetInfo) -> Look {
        Look { title: set.title.into(), brightness: set.brightness }
    }
}

/// Something about a picture that a person should know, or its answer may puzzle them.
#[derive(Debug, Clone, PartialEq)]
pub enum PictureNote {
    /// Every pixel has this value.
    Blank(u8),
    /// What is drawn has the colour of what transparency lies on: white where the picture is `inverted`, else black.
    InkInAlpha {
        /// Whether the picture was to be inverted.
        inverted: bool,
    },
    /// What is drawn is transparent, in a picture of one colour.
    InkIsClear,
    /// Of 16 bits a value only the lower 8 say anything.
    LowBytes,
    /// The values lie close together.
    Faint {
        /// The smallest.
        low: u8,
        /// The largest.
        high: u8,
    },
    /// What is drawn takes few of the pixels.
    Small {
        /// Height and width of what is drawn.
        drawn: [usize; 2],
        /// Height and width of the picture.
        whole: [usize; 2],
    },
    /// The picture is dark on light where the set is light on dark, or the reverse.
    Inverted {
        /// The set's title.
        title: String,
        /// Whether the picture, as it is used, is dark on light.
        dark_on_light: bool,
        /// Whether that is so because it was to be inverted.
        inverted: bool,
    },
    /// The background has another shade than that of a set's images.
    Ground {
        /// Its value.
        value: u8,
        /// The set's title.
        title: String,
        /// The value there.
        usual: u8,
    },
}

impl Display for PictureNote {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blank(value) => write!(f, "it is blank: every value is {value} of 255"),
            Self::InkInAlpha { inverted: false } => f.write_str(
                "it is drawn in a dark colour on a transparent background, which is black here, so that little or \
                 nothing of it shows: try --invert",
            ),
            Self::InkInAlpha { inverted: true } => f.write_str(
                "it is drawn in a light colour on a transparent background, which is white with --invert, so that \
                 little or nothing of it shows: leave --invert out",
            ),
            Self::InkIsClear => f.write_str(
                "what is drawn in it is transparent, and takes the colour of the background that it is laid on: save it \
                 without transparency",
            ),
            Self::LowBytes => f.write_str(
                "it has 16 bits per value, of which only the lower 8 are used, so it is almost black: save it \
                 with 8 bits per value",
            ),
            Self::Faint { low, high } => {
                write!(f, "it has little contrast: its values go from {low} to {high}, of 0 to 255")
            }
            Self::Small { drawn: [h, w], whole: [height, width] } => write!(
                f,
                "what is drawn in it takes only {h}×{w} of its {height}×{width} pixels: crop and enlarge it"
            ),
            Self::Ground { value, title, usual } => write!(
                f,
                "its background has the value {value} of 255, and that of the images of {title} is about {usual}: the \
                 network's answer may be due to that"
            ),
            Self::Inverted { title, dark_on_light, inverted } => {
                let (own, theirs) = match dark_on_light {
                    true => ("dark on light", "light on dark"),
                    false => ("light on dark", "dark on light"),
                };
                let advice = if *inverted { "leave --invert out" } else { "try --invert" };
                write!(f, "it looks inverted: it is {own}, and the images of {title} are {theirs}; {advice}")
            }
        }
    }
}

/// What the image alone shows; `alpha` says that it was drawn in the background's own colour.
pub(crate) fn of_image(image: &Images, alpha: Option<PictureNote>, low_bytes: bool) -> Vec<PictureNote> {
    if low_bytes {
        return vec![PictureNote::LowBytes];
    }
    if let Some(note) = alpha {
        return vec![note];
    }
    let (low, high) = range(&image.pixels);
    if low == high {
        return vec![PictureNote::Blank(low)];
    }
    let faint = (high - low < CONTRAST).then_some(PictureNote::Faint { low, high });
    faint.into_iter().chain(small(image)).collect()
}

/// What the background of the image, as it is used, is beside that of the images of a set: light where theirs is dark, or
/// another shade.
pub(super) fn of_background(image: &Images, set: &Look, asked: bool) -> Option<PictureNote> {
    let image = &without_frame(image);
    if !is_of_one_side(image) {
        return None;
    }
    let value = background(image);
    let (border, whole) = (f64::from(value) / 255.0, mean(&image.pixels));
    let [set_border, set_whole] = set.brightness;
    // Images as light at their edges as within are neither.
    let set_is_seen = (set_border - set_whole).abs() > POLARITY;
    // Seen against its own middle, or, where that tells nothing, by how light the background is.
    let is_seen = (border - whole).abs() > POLARITY;
    let against = is_seen && (border > whole) != (set_border > set_whole);
    let nearer = !is_seen && (1.0 - border - set_border).abs() < (border - set_border).abs();
    let dark_on_light = set_border < set_whole;
    if set_is_seen && (against || nearer) {
        return Some(PictureNote::Inverted { title: set.title.clone(), dark_on_light, inverted: asked });
    }
    let usual = (255.0 * set_border).round() as u8;
    (value.abs_diff(usual) > SHADE).then_some(PictureNote::Ground { value, title: set.title.clone(), usual })
}

/// The image without a frame, a ring of outermost pixels that lies on the other side of the middle between its darkest and
/// its lightest than the ring within it.
fn without_frame(image: &Images) -> Images {
    let mut inner = image.clone();
    while inner.height.min(inner.width) > 4 {
        let within = cropped(&inner);
        let [outer, next] = [&inner, &within].map(light_share);
        let is_frame = (outer > ALL && next < 1.0 - MOST) || (outer < 1.0 - ALL && next > MOST);
        if !is_frame {
            break;
        }
        inner = within;
    }
    inner
}

/// The image without its outermost pixels.
fn cropped(image: &Images) -> Images {
    let Images { height, width, channels, .. } = *image;
    let rows = image.pixels.chunks_exact(width * channels).take(height - 1).skip(1);
    let pixels = rows.flat_map(|row| &row[channels..row.len() - channels]).copied().collect();
    Images { pixels, count: 1, height: height - 2, width: width - 2, channels }
}

/// Whether nearly all outermost pixels are light, or nearly all dark: else there is no telling what the background is.
fn is_of_one_side(image: &Images) -> bool {
    let share = light_share(image);
    share.max(1.0 - share) > MOST
}

/// Share of the outermost values above the middle between the image's smallest and largest.
fn light_share(image: &Images) -> f64 {
    let (low, high) = range(&image.pixels);
    let middle = low + (high - low) / 2;
    let border = on_border([image.height, image.width], &image.pixels, image.channels);
    border.iter().filter(|&&value| value > middle).count() as f64 / border.len() as f64
}

/// The smallest and the largest value.
pub(super) fn range(pixels: &[u8]) -> (u8, u8) {
    pixels.iter().fold((u8::MAX, 0), |(low, high), &value| (low.min(value), high.max(value)))
}

/// Brightness, from 0 to 1.
fn mean(pixels: &[u8]) -> f64 {
    pixels.iter().map(|&value| f64::from(value)).sum::<f64>() / pixels.len().max(1) as f64 / 255.0
}

/// The value in the middle of those of the outermost pixels: what is drawn may reach the edge here and there.
fn background(image: &Images) -> u8 {
    let mut values = on_border([image.height, image.width], &image.pixels, image.channels);
    values.sort_unstable();
    values[values.len() / 2]
}

/// The values of the outermost pixels, of which each has so many.
fn on_border([height, width]: [usize; 2], values: &[u8], each: usize) -> Vec<u8> {
    let outer =
        |row: usize, column: usize| row == 0 || column == 0 || row + 1 == height || column + 1 == width;
    let pixels = values.chunks_exact(each).enumerate();
    pixels.filter(|(i, _)| outer(i / width, i % width)).flat_map(|(_, pixel)| pixel).copied().collect()
}

/// The note on a picture by its opacity: what it has in colours does not tell what is drawn from what it is drawn on.
/// `colours` holds so many values for each pixel and `opacity` one.
pub(crate) fn in_alpha(
    size: [usize; 2],
    colours: &[u8],
    opacity: &[u8],
    inverted: bool,
) -> Option<PictureNote> {
    const HALF: u8 = 128;
    let channels = colours.len() / opacity.len().max(1);
    let solid = || colours.chunks_exact(channels).zip(opacity).filter(|(_, opacity)| **opacity >= HALF);
    let mut border = on_border(size, opacity, 1);
    border.sort_unstable();
    if opacity.iter().all(|&opacity| opacity >= HALF) || solid().next().is_none() {
        return None;
    }
    if border[border.len() / 2] >= HALF {
        // The ground is solid: what is drawn must be what is not, unless the ground holds a drawing of its own.
        let ground: Vec<u8> = solid().flat_map(|(colour, _)| colour).copied().collect();
        let (low, high) = range(&ground);
        return (high - low < CONTRAST).then_some(PictureNote::InkIsClear);
    }
    let away = |value: u8| if inverted { u8::MAX - value } else { value };
    let strongest = solid().flat_map(|(colour, _)| colour).map(|&value| away(value)).max();
    strongest.is_some_and(|value| value < CONTRAST).then_some(PictureNote::InkInAlpha { inverted })
}

/// The note on a drawing that leaves most of the picture empty.
fn small(image: &Images) -> Option<PictureNote> {
    let Images { height, width, channels, .. } = *image;
    let background = background(image);
    let (low, high) = range(&image.pixels);
    let ink = |pixel: &[u8]| pixel.iter().any(|&value| value.abs_diff(background) > (high - low) / 4);
    let drawn: Vec<usize> = image
        .pixels
        .chunks_exact(channels)
        .enumerate()
        .filter(|(_, pixel)| ink(pixel))
        .map(|(i, _)| i)
        .collect();
    let extent = |along: &dyn Fn(usize) -> usize| {
        let (first, last) =
            drawn.iter().fold((usize::MAX, 0), |(first, last), &i| (first.min(along(i)), last.max(along(i))));
        (last + 1).saturating_sub(first)
    };
    let [rows, columns] = [extent(&|i| i / width), extent(&|i| i % width)];
    let is_small = (rows as f64) < SMALL * height as f64 && (columns as f64) < SMALL * width as f64;
    (is_small && rows > 0).then_some(PictureNote::Small { drawn: [rows, columns], whole: [height, width] })
}
