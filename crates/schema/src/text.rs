//! From the bytes of a file that a person wrote to its text, whatever encoding an editor saved it in.

use miette::Diagnostic;
use thiserror::Error;

/// Why some bytes are no text that can be read. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[diagnostic(help("open the file in an editor and save it as UTF-8 (\"Save as\", then \"Encoding\")"))]
pub enum TextError {
    /// A byte that UTF-8 does not have in this place: most often an accented letter in an older encoding.
    #[error("line {line} is not UTF-8: it holds the byte 0x{byte:02X}")]
    NotUtf8 {
        /// The line of the first such byte.
        line: usize,
        /// The byte.
        byte: u8,
    },

    /// A text that begins as UTF-16 does and does not go on so.
    #[error("the file begins as UTF-16, but line {line} is not UTF-16")]
    BrokenUtf16 {
        /// The line of the first unit that is no character.
        line: usize,
    },

    /// UTF-32, which is not read.
    #[error("the file is UTF-32")]
    Utf32,

    /// Zero bytes, which no text holds: UTF-16 without the mark that would say so, or no text at all.
    #[error(
        "line {line} holds a zero byte: the file is UTF-16 without a byte-order mark, or not a text file"
    )]
    Zero {
        /// The line of the first one.
        line: usize,
    },
}

const UTF_8: [u8; 3] = [0xEF, 0xBB, 0xBF];
const UTF_16_LITTLE: [u8; 2] = [0xFF, 0xFE];
const UTF_16_BIG: [u8; 2] = [0xFE, 0xFF];
const UTF_32: [[u8; 4]; 2] = [[0xFF, 0xFE, 0, 0], [0, 0, 0xFE, 0xFF]];

/// The text of a file: UTF-8, with or without a byte-order mark, or UTF-16 of either byte order with one.
///
/// # Errors
/// [`TextError`] for any other encoding, with the line of the first byte that cannot be read.
pub fn text_from_bytes(bytes: &[u8]) -> Result<String, TextError> {
    if UTF_32.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(TextError::Utf32);
    }
    let zero =
        |bytes: &[u8]| bytes.iter().position(|&byte| byte == 0).map(|place| line_after(&bytes[..place]));
    let text = if let Some(rest) = bytes.strip_prefix(&UTF_16_LITTLE) {
        utf_16(rest, u16::from_le_bytes)?
    } else if let Some(rest) = bytes.strip_prefix(&UTF_16_BIG) {
        utf_16(rest, u16::from_be_bytes)?
    } else {
        let bytes = bytes.strip_prefix(&UTF_8).unwrap_or(bytes);
        // Before bytes that UTF-8 does not have: UTF-16 without a mark holds both.
        if let Some(line) = zero(bytes) {
            return Err(TextError::Zero { line });
        }
        let not_utf_8 = |error: std::str::Utf8Error| {
            let (before, rest) = bytes.split_at(error.valid_up_to());
            TextError::NotUtf8 { line: line_after(before), byte: rest[0] }
        };
        str::from_utf8(bytes).map_err(not_utf_8)?.to_owned()
    };
    match zero(text.as_bytes()) {
        Some(line) => Err(TextError::Zero { line }),
        None => Ok(text),
    }
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, TextError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    for character in char::decode_utf16(pairs.iter().map(|&pair| unit(pair))) {
        match character {
            Ok(character) => text.push(character),
            Err(_) => return Err(TextError::BrokenUtf16 { line: line_after(text.as_bytes()) }),
        }
    }
    if rest.is_empty() { Ok(text) } else { Err(TextError::BrokenUtf16 { line: line_after(text.as_bytes()) }) }
}

/// The line that comes after so many bytes of text.
fn line_after(before: &[u8]) -> usize {
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str, mark: &[u8], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
    }

    proptest! {
        #[test]
        fn a_text_is_the_same_in_every_encoding_that_is_read(text in "[^\u{0}\u{FEFF}]*") {
            let marked = [&UTF_8, text.as_bytes()].concat();
            let little = encoded(&text, &UTF_16_LITTLE, u16::to_le_bytes);
            let big = encoded(&text, &UTF_16_BIG, u16::to_be_bytes);
            for bytes in [text.as_bytes(), &marked, &little, &big] {
                prop_assert_eq!(text_from_bytes(bytes), Ok(text.clone()));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = text_from_bytes(&bytes);
        }
    }

    #[test]
    fn what_is_not_read_is_named_with_its_line() {
        let unmarked = encoded("a\nb", &[], u16::to_le_bytes);
        for (bytes, words) in [
            (&b"seed = 1\nname = \"Andr\xE9\"\n"[..], "line 2 is not UTF-8: it holds the byte 0xE9"),
            (b"\xEF\xBB\xBFseed\n\n\xFF", "line 3 is not UTF-8: it holds the byte 0xFF"),
            (b"\xFF\xFEa\0\n\0\x00\xD8b\0", "begins as UTF-16, but line 2 is not UTF-16"),
            (b"\xFE\xFF\0a\0", "begins as UTF-16, but line 1 is not UTF-16"),
            (b"\xFF\xFE\0\0a\0\0\0", "UTF-32"),
            (b"\0\0\xFE\xFF\0\0\0a", "UTF-32"),
            (&unmarked, "line 1 holds a zero byte: the file is UTF-16 without a byte-order mark"),
        ] {
            let error = text_from_bytes(bytes).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.help().unwrap().to_string().contains("save it as UTF-8"));
        }
    }
}
