//! NumPy's array format (NEP 1): a magic number, a header that is a Python dictionary, and the elements.
//!
//! Read here rather than by a library: the ones that there are bring a grammar compiler for the header's three keys.

/// An array of numbers or texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) elements: Elements,
}

/// The elements, the last index the fastest.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Elements {
    Bytes(Vec<u8>),
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

/// How an element is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Unsigned(usize),
    Signed(usize),
    Float(usize),
    /// Characters of four bytes each.
    Unicode(usize),
    /// Characters of a byte each.
    Ascii(usize),
}

impl Type {
    /// Bytes of an element.
    fn size(self) -> usize {
        match self {
            Type::Unsigned(size) | Type::Signed(size) | Type::Float(size) | Type::Ascii(size) => size,
            Type::Unicode(letters) => 4 * letters,
        }
    }

    /// The type that NumPy writes so, such as `<f4`, and whether its bytes are in big-endian order.
    fn parse(text: &str) -> Result<(Type, bool), String> {
        let mut letters = text.chars();
        let (order, kind) = match letters.next() {
            Some(order @ ('<' | '>' | '|' | '=')) => (order, letters.next()),
            kind => ('|', kind),
        };
        let size: usize = letters.as_str().parse().unwrap_or(0);
        let found = match (kind, size) {
            (Some('O'), _) => return Err(PICKLED.into()),
            (Some('b'), 1) | (Some('u'), 1 | 2 | 4 | 8) => Type::Unsigned(size),
            (Some('i'), 1 | 2 | 4 | 8) => Type::Signed(size),
            (Some('f'), 2 | 4 | 8) => Type::Float(size),
            (Some('U'), 1..=4096) => Type::Unicode(size),
            (Some('S' | 'a'), 1..=4096) => Type::Ascii(size),
            _ => return Err(format!("has elements of the type `{text}`, which is not read")),
        };
        Ok((found, order == '>'))
    }
}

const PICKLED: &str = "holds Python objects (a pickle), which are never read since they may run a program";

/// Parses the bytes of a `.npy` file.
///
/// # Errors
/// What is wrong, as the rest of a sentence that begins with the file's name.
pub(super) fn parse(bytes: &[u8]) -> Result<Array, String> {
    const MAGIC: &[u8] = b"\x93NUMPY";
    let cut = || "is cut short".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| "is no NumPy array".to_owned())?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
    let (length, rest) = match version[0] {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        version => return Err(format!("is a NumPy array of format version {version}, which is not known")),
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header = str::from_utf8(header).map_err(|_| "has a header that is no text".to_owned())?;
    let (kind, is_big) = Type::parse(&quoted(header, "descr").ok_or_else(no_header)?)?;
    let by_columns = match value(header, "fortran_order").ok_or_else(no_header)? {
        text if text.starts_with("True") => true,
        text if text.starts_with("False") => false,
        _ => return Err(no_header()),
    };
    let shape = shape(header).ok_or_else(no_header)?;
    let count = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    let needed = count.and_then(|count| count.checked_mul(kind.size()));
    let (Some(count), Some(needed)) = (count, needed) else {
        return Err(format!("says that it has the shape {shape:?}, which no memory holds"));
    };
    if data.len() != needed {
        return Err(format!(
            "says that it has the shape {shape:?}, which takes {needed} bytes, and holds {}",
            data.len()
        ));
    }
    let order = if by_columns { Some(row_major(&shape, count)) } else { None };
    Ok(Array { elements: elements(data, kind, is_big, order.as_deref()), shape })
}

fn no_header() -> String {
    "has a header that is not NumPy's".into()
}

/// What stands after a key of the header.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let place = header.find(&format!("'{key}'")).or_else(|| header.find(&format!("\"{key}\"")))?;
    Some(header[place + key.len() + 2..].trim_start().strip_prefix(':')?.trim_start())
}

fn quoted(header: &str, key: &str) -> Option<String> {
    let value = value(header, key)?;
    let mark = value.chars().next().filter(|mark| ['\'', '"'].contains(mark))?;
    value[1..].split_once(mark).map(|(text, _)| text.to_owned())
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let (inside, _) = value(header, "shape")?.strip_prefix('(')?.split_once(')')?;
    let sizes = inside.split(',').map(str::trim).filter(|size| !size.is_empty());
    let sizes: Vec<usize> = sizes.map(|size| size.parse().ok()).collect::<Option<_>>()?;
    (sizes.len() <= 8).then_some(sizes)
}

/// For each place of an array in row-major order, the place in column-major order (Fortran's).
fn row_major(shape: &[usize], count: usize) -> Vec<usize> {
    let mut order = Vec::with_capacity(count);
    let mut index = vec![0; shape.len()];
    for _ in 0..count {
        order.push(shape.iter().zip(&index).rev().fold(0, |place, (size, i)| place * size + i));
        for (i, size) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < *size {
                break;
            }
            *i = 0;
        }
    }
    order
}

fn elements(data: &[u8], kind: Type, is_big: bool, order: Option<&[usize]>) -> Elements {
    let size = kind.size();
    let count = data.len() / size;
    let element = |place: usize| &data[order.map_or(place, |order| order[place]) * size..][..size];
    // Little-endian, padded to eight bytes.
    let whole = |place: usize| {
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(element(place));
        if is_big {
            bytes[..size].reverse();
        }
        bytes
    };
    match kind {
        Type::Unsigned(1) => Elements::Bytes((0..count).map(|place| element(place)[0]).collect()),
        Type::Unsigned(_) => {
            Elements::Numbers((0..count).map(|place| u64::from_le_bytes(whole(place)) as f64).collect())
        }
        Type::Signed(_) => {
            let unused = 64 - 8 * size as u32;
            let signed = |place| (i64::from_le_bytes(whole(place)) << unused) >> unused;
            Elements::Numbers((0..count).map(|place| signed(place) as f64).collect())
        }
        Type::Float(_) => Elements::Numbers((0..count).map(|place| float(whole(place), size)).collect()),
        Type::Unicode(_) => {
            let letter = |bytes: &[u8]| {
                let bytes: [u8; 4] = bytes.try_into().expect("four bytes");
                let code = if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            };
            let text = |place| element(place).chunks_exact(4).map(letter).collect::<String>();
            Elements::Texts((0..count).map(|place| text(place).trim_end_matches('\0').to_owned()).collect())
        }
        Type::Ascii(_) => {
            let text = |place| String::from_utf8_lossy(element(place)).trim_end_matches('\0').to_owned();
            Elements::Texts((0..count).map(text).collect())
        }
    }
}

/// A number of 16, 32 or 64 bits (IEEE 754).
fn float(bytes: [u8; 8], size: usize) -> f64 {
    let bits = u64::from_le_bytes(bytes);
    match size {
        8 => f64::from_bits(bits),
        4 => f64::from(f32::from_bits(bits as u32)),
        _ => {
            let (sign, exponent, fraction) = (bits >> 15 & 1, bits >> 10 & 0x1f, (bits & 0x3ff) as f64);
            let size = match exponent {
                0 => fraction * 2_f64.powi(-24),
                0x1f if fraction == 0.0 => f64::INFINITY,
                0x1f => f64::NAN,
                exponent => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent as i32 - 15),
            };
            if sign == 1 { -size } else { size }
        }
    }
}

/// The bytes of a `.npy` file whose elements NumPy writes as `kind`, such as `<f4`.
pub(super) fn write(shape: &[usize], kind: &str, data: &[u8]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let mut header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}), }}", sizes.trim_end());
    // The elements begin at a multiple of 64.
    let unpadded = 10 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn types_and_orders_of_bytes() {
        let array = |kind: &str, data: &[u8]| {
            parse(&write(&[data.len() / kind[2..].parse::<usize>().unwrap()], kind, data))
        };
        let numbers = |kind: &str, data: &[u8]| match array(kind, data).unwrap().elements {
            Elements::Numbers(numbers) => numbers,
            elements => panic!("{elements:?}"),
        };
        assert_eq!(numbers("<i2", &[0xff, 0xff, 1, 0]), [-1.0, 1.0]);
        assert_eq!(numbers(">i2", &[0xff, 0xfe, 0, 1]), [-2.0, 1.0]);
        assert_eq!(numbers("|i1", &[0x80, 3]), [-128.0, 3.0]);
        assert_eq!(numbers("<u4", &[1, 0, 1, 0]), [65_537.0]);
        assert_eq!(numbers("<f4", &1.5_f32.to_le_bytes()), [1.5]);
        assert_eq!(numbers(">f8", &(-0.25_f64).to_be_bytes()), [-0.25]);
        // 1, −2 and the smallest number of half precision.
        assert_eq!(numbers("<f2", &[0, 0x3c, 0, 0xc0, 1, 0]), [1.0, -2.0, 2_f64.powi(-24)]);
        assert_eq!(array("|u1", &[7, 8]).unwrap().elements, Elements::Bytes(vec![7, 8]));
        let texts = parse(&write(&[2], "<U2", b"a\0\0\0b\0\0\0c\0\0\0\0\0\0\0")).unwrap();
        assert_eq!(texts.elements, Elements::Texts(vec!["ab".into(), "c".into()]));
        assert!(array("|O8", &[0; 8]).unwrap_err().contains("pickle"));
        assert!(array("<c8", &[0; 8]).unwrap_err().contains("`<c8`"));
    }

    #[test]
    fn fortrans_order_is_turned_into_rows() {
        let bytes = write(&[2, 3], "|u1", &[1, 4, 2, 5, 3, 6]);
        let text = String::from_utf8_lossy(&bytes).replace("False", "True ");
        let place = bytes.windows(5).position(|five| five == b"False").unwrap();
        let mut turned = bytes.clone();
        turned[place..place + 5].copy_from_slice(b"True ");
        assert!(text.contains("True "));
        assert_eq!(parse(&turned).unwrap().elements, Elements::Bytes(vec![1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn a_header_that_lies_is_no_reason_to_ask_for_memory() {
        for (shape, data) in
            [(&[1 << 40, 1 << 40][..], &[][..]), (&[1 << 30], &[1, 2]), (&[3], &[1, 2]), (&[1], &[1, 2])]
        {
            assert!(parse(&write(shape, "<f8", data)).is_err(), "{shape:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_bytes_there_are_they_are_an_array_or_an_error(
            mut bytes in prop::collection::vec(any::<u8>(), 0..200),
            flips in prop::collection::vec((0_usize..200, any::<u8>()), 0..4),
            valid in any::<bool>(),
        ) {
            if valid {
                bytes = write(&[2, 2], "|u1", &[1, 2, 3, 4]);
                for (place, byte) in flips {
                    if let Some(changed) = bytes.get_mut(place) {
                        *changed = byte;
                    }
                }
            }
            let _ = parse(&bytes);
        }
    }
}
