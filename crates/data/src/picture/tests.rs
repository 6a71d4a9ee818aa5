//! Tests of the PNG reader: every kind of file, what is no picture, what is noted, and arbitrary bytes.

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
    let rgb = png([1, 4], ColorType::Rgb, BitDepth::Eight, &[255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9], &[]);
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
    assert_eq!(says(b"GIF89a and so on"), "it is a GIF picture");
    assert_eq!(says(b""), "it is an empty file");
    assert_eq!(says(&[1, 250, 3]), "it is no PNG file");
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
    let picture = read_png(&path, 1, false).unwrap();
    assert_eq!(picture.image.pixels, [7, 200]);
    assert_eq!(picture.checksum, sha256_hex(&std::fs::read(&path).unwrap()));
    std::fs::write(&path, "no picture").unwrap();
    let wrong = read_png(&path, 1, false).unwrap_err();
    assert!(wrong.to_string().ends_with("two.png cannot be read as a picture: it is a text file"), "{wrong}");
    assert!(!wrong.is_io() && read_png(&folder.path().join("gone.png"), 1, false).unwrap_err().is_io());
}

/// A ring of this brightness on another one, 28 × 28 values.
fn ring(ink: u8, background: u8) -> Vec<u8> {
    let inside = |i: usize| (5..23).contains(&(i / 28)) && (9..19).contains(&(i % 28));
    let hole = |i: usize| (8..20).contains(&(i / 28)) && (12..16).contains(&(i % 28));
    (0..784).map(|i| if inside(i) && !hole(i) { ink } else { background }).collect()
}

/// What is said of a picture of 28 × 28 pixels beside MNIST.
fn notes(colour: ColorType, depth: BitDepth, data: &[u8], inverted: bool) -> (Vec<String>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.png");
    std::fs::write(&path, png([28, 28], colour, depth, data, &[])).unwrap();
    let picture = read_png(&path, 1, inverted).unwrap();
    let notes = picture.notes(Some(&Look::from(&crate::catalogue::SETS[0])));
    (notes.iter().map(ToString::to_string).collect(), picture.image.pixels)
}

#[test]
fn a_picture_like_the_sets_has_no_notes() {
    let plain = ring(255, 0);
    assert_eq!(notes(ColorType::Grayscale, BitDepth::Eight, &plain, false), (vec![], plain.clone()));
    let wide: Vec<u8> = plain.iter().flat_map(|&value| [value, 0]).collect();
    assert_eq!(notes(ColorType::Grayscale, BitDepth::Sixteen, &wide, false), (vec![], plain.clone()));
    // White on nothing is white on black.
    let clear: Vec<u8> = plain.iter().flat_map(|&alpha| [255, alpha]).collect();
    assert_eq!(notes(ColorType::GrayscaleAlpha, BitDepth::Eight, &clear, false), (vec![], plain));
}

#[test]
fn a_picture_that_is_dark_on_light_is_noted_and_inverted_when_asked() {
    for (ink, paper) in [(0, 255), (40, 110), (0, 90)] {
        let picture = ring(ink, paper);
        let (said, _) = notes(ColorType::Grayscale, BitDepth::Eight, &picture, false);
        let words =
            "it looks inverted: it is dark on light, and the images of MNIST are light on dark; try --invert";
        assert!(said.iter().any(|note| note == words), "{ink} on {paper}: {said:?}");
    }
    let (said, pixels) = notes(ColorType::Grayscale, BitDepth::Eight, &ring(0, 255), true);
    assert_eq!((said, pixels), (vec![], ring(255, 0)));
    let (said, _) = notes(ColorType::Grayscale, BitDepth::Eight, &ring(255, 0), true);
    assert!(said[0].ends_with("leave --invert out"), "{said:?}");
}

#[test]
fn ink_that_has_the_backgrounds_colour_is_noted_and_shown_by_inverting() {
    for dark in [0, 30] {
        let clear: Vec<u8> = ring(255, 0).iter().flat_map(|&alpha| [dark, dark, dark, alpha]).collect();
        let (said, _) = notes(ColorType::Rgba, BitDepth::Eight, &clear, false);
        assert!(said.len() == 1 && said[0].contains("dark colour on a transparent background"), "{said:?}");
        let (said, pixels) = notes(ColorType::Rgba, BitDepth::Eight, &clear, true);
        assert_eq!((said, pixels), (vec![], ring(255 - dark, 0)));
    }
    let clear: Vec<u8> = ring(255, 0).iter().flat_map(|&alpha| [255, alpha]).collect();
    let (said, _) = notes(ColorType::GrayscaleAlpha, BitDepth::Eight, &clear, true);
    assert!(said.len() == 1 && said[0].contains("leave --invert out"), "{said:?}");
}

#[test]
fn light_that_reaches_the_edge_is_not_taken_for_a_light_background() {
    let patch: Vec<u8> = (0..784).map(|i| if i / 28 < 9 && i % 28 < 9 { 255 } else { 0 }).collect();
    assert_eq!(notes(ColorType::Grayscale, BitDepth::Eight, &patch, false).0, [""; 0]);
    let dark: Vec<u8> = patch.iter().map(|value| 255 - value).collect();
    let said = notes(ColorType::Grayscale, BitDepth::Eight, &dark, false).0;
    assert!(said.len() == 1 && said[0].starts_with("it looks inverted: it is dark on light"), "{said:?}");
}

#[test]
fn a_frame_a_shade_and_noise_are_not_taken_for_an_inverted_picture() {
    let grey = |data: &[u8]| notes(ColorType::Grayscale, BitDepth::Eight, data, false).0;
    let edge = |i: usize| [0, 27].contains(&(i / 28)) || [0, 27].contains(&(i % 28));
    let framed: Vec<u8> =
        ring(255, 0).iter().enumerate().map(|(i, &value)| if edge(i) { 255 } else { value }).collect();
    assert_eq!(grey(&framed), [""; 0]);
    let dark: Vec<u8> = framed.iter().map(|value| 255 - value).collect();
    assert!(grey(&dark)[0].starts_with("it looks inverted"), "{:?}", grey(&dark));
    for (ink, ground) in [(253, 190), (243, 90)] {
        let said = grey(&ring(ink, ground));
        assert!(
            said.iter()
                .any(|note| note.starts_with(&format!("its background has the value {ground} of 255"))),
            "{said:?}"
        );
        assert!(!said.iter().any(|note| note.contains("inverted")), "{said:?}");
    }
    let half: Vec<u8> = (0..784).map(|i| if i % 28 < 14 { 255 } else { 0 }).collect();
    let noise: Vec<u8> = (0_u32..784).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for picture in [half, noise] {
        assert_eq!(grey(&picture), [""; 0]);
    }
}

#[test]
fn a_drawing_that_is_a_hole_is_told_apart_from_one_in_the_backgrounds_colour() {
    for ground in [0, 255] {
        let holes: Vec<u8> = ring(0, 255).iter().flat_map(|&alpha| [ground, ground, ground, alpha]).collect();
        for inverted in [false, true] {
            let said = notes(ColorType::Rgba, BitDepth::Eight, &holes, inverted).0;
            assert!(said.len() == 1 && said[0].contains("is transparent, and takes the colour"), "{said:?}");
        }
    }
    // A ground that is solid and drawn upon is a picture like any other.
    let drawn = ring(255, 0);
    let corner = |i: usize| if i == 0 { 0 } else { 255 };
    let drawn: Vec<u8> = drawn.iter().enumerate().flat_map(|(i, &value)| [value, corner(i)]).collect();
    assert_eq!(notes(ColorType::GrayscaleAlpha, BitDepth::Eight, &drawn, false).0, [""; 0]);
}

#[test]
fn a_colour_that_the_palette_lacks_is_damage() {
    let two = [2, 3];
    for (depth, good, bad) in [
        (BitDepth::One, [0b0100_0000, 0b1000_0000], None),
        (BitDepth::Two, [0b0001_0000, 0b0100_0100], Some([0b0001_0000, 0b0100_1000])),
    ] {
        let of = |data: &[u8]| png(two, ColorType::Indexed, depth, data, &[9, 9, 9, 200, 200, 200]);
        assert!(decode_png(&of(&good), 1).is_ok());
        if let Some(bad) = bad {
            let error = decode_png(&of(&bad), 1).unwrap_err().to_string();
            assert!(error.contains("the colour 2 of a palette of 2"), "{error}");
        }
    }
}

#[test]
fn pictures_that_are_blank_faint_or_small_or_use_low_bytes_only_are_noted() {
    let grey = |data: &[u8]| notes(ColorType::Grayscale, BitDepth::Eight, data, false).0;
    assert_eq!(grey(&[0; 784]), ["it is blank: every value is 0 of 255"]);
    assert_eq!(grey(&[255; 784])[0], "it is blank: every value is 255 of 255");
    assert_eq!(grey(&ring(20, 0)), ["it has little contrast: its values go from 0 to 20, of 0 to 255"]);
    let dot: Vec<u8> = (0..784).map(|i| if [404, 405, 432].contains(&i) { 255 } else { 0 }).collect();
    assert!(grey(&dot)[0].contains("takes only 2×2 of its 28×28 pixels"), "{:?}", grey(&dot));
    let low: Vec<u8> = ring(255, 0).iter().flat_map(|&value| [0, value]).collect();
    let said = notes(ColorType::Grayscale, BitDepth::Sixteen, &low, false).0;
    assert!(said.len() == 1 && said[0].starts_with("it has 16 bits per value"), "{said:?}");
    let black = notes(ColorType::Grayscale, BitDepth::Sixteen, &[0; 1568], false).0;
    assert_eq!(black, ["it is blank: every value is 0 of 255"]);
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
