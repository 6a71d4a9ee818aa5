//! The report's fonts: Arial where the system has it, Liberation Sans of the same widths elsewhere, and one each for
//! mathematics and for code; others of the system only for characters that none of these has.

mod system;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use typst::foundations::Bytes;
use typst::text::Font;

/// Regular, bold, italic and bold italic; shipped with the program.
const LIBERATION_SANS: [&[u8]; 4] = [
    include_bytes!("../../fonts/LiberationSans-Regular.ttf"),
    include_bytes!("../../fonts/LiberationSans-Bold.ttf"),
    include_bytes!("../../fonts/LiberationSans-Italic.ttf"),
    include_bytes!("../../fonts/LiberationSans-BoldItalic.ttf"),
];

/// The families taken from Typst's own fonts, in their regular weight.
const FROM_TYPST: [&str; 2] = ["New Computer Modern Math", "DejaVu Sans Mono"];

/// Where Windows, macOS and Linux keep Arial: folders, and the file names of the four styles.
const ARIAL: [(&str, [&str; 4]); 5] = [
    ("C:/Windows/Fonts", ["arial.ttf", "arialbd.ttf", "ariali.ttf", "arialbi.ttf"]),
    ("/System/Library/Fonts/Supplemental", ARIAL_MACOS),
    ("/Library/Fonts", ARIAL_MACOS),
    (
        "/usr/share/fonts/truetype/msttcorefonts",
        ["Arial.ttf", "Arial_Bold.ttf", "Arial_Italic.ttf", "Arial_Bold_Italic.ttf"],
    ),
    ("/usr/share/fonts/msttcore", ["arial.ttf", "arialbd.ttf", "ariali.ttf", "arialbi.ttf"]),
];
const ARIAL_MACOS: [&str; 4] = ["Arial.ttf", "Arial Bold.ttf", "Arial Italic.ttf", "Arial Bold Italic.ttf"];

/// Fonts of the system that hold these characters, as far as it has any.
pub(super) fn of_system(lacking: &BTreeSet<char>) -> Vec<Font> {
    system::covering(lacking)
}

/// Every font that the report uses whatever its text.
pub(crate) fn load() -> Vec<Font> {
    let arial = ARIAL.iter().find_map(|(folder, files)| arial(folder, files)).unwrap_or_default();
    arial.into_iter().chain(shipped()).collect()
}

/// Those that come with the program, which are enough.
fn shipped() -> impl Iterator<Item = Font> {
    let shipped = LIBERATION_SANS.into_iter().filter_map(|data| Font::new(Bytes::new(data), 0));
    let typst = typst_assets::fonts().filter_map(|data| Font::new(Bytes::new(data), 0));
    let typst = typst.filter(|font| {
        let info = font.info();
        FROM_TYPST.contains(&info.family.as_str()) && info.variant == Default::default()
    });
    shipped.chain(typst)
}

/// The font of mathematics, for whoever shows formulas without Typst; an OpenType file.
pub(super) fn mathematics() -> &'static [u8] {
    typst_assets::fonts()
        .find(|data| {
            Font::new(Bytes::new(*data), 0).is_some_and(|font| {
                font.info().family == FROM_TYPST[0] && font.info().variant == Default::default()
            })
        })
        .expect("Typst brings its font of mathematics along")
}

/// Arial from a folder that has all four styles: a mixture with another font would show.
fn arial(folder: &str, files: &[&str; 4]) -> Option<Vec<Font>> {
    let font = |file: &&str| {
        let data = fs::read(Path::new(folder).join(file)).ok()?;
        Font::new(Bytes::new(data), 0).filter(|font| font.info().family == "Arial")
    };
    files.iter().map(font).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_mathematics_and_code_have_their_fonts() {
        // On a system without a single font.
        let fonts: Vec<Font> = shipped().collect();
        let count = |family: &str| fonts.iter().filter(|font| font.info().family == family).count();
        assert_eq!(count("Liberation Sans"), 4);
        assert_eq!(FROM_TYPST.map(count), [1, 1]);
        for sign in "aZ09λ→−×–…é".chars() {
            assert!(fonts[..4].iter().all(|font| font.info().coverage.contains(sign.into())), "{sign}");
        }
        // With one that has Arial in all its styles or none.
        let with_system = load();
        assert!([0, 4].contains(&(with_system.len() - fonts.len())));
    }
}
