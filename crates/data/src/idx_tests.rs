//! Tests of the IDX reader: round trips of every element type, and arbitrary, cut and lying bytes.

use std::cell::Cell;
use std::io::{BufReader, Write};
use std::rc::Rc;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

/// The plain way to write what [`parse`] reads.
fn encode(array: &Array) -> Vec<u8> {
    fn body<const WIDTH: usize, T: Copy>(elements: &[T], bytes: impl Fn(T) -> [u8; WIDTH]) -> Vec<u8> {
        elements.iter().flat_map(|&element| bytes(element)).collect()
    }
    let (code, body) = match &array.elements {
        Elements::U8(v) => (0x08, body(v, u8::to_be_bytes)),
        Elements::I8(v) => (0x09, body(v, i8::to_be_bytes)),
        Elements::I16(v) => (0x0b, body(v, i16::to_be_bytes)),
        Elements::I32(v) => (0x0c, body(v, i32::to_be_bytes)),
        Elements::F32(v) => (0x0d, body(v, f32::to_be_bytes)),
        Elements::F64(v) => (0x0e, body(v, f64::to_be_bytes)),
    };
    let mut bytes = vec![0, 0, code, u8::try_from(array.shape.len()).unwrap()];
    for &size in &array.shape {
        bytes.extend(u32::try_from(size).unwrap().to_be_bytes());
    }
    bytes.extend(body);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn header(code: u8, sizes: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, u8::try_from(sizes.len()).unwrap()];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes
}

/// Arrays of every element type, of none to four dimensions, some of them empty. Floats that are not numbers
/// are left out because they do not equal themselves.
fn arrays() -> impl Strategy<Value = Array> {
    fn of<T: std::fmt::Debug>(
        element: impl Strategy<Value = T>,
        count: usize,
        wrap: fn(Vec<T>) -> Elements,
    ) -> impl Strategy<Value = Elements> {
        prop::collection::vec(element, count).prop_map(wrap)
    }
    prop::collection::vec(0_usize..5, 0..4).prop_flat_map(|shape| {
        let count = shape.iter().product();
        prop_oneof![
            of(any::<u8>(), count, Elements::U8),
            of(any::<i8>(), count, Elements::I8),
            of(any::<i16>(), count, Elements::I16),
            of(any::<i32>(), count, Elements::I32),
            of(any::<f32>(), count, Elements::F32),
            of(any::<f64>(), count, Elements::F64),
        ]
        .prop_map(move |elements| Array { shape: shape.clone(), elements })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_array_survives_the_round_trip(array in arrays()) {
        let bytes = encode(&array);
        prop_assert_eq!(&parse(bytes.clone()).unwrap(), &array);
        let limit = bytes.len() as u64;
        prop_assert_eq!(content(gzip(&bytes).as_slice(), limit).unwrap(), bytes);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = content(bytes.as_slice(), 1000);
        let _ = parse(bytes);
    }

    #[test]
    fn arbitrary_bytes_behind_a_good_start_never_panic(
        code in 7_u8..16,
        rest in prop::collection::vec(prop_oneof![3 => 0_u8..3, 1 => any::<u8>()], 0..80),
    ) {
        let bytes = [&[0, 0, code], rest.as_slice()].concat();
        if let Ok(array) = parse(bytes.clone()) {
            prop_assert_eq!(encode(&array).len(), bytes.len());
        }
        let _ = content([&[0x1f, 0x8b, 8, 0], rest.as_slice()].concat().as_slice(), 1000);
    }

    #[test]
    fn a_cut_anywhere_is_an_error(array in arrays()) {
        let bytes = encode(&array);
        for cut in 0..bytes.len() {
            prop_assert!(parse(bytes[..cut].to_vec()).is_err(), "cut at {}", cut);
        }
        let compressed = gzip(&bytes);
        for cut in 2..compressed.len() {
            let result = content(&compressed[..cut], bytes.len() as u64);
            let refused = matches!(result, Err(IdxError::TruncatedGzip { .. }));
            prop_assert!(refused, "cut at {}: {:?}", cut, result);
        }
    }

    #[test]
    fn a_byte_too_many_is_an_error(array in arrays(), extra in any::<u8>()) {
        let mut bytes = encode(&array);
        bytes.push(extra);
        let refused = matches!(parse(bytes), Err(IdxError::Trailing { extra: 1, .. }));
        prop_assert!(refused);
    }
}

#[test]
fn a_header_may_not_claim_what_is_not_there() {
    let lies: [&[u32]; 4] = [&[2], &[1 << 31, 1 << 16], &[u32::MAX; 3], &[u32::MAX; 255]];
    for sizes in lies {
        for code in [0x08, 0x0e] {
            let mut bytes = header(code, sizes);
            bytes.push(1);
            assert!(matches!(parse(bytes), Err(IdxError::ClaimsMore { held: 1, .. })), "{sizes:?}");
        }
    }
    let message = parse(header(0x0c, &[60_000, 28, 28])).unwrap_err().to_string();
    assert_eq!(
        message,
        "the header claims [60000, 28, 28] elements of 4 bytes and the file holds 0 bytes of them"
    );
}

#[test]
fn an_empty_dimension_makes_an_empty_array() {
    let array = parse(header(0x08, &[u32::MAX, u32::MAX, u32::MAX, 0])).unwrap();
    assert_eq!(array.elements, Elements::U8(vec![]));
}

#[test]
fn a_wrong_start_is_named() {
    let message = |bytes: &[u8]| parse(bytes.to_vec()).unwrap_err().to_string();
    assert_eq!(
        message(b"<!DOCTYPE html>"),
        "it is an HTML page, as a server sends it in the place of a file"
    );
    assert_eq!(message(b""), "it is an empty file");
    assert_eq!(
        message(&[1, 2, 3, 250]),
        "wrong magic number 0x010203fa; IDX files begin with two zero bytes"
    );
    assert_eq!(message(&[0, 0, 8]), "the header needs 4 bytes and the file holds 3");
    assert_eq!(message(&[0, 0, 8, 3, 0, 0]), "the header needs 16 bytes and the file holds 6");
    assert!(message(&[0, 0, 10, 0]).starts_with("unknown element type 0x0a"));
}

#[test]
fn damage_within_a_gzip_stream_is_found() {
    let bytes = encode(&Array {
        shape: vec![300],
        elements: Elements::U8((0..300).map(|i| (i % 251) as u8).collect()),
    });
    let compressed = gzip(&bytes);
    let checked = compressed.len() - 8; // where the CRC begins
    for place in [checked / 2, checked, checked + 4] {
        let mut damaged = compressed.clone();
        damaged[place] ^= 0x10;
        assert!(content(damaged.as_slice(), 1000).is_err(), "byte {place}");
    }
    let mut followed = compressed;
    followed.extend(b"rubbish and more rubbish");
    assert!(matches!(content(followed.as_slice(), 1000), Err(IdxError::AfterGzip { first: b'r' })));
}

#[test]
fn zeros_after_a_gzip_stream_are_padding_and_several_streams_are_one_content() {
    let (one, two) = (gzip(b"first, "), gzip(b"second"));
    let read = |bytes: &[u8]| content(BufReader::with_capacity(7, bytes), 13);
    for parts in [
        vec![&one[..], &two],
        vec![&one, &[0; 512], &two],
        vec![&one, &two, &[0]],
        vec![&one, &[0; 3], &two, &[0; 100_000]],
    ] {
        assert_eq!(read(&parts.concat()).unwrap(), b"first, second");
    }
    let after = read(&[&one[..], &two, &[0, 0, 7]].concat()).unwrap_err().to_string();
    assert_eq!(after, "after the end of its gzip stream come other bytes, the first of them 0x07");
    assert!(matches!(read(&[&one[..], &[0], &two[..9]].concat()), Err(IdxError::TruncatedGzip { .. })));
    assert!(matches!(
        read(&[&one[..], b"\x1frest"].concat()),
        Err(IdxError::DamagedGzip(_) | IdxError::TruncatedGzip { .. })
    ));
    assert!(matches!(read(&[one, two, gzip(b"!")].concat()), Err(IdxError::TooLong { limit: 13, .. })));
}

#[test]
fn what_a_header_announces_is_known_before_the_rest() {
    assert_eq!(announced(&header(0x08, &[697_932, 28, 28])), Some((vec![697_932, 28, 28], "u8")));
    assert_eq!(announced(&header(0x0d, &[2])), Some((vec![2], "f32")));
    assert_eq!(announced(&header(0x08, &[2, 3])[..9]), None);
    assert_eq!(announced(b"<html>"), None);
}

/// Counts the bytes that are read through it.
struct Counted<R>(R, Rc<Cell<usize>>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(out)?;
        self.1.set(self.1.get() + read);
        Ok(read)
    }
}

#[test]
fn a_gzip_bomb_is_left_at_the_limit() {
    let bomb = gzip(&vec![0; 4 << 20]);
    let consumed = Rc::new(Cell::new(0));
    let reader = BufReader::with_capacity(64, Counted(bomb.as_slice(), Rc::clone(&consumed)));
    assert!(matches!(content(reader, 1000), Err(IdxError::TooLong { limit: 1000, .. })));
    assert!(consumed.get() < bomb.len() / 10, "{} of {} bytes were read", consumed.get(), bomb.len());
}

#[test]
fn the_limit_holds_for_raw_files_too() {
    assert_eq!(content([1, 2, 3].as_slice(), 3).unwrap(), [1, 2, 3]);
    assert!(matches!(content([1, 2, 3, 4].as_slice(), 3), Err(IdxError::TooLong { limit: 3, .. })));
}
