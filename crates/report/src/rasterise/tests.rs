//! Tests of the PNG files: size, density, contents, and the fonts that texts are drawn in.

use std::io::Cursor;

use super::*;

/// A PNG file's head and its pixels as red, green and blue.
fn read(file: &[u8]) -> (png::Info<'static>, Vec<[u8; 3]>) {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut bytes).expect("pixels");
    (reader.info().clone(), bytes.as_chunks::<3>().0.to_vec())
}

/// A figure 72 points wide and 36 high.
fn figure(inside: &str) -> Figure {
    let head = r#"<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt" viewBox="0 0 72 36""#;
    let fonts = r#"font-family="Arial, 'Liberation Sans', Helvetica, sans-serif""#;
    Figure::new("fixtures", format!("{head} {fonts}>{inside}</svg>"), "")
}

fn drawn(inside: &str) -> (png::Info<'static>, Vec<[u8; 3]>) {
    read(rasterise(&[figure(inside)])[0].as_ref().expect("a sound figure"))
}

/// Pixels that are not white.
fn ink(pixels: &[[u8; 3]]) -> usize {
    pixels.iter().filter(|&&pixel| pixel != [255; 3]).count()
}

#[test]
fn an_inch_has_three_hundred_pixels_and_the_file_says_so() {
    let (info, pixels) = drawn(r##"<rect x="18" y="12" width="36" height="12" fill="#0000ff"/>"##);
    assert_eq!((info.width, info.height), (300, 150));
    let density = info.pixel_dims.expect("a density");
    assert_eq!((density.xppu, density.yppu, density.unit), (11811, 11811, png::Unit::Meter));
    // What nothing is drawn on is white, not transparent.
    assert_eq!((pixels[0], pixels[75 * 300 + 150]), ([255; 3], [0, 0, 255]));
    assert_eq!(ink(&pixels), 150 * 50);
}

#[test]
fn texts_are_drawn_in_the_fonts_of_the_report() {
    let text = |weight: &str, words: &str| {
        let (_, pixels) = drawn(&format!(r#"<text x="2" y="24" font-size="20" {weight}>{words}</text>"#));
        ink(&pixels)
    };
    let (regular, bold) = (text("", "Hλ→"), text(r#"font-weight="bold""#, "Hλ→"));
    assert!(regular > 1500 && bold * 10 > regular * 11, "{regular} and {bold} pixels");
    // Each sign that the figures use beyond ASCII, in both weights, is found in some font.
    for weight in ["", r#"font-weight="bold""#] {
        for sign in "λ→−×·–…é".chars() {
            assert!(text(weight, &sign.to_string()) > 20, "no {sign}");
        }
    }
}

#[test]
fn a_picture_within_a_figure_keeps_its_blocks() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    // Two pixels side by side, each a block of 400 dots to the inch, as figures hold them.
    let row: Vec<[u8; 3]> = [vec![[0; 3]; 200], vec![[200, 40, 40]; 200]].concat();
    let block = encode(400, 200, &row.repeat(200)).expect("a PNG");
    let href = STANDARD.encode(block);
    let (_, pixels) =
        drawn(&format!(r#"<image width="72" height="36" href="data:image/png;base64,{href}"/>"#));
    let blurred = pixels.iter().filter(|&&pixel| pixel != [0; 3] && pixel != [200, 40, 40]);
    assert!(blurred.count() <= 4 * 150, "one edge, and few pixels across it");
}

#[test]
fn colours_come_back_whether_few_or_many() {
    for colours in [1, 2, 256, 257, 5000_usize] {
        let pixels: Vec<[u8; 3]> =
            (0..6000).map(|i| [(i % colours) as u8, ((i % colours) >> 8) as u8, 7]).collect();
        let file = encode(100, 60, &pixels).expect("a PNG");
        let (info, read) = read(&file);
        assert!(read == pixels, "{colours} colours");
        assert_eq!(info.color_type == png::ColorType::Indexed, colours <= 256);
    }
}

#[test]
fn a_broken_figure_is_an_error_that_names_it() {
    let broken = Figure { svg: "<svg".into(), ..figure("") };
    let found = rasterise(&[broken, figure("<text y=\"9\">sound</text>")]);
    let error = found[0].as_ref().unwrap_err().to_string();
    assert!(error.contains("`fixtures` could not be drawn"), "{error}");
    assert!(found[1].is_ok(), "a broken figure keeps no other from being drawn");
}
