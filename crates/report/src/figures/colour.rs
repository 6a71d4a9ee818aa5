//! Colours: ten for classes, and maps for numbers.

/// Red, green and blue in sRGB.
pub(super) type Rgb = [u8; 3];

pub(super) const WHITE: Rgb = [255; 3];
/// Text and axes.
pub(super) const INK: Rgb = [0x22; 3];
/// Notes, frames and other lines that should stand back.
pub(super) const GREY: Rgb = [0x77; 3];
/// A crowd of points behind the ones that matter.
pub(super) const CROWD: Rgb = [0xcc; 3];

/// Ten colours that stay apart with normal sight, deuteranopia and protanopia: found by a search for the largest
/// smallest distance in OKLab.
pub(super) const CLASSES: [Rgb; 10] = [
    [0xf5, 0x5c, 0x16],
    [0x5e, 0xe4, 0xf0],
    [0x68, 0x5f, 0x97],
    [0xc1, 0x0a, 0xf5],
    [0xa9, 0x96, 0xf5],
    [0x54, 0x0a, 0x55],
    [0xa5, 0x0b, 0x0a],
    [0x0b, 0x0a, 0xb8],
    [0x0a, 0xa4, 0x89],
    [0xe5, 0xd0, 0x35],
];

/// Five colours of Okabe and Ito (2008) for curves, with the dash pattern that goes with each.
pub(super) const CURVES: [(Rgb, Option<&str>); 5] = [
    ([0x00, 0x72, 0xb2], None),
    ([0x00, 0x9e, 0x73], Some("7 2")),
    ([0xcc, 0x79, 0xa7], Some("3 1.5")),
    ([0xd5, 0x5e, 0x00], Some("7 2 1.5 2")),
    ([0x00, 0x00, 0x00], Some("1.2 1.4")),
];

/// The colour of a class.
pub(super) fn class(label: usize) -> Rgb {
    CLASSES[label % CLASSES.len()]
}

/// A darker shade of a colour, in which text on white is readable (contrast at least 4.5).
pub(super) fn readable(colour: Rgb) -> Rgb {
    let mut share = 1.0;
    let mut shade = colour;
    while 1.05 / (luminance(shade) + 0.05) < 4.5 {
        share -= 0.02;
        shade = colour.map(|channel| (f64::from(channel) * share) as u8);
    }
    shade
}

/// A colour mixed with twice as much white.
pub(super) const fn pale(colour: Rgb) -> Rgb {
    let [red, green, blue] = colour;
    [255 - (255 - red) / 3, 255 - (255 - green) / 3, 255 - (255 - blue) / 3]
}

/// Black or white, whichever is better read on a background.
pub(super) fn text_on(background: Rgb) -> Rgb {
    let light = luminance(background);
    if 1.05 / (light + 0.05) > (light + 0.05) / (luminance(INK) + 0.05) { WHITE } else { INK }
}

/// Grey from black at 0 to white at 1.
pub(super) fn grey(t: f64) -> Rgb {
    [(t.clamp(0.0, 1.0) * 255.0).round() as u8; 3]
}

/// Numbers from 0 to 1 as pixels of so many channels: red, green and blue of three, else grey by their mean.
pub(super) fn pixels(values: impl Iterator<Item = f64>, channels: usize) -> Vec<Rgb> {
    let values: Vec<f64> = values.collect();
    let pixel = |values: &[f64]| match *values {
        [red, green, blue] => [red, green, blue].map(|value| grey(value)[0]),
        _ => grey(values.iter().sum::<f64>() / channels as f64),
    };
    values.chunks_exact(channels.max(1)).map(pixel).collect()
}

/// The same of bytes.
pub(super) fn pixels_of_bytes(bytes: &[u8], channels: usize) -> Vec<Rgb> {
    pixels(bytes.iter().map(|&byte| f64::from(byte) / 255.0), channels)
}

/// Viridis (van der Walt and Smith 2015), nine of its colours joined by straight lines: dark at 0, yellow at 1.
pub(super) fn viridis(t: f64) -> Rgb {
    const KNOTS: [Rgb; 9] = [
        [0x44, 0x01, 0x54],
        [0x47, 0x2d, 0x7b],
        [0x3b, 0x52, 0x8b],
        [0x2c, 0x72, 0x8e],
        [0x21, 0x91, 0x8c],
        [0x28, 0xae, 0x80],
        [0x5e, 0xc9, 0x62],
        [0xad, 0xdc, 0x30],
        [0xfd, 0xe7, 0x25],
    ];
    let place = t.clamp(0.0, 1.0) * (KNOTS.len() - 1) as f64;
    let knot = (place as usize).min(KNOTS.len() - 2);
    let share = place - knot as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    std::array::from_fn(|channel| mix(KNOTS[knot][channel], KNOTS[knot + 1][channel]))
}

/// From pale amber at 0 to dark brown at 1, a straight line in OKLab.
pub(super) fn amber(t: f64) -> Rgb {
    let t = t.clamp(0.0, 1.0);
    let mix = |from: f64, to: f64| from + (to - from) * t;
    polar(mix(0.93, 0.36), mix(0.085, 0.10), mix(85.0, 40.0))
}

/// Blue at −1, white at 0, red at 1; opposite numbers are equally light.
pub(super) fn diverging(t: f64) -> Rgb {
    let size = t.abs().min(1.0);
    // Colour comes faster than darkness, so that small numbers can be told from zero.
    let chroma = 0.16 * (1.0 - (1.0 - size).powi(2));
    polar(1.0 - 0.60 * size, chroma, if t < 0.0 { 258.0 } else { 28.0 })
}

/// The same for cells that numbers stand in: half the range, as the strongest colours would drown them.
pub(super) fn under_numbers(t: f64) -> Rgb {
    diverging(0.6 * t)
}

/// Relative luminance as in the Web Content Accessibility Guidelines.
fn luminance(colour: Rgb) -> f64 {
    let [red, green, blue] = linear(colour);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// The light of each channel, from 0 to 1.
fn linear(colour: Rgb) -> [f64; 3] {
    colour.map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

/// The sRGB colour nearest to an OKLab colour (Ottosson 2020) of this lightness, chroma and hue in degrees.
fn polar(lightness: f64, chroma: f64, hue: f64) -> Rgb {
    let (sin, cos) = hue.to_radians().sin_cos();
    let (a, b) = (chroma * cos, chroma * sin);
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ];
    linear.map(|value| {
        let value = value.clamp(0.0, 1.0);
        let encoded =
            if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (encoded * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diverging_map_is_white_at_zero_and_symmetric() {
        assert_eq!(diverging(0.0), WHITE);
        for step in 1..=20 {
            let t = f64::from(step) / 20.0;
            let (blue, red) = (diverging(-t), diverging(t));
            // Equal OKLab lightness; luminance follows it up to what hue and rounding do.
            assert!((luminance(blue) - luminance(red)).abs() < 0.04, "{t}: {blue:?} {red:?}");
            assert!(blue[2] > blue[0] && red[0] > red[2], "{t}: {blue:?} {red:?}");
            assert!(luminance(red) < luminance(diverging(t - 0.05)), "{t} is no darker");
        }
        assert_eq!(diverging(7.0), diverging(1.0));
    }

    #[test]
    fn text_is_readable_on_every_colour_of_the_maps() {
        for step in 0..=50 {
            let t = f64::from(step) / 50.0;
            for background in [viridis(t), amber(t), diverging(t), diverging(-t)] {
                let (light, text) = (luminance(background), luminance(text_on(background)));
                let contrast = (light.max(text) + 0.05) / (light.min(text) + 0.05);
                assert!(contrast > 3.9, "{contrast} on {background:?}");
            }
        }
        assert!((0..10).all(|label| 1.05 / (luminance(readable(class(label))) + 0.05) >= 4.5));
    }

    #[test]
    fn the_colours_of_classes_stay_apart_without_red_or_green_cones() {
        // Machado, Oliveira and Fernandes (2009), severity 1.
        let normal = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let protanopia = [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ];
        let deuteranopia = [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ];
        for (sight, least) in [(normal, 0.2), (protanopia, 0.14), (deuteranopia, 0.14)] {
            let seen: Vec<[f64; 3]> =
                CLASSES.iter().map(|&colour| oklab(product(&sight, linear(colour)))).collect();
            for (i, a) in seen.iter().enumerate() {
                for (j, b) in seen.iter().enumerate().skip(i + 1) {
                    let distance = (0..3).map(|axis| (a[axis] - b[axis]).powi(2)).sum::<f64>().sqrt();
                    assert!(distance > least, "classes {i} and {j}: {distance}");
                }
            }
        }
    }

    fn product(matrix: &[[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| (0..3).map(|k| row[k] * vector[k]).sum::<f64>().clamp(0.0, 1.0))
    }

    fn oklab(rgb: [f64; 3]) -> [f64; 3] {
        let to_cones = [
            [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
            [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
            [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
        ];
        let [l, m, s] = product(&to_cones, rgb).map(f64::cbrt);
        [
            0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
        ]
    }
}
