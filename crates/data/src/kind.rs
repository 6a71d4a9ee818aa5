//! What a file is by its first bytes, in words: for messages about a file that was taken for another.

/// Bytes from the start of a file that are enough for [`kind`].
pub const ENOUGH: usize = 4096;

/// What each kind of file begins with.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"\x93NUMPY", "a NumPy array (NPY)"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes them"),
    (b"PAR1", "a Parquet table"),
    (b"ARROW1", "an Arrow table"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"\x1f\x8b", "a gzip stream"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"%PDF-", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"GGUF", "a GGUF model"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"version https://git-lfs.github.com/spec/", LFS_POINTER),
];

/// A few lines in the place of a file that was never downloaded.
const LFS_POINTER: &str = "a pointer of Git LFS, not the file itself, which `git lfs pull` downloads";

/// What a file is that begins with these bytes, as a noun with its article; nothing where it cannot be told.
pub fn kind(start: &[u8]) -> Option<&'static str> {
    if start.is_empty() {
        return Some("an empty file");
    }
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| start.starts_with(signature)) {
        return Some(kind);
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return Some(archive(start));
    }
    if start.get(257..262) == Some(b"ustar") {
        return Some("a tar archive");
    }
    if start.get(4..8) == Some(b"TFL3") {
        return Some("a TensorFlow Lite model");
    }
    if let [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, 1..=8, ..] = start {
        return Some("an IDX file");
    }
    if let [0x80, 2..=5, ..] = start {
        return Some("a Python pickle, as older versions of PyTorch write them");
    }
    // A safetensors file begins with the length of its header, which is JSON.
    if start.get(5..8) == Some(&[0; 3]) && start.get(8) == Some(&b'{') {
        return Some("a safetensors file");
    }
    // A protocol buffer whose first field is the format's version and whose second is the name of what wrote it.
    if let [0x08, 1..=20, 0x12, length, name, ..] = start
        && *length > 0
        && name.is_ascii_alphanumeric()
    {
        return Some("an ONNX model");
    }
    text(start)
}

/// What a ZIP archive holds, by the name of its first entry.
fn archive(start: &[u8]) -> &'static str {
    const NAME: usize = 30;
    let length = start.get(26..28).map_or(0, |bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
    let name = start.get(NAME..(NAME + length).min(start.len())).unwrap_or_default();
    let within = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    if name.ends_with(b".npy") {
        "a NumPy archive (NPZ)"
    } else if within(b"data.pkl") || within(b"/byteorder") || within(b"/.format_version") {
        "a PyTorch file"
    } else if name == b"metadata.json" || name == b"config.json" || name.ends_with(b".weights.h5") {
        "a Keras model"
    } else {
        "a ZIP archive"
    }
}

/// What a text is.
fn text(start: &[u8]) -> Option<&'static str> {
    let start = &start[..start.len().min(ENOUGH)];
    let text = match str::from_utf8(start) {
        Ok(text) => text,
        // The end may cut a character in two.
        Err(error) if error.error_len().is_none() => str::from_utf8(&start[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}')) {
        return None;
    }
    let lower: String = text.chars().take(64).collect::<String>().to_ascii_lowercase();
    let first_line = text.lines().next().unwrap_or_default();
    Some(if lower.starts_with("<!doctype html") || lower.starts_with("<html") || lower.starts_with("<head") {
        "an HTML page, as a server sends it in the place of a file"
    } else if lower.starts_with("<?xml") || lower.starts_with('<') {
        "an XML document or an HTML page"
    } else if lower.starts_with(['{', '[']) {
        "a JSON text"
    } else if first_line.matches(',').count() > 1 {
        "a table of comma-separated values (CSV)"
    } else if text.is_empty() {
        "a file of blanks"
    } else {
        "a text file"
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zip(entry: &[u8]) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.resize(26, 0);
        bytes.extend([entry.len() as u8, 0, 0, 0]);
        bytes.extend(entry);
        bytes
    }

    #[test]
    fn files_that_are_often_taken_for_others_are_named() {
        let tar = [&[b'x'; 257][..], b"ustar\0"].concat();
        for (bytes, named) in [
            (&b""[..], "empty"),
            (b"\x93NUMPY\x01\0", "NPY"),
            (&zip(b"train-images.npy"), "NPZ"),
            (&zip(b"archive/data.pkl"), "PyTorch"),
            (&zip(b"metadata.json"), "Keras"),
            (&zip(b"readme.txt"), "ZIP"),
            (&tar, "tar archive"),
            (b"\x80\x04\x95", "pickle"),
            (b"\x89HDF\r\n\x1a\n", "HDF5"),
            (b"\x08\x07\x12\x07pytorch", "ONNX"),
            (b"\x20\0\0\0\0\0\0\0{\"a\":1}", "safetensors"),
            (b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
            (b"\n<!DOCTYPE html><title>404</title>", "HTML page, as"),
            (b"<?xml version='1.0'?><Error>", "XML"),
            (b"\xef\xbb\xbflabel,pixel0,pixel1\n7,0,0\n", "CSV"),
            (b"5,0,0,0,0,12\n", "CSV"),
            (b"{\"weights\": []}", "JSON"),
            (b"hello", "text"),
            (&[0, 0, 8, 3, 0, 0, 0, 1], "IDX"),
        ] {
            let found = kind(bytes).unwrap_or("nothing");
            assert!(found.contains(named), "{found:?} does not name {named}");
        }
        assert_eq!(kind(&[0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(kind(&[1, 2, 3, 250]), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_have_a_kind_or_none(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = kind(&bytes);
            let _ = kind(&[b"PK\x03\x04", bytes.as_slice()].concat());
        }
    }
}
