//! Every figure of a study beside one that a person has looked at and accepted: a change is seen.
//!
//! `INKLING_ACCEPT=1 cargo test --release -p inkling-report figures_are_those_that_were_accepted` writes them anew. The SVG is
//! what is compared, by its checksum; the PNG files are for a person to look at.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::*;

/// Pixels of a picture of the report that are one of an accepted one, across and along.
const SMALLER: usize = 4;

/// A PNG file with the mean of every so many pixels, in fewer colours.
fn smaller(file: &[u8]) -> Vec<u8> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (across, down) = (info.width as usize / SMALLER, info.height as usize / SMALLER);
    let mean = |x: usize, y: usize, channel: usize| {
        let at = |i: usize| (y * SMALLER + i / SMALLER) * info.width as usize + x * SMALLER + i % SMALLER;
        let sum: usize = (0..SMALLER * SMALLER).map(|i| usize::from(pixels[3 * at(i) + channel])).sum();
        // Sixteen steps are enough to look at.
        ((sum / (SMALLER * SMALLER) + 8) / 17 * 17) as u8
    };
    let places = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
    let means: Vec<u8> = places.flat_map(|(x, y)| [0, 1, 2].map(|channel| mean(x, y, channel))).collect();
    let mut smaller = Vec::new();
    let mut encoder = png::Encoder::new(&mut smaller, across as u32, down as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    encoder.write_header().unwrap().write_image_data(&means).unwrap();
    smaller
}

/// The name of each figure with its checksum.
fn lines(checksums: &BTreeMap<&str, String>) -> String {
    checksums.iter().map(|(name, checksum)| format!("{checksum} {name}\n")).collect()
}

#[test]
fn figures_are_those_that_were_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/figures/tests/reference");
    let (_, study) = gallery::studies().swap_remove(0);
    let figures = draw(&study);
    let checksum = |figure: &Figure| -> String {
        Sha256::digest(&figure.svg).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    };
    let found: BTreeMap<&str, String> =
        figures.iter().map(|figure| (figure.name.as_str(), checksum(figure))).collect();
    let list = folder.join("checksums.txt");
    let accepted = fs::read_to_string(&list).unwrap_or_default();
    let accepted: BTreeMap<&str, &str> =
        accepted.lines().filter_map(|line| line.split_once(' ')).map(|(sum, name)| (name, sum)).collect();
    let is_changed =
        |figure: &&Figure| accepted.get(figure.name.as_str()) != Some(&found[figure.name.as_str()].as_str());
    let changed: Vec<Figure> = figures.iter().filter(is_changed).cloned().collect();
    let gone: Vec<&&str> = accepted.keys().filter(|name| !found.contains_key(**name)).collect();
    let pictures =
        || changed.iter().zip(rasterise(&changed)).map(|(figure, png)| (figure, smaller(&png.unwrap())));
    if std::env::var("INKLING_ACCEPT").is_ok_and(|value| value == "1") {
        fs::create_dir_all(&folder).unwrap();
        for (figure, png) in pictures() {
            fs::write(folder.join(format!("{}.png", figure.name)), png).unwrap();
        }
        for name in gone {
            fs::remove_file(folder.join(format!("{name}.png"))).unwrap();
        }
        fs::write(list, lines(&found)).unwrap();
        return;
    }
    if changed.is_empty() && gone.is_empty() {
        return;
    }
    // Beside the test program, in the folder `target`.
    let program = std::env::current_exe().unwrap();
    let look: PathBuf = program.ancestors().nth(2).unwrap().join("changed-figures");
    fs::create_dir_all(&look).unwrap();
    for (figure, png) in pictures() {
        fs::write(look.join(format!("{}.png", figure.name)), png).unwrap();
        let before = folder.join(format!("{}.png", figure.name));
        if before.exists() {
            fs::copy(before, look.join(format!("{}.accepted.png", figure.name))).unwrap();
        }
    }
    let names: Vec<&str> = changed.iter().map(|figure| figure.name.as_str()).collect();
    panic!("changed: {names:?}, gone: {gone:?}; look at the pairs in {}", look.display());
}
