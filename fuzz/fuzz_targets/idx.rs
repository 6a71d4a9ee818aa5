//! The IDX reader on arbitrary bytes, raw and gzip-compressed. `cargo +nightly fuzz run idx`

#![no_main]

use inkling_data::idx::{self, Array, Elements};
use libfuzzer_sys::fuzz_target;

/// The most bytes that an input may stand for: enough for any header, little enough to be quick.
const LIMIT: u64 = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    // Files choose by their first bytes whether they are uncompressed before they are parsed.
    if let Ok(content) = idx::content(bytes, LIMIT) {
        assert!(content.len() as u64 <= LIMIT);
        if let Ok(Array { shape, elements: Elements::U8(values) }) = idx::parse(content) {
            let count = if shape.contains(&0) { 0 } else { shape.iter().product() };
            assert_eq!(values.len(), count);
        }
    }
    let _ = idx::parse(bytes.to_vec());
});
